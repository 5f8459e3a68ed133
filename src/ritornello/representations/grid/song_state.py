"""One song that is composed as rows of `notes`: its clock, what was struck, the row in the making.

What is known is written into the row as soon as it can be, what the grammar allows is asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.given_context import FIELDS as HEARD
from ritornello.representations.grid.given_context import HERE, LATER, Beside
from ritornello.representations.grid.positions import FIELDS as PLACE
from ritornello.representations.grid.positions import Places
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    END,
    FIELDS,
    MAX_SHIFT,
    NOTE_CHOICES,
    PITCHES,
    VOID,
    WAIT,
)
from ritornello.representations.repetition.alone import Alone
from ritornello.representations.repetition.echo import Echo
from ritornello.representations.repetition.form import Form
from ritornello.representations.table import hide

Mask = npt.NDArray[np.bool_]
UNKNOWN = [field.unknown or 0 for field in FIELDS]


class SongState:
    """`allowed` and `put` for each choice in turn; `row` is the row in the making, `rows` those before it."""

    def __init__(
        self,
        timeline: Timeline,
        given: Score | None,
        prompt: npt.NDArray[Any] | None,
        hidden: Collection[str],
    ) -> None:
        self.places = Places(timeline)
        bars = self.places.bars
        self.bar_starts, self.bar_lines, self.last, self.end_tick = (
            bars.start.tolist(),
            bars.edges.tolist(),
            bars.last,
            bars.end,
        )
        columns = (
            [c[given.onset_ticks < self.end_tick] for c in vocabulary.note_classes(given)] if given else []
        )
        # those to come
        self.given: deque[tuple[int, ...]] = deque(zip(*(c.tolist() for c in columns), strict=True))
        self.beside = Beside(*columns[:4]) if self.given else None
        self.prompt = deque(prompt[prompt[:, COLUMN["shift"]] != END].tolist() if prompt is not None else [])
        self.open_end = "bars_left" in hidden
        silent = hide(FIELDS, np.full(len(FIELDS), -1), hidden)
        self.hidden = {column: int(silent[column]) for column in np.flatnonzero(silent >= 0).tolist()}
        ahead = list(self.given)
        self.echo, self.alone, self.form = Echo(ahead), Alone(ahead), Form(bars, timeline)
        self.notes: list[tuple[int, int, int, int, int]] = []  # onset and the other choices
        self.is_given: list[bool] = []  # of each note, whether it was given
        self.clock = self.bar = self.floor = 0
        self.waited_from = -1  # the bar from which WAIT led here; -1: it did not
        self.rows: list[list[int]] = []
        self.forced: dict[str, int] | None = None
        self.done = not len(timeline)
        self.row = UNKNOWN.copy()
        if not self.done:
            self._begin()

    def allowed(self, field: str) -> Mask:
        """Which values a choice may have, (size + 1,)."""
        mask = np.zeros(VOID[field] + 1, bool)
        if self.done:
            mask[-1] = True
        elif self.forced is not None:
            mask[self.forced[field]] = True
        elif field == "shift":
            self._shifts(mask)
        elif self.row[COLUMN["shift"]] > MAX_SHIFT:
            mask[-1] = True
        elif field == "part":
            mask[:-1] = self._parts()
        elif field == "pitch":
            mask[:-1] = self._pitches(self.row[COLUMN["part"]])
        elif self._given_here() == (self.row[COLUMN["part"]], self.row[COLUMN["pitch"]]):
            mask[self.given[0][1 + NOTE_CHOICES.index(field)]] = True
        else:
            mask[:-1] = True
        return mask

    def next_given(self, field: str) -> int | None:
        """The class by which the next given note would come now, of shift, part or pitch; None if it cannot.

        No class beyond it is allowed: whatever would come later, the given note comes first.
        """
        if not self.given or self.done or self.forced is not None:
            return None
        if field == "shift":
            shift = self._spelled(self.given[0][0])
            return shift if shift <= MAX_SHIFT else None
        part, pitch = self._given_here() or (None, None)
        if field == "part":
            return part
        return pitch if field == "pitch" and self.row[COLUMN["part"]] == part else None

    def _given_here(self) -> tuple[int, int] | None:
        """Part and pitch of the next given note, if it stands at the place reached."""
        shift = self.row[COLUMN["shift"]]
        if not self.given or shift > MAX_SHIFT or self.given[0][0] > self.clock + shift:
            return None
        _, part, pitch = self.given[0][:3]
        return part, pitch

    def put(self, field: str, value: int) -> None:
        """Take a choice of the present row."""
        if self.done:
            return
        self.row[COLUMN[field]] = value
        if field == "shift":
            self._place(self._reached(value))
        if field == "velocity":
            self._advance()

    def _reached(self, shift: int) -> int:
        """The clock after a shift, WAIT or END."""
        if shift == WAIT:
            return min(int(self.bar_lines[self.bar + 1]), self.clock + WAIT)
        return self.clock + (shift if shift <= MAX_SHIFT else 0)

    def _place(self, ticks: int) -> None:
        """Write what is known of a place, and of the given notes there, into the row."""
        known = dict(zip(PLACE, self.places.at(ticks), strict=True))
        if self.beside:
            known |= zip(HEARD, self.beside.at(ticks), strict=True)
        for name, value in known.items():
            self.row[COLUMN[name]] = self.hidden.get(COLUMN[name], value)

    def _shifts(self, mask: Mask) -> None:
        """Onsets within this bar and the next that no WAIT is for, none beyond a given note; WAIT; END."""
        first = max(self.floor - self.clock, 0)
        mask[
            first : min(MAX_SHIFT + 1, self.bar_lines[self.bar + 2] - self.clock, self.end_tick - self.clock)
        ] = True
        mask[0] = mask[0] and self._room_here()
        mask[WAIT] = self.bar < self.last or self.clock + WAIT < self.end_tick
        if self.bar == self.last:
            mask[END] = self.waited_from != self.last
        elif self.open_end:
            mask[END] = self.waited_from < 0
        if self.given:
            mask[END] = False
            if (shift := self._spelled(self.given[0][0])) <= MAX_SHIFT:
                mask[shift + 1 :] = False

    def _room_here(self) -> bool:
        """Whether any note may follow at the present onset."""
        self.row[COLUMN["shift"]] = 0
        return bool(self._parts().any())

    def _parts(self) -> Mask:
        """The parts with a pitch left at the place reached: rows ascend, and to a given note at most."""
        mask = np.ones(VOID["part"], bool)
        part, pitch = self._above()
        mask[: max(part, 0) + (pitch == PITCHES - 1)] = False
        if (most := self._given_here()) is not None:
            mask[most[0] + 1 :] = False
        return mask

    def _pitches(self, part: int) -> Mask:
        """The pitches left for a part at the place reached."""
        mask = np.ones(PITCHES, bool)
        above, pitch = self._above()
        if part == above:
            mask[: pitch + 1] = False
        if (most := self._given_here()) is not None and part == most[0]:
            mask[most[1] + 1 :] = False
        return mask

    def _above(self) -> tuple[int, int]:
        """The part and pitch above which the row must be; -1, -1 at a new onset."""
        return (-1, -1) if self.row[COLUMN["shift"]] else self._last()

    def _last(self) -> tuple[int, int]:
        """Part and pitch of the note struck at the clock; -1, -1 at the start and after WAIT."""
        return self.notes[-1][1:3] if self.notes and self.waited_from < 0 else (-1, -1)

    def _advance(self) -> None:
        """The row is complete: move the clock, remember the note, begin the next row."""
        self.rows.append(self.row)
        shift = self.row[COLUMN["shift"]]
        if shift == END:
            self.done = True
            self.row = UNKNOWN.copy()
            return
        bar, clock = self.bar, self._reached(shift)
        if shift == WAIT:
            self.floor, self.waited_from = min(self.clock + WAIT, self.bar_lines[bar + 2]), bar
        else:
            self._strike(clock)
        self.clock = clock
        self.bar = bisect_right(self.bar_starts, clock) - 1
        self._begin()

    def _strike(self, onset: int) -> None:
        """Remember the note of the row."""
        part, pitch, duration, velocity = (self.row[COLUMN[name]] for name in NOTE_CHOICES)
        note = onset, part, pitch, duration, velocity
        self.is_given.append(bool(self.given) and self.given[0][:3] == note[:3])
        if self.is_given[-1]:
            self.given.popleft()
        self.echo.add(note, self.is_given[-1])
        self.alone.add(note, self.is_given[-1])
        self.form.add(onset, part * PITCHES + pitch)
        self.notes.append(note)
        self.floor, self.waited_from = onset, -1

    def _begin(self) -> None:
        """Begin a row: what is known first, and what is forced."""
        self.row, self.forced = UNKNOWN.copy(), None
        if self.prompt:
            prompted = self.prompt.popleft()
            self.forced = {name: prompted[COLUMN[name]] for name in VOID}
        self._candidates()

    def _candidates(self) -> None:
        """Write echo, alone and form into the row."""
        row, (part, pitch) = self.row, self._last()
        least = self.clock, part, pitch + 1
        for name, echo in (("echo", self.echo), ("alone", self.alone.first(max(least, (self.floor,))))):
            if echo and echo.guess and self._guess(name, echo.guess):
                at = COLUMN[f"{name}.length"]
                row[at : at + 2] = echo.length, echo.run
        last = part * PITCHES + pitch if part >= 0 else -1
        candidate, onset, likeness = self.form.at(self.clock, last)
        if candidate >= 0 and not self._guess("form", (onset, *self.notes[candidate][1:])):
            likeness = 0
        row[COLUMN["form.likeness"]] = likeness
        if self.given:
            onset = self.given[0][0]
            row[COLUMN["given"]] = HERE if onset == self.clock else LATER
            row[COLUMN["given.shift"]] = self._spelled(onset)
        for column, value in self.hidden.items():
            row[column] = value

    def _guess(self, name: str, note: tuple[int, ...]) -> bool:
        """Write what a candidate guesses into the row, if the grammar can say it."""
        shift = self._spelled(note[0])
        if shift == VOID["shift"]:
            return False
        first = COLUMN[f"{name}.shift"]
        self.row[first : first + 5] = shift, *note[1:]
        return True

    def _spelled(self, onset: int) -> int:
        """An onset as a shift from the clock, WAIT, or void where the grammar cannot say it."""
        if onset < self.floor:
            return VOID["shift"]
        far = onset - self.clock > MAX_SHIFT or onset >= self.bar_lines[self.bar + 2]
        return WAIT if far else onset - self.clock
