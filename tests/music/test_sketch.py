"""Sketches: what they hold, as JSON and in a plan."""

import json
from dataclasses import replace

import pytest

from ritornello.errors import PlanError
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part
from ritornello.music.sketch import CLOSED, NO_MOTIF, UNKNOWN, Sketch

SKETCH = Sketch(
    cadences=(0, CLOSED),
    motifs=(NO_MOTIF, 0),
    parts=(Part("", 40, False),),
    textures=(((8, 72), (UNKNOWN, UNKNOWN)),),
    closings=((UNKNOWN, UNKNOWN), (48, 7)),
)


def test_a_plan_with_a_sketch_survives_json() -> None:
    plan = Plan(bars=2, sketch=SKETCH)
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert plan.timeline(GRID).sketch == SKETCH


def test_without_closing_notes_a_plan_is_written_as_before_there_were_any() -> None:
    plan = Plan(bars=2, sketch=replace(SKETCH, closings=()))
    assert "closings" not in plan.to_dict()["sketch"]
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_a_plan_without_a_sketch_has_no_such_key() -> None:
    assert "sketch" not in Plan().to_dict()


@pytest.mark.parametrize(
    "wrong",
    [
        {"cadences": (4,)},
        {"motifs": (0,)},
        {"closings": ((0, 12),)},
        {"closings": ((-2, 0),)},
        {"motifs": (NO_MOTIF, 1)},
        {"parts": (Part(),), "textures": ()},
        {"parts": (Part(),), "textures": (((1, 128),),)},
    ],
)
def test_values_out_of_range_are_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(PlanError):
        Sketch(**wrong)  # type: ignore[arg-type]


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(PlanError, match="'tune'"):
        Sketch.from_dict({"tune": 1})
