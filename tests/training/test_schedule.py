"""Runs of some minutes end on time, whatever the speed does; the clock is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from ritornello.training import schedule
from ritornello.training.checkpoint import RunState
from ritornello.training.loop import TrainingRun
from ritornello.training.schedule import Pacer, rate_share
from tests.training.test_loop import SMALL, log, network, run, windows

BUDGET_S, AFTER_S, MEASURE_S = 300.0, 5.0, 3.0
SPEEDS: dict[str, Callable[[float], float]] = {  # seconds of a step at a time
    "steady": lambda now: 0.5,
    "songs are encoded at first": lambda now: 2.5 if now < 60 else 0.3,
    "another program begins": lambda now: 0.4 if now < 120 else 1.1,
    "another program comes and goes": lambda now: 0.4 if (now // 50) % 2 else 1.0,
    "another program begins near the end": lambda now: 0.4 if now < 270 else 0.9,
    "another program ends after half of the time": lambda now: 1.2 if now < 152 else 0.4,
    "few steps": lambda now: 21.0,
    "many steps": lambda now: 0.004,
}


def simulate(step_s: Callable[[float], float], start_s: float = 12.0, measure_s: float = MEASURE_S) -> Any:
    """A run of BUDGET_S: its state and when it ends."""
    state = RunState(seconds=start_s)
    pacer = Pacer(BUDGET_S, AFTER_S, 200, state)

    def estimate(measured: bool) -> bool:
        if not pacer.is_due(state.step, state.seconds):
            return False
        if not (state.pace or measured):
            return True
        state.pace.append(pacer.estimate(state.step, state.seconds))
        state.total_steps = state.pace[-1][1]
        return False

    while state.total_steps is None or state.step < state.total_steps:
        state.step += 1
        state.seconds += step_s(state.seconds)
        pacer.stepped(state.step, state.seconds)
        every = state.pace[-1][2] if state.pace else 200
        if estimate(False) or state.step == state.total_steps or state.step % every == 0:
            state.seconds += measure_s
            pacer.measured(measure_s)
            if state.step != state.total_steps:
                estimate(True)
    return state, state.seconds + AFTER_S


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_run_of_some_minutes_ends_on_time(speed: str) -> None:
    state, end_s = simulate(SPEEDS[speed])
    tolerance = 0.1 if speed == "few steps" else 0.02
    assert abs(end_s - BUDGET_S) < tolerance * BUDGET_S
    assert 1 <= len(state.pace) <= 1 + len(schedule.DUE_SHARES) + 1
    rates = [rate_share(step, None, state.pace, 100) for step in range(state.step + 1)]
    warm = max(1, min(100, state.pace[0][1] // 10))
    falling = rates[max(warm, state.pace[0][0]) :]
    assert falling == sorted(falling, reverse=True)
    assert rates[-1] < 0.2 if speed == "few steps" else rates[-1] < 0.06


def test_measuring_takes_a_share_of_a_short_run() -> None:
    state, end_s = simulate(lambda now: 0.5, measure_s=25.0)
    assert abs(end_s - BUDGET_S) < 0.05 * BUDGET_S
    assert state.step > 250  # of 600 without measurements; eight of them would leave 200


def test_a_start_that_takes_all_of_the_time_ends_the_run() -> None:
    state, _ = simulate(lambda now: 0.5, start_s=400.0)
    assert state.step == 2


def test_the_rate_without_a_pace_is_a_warm_up_and_a_cosine() -> None:
    assert rate_share(0, None, (), 100) == 0.01  # the last step is not known
    assert rate_share(4, 1000, (), 10) == 0.5
    assert rate_share(505, 1000, (), 10) == pytest.approx(0.05 + 0.95 / 2)
    assert rate_share(1000, 1000, (), 10) == pytest.approx(0.05)


def test_after_an_estimate_the_rate_falls_from_where_it_is() -> None:
    pace = [[20, 400, 50], [100, 200, 25]]
    rates = [rate_share(step, None, pace, 40) for step in range(201)]
    assert rates[:100] == [rate_share(step, None, pace[:1], 40) for step in range(100)]
    assert rates[99] > rates[100] > rates[101]
    steps = [a - b for a, b in pairwise(rates[40:])]
    assert max(steps) < 0.02  # no jump
    assert rates[200] == pytest.approx(0.05)


class Clock:
    """A clock that a step, a measurement and whatever else moves."""

    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    simulated = Clock()
    monkeypatch.setattr(schedule, "CLOCK", simulated)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in `train` for a small network; two on a busy core may sum in another order
    yield simulated
    torch.set_num_threads(threads)


def timed(made: TrainingRun, clock: Clock, step_s: Callable[[float], float]) -> TrainingRun:
    """The run, with steps that take some time and measurements of 2 s."""
    step, measure = made._step, made._measure

    def slow_step(train: Any) -> dict[str, float]:
        clock.now_s += step_s(clock.now_s)
        return step(train)

    def slow_measure(*values: Any) -> dict[str, float]:
        clock.now_s += 2.0
        return measure(*values)

    made._step, made._measure = slow_step, slow_measure  # type: ignore[method-assign]
    return made


MINUTES = replace(SMALL, steps=None, minutes=2.0, measure_every=1000)


def test_the_recorded_pace_repeats_a_run_of_some_minutes(tmp_path: Path, clock: Clock) -> None:
    began = clock.now_s
    clock.now_s += 6.0  # start-up
    made = TrainingRun(tmp_path / "a", MINUTES, network(), "data", began=began, after_s=3.0)
    timed(made, clock, lambda now: 0.6 if now < 100 else 1.4).train(*windows())
    assert clock.now_s + 3.0 == pytest.approx(began + 120.0, rel=0.03)
    assert len(made.state.pace) > 2
    measured = [line["step"] for line in log(tmp_path / "a") if "heldout_loss" in line]
    assert measured[0] == made.state.pace[0][0]  # the first estimate measures

    again = run(tmp_path / "b", replace(SMALL, steps=None, pace=made.state.pace, measure_every=1000))
    again.train(*windows())
    assert log(tmp_path / "b") == log(tmp_path / "a")
    assert again.state.best_step == made.state.best_step
    assert all(torch.equal(again.best[name], tensor) for name, tensor in made.best.items())


def test_an_interrupted_run_ends_on_time_in_all(tmp_path: Path, clock: Clock) -> None:
    made = timed(run(tmp_path, MINUTES), clock, lambda now: 0.5)
    made._finished = lambda: made.state.seconds > 70  # type: ignore[method-assign]
    made.train(*windows())
    made.save()
    clock.now_s += 1000.0
    resumed = timed(run(tmp_path, MINUTES), clock, lambda now: 1.0)
    resumed.train(*windows())
    assert resumed.state.seconds == pytest.approx(120.0, rel=0.03)

    more = timed(run(tmp_path, replace(MINUTES, minutes=2.05)), clock, lambda now: 1.0)
    more.train(*windows())
    assert more.state.step == resumed.state.step  # nearly no time is left: the run stays finished
    more = timed(run(tmp_path, replace(MINUTES, minutes=4.0)), clock, lambda now: 1.0)
    more.train(*windows())
    assert more.state.seconds == pytest.approx(240.0, rel=0.02)
    assert math.isfinite(more.state.best_loss)
