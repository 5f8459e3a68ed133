"""The network of 2018, exactly as Keras builds it: LSTM(48) > Dense(24) > Dense(3), 11,235 weights.

It reads T messages (rows of `messages`, three reals) and predicts the next one. The Dense layers are linear,
Keras's default. The weights have Keras's names and shapes, so that they go to Keras and back as they are:

    lstm.kernel            (3, 192)    the four gates beside each other: input, forget, cell, output
    lstm.recurrent_kernel  (48, 192)
    lstm.bias              (192,)      one bias; torch's second one is held at zero, outside the weights
    dense.kernel           (48, 24)    dense.bias    (24,)
    dense_1.kernel         (24, 3)     dense_1.bias  (3,)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ritornello.legacy2018.keras_layers import Adam, Dense, Lstm
from ritornello.legacy2018.loss import Original as Loss
from ritornello.legacy2018.step import FIELDS, MAX_WINDOW
from ritornello.models.chain.config import check_names, check_ranges
from ritornello.models.losses.curve import Curve

MAX_UNITS = 4096
RANGES = {"window": (1, MAX_WINDOW), "units": (1, MAX_UNITS), "hidden": (1, MAX_UNITS)}


@dataclass(frozen=True)
class OriginalConfig:
    """The sizes of the network; the defaults are those of 2018. Raises InputError."""

    window: int = 50
    """How many messages it reads to predict the next one (T)."""
    units: int = 48
    """Of the LSTM."""
    hidden: int = 24
    """Of the first Dense layer."""
    curve: Mapping[str, Any] | None = None
    """The note's loss as `Curve.to_dict` gives it; None is the curve through the default points."""

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> OriginalConfig:
        """The config that a dict says. Raises InputError."""
        check_names(cls, settings)
        return cls(**settings)


class Original(nn.Module):
    """The network, its loss and its optimizer. `config` may be a dict, as model.json holds it."""

    representation: ClassVar[str] = "messages"
    learns: ClassVar[str] = "last"  # only the last row of each window, which has the whole window before it
    halves: ClassVar[bool] = False  # it is computed in float32, as in 2018
    batch: ClassVar[int] = 256
    learning_rate: ClassVar[float] = 2e-3
    heldout: ClassVar[int] = 8192  # windows

    def __init__(self, config: OriginalConfig | Mapping[str, Any] | None = None) -> None:
        super().__init__()
        config = config or OriginalConfig()
        self.config = config if isinstance(config, OriginalConfig) else OriginalConfig.of(config)
        curve = Curve.fit() if self.config.curve is None else Curve.of(self.config.curve)
        self.criterion = Loss(curve)
        self.lstm = Lstm(len(FIELDS), self.config.units)
        self.dense = Dense(self.config.units, self.config.hidden)
        self.dense_1 = Dense(self.config.hidden, len(FIELDS))

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Predictions (B, T+1) for each field; that of row t comes from the rows before it in the crop.

        `values` is (B, T+1, 3). Row 0 is the predecessor, what is said of it (0) is void. `plan` is not read.
        """
        known = self.dense_1(self.dense(self.lstm(values[:, :-1])))  # (B, T, 3)
        predicted = nn.functional.pad(known, (0, 0, 1, 0))  # (B, T+1, 3)
        return {name: predicted[..., index] for index, name in enumerate(FIELDS)}

    def predict_next(self, window: Tensor) -> Tensor:
        """The message (B, 3) after `window` (B, T, 3), what Keras's model(window) gives."""
        found: Tensor = self.dense_1(self.dense(self.lstm(window)[:, -1]))
        return found

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The weighted parts "note", "velocity", "delta" and their sum "loss" (losses/original.py)."""
        return self.criterion(predictions, values, learn)

    def optimizer(self, lr: float = 1e-3) -> Adam:
        """The optimizer of 2018, Keras's Adam."""
        return Adam(self.parameters(), lr=lr)

    def settings(self) -> dict[str, Any]:
        """The config with the curve in it, as model.json holds it: `Original(settings)` is the same again."""
        return {**asdict(self.config), "curve": self.criterion.curve.to_dict()}
