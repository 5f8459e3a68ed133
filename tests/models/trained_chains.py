"""What the tests of the chain networks' steps share: a step of a network of torch, and rows fed to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ritornello.models.chain.network import ChainNetwork
from ritornello.models.lstm.network import Lstm as LstmNetwork
from ritornello.models.lstm.step import LstmStep
from ritornello.models.transformer.network import Transformer as TransformerNetwork
from ritornello.models.transformer.step import TransformerStep
from ritornello.representations.table import Field, start_row

PAIRS = {"lstm": (LstmNetwork, LstmStep), "transformer": (TransformerNetwork, TransformerStep)}
Logits = dict[str, np.ndarray]  # field -> (B, T, size)


def weights(net: torch.nn.Module, halves: bool = False) -> dict[str, np.ndarray]:
    """As they come from disk."""
    kind = np.float16 if halves else np.float32
    return {name: array.detach().numpy().astype(kind) for name, array in net.state_dict().items()}


def by_step(step: Any, values: np.ndarray, table: tuple[Field, ...], ask: Any = None) -> Logits:
    """All logits for the rows (B, T, F), but where `ask(row, field)` says no."""
    found: dict[str, list[np.ndarray]] = {}
    first = next(column for column, field in enumerate(table) if field.kind == "choice")
    for t in range(values.shape[1]):
        step.begin({field.name: values[:, t, column] for column, field in enumerate(table[:first])})
        for column, field in enumerate(table[first:], first):
            if field.kind == "choice" and (ask is None or ask(t, field.name)):
                found.setdefault(field.name, []).append(step.logits(field.name))
            step.put(field.name, values[:, t, column])
        step.advance()
    return {name: np.stack(logits, axis=1) for name, logits in found.items()}


def by_torch(net: ChainNetwork, values: np.ndarray, table: tuple[Field, ...], plans: np.ndarray) -> Logits:
    """The same from the network, all rows at once behind the start row."""
    start = np.broadcast_to(np.array(start_row(table)), (len(values), 1, len(table)))
    with torch.no_grad():
        crop = torch.from_numpy(np.concatenate([start, values], axis=1))
        predictions = net.eval()(crop, torch.from_numpy(plans).float())
    return {name: logits[:, 1:].numpy() for name, logits in predictions.items()}


def apart(found: Logits, expected: Logits) -> float:
    """The largest difference, relative to the largest logit where that is above 1."""
    assert found.keys() == expected.keys()
    return max(
        float(np.abs(found[name] - logits).max() / max(1.0, np.abs(logits).max()))
        for name, logits in expected.items()
    )
