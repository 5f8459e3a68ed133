"""One row a note, on a grid of 24 ticks a beat: the representation that Ritornello learns best with.

Before a row is drawn, three candidates for it are known (what returns: `echo`, `alone` and `form`), and when
the next *given* note comes. Then come, in order: shift (how far the clock moves on) > the place reached:
position in the bar, its length, bars left, chord, given notes that sound there > part > pitch > duration >
velocity. The rows WAIT and END move the clock or stop it and are void from the place on. Within an onset rows
ascend by (part, pitch).

*Given* are notes that the user keeps. They are rows like all others, in their place, which are forced when a
song is composed: what is drawn comes before them, or after. So learnt of them is when and in which part they
come, as it is of any note, but not how long and loud they are. What is known of them ahead: `grid.beside`.

What is said of a place is honest: the end of the song shows in `bars_left` alone, and all that is known
beyond the notes (form, bars left, chord) can be hidden with `table.hide`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid import augmentation, canonical, describe_rows, vocabulary
from ritornello.representations.grid.chords import with_chords
from ritornello.representations.grid.cursor import Cursor
from ritornello.representations.grid.given_context import Beside
from ritornello.representations.grid.positions import Places
from ritornello.representations.grid.shifts import Bars, Steps, needed, spell, spelled
from ritornello.representations.grid.vocabulary import COLUMN, END, MAX_SHIFT, NOTE_CHOICES, VOID, WAIT, Ints
from ritornello.representations.repetition.alone import Guesses, alone
from ritornello.representations.repetition.echo import echo
from ritornello.representations.repetition.form import form, read_form
from ritornello.representations.table import Field, Rows

Mask = npt.NDArray[np.bool_]
Columns = dict[str, Any]  # name of a field -> (R,) classes, or one for all rows
UNKNOWN: Columns = {field.name: field.unknown for field in vocabulary.FIELDS if field.unknown is not None}


class Notes:
    """The representation of one row a note."""

    name: ClassVar[str] = "notes"
    fields: ClassVar[tuple[Field, ...]] = vocabulary.FIELDS
    end: ClassVar[tuple[str, int]] = ("shift", END)  # the field and the class that end a song

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """What the rows keep, and how much of each sort is lost: see `grid.canonical`."""
        return canonical.canonical(score)

    def timeline(self, score: Score) -> Timeline:
        """The bars of a canonical song with all that can be read off it: its chords and its form."""
        onset, part, pitch, _, _ = vocabulary.note_classes(score)
        return read_form(with_chords(Timeline.of(score), score), onset, part * vocabulary.PITCHES + pitch)

    def encode(self, score: Score, timeline: Timeline | None = None, given: Mask | None = None) -> Rows:
        """A song as rows (N, F) int16. A song without notes has none.

        `timeline` is that of the canonical song, read off it if left out; `given` (notes,) says which of
        the canonical song's notes are given.
        """
        song, _ = self.canonical(score)
        if not len(song):
            return Rows(np.zeros((0, len(self.fields)), np.int16), np.zeros((0, len(self.fields)), bool))
        timeline = timeline or self.timeline(song)
        places = Places(timeline)
        notes = vocabulary.note_classes(song)
        steps = spell(notes[0], places.bars)
        values = self._rows(steps, list(notes), timeline, places, given)
        learn = np.zeros(values.shape, bool)
        for name, void in VOID.items():
            learn[:, COLUMN[name]] = values[:, COLUMN[name]] != void
        if given is not None and given.any():
            which: Mask = np.append(given, False)[steps.note] & (steps.note >= 0)
            self._know_of(which, [column[given] for column in notes], values, steps, places.bars)
            for name in ("duration", "velocity"):
                learn[which, COLUMN[name]] = False
        return Rows(values, learn)

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song that rows (N, F) say, in the plan's meters, tempo, key and chords."""
        rows = np.asarray(values, np.int64)
        shift = rows[:, COLUMN["shift"]]
        moves = np.where(shift <= MAX_SHIFT, shift, 0)
        waits = np.flatnonzero(shift == WAIT)
        most = int(moves.sum()) + (len(waits) + 1) * WAIT + 2 * vocabulary.MAX_BAR_TICKS
        bars = Bars(Timeline.of_meters(GRID, plan.events(GRID)["meters"], most))  # type: ignore[arg-type]
        onset = np.cumsum(moves)
        for row in waits.tolist():  # from here on the clock is ahead by as much
            onset[row:] += bars.stop(int(onset[row])) - onset[row]
        said = shift <= MAX_SHIFT
        for name in NOTE_CHOICES:
            said &= rows[:, COLUMN[name]] < VOID[name]
        part, pitch, duration, velocity = (rows[said, COLUMN[name]] for name in NOTE_CHOICES)
        lasts, loud = vocabulary.DURATION_TICKS[duration], vocabulary.velocity_of_class(velocity)
        return canonical.build(onset[said], lasts, pitch, loud, part, plan=plan)

    def bin_widths(self) -> dict[str, Ints]:
        """How many values of a source (ticks, velocities) each class of a choice stands for."""
        return vocabulary.bin_widths()

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Each row in words."""
        return describe_rows.explain(np.asarray(values, np.int64))

    def cursor(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
        hidden: Collection[str] = (),
    ) -> Cursor:
        """The composing half, for a batch of songs of these bars (at 24 ticks a beat): see `grid.cursor`."""
        return Cursor(timelines, given, prompts, hidden)

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """By how many semitones rows (N, F) can go down (at most 0) and up; drums do not count."""
        return augmentation.transposition_range(values)

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int) -> npt.NDArray[Any]:
        """Rows (N, F) in another key (within `room`) and louder by bins of four steps."""
        return augmentation.louder(augmentation.transposed(values, semitones), bins)

    def draw_given(self, song: Score, draw: np.random.Generator) -> Mask:
        """Which notes (N,) of a canonical song are given: a part, all but one, or bars in a row."""
        return augmentation.draw_given(song, draw)

    def _rows(
        self, steps: Steps, notes: list[Ints], timeline: Timeline, places: Places, given: Mask | None
    ) -> npt.NDArray[np.int16]:
        """The rows (R, F) of the notes, of WAIT and END."""
        is_note = (steps.note >= 0) & (steps.shift != END)
        at = np.where(is_note, steps.note, len(notes[0]))
        rows: Columns = UNKNOWN | {"given": 0, "shift": steps.shift} | places.columns(steps.after)
        for name, column in zip(NOTE_CHOICES, notes[1:], strict=True):
            rows[name] = np.append(column, VOID[name])[at]
        rows |= self._candidates(steps, is_note, notes, timeline, places.bars, given)
        return _table(rows, len(at))

    def _know_of(
        self,
        which: Mask,
        notes: list[Ints],
        values: npt.NDArray[np.int16],
        steps: Steps,
        bars: Bars,
    ) -> None:
        """Write what is known of given notes into rows (R, F), of which `which` (R,) are they themselves."""
        beside = Beside(*notes[:4])
        met: Ints = np.cumsum(which) - which
        columns = beside.ahead(met, steps.before, needed(steps, bars), bars) | beside.columns(steps.after)
        for name, column in columns.items():
            values[:, COLUMN[name]] = column

    def _candidates(
        self,
        steps: Steps,
        is_note: Mask,
        notes: list[Ints],
        timeline: Timeline,
        bars: Bars,
        given: Mask | None,
    ) -> Columns:
        """The fields of echo, alone and form for rows (R,)."""
        onset, part, pitch = notes[:3]
        voice = part * vocabulary.PITCHES + pitch
        known: Ints = np.cumsum(is_note) - is_note  # how many notes each row comes after
        clock, floor = steps.before, needed(steps, bars)
        after_note = np.append(False, is_note[:-1])
        last = np.where(after_note, np.append(voice, -1)[known - 1], -1)
        apart = np.diff(onset[given], prepend=0) if given is not None else None
        echoes = echo(np.diff(onset, prepend=0), voice, given, apart)
        place = np.append(onset, 0)[known - 1] + echoes.interval[known]
        heard = Guesses(echoes.candidate[known], place, echoes.length[known], echoes.run[known])
        least = np.maximum(
            (clock << vocabulary.PART_PITCH_BITS) + last + 1, floor << vocabulary.PART_PITCH_BITS
        )
        rows: Columns = {}
        for name, echoed in (("echo", heard), ("alone", alone(onset, voice, least, known, given))):
            said = np.where(echoed.candidate < 0, VOID["shift"], spelled(echoed.onset, clock, floor, bars))
            rows |= _guesses(name, said, echoed.candidate, notes)
            rows[f"{name}.length"] = np.where(said == VOID["shift"], 0, echoed.length)
            rows[f"{name}.run"] = np.where(said == VOID["shift"], 0, echoed.run)
        forms = form(bars, timeline, onset, voice, clock, last, known)
        said = np.where(forms.candidate < 0, VOID["shift"], spelled(forms.onset, clock, floor, bars))
        rows |= _guesses("form", said, forms.candidate, notes)
        contradicted = (said == VOID["shift"]) & (forms.candidate >= 0)
        rows["form.likeness"] = np.where(contradicted, 0, forms.likeness)
        return rows


def _guesses(name: str, shift: Ints, candidate: Ints, notes: list[Ints]) -> Columns:
    """What a candidate (R,) guesses, void where its shift is."""
    at = np.where(shift == VOID["shift"], len(notes[0]), candidate)
    rows = {
        f"{name}.{field}": np.append(c, VOID[field])[at]
        for field, c in zip(NOTE_CHOICES, notes[1:], strict=True)
    }
    return rows | {f"{name}.shift": shift}


def _table(rows: Columns, count: int) -> npt.NDArray[np.int16]:
    """Columns by name as rows (count, F)."""
    values = np.empty((len(vocabulary.FIELDS), count), np.int16)
    for name, column in rows.items():
        values[COLUMN[name]] = column
    return np.ascontiguousarray(values.T)
