"""The interface of a representation: a table of fields, and methods that turn a Score into rows and back.

Networks, losses and the sampler use only the table; they do not depend on what the fields mean.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.score import Score


class Field(NamedTuple):
    """One column of the table."""

    name: str
    size: int
    """The number of classes. A choice has one more: the class `size` is void, a row without a value."""
    kind: Literal["choice", "real", "known"]
    """A choice is a class that the network predicts, a known field a class that is computed before, without
    a loss, and a real is a number."""
    guesses: str | None = None
    """The choice whose value a known field guesses; the last class of the field is "no guess"."""
    unit: str = ""
    """The meaning of the classes, or of 1.0 of a real."""
    unknown: int | None = None
    """The class of a known field that means "unknown" (see `hide`)."""


class Rows(NamedTuple):
    """A whole song: `values` (N, F), a column for each field, and `learn` (N, F), what the loss counts."""

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]


class Representation(Protocol):
    """The members that every representation has.

    For every score, `decode(encode(score).values, Plan.of(score)) == canonical(score)[0]`, and `canonical` is
    idempotent.

    Training also needs `timeline`, `transposition_range`, `augmented` and `draw_given`; composing needs
    `cursor`, or the members of SamplesItself; reference nats need `bin_widths` and `end`. `notes.Notes` has
    them all. `refuses` is True if there are scores for which `canonical` raises ScoreError.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]

    def encode(self, score: Score) -> Rows:
        """Encode a whole song."""

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Decode rows (N, F) to a song in the bars of `plan`."""

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """The song as the rows can hold it, and how much of each kind is lost."""

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Describe each row (N, F) in a line of text."""


@runtime_checkable
class SamplesItself(Protocol):
    """The members of a representation that samples its songs itself.

    `composing` then calls these methods instead of a cursor and sampling rules.
    """

    dial: ClassVar[str]
    """The option of `compose` that controls the sampling; its value is in the recipe."""

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Return the complete plan of a song. Raises PlanError for an option that has no effect here."""

    def sample(self, model: Any, plan: Plan, seed: int, song: int, dial: float, /) -> npt.NDArray[Any]:
        """Sample the rows (N, F) of song number `song` with a `Model`."""

    def finish(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song of sampled rows (N, F). Raises FailedError if it has no note."""


def hide(fields: tuple[Field, ...], values: npt.NDArray[Any], names: Collection[str]) -> npt.NDArray[Any]:
    """Return a copy of rows (..., F) in which known fields, by name or group such as "form", are unknown."""
    hidden: npt.NDArray[Any] = values.copy()
    for column, field in enumerate(fields):
        if field.unknown is not None and (field.name in names or field.name.split(".")[0] in names):
            hidden[..., column] = field.unknown
    return hidden


def fields_read(network: Any, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return those of a representation's fields that a network in torch reads.

    A network that was trained by an older version lacks some known fields.
    """
    network_fields = getattr(getattr(network, "config", None), "fields", None)
    names = {field.name for field in network_fields or fields}
    return tuple(field for field in fields if field.name in names)


def start_row(fields: tuple[Field, ...]) -> list[int]:
    """Return the row before the first one of a song: choices are void, known fields unknown, or else 0."""
    return [field.size if field.kind == "choice" else field.unknown or 0 for field in fields]


def print_table(fields: tuple[Field, ...]) -> str:
    """The table as text, one line a field."""
    lines = [f"{'field':<15}{'kind':<8}{'size':>5}  {'guesses':<10}unit"]
    lines += [f"{f.name:<15}{f.kind:<8}{f.size:>5}  {f.guesses or '':<10}{f.unit}" for f in fields]
    return "\n".join(line.rstrip() for line in lines)
