"""The network of 2018, exactly as Keras builds it: LSTM(48) > Dense(24) > Dense(3), 11,235 weights.

It reads T messages (rows of `messages`, three reals) and predicts the next one. The Dense layers are linear,
as is Keras's default. The weights have Keras's names and shapes (`step.shapes`), so that `convert` only
copies them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ritornello.legacy2018.keras_layers import Adam, Dense, Lstm
from ritornello.legacy2018.loss import OriginalLoss
from ritornello.legacy2018.step import FIELDS, MAX_WINDOW
from ritornello.models.chain.config import check_names, check_ranges
from ritornello.models.losses.curve import Curve

MAX_UNITS = 4096
RANGES = {"window": (1, MAX_WINDOW), "units": (1, MAX_UNITS), "hidden": (1, MAX_UNITS)}


@dataclass(frozen=True)
class OriginalConfig:
    """The sizes of the network; the defaults are those of 2018. Raises InputError."""

    window: int = 50
    """How many messages it reads to predict the next one: T."""
    units: int = 48
    """The size of the LSTM."""
    hidden: int = 24
    """The size of the first Dense layer."""
    curve: Mapping[str, Any] | None = None
    """The loss of the note, as `Curve.to_dict` gives it; None is the curve through the default points."""
    weighting: str = "range"
    """What 20% of the note's amplitude means for velocity and delta: "range" or "variance", see `loss`."""

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> OriginalConfig:
        """The config of a dict of settings. Raises InputError."""
        check_names(cls, settings)
        return cls(**settings)


class OriginalNetwork(nn.Module):
    """The network, with its loss, optimizer and learning rate; `config` may be a dict, as in model.json."""

    representation: ClassVar[str] = "messages"
    learns: ClassVar[str] = "last"  # only the last row of a window has the whole window before it
    halves: ClassVar[bool] = False  # all is computed in float32, as in 2018
    batch: ClassVar[int] = 256
    learning_rate: ClassVar[float] = 2e-3
    heldout: ClassVar[int] = 8192  # windows

    def __init__(self, config: OriginalConfig | Mapping[str, Any] | None = None) -> None:
        super().__init__()
        config = config or OriginalConfig()
        self.config = config if isinstance(config, OriginalConfig) else OriginalConfig.of(config)
        curve = Curve.fit() if self.config.curve is None else Curve.from_dict(self.config.curve)
        self.criterion = OriginalLoss(curve, self.config.weighting)
        self.lstm = Lstm(len(FIELDS), self.config.units)
        self.dense = Dense(self.config.units, self.config.hidden)
        self.dense_1 = Dense(self.config.hidden, len(FIELDS))

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Predict each field (B, T+1) of `values` (B, T+1, 3); row t is predicted from the rows before it.

        Row 0 is the row before the crop; its prediction is 0 and means nothing. `plan` (B, P) is not read.
        """
        output = self.dense_1(self.dense(self.lstm(values[:, :-1])))  # (B, T, 3)
        predicted = nn.functional.pad(output, (0, 0, 1, 0))  # (B, T+1, 3)
        return {name: predicted[..., index] for index, name in enumerate(FIELDS)}

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The loss of predictions (B, T+1) of each field: see `loss.OriginalLoss`."""
        return self.criterion(predictions, values, learn)

    def optimizer(self, lr: float = 1e-3) -> Adam:
        """The optimizer of 2018, Keras's Adam."""
        return Adam(self.parameters(), lr=lr)

    def settings(self) -> dict[str, Any]:
        """The config and the curve as model.json has them; they build the same network again."""
        return {**asdict(self.config), "curve": self.criterion.curve.to_dict()}
