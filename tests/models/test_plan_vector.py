"""What a network is told of a plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.models.plan_vector import GROUPS, METERS, TEMPO_KNOTS, PlanEncoder, infer_plan
from ritornello.music.plan import Plan
from ritornello.music.score import KeySignature, Part, Score
from ritornello.music.theory import transposed_key

CONDITIONS = PlanEncoder(("chorale", "game"))
DRUMS = Part("", 0, True)
PLAN = Plan(
    meters=((0, 3, 4),),
    us_per_beat=round(60e6 / TEMPO_KNOTS[2]),
    key=(0, True),
    parts=(Part("", 40), DRUMS),
    genres=(("game", 1.0),),
)


def told(plan: Plan, group: str, *hidden: str) -> list[float]:
    return CONDITIONS.vector(plan, hidden)[CONDITIONS.groups[group]].round(3).tolist()


def test_each_group_says_its_part() -> None:
    assert told(PLAN, "genre") == [0, 1]
    assert np.flatnonzero(told(PLAN, "meter")).tolist() == [METERS.index((3, 4))]
    assert told(PLAN, "tempo") == [0, 0, 1, 0, 0, 0, 0, 0]
    assert np.flatnonzero(told(PLAN, "key")).tolist() == [2 * 9 + 1]  # A minor
    assert np.flatnonzero(told(PLAN, "parts")).tolist() == [40, 128]
    assert told(PLAN, "known") == [1] * 5


@pytest.mark.parametrize("number, group", list(enumerate(GROUPS)))
def test_what_is_hidden_is_zeros_and_says_so(number: int, group: str) -> None:
    assert not any(told(PLAN, group, group))
    assert told(PLAN, "known", group) == [float(i != number) for i in range(5)]


def test_nothing_is_known_of_a_hidden_plan() -> None:
    assert not CONDITIONS.vector(PLAN, {"plan"}).any()


def test_what_is_left_open_is_unknown() -> None:
    plan = Plan(parts=(), genres=(("polka", 1.0),))
    assert told(plan, "known") == [0, 1, 1, 0, 0]


def test_labels_that_the_model_lacks_leave_the_others_their_share() -> None:
    assert told(Plan(genres=(("polka", 0.5), ("chorale", 0.5))), "genre") == [1, 0]


@given(st.integers(150_000, 6_000_000))  # 400 to 10 bpm
def test_a_tempo_lies_between_two_knots(us_per_beat: int) -> None:
    weights = np.array(told(Plan(us_per_beat=us_per_beat), "tempo"))
    assert weights.sum() == pytest.approx(1, abs=2e-3)
    assert (weights > 0).sum() <= 2
    nearest = TEMPO_KNOTS[weights.argmax()]
    distances = np.abs(np.log(TEMPO_KNOTS / np.clip(60e6 / us_per_beat, 40, TEMPO_KNOTS[-1])))
    assert nearest == pytest.approx(TEMPO_KNOTS[distances.argmin()]) or weights.max() == pytest.approx(
        0.5, abs=0.01
    )


def test_the_key_of_a_song_is_heard_not_read() -> None:
    pitches = [62, 64, 66, 67, 69, 71, 73, 74]  # D major, and the file says C
    song = Score.of(
        24,
        range(0, 192, 24),
        [24] * 8,
        pitches,
        [80] * 8,
        [0] * 8,
        [Part()],
        keys=(KeySignature(0, 0, False),),
    )
    plan = infer_plan(song, ("fiddle", "jig"))
    assert plan.key == (2, False)
    assert plan.genres == (("fiddle", 0.5), ("jig", 0.5))


def test_drums_have_no_key_and_silent_parts_are_not_heard() -> None:
    song = Score.of(24, [0, 24], [6, 6], [36, 38], [80, 80], [1, 1], [Part("", 12), DRUMS])
    assert infer_plan(song).key is None
    assert infer_plan(song).parts == (DRUMS,)


@given(st.integers(-7, 7), st.booleans(), st.integers(-24, 24))
def test_a_key_moves_as_its_tonic_does(sharps: int, is_minor: bool, semitones: int) -> None:
    from ritornello.music.theory import key_tonic

    moved = transposed_key((sharps, is_minor), semitones)
    assert key_tonic(*moved) == (key_tonic(sharps, is_minor) + semitones) % 12
    assert moved[1] == is_minor


def test_the_mean_velocity_is_that_of_all_notes() -> None:
    song = Score.of(24, [0, 24, 48], [24] * 3, [60, 62, 64], [70, 80, 85])
    assert infer_plan(song).mean_velocity == 78  # 235 / 3 = 78.3
    assert infer_plan(Score.of(24, [], [], [], [])).mean_velocity is None
