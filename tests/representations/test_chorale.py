"""The rows of `chorale`: golden rows, scores that are refused, and properties of all songs of four voices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ScoreError
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Meter, Part, Score
from ritornello.representations.chorale import DRAWN, SIZE, VOICES, Chorale

CHORALE = Chorale()
METERS = st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 64), (2, 2)])


@st.composite
def chorales(draw: Callable[..., Any]) -> Score:
    """Four voices, a little off the grid, with rests, at any resolution, their parts in any order."""
    beat = draw(st.sampled_from((4, 24, 480, 1001)))
    notes = []
    for part in range(4):
        steps = draw(
            st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(28, 88)), min_size=1, max_size=8)
        )
        at = 0
        for index, (length, rest, pitch) in enumerate(steps):
            start, at = at, at + length
            if not rest or index == 0:
                notes.append((start * beat // 4, length * beat // 4, pitch, part))
    onset, duration, pitch, part = zip(*notes, strict=True)
    names = draw(st.permutations(draw(st.sampled_from([VOICES, ("", "", "", "")]))))
    parts = [Part(name, draw(st.integers(0, 127))) for name in names]
    meters = [Meter(0, *draw(METERS)), Meter(3 * beat, *draw(METERS))]
    return Score.of(beat, onset, duration, pitch, [70] * len(onset), part, parts, meters=meters)


def voices(*rows: tuple[int, int, int, int], **events: Any) -> Score:
    """A quarter note of soprano, alto, tenor and bass for each row."""
    notes = [(24 * i, pitch, part) for i, row in enumerate(rows) for part, pitch in enumerate(row)]
    onset, pitch, part = zip(*notes, strict=True)
    parts = [Part(name) for name in VOICES]
    return Score.of(GRID, onset, [24] * len(onset), pitch, [64] * len(onset), part, parts, **events)


def test_golden_rows() -> None:
    # two quarters; the class of a pitch is pitch - 27: 72 is 45, 67 40, 64 37, 48 21
    rows = CHORALE.encode(voices((72, 67, 64, 48), (72, 69, 65, 41)))
    assert len(rows.values) == 16  # to the end of the bar of 4/4
    assert rows.values[0].tolist() == [0, 45, 21, 37, 40]  # position; soprano, bass, tenor, alto
    assert rows.values[4].tolist() == [4, 45, 14, 38, 42]
    assert rows.values[8].tolist() == [8, 0, 0, 0, 0]
    assert rows.learn[:, 1].tolist() == [True] * 8 + [False] * 8
    assert not rows.learn[:, 0].any()


def test_repeated_pitches_are_one_note() -> None:
    song, dropped = CHORALE.canonical(voices((72, 67, 64, 48), (72, 69, 65, 41)))
    assert song.part.tolist() == [0, 1, 2, 3, 1, 2, 3]
    assert song.duration_ticks.tolist() == [48] + [24] * 6
    assert dropped == {"notes joined": 1, "velocities": 1, "programs": 4}


@given(chorales())
def test_decode_undoes_encode_up_to_canonical(score: Score) -> None:
    song, _ = CHORALE.canonical(score)
    assert CHORALE.decode(CHORALE.encode(score).values, Plan.of(score)) == song


@given(chorales())
def test_canonical_is_idempotent(score: Score) -> None:
    song, _ = CHORALE.canonical(score)
    again, dropped = CHORALE.canonical(song)
    assert again == song
    assert dropped == {}


@given(chorales(), st.permutations(range(4)))
def test_the_order_of_parts_changes_nothing(score: Score, order: list[int]) -> None:
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity)
    parts = [score.parts[index] for index in order]
    place = np.argsort(order)[score.part]
    mixed = Score.of(score.ticks_per_beat, *columns, place, parts, meters=score.meters)
    assert CHORALE.canonical(mixed)[0] == CHORALE.canonical(score)[0]


@given(st.lists(chorales(), min_size=1, max_size=3))
def test_rows_replay_through_the_cursor(songs: list[Score]) -> None:
    rows = [CHORALE.encode(song).values for song in songs]
    cursor = CHORALE.cursor([CHORALE.timeline(CHORALE.canonical(song)[0]) for song in songs])
    for step in range(max(map(len, rows))):
        live = [index for index, values in enumerate(rows) if step < len(values)]
        now = np.array([values[min(step, len(values) - 1)] for values in rows])
        known = cursor.known("position")
        assert all(known[index] == now[index, 0] for index in live)
        for column, voice in enumerate(DRAWN, start=1):
            allowed = cursor.allowed(voice)
            for index in range(len(songs)):
                assert allowed[index].tolist() == [index in live] * SIZE + [index not in live]
            cursor.put(voice, now[:, column])
    assert cursor.done.all()
    assert all((cursor.rows(index) == values).all() for index, values in enumerate(rows))


def test_given_voices_and_prompts_are_forced() -> None:
    song = CHORALE.canonical(voices((72, 67, 64, 48), (74, 69, 65, 41)))[0]
    melody = Score.of(GRID, [0, 24], [24, 24], [72, 74], [64] * 2, parts=[Part("soprano")])
    rows = CHORALE.encode(song, given=["soprano"])
    assert not rows.learn[:, 1].any()
    assert rows.learn[:8, 2:].all()
    cursor = CHORALE.cursor([CHORALE.timeline(song)], [melody], [rows.values[:2]])
    for step in range(16):
        for column, voice in enumerate(DRAWN, start=1):
            allowed = np.flatnonzero(cursor.allowed(voice)[0]).tolist()
            is_forced = step < 2 or voice == "soprano"
            assert allowed == ([rows.values[step, column]] if is_forced else list(range(SIZE)))
            cursor.put(voice, [rows.values[step, column]])
    assert cursor.done.all()


def test_frames_of_the_jsb_files() -> None:
    rows = CHORALE.rows(np.array([[74, 70, 65, 58], [-1, 70, 65, 58]]))
    assert rows.values.tolist() == [[0, 47, 31, 38, 43], [1, 0, 31, 38, 43]]
    assert rows.learn[:, 1:].all()


@pytest.mark.parametrize(
    ("score", "says"),
    [
        (Score.of(24, [0], [1], [60], [64]), "1 pitched parts and 0 of drums: must be four voices"),
        (voices((72, 67, 64, 27)), "pitch 27: must be 28-88"),
        (
            Score.of(
                24,
                [0] * 5,
                [24] * 5,
                [72, 67, 64, 48, 50],
                [64] * 5,
                [0, 1, 2, 3, 3],
                [Part()] * 4,
                title="x",
            ),
            "part 3 has two pitches at beat 0 in 'x': must have one at a time",
        ),
    ],
)
def test_other_scores_are_refused(score: Score, says: str) -> None:
    with pytest.raises(ScoreError, match=says):
        CHORALE.encode(score)


def test_rows_are_described() -> None:
    words = CHORALE.explain(CHORALE.encode(voices((72, 67, 64, 48))).values)
    assert words[1] == "bar   1 beat  1.25  soprano C5   bass C3   tenor E4   alto G4"
    assert words[4] == "bar   1 beat  2.00  soprano -    bass -    tenor -    alto -"
