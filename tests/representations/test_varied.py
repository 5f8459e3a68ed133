"""Rows that are changed are those of the changed song."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ritornello.representations.grid.varied import louder, pick_given, room, transposed
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide
from ritornello.score import Score
from ritornello.timeline import Timeline
from tests.representations.songs import repetitive, wide
from tests.scores import tune

NOTES = Notes()


@given(st.one_of(repetitive(), wide()), st.floats(0, 1))
def test_transposed_rows_are_those_of_the_transposed_song(score: Score, share: float) -> None:
    values = NOTES.encode(score).values
    down, up = room(values)
    semitones = round(down + share * (up - down))
    expected = NOTES.encode(score.transposed(semitones)).values
    moved = transposed(values, semitones)
    if not score.chords:  # estimated ones may fall out otherwise where two fit equally well
        expected, moved = (hide(NOTES.fields, rows, ["chord"]) for rows in (expected, moved))
    assert (moved == expected).all()


def test_room_is_what_the_pitched_notes_leave() -> None:
    # tune() goes from G2 (43) to E5 (76)
    assert room(NOTES.encode(tune()).values) == (-43, 51)


@given(repetitive(), st.integers(-32, 32))
def test_louder_rows_are_those_of_the_louder_song(score: Score, bins: int) -> None:
    velocity = np.clip(score.velocity.astype(int) // 4 + bins, 0, 31) * 4 + 2
    expected = NOTES.encode(replace(score, velocity=velocity)).values
    assert (louder(NOTES.encode(score).values, bins) == expected).all()


@given(st.one_of(repetitive(), wide()), st.integers(0, 2**32))
def test_what_is_given_is_one_part_or_bars_in_a_row_but_never_all(score: Score, seed: int) -> None:
    song, _ = NOTES.canonical(score)
    kept = pick_given(song, np.random.default_rng(seed))
    assert kept.shape == (len(song),)
    assert not kept.all() or not len(song)
    in_bars = Timeline.of(song).bar_of(song.onset_ticks)
    parts, bars = np.unique(song.part[kept]), np.unique(in_bars[kept])
    whole_part = len(parts) == 1 and not (song.part[~kept] == parts[0]).any()
    whole_bars = not np.isin(in_bars[~kept], bars).any()
    assert not kept.any() or whole_part or whole_bars


def test_one_part_or_bars_are_given() -> None:
    song, _ = NOTES.canonical(tune())
    draw = np.random.default_rng(0)
    parts = [tuple(np.unique(song.part[pick_given(song, draw)]).tolist()) for _ in range(1000)]
    both = parts.count((0, 1))  # in half of the draws bars are given, and few of those hold one part alone
    assert 350 < both < 550
    assert 200 < parts.count((0,)) < 400
    assert 200 < parts.count((1,)) < 400
