"""Measure the coherence of one song: its end, key and parts, clashes of notes, drums, silence, and the seam.

A measure counts events in a song and returns an Amount: the count, and the number of places at which the
event could occur. Many songs are compared in `coherence_table`. If a measure does not apply to a song, such
as the key of drums, it returns NOTHING. Songs are measured with their leading silence (`AnalysedSong` with
`keep_silence`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong, Ints
from ritornello.music.score import MAX_PARTS, Score
from ritornello.music.theory import key_tonic
from ritornello.music.timeline import Timeline

FEW_NOTES = 6  # a part with fewer notes hardly counts as playing
PLAYING_SHARE = 0.25  # a part plays through the song if it begins notes in this share of the bars
KICKS, SNARES = (35, 36), (38, 40)  # pitches of General MIDI's percussion
SIXTEENTHS = 4  # in a beat: the grid of drum patterns
ALL_DRUMS = MAX_PARTS  # the number of the part of all drums
BACKBEATS = (4, 12)  # beats 2 and 4 of a bar of 4/4 in sixteenths


class Amount(NamedTuple):
    """A count of events in a song, and the number of places at which one could occur."""

    amount: float
    of: float  # songs (1), parts, bars or beats


NOTHING = Amount(0, 0)


def ends_on_written_tonic(song: AnalysedSong) -> Amount:
    """Whether the lowest note at the last pitched onset is the tonic of the first key signature."""
    if not song.score.keys:
        return NOTHING
    _, sharps, is_minor = song.score.keys[0]
    return _ends_on(song, key_tonic(sharps, is_minor))


def ends_on_heard_tonic(song: AnalysedSong) -> Amount:
    """Whether the lowest note at the last pitched onset is the tonic of the estimated key."""
    return _ends_on(song, key_tonic(*song.key))


def _ends_on(song: AnalysedSong, pitch_class: int) -> Amount:
    if not len(song.pitch):
        return NOTHING
    onset, end = _pitched_spans(song)
    sounding = song.pitch[onset[-1] < end]
    return Amount(float(sounding.min() % 12 == pitch_class), 1)


def key_is_as_written(song: AnalysedSong) -> Amount:
    """Whether the estimated key is the one of the first key signature, in tonic and mode."""
    if not song.score.keys or not len(song.pitch):
        return NOTHING
    _, sharps, is_minor = song.score.keys[0]
    return Amount(float((key_tonic(*song.key), song.key[1]) == (key_tonic(sharps, is_minor), is_minor)), 1)


def all_parts_play(song: AnalysedSong) -> Amount:
    """Whether each part with notes begins notes in at least PLAYING_SHARE of the bars."""
    bar, _ = song.positions
    part_bars = np.unique(_parts(song.score) << 32 | bar) >> 32
    bars_of_parts = np.unique(part_bars, return_counts=True)[1]
    return Amount(float(bars_of_parts.min() >= PLAYING_SHARE * len(song.timeline)), 1)


def small_parts(song: AnalysedSong) -> Amount:
    """How many of the parts with notes have fewer than FEW_NOTES."""
    notes = np.unique(_parts(song.score), return_counts=True)[1]
    return Amount(float((notes < FEW_NOTES).sum()), len(notes))


def clashes(song: AnalysedSong) -> Amount:
    """Clashes per beat: the number of overlapping pairs of notes that are one or two semitones apart."""
    if not len(song.pitch):
        return NOTHING
    onset, end = _pitched_spans(song)
    count = 0
    for lag in range(1, len(onset)):
        overlap = onset[lag:] < end[:-lag]
        if not overlap.any():  # then no note overlaps a later one either, as onsets ascend
            break
        distance = np.abs(song.pitch[lag:] - song.pitch[:-lag])
        count += int((overlap & ((distance == 1) | (distance == 2))).sum())
    return Amount(count, float(end.max()) / song.score.ticks_per_beat)


def parallels(song: AnalysedSong) -> Amount:
    """Parallel fifths and octaves per beat, over all pairs of pitched parts.

    Two parts make one if both move to new notes at one tick, in the same direction, from a fifth to a fifth,
    or from an octave or unison to an octave or unison. Of chords only the highest notes count.
    """
    if not len(song.pitch):
        return NOTHING
    top, count = song.top_notes, 0
    lines = [(top.onset_ticks[top.part == part], top.pitch[top.part == part]) for part in np.unique(top.part)]
    for (onset, pitch), (other_onset, other_pitch) in combinations(lines, 2):
        _, index, other_index = np.intersect1d(onset, other_onset, assume_unique=True, return_indices=True)
        later = (index > 0) & (other_index > 0)
        index, other_index = index[later], other_index[later]
        move, other_move = (
            pitch[index] - pitch[index - 1],
            other_pitch[other_index] - other_pitch[other_index - 1],
        )
        interval = np.abs(pitch[index] - other_pitch[other_index]) % 12
        before = np.abs(pitch[index - 1] - other_pitch[other_index - 1]) % 12
        count += int(((move * other_move > 0) & (interval == before) & np.isin(interval, (0, 7))).sum())
    return Amount(count, float(_pitched_spans(song)[1].max()) / song.score.ticks_per_beat)


def steps(song: AnalysedSong) -> Amount:
    """How many of the moves of parts (of chords the highest note counts) are of one or two semitones."""
    size = np.abs(song.intervals)
    return Amount(float(((size == 1) | (size == 2)).sum()), int((size > 0).sum()))


def repeated_drum_bars(song: AnalysedSong) -> Amount:
    """How many bars with a kick or snare have the same kicks and snares, in sixteenths, as an earlier bar."""
    return _repeated(_drum_patterns(song))


def looped_drum_bars(song: AnalysedSong) -> Amount:
    """How many bars with drums have the same drum notes, in sixteenths, as an earlier bar."""
    return _repeated(_drum_patterns(song, all_drums=True))


def _repeated(patterns: dict[int, tuple[int, frozenset[tuple[int, int]]]]) -> Amount:
    """How many of the patterns of bars are those of an earlier bar."""
    return Amount(float(len(patterns) - len(set(patterns.values()))), len(patterns))


def backbeats(song: AnalysedSong) -> Amount:
    """How many bars of 4/4 with a kick or snare have a snare on 2 and on 4."""
    numerator, denominator = song.timeline.numerator, song.timeline.denominator
    patterns = [
        pattern
        for bar, pattern in _drum_patterns(song).items()
        if numerator[bar] == 4 == denominator[bar] and pattern[0] == 4 * song.score.ticks_per_beat
    ]
    struck = [all((place, True) in pattern[1] for place in BACKBEATS) for pattern in patterns]
    return Amount(float(sum(struck)), len(struck))


def _drum_patterns(
    song: AnalysedSong, all_drums: bool = False
) -> dict[int, tuple[int, frozenset[tuple[int, int]]]]:
    """Return, by bar with a kick or snare, its length in ticks and the set of (sixteenth, is it a snare).

    With `all_drums`, by bar with any drum, the set is of (sixteenth, pitch). An onset that is rounded to the
    end of its bar belongs to the next bar.
    """
    score, timeline = song.score, song.timeline
    struck = ~song.pitched if all_drums else ~song.pitched & np.isin(score.pitch, KICKS + SNARES)
    onset, pitch = score.onset_ticks[struck].astype(np.int64), score.pitch[struck].astype(np.int64)
    drum = pitch if all_drums else np.isin(pitch, SNARES).astype(np.int64)
    bar = timeline.bar_of(onset)
    offset = onset - timeline.start_ticks[bar]
    sixteenth = (2 * SIXTEENTHS * offset + score.ticks_per_beat) // (2 * score.ticks_per_beat)
    is_next = sixteenth * score.ticks_per_beat >= SIXTEENTHS * timeline.length_ticks[bar]
    bar, sixteenth = np.where(is_next, bar + 1, bar), np.where(is_next, 0, sixteenth)
    patterns: dict[int, set[tuple[int, int]]] = {}
    for where, *note in zip(bar.tolist(), sixteenth.tolist(), drum.tolist(), strict=True):
        if where < len(timeline):
            patterns.setdefault(where, set()).add((note[0], note[1]))
    return {
        bar: (int(timeline.length_ticks[bar]), frozenset(notes)) for bar, notes in sorted(patterns.items())
    }


def sounds_after_end(song: AnalysedSong, bars: int | None = None) -> Amount:
    """Whether a note sounds after the last bar: the bar of the last onset, or the last of `bars` bars."""
    return Amount(float(song.score.end_ticks > bar_start(song.timeline, bars)), 1)


def begins_with_silence(song: AnalysedSong) -> Amount:
    """Whether half a full bar or more passes before the first note."""
    length = song.timeline.length_ticks[song.timeline.pickup_bars]
    return Amount(float(2 * song.score.onset_ticks[0] >= length), 1)


def bar_start(timeline: Timeline, bars: int | None) -> int:
    """Return the tick after `bars` bars from the first full one, or after all bars; also beyond the last."""
    last = len(timeline) if bars is None else timeline.pickup_bars + bars
    if last < len(timeline):
        return int(timeline.start_ticks[last])
    return timeline.end_ticks + (last - len(timeline)) * int(timeline.length_ticks[-1])


def _parts(score: Score) -> Ints:
    """Return the part of each note, (N,); all drums are one part, ALL_DRUMS."""
    return np.where(score.of_drums, ALL_DRUMS, score.part.astype(np.int64))


def _pitched_spans(song: AnalysedSong) -> tuple[Ints, Ints]:
    """Return the onsets and the ends of the pitched notes in ticks, (P,) each."""
    onset = song.score.onset_ticks[song.pitched].astype(np.int64)
    return onset, onset + song.score.duration_ticks[song.pitched]


class Seam(NamedTuple):
    """A comparison of the bars before a cut with the bars after it."""

    parts: Amount  # parts that play on both sides, of the parts that play on either
    register: Amount  # semitones between the mean pitches of a part, summed over the parts
    density: Amount  # notes of the side with fewer notes, of the notes of the other side
    key: Amount  # whether the same key is estimated on both sides


SEAM_BARS = 4


def seam(song: AnalysedSong, bar: int) -> Seam:
    """Compare the SEAM_BARS bars before a bar (from 0, the first full one) with as many from it on.

    All amounts are NOTHING if the song has no onset in the bars before, or ends before the cut.
    """
    score, timeline = song.score, song.timeline
    edges = [bar_start(timeline, max(0, at)) for at in (bar - SEAM_BARS, bar, bar + SEAM_BARS)]
    onset = score.onset_ticks
    sides = [(onset >= start) & (onset < end) for start, end in pairwise(edges)]
    if not sides[0].any() or timeline.end_ticks <= edges[1]:
        return Seam(*[NOTHING] * 4)
    before, after = (AnalysedSong(score.select(side), keep_silence=True) for side in sides)
    playing = [set(_parts(each.score).tolist()) for each in (before, after)]
    pitched = playing[0] & playing[1] - {ALL_DRUMS}
    steps = [abs(_mean_pitch(before.score, part) - _mean_pitch(after.score, part)) for part in pitched]
    notes = sorted(len(each.score) for each in (before, after))
    has_keys = bool(len(before.pitch) and len(after.pitch))
    return Seam(
        Amount(len(playing[0] & playing[1]), len(playing[0] | playing[1])),
        Amount(sum(steps), len(steps)),
        Amount(notes[0], notes[1]),
        Amount(float(before.key == after.key), 1) if has_keys else NOTHING,
    )


def _mean_pitch(score: Score, part: int) -> float:
    return float(score.pitch[score.part == part].mean())


class PartNumbers(NamedTuple):
    """Two numbers that describe a part."""

    kind: int  # the family of General MIDI (0-15), or DRUMS
    density: float  # notes a beat
    variety: float  # the number of different pitches


DRUMS = 16


def part_numbers(song: AnalysedSong) -> list[PartNumbers]:
    """Return the density and variety of each part with notes."""
    score, numbers = song.score, []
    beats = song.timeline.end_ticks / score.ticks_per_beat
    part_of_note = _parts(score)
    for part in np.unique(part_of_note).tolist():
        pitch = score.pitch[part_of_note == part]
        kind = DRUMS if part == ALL_DRUMS else score.parts[part].program // 8
        numbers.append(PartNumbers(kind, len(pitch) / beats, float(len(np.unique(pitch)))))
    return numbers


class Measure(NamedTuple):
    """A measure with its name in tables; its figure is a share, or else a number per beat."""

    name: str
    amount: Callable[[AnalysedSong], Amount]
    is_share: bool = True
    is_median: bool = False
    """Whether the figure of many songs is the median of the songs, instead of the ratio of sums."""
    is_of_opening: bool = False
    """Whether it depends on the length, so that only equally many bars of each song are measured."""


MEASURES = (
    Measure("ends on the tonic, key written", ends_on_written_tonic),
    Measure("ends on the tonic, key heard", ends_on_heard_tonic),
    Measure("key heard is the key written", key_is_as_written),
    Measure("each part plays in 1/4 of the bars", all_parts_play),
    Measure("parts with fewer than 6 notes", small_parts),
    Measure("clash of seconds, a beat (median)", clashes, is_share=False, is_median=True),
    Measure("parallel fifths and octaves, a beat", parallels, is_share=False),
    Measure("moves of parts that are steps", steps),
    Measure("drum bars that repeat an earlier one", repeated_drum_bars, is_of_opening=True),
    Measure("4/4 bars with snare on 2 and 4", backbeats),
    Measure("sounds after its last bar", sounds_after_end),
    Measure("begins with half a bar of silence", begins_with_silence),
)
