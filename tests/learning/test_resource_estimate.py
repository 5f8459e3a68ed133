"""The time of `learn`: what is left for training, with a simulated clock."""

from __future__ import annotations

from ritornello.learning.resource_estimate import MIN_TRAINING_S, TimeBudget


class Clock:
    """A clock that a test moves."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_comes_after_training_is_reserved() -> None:
    clock = Clock()
    budget = TimeBudget(600.0, {"selection": 30.0, "songs": 10.0}, clock=clock)
    assert budget.left_s() == 560.0
    clock.now_s += 100.0
    budget.reserve("selection", 50.0)  # as measured, instead of the estimate
    assert (budget.spent_s, budget.left_s()) == (100.0, 440.0)
    clock.now_s += 1000.0
    assert budget.left_s() == MIN_TRAINING_S
    assert TimeBudget(None, clock=clock).left_s() is None
