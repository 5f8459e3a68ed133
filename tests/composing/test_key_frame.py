"""Requests are moved to the key frame, and the rows back: the song does not show it."""

from dataclasses import replace

import numpy as np
import pytest

from ritornello.composing.compose import BUNDLED
from ritornello.composing.key_frame import framed, moved_plan
from ritornello.composing.request import Request
from ritornello.composing.sampler import sample
from ritornello.composing.sampling import SamplingParams
from ritornello.models.model import Model
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Part, Score
from ritornello.music.sketch import Sketch
from ritornello.representations.notes import Notes

PARAMS = SamplingParams.from_creativity(0.5, ["shift", "part", "pitch", "duration", "velocity"])
FIDDLE = Part("", 110, False)


@pytest.fixture(scope="module")
def model() -> Model:
    bundled = Model.open(BUNDLED)
    return replace(bundled, info=bundled.info | {"key_frame": True})


def request(sharps: int = 2, **more: object) -> Request:
    plan = Plan(bars=2, key=(sharps, False), parts=(FIDDLE,), genres=(("fiddle", 1.0),))
    return Request(plan, seed=3, parts=(440,), **more)  # type: ignore[arg-type]


def pitches(model: Model, one: Request) -> np.ndarray:
    return Notes().decode(sample(model, [one], PARAMS)[0].rows, one.plan).pitch


def test_a_plan_is_moved_with_its_chords_and_registers() -> None:
    sketch = Sketch(parts=(FIDDLE, Part("", 0, True)), textures=(((4, 70),), ((4, 36),)), closings=((0, 11),))
    plan = Plan(1, key=(2, False), chords=(Chord(0, 2, "maj"), Chord(48, 9, "7")), sketch=sketch)
    moved = moved_plan(plan, -2)
    assert moved.key == (0, False)
    assert [chord.root for chord in moved.chords] == [0, 7]
    assert moved.sketch is not None
    assert moved.sketch.textures == (((4, 68),), ((4, 36),))  # drums stay
    assert moved.sketch.closings == ((0, 9),)


def test_given_notes_come_out_as_they_were(model: Model) -> None:
    given = Score.of(GRID, [0, 24], [24, 24], [62, 66], [80, 80], [0, 0], [FIDDLE])
    plan = replace(request().plan, parts=(FIDDLE, Part("", 0, False)))
    one = Request(plan, 3, parts=(0,), given=given)
    song = Notes().decode(sample(model, [one], PARAMS)[0].rows, plan)
    fiddle = song.part == song.parts.index(FIDDLE)
    assert song.pitch[fiddle].tolist() == [62, 66]


def test_a_prompt_comes_out_as_it_was(model: Model) -> None:
    score = Score.of(GRID, [0, 24, 48], [24] * 3, [62, 66, 69], [80] * 3, [0] * 3, [FIDDLE])
    prompt = Notes().encode(score).values[:3]
    assert pitches(model, request(prompt=prompt))[:3].tolist() == [62, 66, 69]


def test_only_models_with_a_frame_move(model: Model) -> None:
    plain = replace(model, info=model.info | {"key_frame": False})
    assert framed(plain, request()).semitones == 0
    assert framed(model, request()).semitones == -2
    assert framed(model, request(0)).semitones == 0


def test_given_notes_at_the_edge_are_moved_by_another_octave(model: Model) -> None:
    low = Score.of(GRID, [0], [24], [1], [80], [0], [FIDDLE])
    assert framed(model, request(given=low)).semitones == 10  # -2 is below 0
