"""Originality: the longest run of notes that a song shares with the songs that a model learnt from.

    songs > Melody: hashes of RUN steps (interval, ticks since the last onset) of each part > those of all
          songs in one text > its suffixes in order > the longest beginning that one of the song shares with a
          training one

A run is one of a part, in any key: more than RUN notes one after another (chords from the lowest note up)
whose intervals and onsets follow each other alike. Durations and loudness do not count. Drums are left out:
everybody plays the same patterns. A run of 12 says little by itself, since people quote each other and scales
are scales: it is held against what human songs, of as many notes, share with the same training songs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.models.fingerprints import RUN_STEPS, PartFingerprint, SongFingerprint
from ritornello.music.score import COLUMNS, Meter, Score
from ritornello.music.timeline import Timeline

TOGETHER = 1 << 20  # steps of training songs that are sorted at a time
Ints = npt.NDArray[np.int64]
Bars = tuple[int, int]  # the first and the last, counted from 1


class Passage(NamedTuple):
    """A run of `notes` of a song in its `bars`, and the training song where it is too: number, name, bars.

    `line` and `there_line` are the parts in which it is, counted from 0 among those of more than RUN notes.
    """

    notes: int
    bars: Bars
    line: int
    song: int
    name: str
    there: Bars
    there_line: int

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**self._asdict(), "bars": list(self.bars), "there": list(self.there)}


def closest_passages(
    songs: Sequence[SongFingerprint], training: Iterable[SongFingerprint]
) -> list[Passage | None]:
    """The longest passage of each song that is also in a training song, the first of equally long ones.

    None where no run of it is in a training song. Time grows as n log² n with the notes; training songs come
    and go, so there may be any number of them.
    """
    query = _Text(songs, range(-1, -1 - len(songs), -1))
    found: list[Passage | None] = [None] * len(songs)
    for first, block in _blocks(training):
        text = _Text(block, range(-1 - len(songs) - first, -1 - len(songs) - first - len(block), -1))
        shared, where = _shared(text.runs, query.runs)
        for number, (start, end) in enumerate(query.songs):
            if start == end or not (longest := int(shared[start:end].max())):
                continue
            before = found[number]
            if before is None or longest + RUN_STEPS > before.notes:
                at = start + int(shared[start:end].argmax())
                _, line, bars = query.passage(at, longest)
                song, there_line, there = text.passage(int(where[at]), longest)
                name = block[song].name
                found[number] = Passage(
                    longest + RUN_STEPS, bars, line, first + song, name, there, there_line
                )
    return found


def longest_runs(songs: Sequence[Score], training: Iterable[Score]) -> list[int]:
    """How many notes the longest run of each song has that is also in a training song.

    RUN where it shares none: so few notes are not looked for. 0 where no part has more notes than that.
    """
    melodies = [SongFingerprint.of(song) for song in songs]
    return run_lengths(melodies, closest_passages(melodies, map(SongFingerprint.of, training)))


def run_lengths(songs: Sequence[SongFingerprint], passages: Sequence[Passage | None]) -> list[int]:
    """The passages of songs as `longest_runs` gives them."""
    pairs = zip(songs, passages, strict=True)
    return [passage.notes if passage else RUN_STEPS * bool(song.lines) for song, passage in pairs]


def typical_longest_run(runs: Sequence[int], songs: int) -> int:
    """What the longest run of so many songs is in half of all cases, the `runs` being those of others.

    The more songs, the longer the longest: with quantile q of the runs, q to the power of `songs` is 1/2.
    """
    return int(np.quantile(np.asarray(runs), 0.5 ** (1 / songs), method="higher"))


def opening(song: Score, notes: int) -> Score:
    """The first so many notes of a song: a longer song shares more by being longer."""
    first = np.sort(np.argsort(song.onset_ticks, kind="stable")[:notes])
    columns: Any = {name: getattr(song, name)[first] for name in COLUMNS}
    return replace(song, **columns)


def excerpt(song: Score, bars: Bars, line: int) -> Score:
    """The notes of one line (as `Passage` counts them) in some bars (first and last, from 1); from tick 0."""
    timeline = Timeline.of(song)
    first, last = (min(max(1, bar), len(timeline)) - 1 for bar in bars)
    start, end = (
        int(timeline.start_ticks[first]),
        int(timeline.start_ticks[last] + timeline.length_ticks[last]),
    )
    part = np.flatnonzero(np.bincount(song.part[~song.of_drums]) > RUN_STEPS)[line]
    inside = (song.onset_ticks >= start) & (song.onset_ticks < end) & (song.part == part)
    onset = song.onset_ticks[inside] - start
    duration = np.minimum(song.duration_ticks[inside], end - start - onset)
    columns = (onset, duration, song.pitch[inside], song.velocity[inside])
    meter = Meter(0, int(timeline.numerator[first]), int(timeline.denominator[first]))
    tempi = [tempo for tempo in song.tempi if tempo.onset_ticks <= start][-1:]
    return Score.of(
        song.ticks_per_beat,
        *columns,
        parts=[song.parts[part]],
        tempi=[tempo._replace(onset_ticks=0) for tempo in tempi],
        meters=[meter],
    )


class _Text:
    """The runs of songs one after another, each line ended by the song's mark, which nothing else is."""

    def __init__(self, melodies: Sequence[SongFingerprint], marks: Iterable[int]) -> None:
        self.lines: list[PartFingerprint] = [line for melody in melodies for line in melody.lines]
        self.owner = [number for number, melody in enumerate(melodies) for _ in melody.lines]
        pieces = [
            np.append(line.runs, mark)
            for melody, mark in zip(melodies, marks, strict=True)
            for line in melody.lines
        ]
        self.runs: Ints = np.concatenate([np.zeros(0, np.int64), *pieces])
        self.starts = np.cumsum([0, *(len(piece) for piece in pieces)])  # of lines
        ends = self.starts[np.cumsum([0, *(len(melody.lines) for melody in melodies)])].tolist()
        self.songs = list(pairwise(ends))

    def passage(self, place: int, runs: int) -> tuple[int, int, Bars]:
        """The song, its line, and the bars of so many runs from a place on."""
        line = int(np.searchsorted(self.starts, place, side="right")) - 1
        note = place - int(self.starts[line])
        bars = self.lines[line].bars[note : note + runs + RUN_STEPS]
        song = self.owner[line]
        return song, line - self.owner.index(song), (int(bars.min()) + 1, int(bars.max()) + 1)


def _blocks(training: Iterable[SongFingerprint]) -> Iterator[tuple[int, list[SongFingerprint]]]:
    """Training songs, of about TOGETHER steps at a time, and the number of the first of them."""
    block: list[SongFingerprint] = []
    first = size = 0
    for song in training:
        block.append(song)
        size += song.notes
        if size >= TOGETHER:
            yield first, block
            first, block, size = first + len(block), [], 0
    if block:
        yield first, block


def _shared(text: Ints, query: Ints) -> tuple[Ints, Ints]:
    """For each place of `query` how many numbers from there on are also in `text`, and where, (Q,) each.

    By the suffix array of both, made by doubling (Manber and Myers 1990): in the order of all suffixes the
    one of `text` that shares most is the nearest before or after.
    """
    both = np.concatenate([text, query])
    ranks = _ranks(both)
    order = np.argsort(ranks[-1], kind="stable")
    place = np.arange(len(both))
    is_text = order < len(text)
    before = np.maximum.accumulate(np.where(is_text, place, -1))
    after = np.minimum.accumulate(np.where(is_text, place, len(both))[::-1])[::-1]
    asked = np.flatnonzero(~is_text)
    best, where = np.zeros(len(query), np.int64), np.zeros(len(query), np.int64)
    for nearest in (before[asked], after[asked]):
        there = (nearest >= 0) & (nearest < len(both))
        suffix, other = order[asked[there]], order[nearest[there]]
        found = _alike(ranks, suffix, other)
        better = found > best[suffix - len(text)]
        best[suffix[better] - len(text)] = found[better]
        where[suffix[better] - len(text)] = other[better]
    return best, where


def _ranks(values: Ints) -> list[Ints]:
    """Level k: the place in order of the 2^k numbers from each place on; the last level tells all apart.

    Equal stretches have equal ranks.
    """
    ranks = [np.unique(values, return_inverse=True)[1].astype(np.int64)]
    while len(values) and ranks[-1].max() < len(values) - 1:
        width = 1 << (len(ranks) - 1)
        then = np.zeros(len(values), np.int64)  # beyond the end: before all else
        then[:-width] = ranks[-1][width:] + 1
        pairs = ranks[-1] * (len(values) + 1) + then
        ranks.append(np.unique(pairs, return_inverse=True)[1].astype(np.int64))
    return ranks


def _alike(ranks: list[Ints], a: Ints, b: Ints) -> Ints:
    """How many numbers from the places `a` on are those from `b` on, (n,) each."""
    found = np.zeros(len(a), np.int64)
    size = len(ranks[0])
    for level in range(len(ranks) - 1, -1, -1):
        x, y = np.minimum(a + found, size - 1), np.minimum(b + found, size - 1)
        inside = (np.maximum(a, b) + found + (1 << level)) <= size
        found += np.where(inside & (ranks[level][x] == ranks[level][y]), 1 << level, 0)
    return found
