"""The network of drum feel: it predicts velocity and timing of each hit from the score and earlier hits.

Two small perceptrons predict distributions over classes, from which first the velocity of a hit, then its
offset from the grid is drawn. They were trained on the Groove MIDI Dataset (Gillick et al.,
Learning to Groove with Inverse Sequence Transformations, 2019; CC BY 4.0);
`examples/bundle/drum_feel.py` trains them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError
from ritornello.performing.drum_hits import BAR_AGO, BARS, LAST, Floats, Hits, Ints, Recording

WEIGHTS = Path(__file__).with_name("drums.safetensors")
VELOCITY_WIDTH = 4  # velocities in a class
VELOCITIES = 128 // VELOCITY_WIDTH
OFFSET_WIDTH_BEATS = 1 / 120  # the width of a class
MOST_OFFSET = 20  # classes on each side of 0, up to 1/6 beat
OFFSETS = 2 * MOST_OFFSET + 1
MEAN_VELOCITY, DEVIATION = 64.0, 32.0  # the inputs for velocities are scaled by these
NETWORKS = ("velocity", "offset")
FEATURES = 193  # the number of inputs without the velocity of the hit
Weights = Mapping[str, npt.NDArray[Any]]


def classes_of(velocity: Floats, offset_beats: Floats) -> tuple[Ints, Ints]:
    """Return the classes (N,) of velocities 1-127 and of offsets (N,) in beats."""
    offset = np.clip(np.rint(offset_beats / OFFSET_WIDTH_BEATS), -MOST_OFFSET, MOST_OFFSET)
    return (velocity // VELOCITY_WIDTH).astype(np.int64), (offset + MOST_OFFSET).astype(np.int64)


def features_of(recording: Recording) -> npt.NDArray[np.float32]:
    """Return the inputs (N, F) for the velocity of each hit of a recording."""
    hits = recording.hits
    played = played_features(hits.earlier, recording.velocity, recording.offset_beats)
    return np.concatenate([hits.features, played], axis=1)


def with_velocity(features: npt.NDArray[np.float32], velocity: Floats) -> npt.NDArray[np.float32]:
    """Return the inputs (N, F + 2) for offsets: features (N, F) and velocities (N,) 1-127."""
    loudness = (velocity[:, None] - MEAN_VELOCITY) / DEVIATION
    return np.concatenate([features, loudness, loudness**2], axis=1, dtype=np.float32)


def played_features(earlier: Ints, velocity: Floats, offset_beats: Floats) -> npt.NDArray[np.float32]:
    """Return inputs (N, 3 E + 4) that describe earlier hits (N, E), from velocities 1-127 and offsets (N,).

    They are velocity, offset and presence of each earlier hit; then the means over the last hits, and over
    those of the bars before.
    """
    is_there = earlier >= 0
    loudness = np.where(is_there, (velocity[earlier] - MEAN_VELOCITY) / DEVIATION, 0.0)
    shift = np.where(is_there, offset_beats[earlier] * 20, 0.0)
    means = []
    for group in (slice(0, LAST), slice(BAR_AGO, BAR_AGO + BARS)):
        count = np.maximum(is_there[:, group].sum(axis=1, keepdims=True), 1)
        means += [column[:, group].sum(axis=1, keepdims=True) / count for column in (loudness, shift)]
    return np.concatenate([loudness, shift, is_there, *means], axis=1, dtype=np.float32)


class DrumNetwork:
    """The network, from its weights by name: matrices (inputs, outputs) and biases (outputs,)."""

    def __init__(self, weights: Weights) -> None:
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    @cached_property
    def hash(self) -> str:
        """A hash of the weights, by which a recipe names the network."""
        data = b"".join(self._weights[name].tobytes() for name in sorted(self._weights))
        return sha256(data).hexdigest()[:16]

    def draw(
        self, hits: Hits, draw: np.random.Generator, given: Floats | None = None, trust: float = 0.0
    ) -> tuple[Floats, Floats]:
        """Draw velocities (N,), 1-127, and offsets (N,), in beats, for N hits, one after another.

        `given` (N,) are written velocities; `trust` is their share, 0-1, in the result: 1 keeps them.
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
            played = with_velocity(played, velocity[hit : hit + 1])
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
        """Draw a class with a random number 0-1; `first` (H,) is the product with the score's inputs."""
        rest = first + played @ self._weights[f"{name}.0.weight"][-played.shape[1] :]
        return int(np.searchsorted(np.cumsum(self._rest(name, rest)[0])[:-1], chance))


@lru_cache(maxsize=1)
def bundled() -> DrumNetwork:
    """Return the network that ships with Ritornello."""
    return _read(WEIGHTS)


def of_model(folder: Path) -> DrumNetwork | None:
    """Return the network that `learn` put into a model folder; None if there is none. Raises ModelError."""
    file = folder / WEIGHTS.name
    return _read(file) if file.is_file() else None


def _read(file: Path) -> DrumNetwork:
    """Read a network from its weights. Raises ModelError if they do not belong to a network of drum feel."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = load_file(file)
        outputs = [weights[f"{name}.2.bias"].shape for name in NETWORKS]
        inputs = [weights[f"{name}.0.weight"].shape[0] for name in NETWORKS]
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(f"{str(file)!r} is not a network of drum feel: {error}") from error
    if outputs != [(VELOCITIES,), (OFFSETS,)] or inputs != [FEATURES, FEATURES + 2]:
        raise ModelError(
            f"{str(file)!r}: {inputs} inputs and {outputs} outputs do not match this version of Ritornello"
        )
    return DrumNetwork(weights)
