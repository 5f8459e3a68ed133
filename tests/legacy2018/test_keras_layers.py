"""Keras's Adam by hand, resumed, and apart from torch's. Against Keras itself: test_convert.py."""

from __future__ import annotations

import pytest
import torch

from ritornello.legacy2018.keras_layers import Adam


def test_two_steps_by_hand() -> None:
    # g = 2, then 1; lr 0.1, betas 0.9 and 0.999, epsilon 1e-7
    # step 1: mean 0.2, square 0.004; size 0.1 sqrt(0.001) / 0.1; change 0.0316228 * 0.2 / (0.0632456 + 1e-7)
    # step 2: mean 0.28, square 0.004996; size 0.1 sqrt(0.001999) / 0.19 = 0.0235317; change
    #         0.0235317 * 0.28 / (0.0706824 + 1e-7) = 0.0932187
    weight = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    optimizer = Adam([weight], lr=0.1)
    for gradient, expected in ((2.0, 1 - 0.09999984), (1.0, 0.90000016 - 0.0932187)):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        assert weight.item() == pytest.approx(expected, abs=1e-6)


def test_epsilon_is_added_to_the_uncorrected_root() -> None:
    # for g = 1e-6 the uncorrected root, 3.1623e-8, is below epsilon 1e-7: the first step is
    # sqrt(1 - b2) / (1 - b1) * 1e-7 / (3.1623e-8 + 1e-7) = 0.2403; torch's is 1e-6 / (1e-6 + 1e-7) = 0.9091
    ours, theirs = (torch.zeros(1, dtype=torch.float64, requires_grad=True) for _ in range(2))
    for weight, optimizer in (
        (ours, Adam([ours], lr=1.0)),
        (theirs, torch.optim.Adam([theirs], 1.0, eps=1e-7)),
    ):
        weight.grad = torch.tensor([1e-6], dtype=torch.float64)
        optimizer.step()
    assert ours.item() == pytest.approx(-0.2403, abs=1e-4)
    assert theirs.item() == pytest.approx(-0.9091, abs=1e-4)


def test_its_state_resumes_to_the_last_bit() -> None:
    def run(weight: torch.Tensor, optimizer: Adam, steps: range) -> None:
        for step in steps:
            weight.grad = torch.sin(weight.detach() + step)
            optimizer.step()

    whole, part = torch.ones(5, requires_grad=True), torch.ones(5, requires_grad=True)
    run(whole, Adam([whole]), range(10))
    first = Adam([part])
    run(part, first, range(6))
    second = Adam([part])
    second.load_state_dict(first.state_dict())
    run(part, second, range(6, 10))
    assert torch.equal(whole, part)
    assert all(torch.is_tensor(value) for value in first.state_dict()["state"][0].values())


def test_weights_without_a_gradient_stay_and_a_closure_is_called() -> None:
    weight, other = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = Adam([weight, other], lr=0.1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (weight**2).sum()
        torch.autograd.backward(loss)
        return loss

    assert optimizer.step(closure).item() == 2.0
    assert torch.equal(other, torch.ones(2))
    assert weight.detach().tolist() == pytest.approx([0.9, 0.9], abs=1e-5)
