"""Measure the style statistics of songs by label, as `composing.style_stats` reads them.

The sampling rules keep composed songs within them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ritornello.composing.recent_notes import OCTAVE
from ritornello.composing.style_stats import NO_LABEL, QUANTILES
from ritornello.composing.voice_leading import FIFTH, WHOLE_TONE
from ritornello.corpus.corpus import Corpus
from ritornello.errors import ScoreError
from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.coherence import (
    Amount,
    backbeats,
    clashes,
    looped_drum_bars,
    parallels,
    repeated_drum_bars,
)
from ritornello.evaluation.part_bars import rhythms_of_earlier_bars
from ritornello.music.pickup import without_leading_silence
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

MOST, NEARLY_ALL = 0.9, 0.99  # quantiles
FIRST_BARS = 16  # bars in which it is counted how often a part plays
FEWEST_GROOVES = 4  # bars of a song with a kick or snare
FEWEST_WITH_DRUMS = 5  # songs of a label
# If the parts of the median song strike more notes at an onset, limits of far notes and of chords made songs
# of the label too thin, as those of piano pieces
MOST_NOTES_OF_LINES = 1.5
FEWEST_SONGS = 20  # of a label; one with fewer has the statistics of all songs


def repeated_share(song: Score) -> float:
    """The share 0-1 of notes of pitched parts that repeat the pitch before; chords are read upwards."""
    order = np.lexsort((song.pitch, song.onset_ticks, song.part))
    order = order[~song.of_drums[order]]
    same_part = np.diff(song.part[order].astype(np.int64)) == 0
    repeated = np.diff(song.pitch[order].astype(np.int64))[same_part] == 0
    return float(repeated.mean()) if len(repeated) else 0.0


def played_shares(song: Score) -> list[float]:
    """For each part with notes the share 0-1 of the first bars in which it strikes a note."""
    timeline = Timeline.of(song)
    bar, bars = timeline.bar_of(song.onset_ticks), min(FIRST_BARS, len(timeline))
    early = bar < bars
    parts = np.unique(song.part).tolist()
    return [len(np.unique(bar[early & (song.part == part)])) / bars for part in parts]


def most_notes_struck(song: Score) -> int:
    """The most notes that a pitched part strikes at one onset; 0 without any.

    Notes that merely sound together do not count: a pedal or rounding to the grid holds many over the next.
    """
    pitched = ~song.of_drums
    struck = np.stack([song.part[pitched], song.onset_ticks[pitched]])
    _, count = np.unique(struck, axis=1, return_counts=True)
    return int(count.max(initial=0))


def notes_of_bars(song: Score) -> list[int]:
    """For each part and each bar in which it strikes notes, how many."""
    bar = Timeline.of(song).bar_of(song.onset_ticks)
    _, count = np.unique(np.stack([song.part, bar]), axis=1, return_counts=True)
    return [int(notes) for notes in count]


def broken_lines(song: Score) -> tuple[float, float]:
    """Return the shares 0-1 of overlaps and of gaps among the onsets of pitched parts.

    At an overlap an earlier note of the part still sounds. After a gap the part has been silent. The first
    onset of each part does not count.
    """
    overlaps = gaps = count = 0
    end_ticks = song.onset_ticks.astype(np.int64) + song.duration_ticks
    for part in np.unique(song.part[~song.of_drums]).tolist():
        is_of_part = song.part == part
        # Notes are in order of onset
        onsets, first = np.unique(song.onset_ticks[is_of_part], return_index=True)
        latest = np.maximum.accumulate(np.maximum.reduceat(end_ticks[is_of_part], first))
        overlaps += int((latest[:-1] > onsets[1:]).sum())
        gaps += int((latest[:-1] < onsets[1:]).sum())
        count += len(onsets) - 1
    return overlaps / max(count, 1), gaps / max(count, 1)


def habits_of_drums(song: Score) -> tuple[float, float, float] | None:
    """Return the statistics `grooves`, `loops` and `backbeats` (shares 0-1) of the first bars of a song.

    Return None if fewer than FEWEST_GROOVES bars have a kick or snare. `backbeats` is 0 without bars of 4/4.
    """
    song = _opening(song)
    if not song.of_drums.any():
        return None
    analysed = AnalysedSong(song)
    grooves, loops, snares = repeated_drum_bars(analysed), looped_drum_bars(analysed), backbeats(analysed)
    if grooves.of < FEWEST_GROOVES:
        return None
    return (
        grooves.amount / (grooves.of - 1),
        loops.amount / (loops.of - 1),
        snares.amount / max(1.0, snares.of),
    )


def _per_place(amount: Amount) -> float:
    """How often something occurs per beat or place; 0 in a song to which the measure does not apply."""
    return amount.amount / max(amount.of, 1.0)


def _top_repeats(song: AnalysedSong) -> float:
    """The share 0-1 of onsets of parts that have the highest pitch of the one before."""
    return float((song.intervals == 0).mean()) if len(song.intervals) else 0.0


def _wide_moves(song: AnalysedSong, semitones: int) -> float:
    """The share 0-1 of onsets of parts whose highest pitch is more than `semitones` from the one before."""
    return float((np.abs(song.intervals) > semitones).mean()) if len(song.intervals) else 0.0


def notes_struck(song: Score) -> float:
    """The mean number of notes that a pitched part strikes at an onset; 1 without notes."""
    pitched = ~song.of_drums
    onsets = np.unique(np.stack([song.part[pitched], song.onset_ticks[pitched]]), axis=1)
    return float(pitched.sum()) / max(1, onsets.shape[1]) if pitched.any() else 1.0


def far_notes(song: Score) -> float:
    """The share 0-1 of notes of pitched parts more than an octave from the mean pitch of their part's bar."""
    song = song.select(~song.of_drums)
    if not len(song):
        return 0.0
    bar = Timeline.of(song).bar_of(song.onset_ticks).astype(np.int64)
    _, place = np.unique(bar * (int(song.part.max()) + 1) + song.part, return_inverse=True)  # (N,)
    mean = np.bincount(place, song.pitch) / np.bincount(place)
    return float((np.abs(song.pitch - mean[place]) > OCTAVE).mean())


def repeated_rhythms(song: Score) -> float:
    """Return the share 0-1 of the first bars that have the onsets of an earlier bar.

    The first bar with notes and drums do not count.
    """
    song = song.select(~song.of_drums)
    timeline = Timeline.of(song)
    bar = timeline.bar_of(song.onset_ticks)
    offset, rhythms = song.onset_ticks - timeline.start_ticks[bar], dict[int, set[int]]()
    for number, ticks in zip(bar.tolist(), offset.tolist(), strict=True):
        if number < FIRST_BARS:
            rhythms.setdefault(number, set()).add(ticks)
    different = {(int(timeline.length_ticks[number]), *sorted(ticks)) for number, ticks in rhythms.items()}
    return (len(rhythms) - len(different)) / max(1, len(rhythms) - 1)


def repeated_patterns(song: Score) -> float:
    """Return the share 0-1 of the first bars of pitched parts with the onsets of an earlier one of the part.

    The first bar with notes of each part does not count.
    """
    return _per_place(rhythms_of_earlier_bars(AnalysedSong(_opening(song))))


def _opening(song: Score) -> Score:
    """Return the notes of the first bars of a song."""
    timeline = Timeline.of(song)
    if len(timeline) <= FIRST_BARS:
        return song
    return song.select(song.onset_ticks < timeline.start_ticks[FIRST_BARS])


def _quantiles(numbers: Iterable[float], least: float = 0.0) -> list[float]:
    """Return evenly spaced quantiles of a statistic of songs, all above the quantile `least` (0-1)."""
    found = np.quantile(list(numbers), least + (1 - least) * QUANTILES)
    return [round(number, 4) for number in found.tolist()]


def _of_bands(songs: Sequence[Score]) -> dict[str, Any]:
    """The statistics of the songs that have drums, if they are enough."""
    bands = [song for song in songs if song.of_drums.any()]
    if len(bands) < FEWEST_WITH_DRUMS:
        return {}
    return {"patterns": _quantiles(map(repeated_patterns, bands))}


def _of_label(songs: Sequence[Score]) -> dict[str, Any]:
    """The statistics of songs with pitched parts, but for those of drums."""
    analysed = [AnalysedSong(song) for song in songs]
    overlaps, gaps = zip(*map(broken_lines, songs), strict=True)
    plays = [share for song in songs for share in played_shares(song)]
    notes = [count for song in songs for count in notes_of_bars(song)]
    voices = list(map(most_notes_struck, songs))
    struck = list(map(notes_struck, songs))
    of_lines = {
        "far_notes": _quantiles(map(far_notes, songs), least=0.5),
        "notes_struck": _quantiles(struck, least=0.5),
    }
    statistics = of_lines if np.median(struck) < MOST_NOTES_OF_LINES else {}
    return (
        statistics
        | _of_bands(songs)
        | {
            "repeats": round(float(np.quantile(list(map(repeated_share, songs)), MOST)), 4),
            "plays": round(float(np.quantile(plays, 1 - MOST)), 4),
            "voices": int(np.quantile(voices, NEARLY_ALL, method="inverted_cdf")),
            "notes": int(np.quantile(notes, NEARLY_ALL, method="inverted_cdf")),
            "overlaps": round(float(np.quantile(overlaps, MOST)), 4),
            "gaps": round(float(np.quantile(gaps, MOST)), 4),
            "top_repeats": _quantiles(_top_repeats(song) for song in analysed),
            "skips": _quantiles(_wide_moves(song, WHOLE_TONE) for song in analysed),
            "leaps": _quantiles(_wide_moves(song, FIFTH) for song in analysed),
            "rhythms": _quantiles(map(repeated_rhythms, songs)),
            "parallels": round(float(np.mean([_per_place(parallels(song)) for song in analysed])), 4),
            "clashes": _quantiles(_per_place(clashes(song)) for song in analysed),
        }
    )


def measure_style(songs: Iterable[tuple[Score, Iterable[str]]]) -> dict[str, dict[str, Any]]:
    """Return the statistics of each label as model.json has them, from songs with notes and their labels.

    Songs of drums alone count only for the habits of drums, for which a label needs FEWEST_WITH_DRUMS songs.
    """
    by_label: dict[str, list[Score]] = {}
    habits: dict[str, list[tuple[float, float, float]]] = {}
    for song, labels in songs:
        of_drums = habits_of_drums(song)
        for label in labels:
            if of_drums is not None:
                habits.setdefault(label, []).append(of_drums)
            if not song.of_drums.all():
                by_label.setdefault(label, []).append(song)
    statistics = {label: _of_label(scores) for label, scores in sorted(by_label.items())}
    for label, shares in sorted(habits.items()):
        if len(shares) >= FEWEST_WITH_DRUMS:
            means = np.mean(shares, axis=0).round(4).tolist()
            statistics.setdefault(label, {}).update(
                zip(("grooves", "loops", "backbeats"), means, strict=True)
            )
    return statistics


def style_of_corpus(
    corpus: Corpus, representation: Any, most: int | None = None, fewest: int = FEWEST_SONGS
) -> dict[str, dict[str, Any]]:
    """Return the statistics of each label of the training songs, in their canonical form.

    At most `most` songs are measured. A label with fewer than `fewest` of them has the statistics of all;
    so have songs without a label, NO_LABEL.
    """
    numbers = corpus.songs("train")
    if most is not None and len(numbers) > most:
        numbers = numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)]
    songs = [(number, corpus.info(number).labels) for number in numbers.tolist()]
    counts = Counter(label for _, labels in songs for label in labels)
    rare = {label for label, count in counts.items() if count < fewest}

    scores: list[tuple[Score, tuple[str, ...]]] = []
    for number, labels in songs:
        try:
            score = representation.canonical(without_leading_silence(corpus.score(number)))[0]
        except ScoreError:
            continue
        scores.append((score, (*(label for label in labels if label not in rare), NO_LABEL)))
    statistics = measure_style(scores)
    return statistics | dict.fromkeys(sorted(rare), statistics[NO_LABEL]) if statistics else {}
