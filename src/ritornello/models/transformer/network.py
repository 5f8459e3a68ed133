"""`transformer`: pre-norm attention between the common input and the chain head (`chain.py`).

    hidden + Attention(RMSNorm(hidden)), then + MLP(RMSNorm(.)), layer by layer

    size     width  layers  embedding  weights (for `notes`, without a plan)
    tiny        96       4         32   0.9 million
    small      256       4         32   4.6 million
    medium     384       7         48  15.4 million
    large      768       8         64  65.2 million

A row attends to itself and the `window` - 1 rows before it, in each layer. Places are told by rotation (Su et
al., RoFormer, arXiv 2104.09864), so only distances count, and a song may be of any length.

A layer's weights: layers.<n>.project.weight (3W, W) for query, key, value, .gather.weight (W, W), .up.weight
(4W, W), .down.weight (W, 4W); no biases. Heads are 32 wide.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.errors import InputError
from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.network import ChainNetwork, rms_norm

HEAD_WIDTH = 32
BASE = 10000.0  # of the wavelengths, as in the paper


def rotate(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the pairs (i, i + half) of heads (B, T, heads, HEAD_WIDTH) by angles (T, 1, HEAD_WIDTH / 2)."""
    a, b = values.chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


class TransformerLayer(nn.Module):
    """Attention within a window, then an MLP, each normed before."""

    def __init__(self, width: int, window: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.window = window
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.gather = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        with torch.no_grad():  # what all layers add together begins as large as what one would
            for last in (self.gather, self.down):
                last.weight.mul_((2 * layers) ** -0.5)

    def forward(
        self, hidden: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The next hidden (B, T, W), and the keys and values to go on from.

        Those are (B, rows, heads, HEAD_WIDTH) each, of at most `window` - 1 rows.
        """
        added, state = self.attend(rms_norm(hidden), state)
        hidden = hidden + self.dropout(added)
        added = self.down(functional.silu(self.up(rms_norm(hidden))))
        return hidden + self.dropout(added), state

    def attend(self, values: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Attention over `values` (B, T, W) and the keys and values of rows before; the state after."""
        rows = values.shape[1]
        split = self.project(values).unflatten(-1, (3, -1, HEAD_WIDTH))  # (B, T, 3, heads, HEAD_WIDTH)
        query, key, value = split.unbind(2)  # (B, T, heads, HEAD_WIDTH) each
        if state is not None:
            key, value = torch.cat([state[0], key], dim=1), torch.cat([state[1], value], dim=1)
        places = key.shape[1]  # the keys are kept unturned: only distances count
        cosine, sine = self.angles(places, query)
        asked, turned = rotate(query, cosine[-rows:], sine[-rows:]), rotate(key, cosine, sine)
        plain = places == rows <= self.window  # no mask to write down
        found = functional.scaled_dot_product_attention(
            asked.transpose(1, 2),  # (B, heads, T, HEAD_WIDTH)
            turned.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=None if plain else self.mask(rows, places, values),
            is_causal=plain,
        )
        kept = max(0, places - self.window + 1)
        added: Tensor = self.gather(found.transpose(1, 2).flatten(2))
        return added, (key[:, kept:], value[:, kept:])

    def angles(self, places: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the angle of each place and pair, (places, 1, HEAD_WIDTH / 2) each."""
        pair = torch.arange(0, HEAD_WIDTH, 2, device=like.device, dtype=torch.float32)
        angle = torch.arange(places, device=like.device)[:, None, None] * BASE ** (-pair / HEAD_WIDTH)
        return angle.cos().to(like.dtype), angle.sin().to(like.dtype)

    def mask(self, rows: int, places: int, like: Tensor) -> Tensor:
        """Which of all places (columns) each of the last `rows` of them may look at, (rows, places)."""
        column = torch.arange(places, device=like.device)
        distance = column[-rows:, None] - column
        return (distance >= 0) & (distance < self.window)


class Transformer(ChainNetwork):
    """The network, its loss and its optimizer. Raises InputError for a width that heads do not fill."""

    sizes: ClassVar[dict[str, NetworkSize]] = {
        "tiny": NetworkSize(96, 4, 32),
        "small": NetworkSize(256, 4, 32),
        "medium": NetworkSize(384, 7, 48),
        "large": NetworkSize(768, 8, 64),
    }

    def layer(self) -> TransformerLayer:
        """A new layer of the trunk."""
        config = self.config
        if config.width % HEAD_WIDTH:
            raise InputError(f"width {config.width}, must be a multiple of {HEAD_WIDTH}")
        return TransformerLayer(config.width, config.window, config.layers, config.dropout)
