"""The default loss of a network of choices: cross-entropy."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor

from ritornello.representations.table import Field

IGNORED_TARGET = -100  # a class that `cross_entropy` leaves out


def targets(fields: Sequence[Field], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
    """Return the class (B, T+1) to predict of each choice; IGNORED_TARGET where nothing is learnt.

    `values` and `learn` are (B, T+1, F). Row 0, the predecessor, and the void class are never learnt.
    """
    by_field = {}
    for column, field in enumerate(fields):
        if field.kind == "choice":
            target = values[..., column].long()  # (B, T+1)
            target = target.masked_fill(~learn[..., column] | (target >= field.size), IGNORED_TARGET)
            target[:, 0] = IGNORED_TARGET
            by_field[field.name] = target
    return by_field


def count_learnt_rows(targets: Mapping[str, Tensor]) -> Tensor:
    """Return as a scalar in how many rows of `targets[field]` (B, T+1) a field is learnt; 1 if in none."""
    return torch.stack([target != IGNORED_TARGET for target in targets.values()]).any(0).sum().clamp(min=1)


class CrossEntropyLoss:
    """Cross-entropy in nats a row: each field's part, and their sum "loss"."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)

    def __call__(self, predictions: Mapping[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Return scalars by name; rows in which nothing is learnt are not counted.

        `predictions[field]` are logits (B, T+1, size), `values` and `learn` (B, T+1, F).
        """
        by_field = targets(self.fields, values, learn)
        rows = count_learnt_rows(by_field)
        parts = {}
        for name, target in by_field.items():
            logits = predictions[name].flatten(0, 1).float()  # (B * (T+1), size)
            nats = functional.cross_entropy(
                logits, target.flatten(), ignore_index=IGNORED_TARGET, reduction="sum"
            )
            parts[name] = nats / rows
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}
