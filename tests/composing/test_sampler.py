"""The sampler: what it makes of a given note that is to come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ritornello.composing import sampler
from ritornello.composing.given_music import read_melody
from ritornello.composing.request import request_for
from ritornello.composing.sampling import SamplingParams
from ritornello.models.model import Model
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part, Score
from tests.composing.models import write_model


def test_a_given_note_has_the_chance_of_all_that_lies_beyond_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a flute at tick 10, a piano asked for; all 194 shifts are as likely: those up to 9 stay so, the other
    # 184 all come to tick 10
    tune = Score.of(GRID, [10], [24], [72], [66], parts=[Part("", 73)])
    plan = Plan(bars=1, parts=(Part("", 73), Part()))
    model = Model.open(write_model(tmp_path / "model"))
    params = SamplingParams.from_creativity(0.5, [field.name for field in model.representation.fields])
    batch = sampler._Batch(model, [request_for(plan, seed=0, given=read_melody(tune))], params, [], False)
    seen: list[npt.NDArray[np.float32]] = []

    def draw_classes(logits: npt.NDArray[np.float32], *_: object) -> npt.NDArray[np.intp]:
        seen.append(logits.copy())
        return np.array([10])

    monkeypatch.setattr(sampler, "draw_classes", draw_classes)
    monkeypatch.setattr(batch.step, "logits", lambda field: np.zeros((1, 194), np.float32))
    batch.step.begin({name: batch.cursor.known(name) for name in batch.known_first})
    allowed = batch.cursor.allowed("shift")
    batch._sample_field("shift", allowed, np.array([0]), np.array([0.5]))
    assert np.allclose(np.exp(seen[0][0]), [1] * 10 + [184] + [0] * 183)
