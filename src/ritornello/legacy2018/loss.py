"""The loss of 2018: a curve for the note, squared errors for velocity and time, as one number.

    loss = note + velocity + delta
    note      mean of curve(d), d = predicted - true in semitones; its amplitude is 1
    velocity  0.2 of that amplitude, times the mean of (predicted - true)^2
    delta     the same

Velocity and delta are the reals of `messages`, so an error of the whole range of velocities, or of four
beats, costs a fifth of a wrong note.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ritornello.legacy2018.step import FIELDS
from ritornello.models.losses.curve import AMPLITUDE, Curve

SEMITONES_PER_UNIT = 128.0  # what 1.0 stands for in the field "note"
SHARE = 0.2  # of the note's amplitude, for an error of 1.0 in velocity or delta


class Original:
    """The loss over predictions and true values of the three fields; holds no weights."""

    def __init__(
        self,
        curve: Curve | None = None,
        *,
        semitones_per_unit: float = SEMITONES_PER_UNIT,
        share: float = SHARE,
    ) -> None:
        """`curve` None is the one through the default points (fitted here, which needs scipy)."""
        self.curve = curve or Curve.fit()
        self.semitones_per_unit = semitones_per_unit
        self.weight = share * AMPLITUDE

    def __call__(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The parts, weighted, and their sum "loss": scalars, means over what is learnt (0 where nothing is).

        `predictions` has (B, T) for each field, `values` (B, T, 3), `learn` (B, T, 3) bool.
        """
        parts: dict[str, Tensor] = {}
        for index, name in enumerate(FIELDS):
            rows = learn[..., index]  # (B, T)
            error = predictions[name][rows] - values[..., index][rows]  # (n,)
            cost = self.note(error) if name == "note" else self.weight * error**2
            parts[name] = cost.sum() / max(1, error.numel())
        return {**parts, "loss": torch.stack(list(parts.values())).sum()}

    def note(self, error: Tensor) -> Tensor:
        """What errors of the field "note" cost, each; differentiable."""
        return self.curve(error * self.semitones_per_unit)
