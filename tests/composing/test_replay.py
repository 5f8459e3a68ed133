"""Songs built from recipes: the level of their velocities."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.composing.replay import with_mean_velocity
from ritornello.errors import PlanError
from ritornello.music.plan import Plan
from ritornello.music.score import Score


def song(*velocities: int) -> Score:
    count = len(velocities)
    return Score.of(24, np.arange(count) * 24, [24] * count, [60] * count, velocities)


@pytest.mark.parametrize(
    ("mean_velocity", "expected"),
    [
        (None, [78, 94, 86]),
        (84, [76, 92, 84]),  # the mean of the song is 86
        (120, [112, 127, 120]),  # the highest velocity is 127
        (1, [1, 9, 1]),
    ],
)
def test_all_velocities_move_by_one_number(mean_velocity: int | None, expected: list[int]) -> None:
    assert with_mean_velocity(song(78, 94, 86), mean_velocity).velocity.tolist() == expected


def test_a_song_without_notes_stays() -> None:
    assert len(with_mean_velocity(song(), 80)) == 0


def test_a_plan_has_a_velocity_that_a_note_can_have() -> None:
    with pytest.raises(PlanError, match="mean velocity 128: must be 1-127"):
        Plan(mean_velocity=128)
