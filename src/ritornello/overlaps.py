"""Overlaps: a pitch struck again in its part cuts the earlier note there.

A *voice* is one pitch of one part: of its notes at most one sounds at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


def cut_overlaps(notes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sort notes and let a pitch struck again in its part cut the earlier note there.

    `notes` is (N, 5): onset_ticks, duration_ticks, pitch, velocity, part. Of notes with equal onset, part
    and pitch the longest stays (then the loudest).
    Returns (M <= N, 5), sorted by onset, part, pitch.
    """
    key = (notes[:, 0] << 15) + (notes[:, 4] << 7) + notes[:, 2]
    order = np.argsort(key, kind="stable")  # parts come sorted, so this merges more than it sorts
    key = key[order]
    again = np.zeros(len(key) + 1, bool)  # whether a note shares its key with the one before it
    again[1:-1] = key[1:] == key[:-1]
    if again.any():
        shared = np.flatnonzero(again[:-1] | again[1:])
        rows = order[shared]
        order[shared] = rows[np.lexsort((-notes[rows, 3], -notes[rows, 1], key[shared]))]
        order = order[~again[:-1]]
    notes = notes.T.take(order, axis=1).T  # each column in one piece, where `notes` has it so
    order, changes = by_voice(notes[:, 4], notes[:, 2])
    onset, duration = notes[:, 0], notes[:, 1]  # views: what is cut here is cut in `notes`
    until_next = np.diff(onset[order])
    until_next[changes] = duration.max(initial=0)
    cut = (duration[order[:-1]] > until_next).nonzero()[0]
    duration[order[cut]] = until_next[cut]
    return notes


def by_voice(part: npt.NDArray[Any], pitch: npt.NDArray[Any]) -> tuple[Rows, Rows]:
    """The rows (N,) of the notes, put together by voice (part and pitch), and where in them a voice ends."""
    voice = (part.astype(np.uint16) << 7) + pitch.astype(np.uint16)  # in 16 bits a sort is linear
    order = np.argsort(voice, kind="stable")
    return order, np.flatnonzero(np.diff(voice[order]))
