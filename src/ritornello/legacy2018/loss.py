"""The loss of 2018: loss = note + velocity + delta.

    note      the mean of curve(d), where d = predicted - true in semitones; its amplitude is 1
    velocity  0.2 times the mean of (predicted - true)^2, divided by a unit
    delta     the same

Velocity and delta are the reals of `messages`, each from 0 to 1. The text of 2018 gives each "20% of the
amplitude" of the note, which can mean two things (`WEIGHTINGS`). With "range" the unit is 1: an error of the
whole range of velocities, or of four beats, costs a fifth of a wrong note. With "variance" the unit is the
variance of the true values (`VARIANCES`): predicting their mean costs a fifth of a wrong note.
"""

import torch
from torch import Tensor

from ritornello.errors import InputError
from ritornello.legacy2018.step import FIELDS
from ritornello.models.losses.curve import AMPLITUDE, Curve

SEMITONES_PER_UNIT = 128.0  # of the field "note"
SHARE = 0.2  # the loss of a squared error of one unit in velocity or delta; that of a note is at most 1
# Of the messages of the training songs of docs/original.md
VARIANCES = {"velocity": 0.137, "delta": 0.0020}
WEIGHTINGS = {"range": dict.fromkeys(VARIANCES, 1.0), "variance": VARIANCES}


class OriginalLoss:
    """The loss of the three fields; without a `curve`, the curve through the default points is fitted.

    Raises InputError for a weighting that is not in WEIGHTINGS.
    """

    def __init__(self, curve: Curve | None = None, weighting: str = "range") -> None:
        if weighting not in WEIGHTINGS:
            raise InputError(f"weighting {weighting!r}: must be one of {', '.join(WEIGHTINGS)}")
        self.curve = curve or Curve.fit()
        self.weights = {name: SHARE * AMPLITUDE / unit for name, unit in WEIGHTINGS[weighting].items()}

    def __call__(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The weighted parts "note", "velocity", "delta" and their sum "loss", each a scalar.

        `predictions` has (B, T) for each field, `values` is (B, T, 3), and `learn` (B, T, 3) says which
        values count; a part without any is 0.
        """
        parts: dict[str, Tensor] = {}
        for index, name in enumerate(FIELDS):
            rows = learn[..., index]  # (B, T)
            error = predictions[name][rows] - values[..., index][rows]  # (n,)
            cost = self._note_costs(error) if name == "note" else error**2 * self.weights[name]
            parts[name] = cost.sum() / max(1, error.numel())
        return {**parts, "loss": torch.stack(list(parts.values())).sum()}

    def _note_costs(self, error: Tensor) -> Tensor:
        """The curve at errors (n,) of the field "note".

        Its gradient comes from the derivative polynomial, which takes 0.6 of the time of automatic
        differentiation through hundreds of operations.
        """
        with torch.no_grad():
            semitones = error * SEMITONES_PER_UNIT
            cost, slope = self.curve(semitones), self.curve.slope(semitones) * SEMITONES_PER_UNIT
        return cost + slope * (error - error.detach())
