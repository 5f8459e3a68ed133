"""The network of 2018 one row at a time, in numpy; it computes the same numbers as `network.py`.

As in 2018, each prediction starts from a zero state and reads exactly the last T messages. Reading them all
again for every message would take T small steps. Instead, T states are kept that began one row apart; each
new row updates all of them in one matrix product, and the oldest state predicts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError

FIELDS = ("note", "velocity", "delta")
MAX_WINDOW = 1024
Floats = npt.NDArray[np.float32]


def shapes(units: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the network's arrays, by Keras's names and in Keras's order, such as (inputs, outputs).

    The columns of the LSTM are its four gates: input, forget, cell, output.
    """
    return {
        "lstm.kernel": (len(FIELDS), 4 * units),
        "lstm.recurrent_kernel": (units, 4 * units),
        "lstm.bias": (4 * units,),
        "dense.kernel": (units, hidden),
        "dense.bias": (hidden,),
        "dense_1.kernel": (hidden, len(FIELDS)),
        "dense_1.bias": (len(FIELDS),),
    }


def sizes(weights: Mapping[str, npt.NDArray[Any]]) -> tuple[int, int]:
    """`units` and `hidden` of a network with these arrays, which must be those of `shapes`, such as (3, 192).

    Raises ModelError if an array is missing, unknown, or does not fit the others.
    """
    names = shapes(1, 1)
    for name in sorted(names.keys() ^ weights.keys()):
        problem = f"lacks {name}" if name in names else f"has {name!r}"
        raise ModelError(f"the network is not 'original': it {problem}: must have {', '.join(names)}")
    for name in ("lstm.recurrent_kernel", "dense.kernel"):
        if weights[name].ndim != 2 or 0 in weights[name].shape:
            raise ModelError(f"{name} has shape {weights[name].shape}: must have two dimensions")
    units, hidden = weights["lstm.recurrent_kernel"].shape[0], weights["dense.kernel"].shape[1]
    for name, shape in shapes(units, hidden).items():
        if weights[name].shape != shape:
            raise ModelError(f"{name} has shape {weights[name].shape}: must be {shape}")
        if weights[name].dtype.kind != "f":
            raise ModelError(f"{name} has type {weights[name].dtype}: must be floating-point")
    return units, hidden


class OriginalStep:
    """The network for B songs, with weights of `shapes`, such as (3, 192), and the window T of `config`.

    For each row: `begin`, `logits` and `put` for each field, `advance`. Before row T it predicts from the
    rows so far, before the first row from the zero state. Raises ModelError.
    """

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], config: Mapping[str, Any]) -> None:
        units, _ = sizes(weights)
        window = config.get("window")
        if not isinstance(window, int) or not 1 <= window <= MAX_WINDOW:
            raise ModelError(f"network.config.window {window!r}: must be 1-{MAX_WINDOW}")
        self.window, self.units = window, units
        arrays = {name: np.asarray(array, np.float32) for name, array in weights.items()}
        # sigmoid(x) = 0.5 + 0.5 tanh(x / 2): with the halves in the weights, one tanh serves all gates
        half = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), units)
        gates = np.arange(4 * units).reshape(4, units)[[0, 1, 3, 2]].ravel()  # input, forget, output, cell
        self._kernel, self._recurrent, self._bias = (
            np.ascontiguousarray(arrays[f"lstm.{name}"][..., gates] * half)
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        self._dense = [(arrays[f"{name}.kernel"], arrays[f"{name}.bias"]) for name in ("dense", "dense_1")]
        self.start([None])

    def start(self, plans: Sequence[Any] | npt.NDArray[Any]) -> None:
        """Begin a song for each of the plans (B,), which this network does not read."""
        self.songs, self.rows = len(plans), 0
        self._row = np.zeros((self.songs, len(FIELDS)), np.float32)
        # slot r % T has the state (h, c) that began with row r
        self._h, self._c = np.zeros((2, self.window, self.songs, self.units), np.float32)
        self._predicted: Floats | None = None

    def begin(self, known_first: Mapping[str, Any]) -> None:
        """Begin a row; this network reads no known fields."""

    def logits(self, field: str) -> Floats:
        """The predicted real (B,) of `field` for the next row."""
        if self._predicted is None:
            oldest = self.rows % self.window if self.rows >= self.window else 0
            output = self._h[oldest]  # (B, U)
            for kernel, bias in self._dense:
                output = output @ kernel + bias
            self._predicted = output
        return self._predicted[:, FIELDS.index(field)]

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Set a field of the next row, (B,)."""
        self._row[:, FIELDS.index(field)] = values

    def advance(self) -> None:
        """Read the row that was put with every state, and begin a new state with it."""
        slot, active = self.rows % self.window, min(self.rows + 1, self.window)
        self._h[slot] = self._c[slot] = 0
        h, c = self._h[:active], self._c[:active]  # (A, B, U)
        gates = (h.reshape(-1, self.units) @ self._recurrent).reshape(active, self.songs, -1)
        gates += self._row @ self._kernel + self._bias  # (A, B, 4U)
        np.tanh(gates, out=gates)
        open_ = gates[..., : 3 * self.units]
        open_ *= 0.5
        open_ += 0.5
        write, keep, read, cell = np.split(gates, 4, axis=-1)  # (A, B, U) each
        c *= keep
        c += write * cell
        np.tanh(c, out=h)
        h *= read
        self.rows += 1
        self._predicted = None
