"""The network `lstm`: residual LSTM layers as the trunk of a chain network (`chain/network.py`).

Each layer computes hidden + LSTM(RMSNorm(hidden)).

    size     width  layers  embedding  weights (for `notes`, without a plan)
    tiny       128       2         32   1.0 million
    small      384       2         32   5.0 million
    medium     640       3         48  16.2 million
    large     1024       6         64  64.4 million

The weights of layer n: layers.<n>.input.weight (4W, W), .recurrent.weight (4W, W), .bias (4W,). The gates
have torch's order: input, forget, cell, output.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.network import ChainNetwork, rms_norm


def run_lstm(
    values: Tensor, state: tuple[Tensor, ...], kernel: Tensor, recurrent: Tensor, bias: Tensor, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the outputs (B, T, U) of an LSTM for values (B, T, I), and the state (h, c), (1, B, U) each.

    The weights are (4U, I), (4U, U) and (4U,). nn.LSTM would learn a second bias; here it is zero.
    """
    weights = [kernel, recurrent, bias, torch.zeros_like(bias)]
    return torch.lstm(values, state, weights, True, 1, 0.0, training, False, True)  # one layer, batch first


class LstmLayer(nn.Module):
    """RMSNorm and an LSTM with one bias, which begins at 1 for the forget gate (Jozefowicz et al. 2015)."""

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
        """Return the next hidden (B, T, W), and the state (h, c) after it, (1, B, W) each."""
        values = rms_norm(hidden)
        state = state or (values.new_zeros(1, len(values), values.shape[-1]),) * 2
        weights = (self.input.weight, self.recurrent.weight, self.bias)
        added, h, c = run_lstm(values, state, *weights, self.training)
        return hidden + self.dropout(added), (h, c)


class Lstm(ChainNetwork):
    """The network; its sizes are in the module's docstring."""

    sizes: ClassVar[dict[str, NetworkSize]] = {
        "tiny": NetworkSize(128, 2, 32),
        "small": NetworkSize(384, 2, 32),
        "medium": NetworkSize(640, 3, 48),
        "large": NetworkSize(1024, 6, 64),
    }

    def layer(self) -> LstmLayer:
        """Return a new layer of the trunk."""
        return LstmLayer(self.config.width, self.config.dropout)
