"""Keras's LSTM, Dense and Adam in torch, so that a network is the same in both.

Weights have Keras's names, shapes (inputs first) and initial distributions. Torch's own LSTM has two biases
instead of one, and does not begin with 1 for the forget gate; torch's own Adam adds epsilon in another place.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ritornello.models.lstm.network import run_lstm


class Lstm(nn.Module):
    """An LSTM: Glorot uniform kernel, orthogonal recurrent kernel, bias 0, but 1 for the forget gate.

    The columns of the kernels are the four gates: input, forget, cell, output.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, 4 * units)))
        self.recurrent_kernel = nn.Parameter(nn.init.orthogonal_(torch.empty(units, 4 * units)))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        with torch.no_grad():
            self.bias[units : 2 * units] = 1

    def forward(self, values: Tensor) -> Tensor:
        """The hidden states (B, T, units) after each row of (B, T, inputs), from a zero state."""
        zeros = values.new_zeros(1, len(values), len(self.recurrent_kernel))
        # torch has outputs first, and gates in Keras's order
        kernels = (self.kernel.t().contiguous(), self.recurrent_kernel.t().contiguous())
        return run_lstm(values, (zeros, zeros), *kernels, self.bias, self.training)[0]


class Dense(nn.Module):
    """A linear layer with a Glorot uniform kernel and bias 0."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, units)))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, values: Tensor) -> Tensor:
        """The outputs (..., units) of inputs (..., inputs)."""
        return values @ self.kernel + self.bias


class Adam(torch.optim.Optimizer):
    """Adam (Kingma and Ba, arXiv 1412.6980) with Keras's defaults, in the form of the end of their section 2.

    The bias corrections are part of the step size, and epsilon is added to the uncorrected root.
    torch.optim.Adam corrects the root first, so that its epsilon has more effect in the first steps. The
    state of a weight is "step", a scalar, and "mean" and "square", of the weight's shape. `lr` is the
    learning rate.
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
        """Update the weights; a `closure` first computes the gradients, and returns the loss."""
        loss = torch.enable_grad()(closure)() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, weight.grad, group)
        return loss

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
