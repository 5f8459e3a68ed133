"""Any network of torch as a step: the same answers as of the numpy steps, and of the network itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ritornello.legacy2018.messages import Messages
from ritornello.legacy2018.network import OriginalNetwork
from ritornello.legacy2018.step import OriginalStep
from ritornello.models.torch_step import TorchStep
from tests.models.chains import TABLE, network, rows
from tests.models.trained_chains import PAIRS, apart, by_step, by_torch, weights


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("plan_size", [0, 2])
def test_equal_to_the_network(kind: str, plan_size: int) -> None:
    net = network(PAIRS[kind][0], plan_size=plan_size, window=4)
    values, plans = rows(3, 9).numpy(), np.random.default_rng(1).random((3, plan_size))
    step = TorchStep(net, TABLE)
    for _ in range(2):
        step.start(plans)
        assert apart(by_step(step, values, TABLE), by_torch(net, values, TABLE, plans)) <= 1e-5


class Forgetful(torch.nn.Module):
    """A network without `predict`: it counts classes of the last rows, and reads all of its own row's."""

    class config:  # noqa: N801
        window = 3

    def forward(self, values: Any, plan: Any = None) -> dict[str, Any]:
        total = torch.cumsum(values.float().sum(-1), dim=1)  # (B, T + 1)
        return {field.name: total[..., None].expand(-1, -1, field.size) for field in TABLE}


def test_a_network_without_a_state_reads_its_window_again() -> None:
    values = rows(2, 8).numpy()
    step = TorchStep(Forgetful(), TABLE)
    step.start(np.zeros((2, 0)))
    by_step(step, values, TABLE)
    step.begin({})
    for column, field in enumerate(TABLE):
        step.put(field.name, [column, 0])
    expected = values[:, -3:].sum((1, 2)) + np.array([sum(range(len(TABLE))), 0])
    assert np.array_equal(step.logits("c")[:, 0], expected)


def test_reals_go_the_same_way() -> None:
    torch.manual_seed(0)
    net = OriginalNetwork({"window": 4})
    fields, given = Messages.fields, np.random.default_rng(0).random((2, 9, 3)).astype(np.float32)
    steps = [TorchStep(net, fields), OriginalStep(weights(net), net.settings())]
    for step in steps:
        step.start(np.zeros((2, 0)))
        for row in given.swapaxes(0, 1):
            step.begin({})
            for column, field in enumerate(fields):
                step.put(field.name, row[:, column])
            step.advance()
        step.begin({})
    for field in fields:
        assert np.allclose(*(step.logits(field.name) for step in steps), atol=1e-5)
