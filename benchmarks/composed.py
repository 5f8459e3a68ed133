"""What `compose.py` hears in songs, composed or human: one pure function a figure.

A *bar* is compared as the set of (place, part, pitch) of what is struck in it. Human songs are heard as the
representation has them, on the grid of what is composed, and cut to as many bars.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import numpy.typing as npt
import symusic
from ritornello.evaluation.song_features import Hearing, longest_run

from ritornello.evaluation.features import table
from ritornello.music import theory
from ritornello.music.score import COLUMNS, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

sys.path.append(str(Path(__file__).parents[1]))
from tests.midi.strict import read_strictly

NOTES = Notes()
LAGS = (1, 2, 4, 8)
Floats = npt.NDArray[np.float64]
Chart = list[tuple[int, str]]  # a chord a bar: root, kind


def opens(data: bytes) -> bool:
    """Whether mido, symusic and a strict reader find the same notes in a file's bytes."""
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
    kept = song.onset_ticks < timeline.start_ticks[bars]
    columns: Any = {name: getattr(song, name)[kept] for name in COLUMNS}
    return replace(song, **columns)


def bar_sets(song: Score) -> list[frozenset[tuple[int, int, int]]]:
    """What each bar strikes: place in ticks of 24 a beat, part, pitch."""
    heard = Hearing(song)
    bar, place = heard.places
    found: list[set[tuple[int, int, int]]] = [set() for _ in range(len(heard.timeline))]
    columns = zip(bar.tolist(), place.tolist(), song.part.tolist(), song.pitch.tolist(), strict=True)
    for at, *note in columns:
        found[at].add((note[0], note[1], note[2]))
    return [frozenset(each) for each in found]


def equal_bars(song: Score) -> Floats:
    """Share of bars equal to the bar 1, 2, 4, 8 before, and to any before, (5,); NaN in too short a song."""
    bars = bar_sets(song)
    shares = [
        np.mean([bars[i] == bars[i - lag] for i in range(lag, len(bars))]) if len(bars) > lag else np.nan
        for lag in LAGS
    ]
    again = np.mean([bars[i] in bars[:i] for i in range(1, len(bars))]) if len(bars) > 1 else np.nan
    return np.array([*shares, again], np.float64)


def silent_bars(song: Score) -> int:
    """Bars of the song in which nothing sounds."""
    timeline, onset = Timeline.of(song), song.onset_ticks.astype(np.int64)
    end = onset + song.duration_ticks
    spans = zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True)
    return sum(not ((onset < start + length) & (end > start)).any() for start, length in spans)


def repeats(song: Score) -> int:
    """How often in a row a pitched part's top note is the same, at most."""
    line = Hearing(song).line
    return max((longest_run(line.pitch[line.part == part]) for part in np.unique(line.part)), default=0)


def in_scale(song: Score, key: tuple[int, bool]) -> float:
    """Share of pitched notes in a key's scale; NaN without any."""
    pitch = song.pitch[~song.of_drums].astype(np.int64) % 12
    return float(np.isin(pitch, list(theory.scale(*key))).mean()) if len(pitch) else float("nan")


def part_use(song: Score) -> Floats:
    """For each part that plays, the share of bars in which it strikes a note, rising."""
    bar, _ = Hearing(song).places
    bars = len(Timeline.of(song))
    return np.sort([len(np.unique(bar[song.part == part])) / bars for part in np.unique(song.part)])


def chart_of(song: Score) -> Chart:
    """Of a canonical song the chord that lasts longest in each bar; a bar without goes on as before."""
    timeline = NOTES.timeline(song)
    starts = np.array([chord.onset_ticks for chord in timeline.chords], np.int64)
    ends = np.append(starts, timeline.end_ticks)[1:]
    found: Chart = []
    for start, length in zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True):
        lasts: dict[tuple[int, str], int] = {}
        for chord, begin, end in zip(timeline.chords, starts.tolist(), ends.tolist(), strict=True):
            over = min(end, start + length) - max(begin, start)
            if over > 0 and chord.kind != "other":
                lasts[chord[1:3]] = lasts.get(chord[1:3], 0) + over
        if lasts or found:
            found.append(max(lasts, key=lambda name: lasts[name]) if lasts else found[-1])
    return found


def chord_name(root: int, kind: str) -> str:
    """A chord as people write it."""
    return theory.NAMES[root] + theory.CHORDS[kind][0]


def chord_share(song: Score, chart: Chart) -> float:
    """Share of the time of pitched notes in which they are of the chart's chord, one a bar, over and over."""
    timeline = Timeline.of(song)
    edges = [*timeline.start_ticks.tolist(), timeline.end_ticks]
    tones = [{(root + step) % 12 for step in theory.CHORDS[kind][1]} for root, kind in chart]
    of, all_ticks = 0, 0
    pitched = ~song.of_drums
    columns = (song.onset_ticks[pitched], song.duration_ticks[pitched], song.pitch[pitched])
    for onset, duration, pitch in zip(*(c.tolist() for c in columns), strict=True):
        end = min(onset + duration, edges[-1])
        bar = int(timeline.bar_of(onset))
        while bar < len(timeline) and edges[bar] < end:
            over = min(end, edges[bar + 1]) - max(onset, edges[bar])
            all_ticks += over
            of += over * (pitch % 12 in tones[bar % len(tones)])
            bar += 1
    return of / all_ticks if all_ticks else float("nan")


def section_likeness(song: Score, one: range, other: range) -> float:
    """How alike two sections are: the mean Jaccard likeness of their bars, one by one."""
    bars = bar_sets(song)
    pairs = [(bars[a], bars[b]) for a, b in zip(one, other, strict=True) if max(a, b) < len(bars)]
    return float(np.mean([len(a & b) / max(1, len(a | b)) for a, b in pairs])) if pairs else float("nan")


def human_sections(song: Score, fewest: int = 4) -> list[float]:
    """The likeness of each section of a canonical song that returns: bars in a row to bars in a row."""
    models = NOTES.timeline(song).returns_to.tolist()
    found, begin = [], 0
    for bar in range(1, len(models) + 1):
        if bar < len(models) and models[begin] >= 0 and models[bar] == models[bar - 1] + 1:
            continue
        if models[begin] >= 0 and bar - begin >= fewest:
            sections = range(begin, bar), range(models[begin], models[begin] + bar - begin)
            found.append(section_likeness(song, *sections))
        begin = bar
    return found


class Recogniser:
    """Says of a song which label it has, from the numbers of `judging.features` alone."""

    def __init__(self, songs: dict[str, Sequence[Score]]) -> None:
        from sklearn.ensemble import ExtraTreesClassifier

        values = np.concatenate([self._numbers(each) for each in songs.values()])
        labels = [label for label, each in songs.items() for _ in each]
        self.forest = ExtraTreesClassifier(300, min_samples_leaf=2, class_weight="balanced", random_state=0)
        self.forest.fit(values, labels)

    def __call__(self, songs: Iterable[Score], label: str) -> float:
        """The share of songs that are said to be of a label."""
        return float((self.forest.predict(self._numbers(list(songs))) == label).mean())

    @staticmethod
    def _numbers(songs: Sequence[Score]) -> Floats:
        return np.nan_to_num(table([Hearing(song) for song in songs]).numbers, nan=-99.0)
