"""The inputs of the sketch network: what is near a texture."""

from __future__ import annotations

import numpy as np

from ritornello.sketching.inputs import NEAR, NEAR_BARS, near_textures
from ritornello.sketching.variables import NONE, OPEN

CLASSES = 5


def test_what_is_near_a_texture_is_one_hot_or_nothing() -> None:
    notes = np.array([[1, 2, 3, OPEN], [4, 0, NONE, 1]])
    near = near_textures(notes, np.array([NONE, NONE, 0, OPEN]), CLASSES)
    assert near.shape == (2, 4, NEAR, CLASSES)

    def found(part: int, bar: int, place: int) -> int | None:
        """The class in a place; None where nothing is known."""
        vector = near[part, bar, place]
        return int(vector.argmax()) if vector.any() else None

    before, after, second = (NEAR_BARS.index(away) for away in (-1, 1, -2))
    origin, above, below = NEAR - 3, NEAR - 2, NEAR - 1
    assert [found(0, bar, before) for bar in range(4)] == [None, 1, 2, 3]
    assert [found(0, bar, after) for bar in range(4)] == [2, 3, None, None]  # open, and no such bar
    assert [found(1, bar, second) for bar in range(4)] == [None, None, 4, 0]
    assert [found(0, bar, origin) for bar in range(4)] == [None, None, 1, None]
    assert [found(0, bar, above) for bar in range(4)] == [None] * 4
    assert [found(1, bar, above) for bar in range(4)] == [1, 2, 3, None]
    assert [found(0, bar, below) for bar in range(4)] == [4, 0, None, 1]
    assert set(np.unique(near)) == {0.0, 1.0}
