"""The network `lstm` for one row at a time in numpy; it gives the same numbers as lstm/network.py."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ritornello.models.chain.step import ChainStep, product, rms_norm, transposed
from ritornello.models.chain.weight_checks import Floats, Shapes, StepConfig


class LstmLayerStep:
    """RMSNorm and an LSTM, with one product of matrices instead of two: [input, last output] (B, 2W)."""

    def __init__(self, arrays: Mapping[str, Floats], sizes: StepConfig) -> None:
        """`arrays` are the layer's weights by name, with the shapes of `layer_shapes`, such as (4W, W)."""
        self.width = width = sizes.width
        # sigmoid(x) = 0.5 + 0.5 tanh(x / 2), so with halved weights one tanh computes all gates
        order = np.arange(4 * width).reshape(4, width)[[0, 1, 3, 2]].ravel()  # input, forget, output, cell
        half = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), width)
        joined = np.concatenate([arrays["input.weight"], arrays["recurrent.weight"]], axis=1)[order]
        self.matrix = transposed(joined, half)  # (2W, 4W)
        self.bias = arrays["bias"][order] * half

    def start(self, songs: int) -> None:
        """Begin a number of songs with a state of zeros."""
        self._joined = np.zeros((songs, 2 * self.width), np.float32)
        self._cell = np.zeros((songs, self.width), np.float32)

    def keep(self, songs: npt.NDArray[np.intp]) -> None:
        """Continue with some of the songs, by number (n,)."""
        self._joined, self._cell = self._joined[songs], self._cell[songs]

    def __call__(self, hidden: Floats) -> Floats:
        """Return the next hidden (B, W)."""
        width, joined, cell = self.width, self._joined, self._cell
        joined[:, :width] = rms_norm(hidden)
        gates = product(joined, self.matrix)  # (B, 4W): input, forget, output, cell
        gates += self.bias
        np.tanh(gates, out=gates)
        sigmoids = gates[:, : 3 * width]
        sigmoids *= np.float32(0.5)
        sigmoids += np.float32(0.5)
        cell *= gates[:, width : 2 * width]
        cell += gates[:, :width] * gates[:, 3 * width :]
        output = joined[:, width:]
        np.tanh(cell, out=output)
        output *= gates[:, 2 * width : 3 * width]
        next_hidden: Floats = hidden + output
        return next_hidden


class LstmStep(ChainStep):
    """The step of `lstm`."""

    layer = LstmLayerStep

    @staticmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """Return the weights of a layer and their shapes."""
        gates, width = 4 * sizes.width, sizes.width
        return {"input.weight": (gates, width), "recurrent.weight": (gates, width), "bias": (gates,)}
