"""The network `transformer` for one row at a time in numpy; the same numbers as transformer/network.py.

A layer stores the keys and values of the last `window` rows in a ring buffer. Keys are stored rotated by the
number of their row in the song; torch counts rows from the first of its input, but only distances matter. The
pairs (i, i + half) of a head lie side by side here, so that one complex multiplication rotates them.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError
from ritornello.models.chain.step import (
    ChainStep,
    product,
    product_by_outputs,
    rms_norm,
    silu_of_twice,
    transposed,
)
from ritornello.models.chain.weight_checks import Floats, Shapes, StepConfig

HEAD_WIDTH = 32
WAVELENGTH_BASE = 10000.0  # as in the paper of RoFormer
FIRST_CAPACITY_ROWS = 64  # of the ring buffer; doubled as a song grows, up to the window


@lru_cache(1 << 14)
def rotation(row: int) -> npt.NDArray[np.complex64]:
    """Return the factors (HEAD_WIDTH / 2,) that rotate the pairs of a head in a row.

    They are computed in double precision, because the number of a row may be large.
    """
    angle = row * WAVELENGTH_BASE ** (-np.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)
    factors: npt.NDArray[np.complex64] = np.exp(1j * angle).astype(np.complex64)
    return factors


class TransformerLayerStep:
    """Attention within a window, then an MLP, each after RMSNorm."""

    def __init__(self, arrays: Mapping[str, Floats], sizes: StepConfig) -> None:
        """`arrays` are the layer's weights by name, with the shapes of `layer_shapes`, such as (3W, W)."""
        self.width, self.window, self.heads = sizes.width, sizes.window, sizes.width // HEAD_WIDTH
        split = arrays["project.weight"].reshape(3, self.heads, 2, HEAD_WIDTH // 2, sizes.width)
        query, key = split[:2].swapaxes(2, 3).reshape(2, sizes.width, sizes.width)
        value = split[2].reshape(sizes.width, sizes.width)
        self.project = transposed(np.concatenate([query * HEAD_WIDTH**-0.5, key, value]))
        self.gather = transposed(arrays["gather.weight"])
        self.up = transposed(arrays["up.weight"], 0.5)
        self.down = arrays["down.weight"]

    def start(self, songs: int) -> None:
        """Begin a number of songs without earlier rows."""
        self.rows = 0
        shape = (2, songs, self.heads, min(FIRST_CAPACITY_ROWS, self.window), HEAD_WIDTH)
        self._ring = np.empty(shape, np.float32)  # keys and values; row r is at r % capacity

    def keep(self, songs: npt.NDArray[np.intp]) -> None:
        """Continue with some of the songs, by number (n,)."""
        self._ring = self._ring[:, songs]

    def __call__(self, hidden: Floats) -> Floats:
        """Return the next hidden (B, W)."""
        hidden = hidden + self.attend(rms_norm(hidden))
        hidden += product_by_outputs(silu_of_twice(product(rms_norm(hidden), self.up)), self.down)
        return hidden

    def attend(self, values: Floats) -> Floats:
        """Return the attention (B, W) of `values` (B, W) over this row and the rows before."""
        capacity = self._ring.shape[3]
        if self.rows == capacity < self.window:
            shape = (*self._ring.shape[:3], min(capacity, self.window - capacity), HEAD_WIDTH)
            more = np.empty(shape, np.float32)
            self._ring = np.concatenate([self._ring, more], axis=3)
            capacity = self._ring.shape[3]
        split = product(values, self.project).reshape(len(values), 3, self.heads, HEAD_WIDTH)
        pairs = split[:, :2].view(np.complex64)  # (B, 2, heads, HEAD_WIDTH / 2): query and key
        pairs *= rotation(self.rows)
        self._ring[..., self.rows % capacity, :] = split[:, 1:].swapaxes(0, 1)
        self.rows += 1
        keys, stored = self._ring[..., : min(self.rows, capacity), :]  # (B, heads, rows, HEAD_WIDTH) each
        weight = np.matmul(keys, split[:, 0, :, :, None])[..., 0]  # (B, heads, rows)
        weight -= np.maximum.reduce(weight, axis=-1, keepdims=True)
        np.exp(weight, out=weight)
        weight /= np.add.reduce(weight, axis=-1, keepdims=True)
        means = np.matmul(weight[:, :, None], stored)  # (B, heads, 1, HEAD_WIDTH)
        return product(means.reshape(len(values), self.width), self.gather)


class TransformerStep(ChainStep):
    """The step of `transformer`."""

    layer = TransformerLayerStep

    @staticmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """Return the weights of a layer and their shapes.

        Raises ModelError for a width that is not a multiple of HEAD_WIDTH.
        """
        width = sizes.width
        if width % HEAD_WIDTH:
            raise ModelError(f"network.config.width {width}: must be a multiple of {HEAD_WIDTH}")
        return {
            "project.weight": (3 * width, width),
            "gather.weight": (width, width),
            "up.weight": (4 * width, width),
            "down.weight": (width, 4 * width),
        }
