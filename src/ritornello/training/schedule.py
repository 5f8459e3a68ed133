"""Choose how many steps a run has, how often it measures, and the learning rate of each step.

A run of some minutes estimates its last step from the measured time of a step and of a held-out measurement:
first after some steps, then again at each of DUE_SHARES of the time and after three quarters of the steps
that were left, because the speed changes (songs are encoded at first, other programs run). Each estimate is
an entry [step, last step, steps between two measurements] of the run's pace, in the checkpoint and in
model.json. The learning rate is a function of the step and the pace alone: after each estimate it falls to
the same value at the new last step. So the setting `pace` in place of `minutes` repeats such a run bit for
bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ritornello.training.checkpoint import RunState
    from ritornello.training.config import TrainConfig
    from ritornello.training.distributed import TrainingProcess

CLOCK: Callable[[], float] = (
    time.perf_counter
)  # a benchmark on a shared machine counts processor time instead
Pace = Sequence[Sequence[int]]
# The first estimate is made once this many steps, and this share of the minutes, have been timed; if steps
# are very slow, at LONGEST_UNTIMED_SHARE at the latest
TIMED_STEPS, TIMED_SHARE, LONGEST_UNTIMED_SHARE = 20, 1 / 40, 1 / 8
UNTIMED_STEPS = 5  # the first steps are slower: songs are encoded in them
DUE_SHARES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 15 / 16, 31 / 32, 63 / 64)
EARLY_SHARE = 3 / 4  # of the time, until which an estimate is also made after three quarters of the steps
# A run of some minutes has this many measurements, or fewer so that they take at most this share of the time
MEASUREMENTS, MOST_MEASURING_SHARE = 8, 0.2
FEWEST_STEPS_BETWEEN = 10  # the least steps between two measurements
MAX_WARMUP_SHARE = 0.1  # the largest share of steps for the warm-up
PRECISION = 2000  # the error of an estimate is at most the remaining steps divided by this
FINISHED_SHARE = 0.95  # a finished run that has used this share of its minutes is not continued
LAST_RATE = 0.05  # the last learning rate as a share of the highest


def rate_share(step: int, last_step: int | None, pace: Pace, warmup_steps: int) -> float:
    """The learning rate of a step as a share of the highest: a warm-up, then a cosine down to LAST_RATE.

    `last_step` is the last step of a run without a pace; while it is None, there is only the warm-up.
    """
    entries = [entry for entry in pace if entry[0] <= step]
    last = entries[0][1] if entries else last_step
    warm_steps = warmup_steps
    if last is not None:
        warm_steps = max(1, min(warm_steps, int(MAX_WARMUP_SHARE * last)))
    position, since, last = 0.0, warm_steps, last or warm_steps
    for at, new_last, _ in entries[1:]:
        position = _position(at, position, since, last)
        since, last = max(at, warm_steps), new_last
    way = _position(step, position, since, last)
    warm = min(1.0, (step + 1) / warm_steps)
    return warm * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * way)))


def _position(step: int, position: float, since: int, last: int) -> float:
    """How far along the cosine a step is, 0-1, if step `since` is at `position` and step `last` at 1."""
    return position + (1 - position) * min(1.0, max(0.0, (step - since) / max(1, last - since)))


class Pacer:
    """Estimates the last step of a run of `budget_s` seconds, of which `after_s` follow the last checkpoint.

    All times count from the beginning of the run. `state` is its state when it begins or continues now.
    """

    def __init__(self, budget_s: float, after_s: float, measure_every: int, state: RunState) -> None:
        self.budget_s, self.after_s, self.measure_every = budget_s, after_s, measure_every
        self._began = self._timed_from = state.step, state.seconds
        self._measure_s, self._measuring_s = state.measure_s, 0.0  # of one; of all since `_timed_from`
        self._step_s = 0.0
        self._due_s = math.inf  # of the next estimate; infinite before the first
        self._due_step = math.inf  # the step of the next estimate, if steps become faster

    def stepped(self, step: int, seconds: float) -> None:
        """Record the time at which a step was done."""
        if step - self._began[0] in (1, UNTIMED_STEPS) and self._due_s == math.inf:
            self._timed_from, self._measuring_s = (step, seconds), 0.0

    def measured(self, seconds: float) -> None:
        """Record the time that a measurement took, with its samples and its checkpoint."""
        self._measure_s = seconds
        self._measuring_s += seconds

    def is_due(self, step: int, seconds: float) -> bool:
        """Return whether an estimate is due after this step, or no time is left for another step."""
        if step <= self._timed_from[0]:
            return False
        steps, timed_s = step - self._began[0], seconds - self._began[1]
        first = self._due_s == math.inf and (
            (steps >= TIMED_STEPS and timed_s >= TIMED_SHARE * self.budget_s)
            or timed_s >= LONGEST_UNTIMED_SHARE * self.budget_s
        )
        return first or seconds >= self._due_s or step >= self._due_step or self._is_late(seconds)

    def estimate(self, step: int, seconds: float) -> list[int]:
        """Return the pace from this step on: the step, the last step, steps between two measurements.

        The time of a step is measured since the last estimate.
        """
        at, at_s = self._timed_from
        self._step_s = max(1e-9, seconds - at_s - self._measuring_s) / (step - at)
        self._timed_from, self._measuring_s = (step, seconds), 0.0
        later = (share * self.budget_s for share in DUE_SHARES)
        self._due_s = next((due_s for due_s in later if due_s > seconds), self.budget_s)
        left_s = self.budget_s - self.after_s - seconds
        most = max(0, int(left_s / self._step_s))
        possible = range(step + most, step, -max(1, most // PRECISION))
        fitting = (last for last in possible if self._seconds_to(step, last) <= left_s)
        last = step if self._is_late(seconds) else next(fitting, step + 1)
        self._due_step = step + (last - step) * 3 / 4 if seconds < EARLY_SHARE * self.budget_s else math.inf
        return [step, last, self._steps_between(last)]

    def _is_late(self, seconds: float) -> bool:
        """Whether another step, a measurement and the work after training would end too late."""
        return seconds + self._step_s / 2 + self._measure_s + self.after_s > self.budget_s

    def _steps_between(self, last: int) -> int:
        """The steps between two measurements of a run up to step `last`."""
        most = int(MOST_MEASURING_SHARE * self.budget_s / max(1e-9, self._measure_s))
        count = max(1, min(MEASUREMENTS, most))
        return max(FEWEST_STEPS_BETWEEN, min(self.measure_every, last // count))

    def _seconds_to(self, step: int, last: int) -> float:
        """The seconds from a step to the last one, with measurements."""
        between = self._steps_between(last)
        measurements = last // between - step // between + (last % between > 0)
        return (last - step) * self._step_s + measurements * self._measure_s


class Timekeeper:
    """Updates the seconds and the pace in the state of a run, equally in all processes of `torchrun`.

    Minutes count from `began`, a reading of CLOCK, to `after_s` seconds after the last checkpoint. With the
    setting `pace` the estimates are those of another run.
    """

    def __init__(
        self, config: TrainConfig, process: TrainingProcess, began: float | None, after_s: float
    ) -> None:
        self.config, self.process, self.after_s = config, process, after_s
        self._began = CLOCK() if began is None else began
        self._pacer: Pacer | None = None

    def begin(self, state: RunState) -> None:
        """Begin or continue the steps of a run; its state is kept up to date from now on."""
        self.state = state
        self._began -= state.seconds
        state.seconds = self._seconds()
        if self.config.minutes is not None:
            self._pacer = Pacer(self.config.minutes * 60, self.after_s, self.config.measure_every, state)
        self._keep_pace(measured=True)  # the checkpoint is written before the estimate

    def stepped(self) -> bool:
        """Record a step; return whether an estimate is due that needs a measurement first."""
        self.state.seconds = self._seconds()
        if self._pacer:
            self._pacer.stepped(self.state.step, self.state.seconds)
        return self._keep_pace()

    def measured(self) -> None:
        """Record a measurement after the last step; make the estimate that waits for it."""
        before_s, self.state.seconds = self.state.seconds, self._seconds()
        self.state.measure_s = self.state.seconds - before_s
        if self._pacer:
            self._pacer.measured(self.state.measure_s)
        self._keep_pace(measured=True)

    def _seconds(self) -> float:
        """The seconds of the run so far, by the clock of the first process."""
        return self.process.total(0.0 if self.process.rank else CLOCK() - self._began)

    def _keep_pace(self, measured: bool = False) -> bool:
        """Make the estimate that is due; return whether it needs a measurement first: the first one does."""
        state, entry = self.state, None
        if state.total_steps is not None and state.step >= state.total_steps:
            return False
        due = bool(self._pacer and self._pacer.is_due(state.step, state.seconds))
        recorded = [list(entry) for entry in self.config.pace or () if entry[0] == state.step]
        if (due or recorded) and not (state.pace or measured):
            return True
        if due and self._pacer:
            entry = self._pacer.estimate(state.step, state.seconds)
        elif recorded:
            entry = recorded[0]
        if entry and (not state.pace or state.pace[-1][1:] != entry[1:]):
            state.pace.append(entry)
            state.total_steps = entry[1]
        return False


def lengthen(state: RunState, config: TrainConfig, finished: bool) -> None:
    """Set the last step of a continued run whose duration has changed; minutes count at its speed so far."""
    budget_s = None if config.minutes is None else config.minutes * 60
    spent_s = state.seconds + state.measure_s  # the last checkpoint was written after a measurement
    if budget_s is not None and finished and spent_s >= FINISHED_SHARE * budget_s:
        return
    state.pace, state.total_steps = [], config.steps
    if budget_s is not None and state.step and state.seconds:
        state.total_steps = int(budget_s * state.step / state.seconds)
