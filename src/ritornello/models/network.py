"""The base class of a network that predicts every row of a crop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ritornello.models.losses import cross_entropy
from ritornello.representations.table import Field


@dataclass(frozen=True)
class NetworkConfig:
    """The settings of a network that training reads."""

    fields: tuple[Field, ...]
    """The representation's fields."""
    plan_size: int = 0
    """Numbers in the vector of a plan (P)."""
    window: int = 256
    """Rows of a crop, and how many earlier rows `Network.predict` keeps."""
    weight_decay: float = 0.05
    """The weight decay of all weights but vectors, such as biases."""

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> NetworkConfig:
        """Make a config from settings, of which unknown ones are ignored; fields may be lists, as in JSON."""
        known = {name: settings[name] for name in ("plan_size", "window", "weight_decay") if name in settings}
        fields = settings["fields"]
        return cls(tuple(Field(**f) if isinstance(f, Mapping) else Field(*f) for f in fields), **known)


class Network(nn.Module):
    """A network that learns all rows of a crop. A subclass defines `__init__` and `forward`.

    The class variables are defaults of training for this network: `batch` crops in a step,
    `learning_rate` (the highest learning rate), `heldout` rows in a measurement; `halves` says whether the
    network may be computed in bfloat16.
    """

    representation: ClassVar[str] = "notes"
    learns: ClassVar[str] = "all"
    halves: ClassVar[bool] = False
    batch: ClassVar[int] = 32
    learning_rate: ClassVar[float] = 4e-3
    heldout: ClassVar[int] = 32768

    def __init__(self, config: Any) -> None:
        """`config` is a dict of settings with at least "fields", or an object such as NetworkConfig."""
        super().__init__()
        self._settings = dict(config) if isinstance(config, Mapping) else {}
        self.config: Any = NetworkConfig.from_dict(config) if isinstance(config, Mapping) else config

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Return logits (B, T+1, size) of each choice.

        `values` (B, T+1, F) are classes, each below its field's size, or equal to it for void; `plan` is
        (B, P), or None. The logits of row t may depend on rows before t and on earlier fields of row t. Row
        0 is the predecessor; its logits are not used.
        """
        raise NotImplementedError

    def predict(
        self, values: Tensor, plan: Tensor | None = None, state: Any = None
    ) -> tuple[dict[str, Tensor], Any]:
        """Return logits (B, T+1, size) as `forward` does, and a state from which the next call continues.

        `values` are (B, T+1, F), `plan` (B, P) or None; with `state`, row 0 is the last row of the call that
        returned it. Here the state is the last `window` rows, which are read again; a network that can
        continue faster overrides this.
        """
        rows = values if state is None else torch.cat([state, values[:, 1:]], dim=1)
        predictions = self(rows, plan)
        new = {name: logits[:, -values.shape[1] :] for name, logits in predictions.items()}
        return new, rows[:, -self.config.window :]

    def targets(self, values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Return the class (B, T+1) of each choice that is to be predicted, of `values` (B, T+1, F)."""
        return cross_entropy.targets(self.config.fields, values, learn)

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy in nats a row: "loss", and each field's part of it.

        `values` and `learn` are (B, T+1, F), `predictions` those of `forward`.
        """
        return cross_entropy.CrossEntropyLoss(self.config.fields)(predictions, values, learn)

    def optimizer(self, lr: float = 2e-3) -> torch.optim.Optimizer:
        """AdamW; vectors (biases, scales) do not decay."""
        weights = list(self.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": self.config.weight_decay},
            {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99))

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON: the class called with them is this network again."""
        return {**self._settings, "fields": [field._asdict() for field in self.config.fields]}
