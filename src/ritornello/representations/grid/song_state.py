"""The state of one song of `notes` while it is composed, row by row.

It has the clock, the notes so far and the present row, computes the known fields of that row, and returns the
allowed classes of its choices (the grammar). `Notes.encode` computes the same fields for a whole song at
once; `test_cursor.py` checks that both are equal.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.given_context import GIVEN_PITCH_FIELDS, HERE, LATER, GivenContext
from ritornello.representations.grid.positions import POSITION_FIELDS, Positions
from ritornello.representations.grid.shifts import NO_SHIFT
from ritornello.representations.grid.texture import Texture, TextureState
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    END,
    FIELDS,
    MAX_SHIFT,
    NOTE_CHOICES,
    VOID,
    WAIT,
)
from ritornello.representations.repetition.alone import AloneState
from ritornello.representations.repetition.echo import EchoState
from ritornello.representations.repetition.form import FormState
from ritornello.representations.table import hide

Mask = npt.NDArray[np.bool_]  # of classes, (size + 1,), where nothing else is said
PLANNED_FIELDS = ("texture.density", "texture.register")
UNKNOWN_ROW = [field.unknown or 0 for field in FIELDS]


class SongState:
    """A song while it is composed: call `allowed`, then `put`, for each choice of each row in turn.

    `row` is the present row, `rows` are those before it. `notes` are the notes so far (onset in ticks, then
    the classes of NOTE_CHOICES), `is_given` is true for those that were given, and `given` are the given
    notes to come. `clock` is a tick, `bar` the bar in which it lies, `earliest` the first tick at which the
    next onset may be. `bar_starts` (bars) and `bar_lines` (bars + 2) are ticks. The arguments are those of
    `Cursor` for one song, such as the rows of a prompt (N, F).
    """

    def __init__(
        self,
        timeline: Timeline,
        given: Score | None,
        prompt: npt.NDArray[Any] | None,
        hidden: Collection[str],
    ) -> None:
        self._positions = Positions(timeline)
        bars = self._positions.bars
        self.bar_starts, self.bar_lines = bars.start_ticks.tolist(), bars.ticks.tolist()
        self.last_bar, self.end_tick = bars.last_bar, bars.end_tick
        columns = vocabulary.note_classes(given) if given else ()
        classes = [column[given.onset_ticks < self.end_tick] for column in columns] if given else []
        texture = Texture(timeline)
        self._texture = TextureState(texture) if texture.parts else None
        self.given: deque[tuple[int, ...]] = deque(zip(*(c.tolist() for c in classes), strict=True))
        self._given_context = GivenContext(*classes[:4]) if self.given else None
        self.prompt = deque(prompt[prompt[:, COLUMN["shift"]] != END].tolist() if prompt is not None else [])
        self.open_end = "bars_left" in hidden
        unknown = hide(FIELDS, np.full(len(FIELDS), -1), hidden)  # -1 in columns that are not hidden
        self.hidden = {column: int(unknown[column]) for column in np.flatnonzero(unknown >= 0).tolist()}
        given_notes = list(self.given)
        self.echo, self.alone = EchoState(given_notes), AloneState(given_notes)
        self.form = FormState(bars, timeline)
        self.notes: list[tuple[int, int, int, int, int]] = []
        self.is_given: list[bool] = []
        self.clock = self.bar = self.earliest = 0
        self.waited_from = -1  # the bar from which WAIT led to the clock; -1: it did not
        self.rows: list[list[int]] = []
        self.forced: dict[str, int] | None = None  # the choices of this row, if it is one of the prompt
        self.done = not len(timeline)
        self.row = UNKNOWN_ROW.copy()
        if not self.done:
            self._begin_row()

    def bar_of(self, tick: int) -> int:
        """Return the number of the bar in which a tick lies, from 0."""
        return bisect_right(self.bar_starts, tick) - 1

    def allowed(self, field: str) -> Mask:
        """Which classes of a choice are allowed, (size + 1,); the last one is void."""
        mask = np.zeros(VOID[field] + 1, bool)
        if self.done:
            mask[-1] = True
        elif self.forced is not None:
            mask[self.forced[field]] = True
        elif field == "shift":
            self._allow_shifts(mask)
        elif self.row[COLUMN["shift"]] > MAX_SHIFT:
            mask[-1] = True
        elif field == "part":
            mask[:-1] = self._allowed_parts()
        elif field == "pitch":
            mask[:-1] = self._allowed_pitches(self.row[COLUMN["part"]])
        elif self._given_here() == (self.row[COLUMN["part"]], self.row[COLUMN["pitch"]]):
            mask[self.given[0][1 + NOTE_CHOICES.index(field)]] = True
        else:
            mask[:-1] = True
        return mask

    def next_given(self, field: str) -> int | None:
        """Return the class of shift, part or pitch with which the next given note would be this row, or None.

        No class beyond it is allowed, because the given note comes before all later notes.
        """
        if not self.given or self.done or self.forced is not None:
            return None
        if field == "shift":
            shift = self._shift_to(self.given[0][0])
            return shift if shift <= MAX_SHIFT else None
        part, pitch = self._given_here() or (None, None)
        if field == "part":
            return part
        return pitch if field == "pitch" and self.row[COLUMN["part"]] == part else None

    def _given_here(self) -> tuple[int, int] | None:
        """Part and pitch of the next given note, if its onset is that of this row."""
        shift = self.row[COLUMN["shift"]]
        if not self.given or shift > MAX_SHIFT or self.given[0][0] > self.clock + shift:
            return None
        _, part, pitch = self.given[0][:3]
        return part, pitch

    def put(self, field: str, value: int) -> None:
        """Take the class of a choice of this row."""
        if self.done:
            return
        self.row[COLUMN[field]] = value
        if field == "shift":
            self._write_place(self._clock_after(value))
        if field == "part" and self._texture and value < VOID["part"]:
            self._write_planned(self._texture, value)
        if field == "velocity":
            self._end_row()

    def _clock_after(self, shift: int) -> int:
        """The clock in ticks after a shift, WAIT or END."""
        if shift == WAIT:
            return min(int(self.bar_lines[self.bar + 1]), self.clock + WAIT)
        return self.clock + (shift if shift <= MAX_SHIFT else 0)

    def _write_place(self, tick: int) -> None:
        """Write into the row the known fields of a place, and those of the given notes there."""
        known = dict(zip(POSITION_FIELDS, self._positions.fields_at(tick), strict=True))
        if self._given_context:
            known |= zip(GIVEN_PITCH_FIELDS, self._given_context.pitch_fields_at(tick), strict=True)
        shift = self.row[COLUMN["shift"]]
        if self._texture and shift <= MAX_SHIFT:
            part, pitch = self._must_exceed()
            least_part = max(part, 0) + (pitch == VOID["pitch"] - 1)
            bar, place = self.bar_of(tick), (known["position"], known["bar_length"])
            known["texture.part"] = self._texture.part(bar, *place, least_part)
        for name, value in known.items():
            self.row[COLUMN[name]] = self.hidden.get(COLUMN[name], value)

    def _write_planned(self, texture: TextureState, part: int) -> None:
        """Write into the row the fields of the sketch for its part."""
        bar = self.bar_of(self.clock + self.row[COLUMN["shift"]])
        for name, value in zip(PLANNED_FIELDS, texture.planned(bar, part), strict=True):
            self.row[COLUMN[name]] = self.hidden.get(COLUMN[name], value)

    def _allow_shifts(self, mask: Mask) -> None:
        """Allow onsets in this bar and the next, from `earliest` to the next given note; WAIT; END."""
        first = max(self.earliest - self.clock, 0)
        stop = min(self.bar_lines[self.bar + 2], self.end_tick) - self.clock
        mask[first : min(MAX_SHIFT + 1, stop)] = True
        mask[0] = mask[0] and self._may_strike_again()
        mask[WAIT] = self.bar < self.last_bar or self.clock + WAIT < self.end_tick
        if self.bar == self.last_bar:
            mask[END] = self.waited_from != self.last_bar
        elif self.open_end:
            mask[END] = self.waited_from < 0
        if self.given:
            mask[END] = False
            if (shift := self._shift_to(self.given[0][0])) <= MAX_SHIFT:
                mask[shift + 1 :] = False

    def _may_strike_again(self) -> bool:
        """Whether any note may follow at the present onset."""
        self.row[COLUMN["shift"]] = 0
        return bool(self._allowed_parts().any())

    def _allowed_parts(self) -> Mask:
        """The parts (size,) that may play here: rows of an onset ascend, up to the next given note."""
        mask = np.ones(VOID["part"], bool)
        part, pitch = self._must_exceed()
        mask[: max(part, 0) + (pitch == VOID["pitch"] - 1)] = False
        if (given := self._given_here()) is not None:
            mask[given[0] + 1 :] = False
        return mask

    def _allowed_pitches(self, part: int) -> Mask:
        """The pitches (size,) that a part may play here."""
        mask = np.ones(VOID["pitch"], bool)
        last_part, last_pitch = self._must_exceed()
        if part == last_part:
            mask[: last_pitch + 1] = False
        if (given := self._given_here()) is not None and part == given[0]:
            mask[given[1] + 1 :] = False
        return mask

    def _must_exceed(self) -> tuple[int, int]:
        """The part and pitch that the row must exceed; -1, -1 at a new onset."""
        return (-1, -1) if self.row[COLUMN["shift"]] else self._last()

    def _last(self) -> tuple[int, int]:
        """Part and pitch of the last note, if it is at the clock; -1, -1 at the start and after WAIT."""
        return self.notes[-1][1:3] if self.notes and self.waited_from < 0 else (-1, -1)

    def _end_row(self) -> None:
        """Store the complete row, move the clock, add the note, and begin the next row."""
        self.rows.append(self.row)
        shift = self.row[COLUMN["shift"]]
        if shift == END:
            self.done = True
            self.row = UNKNOWN_ROW.copy()
            return
        bar, clock = self.bar, self._clock_after(shift)
        if shift == WAIT:
            self.earliest, self.waited_from = min(self.clock + WAIT, self.bar_lines[bar + 2]), bar
        else:
            self._add_note(clock)
        self.clock = clock
        self.bar = self.bar_of(clock)
        if self._texture and shift != WAIT:
            self._texture.add(self.bar, self.notes[-1][1])
        self._begin_row()

    def _add_note(self, onset: int) -> None:
        part, pitch, duration, velocity = (self.row[COLUMN[name]] for name in NOTE_CHOICES)
        note = onset, part, pitch, duration, velocity
        is_given = bool(self.given) and self.given[0][:3] == note[:3]
        if is_given:
            self.given.popleft()
        self.echo.add(note, is_given)
        self.alone.add(note, is_given)
        self.form.add(onset, vocabulary.part_pitch(part, pitch))
        self.notes.append(note)
        self.is_given.append(is_given)
        self.earliest, self.waited_from = onset, -1

    def _begin_row(self) -> None:
        """Begin a row with the fields that come before its shift; the prompt may force its choices."""
        self.row, self.forced = UNKNOWN_ROW.copy(), None
        if self.prompt:
            prompted = self.prompt.popleft()
            self.forced = {name: prompted[COLUMN[name]] for name in VOID}
        self._write_candidates()
        if self._texture:
            self.row[COLUMN["texture.left"]] = self._texture.left(self.bar)
        if self.given:
            onset = self.given[0][0]
            self.row[COLUMN["given"]] = HERE if onset == self.clock else LATER
            self.row[COLUMN["given.shift"]] = self._shift_to(onset)
        for column, value in self.hidden.items():
            self.row[column] = value

    def _write_candidates(self) -> None:
        part, pitch = self._last()
        following = max((self.clock, part, pitch + 1), (self.earliest,))
        for name, state in (("echo", self.echo), ("alone", self.alone.first(following))):
            if state and state.guess and self._write_guess(name, state.guess):
                self.row[COLUMN[f"{name}.length"]] = state.length
                self.row[COLUMN[f"{name}.run"]] = state.run
        last = vocabulary.part_pitch(part, pitch) if part >= 0 else -1
        note, onset, similarity = self.form.candidate(self.clock, last)
        if note >= 0 and not self._write_guess("form", (onset, *self.notes[note][1:])):
            similarity = 0
        self.row[COLUMN["form.likeness"]] = similarity

    def _write_guess(self, name: str, note: tuple[int, ...]) -> bool:
        """Write the note of a candidate into the row, if the grammar can write it."""
        shift = self._shift_to(note[0])
        if shift == NO_SHIFT:
            return False
        first = COLUMN[f"{name}.shift"]
        self.row[first : first + len(VOID)] = shift, *note[1:]
        return True

    def _shift_to(self, onset: int) -> int:
        """The class of `shift` towards an onset in ticks, as `shifts.shift_to` has it."""
        if onset < self.earliest:
            return NO_SHIFT
        far = onset - self.clock > MAX_SHIFT or onset >= self.bar_lines[self.bar + 2]
        return WAIT if far else onset - self.clock
