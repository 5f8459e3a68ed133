"""The inputs of the sketch network: what is near a texture or a chord."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.music.plan import GRID
from ritornello.sketching.inputs import NEAR, NEAR_BARS, NEAR_CHORDS, near_textures, variable_inputs
from ritornello.sketching.variables import CHORDS, NONE, OPEN, SLOTS, Variables
from tests.sketching.sketchers import WHOLE_PLAN

CLASSES = 5


def test_what_is_near_a_texture() -> None:
    notes = np.array([[1, 2, 3, OPEN], [4, 0, NONE, 1]])
    near = near_textures(notes, np.array([NONE, NONE, 0, OPEN]), CLASSES)
    assert near.shape == (2, 4, NEAR, CLASSES)

    def found(part: int, bar: int, place: int) -> int | None:
        """The class in a place; None where nothing is known."""
        vector = near[part, bar, place]
        return int(vector.argmax()) if vector.any() else None

    before, after, second = (NEAR_BARS.index(away) for away in (-1, 1, -2))
    origin, above, below, others, seen, shares = range(NEAR - 6, NEAR)
    assert [found(0, bar, before) for bar in range(4)] == [None, 1, 2, 3]
    assert [found(0, bar, after) for bar in range(4)] == [2, 3, None, None]  # open, and no such bar
    assert [found(1, bar, second) for bar in range(4)] == [None, None, 4, 0]
    assert [found(0, bar, origin) for bar in range(4)] == [None, None, 1, None]
    assert [found(0, bar, above) for bar in range(4)] == [None] * 4
    assert [found(1, bar, above) for bar in range(4)] == [1, 2, 3, None]
    assert [found(0, bar, below) for bar in range(4)] == [4, 0, None, 1]
    assert set(np.unique(near[:, :, :others])) == {0.0, 1.0}
    assert near[0, :, others].tolist() == near[0, :, below].tolist()  # there is only one other part
    assert near[1, 0, seen].tolist() == [1, 1, 0, 0, 0]  # the other bars of the part have 0 and 1
    assert near[0, 3, shares].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0])
    assert near[0, 0, shares].tolist() == pytest.approx([0, 0, 1 / 2, 1 / 2, 0])  # without its own class


def test_the_share_of_the_other_parts_of_a_bar() -> None:
    near = near_textures(np.array([[1], [1], [3], [OPEN]]), np.array([NONE]), CLASSES)
    others = near[:, 0, NEAR - 3]
    assert others[3].tolist() == pytest.approx([0, 2 / 3, 0, 1 / 3, 0])
    assert others[0].tolist() == pytest.approx([0, 1 / 2, 0, 1 / 2, 0])


def test_what_is_near_a_chord() -> None:
    v = Variables.of(WHOLE_PLAN, WHOLE_PLAN.timeline(GRID))  # I for a bar, V7 for six, I for a bar
    one, five = v.chord[0, 0], v.chord[1, 0]
    v.chord[4, 0] = OPEN
    inputs = variable_inputs(v)
    near, counts = inputs["chord_near"], inputs["chord_counts"]
    assert near.shape == (8, SLOTS, NEAR_CHORDS)
    # bars 8, 4, 2 and 1 before, 1, 2, 4 and 8 after; bar 4 returns to bar 0; slots before and after
    expected = [CHORDS, one, five, five, five, five, CHORDS, CHORDS, one, five, five]
    assert near[4, 0].tolist() == expected
    assert near[3, 0, NEAR_BARS.index(1)] == CHORDS  # it is open
    seen, shares = counts
    assert np.flatnonzero(seen).tolist() == sorted([one, five])
    assert shares[five] == pytest.approx(23 / 31)
