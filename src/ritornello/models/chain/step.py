"""The networks of `networks/chain.py` one row at a time in numpy: all but the trunk, which a subclass gives.

The order of a row is that of the table: what is known first goes into the trunk, whose context goes down the
chain. Nothing is computed before it is asked for: where no logits are (a row that is given, the fields that
WAIT and END leave void) only the trunk moves.

What takes time is reading the weights, once a row for a whole batch. So a table of vectors is multiplied by
the matrix behind it once, at the start, and a row gathers a few of the products; an LSTM's two matrices are
one; and a few songs go through products of matrix and vector, which read the matrix in place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError
from ritornello.models.chain.layout import ChoiceColumns, ColumnLayout
from ritornello.models.chain.weight_checks import (
    Floats,
    Shapes,
    StepConfig,
    check_weights,
    read_layout,
    weight_shapes,
)
from ritornello.representations.table import start_row

EPSILON = np.float32(1e-5)  # in a root mean square, as in networks/chain.py
# Up to this many songs, one matrix-vector product each is faster than a matrix product, which copies.
MAX_SONGS_ONE_BY_ONE = 6
Ints = npt.NDArray[np.intp]


def product(rows: Floats, matrix: Floats) -> Floats:
    """(B, K) times (K, N). Few rows go one by one, and so each as if it were alone, to the last bit."""
    if len(rows) == 1 or len(rows) > MAX_SONGS_ONE_BY_ONE:
        return rows @ matrix
    found = np.empty((len(rows), matrix.shape[1]), np.float32)
    for row, out in zip(rows, found, strict=True):
        np.dot(row, matrix, out=out)
    return found


def product_by_outputs(rows: Floats, weight: Floats) -> Floats:
    """The same from a matrix as torch has it (N, K): twice as fast from memory where K is far above N."""
    if len(rows) > MAX_SONGS_ONE_BY_ONE:
        found: Floats = (weight @ rows.T).T
        return found
    return np.stack([np.dot(weight, row) for row in rows])


def transposed(weight: Floats, scale: float | Floats = 1.0) -> Floats:
    """A matrix as torch has it (outputs, inputs) for `product`: (inputs, outputs), scaled."""
    return np.ascontiguousarray(weight.T) * np.asarray(scale, np.float32)


def rms_norm(hidden: Floats) -> Floats:
    """RMSNorm without a scale, (B, W)."""
    square: Floats = np.add.reduce(hidden * hidden, axis=-1, keepdims=True)
    square *= np.float32(1 / hidden.shape[-1])
    square += EPSILON
    np.sqrt(square, out=square)
    found: Floats = hidden / square
    return found


def silu_of_twice(half: Floats) -> Floats:
    """x sigmoid(x) of x = 2 `half`, which is overwritten. One tanh: sigmoid(x) = 0.5 + 0.5 tanh(x / 2)."""
    found: Floats = np.tanh(half)
    found *= half
    found += half
    return found


def move_into_one_array(parts: Iterable[Any]) -> None:
    """Move the matrices of some objects into one array.

    For arrays of 4 MB and more numpy asks for large pages; in small ones the places of a matrix's pages are
    looked up all the time, and a row takes a tenth to a fifth longer (measured).
    """
    found = [
        (part, name, array)
        for part in parts
        for name, array in vars(part).items()
        if isinstance(array, np.ndarray) and array.dtype == np.float32 and array.ndim == 2
    ]
    ends = np.cumsum(
        [-(-array.size // 16) * 16 for _, _, array in found]
    ).tolist()  # each begins a cache line
    room = np.empty(ends[-1], np.float32)
    for (part, name, array), end in zip(found, ends, strict=True):
        begin = end - -(-array.size // 16) * 16
        place = room[begin : begin + array.size].reshape(array.shape)
        place[:] = array
        setattr(part, name, place)


class ColumnSumStep:
    """For each of some columns the vector of its class; summed. `uses` is how many vectors a class has."""

    def __init__(
        self,
        layout: ColumnLayout,
        columns: Sequence[int],
        uses: Sequence[int],
        arrays: Mapping[str, Floats],
        name: str,
    ) -> None:
        matrices = iter(arrays[f"{name}.weight"])
        tables = [
            arrays[f"tables.{layout.tables[c]}"] for c, n in zip(columns, uses, strict=True) for _ in range(n)
        ]
        count = np.array([layout.classes[c] for c in columns], np.intp)
        rows = count * np.array(uses, np.intp)
        self.start = (np.cumsum(rows) - rows)[:, None]  # (C, 1)
        self.vectors = np.empty((int(rows.sum()), arrays[f"{name}.weight"].shape[2]), np.float32)
        place = 0
        for table, matrix in zip(tables, matrices, strict=True):
            np.matmul(table, matrix, out=self.vectors[place : place + len(table)])
            place += len(table)

    def __call__(self, classes: Ints) -> Floats:
        """Classes (C, B), of a second use raised by as many as there are, to (B, W)."""
        found: Floats = np.add.reduce(self.vectors.take(classes + self.start, axis=0), axis=0)
        return found


class FieldHeadStep:
    """One choice of the chain: what is added before it, and its logits."""

    def __init__(
        self, layout: ColumnLayout, choice: ChoiceColumns, arrays: Mapping[str, Floats], sizes: StepConfig
    ) -> None:
        name = f"head.{layout.fields[choice.column].name.replace('.', '_')}"
        candidates = layout.candidates
        columns = choice.put + choice.guesses
        forked = choice.contested if sizes.agreement else []
        uses = [1 + (column in forked) for column in columns]
        self.adds = ColumnSumStep(layout, columns, uses, arrays, f"{name}.adds") if uses else None
        self.columns = np.array(columns, np.intp)
        # where a candidate has guessed all so far, its second vectors: further on by as many as there are
        self.further = np.array([layout.classes[c] * (c in forked) for c in columns], np.intp)[:, None]
        self.whose = np.array(
            [candidates.index(layout.candidate(c)) if c in forked else 0 for c in columns], np.intp
        )
        # the guess of each candidate; of one that has none here the choice itself, which is right
        self.column, guessed = choice.column, {layout.candidate(c): c for c in choice.guesses}
        self.guesses = np.array([guessed.get(name, choice.column) for name in candidates], np.intp)
        self.hidden = transposed(arrays[f"{name}.hidden.weight"], 0.5)
        self.last = transposed(arrays[f"{name}.logits.weight"])
        self.biases = arrays[f"{name}.hidden.bias"] * np.float32(0.5), arrays[f"{name}.logits.bias"]

    def add(self, context: Floats, row: Ints, agreed: Ints) -> None:
        """Add to the context (B, W) what is put and guessed in the row (F, B) before this choice.

        `agreed` (candidates, B) is 1 where a candidate has guessed all earlier choices of the row.
        """
        if self.adds is not None:
            classes = row.take(self.columns, axis=0)
            if len(agreed):
                classes += self.further * agreed.take(self.whose, axis=0)
            context += self.adds(classes)

    def agree(self, row: Ints, agreed: Ints) -> None:
        """Once the choice is put: note which candidates have not guessed it."""
        agreed &= row.take(self.guesses, axis=0) == row[self.column]

    def logits(self, context: Floats) -> Floats:
        """The logits (B, size)."""
        half = product(context, self.hidden)
        half += self.biases[0]
        found = product(silu_of_twice(half), self.last)
        found += self.biases[1]
        return found


class ChainStep:
    """A network for a batch of B songs: start > begin > logits and put of each field in turn > advance.

    `weights` by the names in networks/chain.py, in float32 or float16; `config` as its `settings()`. Raises
    ModelError for weights or a config that fit no such network.
    """

    layer: ClassVar[Any]
    """(arrays by name, sizes) to a layer: `start(songs)`, and a call from hidden (B, W) to the next."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], config: Mapping[str, Any]) -> None:
        sizes, plan = StepConfig.of(config), read_layout(config)
        arrays = check_weights(weights, weight_shapes(plan, sizes, self.layer_shapes(sizes)))
        self.sizes, self.fields = sizes, plan.fields
        self._column = {field.name: column for column, field in enumerate(plan.fields)}
        self._first = len(plan.first)
        columns = [*range(len(plan.fields)), *plan.first]
        self._reads = ColumnSumStep(plan, columns, [1] * len(columns), arrays, "reads")
        self._plan = transposed(arrays["plan.weight"]) if sizes.plan_size else None
        self._layers = [
            self.layer({name: arrays[f"layers.{number}.{name}"] for name in self.layer_shapes(sizes)}, sizes)
            for number in range(sizes.layers)
        ]
        self._links = [FieldHeadStep(plan, choice, arrays, sizes) for choice in plan.choices]
        self._link = {plan.fields[link.column].name: number for number, link in enumerate(self._links)}
        self._candidates = len(plan.candidates)
        self._classes = np.array(plan.classes, np.intp)[:, None]
        move_into_one_array(
            [self._reads, *self._links, *(x.adds for x in self._links if x.adds), *self._layers]
        )
        self.start(np.zeros((1, sizes.plan_size), np.float32))

    def __copy__(self) -> ChainStep:
        """The same network for other songs: the weights are shared, `start` begins with what is its own."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), _layers=[copy(layer) for layer in self._layers])
        return other

    @staticmethod
    @abstractmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """The weights of a layer and their shapes. Raises ModelError for sizes that it cannot have."""

    def start(self, plans: npt.ArrayLike) -> None:
        """Begin as many songs as there are plans (B, P); zeros ask for nothing. Raises ModelError."""
        asked = np.asarray(plans, np.float32)
        if self._plan is not None and (asked.ndim != 2 or asked.shape[1] != self.sizes.plan_size):
            raise ModelError(f"plans of shape {asked.shape}, must be (songs, {self.sizes.plan_size})")
        self.songs = len(asked)
        self._asked = None if self._plan is None else product(asked, self._plan)
        self._row = np.empty((len(self.fields), self.songs), np.intp)
        self._row[:] = np.array(start_row(self.fields))[:, None]
        self._read = np.concatenate([self._row, self._row[: self._first]])  # row t-1, what is known first
        self._agreed = np.ones((self._candidates, self.songs), np.intp)
        for layer in self._layers:
            layer.start(self.songs)

    def keep(self, songs: npt.ArrayLike) -> None:
        """Between two rows: go on with some of the songs (their numbers, rising); the rest have ended."""
        kept = np.asarray(songs, np.intp)
        self.songs = len(kept)
        self._asked = None if self._asked is None else self._asked[kept]
        self._row, self._read = self._row[:, kept], self._read[:, kept]
        self._agreed = self._agreed[:, kept]
        for layer in self._layers:
            layer.keep(kept)

    def begin(self, known_first: Mapping[str, npt.ArrayLike]) -> None:
        """Begin a row, of which the fields before the first choice are (B,)."""
        for field, values in known_first.items():
            self.put(field, values)
        self._read[len(self.fields) :] = self._row[: self._first]
        hidden = self._reads(self._read)
        if self._asked is not None:
            hidden += self._asked
        for layer in self._layers:
            hidden = layer(hidden)
        self._hidden = hidden
        self._next = 0  # the next link whose part is to be added to the context

    def logits(self, field: str) -> Floats:
        """The logits (B, size) of a choice, once all fields before it are put. Each choice is asked once."""
        number = self._link[field]
        if self._next == 0:
            self._context = rms_norm(self._hidden)
            self._agreed[:] = 1
        while self._next <= number:
            if self._next:
                self._links[self._next - 1].agree(self._row, self._agreed)
            self._links[self._next].add(self._context, self._row, self._agreed)
            self._next += 1
        return self._links[number].logits(self._context)

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Say what the row's `field` is, (B,)."""
        self._row[self._column[field]] = values

    def advance(self) -> None:
        """Take the row that was put. Raises ModelError for a class that a field does not have."""
        wrong = (self._row < 0) | (self._row >= self._classes)
        if wrong.any():
            column, song = np.argwhere(wrong)[0].tolist()
            must = f"must be 0-{self._classes[column, 0] - 1}"
            raise ModelError(f"{self.fields[column].name} {self._row[column, song]}, {must}")
        self._read[: len(self.fields)] = self._row
