"""The loss of 2018: its parts by hand, which values it counts, and its gradient."""

from __future__ import annotations

import pytest
import torch

from ritornello.errors import InputError
from ritornello.legacy2018.loss import OriginalLoss
from ritornello.models.losses.curve import Curve

LOSS = OriginalLoss()


def predicted(values: torch.Tensor) -> dict[str, torch.Tensor]:
    return {name: values[..., index] for index, name in enumerate(("note", "velocity", "delta"))}


def test_parts_by_hand() -> None:
    true = torch.tensor([[[60 / 128, 0.5, 0.25], [64 / 128, 0.5, 0.25]]])  # (1, 2, 3)
    said = torch.tensor([[[62 / 128, 0.6, 0.25], [64 / 128, 0.2, 1.25]]])
    found = LOSS(predicted(said), true, torch.ones(1, 2, 3, dtype=torch.bool))
    curve = Curve.fit()(torch.tensor([2.0, 0.0], dtype=torch.float64))
    assert float(found["note"]) == pytest.approx(float(curve.mean()), abs=1e-5)
    # a fifth of the mean squared error: 0.2 * (0.1^2 + 0.3^2) / 2 = 0.01; 0.2 * (0 + 1^2) / 2 = 0.1
    assert float(found["velocity"]) == pytest.approx(0.01, abs=1e-6)
    assert float(found["delta"]) == pytest.approx(0.1, abs=1e-6)
    assert float(found["loss"]) == pytest.approx(sum(float(found[k]) for k in ("note", "velocity", "delta")))


def test_by_variance_the_mean_of_the_values_costs_a_fifth() -> None:
    true = torch.zeros(1, 2, 3)
    true[0, :, 1] = torch.tensor([0.5 - 0.137**0.5, 0.5 + 0.137**0.5])
    true[0, :, 2] = torch.tensor([0.0, 2 * 0.002**0.5])
    said = true.clone()
    said[..., 1:] = true[..., 1:].mean(dim=1, keepdim=True)
    found = OriginalLoss(weighting="variance")(predicted(said), true, torch.ones(1, 2, 3, dtype=torch.bool))
    assert float(found["velocity"]) == pytest.approx(0.2, abs=1e-6)
    assert float(found["delta"]) == pytest.approx(0.2, abs=1e-6)
    with pytest.raises(InputError, match="weighting 'square': must be one of range, variance"):
        OriginalLoss(weighting="square")


def test_only_learnt_values_count() -> None:
    torch.manual_seed(0)
    true, said = torch.rand(4, 6, 3), torch.rand(4, 6, 3)
    learn = torch.zeros(4, 6, 3, dtype=torch.bool)
    learn[:, -1] = True
    one = LOSS(predicted(said), true, learn)
    other = LOSS(predicted(torch.where(learn, said, 9.0)), true, learn)
    last = LOSS(predicted(said[:, -1:]), true[:, -1:], learn[:, -1:])
    for name in one:
        assert float(one[name]) == float(other[name]) == pytest.approx(float(last[name]))


def test_fields_are_counted_separately_and_none_gives_0() -> None:
    true, said = torch.zeros(2, 3, 3), torch.ones(2, 3, 3)
    learn = torch.zeros(2, 3, 3, dtype=torch.bool)
    assert {name: float(value) for name, value in LOSS(predicted(said), true, learn).items()} == {
        "note": 0.0,
        "velocity": 0.0,
        "delta": 0.0,
        "loss": 0.0,
    }
    learn[0, 1, 2] = True
    found = LOSS(predicted(said), true, learn)
    assert float(found["loss"]) == float(found["delta"]) == pytest.approx(0.2)


def test_the_gradient_is_the_true_one() -> None:
    torch.manual_seed(0)
    true = torch.rand(3, 2, 3, dtype=torch.float64)
    said = torch.rand(3, 2, 3, dtype=torch.float64, requires_grad=True)
    learn = torch.rand(3, 2, 3) < 0.7
    assert torch.autograd.gradcheck(lambda x: LOSS(predicted(x), true, learn)["loss"], (said,))
