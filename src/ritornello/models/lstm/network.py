"""`lstm`: residual LSTM layers between the common input and the chain head (`chain.py`).

    hidden + LSTM(RMSNorm(hidden)), layer by layer

    size     width  layers  embedding  weights (for `notes`, without a plan)
    tiny       128       2         32   0.9 million
    small      384       2         32   4.7 million
    medium     640       3         48  15.6 million
    large     1024       6         64  63.1 million

A layer's weights: layers.<n>.input.weight (4W, W), .recurrent.weight (4W, W), .bias (4W,);
gates in torch's order: input, forget, cell, output.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.network import ChainNetwork, rms_norm


class LstmLayer(nn.Module):
    """RMSNorm and an LSTM with one bias, whose forget gate's begins at 1 (Jozefowicz et al. 2015)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.input = nn.Linear(width, 4 * width, bias=False)
        self.recurrent = nn.Linear(width, 4 * width, bias=False)
        self.bias = nn.Parameter(torch.zeros(4 * width))
        nn.init.xavier_uniform_(self.input.weight)
        nn.init.orthogonal_(self.recurrent.weight)
        with torch.no_grad():
            self.bias[width : 2 * width] = 1

    def forward(
        self, hidden: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The next hidden (B, T, W), and the state (h, c), (1, B, W) each, to go on from."""
        values = rms_norm(hidden)
        state = state or (values.new_zeros(1, len(values), values.shape[-1]),) * 2
        weights = [self.input.weight, self.recurrent.weight, self.bias, torch.zeros_like(self.bias)]
        added, h, c = torch.lstm(  # what nn.LSTM calls, which insists on a second bias of its own
            values,
            state,
            weights,
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=self.training,
            bidirectional=False,
            batch_first=True,
        )
        return hidden + self.dropout(added), (h, c)


class Lstm(ChainNetwork):
    """The network, its loss and its optimizer."""

    sizes: ClassVar[dict[str, NetworkSize]] = {
        "tiny": NetworkSize(128, 2, 32),
        "small": NetworkSize(384, 2, 32),
        "medium": NetworkSize(640, 3, 48),
        "large": NetworkSize(1024, 6, 64),
    }

    def layer(self) -> LstmLayer:
        """A new layer of the trunk."""
        return LstmLayer(self.config.width, self.config.dropout)
