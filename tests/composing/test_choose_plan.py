"""Plans: what is open comes together from one song that fits; what is asked holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ritornello.composing.choose_plan import choose_plan
from ritornello.composing.options import ComposeOptions
from ritornello.composing.parse_options import parse_options
from ritornello.errors import PlanError
from ritornello.music.form import parse_form
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part
from tests.composing.models import BASS, DRUMS, FIDDLE, LABELS, PIANO, PLANS


def plans(times: int = 40, **said: Any) -> list[Plan]:
    """Plans for one wish, drawn again and again."""
    draw = np.random.default_rng(0)
    return [choose_plan(parse_options(ComposeOptions(**said), LABELS), PLANS, draw) for _ in range(times)]


def test_what_is_open_comes_from_one_song() -> None:
    drawn = {replace(plan, bars=None, returns=None) for plan in plans()}
    assert drawn == {
        replace(plan, bars=None, returns=None) for plan in PLANS if (plan.bars or 0) >= 16 and plan.returns
    }


def test_the_label_counts_before_the_length() -> None:
    found = plans(genre="chorale", bars=50)
    assert {plan.parts for plan in found} == {PLANS[3].parts}
    assert {plan.bars for plan in found} == {50}


def test_a_blend_draws_from_its_labels_as_it_weighs_them() -> None:
    found = plans(400, genre="fiddle:0.8,game:0.2", bars=8)
    share = np.mean([plan.meters == ((0, 6, 8),) for plan in found])
    assert 0.7 < share < 0.9
    # the fiddle, and a part of the two or three of a game
    assert {frozenset(plan.parts) for plan in found} == {
        frozenset((FIDDLE, part)) for part in (PIANO, BASS, DRUMS)
    }
    assert {plan.genres for plan in found} == {(("fiddle", 0.8), ("game", 0.2))}


def test_parts_that_are_requested_are_no_blend() -> None:
    assert {plan.parts for plan in plans(genre="fiddle:0.5,game:0.5", parts="bass")} == {(BASS,)}


def test_a_song_has_one_meter_and_keeps_the_pickup() -> None:
    changing = Plan(20, ((0, 1, 4), (1, 3, 4), (9, 4, 4), (11, 3, 4)), returns=parse_form("A20"))
    options = parse_options(ComposeOptions(bars=12), LABELS)
    plan = choose_plan(options, [changing], np.random.default_rng(0))
    assert (plan.meters, plan.full_bars) == (((0, 1, 4), (1, 3, 4)), 12)
    plain = replace(changing, meters=((0, 3, 4), (9, 4, 4), (11, 3, 4)))
    assert choose_plan(options, [plain], np.random.default_rng(0)).meters == ((0, 3, 4),)


def test_the_mode_of_the_key_is_looked_for_and_the_key_holds() -> None:
    found = plans(genre="game", key="B minor", bars=12)
    assert {plan.key for plan in found} == {(2, True)}
    assert {plan.parts for plan in found} == {PLANS[1].parts}  # the one in minor


def test_the_form_is_cut_at_the_length_and_starts_over_beyond_it() -> None:
    (short,) = {plan.returns for plan in plans(genre="fiddle", bars=10)}
    assert short == parse_form("A8 A8")[:10]
    (long,) = {plan.returns for plan in plans(genre="fiddle", bars=20)}
    assert long is not None
    assert long[:16] == parse_form("A8 A8")
    assert long[16:] == ((0, 2), (1, 2), (2, 2), (3, 2))


def test_seconds_are_bars_by_tempo_and_meter() -> None:
    # 6/8 is three quarters; at 120 bpm a bar lasts 1.5 s
    (bars,) = {plan.bars for plan in plans(seconds=30, meter="6/8", tempo=120)}
    assert bars == 20


def test_a_part_is_the_program_that_the_label_uses_most() -> None:
    (parts,) = {plan.parts for plan in plans(genre="game", parts="drums,bass,piano")}
    assert parts == (BASS, PIANO, DRUMS)


def test_a_part_that_the_label_never_has_needs_force() -> None:
    with pytest.raises(
        PlanError,
        match=r"no part 'drums': songs of fiddle have violin; songs of game have all .* --genre game, or ",
    ):
        plans(genre="fiddle", parts="drums")
    (parts,) = {plan.parts for plan in plans(genre="fiddle", parts="drums", force=True)}
    assert parts == (DRUMS,)


def test_chords_come_one_a_bar() -> None:
    plan = plans(1, chords="Am F", bars=3, meter="3/4")[0]
    assert plan.chords == (Chord(0, 9, "min"), Chord(72, 5, "maj"), Chord(144, 9, "min"))


SOURCE = Plan(4, ((0, 3, 4),), 400_000, (1, False), (PIANO,), returns=((-1, 0), (-1, 0), (0, 3), (-1, 0)))


def continued(tune: bool = False, **said: Any) -> Plan:
    return choose_plan(
        parse_options(ComposeOptions(**said), LABELS),
        PLANS,
        np.random.default_rng(0),
        given=SOURCE,
        is_melody=tune,
    )


def test_a_prompt_says_meter_tempo_key_and_parts() -> None:
    plan = continued(bars=10, genre="game")
    assert (plan.meters, plan.us_per_beat, plan.key, plan.parts) == (
        SOURCE.meters, SOURCE.us_per_beat, SOURCE.key, SOURCE.parts,
    )  # fmt: skip
    assert plan.returns is not None
    assert plan.returns[:4] == SOURCE.returns
    assert len(plan.returns) == 10
    assert continued(bars=10, parts="bass").parts == (PIANO, BASS)


@pytest.mark.parametrize(
    ("parts", "genre"),
    [((FIDDLE,), "fiddle"), ((PIANO, BASS, DRUMS), "game"), ((Part("", 19),) * 2, "chorale")],
)
def test_a_prompt_goes_on_in_a_label_that_has_its_parts(parts: tuple[Part, ...], genre: str) -> None:
    for seed in range(5):
        prompt, options = replace(SOURCE, parts=parts), parse_options(ComposeOptions(bars=10), LABELS)
        plan = choose_plan(options, PLANS, np.random.default_rng(seed), given=prompt)
        assert plan.genres == ((genre, 1.0),) and plan.parts == parts


def test_a_tune_is_as_long_as_it_is_and_others_join_it() -> None:
    plan = continued(tune=True, genre="game")
    assert plan.bars == 4
    assert plan.parts[0] == PIANO
    assert BASS in plan.parts[1:]


@pytest.mark.parametrize(
    ("said", "tune", "says"),
    [
        ({"meter": "4/4", "bars": 9}, False, "meter 4/4, but the prompt is in 3/4"),
        ({"bars": 4}, False, "4 bars, but the prompt has 4: it must have fewer"),
        ({"bars": 3}, True, "3 bars, but the melody has 4"),
    ],
)
def test_what_does_not_go_with_what_is_there(said: dict[str, Any], tune: bool, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        continued(tune, **said)


def test_a_model_without_plans_has_a_plain_one() -> None:
    plan = choose_plan(parse_options(ComposeOptions(key="D")), [], np.random.default_rng(0))
    assert (plan.bars, plan.meters, plan.key, plan.parts) == (16, ((0, 4, 4),), (2, False), (Part(),))


def test_the_mean_velocity_is_that_of_the_song_drawn_unless_music_is_given() -> None:
    stored, options = [Plan(16, mean_velocity=90)], parse_options(ComposeOptions(bars=8), LABELS)
    draw = np.random.default_rng(0)
    assert choose_plan(options, stored, draw).mean_velocity == 90
    given = Plan(4, mean_velocity=50)
    assert choose_plan(options, stored, draw, given=given).mean_velocity is None
