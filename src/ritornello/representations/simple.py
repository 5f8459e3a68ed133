"""A base class for a representation with a fixed number of rows a bar, and the cursor that samples it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.table import Field, Rows


class SimpleRepresentation:
    """A representation with one row for every `ticks_per_row` ticks (24 a beat), up to the end of the bars.

    All fields are choices. A subclass gives `name`, `fields`, `ticks_per_row`, `encode` and `decode`, with
    `decode(encode(s).values, Plan.of(s)) == s` for every song s that `decode` returns.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    ticks_per_row: ClassVar[int] = GRID

    @abstractmethod
    def encode(self, score: Score, timeline: Timeline | None = None, given: Collection[str] = ()) -> Rows:
        """Return a song's rows: values and learn, (N, F) each."""

    @abstractmethod
    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Return the song of rows (N, F), at 24 ticks a beat."""

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """Return what the rows keep of a song, and how many notes are lost."""
        song = self.decode(self.encode(score).values, Plan.of(score))
        return song, {"notes": max(0, len(score) - len(song))}

    def timeline(self, song: Score) -> Timeline:
        """Return the bars of a canonical song."""
        return Timeline.of(song)

    def row_count(self, timeline: Timeline) -> int:
        """Return how many rows the bars have."""
        return -(-timeline.end_ticks * GRID // (timeline.ticks_per_beat * self.ticks_per_row))

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """Return by how many semitones rows (N, F) may be transposed down (at most 0) and up."""
        return 0, 0

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int = 0) -> npt.NDArray[Any]:
        """Return rows (N, F) transposed, and louder by some bins of velocity; here they are unchanged."""
        return values

    def draw_given(self, song: Score, draw: np.random.Generator) -> Collection[str]:
        """Draw which notes are given in training; here none."""
        return ()

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Return each row (N, F) as text."""
        names = [field.name for field in self.fields]
        return ["  ".join(map(" ".join, zip(names, map(str, row), strict=True))) for row in values.tolist()]

    def cursor(
        self, timelines: Sequence[Timeline], given: Any = None, prompts: Any = None, hidden: Any = ()
    ) -> SimpleCursor:
        """Return the state of sampling a batch of songs of these bars; nothing can be given here."""
        return SimpleCursor(self.fields, [self.row_count(timeline) for timeline in timelines])


class SimpleCursor:
    """The state of sampling a batch of songs, each with a known number of rows; all classes are allowed."""

    def __init__(self, fields: Sequence[Field], lengths: Sequence[int]) -> None:
        """`lengths` are the numbers of rows of the songs."""
        self.fields, self.lengths = tuple(fields), np.array(lengths)  # (B,)
        self.column = {field.name: column for column, field in enumerate(fields)}
        shape = (len(lengths), max(lengths, default=0) + 1, len(fields))
        self.values = np.zeros(shape, np.int16)  # (B, T, F)
        self.row = 0

    @property
    def done(self) -> npt.NDArray[np.bool_]:
        """Which songs have ended, (B,)."""
        return np.asarray(self.row >= self.lengths)

    def allowed(self, field: str) -> npt.NDArray[np.bool_]:
        """Which classes `field` may have in the present rows, (B, size + 1); the last class is void."""
        size = self.fields[self.column[field]].size
        return np.where(self.done[:, None], np.arange(size + 1) == size, np.arange(size + 1) < size)

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Take the values (B,) of a field; after the last field the next row begins."""
        live = ~self.done
        self.values[live, self.row, self.column[field]] = np.asarray(values)[live]
        self.row += field == self.fields[-1].name

    def rows(self, index: int) -> npt.NDArray[np.int16]:
        """Return the rows (N, F) of a song so far."""
        return self.values[index, : min(self.row, int(self.lengths[index]))]
