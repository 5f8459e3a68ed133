"""The interval loss: a wrong pitch that is consonant with the true one costs less, as in the loss of 2018.

    interval = mean over rows of  sum over k of p(k) D[k - y]

with p the predicted probabilities, y the true pitch and D the curve of `losses/curve.py`, which is lowest at
0 and low at octaves and chord tones. It is meant to be added, with a weight, to the cross-entropy. Alone it
does not lead to calibrated probabilities: its minimum puts all of p on one pitch, however uncertain the
pitch is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ritornello.errors import InputError
from ritornello.models.losses.curve import Curve
from ritornello.representations.grid.vocabulary import DRUM_PART
from ritornello.representations.table import Field

PITCH, PART = "pitch", "part"  # the fields that it reads; without a field for parts, no row is of drums


class IntervalLoss:
    """The loss of the field `pitch`; it has no weights."""

    def __init__(self, fields: Sequence[Field], curve: Curve | Mapping[str, Any] | None = None) -> None:
        """`curve` None: fit one through the default points, which needs scipy.

        Raises InputError for fields without a choice `pitch`.
        """
        names = [field.name for field in fields if field.kind == "choice"]
        if PITCH not in names:
            raise InputError(f"the interval loss needs a choice {PITCH!r}, there are {', '.join(names)}")
        columns = {field.name: column for column, field in enumerate(fields)}
        self.pitch, self.part = columns[PITCH], columns.get(PART)
        self.curve = Curve.from_dict(curve) if isinstance(curve, Mapping) else curve or Curve.fit()
        pitches = np.arange(fields[self.pitch].size, dtype=np.float64)
        self.costs = torch.from_numpy(self.curve(pitches - pitches[:, None]))  # (size, size): [y, k]

    def __call__(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Return the scalar "interval", in units of the curve's amplitude; 0 if no pitch is learnt.

        It is a mean over learnt pitches that are not of drums. `predictions["pitch"]` are logits
        (B, T, pitches), `values` and `learn` are (B, T, F).
        """
        pitched = learn[..., self.pitch] & (values[..., self.pitch] < len(self.costs))
        if self.part is not None:
            pitched = pitched & (values[..., self.part] != DRUM_PART)  # (B, T)
        logits = predictions[PITCH][pitched]  # (n, pitches)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        costs = self.costs.to(logits)[values[..., self.pitch][pitched].long()]  # (n, pitches)
        expected = (logits.softmax(-1) * costs).sum(-1)
        return {"interval": expected.sum() / max(1, len(expected))}
