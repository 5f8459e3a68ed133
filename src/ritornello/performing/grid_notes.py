"""The notes of a part on a grid, as a network of feel reads them, and recordings of such notes.

A note has a place on the grid (in 1/24 beat), and an offset from it (in beats, negative is early). The
network draws the values of one note after another. Its inputs describe the score before and after the note
(`GridNotes.features`), and how some earlier notes were played (`GridNotes.earlier` holds their indices).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID

Floats = npt.NDArray[np.float64]  # (N,)
Ints = npt.NDArray[np.int64]  # (N,)
Features = npt.NDArray[np.float32]  # (N, F)
Values = dict[str, Floats]  # by quantity, such as "velocity": its value of each of N notes

# Notes in a beat, and the factor for each: a division replaces the best one so far if the sum of its squared
# distances to the notes is below this factor times the best sum
DIVISIONS = {4: 1.0, 3: 0.5, 8: 0.1, 6: 0.1}
EARLY_BEATS = 0.1  # a note less than this before a beat belongs to that beat
FAR_BEATS = 4.0  # longer distances are treated as equal to this one
NEAR_GRID_BEATS = 1 / 100  # a note nearer than this to a 24th of a beat is on the grid
PLAYED_SHARE = 0.3  # a part with a larger share of notes off the grid is performed
# A part follows the grid up to this standard deviation of its offsets, in beats. Measured with parts to which
# random offsets were added: just below the limit 98.6% of notes got their place back, just above 93%. Parts
# with a wrong tempo had at least 0.0359
MOST_OFFSET_DEVIATION = 0.035
# How many earlier notes are inputs: the last ones, the last ones of the same kind, one in each bar before
LAST, SAME, BARS = 6, 3, 4
BAR_AGO = LAST + SAME + 2  # the column of the note one bar ago; the columns of the bars before it follow


class GridNotes(NamedTuple):
    """N notes, sorted by place: place on the grid, kind (such as the drum), and the inputs of the network.

    `features` (N, F) float32 follow from the score; `earlier` (N, E) are indices of notes before each one,
    -1 for none. `order` (N,) are the indices of the notes in the arrays from which they were made.
    """

    place: Ints
    kind: Ints
    features: Features
    earlier: Ints
    order: Ints


class Recording(NamedTuple):
    """A part as a person played it: its notes on the grid, and what was measured of each (N,)."""

    notes: GridNotes
    values: Values

    def excerpt(self, start: int, end: int) -> Recording:
        """Return the notes from number `start` to `end`; notes before them are no longer known."""
        chosen = slice(start, end)
        place, kind, features, earlier, order = (column[chosen] for column in self.notes)
        notes = GridNotes(place, kind, features, np.maximum(earlier - start, -1), order)  # type: ignore[arg-type]
        return Recording(notes, {name: column[chosen] for name, column in self.values.items()})


def places_of(onset_beats: Floats) -> Ints:
    """Return the place (N,) on the grid of each onset (N,), both from the start of the song.

    Notes of a beat are placed on 16ths, or on triplets, 32nds or 16th triplets if these fit clearly better.
    """
    beat = np.floor(onset_beats + EARLY_BEATS).astype(np.int64)
    _, beat = np.unique(beat, return_inverse=True)
    best = np.full(int(beat.max(initial=-1)) + 1, np.inf)
    place = np.zeros(len(onset_beats), np.int64)
    for division, factor in DIVISIONS.items():
        nearest = np.rint(onset_beats * division)
        cost = np.bincount(beat, (nearest / division - onset_beats) ** 2, len(best)) + 1e-9
        wins = cost < factor * best
        best = np.where(wins, cost, best)
        place = np.where(wins[beat], nearest.astype(np.int64) * (GRID // division), place)
    return np.maximum(place, 0)


def is_off_grid(onset_beats: Floats) -> bool:
    """Return whether onsets (N,) were recorded: more than PLAYED_SHARE of them are off the grid."""
    place = onset_beats * GRID
    off = np.abs(place - np.rint(place)) > GRID * NEAR_GRID_BEATS
    return bool(off.mean() > PLAYED_SHARE)


def follows_grid(onset_beats: Floats) -> bool:
    """Return whether recorded onsets (N,) follow the beats of their file, so that their places are known.

    Onsets that were played without a click, in a file whose tempo has no meaning, do not follow them.
    """
    return bool((onset_beats - places_of(onset_beats) / GRID).std() < MOST_OFFSET_DEVIATION)


def closeness(ticks: npt.NDArray[np.int64]) -> Floats:
    """Return exp(-1.5 d) for distances in places of the grid, of any shape; d is the distance in beats."""
    return np.asarray(np.exp(-np.clip(ticks / GRID, 0, FAR_BEATS) * 1.5))


def neighbours(place: Ints, kind: Ints, kinds: int) -> tuple[Floats, Floats, Floats]:
    """Return, for each note and kind (N, kinds), how close the last and the next note of that kind are,
    and whether a note of that kind is at the same place."""
    count = len(place)
    before, at_once, after = (np.zeros((count, kinds)) for _ in range(3))
    for number in range(kinds):
        places = np.unique(place[kind == number])
        if not len(places):
            continue
        left = np.searchsorted(places, place) - 1
        right = np.searchsorted(places, place, side="right")
        before[:, number] = np.where(left >= 0, closeness(place - places[np.maximum(left, 0)]), 0)
        after[:, number] = np.where(
            right < len(places), closeness(places[np.minimum(right, len(places) - 1)] - place), 0
        )
        at_once[:, number] = right - left > 1
    return before, at_once, after


def earlier_notes(place: Ints, kind: Ints, bar_start: Ints, kinds: int) -> tuple[Ints, list[Floats]]:
    """Return indices (N, LAST + SAME + BARS + 3) of earlier notes, and features that describe them.

    The columns of indices are the last notes; the last notes of the same kind; the notes of the same kind
    half a beat, a beat, and one to BARS bars ago; and a note of any kind a bar ago. -1 means none.
    `bar_start` are the places of bar lines.
    """
    bar = np.maximum(np.searchsorted(bar_start, place, side="right") - 1, 0)
    bars_ago = [
        np.where(bar >= back, place - bar_start[bar] + bar_start[np.maximum(bar - back, 0)], -1)
        for back in range(1, BARS + 1)
    ]
    earlier = _earlier(place, kind, bars_ago, kinds)
    if not len(place):
        return earlier, [np.zeros((0, 2 * (kinds + 1))), np.zeros(earlier.shape)]
    last = np.eye(kinds + 1)[np.where(earlier[:, :2] >= 0, kind[earlier[:, :2]], kinds)].reshape(
        len(place), -1
    )
    return earlier, [last, np.where(earlier >= 0, closeness(place[:, None] - place[earlier]), 0.0)]


def _earlier(place: Ints, kind: Ints, bars_ago: list[Ints], kinds: int) -> Ints:
    """The indices of `earlier_notes`; `bars_ago` are the places (N,) 1, 2 ... bars before each note."""
    count = len(place)
    index = np.arange(count)
    columns = [index - back for back in range(1, LAST + 1)]
    same = np.full((count, SAME), -1)
    for number in range(kinds):
        notes = np.flatnonzero(kind == number)
        for back in range(SAME):
            same[notes[back + 1 :], back] = notes[: -back - 1]
    columns += list(same.T)
    key = place * 16 + kind
    for target in (place - GRID // 2, place - GRID, *bars_ago):
        columns.append(_index_of(key, target * 16 + kind, index))
    last = np.searchsorted(place, bars_ago[0], side="right") - 1
    columns.append(np.where((last >= 0) & (place[last] == bars_ago[0]) & (last < index), last, -1))
    return np.maximum(np.stack(columns, axis=1), -1) if count else np.zeros((0, len(columns)), np.int64)


def _index_of(keys: Ints, targets: Ints, index: Ints) -> Ints:
    """The last position (N,) of each target (N,) among sorted keys (N,) that is below its `index`, or -1."""
    at = np.searchsorted(keys, targets, side="right") - 1
    is_match = (at >= 0) & (at < index)
    is_match[is_match] = keys[at[is_match]] == targets[is_match]
    return np.where(is_match, at, -1)
