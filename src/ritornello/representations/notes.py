"""The representation `notes`: one row a note, on a grid of 24 ticks a beat; Ritornello learns best with it.

A row has, in this order: three candidates for the note (`repetition`), when the next given note comes, how
many planned notes of the bar are still to come, the shift to the onset, properties of that place (position in
the bar, bars left, chords, end of the phrase, given notes), the part, what the sketch plans for it, pitch,
duration, velocity. `grid.vocabulary` has the table. Rows with the shift WAIT or END have no note: their later
choices are void. Within an onset, rows ascend by part and pitch.

Given notes, which the user keeps, are rows in their places like all others; composing forces their choices.
The loss counts their shifts, parts and pitches, because the network must leave room for them, but not their
durations and velocities.

Only the field `bars_left` depends on where the song ends. The known fields from a plan or a sketch (form,
bars left, chords, cadence, texture) can be hidden with `table.hide`. `Notes.encode` computes the rows of a
whole song at once; `grid.song_state` computes the same rows one by one while a song is composed;
`test_cursor.py` checks that both are equal.
"""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid import augmentation, canonical, describe_rows, shifts, vocabulary
from ritornello.representations.grid.chords import estimated
from ritornello.representations.grid.cursor import Cursor
from ritornello.representations.grid.given_context import GivenContext
from ritornello.representations.grid.positions import Positions
from ritornello.representations.grid.shifts import NO_SHIFT, BarLines, ShiftRows
from ritornello.representations.grid.texture import Texture
from ritornello.representations.grid.vocabulary import COLUMN, END, MAX_SHIFT, NOTE_CHOICES, VOID, WAIT, Ints
from ritornello.representations.repetition.alone import Candidates, alone_candidates
from ritornello.representations.repetition.echo import echo_candidates
from ritornello.representations.repetition.form import find_returns, form_candidates
from ritornello.representations.sketch import compute_sketch
from ritornello.representations.table import Field, Rows

Mask = npt.NDArray[np.bool_]  # of notes (N,) or of rows (R,)
Columns = dict[str, Any]  # by the name of the field: classes (R,), or one class for all rows
UNKNOWN_CLASSES: Columns = {
    field.name: field.unknown for field in vocabulary.FIELDS if field.unknown is not None
}


class Notes:
    """The representation of one row a note."""

    name: ClassVar[str] = "notes"
    fields: ClassVar[tuple[Field, ...]] = vocabulary.FIELDS
    has_key_frame: ClassVar[bool] = True  # its songs can be learnt in one key and moved (`music.key_frame`)
    has_sketches: ClassVar[bool] = True  # `timeline` reads the sketch of a song off its notes
    end: ClassVar[tuple[str, int]] = ("shift", END)  # the field and the class that end a song

    cursor = Cursor  # a batch of songs while they are composed
    canonical = staticmethod(canonical.canonical)
    bin_widths = staticmethod(vocabulary.bin_widths)
    explain = staticmethod(describe_rows.explain)
    transposition_range = staticmethod(augmentation.transposition_range)
    augmented = staticmethod(augmentation.augmented)
    draw_given = staticmethod(augmentation.draw_given)

    def timeline(self, score: Score) -> Timeline:
        """Return the bars of a canonical song, with chords, form and sketch computed from its notes."""
        onset, part, pitch, _, _ = vocabulary.note_classes(score)
        bars = Timeline.of(score)
        bars = bars if bars.chords else replace(bars, chords=estimated(bars, score))
        bars = find_returns(bars, onset, vocabulary.part_pitch(part, pitch))
        return replace(bars, sketch=compute_sketch(score, bars))

    def encode(self, score: Score, timeline: Timeline | None = None, given: Mask | None = None) -> Rows:
        """Encode a song as rows (R, F) int16; a song without notes has none.

        `timeline` is that of the canonical song; it is computed if it is left out. `given` (N,) is a mask of
        the canonical song's given notes.
        """
        return self.encode_canonical(self.canonical(score)[0], timeline, given)

    def encode_canonical(
        self, song: Score, timeline: Timeline | None = None, given: Mask | None = None
    ) -> Rows:
        """Encode a song that is canonical already, as `encode` does."""
        if not len(song):
            return Rows(np.zeros((0, len(self.fields)), np.int16), np.zeros((0, len(self.fields)), bool))
        timeline = timeline or self.timeline(song)
        positions = Positions(timeline)
        notes = vocabulary.note_classes(song)
        rows = shifts.shift_rows(notes[0], positions.bars)
        values = self._rows(rows, list(notes), timeline, positions, given)
        learn = np.zeros(values.shape, bool)
        for name, void in VOID.items():
            learn[:, COLUMN[name]] = values[:, COLUMN[name]] != void
        if given is not None and given.any():
            is_given: Mask = np.append(given, False)[rows.note] & (rows.note >= 0)
            _write_given_context(values, is_given, [c[given] for c in notes], rows, positions.bars)
            for name in ("duration", "velocity"):
                learn[is_given, COLUMN[name]] = False
        return Rows(values, learn)

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Decode rows (R, F) to a song with the plan's meters, tempo, key and chords."""
        rows = np.asarray(values, np.int64)
        shift = rows[:, COLUMN["shift"]]
        moves = np.where(shift <= MAX_SHIFT, shift, 0)
        waits = np.flatnonzero(shift == WAIT)
        max_ticks = int(moves.sum()) + (len(waits) + 1) * WAIT + 2 * vocabulary.MAX_BAR_TICKS
        bars = BarLines(Timeline.of_meters(GRID, plan.events(GRID)["meters"], max_ticks))  # type: ignore[arg-type]
        onset = np.cumsum(moves)
        for row in waits.tolist():  # WAIT moves all onsets after it
            onset[row:] += bars.after_wait(int(onset[row])) - onset[row]
        is_note = shift <= MAX_SHIFT
        for name in NOTE_CHOICES:
            is_note &= rows[:, COLUMN[name]] < VOID[name]
        part, pitch, duration, velocity = (rows[is_note, COLUMN[name]] for name in NOTE_CHOICES)
        duration, velocity = vocabulary.DURATION_TICKS[duration], vocabulary.velocity_of_class(velocity)
        return canonical.build(onset[is_note], duration, pitch, velocity, part, plan)

    def _rows(
        self, rows: ShiftRows, notes: list[Ints], timeline: Timeline, positions: Positions, given: Mask | None
    ) -> npt.NDArray[np.int16]:
        """Return the rows (R, F) of a whole song, without the fields of given notes."""
        is_note = (rows.note >= 0) & (rows.shift != END)
        index = np.where(is_note, rows.note, len(notes[0]))  # N is void
        columns: Columns = (
            UNKNOWN_CLASSES | {"given": 0, "shift": rows.shift} | positions.fields(rows.clock_after)
        )
        for name, column in zip(NOTE_CHOICES, notes[1:], strict=True):
            columns[name] = np.append(column, VOID[name])[index]
        columns |= _candidates(rows, is_note, notes, timeline, positions.bars, given)
        values = np.empty((len(vocabulary.FIELDS), len(index)), np.int16)
        for name, column in columns.items():
            values[COLUMN[name]] = column
        return np.ascontiguousarray(values.T)


def _write_given_context(
    values: npt.NDArray[np.int16], is_given: Mask, given: list[Ints], rows: ShiftRows, bars: BarLines
) -> None:
    """Write the fields of given notes into rows (R, F); `is_given` (R,) are the rows of the given notes."""
    context = GivenContext(*given[:4])
    passed: Ints = np.cumsum(is_given) - is_given
    columns = context.next_fields(passed, rows.clock_before, shifts.earliest_onsets(rows, bars), bars)
    for name, column in (columns | context.pitch_fields(rows.clock_after)).items():
        values[:, COLUMN[name]] = column


def _candidates(
    rows: ShiftRows, is_note: Mask, notes: list[Ints], timeline: Timeline, bars: BarLines, given: Mask | None
) -> Columns:
    """Return the fields of echo, alone, form and texture for rows (R,)."""
    onset, part, pitch = notes[:3]
    part_pitch = vocabulary.part_pitch(part, pitch)
    known: Ints = np.cumsum(is_note) - is_note  # how many notes come before each row
    clock, earliest = rows.clock_before, shifts.earliest_onsets(rows, bars)
    after_note = np.append(False, is_note[:-1])
    last = np.where(after_note, np.append(part_pitch, -1)[known - 1], -1)
    least_part = np.where(rows.shift == 0, (last + 1) // vocabulary.PITCHES, 0)

    def guessed(name: str, note: Ints, onset_ticks: Ints) -> Columns:
        """Return the classes that a candidate guesses; all are void if the grammar cannot write its onset."""
        shift = np.where(note < 0, NO_SHIFT, shifts.shift_to(onset_ticks, clock, earliest, bars))
        index = np.where(shift == NO_SHIFT, len(onset), note)
        choices = zip(NOTE_CHOICES, notes[1:], strict=True)
        columns = {f"{name}.{choice}": np.append(column, VOID[choice])[index] for choice, column in choices}
        return columns | {f"{name}.shift": shift}

    given_interval = np.diff(onset[given], prepend=0) if given is not None else None
    after = echo_candidates(np.diff(onset, prepend=0), part_pitch, given, given_interval)
    echo_onset = np.append(onset, 0)[known - 1] + after.interval[known]
    echo = Candidates(after.note[known], echo_onset, after.length[known], after.run[known])
    least_key = np.maximum(vocabulary.note_key(clock, last + 1), earliest << vocabulary.PART_PITCH_BITS)
    alone = alone_candidates(onset, part_pitch, least_key, known, given)
    columns: Columns = Texture(timeline).fields(rows, part, least_part, bars)
    for name, candidates in (("echo", echo), ("alone", alone)):
        columns |= guessed(name, candidates.note, candidates.onset_ticks)
        no_guess = columns[f"{name}.shift"] == NO_SHIFT
        columns[f"{name}.length"] = np.where(no_guess, 0, candidates.length)
        columns[f"{name}.run"] = np.where(no_guess, 0, candidates.run)
    form = form_candidates(bars, timeline, onset, part_pitch, clock, last, known)
    columns |= guessed("form", form.note, form.onset_ticks)
    cannot_be_written = (columns["form.shift"] == NO_SHIFT) & (form.note >= 0)
    columns["form.likeness"] = np.where(cannot_be_written, 0, form.similarity)
    return columns
