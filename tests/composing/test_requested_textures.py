"""Density and register: what is asked is planned, and rules hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing.compose import compose, replay
from ritornello.composing.options import ComposeOptions
from ritornello.composing.requested_textures import parse_textures, with_textures
from ritornello.composing.sampling_rules import parts, pitches, timing
from ritornello.composing.style_stats import StyleStats
from ritornello.errors import PlanError
from ritornello.music.plan import Plan
from ritornello.music.sketch import UNKNOWN, Sketch
from ritornello.music.usual_textures import usual_notes_per_beat, usual_pitch
from tests.composing.models import BASS as BASS_PART
from tests.composing.models import DRUMS, PIANO
from tests.composing.test_draw_sketch import model, without  # noqa: F401
from tests.composing.test_rules import BASS, song

# the piano plays 4, no, 8 and 2 notes around 60, 72 and 66; the mean pitch is (240 + 576 + 132) / 14 = 67.7
BARS = ((4, 60), (0, UNKNOWN), (8, 72), (2, 66))
PARTS = (PIANO, BASS_PART, DRUMS)
PLAN = Plan(4, parts=PARTS, sketch=Sketch(parts=PARTS, textures=(BARS, ((2, 36),) * 4, ((6, 40),) * 4)))


def asked(**options: Any) -> Plan:
    return with_textures(PLAN, parse_textures(ComposeOptions(**options)))


def textures(plan: Plan, part: int = 0) -> tuple[tuple[int, int], ...]:
    assert plan.sketch is not None
    return plan.sketch.textures[part]


def test_a_density_scales_the_notes_of_bars() -> None:
    plan = asked(density="piano=7")  # notes a bar: 21 in the three bars, half as many again as 14
    assert [notes for notes, _ in textures(plan)] == [6, 0, 12, 3]
    assert plan.held_notes == (0,) and plan.held_pitches == ()
    assert textures(plan, 1) == textures(PLAN, 1)
    low = sum(notes for notes, _ in textures(asked(density={"drums": "low"}), 2))
    assert low == pytest.approx(usual_notes_per_beat(DRUMS, "low") * 16, abs=1)
    everyone = asked(density=["all=high"])
    assert everyone.held_notes == (0, 1, 2)
    assert sum(n for n, _ in textures(everyone)) == pytest.approx(
        usual_notes_per_beat(PIANO, "high") * 12, abs=1
    )


def test_a_register_moves_the_pitches_of_bars() -> None:
    plan = asked(register="piano=C4")  # 60: eight semitones lower
    assert [pitch for _, pitch in textures(plan)] == [52, UNKNOWN, 64, 58]
    assert plan.held_pitches == (0,)
    assert textures(asked(register="bass=low"), 1)[0][1] == round(usual_pitch(BASS_PART, "low"))
    assert asked(register="all=high").held_pitches == (0, 1)  # drums have no register


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"density": "piano=much"}, "density 'much': must be low, medium, high, or notes a bar"),
        ({"density": "piano=0"}, "density '0'"),
        ({"density": "high"}, "density 'high': must be PART=VALUE"),
        ({"register": "piano=H4"}, "register 'H4': must be low, medium, high, or a pitch"),
        ({"register": "piano=200"}, "register '200'"),
        ({"register": "drums=low"}, "drums have no register"),
        ({"density": "flute=low"}, "density of 'flute': the song has grand piano, fingered bass, drums"),
        ({"density": "flut=low"}, "part 'flut'"),
    ],
)
def test_what_cannot_be_asked_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        asked(**options)


def test_songs_are_composed_by_what_is_asked(model: Path, without: Path, tmp_path: Path) -> None:  # noqa: F811
    options: dict[str, Any] = {"genre": "game", "parts": "piano,bass", "bars": 4, "seed": 3}
    sparse, dense = (
        [compose(model, density=f"all={notes}", **options | {"seed": seed}) for seed in range(4)]
        for notes in (1, 12)
    )
    # this network has learnt little, so that single songs differ: by the plan there are 96 notes for 8
    assert sum(len(song.score) for song in dense) > 2 * sum(len(song.score) for song in sparse)
    few = sparse[3]
    assert few.plan.held_notes == (0, 1)
    few.write(tmp_path / "few.json")
    assert replay(tmp_path / "few.json").to_bytes() == few.to_bytes()
    means = {}
    for register in ("low", "high"):
        scores = [
            compose(model, register=f"piano={register}", **options | {"seed": seed}).score
            for seed in range(8)
        ]
        means[register] = float(np.mean([score.pitch[score.part == 0].mean() for score in scores]))
        assert abs(means[register] - usual_pitch(scores[0].parts[0], register)) < 8
    assert means["high"] > means["low"] + 12
    with pytest.raises(PlanError, match="needs a sketch network"):
        compose(without, density="piano=low", **options)


def test_rules_hold_back_notes_too_many_and_call_for_those_that_lack() -> None:
    plan = Plan(4, parts=PARTS[:2], sketch=Sketch(parts=PARTS[:2], textures=(((2, 60),) * 4, ((1, 36),) * 4)),
                held_notes=(0,), held_pitches=(0,))  # fmt: skip
    begun = song(plan)
    late = timing.favour_onsets_of_set_density(begun.state)  # two notes in 96 ticks: each in 48, at most 72
    assert late is not None and late[72] == 0 and late[73] == -timing.LATE_NATS
    due = parts.favour_parts_of_set_density(begun.put(shift=0).state)
    assert due is not None
    assert {int(part): float(due[part]) for part in np.flatnonzero(due)} == {0: parts.DUE_NATS}
    begun = song(plan).note(0).note(24)
    assert (
        parts.favour_parts_of_set_density(song(plan).note(0).put(shift=24).state) is None
    )  # the next is due at 48
    assert timing.favour_onsets_of_set_density(begun.state) is None
    held = parts.penalize_excess_notes(begun.put(shift=24).state)
    assert held is not None
    assert {int(part): float(held[part]) for part in np.flatnonzero(held)} == {0: -parts.EXCESS_NATS}
    near = pitches.favour_planned_register(song(plan).put(shift=0, part=0).state)
    assert near is not None
    edge = 60 + pitches.NEAR_SEMITONES
    assert near[edge] == 0 and near[edge + 2] == pytest.approx(-2 * pitches.FAR_NATS)
    assert pitches.favour_planned_register(song(plan).put(shift=0, part=BASS).state) is None  # not set
    assert timing.favour_onsets_of_set_density(song().state) is None


def test_notes_far_from_the_planned_register_are_held_back_after_more_than_people_write() -> None:
    plan = Plan(4, parts=PARTS[:2], sketch=Sketch(parts=PARTS[:2], textures=(((2, 60),) * 4, ((1, 36),) * 4)))
    style = StyleStats(far_notes=0.1)
    begun = song(plan, style=style).note(0, pitch=72)
    assert pitches.favour_planned_register(begun.put(shift=24, part=0).state) is None
    begun = song(plan, style=style).note(0, pitch=73).put(shift=24, part=0)  # one of at least eight notes
    bias = pitches.favour_planned_register(begun.state)
    assert bias is not None
    assert np.flatnonzero(bias == 0).tolist() == list(range(48, 73))
    assert bias[73] == pytest.approx(-pitches.EXCESS_FAR_NATS * (1 / 8 - 0.1))


def test_a_part_far_denser_than_planned_is_held_back() -> None:
    plan = Plan(4, parts=PARTS[:2], sketch=Sketch(parts=PARTS[:2], textures=(((2, 60),) * 4, ((1, 36),) * 4)))
    begun = song(plan).note(0)
    for _ in range(4):
        begun.note(6)
    assert parts.penalize_excess_notes(begun.put(shift=6).state) is None
    held = parts.penalize_excess_notes(begun.note(6).put(shift=6).state)  # the seventh is one too many
    assert held is not None
    assert {int(part): float(held[part]) for part in np.flatnonzero(held)} == {0: -parts.EXCESS_NATS}
