"""The places at which the columns of a representation's table enter a chain network.

The code works on arrays of numpy and on tensors of torch, so the network and its numpy step share it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ritornello.errors import InputError
from ritornello.representations.table import Field

MAX_CLASSES = 1 << 16


class ChoiceColumns(NamedTuple):
    """The column of one choice, and the columns that the network reads just before it."""

    column: int
    """The column of the choice."""
    put: list[int]
    """The previous choice, and the known fields between both, apart from those that guess this choice."""
    guesses: list[int]
    """Known fields that guess this choice, one of each candidate for the row."""
    contested: list[int]
    """Those of `guesses` whose candidate also guesses an earlier choice of the row."""


class ColumnLayout:
    """The columns of a table by the choice before which they are read.

    Raises InputError for a table that a chain cannot predict.
    """

    def __init__(self, table: Sequence[Field]) -> None:
        self.fields = tuple(table)
        chosen = _choice_columns(table)
        self.first = list(range(chosen[0]))  # the columns that are known before any choice
        self.classes = [field.size + (field.kind == "choice") for field in table]  # void is one more class
        self.tables = [(field.guesses or field.name).replace(".", "_") for field in table]
        self.choices: list[ChoiceColumns] = []
        for before, index in zip([chosen[0], *chosen], chosen, strict=False):
            guesses = [c for c, field in enumerate(table) if field.guesses == table[index].name]
            earlier = {self.candidate(c) for choice in self.choices for c in choice.guesses}
            contested = [c for c in guesses if self.candidate(c) in earlier]
            put = [c for c in range(before, index) if c not in guesses]
            self.choices.append(ChoiceColumns(index, put, guesses, contested))
            if len({self.candidate(c) for c in guesses}) < len(guesses):
                name = table[index].name
                raise InputError(f"field {name!r} is guessed twice by one candidate: must be once")
        self.candidates = sorted({self.candidate(c) for choice in self.choices for c in choice.guesses})

    def candidate(self, column: int) -> str:
        """Return the candidate to which a guess belongs: "echo" for the column `echo.pitch`."""
        return self.fields[column].name.partition(".")[0]

    def agreed(self, values: Any) -> dict[int, Any]:
        """For each contested guess, return whether its candidate was right in all earlier fields.

        `values` (..., F) and the results (...) bool are arrays of numpy or tensors of torch.
        """
        agreed: dict[int, Any] = {}
        right_so_far: dict[str, Any] = {}  # by candidate
        for choice in self.choices:
            agreed |= {column: right_so_far[self.candidate(column)] for column in choice.contested}
            for column in choice.guesses:
                is_right, name = values[..., column] == values[..., choice.column], self.candidate(column)
                right_so_far[name] = right_so_far[name] & is_right if name in right_so_far else is_right
        return agreed


def _choice_columns(table: Sequence[Field]) -> list[int]:
    """Return the columns of the choices. Raises InputError for a table without one, or with a real field."""
    column = {field.name: index for index, field in enumerate(table)}
    chosen = [index for index, field in enumerate(table) if field.kind == "choice"]
    if len(column) < len(table) or not chosen:
        raise InputError("a table must have fields of different names, and a choice among them")
    for index, field in enumerate(table):
        if field.kind == "real" or not 1 <= field.size <= MAX_CLASSES:
            size = f"of size {field.size}: must have 1-{MAX_CLASSES} classes"
            raise InputError(f"field {field.name!r} is {field.kind} {size}")
        target = column.get(field.guesses or "", -1)
        later = index < target and target in chosen
        if field.guesses and not (later and field.size == table[target].size + 1):
            must = f"must guess a later choice of {field.size - 1} classes"
            raise InputError(f"field {field.name!r} guesses {field.guesses!r}: {must}")
    return chosen
