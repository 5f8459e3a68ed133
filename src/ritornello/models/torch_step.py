"""Evaluate any network of torch one row at a time: for networks without a numpy step, such as a user's own.

The network is evaluated again for each choice, with the fields of the row that are known by then. This is
slow, but needs no code besides the network.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ritornello.representations.table import Field, start_row


class TorchStep:
    """A step (docs/architecture.md) around a network, which is set to evaluation mode.

    The network has `predict` as in `models/network.py`; if it has only `forward(values, plan)`, that gets
    the last `config.window` rows each time.
    """

    def __init__(self, network: torch.nn.Module, fields: tuple[Field, ...]) -> None:
        self.network: Any = network.eval()
        self.fields = fields
        self._column = {field.name: column for column, field in enumerate(fields)}
        first = next(iter(network.parameters()), torch.zeros(0))
        self._device = first.device
        self._type = torch.float32 if any(field.kind == "real" for field in fields) else torch.int64
        self.start(np.zeros((1, 0)))

    def start(self, plans: npt.ArrayLike) -> None:
        """Begin as many songs as there are plan vectors (B, P); P = 0: no plan."""
        vectors = torch.as_tensor(np.asarray(plans), dtype=torch.float32, device=self._device)
        self._plan = vectors if vectors.numel() else None
        row = torch.tensor(start_row(self.fields), dtype=self._type, device=self._device)
        self._rows = row.expand(len(vectors), 1, -1)  # (B, T, F), the finished rows
        self._state: Any = None
        self.begin({})

    def begin(self, known_first: Mapping[str, npt.ArrayLike]) -> None:
        """Begin a row with the values (B,) of the fields before the first choice."""
        self._row = self._rows[:, :1].clone()  # any valid classes: fields without a value yet are not read
        for field, values in known_first.items():
            self.put(field, values)

    def logits(self, field: str) -> npt.NDArray[np.float32]:
        """Return the logits (B, size) of a choice, or the real (B,); all earlier fields must have values."""
        logits: npt.NDArray[np.float32] = self._predict()[0][field][:, -1].float().cpu().numpy()
        return logits

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Set the row's `field` to values (B,)."""
        self._row[:, 0, self._column[field]] = torch.as_tensor(np.asarray(values), device=self._device)

    def advance(self) -> None:
        """Finish the row."""
        if hasattr(self.network, "predict"):
            self._state, self._rows = self._predict()[1], self._row
        else:
            self._rows = torch.cat([self._rows, self._row], dim=1)[:, -self.network.config.window :]

    @torch.no_grad()
    def _predict(self) -> tuple[dict[str, torch.Tensor], Any]:
        """Predictions for the present row, and the state after it."""
        values = torch.cat([self._rows, self._row], dim=1)  # (B, T+1, F)
        if hasattr(self.network, "predict"):
            result: tuple[dict[str, torch.Tensor], Any] = self.network.predict(
                values, self._plan, self._state
            )
            return result
        return self.network(values, self._plan), None
