"""The loss of 2018: loss = note + velocity + delta.

    note      the mean of curve(d), where d = predicted - true in semitones; its amplitude is 1
    velocity  0.2 times the mean of (predicted - true)^2
    delta     the same

Velocity and delta are the reals of `messages`: an error of the whole range of velocities, or of four beats,
costs a fifth of a wrong note.
"""

import torch
from torch import Tensor

from ritornello.legacy2018.step import FIELDS
from ritornello.models.losses.curve import AMPLITUDE, Curve

SEMITONES_PER_UNIT = 128.0  # of the field "note"
SHARE = 0.2  # of the note's amplitude: the loss of an error of 1.0 in velocity or delta


class Original:
    """The loss of the three fields; `curve` None is the one through the default points, fitted with scipy."""

    def __init__(self, curve: Curve | None = None) -> None:
        self.curve = curve or Curve.fit()

    def __call__(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The weighted parts "note", "velocity", "delta" and their sum "loss", each a scalar.

        `predictions` has (B, T) for each field, `values` is (B, T, 3), and `learn` (B, T, 3) says which
        values count; a part without any is 0.
        """
        parts: dict[str, Tensor] = {}
        for index, name in enumerate(FIELDS):
            rows = learn[..., index]  # (B, T)
            error = predictions[name][rows] - values[..., index][rows]  # (n,)
            cost = self.curve(error * SEMITONES_PER_UNIT) if name == "note" else SHARE * AMPLITUDE * error**2
            parts[name] = cost.sum() / max(1, error.numel())
        return {**parts, "loss": torch.stack(list(parts.values())).sum()}
