"""`lstm` one row at a time, in numpy: the same numbers as networks/lstm.py."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ritornello.models.chain.step import ChainStep, product, rms_norm, transposed
from ritornello.models.chain.weight_checks import Floats, Shapes, StepConfig


class LstmLayerStep:
    """RMSNorm and an LSTM, whose two products are one: what it reads lies beside what it said last."""

    def __init__(self, arrays: Mapping[str, Floats], sizes: StepConfig) -> None:
        self.width = width = sizes.width
        # sigmoid(x) = 0.5 + 0.5 tanh(x / 2): with the halves in the weights, one tanh serves all gates
        order = np.arange(4 * width).reshape(4, width)[[0, 1, 3, 2]].ravel()  # input, forget, output, cell
        half = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), width)
        joined = np.concatenate([arrays["input.weight"], arrays["recurrent.weight"]], axis=1)[order]
        self.matrix = transposed(joined, half)  # (2W, 4W)
        self.bias = arrays["bias"][order] * half

    def start(self, songs: int) -> None:
        """Begin with a state of zeros."""
        self._joined = np.zeros((songs, 2 * self.width), np.float32)
        self._cell = np.zeros((songs, self.width), np.float32)

    def keep(self, songs: npt.NDArray[np.intp]) -> None:
        """Go on with some of the songs."""
        self._joined, self._cell = self._joined[songs], self._cell[songs]

    def __call__(self, hidden: Floats) -> Floats:
        """The next hidden (B, W)."""
        width, joined, cell = self.width, self._joined, self._cell
        joined[:, :width] = rms_norm(hidden)
        gates = product(joined, self.matrix)
        gates += self.bias
        np.tanh(gates, out=gates)
        opened = gates[:, : 3 * width]
        opened *= np.float32(0.5)
        opened += np.float32(0.5)
        cell *= gates[:, width : 2 * width]
        cell += gates[:, :width] * gates[:, 3 * width :]
        said = joined[:, width:]
        np.tanh(cell, out=said)
        said *= gates[:, 2 * width : 3 * width]
        found: Floats = hidden + said
        return found


class LstmStep(ChainStep):
    """The network for a batch of songs."""

    layer = LstmLayerStep

    @staticmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """The weights of a layer and their shapes."""
        gates, width = 4 * sizes.width, sizes.width
        return {"input.weight": (gates, width), "recurrent.weight": (gates, width), "bias": (gates,)}
