"""Keras's LSTM, Dense and Adam in torch, to the last detail, so that a network is the same in both.

Weights have Keras's names and shapes (inputs first) and begin as Keras's do. What differs from
torch's own: the LSTM has one bias, its forget gate's begins at 1, and Adam adds its epsilon elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """Glorot uniform kernel, orthogonal recurrent kernel, zero bias but for the forget gate's 1.

    The four gates lie beside each other in the columns: input, forget, cell, output.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, 4 * units)))
        self.recurrent_kernel = nn.Parameter(nn.init.orthogonal_(torch.empty(units, 4 * units)))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        with torch.no_grad():
            self.bias[units : 2 * units] = 1

    def forward(self, values: Tensor) -> Tensor:
        """The hidden state after each row, from a state of zeros: (B, T, inputs) to (B, T, units)."""
        zeros = values.new_zeros(1, len(values), len(self.recurrent_kernel))
        # torch has the outputs first; its gates are in Keras's order, and its second bias stays 0
        kernels = [self.kernel.t().contiguous(), self.recurrent_kernel.t().contiguous()]
        states, _, _ = torch.lstm(  # what nn.LSTM calls, which insists on a second bias of its own
            values,
            (zeros, zeros),
            [*kernels, self.bias, torch.zeros_like(self.bias)],
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=self.training,
            bidirectional=False,
            batch_first=True,
        )
        return states


class Dense(nn.Module):
    """Without an activation, Keras's default: Glorot uniform kernel, zero bias."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, units)))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, values: Tensor) -> Tensor:
        """(..., inputs) to (..., units)."""
        return values @ self.kernel + self.bias


class Adam(torch.optim.Optimizer):
    """Kingma and Ba, "Adam" (arXiv 1412.6980), with Keras's defaults, in the order of the end of section 2:

    the bias corrections go into the step size, and epsilon is added to the root that is not corrected.
    torch.optim.Adam corrects the root first, which makes its epsilon a larger one in the first steps.
    The state is tensors only: "step" (), "mean" and "square" like the weight.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step down the gradients; what `closure` (which computes them anew) returns, if there is one."""
        found = None
        if closure is not None:
            with torch.enable_grad():
                found = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, weight.grad, group)
        return found

    def _update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(weight), torch.zeros_like(weight)
        state["step"] += 1
        step, (beta1, beta2) = int(state["step"]), group["betas"]
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].lerp_(gradient.square(), 1 - beta2)
        size = group["lr"] * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        weight.addcdiv_(state["mean"], state["square"].sqrt().add_(group["epsilon"]), value=-size)
