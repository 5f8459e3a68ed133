"""Originality: the longest run of notes that a song shares with the songs that a model learnt from.

    song > for each part: steps (interval, ticks since the last onset) > all steps of all songs in one text
         > its suffixes in order > the longest beginning that a suffix of the song shares with a training one

A run is one of a part, in any key: so many notes one after another (chords from the lowest note up) whose
intervals and onsets follow each other alike. Durations, loudness and tempo do not count. Drums are left out:
everybody plays the same patterns. A run of 12 says little by itself, since people quote each other and scales
are scales: it is held against what human songs, of as many notes, share with the same training songs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.score import COLUMNS, Score, scaled

TICKS_PER_BEAT = 24  # onsets are compared on this grid
LONGEST_TICKS = 511  # longer waits count as so long
TOGETHER = 1 << 20  # steps of training songs that are sorted at a time
Ints = npt.NDArray[np.int64]


def longest_runs(songs: Sequence[Score], training: Iterable[Score]) -> list[int]:
    """How many notes the longest run of each song has that is also in one of the `training` songs.

    0 where no part of a song has two notes. Time grows as n log² n with the notes; training songs come and
    go, so there may be any number of them.
    """
    parts = [steps(song) for song in songs]
    query = np.concatenate([_ended(each, -1 - number) for number, each in enumerate(parts)] or [_NONE])
    sizes = [sum(len(part) + 1 for part in each) for each in parts]
    best = np.zeros(len(songs), np.int64)
    for text in _texts(training, first=-1 - len(songs)):
        shared = _shared(text, query)
        ends = np.cumsum(sizes)
        for number, (size, end) in enumerate(zip(sizes, ends.tolist(), strict=True)):
            best[number] = max(best[number], shared[end - size : end].max(initial=0))
    return [int(run) + 1 if each else 0 for run, each in zip(best, parts, strict=True)]


def longest_of(runs: Sequence[int], songs: int) -> int:
    """What the longest run of so many songs is in half of all cases, the `runs` being those of others.

    The more songs, the longer the longest: with quantile q of the runs, q to the power of `songs` is 1/2.
    """
    return int(np.quantile(np.asarray(runs), 0.5 ** (1 / songs), method="higher"))


def opening(song: Score, notes: int) -> Score:
    """The first so many notes of a song: a longer song shares more by being longer."""
    first = np.sort(np.argsort(song.onset_ticks, kind="stable")[:notes])
    columns: Any = {name: getattr(song, name)[first] for name in COLUMNS}
    return replace(song, **columns)


def steps(song: Score) -> list[Ints]:
    """For each part with two notes or more its steps (notes - 1,), each one number."""
    ticks = scaled(song.onset_ticks.astype(np.int64), song.ticks_per_beat, TICKS_PER_BEAT)
    order = np.lexsort((song.pitch, ticks, song.part))
    order = order[~song.of_drums[order]]
    part, pitch, onset = song.part[order], song.pitch[order].astype(np.int64), ticks[order]
    found = (np.diff(pitch) + 127) * (LONGEST_TICKS + 1) + np.minimum(np.diff(onset), LONGEST_TICKS)
    pieces = np.split(found, np.flatnonzero(np.diff(part)))  # the step to another part begins a piece
    if len(pieces) > 1:
        pieces = [pieces[0], *(piece[1:] for piece in pieces[1:])]
    return [piece for piece in pieces if len(piece)]


_NONE = np.zeros(0, np.int64)


def _ended(parts: Sequence[Ints], mark: int) -> Ints:
    """The steps of a song one after another, each part ended by a number that nothing else is."""
    return np.concatenate([_NONE, *(np.append(part, mark) for part in parts)])


def _texts(training: Iterable[Score], first: int) -> Iterator[Ints]:
    """The steps of training songs, about TOGETHER of them at a time."""
    pieces, size, mark = [], 0, first
    for song in training:
        pieces.append(_ended(steps(song), mark))
        size, mark = size + len(pieces[-1]), mark - 1
        if size >= TOGETHER:
            yield np.concatenate(pieces)
            pieces, size = [], 0
    if size:
        yield np.concatenate(pieces)


def _shared(text: Ints, query: Ints) -> Ints:
    """For each place of `query` how many numbers from there on are also somewhere in `text`, (Q,).

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
    best = np.zeros(len(query), np.int64)
    for nearest in (before[asked], after[asked]):
        there = (nearest >= 0) & (nearest < len(both))
        suffix = order[asked[there]]
        found = _alike(ranks, suffix, order[nearest[there]])
        best[suffix - len(text)] = np.maximum(best[suffix - len(text)], found)
    return best


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
