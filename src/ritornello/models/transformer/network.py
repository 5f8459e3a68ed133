"""The network `transformer`: attention layers as the trunk of a chain network (`chain/network.py`).

Each layer computes hidden + Attention(RMSNorm(hidden)), then adds MLP(RMSNorm(.)) of the sum.

    size     width  layers  embedding  weights (for `notes`, without a plan)
    tiny        96       4         32   1.0 million
    small      256       4         32   4.8 million
    medium     384       7         48  15.8 million
    large      768       8         64  66.2 million

In each layer a row attends to itself and the `window` - 1 rows before it. Positions are encoded by rotation
(Su et al., RoFormer, arXiv 2104.09864), so only distances count, and a song may have any length.

The weights of layer n: layers.<n>.project.weight (3W, W) for query, key, value; .gather.weight (W, W);
.up.weight (4W, W); .down.weight (W, 4W); no biases. A head has 32 numbers.
"""

from typing import ClassVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.errors import InputError
from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.network import ChainNetwork, rms_norm
from ritornello.models.transformer.step import HEAD_WIDTH, WAVELENGTH_BASE


def rotate(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate the pairs (i, i + half) of heads (B, T, heads, HEAD_WIDTH) by angles (T, 1, HEAD_WIDTH / 2)."""
    a, b = values.chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


class TransformerLayer(nn.Module):
    """Attention within a window, then an MLP, each after RMSNorm."""

    def __init__(self, width: int, window: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.window = window
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.gather = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        with torch.no_grad():  # so that the sum over all layers begins as large as one layer's output
            for last in (self.gather, self.down):
                last.weight.mul_((2 * layers) ** -0.5)

    def forward(
        self, hidden: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the next hidden (B, T, W), and the keys and values of at most `window` - 1 last rows.

        Those are (B, rows, heads, HEAD_WIDTH) each.
        """
        added, state = self.attend(rms_norm(hidden), state)
        hidden = hidden + self.dropout(added)
        added = self.down(functional.silu(self.up(rms_norm(hidden))))
        return hidden + self.dropout(added), state

    def attend(self, values: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the attention of `values`, (B, T, W) each, and the state after these rows."""
        rows = values.shape[1]
        split = self.project(values).unflatten(-1, (3, -1, HEAD_WIDTH))  # (B, T, 3, heads, HEAD_WIDTH)
        query, key, value = split.unbind(2)  # (B, T, heads, HEAD_WIDTH) each
        if state is not None:
            key, value = torch.cat([state[0], key], dim=1), torch.cat([state[1], value], dim=1)
        unrotated = key
        total = key.shape[1]  # the state has keys without rotation, because only distances count
        cosine, sine = self.angles(total, query)
        query, key = rotate(query, cosine[-rows:], sine[-rows:]), rotate(key, cosine, sine)
        is_causal = total == rows <= self.window  # then no mask is needed
        means = functional.scaled_dot_product_attention(  # (B, heads, T, HEAD_WIDTH)
            query.transpose(1, 2),  # (B, heads, T, HEAD_WIDTH)
            key.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=None if is_causal else self.mask(rows, total, values),
            is_causal=is_causal,
        )
        first = max(0, total - self.window + 1)  # of the rows in the new state
        added: Tensor = self.gather(means.transpose(1, 2).flatten(2))  # (B, T, W)
        return added, (unrotated[:, first:], value[:, first:])

    def angles(self, rows: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine of the angle of each row and pair, (rows, 1, HEAD_WIDTH / 2) each."""
        pair = torch.arange(0, HEAD_WIDTH, 2, device=like.device, dtype=torch.float32)
        row = torch.arange(rows, device=like.device)[:, None, None]
        angle = row * WAVELENGTH_BASE ** (-pair / HEAD_WIDTH)
        return angle.cos().to(like.dtype), angle.sin().to(like.dtype)

    def mask(self, rows: int, total: int, like: Tensor) -> Tensor:
        """Return which of `total` rows each of the last `rows` rows attends to, (rows, total)."""
        column = torch.arange(total, device=like.device)
        distance = column[-rows:, None] - column
        return (distance >= 0) & (distance < self.window)


class Transformer(ChainNetwork):
    """The network. Raises InputError for a width that is not a multiple of HEAD_WIDTH."""

    sizes: ClassVar[dict[str, NetworkSize]] = {
        "tiny": NetworkSize(96, 4, 32),
        "small": NetworkSize(256, 4, 32),
        "medium": NetworkSize(384, 7, 48),
        "large": NetworkSize(768, 8, 64),
    }

    def layer(self) -> TransformerLayer:
        """Return a new layer of the trunk. Raises InputError."""
        config = self.config
        if config.width % HEAD_WIDTH:
            raise InputError(f"width {config.width}: must be a multiple of {HEAD_WIDTH}")
        return TransformerLayer(config.width, config.window, config.layers, config.dropout)
