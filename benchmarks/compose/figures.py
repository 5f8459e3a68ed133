"""What `compose` measures in songs, composed or human: one pure function for each figure.

A *bar* is compared as the set of (place, part, pitch) of its onsets. Human songs are brought to the grid of
the representation, as composed songs are, and cut to as many bars.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import mido
import numpy as np
import numpy.typing as npt
import symusic

from benchmarks.shared import select_notes
from ritornello.evaluation.analysed_song import AnalysedSong, longest_run
from ritornello.evaluation.features import song_table
from ritornello.music import theory
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from tests.midi.strict import read_strictly

NOTES = Notes()
LAGS_BARS = (1, 2, 4, 8)
Floats = npt.NDArray[np.float64]
Chart = list[tuple[int, str]]  # root and kind of the chord of each bar


def readers_agree(data: bytes) -> bool:
    """Whether mido, symusic and a strict reader find as many notes in a file's bytes, at least one."""
    strict = read_strictly(data)
    struck = sum(
        e.status & 0xF0 == 0x90 and e.data[1] > 0
        for events in strict.tracks
        for e in events
        if e.status < 0xF0
    )
    tracks = mido.MidiFile(file=io.BytesIO(data)).tracks
    by_mido = sum(m.type == "note_on" and m.velocity > 0 for track in tracks for m in track)
    read: Any = symusic.Score.from_midi(data)
    return bool(struck == by_mido == sum(len(track.notes) for track in read.tracks) > 0)


def first_bars(score: Score, bars: int) -> Score:
    """The first bars of a song, on the grid of the representation."""
    song, _ = NOTES.canonical(score)
    timeline = Timeline.of(song)
    if len(timeline) <= bars:
        return song
    kept = np.asarray(song.onset_ticks < timeline.start_ticks[bars])
    return select_notes(song, kept)


def bar_sets(song: Score) -> list[frozenset[tuple[int, int, int]]]:
    """The onsets of each bar: place in ticks (24 per beat), part, pitch."""
    features = AnalysedSong(song)
    bar, place = features.positions
    found: list[set[tuple[int, int, int]]] = [set() for _ in range(len(features.timeline))]
    columns = zip(bar.tolist(), place.tolist(), song.part.tolist(), song.pitch.tolist(), strict=True)
    for at, *note in columns:
        found[at].add((note[0], note[1], note[2]))
    return [frozenset(each) for each in found]


def equal_bars(song: Score) -> Floats:
    """Share of bars equal to the bar 1, 2, 4 and 8 before, and to any before, (5,); NaN if too short."""
    bars = bar_sets(song)
    shares = [
        np.mean([bars[i] == bars[i - lag] for i in range(lag, len(bars))]) if len(bars) > lag else np.nan
        for lag in LAGS_BARS
    ]
    again = np.mean([bars[i] in bars[:i] for i in range(1, len(bars))]) if len(bars) > 1 else np.nan
    return np.array([*shares, again], np.float64)


def count_silent_bars(song: Score) -> int:
    """How many bars of the song have no sounding note."""
    timeline, onset = Timeline.of(song), song.onset_ticks.astype(np.int64)
    end = onset + song.duration_ticks
    spans = zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True)
    return sum(not ((onset < start + length) & (end > start)).any() for start, length in spans)


def longest_repetition(song: Score) -> int:
    """How many times in a row the top note of a pitched part is the same, at most."""
    line = AnalysedSong(song).top_notes
    return max((longest_run(line.pitch[line.part == part]) for part in np.unique(line.part)), default=0)


def part_activity(song: Score) -> Floats:
    """For each part that plays, the share of bars with an onset of it, in rising order."""
    bar, _ = AnalysedSong(song).positions
    bars = len(Timeline.of(song))
    return np.sort([len(np.unique(bar[song.part == part])) / bars for part in np.unique(song.part)])


def chart_of(song: Score) -> Chart:
    """The longest chord of each bar of a canonical song; a bar without a chord has that of the bar before."""
    timeline = NOTES.timeline(song)
    starts = np.array([chord.onset_ticks for chord in timeline.chords], np.int64)
    ends = np.append(starts, timeline.end_ticks)[1:]
    found: Chart = []
    for start, length in zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True):
        ticks_of: dict[tuple[int, str], int] = {}
        for chord, begin, end in zip(timeline.chords, starts.tolist(), ends.tolist(), strict=True):
            over = min(end, start + length) - max(begin, start)
            if over > 0 and chord.kind != "other":
                ticks_of[chord[1:3]] = ticks_of.get(chord[1:3], 0) + over
        if ticks_of or found:
            found.append(max(ticks_of, key=lambda name: ticks_of[name]) if ticks_of else found[-1])
    return found


def chord_name(root: int, kind: str) -> str:
    """The usual name of a chord, such as `Am7`."""
    return theory.PITCH_CLASS_NAMES[root] + theory.CHORDS[kind][0]


def share_of_chord_tones(song: Score, chart: Chart) -> float:
    """Share of the time of pitched notes in which they belong to their bar's chord; the chart repeats."""
    timeline = Timeline.of(song)
    edges = [*timeline.start_ticks.tolist(), timeline.end_ticks]
    tones = [{(root + step) % 12 for step in theory.CHORDS[kind][1]} for root, kind in chart]
    chord_ticks, all_ticks = 0, 0
    pitched = ~song.of_drums
    columns = (song.onset_ticks[pitched], song.duration_ticks[pitched], song.pitch[pitched])
    for onset, duration, pitch in zip(*(c.tolist() for c in columns), strict=True):
        end = min(onset + duration, edges[-1])
        bar = int(timeline.bar_of(onset))
        while bar < len(timeline) and edges[bar] < end:
            over = min(end, edges[bar + 1]) - max(onset, edges[bar])
            all_ticks += over
            chord_ticks += over * (pitch % 12 in tones[bar % len(tones)])
            bar += 1
    return chord_ticks / all_ticks if all_ticks else float("nan")


def section_similarity(song: Score, one: range, other: range) -> float:
    """The mean Jaccard similarity of the bars of two sections, bar by bar."""
    bars = bar_sets(song)
    pairs = [(bars[a], bars[b]) for a, b in zip(one, other, strict=True) if max(a, b) < len(bars)]
    return float(np.mean([len(a & b) / max(1, len(a | b)) for a, b in pairs])) if pairs else float("nan")


def human_sections(song: Score, fewest: int = 4) -> list[float]:
    """The similarity of each section of a canonical song that repeats an earlier one, bar by bar."""
    models = NOTES.timeline(song).returns_to.tolist()
    found, begin = [], 0
    for bar in range(1, len(models) + 1):
        if bar < len(models) and models[begin] >= 0 and models[bar] == models[bar - 1] + 1:
            continue
        if models[begin] >= 0 and bar - begin >= fewest:
            sections = range(begin, bar), range(models[begin], models[begin] + bar - begin)
            found.append(section_similarity(song, *sections))
        begin = bar
    return found


class LabelClassifier:
    """Predicts the label of a song from the features of `ritornello.evaluation.features`."""

    def __init__(self, songs: dict[str, Sequence[Score]]) -> None:
        from sklearn.ensemble import ExtraTreesClassifier

        values = np.concatenate([self._numbers(each) for each in songs.values()])
        labels = [label for label, each in songs.items() for _ in each]
        self.forest = ExtraTreesClassifier(300, min_samples_leaf=2, class_weight="balanced", random_state=0)
        self.forest.fit(values, labels)

    def share(self, songs: Iterable[Score], label: str) -> float:
        """The share of songs whose predicted label is `label`."""
        return float((self.forest.predict(self._numbers(list(songs))) == label).mean())

    @staticmethod
    def _numbers(songs: Sequence[Score]) -> Floats:
        return np.nan_to_num(song_table([AnalysedSong(song) for song in songs]).numbers, nan=-99.0)
