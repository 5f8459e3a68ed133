"""The benchmark `reencode` finds rows that are not those of their song."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import ritornello as r
from benchmarks.reencode import compare, plain_sampling


def test_a_composed_song_has_its_own_rows_and_a_doubled_note_is_found() -> None:
    song: Any = r.compose(bars=2, genre="fiddle", seed=1)
    rows, differ, shorter, notes, lost = compare(song)
    assert (differ, shorter, lost) == (0, 0, 0) and rows > notes > 4
    doubled = np.insert(song.recipe.rows, 2, song.recipe.rows[1], axis=0)
    names = [field.name for field in song.recipe.representation.fields]
    doubled[2, names.index("shift")] = 0  # the same pitch at the same onset, which no song has
    wrong = replace(song, recipe=replace(song.recipe, rows=doubled))
    _, differ, _, more, lost = compare(wrong)
    assert more == notes + 1 and lost == 1 and differ > 0


def test_nothing_is_cut_off() -> None:
    params = plain_sampling(0.2, ["shift", "pitch"])
    assert params.temperature == params.top_p == {"shift": 1.0, "pitch": 1.0}


def test_a_note_that_the_next_one_cuts_short_differs_in_duration() -> None:
    song: Any = r.compose(bars=2, genre="fiddle", seed=1)
    rows = song.recipe.rows.copy()
    names = [field.name for field in song.recipe.representation.fields]
    pitch, duration = names.index("pitch"), names.index("duration")
    rows[2, pitch] = rows[1, pitch]  # twice the same pitch, and the first one is held for long
    rows[1, duration] = song.recipe.representation.fields[duration].size - 1
    _, differ, shorter, _, lost = compare(replace(song, recipe=replace(song.recipe, rows=rows)))
    assert (differ, shorter, lost) == (1, 1, 0)
