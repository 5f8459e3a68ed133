"""The networks of feel: they predict how each note of a part is played, from the score and earlier notes.

For each quantity, such as velocity and offset from the grid, a small perceptron predicts a distribution over
classes, from which a value is drawn. Quantities are drawn in order; each perceptron also reads the values of
the quantities before its own. The bundled network of drums was trained on the Groove MIDI Dataset (Gillick et
al., Learning to Groove with Inverse Sequence Transformations, 2019; CC BY 4.0) by
`examples/bundle/drum_feel.py`; `learn` trains networks on the performances of a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError
from ritornello.performing.grid_notes import (
    BAR_AGO,
    BARS,
    LAST,
    Features,
    Floats,
    GridNotes,
    Ints,
    Recording,
    Values,
)

Weights = Mapping[str, npt.NDArray[Any]]


class Quantity(NamedTuple):
    """A quantity that is drawn of each note, such as its velocity.

    Its values are divided into `classes` classes of equal `width`. The value 0 is in class `zero`: in the
    middle of the class if `is_centred`, else where it begins. As an input of the network it is
    (value - mean) * factor; in training, `noise` is the standard deviation of noise that is added to it.
    Drawn values are limited to `least`-`most`.
    """

    name: str
    width: float
    classes: int
    zero: int
    is_centred: bool
    mean: float
    factor: float
    noise: float
    least: float = -np.inf
    most: float = np.inf

    def classes_of(self, values: Floats) -> Ints:
        """Return the classes (N,) of values (N,)."""
        number = np.rint(values / self.width) if self.is_centred else np.floor(values / self.width)
        classes: Ints = np.clip(number + self.zero, 0, self.classes - 1).astype(np.int64)
        return classes

    def value(self, chosen: int, chance: float) -> float:
        """Return the value at a share 0-1 of the width of the class `chosen`."""
        return (chosen - self.zero + chance - (0.5 if self.is_centred else 0)) * self.width

    def scaled(self, values: Floats) -> Floats:
        """Return values, of any shape, as inputs of the network."""
        return (values - self.mean) * self.factor


VELOCITY = Quantity("velocity", 4, 32, 0, False, 64, 1 / 32, 0.2, 1, 127)
OFFSET = Quantity("offset", 1 / 120, 41, 20, True, 0, 20.0, 0.4)  # beats, up to 1/6
# Of parts other than drums. With the noise of drums, a network predicted better (6.17 nats a note) than with
# three times as much (6.54), but playing alone it drifted: see the table of parts in benchmarks/RESULTS.md
RELATIVE_VELOCITY = Quantity("velocity", 4, 33, 16, True, 0, 1 / 16, 0.5)  # minus the mean of the part
LENGTH = Quantity("length", 1 / 16, 28, 0, False, 1, 4.0, 0.6, 0.05)  # divided by the written length


class FeelKind(NamedTuple):
    """A kind of network of feel."""

    file: str  # its name in a model folder
    plays: str
    quantities: tuple[Quantity, ...]
    inputs: int  # the number of inputs for the first quantity


DRUMS = FeelKind("drums.safetensors", "drums", (VELOCITY, OFFSET), 193)
PARTS = FeelKind("parts.safetensors", "parts", (RELATIVE_VELOCITY, OFFSET._replace(noise=0.6), LENGTH), 229)
WEIGHTS = Path(__file__).with_name(DRUMS.file)


def features_of(kind: FeelKind, notes: GridNotes, values: Values) -> Features:
    """Return the inputs (N, F + 2 Q) of N recorded notes, where Q is the number of quantities.

    The first F columns are the inputs for the first quantity; each later quantity reads two more columns.
    """
    played = played_features(kind.quantities, notes.earlier, values)
    return with_quantities(np.concatenate([notes.features, played], axis=1), kind.quantities, values)


def with_quantities(features: Features, quantities: tuple[Quantity, ...], values: Values) -> Features:
    """Return features (N, F) with two inputs more for each quantity: scaled values and squares."""
    scaled = [quantity.scaled(values[quantity.name])[:, None] for quantity in quantities]
    inputs = [column for each in scaled for column in (each, each**2)]
    return np.concatenate([features, *inputs], axis=1, dtype=np.float32)


def played_features(quantities: tuple[Quantity, ...], earlier: Ints, values: Values) -> Features:
    """Return inputs (N, F) that describe earlier notes (N, E), from the values (N,) of quantities.

    They are the scaled quantities of each earlier note, and whether it exists; then the means over the last
    notes, and over the notes of the bars before.
    """
    is_there = earlier >= 0
    columns = [np.where(is_there, each.scaled(values[each.name][earlier]), 0.0) for each in quantities]
    means = []
    for group in (slice(0, LAST), slice(BAR_AGO, BAR_AGO + BARS)):
        count = np.maximum(is_there[:, group].sum(axis=1, keepdims=True), 1)
        means += [column[:, group].sum(axis=1, keepdims=True) / count for column in columns]
    return np.concatenate([*columns, is_there, *means], axis=1, dtype=np.float32)


class FeelNetwork:
    """A network of a kind, from its weights by name: matrices (inputs, outputs) and biases (outputs,)."""

    def __init__(self, kind: FeelKind, weights: Weights) -> None:
        self.kind = kind
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    @cached_property
    def hash(self) -> str:
        """A hash of the weights, by which a recipe names the network."""
        data = b"".join(self._weights[name].tobytes() for name in sorted(self._weights))
        return sha256(data).hexdigest()[:16]

    def draw(
        self,
        notes: GridNotes,
        draw: np.random.Generator,
        known_values: Floats | None = None,
        trust: float = 0.0,
    ) -> Values:
        """Draw the quantities of N notes, one after another.

        `known_values` (N,) are those of the first quantity. `trust` (0-1) is the share with which they are
        mixed with the drawn values; 1 keeps them.
        """
        count, score_inputs = notes.features.shape
        quantities = self.kind.quantities
        values = {quantity.name: np.zeros(count) for quantity in quantities}
        first = {name: notes.features @ self._weights[f"{name}.0.weight"][:score_inputs] for name in values}
        chances = draw.random((count, 2 * len(quantities)))
        for note in range(count):
            played = played_features(quantities, notes.earlier[note : note + 1], values)
            for number, quantity in enumerate(quantities):
                name = quantity.name
                chosen = self._sampled(name, first[name][note], played, chances[note, 2 * number])
                value = quantity.value(chosen, chances[note, 2 * number + 1])
                if number == 0 and known_values is not None:
                    value += trust * (known_values[note] - value)
                values[name][note] = min(max(value, quantity.least), quantity.most)
                played = with_quantities(played, (quantity,), {name: values[name][note : note + 1]})
        return values

    def probabilities(self, name: str, features: Features) -> Floats:
        """Return the probabilities (n, classes) of a quantity; it reads the first features of (n, F)."""
        weights = self._weights[f"{name}.0.weight"]
        return self._rest(name, features[:, : len(weights)] @ weights)

    def nats(self, recording: Recording) -> Values:
        """Return the negative log-likelihood (N,) of each quantity of a recording, in nats."""
        features = features_of(self.kind, recording.notes, recording.values)
        nats = {}
        for quantity in self.kind.quantities:
            chosen = quantity.classes_of(recording.values[quantity.name])
            chances = self.probabilities(quantity.name, features)
            nats[quantity.name] = -np.log(chances[np.arange(len(chosen)), chosen])
        return nats

    def _rest(self, name: str, hidden: npt.NDArray[np.float32]) -> Floats:
        """The probabilities (n, classes) after the first matrix product (n, H) of a network."""
        weights = self._weights
        hidden = np.maximum(hidden + weights[f"{name}.0.bias"], 0)
        hidden = np.maximum(hidden @ weights[f"{name}.1.weight"] + weights[f"{name}.1.bias"], 0)
        logits = (hidden @ weights[f"{name}.2.weight"] + weights[f"{name}.2.bias"]).astype(np.float64)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def _sampled(self, name: str, first: Any, played: Features, chance: float) -> int:
        """Draw a class with a random number 0-1; `first` (H,) is what the first layer makes of the score."""
        rest = first + played @ self._weights[f"{name}.0.weight"][-played.shape[1] :]
        return int(np.searchsorted(np.cumsum(self._rest(name, rest)[0])[:-1], chance))


class FeelNetworks(NamedTuple):
    """The networks that perform a song."""

    drums: FeelNetwork | None = None  # None: the bundled network
    parts: FeelNetwork | None = None  # of all other parts; None: the rules

    @property
    def hashes(self) -> dict[str, Any]:
        """The hash of each network, by the name of its field in `Performance`; "" for none."""
        return {name: network.hash if network else "" for name, network in self._asdict().items()}


@lru_cache(maxsize=1)
def bundled() -> FeelNetwork:
    """Return the network of drums that ships with Ritornello."""
    return _read(DRUMS, WEIGHTS)


def of_model(folder: Path) -> FeelNetworks:
    """Return the networks that `learn` put into a model folder; it may have none. Raises ModelError."""
    files = [(kind, folder / kind.file) for kind in (DRUMS, PARTS)]
    return FeelNetworks(*(_read(kind, file) if file.is_file() else None for kind, file in files))


def _read(kind: FeelKind, file: Path) -> FeelNetwork:
    """Read a network from its weights. Raises ModelError if they do not belong to a network of this kind."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    names = [quantity.name for quantity in kind.quantities]
    try:
        weights = load_file(file)
        outputs = [weights[f"{name}.2.bias"].shape for name in names]
        inputs = [weights[f"{name}.0.weight"].shape[0] for name in names]
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(f"{str(file)!r} is not a network of the feel of {kind.plays}: {error}") from error
    expected = [kind.inputs + 2 * number for number in range(len(names))]
    if outputs != [(quantity.classes,) for quantity in kind.quantities] or inputs != expected:
        raise ModelError(
            f"{str(file)!r}: {inputs} inputs and {outputs} outputs do not match this version of Ritornello"
        )
    return FeelNetwork(kind, weights)
