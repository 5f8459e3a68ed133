"""The network of drum feel: how each hit of a drum part is played, given the score and the hits before it.

Two small perceptrons draw first the velocity of a hit, then its offset from the grid, from distributions over
classes. They learned from the Groove MIDI Dataset (Gillick et al., Learning to Groove with Inverse Sequence
Transformations, 2019; CC BY 4.0); `examples/bundle/drum_feel.py` trains them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.performing.drum_hits import Floats, Hits, Ints

WEIGHTS = Path(__file__).with_name("drums.safetensors")
VELOCITY_WIDTH = 4  # of a class
VELOCITIES = 128 // VELOCITY_WIDTH
OFFSET_WIDTH_BEATS = 1 / 120  # of a class
MOST_OFFSET = 20  # the highest class on each side of 0: 1/6 beat
OFFSETS = 2 * MOST_OFFSET + 1
MEAN_VELOCITY, DEVIATION = 64.0, 32.0  # by which velocities are scaled
NETWORKS = ("velocity", "offset")
Weights = Mapping[str, npt.NDArray[np.float32]]


def played_features(earlier: Ints, velocity: Floats, offset_beats: Floats) -> npt.NDArray[np.float32]:
    """Return how earlier hits (N, E) were played (N, 3 E + 2), by the velocity 1-127 and offset (N,) of all.

    For each of them velocity, offset and whether there is one; then the means over the last ones.
    """
    is_there = earlier >= 0
    loudness = np.where(is_there, (velocity[earlier] - MEAN_VELOCITY) / DEVIATION, 0.0)
    shift = np.where(is_there, offset_beats[earlier] * 20, 0.0)
    last = np.maximum(is_there[:, :6].sum(axis=1, keepdims=True), 1)
    means = [column[:, :6].sum(axis=1, keepdims=True) / last for column in (loudness, shift)]
    return np.concatenate([loudness, shift, is_there, *means], axis=1, dtype=np.float32)


class DrumNetwork:
    """The weights of the network by name, matrices (inputs, outputs) and biases (outputs,); draws from it."""

    def __init__(self, weights: Weights) -> None:
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    def draw(
        self, hits: Hits, draw: np.random.Generator, given: Floats | None = None, trust: float = 0.0
    ) -> tuple[Floats, Floats]:
        """Draw velocities (N,), 1-127, and offsets (N,) in beats of hits, one after another.

        `given` (N,) are velocities that the hits have; 1 of `trust` keeps them, 0 ignores them.
        """
        count, known = hits.features.shape
        velocity, offset = np.zeros(count), np.zeros(count)
        first = {name: hits.features @ self._weights[f"{name}.0.weight"][:known] for name in NETWORKS}
        chances = draw.random((count, 4))
        for hit in range(count):
            played = played_features(hits.earlier[hit : hit + 1], velocity, offset)
            chosen = self._sampled("velocity", first["velocity"][hit], played, chances[hit, 0])
            own = VELOCITY_WIDTH * (chosen + chances[hit, 1])
            velocity[hit] = np.clip(own if given is None else own + trust * (given[hit] - own), 1, 127)
            loudness = (velocity[hit : hit + 1, None] - MEAN_VELOCITY) / DEVIATION
            played = np.concatenate([played, loudness, loudness**2], axis=1, dtype=np.float32)
            chosen = self._sampled("offset", first["offset"][hit], played, chances[hit, 2])
            offset[hit] = (chosen - MOST_OFFSET + chances[hit, 3] - 0.5) * OFFSET_WIDTH_BEATS
        return velocity, offset

    def probabilities(self, name: str, features: npt.NDArray[np.float32]) -> Floats:
        """Return the probabilities (n, classes) of `velocity` or `offset` for features (n, F)."""
        return self._rest(name, features @ self._weights[f"{name}.0.weight"])

    def _rest(self, name: str, hidden: npt.NDArray[np.float32]) -> Floats:
        """The probabilities (n, classes) after the first matrix product (n, H) of a network."""
        weights = self._weights
        hidden = np.maximum(hidden + weights[f"{name}.0.bias"], 0)
        hidden = np.maximum(hidden @ weights[f"{name}.1.weight"] + weights[f"{name}.1.bias"], 0)
        logits = (hidden @ weights[f"{name}.2.weight"] + weights[f"{name}.2.bias"]).astype(np.float64)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def _sampled(self, name: str, first: Any, played: npt.NDArray[np.float32], chance: float) -> int:
        """Draw a class by a random number 0-1; `first` (H,) is the product with the known features (1, F)."""
        rest = first + played @ self._weights[f"{name}.0.weight"][-played.shape[1] :]
        return int(np.searchsorted(np.cumsum(self._rest(name, rest)[0])[:-1], chance))


@lru_cache(maxsize=1)
def bundled() -> DrumNetwork:
    """Return the network that ships with Ritornello."""
    from safetensors.numpy import load_file

    return DrumNetwork(load_file(WEIGHTS))
