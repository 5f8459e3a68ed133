"""Remove overlaps: where a pitch is struck again in its part, the earlier note ends.

The *part-pitch* of a note is the number part * 128 + pitch. Notes of one part-pitch must not overlap.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]  # (N,) integers of any type
PartPitch = npt.NDArray[np.uint16]  # (N,)
Indices = npt.NDArray[np.intp]  # (N,)


def cut_overlaps(notes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sort notes (N, 5) by onset, part and pitch, and cut those that overlap; return (M, 5), M <= N.

    The columns are onset_ticks, duration_ticks, pitch, velocity, part. Of notes with equal onset, part and
    pitch only the longest stays; of equally long ones the loudest.
    """
    onset, duration, pitch, velocity, part = notes.T
    onset, duration, part_pitch, velocity = cut_columns(onset, duration, part_pitches(part, pitch), velocity)
    columns = [onset, duration, part_pitch & 127, velocity, part_pitch >> 7]
    return np.stack(columns, axis=1, dtype=np.int64)


def cut_columns(
    onset: Column, duration: Column, part_pitch: PartPitch, velocity: Column
) -> tuple[Column, Column, PartPitch, Column]:
    """Do the same as `cut_overlaps` with columns (N,) in ticks and velocity 1-127; return new ones (M,)."""
    sort_key = (onset.astype(np.int64) << 15) + part_pitch
    order = np.argsort(sort_key, kind="stable")  # quick: readers give the notes of each part in order
    sort_key = sort_key.take(order)
    repeated = sort_key[1:] == sort_key[:-1]  # (N - 1,) whether a note is a duplicate of the one before it
    if np.logical_or.reduce(repeated):  # of duplicates only the first stays: move the longest there
        repeated = np.concatenate([[False], repeated, [False]])
        shared = np.flatnonzero(repeated[:-1] | repeated[1:])
        notes = order[shared]
        loudest, longest = -velocity[notes].astype(np.int64), -duration[notes].astype(np.int64)
        longest_first = np.lexsort((loudest, longest, sort_key[shared]))
        order[shared] = notes[longest_first]
        order = order[~repeated[:-1]]
    onset, duration, part_pitch = onset.take(order), duration.take(order), part_pitch.take(order)
    _shorten(onset, duration, part_pitch)
    return onset, duration, part_pitch, velocity.take(order)


def _shorten(onset: Column, duration: Column, part_pitch: PartPitch) -> None:
    """Cut notes, sorted by onset, where their part-pitch is struck again; changes `duration` (N,)."""
    order, last_of_group = group_by_part_pitch(part_pitch)
    grouped_onset, grouped_duration = onset.take(order), duration.take(order[:-1])
    until_next = grouped_onset[1:] - grouped_onset[:-1]
    until_next[last_of_group] = np.iinfo(until_next.dtype).max
    too_long = (grouped_duration > until_next).nonzero()[0]
    duration[order[too_long]] = until_next[too_long]


def part_pitches(part: Column, pitch: Column) -> PartPitch:
    """Return the part-pitch (N,) of each note. numpy sorts numbers of 16 bits in linear time."""
    part_pitch = part.astype(np.uint16)
    part_pitch <<= 7
    part_pitch |= pitch.astype(np.uint16)
    return part_pitch


def group_by_part_pitch(part_pitch: PartPitch) -> tuple[Indices, Indices]:
    """Return the indices (N,) of notes grouped by part-pitch, and where each group but the last one ends."""
    order = np.argsort(part_pitch, kind="stable")
    grouped = part_pitch.take(order)
    return order, (grouped[1:] != grouped[:-1]).nonzero()[0]
