"""Train the network of drum feel on recordings of drummers: about two minutes on one core."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ritornello.performing.drum_hits import BARS, LAST, SAME, Recording
from ritornello.performing.drum_network import (
    DEVIATION,
    MEAN_VELOCITY,
    NETWORKS,
    OFFSETS,
    VELOCITIES,
    DrumNetwork,
    classes_of,
    features_of,
    played_features,
    with_velocity,
)

WIDTH, DROPOUT, WEIGHT_DECAY = 128, 0.1, 0.05
BATCH, LEARNING_RATE, EPOCHS = 512, 3e-3, 14
# Noise that is added in training to how earlier hits were played, to scaled velocities and offsets: while the
# network plays, its own draws take their place, and without noise it trusts them so far that it drifts
VELOCITY_NOISE, OFFSET_NOISE = 0.2, 0.4
Arrays = dict[str, npt.NDArray[np.float16]]  # weights (inputs, outputs) and biases (outputs,) by name
Nats = dict[str, float]


def train_drum_network(
    recordings: Sequence[Recording],
    held_out: Sequence[Recording],
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    on_epoch: Callable[[int, Nats], None] | None = None,
) -> Arrays:
    """Return the weights of a network that learned from recordings.

    `on_epoch` gets the number of each epoch and the nats per hit of the recordings held out.
    """
    torch.manual_seed(seed)
    inputs, targets = _table(recordings)
    networks = nn.ModuleDict(
        {name: _perceptron(inputs[name].shape[1], size) for name, size in _sizes().items()}
    )
    optimiser = torch.optim.AdamW(networks.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    count = len(inputs["velocity"])
    batches = max(1, count // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * batches)
    noise = _noise_of(inputs)
    for epoch in range(epochs):
        networks.train()
        order = torch.randperm(count)
        for batch in range(batches):
            rows = order[batch * BATCH : (batch + 1) * BATCH]
            losses = []
            for name in NETWORKS:
                features = inputs[name][rows]
                noisy = features + noise[name] * torch.randn_like(features)
                losses.append(nn.functional.cross_entropy(networks[name](noisy), targets[name][rows]))
            optimiser.zero_grad()
            loss: Tensor = torch.stack(losses).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        if on_epoch:
            on_epoch(epoch, nats_per_hit(DrumNetwork(_weights(networks)), held_out))
    return _weights(networks)


def nats_per_hit(network: DrumNetwork, recordings: Sequence[Recording]) -> Nats:
    """Return the mean negative log-likelihood of velocities and offsets of recordings, in nats per hit."""
    found: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in NETWORKS}
    for recording in recordings:
        features = features_of(recording)
        known = {"velocity": features, "offset": with_velocity(features, recording.velocity)}
        classes = classes_of(recording.velocity, recording.offset_beats)
        for name, chosen in zip(NETWORKS, classes, strict=True):
            chances = network.probabilities(name, known[name])
            found[name].append(-np.log(chances[np.arange(len(chosen)), chosen]))
    return {name: float(np.concatenate(each).mean()) for name, each in found.items()}


def _noise_of(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The deviation of the noise of each feature (F,) of each network: 0 for what the score says."""
    earlier = np.full((1, LAST + SAME + BARS + 3), 0)
    one, other = (
        played_features(earlier, np.array([velocity]), np.array([offset]))
        for velocity, offset in ((MEAN_VELOCITY + DEVIATION, 0.0), (MEAN_VELOCITY, 1.0))
    )
    none = played_features(earlier, np.array([MEAN_VELOCITY]), np.array([0.0]))
    scale = VELOCITY_NOISE * (one != none) + OFFSET_NOISE * (other != none)
    found = {}
    for name, features in inputs.items():
        noise = np.zeros(features.shape[1], np.float32)
        end = inputs["velocity"].shape[1]
        noise[end - scale.shape[1] : end] = scale[0]
        found[name] = torch.from_numpy(noise)
    return found


def _sizes() -> dict[str, int]:
    """The classes of each network."""
    return dict(zip(NETWORKS, (VELOCITIES, OFFSETS), strict=True))


def _table(recordings: Sequence[Recording]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The features (n, F) and classes (n,) of all hits, for each network."""
    features = np.concatenate([features_of(recording) for recording in recordings])
    velocity = np.concatenate([recording.velocity for recording in recordings])
    offset = np.concatenate([recording.offset_beats for recording in recordings])
    inputs = {"velocity": features, "offset": with_velocity(features, velocity)}
    classes = classes_of(velocity, offset)
    return (
        {name: torch.from_numpy(values) for name, values in inputs.items()},
        {name: torch.from_numpy(values) for name, values in zip(NETWORKS, classes, strict=True)},
    )


def _perceptron(inputs: int, outputs: int) -> nn.Sequential:
    """Two hidden layers; features are dropped half as often as hidden numbers."""
    hidden = [nn.ReLU(), nn.Dropout(DROPOUT)]
    first = [nn.Dropout(DROPOUT / 2), nn.Linear(inputs, WIDTH), *hidden]
    return nn.Sequential(*first, nn.Linear(WIDTH, WIDTH), *hidden, nn.Linear(WIDTH, outputs))


def _weights(networks: nn.ModuleDict) -> Arrays:
    """The weights as `DrumNetwork` reads them."""
    found: Arrays = {}
    for name in NETWORKS:
        layers = [layer for layer in networks[name].modules() if isinstance(layer, nn.Linear)]
        for number, layer in enumerate(layers):
            weight, bias = layer.weight.detach().T.contiguous(), layer.bias.detach()
            found[f"{name}.{number}.weight"] = weight.numpy().astype(np.float16)
            found[f"{name}.{number}.bias"] = bias.numpy().astype(np.float16)
    return found
