"""Overlaps: a pitch struck again in its part cuts the earlier note there.

A *voice* is one pitch of one part: of its notes at most one sounds at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.intp]


def cut_overlaps(notes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sort notes and let a pitch struck again in its part cut the earlier note there.

    `notes` is (N, 5): onset_ticks, duration_ticks, pitch, velocity, part. Of notes with equal onset, part
    and pitch the longest stays (then the loudest).
    Returns (M <= N, 5), sorted by onset, part, pitch.
    """
    onset, duration, pitch, velocity, part = notes.T
    onset, duration, voice, velocity = cut(onset, duration, voices(part, pitch), velocity)
    return np.stack([onset, duration, voice & 127, velocity, voice >> 7], axis=1, dtype=np.int64)


def cut(
    onset: Column, duration: Column, voice: npt.NDArray[np.uint16], velocity: Column
) -> tuple[Column, Column, npt.NDArray[np.uint16], Column]:
    """The same as columns (N,), of which any may be of few bits; returns columns (M,), the caller's own."""
    key = (onset.astype(np.int64) << 15) + voice
    order = np.argsort(key, kind="stable")  # parts come sorted, so this merges more than it sorts
    key = key.take(order)
    again = key[1:] == key[:-1]  # whether a note shares its key with the one before it
    if np.logical_or.reduce(again):
        again = np.concatenate([[False], again, [False]])
        shared = np.flatnonzero(again[:-1] | again[1:])
        rows = order[shared]
        longest = np.lexsort(
            (-velocity[rows].astype(np.int64), -duration[rows].astype(np.int64), key[shared])
        )
        order[shared] = rows[longest]
        order = order[~again[:-1]]
    onset, duration, voice = onset.take(order), duration.take(order), voice.take(order)
    _cut_in_order(onset, duration, voice)
    return onset, duration, voice, velocity.take(order)


def _cut_in_order(onset: Column, duration: Column, voice: npt.NDArray[np.uint16]) -> None:
    """Shorten, in place, the durations (N,) of notes in order that last when their voice is struck again."""
    order, changes = by_voice(voice)
    started, lasting = onset.take(order), duration.take(order[:-1])
    until_next = started[1:] - started[:-1]
    until_next[changes] = np.iinfo(until_next.dtype).max
    late = (lasting > until_next).nonzero()[0]
    duration[order[late]] = until_next[late]


def voices(part: npt.NDArray[Any], pitch: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """The voice (N,) of each note as a number, by part and then pitch; in 16 bits a sort is linear."""
    voice = part.astype(np.uint16)
    voice <<= 7
    voice |= pitch.astype(np.uint16)
    return voice


def by_voice(voice: npt.NDArray[np.uint16]) -> tuple[Rows, Rows]:
    """The rows (N,) of the notes, put together by voice, and where in them a voice ends."""
    order = np.argsort(voice, kind="stable")
    ordered = voice.take(order)
    return order, (ordered[1:] != ordered[:-1]).nonzero()[0]
