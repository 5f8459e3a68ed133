"""Make the sketch of a song: about 1 KiB with hashes of its notes and a sample of its melodic runs.

A *run* is 16 successive melodic intervals of one part, along its highest notes, without repetitions of a
pitch. Transposing a song, or changing its tempo, instruments or velocities, keeps its runs; an excerpt keeps
most of them, and adding tracks keeps all. Drums count only in songs with nothing but drums; there a run is 16
successive strokes. Sets of runs are compared by one-permutation min-hash (Li, Owen, Zhang 2012).
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score

Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]
Number = TypeVar("Number", np.int32, np.int64, np.uint64)

VERSION = 1  # of the method: sketches of two versions cannot be compared
GRID = 24  # onsets are rounded to 1/24 beat, so that another resolution (ticks per beat) changes nothing
CHORD = 12  # notes less than 1/12 beat apart are one chord, because performers do not play exactly together
RUN = 16  # intervals per run; must be a power of two
PERIODS = (1, 2, 3, 4)  # runs of these periods are left out: trills, scales of equal steps, ostinatos
BINS = 256  # of the min-hash: the standard error of the Jaccard similarity is at most 0.03
EMPTY = 2**32 - 1  # value of a bin without a run

# A file of sketches has only these records, one after the other.
SKETCH = np.dtype(
    [
        ("notes", "<u8"),  # hash of the set of (onset, pitch)
        ("transposed", "<u8"),  # the same with pitches relative to the lowest one
        ("runs", "<u4"),  # number of different runs
        ("bins", "<u4", (BINS,)),  # least hash of a run in each bin, or EMPTY
    ]
)


def sketch(score: Score) -> bytes:
    """The sketch of a song as SKETCH.itemsize bytes, the same on every machine; a Score may have no notes.

    It does not depend on tempo, velocities, durations, instruments, resolution, or the order of the parts.
    """
    record = np.zeros((), SKETCH)
    record["notes"], record["transposed"] = _note_hashes(score)
    hashes = runs(score)
    record["runs"] = len(hashes)
    record["bins"] = EMPTY
    bins = (hashes >> np.uint64(56)).astype(np.uint8)  # the top 8 bits are the bin
    least = _changes(bins).nonzero()[0]  # hashes ascend: the first of a bin is its least
    value = (hashes.take(least) >> np.uint64(24)).astype(np.uint32)  # the next 32 bits
    record["bins"][bins.take(least)] = np.minimum(value, EMPTY - 1)
    return record.tobytes()


def runs(score: Score) -> Hashes:
    """The hashes of the runs of a song, (G,) uint64, ascending and distinct; the same for transposed songs.

    In each part: chords > their highest pitches > intervals other than 0 > each RUN successive intervals.
    """
    drum = score.of_drums
    any_drums, only_drums = bool(drum.any()), bool(drum.all())
    notes = np.argsort(score.part, kind="stable")
    if any_drums and not only_drums:
        notes = notes.compress(~drum.take(notes))
    onset_ticks, pitch, part = score.onset_ticks.take(notes), score.pitch.take(notes), score.part.take(notes)
    begins = _changes(part)
    begins[1:] |= onset_ticks[1:] - onset_ticks[:-1] >= -(-score.ticks_per_beat // CHORD)
    chord = begins.nonzero()[0]
    if len(chord) < RUN:
        return np.zeros(0, np.uint64)
    part = part.take(chord)
    if only_drums:  # a stroke is the set of drums hit together
        return _hash_runs(np.add.reduceat(STEPS[pitch], chord), part)
    highest = np.maximum.reduceat(pitch, chord)
    interval = highest[1:] - highest[:-1]  # uint8: modulo 256, -127 to 127 stay different
    melodic = ((interval != 0) & (part[1:] == part[:-1])).nonzero()[0]
    return _hash_runs(STEPS.take(interval.take(melodic)), part[1:].take(melodic))


def compare(a: Records, b: Records) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compare the runs of the songs `a` (P,) with those of the songs `b` (P,).

    Returns two arrays (P,) of 0 to 1: the estimated Jaccard similarity, with a standard error of at most
    0.03, and the share of the runs of the smaller song that the larger one contains.
    """
    bins_a, bins_b = a["bins"], b["bins"]
    filled = (bins_a != EMPTY) | (bins_b != EMPTY)  # (P, BINS)
    equal = (bins_a == bins_b) & filled
    similarity = equal.sum(1) / np.maximum(filled.sum(1), 1)
    runs_a, runs_b = a["runs"].astype(np.int64), b["runs"].astype(np.int64)
    shared = similarity / (1 + similarity) * (runs_a + runs_b)
    return similarity, np.minimum(shared / np.maximum(np.minimum(runs_a, runs_b), 1), 1)


def _note_hashes(score: Score) -> tuple[int, int]:
    """The hash of the set of (onset, drum or not, pitch), and the same with pitches relative to the lowest.

    Onsets are on the GRID, counted from the first note. Velocity, duration and part are left out, because a
    song that differs only in these is a duplicate. The hash of a set is the sum of its mixed members.
    """
    beat, last_tick = score.ticks_per_beat, int(score.onset_ticks[-1]) if len(score) else 0
    narrow = max(2 * GRID, GRID * 256 // beat + 1) * (last_tick + beat) < 2**31
    onset = score.onset_ticks.astype(np.int32 if narrow else np.int64)
    onset -= onset[:1]
    onset *= 2 * GRID
    onset += beat
    onset //= 2 * beat
    drum_pitch = score.of_drums.view(np.uint8) << 7 | score.pitch  # drums are 128 to 255
    lowest = int(drum_pitch.min(initial=127))
    onset <<= 8
    onset |= drum_pitch
    notes = _distinct(onset).astype(np.int64)
    return _hash(notes), _hash(notes - lowest * (notes.astype(np.uint8) < 128))


def _hash(notes: npt.NDArray[np.int64]) -> int:
    """A 64-bit hash of a set of numbers, whatever their order and on every machine."""
    return int(mix(notes.view(np.uint64)).sum(dtype=np.uint64))


def _distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The distinct values, ascending; several times as fast as np.unique, which hashes since numpy 2.3."""
    values = np.sort(values, kind="stable")  # fast because most are in order
    return values.compress(_changes(values))


def _changes(values: npt.NDArray[Any]) -> Bools:
    """Whether each value differs from the one before, (N,) bool; True for the first."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def mix(values: Hashes) -> Hashes:
    """Hash 64-bit values of any shape by the finalizer of SplitMix64 (Steele, Lea, Flood 2014)."""
    mixed: Hashes = values + np.uint64(0x9E3779B97F4A7C15)
    shifted = mixed >> np.uint64(30)
    for factor, shift in ((0xBF58476D1CE4E5B9, 27), (0x94D049BB133111EB, 31)):
        mixed ^= shifted
        mixed *= np.uint64(factor)
        np.right_shift(mixed, np.uint64(shift), out=shifted)
    mixed ^= shifted
    return mixed


# Hash of a drum pitch, or of an interval as uint8 (negative intervals are 129 to 255)
STEPS = mix(np.arange(256, dtype=np.uint8).view(np.int8).astype(np.uint64))


def _hash_runs(steps: Hashes, owner: npt.NDArray[np.uint8]) -> Hashes:
    """Hash every RUN successive `steps` (N,) of one `owner` (N,), except periodic ones; see `runs`."""
    runs_in_all = len(steps) - RUN + 1
    if runs_in_all <= 0:
        return np.zeros(0, np.uint64)
    counts = owner[RUN - 1 :] == owner[:runs_in_all]
    for period in PERIODS:  # a run is periodic unless some step differs from the one a period later
        differs = steps[period:] != steps[:-period]
        for shift in (1, 2, 4, RUN // 2 - period):  # any of 2, 4, 8, RUN - period in a row
            differs = differs[:-shift] | differs[shift:]
        counts &= differs
    hashes, width = steps, 1
    while width < RUN:  # combine two neighbours of the same width
        hashes, width = mix(hashes[:-width] * np.uint64(3) + hashes[width:]), 2 * width
    hashes = hashes.compress(counts)
    # a sort by 16 bits takes linear time and leaves them nearly in order
    return _distinct(hashes.take(np.argsort((hashes >> np.uint64(48)).astype(np.uint16), kind="stable")))
