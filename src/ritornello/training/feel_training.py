"""Train a network of feel on recordings; the network of drums takes about two minutes on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ritornello.performing.feel_network import FeelKind, FeelNetwork, features_of, played_features
from ritornello.performing.grid_notes import Recording

WIDTH, DROPOUT, WEIGHT_DECAY = 128, 0.1, 0.05
BATCH, LEARNING_RATE, EPOCHS = 512, 3e-3, 14
Arrays = dict[str, npt.NDArray[np.float16]]  # weights (inputs, outputs) and biases (outputs,) by name
Nats = dict[str, float]


def train_feel_network(
    kind: FeelKind,
    recordings: Sequence[Recording],
    held_out: Sequence[Recording],
    *,
    epochs: int = EPOCHS,
    seconds: float | None = None,
    seed: int = 0,
    on_epoch: Callable[[int, Nats], None] | None = None,
) -> Arrays:
    """Train a network of a kind on recordings, and return its weights.

    They are those of the epoch with the fewest nats per note on `held_out`; `on_epoch` is called with each
    epoch and its nats. After the first epoch, none begins that would end after `seconds`.
    """
    began = time.monotonic()
    torch.manual_seed(seed)
    inputs, targets = _table(kind, recordings)
    networks = _networks(kind)
    optimiser = torch.optim.AdamW(networks.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = max(1, len(inputs) // BATCH)  # the rest is left out
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * batches)
    noise, best_nats, best_weights = _noise_of(kind), np.inf, Arrays()
    for epoch in range(epochs):
        networks.train()
        for rows in torch.split(torch.randperm(len(inputs))[: batches * BATCH], BATCH):
            chosen = {name: target[rows] for name, target in targets.items()}
            optimiser.zero_grad()
            _loss(kind, networks, inputs[rows], chosen, noise).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        weights = _weights(networks)
        nats = nats_per_note(FeelNetwork(kind, weights), held_out)
        if (total := sum(nats.values())) < best_nats:
            best_nats, best_weights = total, weights
        if on_epoch:
            on_epoch(epoch, nats)
        if seconds is not None and (time.monotonic() - began) * (epoch + 2) / (epoch + 1) > seconds:
            break
    return best_weights


def _networks(kind: FeelKind) -> nn.ModuleDict:
    """A network for each quantity, which also reads the values of the quantities before it."""
    return nn.ModuleDict(
        {
            quantity.name: _perceptron(kind.inputs + 2 * number, quantity.classes)
            for number, quantity in enumerate(kind.quantities)
        }
    )


def _loss(
    kind: FeelKind, networks: nn.ModuleDict, inputs: Tensor, targets: dict[str, Tensor], noise: Tensor
) -> Tensor:
    """The sum over quantities of the mean cross-entropy, from inputs (N, F) with noise and targets (N,)."""
    losses = []
    for number, quantity in enumerate(kind.quantities):
        width = kind.inputs + 2 * number
        features = inputs[:, :width]
        noisy = features + noise[:width] * torch.randn_like(features)
        losses.append(nn.functional.cross_entropy(networks[quantity.name](noisy), targets[quantity.name]))
    return torch.stack(losses).sum()


def nats_per_note(network: FeelNetwork, recordings: Sequence[Recording]) -> Nats:
    """Return the mean negative log-likelihood of each quantity of recordings, in nats per note."""
    nats_of_recordings = [network.nats(recording) for recording in recordings]
    names = [quantity.name for quantity in network.kind.quantities]
    return {name: float(np.concatenate([each[name] for each in nats_of_recordings]).mean()) for name in names}


def nats_of_shares(kind: FeelKind, recordings: Sequence[Recording], held_out: Sequence[Recording]) -> Nats:
    """Return the nats per note of `held_out` if each class is predicted by its share in `recordings`.

    This is a baseline: a network that has learnt more than the average way of playing has fewer nats.
    """
    nats = {}
    for quantity in kind.quantities:
        train, test = (
            quantity.classes_of(np.concatenate([each.values[quantity.name] for each in group]))
            for group in (recordings, held_out)
        )
        counts = np.bincount(train, minlength=quantity.classes) + 1.0
        nats[quantity.name] = float(-np.log(counts / counts.sum())[test].mean())
    return nats


def _noise_of(kind: FeelKind) -> Tensor:
    """The standard deviation (F,) of the noise that is added to each feature in training.

    It is 0 for features of the score. Features of earlier notes get noise because, when the network plays,
    these notes are its own draws; trained without noise, it would rely on them too much and drift.
    """
    quantities = kind.quantities
    earlier = np.zeros((1, 16), np.int64)
    at_mean = {each.name: np.array([float(each.mean)]) for each in quantities}
    plain = played_features(quantities, earlier, at_mean)[0]
    scale = np.zeros(len(plain), np.float32)
    for each in quantities:
        moved = at_mean | {each.name: at_mean[each.name] + 1 / each.factor}
        scale += each.noise * (played_features(quantities, earlier, moved)[0] != plain)
    score_noise = np.zeros(kind.inputs - len(scale), np.float32)
    return torch.from_numpy(np.concatenate([score_noise, scale, np.zeros(2 * len(quantities), np.float32)]))


def _table(kind: FeelKind, recordings: Sequence[Recording]) -> tuple[Tensor, dict[str, Tensor]]:
    """The features (n, F + 2 Q - 2) of all notes, of which each of Q quantities reads the first, and the
    classes (n,) of each."""
    width = kind.inputs + 2 * len(kind.quantities) - 2
    inputs = np.empty((sum(len(each.notes.place) for each in recordings), width), np.float32)
    start = 0
    for each in recordings:
        rows = features_of(kind, each.notes, each.values)[:, :width]
        inputs[start : start + len(rows)] = rows
        start += len(rows)
    targets = {
        quantity.name: quantity.classes_of(
            np.concatenate([each.values[quantity.name] for each in recordings])
        )
        for quantity in kind.quantities
    }
    return torch.from_numpy(inputs), {name: torch.from_numpy(values) for name, values in targets.items()}


def _perceptron(inputs: int, outputs: int) -> nn.Sequential:
    """Two hidden layers; features are dropped half as often as hidden numbers."""
    hidden = [nn.ReLU(), nn.Dropout(DROPOUT)]
    first = [nn.Dropout(DROPOUT / 2), nn.Linear(inputs, WIDTH), *hidden]
    return nn.Sequential(*first, nn.Linear(WIDTH, WIDTH), *hidden, nn.Linear(WIDTH, outputs))


def _weights(networks: nn.ModuleDict) -> Arrays:
    """The weights as `FeelNetwork` reads them."""
    arrays: Arrays = {}
    for name, network in networks.items():
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        for number, layer in enumerate(layers):
            weight, bias = layer.weight.detach().T.contiguous(), layer.bias.detach()
            arrays[f"{name}.{number}.weight"] = weight.numpy().astype(np.float16)
            arrays[f"{name}.{number}.bias"] = bias.numpy().astype(np.float16)
    return arrays
