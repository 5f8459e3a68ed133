"""The rows of `notes`: golden rows, and properties of all songs."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Meter, Part, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, END, VOID, WAIT
from ritornello.representations.notes import Notes
from ritornello.representations.table import print_table, start_row
from tests.representations.songs import wide
from tests.scores import tune

NOTES = Notes()
CHOICES = ("shift", "part", "pitch", "duration", "velocity")


def choices(score: Score, **options: Any) -> list[tuple[int, ...]]:
    """The five choices of each row."""
    values = NOTES.encode(score, **options).values
    return [tuple(row) for row in values[:, [COLUMN[name] for name in CHOICES]].tolist()]


def song_at(onsets: list[int], *, last_bar: int | None = None, **events: Any) -> Score:
    """Quarter notes of middle C at these ticks (24 a beat) on a piano, velocity 66."""
    return Score.of(GRID, onsets, [1] * len(onsets), [60] * len(onsets), [66] * len(onsets), **events)


NOTE = (0, 60, 0, 16)  # part 0 x 4 + 0, C4, class 0 is one tick, 66 // 4
VOIDS = (VOID["part"], VOID["pitch"], VOID["duration"], VOID["velocity"])


def test_golden_rows() -> None:
    # flute C5 for a beat, then after 18 ticks strings (48) E3 for 51 ticks: halfway goes up, to 54 (class 48)
    score = Score.of(24, [0, 18], [24, 51], [72, 52], [127, 1], [0, 1], [Part("", 73), Part("", 48)])
    assert choices(score) == [
        (0, 73 * 4, 72, 23, 31),
        (18, 48 * 4, 52, 48, 0),
        (END, *VOIDS),
    ]


def test_wait_is_written_only_where_it_is_needed() -> None:
    # bars of 96 ticks: 191 is in the next bar, one shift; 192 is two bars on, WAIT to 96, then 96
    assert choices(song_at([0, 191])) == [(0, *NOTE), (191, *NOTE), (END, *VOIDS)]
    assert choices(song_at([0, 192])) == [(0, *NOTE), (WAIT, *VOIDS), (96, *NOTE), (END, *VOIDS)]
    # from 90 (bar 0) to 290 (bar 3): WAIT to 96, WAIT to 192, then bar 3 is the next: 98
    assert choices(song_at([90, 290])) == [
        (90, *NOTE), (WAIT, *VOIDS), (WAIT, *VOIDS), (98, *NOTE), (END, *VOIDS),
    ]  # fmt: skip
    # an opening rest
    assert choices(song_at([200]))[:2] == [(WAIT, *VOIDS), (104, *NOTE)]


def test_in_a_long_bar_wait_goes_192_ticks() -> None:
    # 12/4 is 288 ticks: 250 is over 191 away, so WAIT to 192, then 58
    score = song_at([0, 250], meters=(Meter(0, 12, 4),))
    assert choices(score) == [(0, *NOTE), (WAIT, *VOIDS), (58, *NOTE), (END, *VOIDS)]


def test_fields_of_the_position() -> None:
    rows = NOTES.encode(tune()).values
    known = rows[:, [COLUMN[name] for name in ("position", "bar_length", "bars_left", "chord")]]
    g_major = 7 * 10  # root G, kind 0 of ten
    assert known[0].tolist() == [0, 96, 3, g_major]
    assert known[-1].tolist() == [48, 96, 0, 2 * 10 + 4]  # END stands at the last onset, beat 14; D7
    assert (rows[:, COLUMN["given"]] == 0).all()


def test_the_loss_counts_every_choice_that_is_not_void() -> None:
    rows = NOTES.encode(song_at([0, 192]))
    kinds = {field.name for field in NOTES.fields if field.kind == "choice"}
    assert kinds == set(CHOICES)
    learnt = {name: rows.learn[:, COLUMN[name]].tolist() for name in COLUMN}
    assert learnt["shift"] == [True] * 4
    assert all(
        learnt[name] == [True, False, True, False] for name in ("part", "pitch", "duration", "velocity")
    )
    assert not any(any(learnt[name]) for name in set(COLUMN) - kinds)


@given(wide())
def test_decode_undoes_encode_up_to_canonical(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    assert NOTES.decode(NOTES.encode(score).values, Plan.of(score)) == song


@given(wide())
def test_canonical_is_idempotent(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    again, dropped = NOTES.canonical(song)
    assert again == song
    assert dropped == {}


@given(wide(), st.randoms(use_true_random=False))
def test_the_order_of_parts_changes_nothing(score: Score, shuffle: random.Random) -> None:
    order = list(range(len(score.parts)))
    shuffle.shuffle(order)
    place = np.argsort(order)
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity)
    events = {
        name: getattr(score, name) for name in ("tempi", "meters", "keys", "chords", "markers", "title")
    }
    parts = [score.parts[index] for index in order]
    mixed = Score.of(score.ticks_per_beat, *columns, place[score.part], parts, **events)
    assert NOTES.canonical(mixed) == NOTES.canonical(score)
    assert (NOTES.encode(mixed).values == NOTES.encode(score).values).all()


@given(wide())
def test_every_value_is_a_class_of_its_field(score: Score) -> None:
    rows = NOTES.encode(score)
    assert rows.values.dtype == np.int16
    for field, column, learn in zip(NOTES.fields, rows.values.T, rows.learn.T, strict=True):
        void = field.kind == "choice"
        assert ((column >= 0) & (column < field.size + void)).all(), field.name
        assert not void or (column[learn] < field.size).all(), field.name


@given(wide(), st.data())
def test_given_rows_are_decoded_but_not_learnt(score: Score, data: st.DataObject) -> None:
    song, _ = NOTES.canonical(score)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(song), max_size=len(song))), bool)
    rows = NOTES.encode(score, given=kept)
    assert NOTES.decode(rows.values, Plan.of(score)) == song
    # they are rows as all others, but how long and loud they are is not learnt, and echo hears them before
    plain = NOTES.encode(score)
    ahead = [
        column for name, column in COLUMN.items() if name.partition(".")[0] in ("given", "echo", "alone")
    ]
    assert (np.delete(rows.values, ahead, axis=1) == np.delete(plain.values, ahead, axis=1)).all()
    for name in COLUMN:
        less = name in ("duration", "velocity")
        assert plain.learn[:, COLUMN[name]].sum() - rows.learn[:, COLUMN[name]].sum() == less * kept.sum()
    struck = np.flatnonzero(rows.values[:, COLUMN["shift"]] < WAIT)
    assert not rows.learn[struck[kept], COLUMN["velocity"]].any()


def test_fields_of_the_given_notes() -> None:
    # given: C5 of two beats at 24 with E4 of one, a drum at 30; drawn: C4 at 0, 24, 48, 72. The next given
    # note is 24 on, then here while one is to come, then 6 on (the drum), then there is none. The end of a
    # note is no longer in it: at 48 the C5 sounds alone, at 72 and where END stands nothing does
    parts = [Part("", 0), Part("", 73), Part("", 0, True)]
    score = Score.of(
        24, [0, 24, 48, 72, 24, 24, 30], [6] * 4 + [48, 24, 1], [60] * 4 + [72, 64, 40], [66] * 7,
        [0] * 4 + [1, 1, 2], parts,
    )  # fmt: skip
    song, _ = NOTES.canonical(score)
    values = NOTES.encode(song, given=song.part > 0).values
    names = ("position", "pitch", "given", "given.shift", "given.top", "given.low", "given.next")
    said = values[:, [COLUMN[name] for name in names]].tolist()
    none, here, later = range(3)
    nowhere, silent = VOID["shift"], 128
    assert said == [
        [0, 60, later, 24, silent, silent, 72],
        [24, 60, later, 24, 72, 64, silent],
        [24, 64, here, 0, 72, 64, silent],
        [24, 72, here, 0, 72, 64, silent],
        [30, 40, later, 6, 72, 64, silent],
        [48, 60, none, nowhere, 72, 72, silent],
        [72, 60, none, nowhere, silent, silent, silent],
        [72, VOID["pitch"], none, nowhere, silent, silent, silent],
    ]
    words = [line.partition("given: ")[2] for line in NOTES.explain(values)]
    assert words[:2] == ["next after 24 ticks", "E4, C5, next after 24 ticks"]
    assert words[5:] == ["C5", "", ""]


def test_parts_of_one_program_are_ordered_by_register() -> None:
    # three pianos, the middle one highest; two drum kits become one
    kit = Part("kit", 8, True)
    parts = [Part("low", 0), Part("high", 0), Part("mid", 0), kit, kit]
    song, dropped = NOTES.canonical(
        Score.of(24, [0] * 5, [24] * 5, [40, 80, 60, 36, 38], [66] * 5, range(5), parts)
    )
    assert song.parts == (Part("", 0), Part("", 0), Part("", 0), Part("", 0, True))
    assert list(zip(song.part.tolist(), song.pitch.tolist(), strict=True)) == [
        (0, 80), (1, 60), (2, 40), (3, 36), (3, 38),
    ]  # fmt: skip
    assert dropped == {"parts merged": 1, "names of parts": 5, "drum kits": 2}
    assert vocabulary.part_classes(song.parts).tolist() == [0, 1, 2, DRUM_PART]


def test_a_fifth_part_is_merged_into_the_fourth() -> None:
    score = Score.of(
        24, range(0, 144, 24), [24] * 6, [90, 80, 70, 60, 50, 40], [66] * 6, range(6), [Part()] * 6
    )
    song, dropped = NOTES.canonical(score)
    assert song.part.tolist() == [0, 1, 2, 3, 3, 3]
    assert dropped == {"parts merged": 2}


def test_merged_parts_may_be_higher_than_another_part() -> None:
    # means 90, 80, 45, 40, 40; the last two share the 10 at tick 24: together they have (70 + 10 + 70) / 3
    notes = [(0, 90, 0), (0, 80, 1), (0, 45, 2), (0, 70, 3), (24, 10, 3), (24, 10, 4), (48, 70, 4)]
    onset, pitch, part = zip(*notes, strict=True)
    score = Score.of(24, onset, [24] * 7, pitch, [66] * 7, part, [Part()] * 5)
    song, _ = NOTES.canonical(score)
    assert list(zip(song.part.tolist(), song.pitch.tolist(), strict=True)) == [
        (0, 90), (1, 80), (2, 70), (3, 45), (2, 10), (2, 70),
    ]  # fmt: skip
    assert NOTES.canonical(song) == (song, {})


def test_what_canonical_drops_is_counted() -> None:
    # a note of 20 beats keeps 16; of two notes a tick of 1/480 apart one stays
    score = Score.of(
        480, [0, 480, 481], [9600, 1, 300], [60, 62, 62], [64] * 3,
        parts=[Part("a"), Part("unheard")], tempi=(Tempo(0, 500_000), Tempo(480, 400_000)),
    )  # fmt: skip
    song, dropped = NOTES.canonical(score)
    assert dropped == {
        "notes doubled": 1,
        "notes over 16 beats": 1,
        "parts without notes": 1,
        "names of parts": 2,
        "tempo changes": 1,
    }
    assert song.tempi == (Tempo(0, 400_000),)  # it lasts from beat 1 to 20
    assert song.duration_ticks.tolist() == [384, 15]


def test_a_bar_cut_short_keeps_its_place() -> None:
    # 4/4 cut after 50 of 96 ticks by a 3/4: 50 ticks are 33/64 (49.5, so 49); the note at 60 stays 10 after
    # the bar line
    score = song_at([0, 49, 60], meters=(Meter(0, 4, 4), Meter(50, 3, 4)))
    song, _ = NOTES.canonical(score)
    assert [tuple(meter) for meter in song.meters] == [(0, 33, 64), (49, 3, 4)]
    assert song.onset_ticks.tolist() == [0, 48, 59]


def test_a_song_without_notes_has_no_rows() -> None:
    score = Score.of(24, [], [], [], [])
    assert NOTES.encode(score).values.shape == (0, len(NOTES.fields))
    assert NOTES.decode(NOTES.encode(score).values, Plan.of(score)) == NOTES.canonical(score)[0]


def test_canonical_of_a_plain_song_keeps_its_bars() -> None:
    song, _ = NOTES.canonical(tune())
    assert Timeline.of(song).start_ticks.tolist() == [0, 96, 192, 288]
    assert song.keys == tune().keys
    assert [chord.onset_ticks for chord in song.chords] == [0, 96, 192, 288]


@pytest.mark.parametrize(("ticks", "number"), [(1, 0), (48, 47), (50, 47), (51, 48), (53, 48), (10**6, 63)])
def test_durations(ticks: int, number: int) -> None:
    assert vocabulary.duration_class(ticks) == number


def test_rows_are_described() -> None:
    words = NOTES.explain(NOTES.encode(tune()).values)
    assert words[0] == (
        "bar   1 beat  1.000  G       bass 32.1 G2 for 2 beats, velocity 74  |  sketch: C next, "
        "end in 3 bars on G, 5-6 notes to come in the bar, due: bass 32.1, about B2"
    )
    assert "end in this bar on G, 1 note to come in the bar" in words[-2]
    assert words[2].startswith("bar   1 beat  2.000  G       pipe 73.1 B4 for 1 beat, velocity 98")
    assert words[-1].startswith("bar   4 beat  3.000  D7      END")
    assert len(words) == 24
    with_bars = NOTES.explain(NOTES.encode(tune()).values, ["first", "second", "third", "fourth"])
    assert [with_bars.index(line) for line in ("first", "second", "third", "fourth")] == [0, 7, 14, 21]
    assert [line for line in with_bars if line.startswith("bar ")] == words


def test_the_start_row_is_void_and_unknown() -> None:
    start = start_row(NOTES.fields)
    assert [start[COLUMN[name]] for name in CHOICES] == list(VOID.values())
    assert [start[COLUMN[name]] for name in ("echo.length", "form.likeness", "position")] == [0, 7, 0]
    assert print_table(NOTES.fields).splitlines()[3].split()[:4] == ["echo.shift", "known", "195", "shift"]
