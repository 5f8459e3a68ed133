"""`transformer` one row at a time, in numpy: the same numbers as networks/transformer.py.

A layer keeps the keys and values of the last `window` rows in a ring. Keys are kept as turned by their row's
number, which torch counts from the start of what it looks at: only distances count. To be turned in one
multiplication, the pairs (i, i + half) of a head lie side by side here, as complex numbers.
"""

from __future__ import annotations

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

HEAD_WIDTH = 32  # this and the next as in networks/transformer.py
BASE = 10000.0
FIRST_ROOM = 64  # rows; doubled as a song grows, up to the window


@lru_cache(1 << 14)
def turn(row: int) -> npt.NDArray[np.complex64]:
    """What turns the pairs of a head (HEAD_WIDTH / 2,) in a row; from doubles, as rows may be many."""
    angle = row * BASE ** (-np.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)
    found: npt.NDArray[np.complex64] = np.exp(1j * angle).astype(np.complex64)
    return found


class TransformerLayerStep:
    """Attention within a window, then an MLP, each normed before."""

    def __init__(self, arrays: Mapping[str, Floats], sizes: StepConfig) -> None:
        self.width, self.window, self.heads = sizes.width, sizes.window, sizes.width // HEAD_WIDTH
        split = arrays["project.weight"].reshape(3, self.heads, 2, HEAD_WIDTH // 2, sizes.width)
        query, key = split[:2].swapaxes(2, 3).reshape(2, sizes.width, sizes.width)
        value = split[2].reshape(sizes.width, sizes.width)
        self.project = transposed(np.concatenate([query * HEAD_WIDTH**-0.5, key, value]))
        self.gather = transposed(arrays["gather.weight"])
        self.up = transposed(arrays["up.weight"], 0.5)
        self.down = arrays["down.weight"]

    def start(self, songs: int) -> None:
        """Begin with nothing read."""
        self.rows = 0
        shape = (2, songs, self.heads, min(FIRST_ROOM, self.window), HEAD_WIDTH)
        self._kept = np.empty(shape, np.float32)  # keys and values; row r is in slot r % room

    def keep(self, songs: npt.NDArray[np.intp]) -> None:
        """Go on with some of the songs."""
        self._kept = self._kept[:, songs]

    def __call__(self, hidden: Floats) -> Floats:
        """The next hidden (B, W)."""
        hidden = hidden + self.attend(rms_norm(hidden))
        hidden += product_by_outputs(silu_of_twice(product(rms_norm(hidden), self.up)), self.down)
        return hidden

    def attend(self, values: Floats) -> Floats:
        """What attention adds (B, W), from what is read (B, W) and the rows before."""
        room = self._kept.shape[3]
        if self.rows == room < self.window:
            more = np.empty((*self._kept.shape[:3], min(room, self.window - room), HEAD_WIDTH), np.float32)
            self._kept = np.concatenate([self._kept, more], axis=3)
            room = self._kept.shape[3]
        split = product(values, self.project).reshape(len(values), 3, self.heads, HEAD_WIDTH)
        turned = split[:, :2].view(np.complex64)  # (B, 2, heads, HEAD_WIDTH / 2)
        turned *= turn(self.rows)
        self._kept[..., self.rows % room, :] = split[:, 1:].swapaxes(0, 1)
        self.rows += 1
        keys, kept = self._kept[..., : min(self.rows, room), :]  # (B, heads, rows, HEAD_WIDTH) each
        weight = np.matmul(keys, split[:, 0, :, :, None])[..., 0]  # (B, heads, rows)
        weight -= np.maximum.reduce(weight, axis=-1, keepdims=True)
        np.exp(weight, out=weight)
        weight /= np.add.reduce(weight, axis=-1, keepdims=True)
        found = np.matmul(weight[:, :, None], kept)  # (B, heads, 1, HEAD_WIDTH)
        return product(found.reshape(len(values), self.width), self.gather)


class TransformerStep(ChainStep):
    """The network for a batch of songs."""

    layer = TransformerLayerStep

    @staticmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """The weights of a layer and their shapes. Raises ModelError for a width that heads do not fill."""
        width = sizes.width
        if width % HEAD_WIDTH:
            raise ModelError(f"network.config.width {width}, must be a multiple of {HEAD_WIDTH}")
        return {
            "project.weight": (3 * width, width),
            "gather.weight": (width, width),
            "up.weight": (4 * width, width),
            "down.weight": (width, 4 * width),
        }
