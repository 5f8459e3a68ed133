"""Duplicates: which songs of a corpus are copies of one that is kept.

A worker makes a *sketch* of each song: a fixed number of bytes that says which notes it has, up to
transposition, and samples its melodic runs. Then `decide` goes through all sketches in a given order: a song is kept
unless it has the same notes as, or is near, a song that is already kept. Groups are stars around a kept
song, of verified pairs only: likeness is never passed on along a chain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.score import Score

BINS = 256  # of the min-hash

# One song's sketch. A file of sketches is nothing but these records, one after the other.
SKETCH = np.dtype(
    [
        ("notes", "<u8"),  # hash of the set of (onset, pitch): equal for the same notes
        ("transposed", "<u8"),  # the same with pitches counted from the lowest one
        ("grams", "<u4"),  # how many different runs of 16 intervals the song has
        ("bins", "<u4", (BINS,)),  # the least hash of a run in each bin, EMPTY without one
    ]
)

KINDS = ("kept", "same notes", "transposed", "near")


class Decisions(NamedTuple):
    """What became of each of N songs. Arrays go by the songs' row in the sketches, not by their place in the order."""

    duplicate_of: npt.NDArray[
        np.int64
    ]  # (N,) row of the kept song that this one repeats, -1 where it is kept
    kind: npt.NDArray[np.uint8]  # (N,) index into KINDS
    likeness: npt.NDArray[
        np.float32
    ]  # (N,) estimated Jaccard likeness to that song; 1 for the same notes, 0 where kept
    work: dict[str, int]  # counted work: candidates, verifications, bytes read


def sketch(score: Score) -> bytes:
    """The sketch of a song: SKETCH.itemsize bytes (about 1 KiB), the same on every machine.

    Runs in a worker process; needs numpy alone. Does not depend on tempo, velocities, durations, instruments,
    resolution, nor on the order of the parts. Any valid Score has one, also one without notes.
    """
    raise NotImplementedError


def decide(
    sketches: npt.NDArray[np.void], order: npt.NDArray[np.int64] | None = None, fixed: int = 0
) -> Decisions:
    """Keep or drop each song, greedily: a song is kept unless it repeats one that is kept before it.

    `sketches` is (N,) records of dtype SKETCH, in memory (`np.frombuffer(data, SKETCH)`) or, for many songs,
    a `np.memmap(path, SKETCH, "r")`, of which a few megabytes at a time are held. `order` is (N,) row numbers: the order of deciding; none: by
    row. The first `fixed` songs of the order stay kept whatever they are: the kept songs of the corpus that is
    grown, in their old order; after them new songs, by hash. So growing never moves a kept song out.
    Duplicates found by an earlier run need not be given again. Deterministic. Memory: about 150 bytes a song.
    """
    raise NotImplementedError
