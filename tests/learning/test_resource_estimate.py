"""The time of `learn`: what is left for training, with a simulated clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ritornello.learning.cross_validation import SelectionPlan
from ritornello.learning.resource_estimate import MIN_TRAINING_S, TimeBudget
from ritornello.learning.start_trials import StartTrials


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


def test_candidates_that_do_not_fit_are_not_reserved() -> None:
    plan = SelectionPlan(0, {"minutes": 5.0}, 36.0)
    assert plan.comparing_seconds(4.0) == 24.0  # six after the start model, which has been measured
    assert plan.comparing_seconds(12.0) == 24.0
    assert plan.comparing_seconds(50.0) == 50.0  # the first one after it is measured in any case
    assert SelectionPlan(3, {"minutes": 5.0}, 36.0).comparing_seconds(6.0) == 36.0


def test_trials_leave_the_rest_of_the_time_to_the_chosen_start(tmp_path: Path) -> None:
    trials: Any = StartTrials(None, tmp_path, {}, {"minutes": 20.0}, {})  # type: ignore[arg-type]
    trials.spent = {"bundled": {"minutes": 2.0}, "nothing": {"minutes": 1.5}}
    trials.limit(10.0)  # trials of an earlier call: a run counts its own minutes
    assert trials.duration == {"minutes": 10.0}
    trials.has_tried = True
    trials.limit(10.0)
    assert trials.duration == {"minutes": 13.5}  # from which those of the other start are taken
