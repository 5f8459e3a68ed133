"""The idea of 2018 for a classifier: a wrong pitch that sounds well beside the true one costs less.

    interval = mean over rows of  sum over k of p(k) D[k - y]

with p the predicted probabilities, y the true pitch and D the curve of `losses/curve.py`, a table: lowest at
0, low at octaves and chord tones. It is added, weighted, to the cross-entropy. Alone it would not ask for
honest probabilities: it is least where all of p is on one pitch, however uncertain the next one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ritornello.errors import InputError
from ritornello.models.losses.curve import Curve
from ritornello.representations.grid.vocabulary import DRUM_PART
from ritornello.representations.table import Field

PITCH, PART = "pitch", "part"  # the fields that it reads; where there is no part, all rows are pitched


class IntervalLoss:
    """The loss over predictions and true values of a table with the choice `pitch`; holds no weights."""

    def __init__(self, fields: Sequence[Field], curve: Curve | Mapping[str, Any] | None = None) -> None:
        """`curve` None is the one through the default points (fitted here, which needs scipy).

        Raises InputError for a table without pitches.
        """
        names = [field.name for field in fields if field.kind == "choice"]
        if PITCH not in names:
            raise InputError(f"the interval loss needs a choice {PITCH!r}, there are {', '.join(names)}")
        columns = {field.name: column for column, field in enumerate(fields)}
        self.pitch, self.part = columns[PITCH], columns.get(PART)
        self.curve = Curve.of(curve) if isinstance(curve, Mapping) else curve or Curve.fit()
        pitches = np.arange(fields[self.pitch].size, dtype=np.float64)
        self.costs = torch.from_numpy(self.curve(pitches - pitches[:, None]))  # [y, k]

    def __call__(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The scalar "interval": the mean over learnt pitches but those of drums; 0 where there are none.

        `predictions["pitch"]` has logits (B, T, pitches), `values` (B, T, F), `learn` (B, T, F) bool. In
        units of the curve's amplitude.
        """
        pitched = learn[..., self.pitch] & (values[..., self.pitch] < len(self.costs))
        if self.part is not None:
            pitched = pitched & (values[..., self.part] != DRUM_PART)  # (B, T)
        logits = predictions[PITCH][pitched]  # (n, pitches)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        costs = self.costs.to(logits)[values[..., self.pitch][pitched].long()]  # (n, pitches)
        expected = (logits.softmax(-1) * costs).sum(-1)
        return {"interval": expected.sum() / max(1, len(expected))}
