"""The networks of `chain/network.py` for one row at a time in numpy, without the trunk's layers.

The fields of a row are set in the order of the table: those known before any choice enter the trunk, whose
context passes the heads one after another. Logits are computed only when they are called for; in a row
without any (a given note, void fields after WAIT or END) only the trunk is evaluated.

Most of the time goes into reading the weights from memory, once a row for the whole batch. So each table of
embeddings is multiplied by its matrix once, at the beginning, and a row looks up a few of the products; the
two matrices of an LSTM are joined; and for few songs matrix-vector products read the matrix in place.
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

EPSILON = np.float32(1e-5)  # added to the mean square, as in chain/network.py
# Up to this many songs, one matrix-vector product each is faster than a matrix product, which copies.
MAX_SONGS_ONE_BY_ONE = 6
Ints = npt.NDArray[np.intp]  # of shape (...,)


def product(rows: Floats, matrix: Floats) -> Floats:
    """Multiply (B, K) by (K, N).

    Few rows are multiplied one by one, so that each result is bit for bit that of the row alone.
    """
    if len(rows) == 1 or len(rows) > MAX_SONGS_ONE_BY_ONE:
        return rows @ matrix
    products = np.empty((len(rows), matrix.shape[1]), np.float32)
    for row, out in zip(rows, products, strict=True):
        np.dot(row, matrix, out=out)
    return products


def product_by_outputs(rows: Floats, weight: Floats) -> Floats:
    """Multiply (B, K) by a matrix as torch stores it, (N, K): twice as fast if K is much larger than N."""
    if len(rows) > MAX_SONGS_ONE_BY_ONE:
        products: Floats = (weight @ rows.T).T
        return products
    return np.stack([np.dot(weight, row) for row in rows])


def transposed(weight: Floats, scale: float | Floats = 1.0) -> Floats:
    """Return the scaled transpose of a matrix: from torch's (outputs, inputs) to (inputs, outputs)."""
    return np.ascontiguousarray(weight.T) * np.asarray(scale, np.float32)


def rms_norm(hidden: Floats) -> Floats:
    """RMSNorm of (B, W), without a scale."""
    square: Floats = np.add.reduce(hidden * hidden, axis=-1, keepdims=True)
    square *= np.float32(1 / hidden.shape[-1])
    square += EPSILON
    np.sqrt(square, out=square)
    normed: Floats = hidden / square
    return normed


def silu_of_twice(half: Floats) -> Floats:
    """Return x sigmoid(x) for x = 2 `half`, any shape; `half` is overwritten.

    It takes one tanh, because sigmoid(x) = 0.5 + 0.5 tanh(x / 2).
    """
    result: Floats = np.tanh(half)
    result *= half
    result += half
    return result


def move_into_one_array(parts: Iterable[Any]) -> None:
    """Move the matrices that are attributes of some objects into one array.

    numpy requests large memory pages for arrays of 4 MB and more. In small arrays, address translation makes
    a row take 10 to 20% longer (measured).
    """
    matrices = [
        (part, name, array)
        for part in parts
        for name, array in vars(part).items()
        if isinstance(array, np.ndarray) and array.dtype == np.float32 and array.ndim == 2
    ]
    padded_sizes = [-(-array.size // 16) * 16 for _, _, array in matrices]  # each begins at a cache line
    ends = np.cumsum(padded_sizes).tolist()
    room = np.empty(ends[-1], np.float32)
    for (part, name, array), end in zip(matrices, ends, strict=True):
        begin = end - -(-array.size // 16) * 16
        place = room[begin : begin + array.size].reshape(array.shape)
        place[:] = array
        setattr(part, name, place)


class ColumnSumStep:
    """For each of some columns, the vector of its class; summed over the columns.

    `uses` is how many vectors a class has in each column, `arrays` are the weights by name, of any shape.
    """

    def __init__(
        self,
        layout: ColumnLayout,
        columns: Sequence[int],
        uses: Sequence[int],
        arrays: Mapping[str, Floats],
        name: str,
    ) -> None:
        matrices = iter(arrays[f"{name}.weight"])
        names = [layout.tables[c] for c, n in zip(columns, uses, strict=True) for _ in range(n)]
        tables = [arrays[f"tables.{table}"] for table in names]
        count = np.array([layout.classes[c] for c in columns], np.intp)
        rows = count * np.array(uses, np.intp)
        self.start = (np.cumsum(rows) - rows)[:, None]  # (C, 1)
        self.vectors = np.empty((int(rows.sum()), arrays[f"{name}.weight"].shape[2]), np.float32)
        place = 0
        for table, matrix in zip(tables, matrices, strict=True):
            np.matmul(table, matrix, out=self.vectors[place : place + len(table)])
            place += len(table)

    def __call__(self, classes: Ints) -> Floats:
        """Return (B, W) of classes (C, B); a class plus the number of classes means its second vector."""
        sums: Floats = np.add.reduce(self.vectors.take(classes + self.start, axis=0), axis=0)
        return sums


class FieldHeadStep:
    """The part of the chain head that predicts one field. `arrays` are the weights by name, of any shape."""

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
        # a candidate that has been right so far has its second vectors: their index is higher by the classes
        self.offset = np.array([layout.classes[c] * (c in forked) for c in columns], np.intp)[:, None]
        self.candidates = np.array(
            [candidates.index(layout.candidate(c)) if c in forked else 0 for c in columns], np.intp
        )
        # the column of each candidate's guess; without a guess the field itself, which is always right
        self.column, guessed = choice.column, {layout.candidate(c): c for c in choice.guesses}
        self.guesses = np.array([guessed.get(name, choice.column) for name in candidates], np.intp)
        self.hidden = transposed(arrays[f"{name}.hidden.weight"], 0.5)
        self.last = transposed(arrays[f"{name}.logits.weight"])
        self.biases = arrays[f"{name}.hidden.bias"] * np.float32(0.5), arrays[f"{name}.logits.bias"]

    def add(self, context: Floats, row: Ints, agreed: Ints) -> None:
        """Add to the context (B, W) the columns of the row (F, B) that are known before this field.

        `agreed` (candidates, B) is 1 where a candidate has been right in all earlier fields of the row.
        """
        if self.adds is not None:
            classes = row.take(self.columns, axis=0)
            if len(agreed):
                classes += self.offset * agreed.take(self.candidates, axis=0)
            context += self.adds(classes)

    def mark_wrong_guesses(self, row: Ints, agreed: Ints) -> None:
        """Set `agreed` (candidates, B) to 0 where a guess in the row (F, B) is not this field's value."""
        agreed &= row.take(self.guesses, axis=0) == row[self.column]

    def logits(self, context: Floats) -> Floats:
        """Return the logits (B, size) for a context (B, W)."""
        half = product(context, self.hidden)
        half += self.biases[0]
        logits = product(silu_of_twice(half), self.last)
        logits += self.biases[1]
        return logits


class ChainStep:
    """A network for a batch of B songs: start > begin > logits and put for each field in turn > advance.

    `weights` have the names and shapes in chain/network.py, such as (W, P), in float32 or float16; `config`
    is what `settings()` returns. Raises ModelError for weights or a config that fit no such network.
    """

    layer: ClassVar[Any]
    """The class of a layer, created with arrays by name and sizes.

    A layer has `start(songs)` and `keep(songs)`; called with hidden (B, W), it returns the next hidden.
    """

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], config: Mapping[str, Any]) -> None:
        sizes, layout = StepConfig.from_config(config), read_layout(config)
        arrays = check_weights(weights, weight_shapes(layout, sizes, self.layer_shapes(sizes)))
        self.sizes, self.fields = sizes, layout.fields
        self._column = {field.name: column for column, field in enumerate(layout.fields)}
        self._first = len(layout.first)
        columns = [*range(len(layout.fields)), *layout.first]
        self._reads = ColumnSumStep(layout, columns, [1] * len(columns), arrays, "reads")
        self._plan = transposed(arrays["plan.weight"]) if sizes.plan_size else None
        self._layers = [
            self.layer({name: arrays[f"layers.{number}.{name}"] for name in self.layer_shapes(sizes)}, sizes)
            for number in range(sizes.layers)
        ]
        self._heads = [FieldHeadStep(layout, choice, arrays, sizes) for choice in layout.choices]
        self._head_number = {layout.fields[head.column].name: n for n, head in enumerate(self._heads)}
        self._candidates = len(layout.candidates)
        self._classes = np.array(layout.classes, np.intp)[:, None]
        adds = [head.adds for head in self._heads if head.adds]
        move_into_one_array([self._reads, *self._heads, *adds, *self._layers])
        self.start(np.zeros((1, sizes.plan_size), np.float32))

    def __copy__(self) -> ChainStep:
        """Copy the network for other songs; the weights are shared, the state is its own after `start`."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), _layers=[copy(layer) for layer in self._layers])
        return other

    @staticmethod
    @abstractmethod
    def layer_shapes(sizes: StepConfig) -> Shapes:
        """Return the weights of a layer and their shapes. Raises ModelError for sizes that it cannot have."""

    def start(self, plans: npt.ArrayLike) -> None:
        """Begin as many songs as there are plan vectors (B, P); zeros are unknown. Raises ModelError."""
        vectors = np.asarray(plans, np.float32)
        if self._plan is not None and (vectors.ndim != 2 or vectors.shape[1] != self.sizes.plan_size):
            raise ModelError(f"plans of shape {vectors.shape}: must be (songs, {self.sizes.plan_size})")
        self.songs = len(vectors)
        self._from_plan = None if self._plan is None else product(vectors, self._plan)  # (B, W)
        self._row = np.empty((len(self.fields), self.songs), np.intp)
        self._row[:] = np.array(start_row(self.fields))[:, None]
        # (F + first, B): row t-1, then the fields of row t that are known before any choice
        self._read = np.concatenate([self._row, self._row[: self._first]])
        self._agreed = np.ones((self._candidates, self.songs), np.intp)
        for layer in self._layers:
            layer.start(self.songs)

    def keep(self, songs: npt.ArrayLike) -> None:
        """Between two rows, continue with some of the songs (n,), by rising number; the others have ended."""
        numbers = np.asarray(songs, np.intp)
        self.songs = len(numbers)
        self._from_plan = None if self._from_plan is None else self._from_plan[numbers]
        self._row, self._read = self._row[:, numbers], self._read[:, numbers]
        self._agreed = self._agreed[:, numbers]
        for layer in self._layers:
            layer.keep(numbers)

    def begin(self, known_first: Mapping[str, npt.ArrayLike]) -> None:
        """Begin a row with the values (B,) of the fields before the first choice."""
        for field, values in known_first.items():
            self.put(field, values)
        self._read[len(self.fields) :] = self._row[: self._first]
        hidden = self._reads(self._read)
        if self._from_plan is not None:
            hidden += self._from_plan
        for layer in self._layers:
            hidden = layer(hidden)
        self._hidden = hidden
        self._next = 0  # the next head whose columns are to be added to the context

    def logits(self, field: str) -> Floats:
        """Return the logits (B, size) of a choice; all earlier fields must have values.

        It may be called once for each choice of a row.
        """
        number = self._head_number[field]
        if self._next == 0:
            self._context = rms_norm(self._hidden)
            self._agreed[:] = 1
        while self._next <= number:
            if self._next:
                self._heads[self._next - 1].mark_wrong_guesses(self._row, self._agreed)
            self._heads[self._next].add(self._context, self._row, self._agreed)
            self._next += 1
        return self._heads[number].logits(self._context)

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Set the row's `field` to values (B,)."""
        self._row[self._column[field]] = values

    def advance(self) -> None:
        """Finish the row. Raises ModelError for a class that a field does not have."""
        wrong = (self._row < 0) | (self._row >= self._classes)
        if wrong.any():
            column, song = np.argwhere(wrong)[0].tolist()
            found = f"{self.fields[column].name} {self._row[column, song]}"
            raise ModelError(f"{found}: must be 0-{self._classes[column, 0] - 1}")
        self._read[: len(self.fields)] = self._row
