"""The cursor of `notes` gives the same rows as `encode`; which classes it allows; forced rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Meter, Part, Score
from ritornello.music.sketch import CLOSED, NO_CADENCE, OPEN, UNKNOWN, Sketch
from ritornello.music.sketch import END as LAST
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.cursor import Cursor
from ritornello.representations.grid.vocabulary import (
    CHORD_UNKNOWN,
    COLUMN,
    DENSITY_UNKNOWN,
    DRUM_PART,
    END,
    FIELDS,
    FORM_UNKNOWN,
    VOID,
    WAIT,
)
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide
from tests.representations.songs import repetitive, wide

NOTES = Notes()


def replay(cursor: Cursor, songs: list[npt.NDArray[Any]]) -> None:
    """Feed rows through a cursor: known fields must be equal, and every choice allowed."""
    for step in range(max(map(len, songs), default=0)):
        live = [index for index, rows in enumerate(songs) if step < len(rows)]
        for field in FIELDS:
            column = COLUMN[field.name]
            values = np.array([rows[step, column] if step < len(rows) else 0 for rows in songs])
            if field.kind == "known":
                known = cursor.known(field.name)
                for index in live:
                    assert known[index] == values[index], f"{field.name} of row {step}"
                continue
            allowed = cursor.allowed(field.name)
            assert allowed.shape == (len(songs), field.size + 1)
            for index in range(len(songs)):
                if index in live:
                    assert allowed[index, values[index]], f"{field.name} of row {step}: {values[index]}"
                else:
                    assert np.flatnonzero(allowed[index]).tolist() == [field.size]
            cursor.put(field.name, values)
    assert cursor.done.all()
    for index, rows in enumerate(songs):
        assert (cursor.rows(index) == rows).all()


def masked(score: Score, kept: npt.NDArray[np.bool_]) -> Score:
    """Some notes of a canonical song, with all its parts."""
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity, score.part)
    return Score.of(GRID, *(column[kept] for column in columns), parts=score.parts)


@given(st.lists(st.one_of(wide(), repetitive()), min_size=1, max_size=3))
def test_rows_replay_through_the_cursor(songs: list[Score]) -> None:
    timelines = [NOTES.timeline(NOTES.canonical(song)[0]) for song in songs]
    replay(NOTES.cursor(timelines), [NOTES.encode(song).values for song in songs])


@given(st.one_of(wide(), repetitive()), st.data())
def test_rows_with_given_notes_replay(score: Score, data: st.DataObject) -> None:
    song, _ = NOTES.canonical(score)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(song), max_size=len(song))), bool)
    rows = NOTES.encode(score, given=kept).values
    replay(NOTES.cursor([NOTES.timeline(song)], [masked(song, kept)]), [rows])


@given(st.one_of(wide(), repetitive()), st.integers(0, 2**32))
def test_rows_with_any_sketch_replay(score: Score, seed: int) -> None:
    song, _ = NOTES.canonical(score)
    timeline = NOTES.timeline(song)
    if not len(song):
        return
    draw = np.random.default_rng(seed)
    sketch = any_sketch(timeline.sketch or Sketch(), draw)
    timeline = replace(timeline, sketch=sketch, chords=timeline.chords if draw.random() < 0.7 else ())
    rows = NOTES.encode(score, timeline).values
    replay(NOTES.cursor([timeline]), [rows])
    assert (rows >= 0).all()
    assert (rows.max(axis=0) <= [field.size - (field.kind == "known") for field in FIELDS]).all()


def any_sketch(sketch: Sketch, draw: np.random.Generator) -> Sketch:
    """The sketch with some values unknown or changed, and some bars and parts left out."""

    def changed(values: Sequence[int], least: int, most: int) -> list[int]:
        kind = draw.integers(10, size=len(values))
        return np.where(kind < 2, draw.integers(least, most, len(values)), values)[
            : draw.integers(2, 40)
        ].tolist()

    kept = [part for part in range(len(sketch.parts)) if draw.random() < 0.8]
    textures = []
    for part in kept:
        notes, pitch = zip(*sketch.textures[part], strict=True)
        textures.append(tuple(zip(changed(notes, -1, 30), changed(pitch, -1, 128), strict=False)))
    parts = (*(sketch.parts[part] for part in kept), Part("", 100))
    absent = ((3, 70),) * 4
    ticks, pitch = zip(*sketch.closings, strict=True) if sketch.closings else ((), ())
    closings = tuple(zip(changed(ticks, -1, 96), changed(pitch, -1, 12), strict=False))
    return Sketch(tuple(changed(sketch.cadences, -1, 4)), (), parts, (*textures, absent), closings)


GROUPS = ["form", "bars_left", "chord", "cadence", "texture"]


@given(st.one_of(wide(), repetitive()), st.sets(st.sampled_from(GROUPS)))
def test_hidden_fields_say_nothing(score: Score, hidden: set[str]) -> None:
    song, _ = NOTES.canonical(score)
    rows = hide(FIELDS, NOTES.encode(score).values, hidden)
    replay(NOTES.cursor([NOTES.timeline(song)], hidden=hidden), [rows])
    if "chord" in hidden:
        assert (rows[:, COLUMN["chord"]] == CHORD_UNKNOWN).all()
        assert (rows[:, COLUMN["chord.next"]] == CHORD_UNKNOWN).all()
    if "texture" in hidden:
        assert (rows[:, COLUMN["texture.left"]] == DENSITY_UNKNOWN).all()
        assert (rows[:, COLUMN["texture.part"]] == VOID["part"]).all()
    if "form" in hidden:
        assert (rows[:, COLUMN["form.likeness"]] == FORM_UNKNOWN).all()
        assert (rows[:, COLUMN["form.pitch"]] == VOID["pitch"]).all()


@given(repetitive())
def test_a_prompt_is_forced(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    rows = NOTES.encode(score).values
    cursor = NOTES.cursor([NOTES.timeline(song)], prompts=[rows])
    for row in rows[:-1]:  # END is not forced: the song goes on
        for name in VOID:
            assert np.flatnonzero(cursor.allowed(name)[0]).tolist() == [row[COLUMN[name]]]
            cursor.put(name, [row[COLUMN[name]]])
    assert cursor.allowed("shift")[0].sum() > 1


def play(cursor: Cursor, draw: np.random.Generator, most_rows: int = 400) -> None:
    """Draw allowed values until the songs are done, half the time one of the two last: WAIT and END."""
    for _ in range(most_rows):
        if cursor.done.all():
            return
        for name in VOID:
            allowed = cursor.allowed(name)
            assert allowed.any(axis=1).all(), f"no value of {name} is allowed"
            values = [np.flatnonzero(row) for row in allowed]
            cursor.put(name, [int(draw.choice(v[-2:] if draw.random() < 0.5 else v)) for v in values])
    raise AssertionError("the songs do not end")


METERS = st.sampled_from([(4, 4), (3, 4), (7, 8), (5, 16), (16, 4), (12, 4), (1, 64), (9, 8)])


@given(st.lists(METERS, min_size=1, max_size=5), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_allowed_rows_are_written_as_encode_writes_them(
    shapes: list[tuple[int, int]], seed: int, is_open: bool, with_given: bool
) -> None:
    meters = tuple((i, *shape) for i, shape in enumerate(shapes) if i == 0 or shape != shapes[i - 1])
    plan = Plan(bars=len(shapes), meters=meters)
    timeline = plan.timeline(GRID)
    draw = np.random.default_rng(seed)
    kept = None
    if with_given:
        onset = draw.integers(0, timeline.end_ticks, 6)
        pitch = draw.choice(128, 6, replace=False)
        parts = [Part("", 3), Part("", 0, True)]
        kept = Score.of(GRID, onset, [1] * 6, pitch, [64] * 6, draw.integers(0, 2, 6), parts)
    cursor = NOTES.cursor([timeline], [kept], hidden=["bars_left"] if is_open else [])
    play(cursor, draw)
    rows = cursor.rows(0)
    song = NOTES.decode(rows, plan)
    assert len(song) == (rows[:, COLUMN["shift"]] < WAIT).sum()  # no doubles, nothing is cut away
    if kept is not None:  # all that is given has come, as it was
        struck = set(zip(song.onset_ticks.tolist(), song.pitch.tolist(), song.velocity.tolist(), strict=True))
        assert (
            set(zip(kept.onset_ticks.tolist(), kept.pitch.tolist(), [66] * len(kept), strict=True)) <= struck
        )
    # spelled anew; parts may be other instances then, so only the clock is compared
    if len(song) and Timeline.of(song).end_ticks == timeline.end_ticks:
        respelled = NOTES.encode(song).values[:, COLUMN["shift"]].tolist()
        assert respelled == rows[:, COLUMN["shift"]].tolist()


def shifts(cursor: Cursor) -> list[int]:
    """The shifts allowed now."""
    return np.flatnonzero(cursor.allowed("shift")[0]).tolist()


def put(cursor: Cursor, shift: int, part: int = 0, pitch: int = 60) -> None:
    """A row of middle C, or WAIT or END."""
    values = (shift, part, pitch, 0, 0) if shift < WAIT else (shift, *list(VOID.values())[1:])
    for name, value in zip(VOID, values, strict=True):
        assert cursor.allowed(name)[0, value], f"{name} {value}"
        cursor.put(name, [value])


def test_shifts_that_are_allowed() -> None:
    # four bars of 96. At first: bars 0 and 1, but not over 191; WAIT; no END
    cursor = NOTES.cursor([Plan(bars=4).timeline(GRID)])
    assert shifts(cursor) == [*range(192), WAIT]
    put(cursor, 90)
    # from 90: bar 1 ends 102 ticks on
    assert shifts(cursor) == [*range(102), WAIT]
    put(cursor, WAIT)
    # WAIT to 96 was for bar 2 (192 on), whose end is beyond the next bar from 96: 96-191
    assert shifts(cursor) == [*range(96, 192), WAIT]
    put(cursor, 96)
    put(cursor, WAIT)  # to bar 3, the last: a note in it needs no WAIT before, so only END is left
    assert shifts(cursor) == [END]
    put(cursor, END)
    assert cursor.done.all()


def test_the_last_bar_allows_end_and_no_wait() -> None:
    cursor = NOTES.cursor([Plan(bars=1).timeline(GRID)])
    assert shifts(cursor) == [*range(96), END]  # a song may be silent: rules see to that
    put(cursor, 95, DRUM_PART, 127)
    assert shifts(cursor) == [END]  # nothing comes after the last pitch of the last part at one onset


def test_in_a_long_last_bar_a_note_follows_wait() -> None:
    # 16/4 is 384 ticks: after a note at 0, WAIT to 192 is for an onset from there on, so the song goes on
    cursor = NOTES.cursor([Plan(bars=1, meters=((0, 16, 4),)).timeline(GRID)])
    put(cursor, 0)
    assert shifts(cursor) == [*range(192), WAIT, END]
    put(cursor, WAIT)
    assert shifts(cursor) == [*range(192)]
    put(cursor, 0, pitch=40)  # a new onset: it need not be above the last note


def test_rows_within_an_onset_ascend() -> None:
    cursor = NOTES.cursor([Plan(bars=1).timeline(GRID)])
    put(cursor, 0, part=4, pitch=60)
    cursor.put("shift", [0])
    assert np.flatnonzero(cursor.allowed("part")[0]).tolist() == list(range(4, DRUM_PART + 1))
    cursor.put("part", [4])
    assert np.flatnonzero(cursor.allowed("pitch")[0]).tolist() == list(range(61, 128))
    fresh = NOTES.cursor([Plan(bars=1).timeline(GRID)])
    put(fresh, 0, part=4, pitch=127)
    fresh.put("shift", [0])
    assert not fresh.allowed("part")[0, 4]


def test_no_row_passes_a_given_note() -> None:
    given_notes = Score.of(GRID, [0, 5], [9, 9], [60, 61], [64, 64], parts=[Part("", 1)])
    cursor = NOTES.cursor([Plan(bars=1).timeline(GRID)], [given_notes])
    assert shifts(cursor) == [0]
    cursor.put("shift", [0])
    assert np.flatnonzero(cursor.allowed("part")[0]).tolist() == [0, 1, 2, 3, 4]
    cursor.put("part", [4])  # the first piano of program 1
    assert np.flatnonzero(cursor.allowed("pitch")[0]).tolist() == list(range(61))
    cursor.put("pitch", [60])
    for name, number in (("duration", 8), ("velocity", 16)):
        assert np.flatnonzero(cursor.allowed(name)[0]).tolist() == [number]
        cursor.put(name, [number])
    assert shifts(cursor) == [0, 1, 2, 3, 4, 5]  # neither WAIT nor END
    put(cursor, 5, part=3)  # another piano, below it
    assert shifts(cursor) == [0]
    cursor.put("shift", [0])
    assert cursor.songs[0].next_given("part") == 4
    assert np.flatnonzero(cursor.allowed("part")[0]).tolist() == [3, 4]
    cursor.put("part", [4])
    assert cursor.songs[0].next_given("pitch") == 61
    for name in ("pitch", "duration", "velocity"):
        cursor.put(name, cursor.allowed(name).shape[1] - 1 - cursor.allowed(name)[:, ::-1].argmax(axis=1))
    assert cursor.songs[0].is_given == [True, False, True]
    assert END in shifts(cursor)


def test_with_bars_left_hidden_a_song_may_end_in_any_bar() -> None:
    cursor = NOTES.cursor([Plan(bars=9).timeline(GRID)], hidden=["bars_left"])
    put(cursor, 0)
    assert END in shifts(cursor)
    put(cursor, WAIT)
    assert END not in shifts(cursor)  # WAIT was for a note


def test_the_form_of_a_plan_gives_candidates() -> None:
    timeline = Plan(bars=2, returns=parse_form("A1 A1~")).timeline(GRID)
    cursor = NOTES.cursor([timeline])
    assert cursor.known("form.likeness") == 0
    put(cursor, 0, pitch=60)
    # bar 1 returns to bar 0, some of it: its first note is next
    assert cursor.known("form.likeness") == 4
    assert (cursor.known("form.shift"), cursor.known("form.pitch")) == (96, 60)
    put(cursor, 24, pitch=64)
    put(cursor, 72, pitch=60)
    assert cursor.known("form.likeness") == 1
    assert (cursor.known("form.shift"), cursor.known("form.pitch")) == (24, 64)


def test_without_a_form_or_chords_both_are_unknown() -> None:
    cursor = NOTES.cursor([Plan(bars=2).timeline(GRID)])
    assert cursor.known("form.likeness") == FORM_UNKNOWN
    put(cursor, 0)
    assert cursor.rows(0)[0, COLUMN["chord"]] == CHORD_UNKNOWN


def test_the_chords_of_a_plan_are_known() -> None:
    plan = Plan(bars=2, meters=((0, 3, 4),), chords=(Chord(72, 9, "min"),))
    cursor = NOTES.cursor([plan.timeline(GRID)])
    put(cursor, 71)
    put(cursor, 1)
    none, a_minor = 120, 9 * 10 + 1
    assert cursor.rows(0)[:, COLUMN["chord"]].tolist() == [none, a_minor]


def test_the_next_chord_and_the_end_of_the_phrase_are_known() -> None:
    chords = (Chord(0, 0, "maj"), Chord(48, 0, "maj"), Chord(96, 7, "maj"))
    sketch = Sketch(cadences=(NO_CADENCE, OPEN, UNKNOWN, CLOSED, NO_CADENCE))
    timeline = replace(Plan(bars=5, chords=chords).timeline(GRID), sketch=sketch)
    cursor = NOTES.cursor([timeline])
    for shift in (0, 60, 36, 96, 96, 96):
        put(cursor, shift)
    rows = cursor.rows(0)
    g, none = 70, 120
    assert rows[:, COLUMN["chord.next"]].tolist() == [g, g, none, none, none, none]
    assert rows[:, COLUMN["chord.until"]].tolist() == [4, 2, 8, 8, 8, 8]  # to 4 beats, to 2, none
    assert rows[:, COLUMN["cadence.kind"]].tolist() == [1, 1, 1, 4, 2, 0]
    assert rows[:, COLUMN["cadence.bars"]].tolist() == [1, 1, 0, 16, 0, 16]
    assert LAST == 3


def test_the_note_on_which_the_phrase_closes_is_known() -> None:
    closings = ((UNKNOWN, UNKNOWN), (24, 7), (UNKNOWN, UNKNOWN), (0, 0))
    sketch = Sketch((NO_CADENCE, OPEN, UNKNOWN, CLOSED, NO_CADENCE), closings=closings)
    timeline = replace(Plan(bars=5).timeline(GRID), sketch=sketch)
    cursor = NOTES.cursor([timeline])
    for shift in (0, 83, 37, 1, 95, 72, 96):  # ticks 0, 83, 120, 121, 216, 288, 384
        put(cursor, shift)
    rows = cursor.rows(0)
    past, unknown = 33, 34
    # 120 and 37 ticks are 20 and 6.2 sixteenths; then 0, past, unknown in bar 3, 0, and no phrase ends later
    assert rows[:, COLUMN["cadence.onset"]].tolist() == [20, 7, 0, past, unknown, 0, unknown]
    assert rows[:, COLUMN["cadence.pitch"]].tolist() == [7, 7, 7, 7, 12, 0, 12]


def test_the_texture_of_a_plan_is_known() -> None:
    flute, bass = Part("", 73), Part("", 33)
    textures = (((6, 72), (UNKNOWN, UNKNOWN)), ((1, 40), (0, UNKNOWN)))
    timeline = replace(Plan(bars=2).timeline(GRID), sketch=Sketch(parts=(flute, bass), textures=textures))
    cursor = NOTES.cursor([timeline])
    put(cursor, 0, part=73 * 4, pitch=72)
    put(cursor, 24, part=33 * 4, pitch=40)
    put(cursor, 72, part=33 * 4, pitch=40)
    rows = cursor.rows(0)
    assert rows[:, COLUMN["texture.left"]].tolist() == [6, 5, 5]  # 7, 6, 5 notes
    assert rows[:, COLUMN["texture.part"]].tolist() == [33 * 4, 33 * 4, VOID["part"]]
    assert rows[:, COLUMN["texture.density"]].tolist() == [5, 1, 0]
    assert rows[:, COLUMN["texture.register"]].tolist() == [72, 40, 128]


@pytest.mark.parametrize("meter", [Meter(0, 4, 4), Meter(0, 16, 4)])
def test_an_empty_plan_of_many_bars_ends(meter: Meter) -> None:
    plan = Plan(bars=20, meters=((0, *meter[1:]),))
    cursor = NOTES.cursor([plan.timeline(GRID)])
    while not cursor.done.all():
        put(cursor, END if END in shifts(cursor) else WAIT)
    waits = cursor.rows(0)[:, COLUMN["shift"]].tolist()
    # to the last bar: 19 bar lines, a bar of 16/4 in two steps
    assert waits == [WAIT] * (19 if meter.numerator == 4 else 38) + [END]


def test_the_empty_timeline_is_done() -> None:
    assert NOTES.cursor([Timeline.of(Score.of(GRID, [], [], [], []))]).done.all()
