"""Networks whose predictions are known by hand, and songs of random notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ritornello.evaluation.inputs import LabelledScore
from ritornello.music.score import Part, Score
from ritornello.representations.table import Field


class Fixed:
    """A predictor that ignores its input: `sure` is added to the logit of the right class."""

    def __init__(self, fields: Sequence[Field], sure: float = 0.0) -> None:
        self.fields, self.sure = fields, sure

    def parameters(self) -> Iterator[Tensor]:
        return iter(())

    def predict(self, values: Tensor, plan: Any, state: Any) -> tuple[dict[str, Tensor], Any]:
        logits = {}
        for column, field in enumerate(self.fields):
            if field.kind == "choice":
                right = values[..., column].long()
                logits[field.name] = self.sure * torch.nn.functional.one_hot(right, field.size + 1)[..., :-1]
        return {name: found.float() for name, found in logits.items()}, state


def song(seed: int, notes: int, parts: int = 2) -> LabelledScore:
    """Random notes at 24 ticks a beat, none of which `notes` loses."""
    draw = np.random.default_rng(seed)
    onset = np.cumsum(draw.integers(1, 13, notes))  # no two at once
    columns = (onset, np.ones(notes), draw.integers(30, 90, notes), draw.integers(1, 128, notes))
    part = np.arange(notes) % parts
    score = Score.of(24, *columns, part, tuple(Part("", 10 * program) for program in range(parts)))
    return LabelledScore(f"song {seed}", score, ())
