"""Decide which songs are kept and which are duplicates of a kept song, from their sketches (sketch.py).

`decide` goes through the songs in a given order: a song is kept unless it has the same notes as a song that
is already kept, or is near one. A duplicate is always near its kept song itself: nearness is not transitive.

Two sketches are compared only if they share the key of a band of bins (locality-sensitive hashing); empty
bins are filled by optimal densification (Shrivastava 2017). The cost is almost proportional to the number of
songs.

A corpus that grew may keep other songs than a corpus made at once from the same files. Of songs that are near
each other, the one that was added first stays; of those added in one run, the first by hash. Example: B is
near both A and C. If B was added last, A and C are kept; if all three are added in one run and B is first by
hash, only B is kept. In both corpora no kept song is near another, except for pairs that share no band (0.1%
of the pairs with Jaccard similarity 1/3, 7% of the pairs with 0.2).
"""

import mmap
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.duplicates.sketch import BINS, EMPTY, SKETCH, Hashes, Records, compare, mix

Ints = npt.NDArray[np.int64]

# Two songs are near if the Jaccard similarity of their runs is at least MIN_SIMILARITY, or if the larger song
# contains MIN_CONTAINED of the runs of the smaller one (an excerpt, or a song of a medley). A song with fewer
# than MIN_RUNS, such as a loop, is compared only by its notes, because a few common chords can give all of
# its runs. The bands hardly find pairs with a similarity below MIN_CONTAINED_SIMILARITY.
MIN_SIMILARITY, MIN_RUNS = 0.4, 16
MIN_CONTAINED, CONTAINED_MIN_RUNS, MIN_CONTAINED_SIMILARITY = 0.75, 24, 0.125

ROWS, BANDS = 2, 64  # a song has BANDS keys, each from ROWS bins
HEADS = 4  # a song is compared with the first HEADS songs that share its key, so that cost is not quadratic
BANDS_AT_ONCE = 16  # bounds the memory: 4 bytes per song and band
BLOCK = 4096  # sketches, or pairs of them, in memory at once
PIECE = 512  # sketches read from a mapping at once: the system may map 64 KiB for each

KINDS = ("kept", "same notes", "transposed", "near")


class DuplicateDecisions(NamedTuple):
    """The decision on each of N songs, by its row in the sketches, and the work that it took."""

    duplicate_of: Ints  # (N,) row of the kept song that this one repeats, -1 if it is kept
    kind: npt.NDArray[np.uint8]  # (N,) index into KINDS
    similarity: npt.NDArray[np.float32]  # (N,) estimated Jaccard similarity to that song, 0 if it is kept
    work: dict[str, int]  # "candidates" and "verifications" in pairs, "bytes" of sketches read


def decide(sketches: Records, order: Ints | None = None, fixed: int = 0) -> DuplicateDecisions:
    """Decide greedily: a song is kept unless it duplicates a song that is kept before it.

    `sketches` is (N,) records of dtype SKETCH, in memory or an `np.memmap`, of which a few megabytes at a
    time are held. `order` (N,) are the rows in the order of deciding (default: by row). The first `fixed`
    songs of the order are always kept: the kept songs of a corpus that grows, so that growing never removes
    a song; its earlier duplicates can be left out of `order`. The decisions depend only on the input.
    Memory: about 50 MB, and 200 bytes per song.
    """
    rows = np.arange(len(sketches)) if order is None else np.asarray(order, dtype=np.int64)
    work = {"candidates": 0, "verifications": 0, "bytes": 0}
    notes, transposed, counts = (column[rows] for column in _hash_columns(sketches, work))
    # from here to `by_row`, a song is its place in the order
    place = np.arange(len(rows))
    _, first, group = np.unique(transposed, return_index=True, return_inverse=True)
    leader = first[group]  # the first song that has the same notes, up to transposition
    leader[:fixed] = place[:fixed]
    compared = np.flatnonzero((leader == place) & (counts >= MIN_RUNS))
    pairs = _candidates(sketches, rows[compared], int((compared < fixed).sum()), work)
    near_song, near_similarity = _near_kept_songs(sketches, rows[compared], pairs, work)

    duplicate_of, similarity = np.full(len(rows), -1), np.zeros(len(rows), np.float32)
    duplicate_of[compared] = np.where(near_song < 0, -1, compared[near_song])
    similarity[compared] = near_similarity
    kind = np.where(duplicate_of < 0, 0, 3)
    follower = np.flatnonzero(
        leader != place
    )  # these have the notes of their leader, and so the same near songs
    lead = leader[follower]
    is_kept = duplicate_of[lead] < 0
    duplicate_of[follower] = np.where(is_kept, lead, duplicate_of[lead])
    similarity[follower] = np.where(is_kept, 1, similarity[lead])
    kind[follower] = np.where(is_kept, np.where(notes[follower] == notes[lead], 1, 2), 3)

    by_row = np.argsort(rows)
    duplicate_of = np.where(duplicate_of < 0, -1, rows[duplicate_of])
    return DuplicateDecisions(duplicate_of[by_row], kind[by_row].astype(np.uint8), similarity[by_row], work)


def are_near(a: Records, b: Records) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether songs `a` (P,) are near songs `b` (P,), all with MIN_RUNS, and their similarity, (P,) each."""
    similarity, contained = compare(a, b)
    is_contained = (contained >= MIN_CONTAINED) & (similarity >= MIN_CONTAINED_SIMILARITY)
    is_contained &= np.minimum(a["runs"], b["runs"]) >= CONTAINED_MIN_RUNS
    return (similarity >= MIN_SIMILARITY) | is_contained, similarity


def _hash_columns(sketches: Records, work: dict[str, int]) -> tuple[Hashes, Hashes, npt.NDArray[np.uint32]]:
    """The columns `notes`, `transposed` and `runs` of all sketches, (N,) each."""
    names = ("notes", "transposed", "runs")
    columns: Any = tuple(np.zeros(len(sketches), SKETCH[name]) for name in names)
    for start in range(0, len(sketches), BLOCK):
        block = _read(sketches, np.arange(start, min(start + BLOCK, len(sketches))), work)
        for column, name in zip(columns, names, strict=True):
            column[start : start + BLOCK] = block[name]
    return columns  # type: ignore[no-any-return]


def _read(sketches: Records, rows: Ints, work: dict[str, int]) -> Records:
    """Copy some sketches. A file is mapped again for each PIECE, so that the system can free its pages."""
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
    """The pairs of M songs, `rows` in the order of deciding, that share the key of a band.

    Returns (P,) codes `later * M + earlier`, ascending and distinct, without pairs of two `fixed` songs.
    """
    place = np.full(len(sketches), -1)
    place[rows] = np.arange(len(rows))
    codes = np.zeros(0, np.int64)
    for band in range(0, BANDS, BANDS_AT_ONCE):
        bands = range(band, band + BANDS_AT_ONCE)
        keys = np.zeros((BANDS_AT_ONCE, len(rows)), np.uint32)
        for start in range(0, len(sketches), BLOCK):  # by row, so that a file is read from start to end
            places = place[start : start + BLOCK]
            block = _read(sketches, np.arange(start, start + len(places))[places >= 0], work)
            keys[:, places[places >= 0]] = _band_keys(block["bins"], bands)
        pairs = [_pairs(key, fixed) for key in keys]
        codes = np.unique(np.concatenate([codes, *pairs]))
    work["candidates"] = len(codes)
    return codes


def _band_keys(bins: npt.NDArray[np.uint32], bands: range) -> npt.NDArray[np.uint32]:
    """The keys (bands, n) of some of the BANDS from the bins (n, BINS) of songs that have runs."""
    width = BINS // (ROWS * BANDS)
    bins = np.minimum.reduce([bins[:, first::width] for first in range(width)])  # (n, ROWS * BANDS)
    song, place = np.nonzero(bins == EMPTY)
    full = bins.copy()
    for attempt in count(1):  # an empty bin copies one chosen by a hash, the same for all songs
        if not len(song):
            break
        source = mix((attempt * ROWS * BANDS + place).astype(np.uint64)) % np.uint64(ROWS * BANDS)
        value = bins[song, source.astype(np.int64)]
        full[song, place] = value
        song, place = song[value == EMPTY], place[value == EMPTY]
    chosen = full[:, bands.start * ROWS : bands.stop * ROWS].astype(np.uint64)
    key = np.zeros((len(bins), len(bands)), np.uint64)
    for row in range(ROWS):
        key = mix(key + chosen[:, row::ROWS])
    return np.ascontiguousarray((key >> np.uint64(32)).astype(np.uint32).T)


def _pairs(keys: npt.NDArray[np.uint32], fixed: int) -> Ints:
    """The pairs of each song with the first HEADS songs of equal key (M,), as codes `later * M + earlier`."""
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


def _near_kept_songs(
    sketches: Records, rows: Ints, pairs: Ints, work: dict[str, int]
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """The most similar kept song that each of M songs is near, -1 if none, and the similarity; (M,) each."""
    near_song, near_similarity = np.full(len(rows), -1), np.zeros(len(rows), np.float32)
    for start in range(0, len(pairs), BLOCK):
        later, earlier = np.divmod(pairs[start : start + BLOCK], max(len(rows), 1))
        is_undecided = near_song[earlier] < 0  # as far as decided; tested again below
        later, earlier = later[is_undecided], earlier[is_undecided]
        work["verifications"] += len(later)
        songs, others = (_read(sketches, rows[place], work) for place in (later, earlier))
        is_near, similarity = are_near(songs, others)
        for new, old, value in zip(later[is_near], earlier[is_near], similarity[is_near], strict=True):
            # pairs ascend by the later song, so the earlier song is decided already
            if near_song[old] < 0 and value > near_similarity[new]:
                near_song[new], near_similarity[new] = old, value
    return near_song, near_similarity
