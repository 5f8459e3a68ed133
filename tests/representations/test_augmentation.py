"""Augmented rows are equal to the rows of an augmented song; which notes are drawn as given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.music.score import Part, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.augmentation import draw_given, louder, transposed, transposition_range
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide
from tests.representations.songs import repetitive, wide
from tests.scores import tune

NOTES = Notes()


@given(st.one_of(repetitive(), wide()), st.floats(0, 1))
def test_transposed_rows_are_those_of_the_transposed_song(score: Score, share: float) -> None:
    values = NOTES.encode(score).values
    down, up = transposition_range(values)
    semitones = round(down + share * (up - down))
    expected = NOTES.encode(score.transposed(semitones)).values
    moved = transposed(values, semitones)
    # keys and chords that are estimated may fall out otherwise where two fit equally well
    estimated = ["cadence"] if Timeline.of(NOTES.canonical(score)[0]).chords else ["chord", "cadence"]
    # no note of a part can follow its pitch 127 at once, so another part is due
    if 127 in score.pitch or 127 in score.transposed(semitones).pitch:
        estimated.append("texture.part")
    expected, moved = (hide(NOTES.fields, rows, estimated) for rows in (expected, moved))
    assert (moved == expected).all()


@given(wide(), st.data())
def test_given_pitches_are_transposed_too(score: Score, data: st.DataObject) -> None:
    song, _ = NOTES.canonical(score)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(song), max_size=len(song))), bool)
    values = NOTES.encode(song, given=kept).values
    semitones = data.draw(st.integers(*transposition_range(values)))
    expected = NOTES.encode(song.transposed(semitones), given=kept).values
    hidden = ["cadence"] if Timeline.of(song).chords else ["chord", "cadence"]  # estimated, as above
    assert (
        hide(NOTES.fields, transposed(values, semitones), hidden) == hide(NOTES.fields, expected, hidden)
    ).all()


def test_the_range_of_transposition_ignores_drums() -> None:
    # tune() goes from G2 (43) to E5 (76)
    assert transposition_range(NOTES.encode(tune()).values) == (-43, 51)


@given(repetitive(), st.integers(-32, 32))
def test_louder_rows_are_those_of_the_louder_song(score: Score, bins: int) -> None:
    velocity = np.clip(score.velocity.astype(int) // 4 + bins, 0, 31) * 4 + 2
    expected = NOTES.encode(replace(score, velocity=velocity)).values
    assert (louder(NOTES.encode(score).values, bins) == expected).all()


@given(st.one_of(repetitive(), wide()), st.integers(0, 2**32))
def test_given_notes_are_parts_or_bars_but_never_all(score: Score, seed: int) -> None:
    song, _ = NOTES.canonical(score)
    kept = draw_given(song, np.random.default_rng(seed))
    assert kept.shape == (len(song),)
    assert not kept.all() or not len(song)
    in_bars = Timeline.of(song).bar_of(song.onset_ticks)
    parts, bars = np.unique(song.part[kept]), np.unique(in_bars[kept])
    whole_part = len(parts) == 1 and not (song.part[~kept] == parts[0]).any()
    others = np.unique(song.part[~kept])
    all_but_one = len(others) == 1 and not (song.part[kept] == others[0]).any()
    whole_bars = not np.isin(in_bars[~kept], bars).any()
    assert not kept.any() or whole_part or all_but_one or whole_bars


def test_parts_and_bars_are_drawn_equally_often() -> None:
    # three parts of a note in each of four bars; in a third of the draws a part, in a third two, in a third
    # bars in a row; where those would be all four (from the first one on, 13 of 16 lengths) nothing is
    song = Score.of(24, [0, 96, 192, 288] * 3, [24] * 12, [60] * 12, [64] * 12, [0] * 4 + [1] * 4 + [2] * 4,
                    [Part("", 0), Part("", 8), Part("", 16)])  # fmt: skip
    draw = np.random.default_rng(0)
    kept = [draw_given(song, draw).reshape(4, 3) for _ in range(900)]
    parts = [int(one.any(axis=0).sum()) for one in kept]
    whole = [bool((one.all(axis=0) | ~one.any(axis=0)).all()) for one in kept]
    assert [sum(w and n == count for w, n in zip(whole, parts, strict=True)) for count in (1, 2)] == [
        pytest.approx(300, abs=60)
    ] * 2
    assert parts.count(0) == pytest.approx(300 / 4 * 13 / 16, abs=30)
    assert sum(parts.count(n) for n in range(4)) == 900
