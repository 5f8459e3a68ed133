"""Plan: the plan of a score, and the bars of a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import PlanError
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan, main_tempo
from ritornello.music.score import Chord, Meter, Part, Score, Tempo
from ritornello.music.timeline import Timeline
from tests.scores import scores, tune


def test_the_plan_of_a_tune() -> None:
    plan = Plan.of(tune())
    assert plan.bars == 4
    assert plan.meters == ((0, 4, 4),)
    assert plan.bpm == 96
    assert plan.key == (1, False)
    assert str(plan) == "G major, 4/4, 96 bpm, 4 bars"


def test_meters_by_bar() -> None:
    # at 24 ticks a beat two bars of 3/4 are 144 ticks; then 6/8, whose bar is 72
    score = Score.of(24, [0, 144 + 72], [1, 1], [60, 60], [64, 64], meters=(Meter(0, 3, 4), Meter(144, 6, 8)))
    plan = Plan.of(score)
    assert plan.meters == ((0, 3, 4), (2, 6, 8))
    assert plan.bars == 4
    assert plan.timeline(24).start_ticks.tolist() == [0, 72, 144, 216]
    assert plan.only_main_meter().meters == ((0, 3, 4),)  # two bars each: the first stays


def test_main_tempo_lasts_longest() -> None:
    tempi = (Tempo(0, 400_000), Tempo(10, 300_000), Tempo(60, 400_000), Tempo(80, 200_000))
    score = Score.of(24, [0], [100], [60], [64], tempi=tempi)  # 400: 10 + 20, 300: 50, 200: 20 ticks
    assert main_tempo(score) == Tempo(0, 300_000)
    assert main_tempo(Score.of(24, [], [], [], [])) == Tempo(0, 500_000)


@given(scores(min_notes=1))
def test_a_plan_has_the_bars_of_its_score_on_the_grid(score: Score) -> None:
    bars, planned = Timeline.of(score.rescaled(GRID)), Plan.of(score).timeline(GRID)
    assert len(planned) == len(bars)
    # a bar cut short gets the nearest length in 64ths of 1.5 ticks, at least one
    assert (np.abs(planned.length_ticks - bars.length_ticks) <= 1).all()


@given(scores(min_notes=1))
def test_a_score_made_by_a_plan_has_that_plan(score: Score) -> None:
    plan = Plan.of(score)
    timeline = plan.timeline(GRID)
    asked = Score.of(GRID, [timeline.end_ticks - 1], [1], [60], [64], **plan.events(GRID), chords=plan.chords)
    assert replace(Plan.of(asked), parts=plan.parts, title=plan.title) == plan


def test_a_bar_cut_short_gets_the_meter_of_its_length() -> None:
    # 4/4 of 480; after a bar and two beats (2880) 4/4 begins anew: the second bar is a 2/4
    meters = (Meter(0, 4, 4), Meter(2880, 3, 4), Meter(2880 + 1440, 4, 4))
    score = Score.of(480, [0, 5000], [1, 1], [60, 60], [64, 64], meters=meters)
    assert Plan.of(score).meters == ((0, 4, 4), (1, 2, 4), (2, 3, 4), (3, 4, 4))


def test_a_meter_that_comes_one_tick_late_makes_no_bar_of_a_tick() -> None:
    score = Score.of(480, [0, 5000], [1, 1], [60, 60], [64, 64], meters=(Meter(0, 4, 4), Meter(1921, 3, 4)))
    assert Plan.of(score).meters == ((0, 4, 4), (1, 3, 4))


def test_chords_count_on_the_grid() -> None:
    # tune() has a chord on each bar line: 96 ticks apart at 24 a beat, 384 at 96
    assert [chord.onset_ticks for chord in Plan.of(tune()).chords] == [0, 96, 192, 288]
    assert [chord.onset_ticks for chord in Plan.of(tune()).timeline(96).chords] == [0, 384, 768, 1152]


def test_the_form_is_cut_or_padded_to_the_bars() -> None:
    short = Plan(bars=2, returns=parse_form("A1 A1 A1")).timeline(24)
    assert (short.returns_to.tolist(), short.similarity.tolist()) == ([-1, 0], [0, 3])
    long = Plan(bars=3, returns=parse_form("A1 A1")).timeline(24)
    assert (long.returns_to.tolist(), long.similarity.tolist()) == ([-1, 0, -1], [0, 3, 0])


def test_a_bar_returns_to_an_earlier_one_of_equal_length() -> None:
    plan = Plan(bars=2, meters=((0, 4, 4), (1, 3, 4)), returns=((-1, 0), (0, 3)))
    with pytest.raises(
        PlanError, match=r"bar 2 .72 ticks. cannot repeat bar 1 .96 ticks.: must be an earlier"
    ):
        plan.timeline(24)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bars": 0}, "bars 0: must be at least 1"),
        ({"us_per_beat": 0}, "0 microseconds a beat: must be 1-16777215"),
        ({"meters": ()}, "must begin at bar 0"),
        ({"meters": ((0, 17, 4),)}, "meter 17/4: must be at most 16 beats a bar"),
    ],
)
def test_impossible_plans_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Plan(**settings)


def test_a_plan_as_text() -> None:
    assert str(Plan(bars=8, genres=(("game", 0.5), ("folk", 0.5)), parts=(Part(),))) == (
        "game+folk, 4/4, 120 bpm, 8 bars"
    )


@given(st.integers(1, 40), st.booleans(), st.booleans())
def test_a_plan_goes_to_json_and_back(bars: int, has_key: bool, formed: bool) -> None:
    plan = Plan(
        bars,
        ((0, 3, 4), (2, 4, 4)),
        key=(-3, True) if has_key else None,
        parts=(Part("lead", 80), Part("", 0, True)),
        genres=(("game", 0.25), ("fiddle", 0.75)) if has_key else (),
        chords=(Chord(0, 9, "min"),),
        returns=((-1, 0), (0, 3)) if formed else None,
    )
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@pytest.mark.parametrize(
    "values, problem",
    [
        ({"bar": 3}, "unknown key 'bar' of a plan"),
        ({"bars": "many"}, "not a plan: '<' not supported"),
        ({"parts": [["", 128, False]]}, "program 128: must be 0-127"),
        ({"returns": [[0, "x"]]}, "not a plan: invalid literal"),
        ({"key": 3}, "not a plan"),
    ],
)
def test_invalid_json_of_a_plan_is_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError, match=problem):
        Plan.from_dict(values)
