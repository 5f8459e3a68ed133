"""Plan: what a score would have been asked to be, and the bars that follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given

from ritornello.errors import PlanError
from ritornello.plan import Plan, main_tempo
from ritornello.score import Meter, Part, Score, Tempo
from ritornello.timeline import Timeline
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


@given(scores(min_notes=1, with_events=False))
def test_a_plan_has_the_bars_of_its_score(score: Score) -> None:
    bars = Timeline.of(score)
    planned = Plan.of(score).timeline(score.ticks_per_beat)
    assert planned.start_ticks.tolist() == bars.start_ticks.tolist()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"bars": 0}, "0 bars, must be at least 1"),
        ({"us_per_beat": 0}, "0 microseconds a beat, must be 1-16777215"),
        ({"meters": ()}, "must begin at bar 0"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        Plan(**settings)


def test_in_words() -> None:
    assert str(Plan(bars=8, genres=(("game", 0.5), ("folk", 0.5)), parts=(Part(),))) == (
        "game+folk, 4/4, 120 bpm, 8 bars"
    )
