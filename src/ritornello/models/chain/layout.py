"""Where each column of a representation's table enters a chain network.

It works on arrays of numpy and on tensors of torch, so the network and its numpy step share it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ritornello.errors import InputError
from ritornello.representations.table import Field

MAX_CLASSES = 1 << 16


class ChoiceColumns(NamedTuple):
    """The columns of one choice, and of what the network reads just before it."""

    column: int
    """The field's own column."""
    put: list[int]
    """Columns that become known after the previous choice: that choice's value first, then known fields.

    Those that guess this field are among `guesses` alone.
    """
    guesses: list[int]
    """Columns that guess this field, each by one candidate for the row."""
    contested: list[int]
    """Those guesses whose candidate has also guessed an earlier field of the row."""


class ColumnLayout:
    """Where each column of a table enters. Raises InputError for a table that a chain cannot predict."""

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
        found: dict[int, Any] = {}
        so_far: dict[str, Any] = {}
        for choice in self.choices:
            found |= {column: so_far[self.candidate(column)] for column in choice.contested}
            for column in choice.guesses:
                right, name = values[..., column] == values[..., choice.column], self.candidate(column)
                so_far[name] = so_far[name] & right if name in so_far else right
        return found


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
