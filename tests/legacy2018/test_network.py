"""The network of 2018: sizes, first weights, alignment, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ritornello.errors import InputError
from ritornello.legacy2018.messages import Messages
from ritornello.legacy2018.network import OriginalConfig, OriginalNetwork
from ritornello.legacy2018.step import FIELDS, shapes
from ritornello.models.losses.curve import Curve, CurvePoints


def predict_next(net: OriginalNetwork, window: torch.Tensor) -> torch.Tensor:
    """The message (B, 3) after `window` (B, T, 3), as Keras's `model(window)` predicts it."""
    message: torch.Tensor = net.dense_1(net.dense(net.lstm(window)[:, -1]))
    return message


def network(seed: int = 0, **settings: int) -> OriginalNetwork:
    torch.manual_seed(seed)
    return OriginalNetwork(settings)


def test_sizes_are_those_of_2018() -> None:
    net = network()
    counts = {
        layer: sum(p.numel() for p in getattr(net, layer).parameters())
        for layer in ("lstm", "dense", "dense_1")
    }
    assert counts == {"lstm": 9984, "dense": 1176, "dense_1": 75}
    assert sum(p.numel() for p in net.parameters()) == 11235


def test_the_state_is_the_weights_and_nothing_else() -> None:
    net = network(units=5, hidden=4)
    assert {name: tuple(t.shape) for name, t in net.state_dict().items()} == shapes(5, 4)
    assert net.state_dict().keys() == dict(net.named_parameters()).keys()


def test_its_fields_are_those_of_messages() -> None:
    assert tuple(field.name for field in Messages.fields) == FIELDS
    assert OriginalNetwork.representation == Messages.name


def test_first_weights_are_drawn_as_keras_draws_them() -> None:
    net = network()
    for layer, ends in (("lstm", 3 + 192), ("dense", 48 + 24), ("dense_1", 24 + 3)):
        kernel, limit = getattr(net, layer).kernel, (6 / ends) ** 0.5  # Glorot uniform
        assert 0.9 * limit < float(kernel.detach().abs().max()) <= limit
    rows = net.lstm.recurrent_kernel.detach()
    assert torch.allclose(rows @ rows.t(), torch.eye(48), atol=1e-5)
    assert net.lstm.bias.tolist() == [0.0] * 48 + [1.0] * 48 + [0.0] * 96
    assert not net.dense.bias.any() and not net.dense_1.bias.any()


def test_the_lstm_is_the_textbook_one() -> None:
    # Hochreiter and Schmidhuber with Gers's forget gate, written out in float64
    net = network(units=4, hidden=3)
    values = torch.rand(2, 6, 3)
    kernel, recurrent, bias = (p.detach().double() for p in net.lstm.parameters())
    h, c = torch.zeros(2, 4, dtype=torch.float64), torch.zeros(2, 4, dtype=torch.float64)
    states = net.lstm(values)
    for t in range(6):
        write, keep, cell, read = (values[:, t].double() @ kernel + h @ recurrent + bias).split(4, dim=1)
        c = torch.sigmoid(keep) * c + torch.sigmoid(write) * torch.tanh(cell)
        h = torch.sigmoid(read) * torch.tanh(c)
        assert torch.allclose(states[:, t].double(), h, atol=1e-6)


def test_a_prediction_sees_earlier_rows_only() -> None:
    net = network()
    values = torch.rand(2, 9, 3)
    before = net(values)
    for t in range(9):
        changed = values.clone()
        changed[:, t:] = torch.rand(2, 9 - t, 3)
        after = net(changed)
        for name in FIELDS:
            assert torch.equal(before[name][:, : t + 1], after[name][:, : t + 1])
            assert t == 8 or not torch.equal(before[name][:, t + 1 :], after[name][:, t + 1 :])


def test_forward_is_predict_next_of_every_beginning_and_void_at_row_0() -> None:
    net = network()
    values = torch.rand(3, 8, 3)
    found = torch.stack([net(values)[name] for name in FIELDS], dim=-1)  # (3, 8, 3)
    assert not found[:, 0].any()
    for t in range(1, 8):
        assert torch.allclose(found[:, t], predict_next(net, values[:, :t]), atol=1e-6)


def test_it_learns_a_repeating_tune() -> None:
    net = network(window=8)
    tune = np.array([[60, 64, 0.25], [60, 0, 0.5], [67, 80, 0.25], [67, 0, 0.5]]) / [128, 128, 1]
    rows = torch.tensor(np.tile(tune, (10, 1)), dtype=torch.float32)
    values = torch.stack([rows[i : i + 9] for i in range(8)])  # (8, 9, 3)
    learn = torch.zeros(values.shape, dtype=torch.bool)
    learn[:, -1] = True
    optimizer = net.optimizer(lr=0.01)
    losses = []
    for _ in range(300):
        found = net.loss(net(values), values, learn)
        optimizer.zero_grad()
        torch.autograd.backward(found["loss"])
        optimizer.step()
        losses.append(float(found["velocity"].detach()) + float(found["delta"].detach()))
    # the velocities and times are learnt; where among the curve's lows the note rests, the processor decides
    assert losses[-1] < 0.3 * losses[0]


def test_settings_give_the_same_network_and_loss_again() -> None:
    curve = Curve.fit(CurvePoints(octave=0.3))
    net = OriginalNetwork(OriginalConfig(window=20, units=6, hidden=5, curve=curve.to_dict()))
    again = OriginalNetwork(net.settings())
    assert again.settings() == net.settings()
    assert again.criterion.curve == curve
    assert OriginalNetwork().settings()["curve"] == Curve.fit().to_dict()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"window": 0}, "window 0: must be 1-1024"),
        ({"units": 10**6}, "units 1000000: must be 1-4096"),
        ({"hidden": 2.5}, "hidden 2.5: must be 1-4096"),
        ({"layers": 2}, "setting 'layers' of the network: must be one of window, units, hidden, curve"),
        ({"curve": {}}, "this is not a curve of a loss"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        OriginalNetwork(settings)
