"""A representation is a table of fields; networks, steps and sampler know fields, not music."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.score import Score


class Field(NamedTuple):
    """One column of the table.

    `kind` is "choice" (one of `size` classes, and one more class *void*, never drawn, never learnt),
    "real" (a number; `size` 1, and `unit` says what 1.0 stands for) or "known" (one of `size` classes,
    computed, no loss). A known field may guess another field's value: `guesses` names that field, and its
    last class is the void of that field: no guess. `unknown` is the class of a known field that says
    nothing (see `hide`).
    """

    name: str
    size: int
    kind: Literal["choice", "real", "known"]
    guesses: str | None = None
    unit: str = ""
    unknown: int | None = None


class Rows(NamedTuple):
    """A whole song as rows: `values` (N, F), one column a field, and `learn` (N, F), what the loss counts."""

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]


class Representation(Protocol):
    """What every file in this folder gives. The property that holds them all together:

    `decode(encode(score), Plan.of(score)) == canonical(score)[0]`, and canonical is idempotent.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]

    def encode(self, score: Score) -> Rows:
        """A whole song as rows."""
        ...

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song that rows (N, F) say."""
        ...

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """What of a song the rows keep, and how much of each sort is dropped."""
        ...

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Each row in words."""
        ...


@runtime_checkable
class SamplesItself(Protocol):
    """What a representation has besides if its songs are sampled in a way of its own.

    `composing` then asks it for the plan, the rows and the finished song, and uses neither a cursor nor
    sampling rules.
    """

    dial: ClassVar[str]
    """The option of `compose` that widens or narrows the sampling; the recipe keeps its value."""

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """The plan with nothing open. Raises PlanError for an option that has no effect here."""
        ...

    def sample(self, model: Any, plan: Plan, seed: int, song: int, dial: float, /) -> npt.NDArray[Any]:
        """Sample the rows (N, F) of song number `song` with a `Model`."""
        ...

    def finish(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song that sampled rows (N, F) give. Raises FailedError if it has no note."""
        ...


def hide(fields: tuple[Field, ...], values: npt.NDArray[Any], names: Collection[str]) -> npt.NDArray[Any]:
    """A copy of rows (..., F) whose known fields of these names or groups ("form": form.*) say nothing."""
    hidden: npt.NDArray[Any] = values.copy()
    for column, field in enumerate(fields):
        if field.unknown is not None and (field.name in names or field.name.split(".")[0] in names):
            hidden[..., column] = field.unknown
    return hidden


def start_row(fields: tuple[Field, ...]) -> list[int]:
    """What stands before a song's first row: void choices, zeros, and known fields that say nothing."""
    return [field.size if field.kind == "choice" else field.unknown or 0 for field in fields]


def print_table(fields: tuple[Field, ...]) -> str:
    """The table in text: one line a field."""
    lines = [f"{'field':<15}{'kind':<8}{'size':>5}  {'guesses':<10}unit"]
    lines += [f"{f.name:<15}{f.kind:<8}{f.size:>5}  {f.guesses or '':<10}{f.unit}" for f in fields]
    return "\n".join(line.rstrip() for line in lines)
