"""Any network of torch one row at a time: for one that has no file of its own here, such as a user's.

It is asked anew for each choice, with what of the row is put by then; slow, and nothing to prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ritornello.representations.table import Field, start_row


class TorchStep:
    """The protocol of a step around a network, which is left in evaluation.

    The network has `predict(values (B, T+1, F), plan, state) -> (predictions, state)` as networks/chain.py
    says, or else `forward(values, plan)`; that is given the last `config.window` rows again each time.
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
        """Begin as many songs as there are plans (B, P); of no numbers: nothing is asked for."""
        asked = torch.as_tensor(np.asarray(plans), dtype=torch.float32, device=self._device)
        self._plan = asked if asked.numel() else None
        row = torch.tensor(start_row(self.fields), dtype=self._type, device=self._device)
        self._rows = row.expand(len(asked), 1, -1)  # (B, T, F), what was taken
        self._state: Any = None
        self.begin({})

    def begin(self, known_first: Mapping[str, npt.ArrayLike]) -> None:
        """Begin a row, of which the fields before the first choice are (B,)."""
        self._row = self._rows[:, :1].clone()  # any valid classes: what is not put yet is not looked at
        for field, values in known_first.items():
            self.put(field, values)

    def logits(self, field: str) -> npt.NDArray[np.float32]:
        """The logits (B, size) of a choice, or the real (B,), once all fields before it are put."""
        found: npt.NDArray[np.float32] = self._ask()[0][field][:, -1].float().cpu().numpy()
        return found

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Say what the row's `field` is, (B,)."""
        self._row[:, 0, self._column[field]] = torch.as_tensor(np.asarray(values), device=self._device)

    def advance(self) -> None:
        """Take the row that was put."""
        if hasattr(self.network, "predict"):
            self._state, self._rows = self._ask()[1], self._row
        else:
            self._rows = torch.cat([self._rows, self._row], dim=1)[:, -self.network.config.window :]

    @torch.no_grad()
    def _ask(self) -> tuple[dict[str, torch.Tensor], Any]:
        """Predictions of the present row, and the state after it."""
        values = torch.cat([self._rows, self._row], dim=1)
        if hasattr(self.network, "predict"):
            found: tuple[dict[str, torch.Tensor], Any] = self.network.predict(values, self._plan, self._state)
            return found
        return self.network(values, self._plan), None
