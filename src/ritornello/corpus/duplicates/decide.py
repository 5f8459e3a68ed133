"""Duplicates: which songs of a corpus are copies of one that is kept.

A worker makes the *sketch* of each song (sketches.py). `decide` then goes through them in a given order: a
song is kept unless it has the same notes as, or is near, a song that is already kept. A group is a star
around a kept song, and each of its edges is verified: likeness is never passed on along a chain.

Sketches are compared only where they share the key of a band of bins, empty bins being filled by optimal
densification (Shrivastava 2017); the cost stays close to proportional to the number of songs.

A corpus that grew may keep other songs than one made at once of the same files. Of songs that are near each
other, the one that came first stays: the first by hash of those that came together. So it may keep A and C,
where B, near both, came later, while the other keeps B alone if B is first by hash. In both, no kept song
is near another, but for what the bands miss (0.1% of the pairs at likeness 1/3, 7% at 0.2).
"""

from __future__ import annotations

import mmap
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.duplicates.sketch import BINS, EMPTY, SKETCH, Hashes, Records, compare, mix, sketch

__all__ = ["KINDS", "SKETCH", "Decisions", "decide", "sketch"]

Ints = npt.NDArray[np.int64]

# Two songs are near when they share so much of what both have, or so much of what the smaller has: that is
# a cut, or a medley with the song in it. A song with fewer runs, a loop or a drum fill, is compared by its
# notes alone: even one that is all contained in another may only have the same few chords in a row. What
# is less alike than LEAST_LIKENESS, the bands no longer find.
LIKENESS, MIN_RUNS = 0.4, 16
CONTAINED, CONTAINED_MIN_RUNS, LEAST_LIKENESS = 0.75, 24, 0.125

ROWS, BANDS = 2, 64  # a song has BANDS keys, each of ROWS bins
HEADS = 4  # a song is compared with the first songs that have its key: crowds cost no square
BANDS_AT_ONCE = 16  # bounds the memory: 4 bytes a song and band
BLOCK = 4096  # sketches, or pairs of them, in memory at once
PIECE = 512  # sketches of a mapped file that are touched at once: the system may map 64 KiB for each

KINDS = ("kept", "same notes", "transposed", "near")


class Decisions(NamedTuple):
    """What became of each of N songs, by its row in the sketches, and the work it took."""

    duplicate_of: Ints  # (N,) row of the kept song that this one repeats, -1 where it is kept
    kind: npt.NDArray[np.uint8]  # (N,) index into KINDS
    likeness: npt.NDArray[np.float32]  # (N,) estimated Jaccard likeness to that song, 0 where kept
    work: dict[str, int]  # candidates (pairs), verifications (pairs), bytes (of sketches read)


def decide(sketches: Records, order: Ints | None = None, fixed: int = 0) -> Decisions:
    """Keep or drop each song, greedily: a song is kept unless it repeats one that is kept before it.

    `sketches` is (N,) records of dtype SKETCH: in memory (`np.frombuffer(data, SKETCH)`) or, for many
    songs, `np.memmap(path, SKETCH, "r")`, of which a few megabytes at a time are held. `order` is (N,) rows,
    the order of deciding; none: by row. The first `fixed` songs of the order stay kept whatever they are:
    the kept songs of the corpus that grows, in their old order; after them new songs, by hash. So growing
    never moves a kept song out, and duplicates that were found earlier need not be given again.
    The same input gives the same decisions. Memory: some 50 MB, and 200 bytes a song.
    """
    rows = np.arange(len(sketches)) if order is None else np.asarray(order, dtype=np.int64)
    work = {"candidates": 0, "verifications": 0, "bytes": 0}
    notes, transposed, counts = (column[rows] for column in _heads(sketches, work))
    # From here to the last lines, songs go by their place in the order.
    place = np.arange(len(rows))
    _, first, group = np.unique(transposed, return_index=True, return_inverse=True)
    leader = first[group]  # the first song that has the same notes, up to transposition
    leader[:fixed] = place[:fixed]
    compared = np.flatnonzero((leader == place) & (counts >= MIN_RUNS))
    pairs = _candidates(sketches, rows[compared], int((compared < fixed).sum()), work)
    star, likeness = _stars(sketches, rows[compared], pairs, work)

    of, like = np.full(len(rows), -1), np.zeros(len(rows), np.float32)
    of[compared] = np.where(star < 0, -1, compared[star])
    like[compared] = likeness
    kind = np.where(of < 0, 0, 3)
    follower = np.flatnonzero(leader != place)  # has its leader's notes, so is near what that is near
    lead = leader[follower]
    kept = of[lead] < 0
    of[follower] = np.where(kept, lead, of[lead])
    like[follower] = np.where(kept, 1, like[lead])
    kind[follower] = np.where(kept, np.where(notes[follower] == notes[lead], 1, 2), 3)

    by_row = np.argsort(rows)
    of = np.where(of < 0, -1, rows[of])
    return Decisions(of[by_row], kind[by_row].astype(np.uint8), like[by_row], work)


def near(a: Records, b: Records) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether the songs `a` (P,) are near the songs `b` (P,), each with enough runs, and their likeness."""
    likeness, contained = compare(a, b)
    whole = (contained >= CONTAINED) & (likeness >= LEAST_LIKENESS)
    whole &= np.minimum(a["runs"], b["runs"]) >= CONTAINED_MIN_RUNS
    return (likeness >= LIKENESS) | whole, likeness


def _heads(sketches: Records, work: dict[str, int]) -> tuple[Hashes, Hashes, npt.NDArray[np.uint32]]:
    """The columns `notes`, `transposed` and `runs` of all sketches, (N,) each."""
    names = ("notes", "transposed", "runs")
    columns: Any = tuple(np.zeros(len(sketches), SKETCH[name]) for name in names)
    for start in range(0, len(sketches), BLOCK):
        block = _read(sketches, np.arange(start, min(start + BLOCK, len(sketches))), work)
        for column, name in zip(columns, names, strict=True):
            column[start : start + BLOCK] = block[name]
    return columns  # type: ignore[no-any-return]


def _read(sketches: Records, rows: Ints, work: dict[str, int]) -> Records:
    """A copy of some sketches. A file is mapped anew for each few of them, lest all its pages be held."""
    work["bytes"] += len(rows) * SKETCH.itemsize
    whole: Any = sketches
    if not isinstance(whole.base, mmap.mmap):  # in memory, or a view of a mapped file
        return sketches[rows]
    block = np.empty(len(rows), SKETCH)
    for start in range(0, len(rows), PIECE):
        file = np.memmap(whole.filename, SKETCH, "r", whole.offset, whole.shape)
        block[start : start + PIECE] = file[rows[start : start + PIECE]]
    return block


def _candidates(sketches: Records, rows: Ints, fixed: int, work: dict[str, int]) -> Ints:
    """Pairs of M songs, `rows` in the order of deciding, that share the key of a band.

    Returns (P,) codes later * M + earlier, ascending, each once; no pair of two `fixed` songs.
    """
    place = np.full(len(sketches), -1)
    place[rows] = np.arange(len(rows))
    found = np.zeros(0, np.int64)
    for band in range(0, BANDS, BANDS_AT_ONCE):
        bands = range(band, band + BANDS_AT_ONCE)
        keys = np.zeros((BANDS_AT_ONCE, len(rows)), np.uint32)
        for start in range(0, len(sketches), BLOCK):  # by row: a file is read from its start to its end
            places = place[start : start + BLOCK]
            block = _read(sketches, np.arange(start, start + len(places))[places >= 0], work)
            keys[:, places[places >= 0]] = _band_keys(block["bins"], bands)
        pairs = [_pairs(key, fixed) for key in keys]
        found = np.unique(np.concatenate([found, *pairs]))
    work["candidates"] = len(found)
    return found


def _band_keys(bins: npt.NDArray[np.uint32], bands: range) -> npt.NDArray[np.uint32]:
    """The keys of some of the BANDS from the bins (n, BINS) of songs with runs: (bands, n)."""
    width = BINS // (ROWS * BANDS)
    bins = np.minimum.reduce([bins[:, first::width] for first in range(width)])  # (n, ROWS * BANDS)
    song, place = np.nonzero(bins == EMPTY)
    full = bins.copy()
    for attempt in count(1):  # an empty bin borrows from one that chance, the same for all songs, chooses
        if not len(song):
            break
        lender = mix((attempt * ROWS * BANDS + place).astype(np.uint64)) % np.uint64(ROWS * BANDS)
        value = bins[song, lender.astype(np.int64)]
        full[song, place] = value
        song, place = song[value == EMPTY], place[value == EMPTY]
    chosen = full[:, bands.start * ROWS : bands.stop * ROWS].astype(np.uint64)
    key = np.zeros((len(bins), len(bands)), np.uint64)
    for row in range(ROWS):
        key = mix(key + chosen[:, row::ROWS])
    return np.ascontiguousarray((key >> np.uint64(32)).astype(np.uint32).T)


def _pairs(keys: npt.NDArray[np.uint32], fixed: int) -> Ints:
    """Pairs of each song with the first HEADS songs that have its key (M,), as codes later * M + earlier."""
    both = np.sort(keys.astype(np.uint64) << np.uint64(32) | np.arange(len(keys), dtype=np.uint64))
    songs, ordered = (both & np.uint64(2**32 - 1)).astype(np.int64), both >> np.uint64(32)
    start = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    size = np.diff(start, append=len(keys))
    start, size = start[size > 1], size[size > 1]  # few songs share a key with any other
    member = np.repeat(start, size)
    rank = np.arange(len(member)) - np.repeat(np.cumsum(size) - size, size)
    codes = []
    for head in range(HEADS):
        later, earlier = songs[(member + rank)[rank > head]], songs[member[rank > head] + head]
        codes.append((later * len(keys) + earlier)[later >= fixed])
    return np.concatenate(codes)


def _stars(
    sketches: Records, rows: Ints, pairs: Ints, work: dict[str, int]
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """The kept song that each of M songs is near, -1 where it is kept itself, and its likeness: (M,) each."""
    star, likeness = np.full(len(rows), -1), np.zeros(len(rows), np.float32)
    for start in range(0, len(pairs), BLOCK):
        later, earlier = np.divmod(pairs[start : start + BLOCK], max(len(rows), 1))
        kept = star[earlier] < 0  # as far as is known; asked again below
        later, earlier = later[kept], earlier[kept]
        work["verifications"] += len(later)
        alike, much = near(_read(sketches, rows[later], work), _read(sketches, rows[earlier], work))
        for new, old, value in zip(later[alike], earlier[alike], much[alike], strict=True):
            # pairs ascend by the later song: all of the earlier song's own pairs have been seen
            if star[old] < 0 and value > likeness[new]:
                star[new], likeness[new] = old, value
    return star, likeness
