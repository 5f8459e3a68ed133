"""Songs with a pickup: what is asked counts from the first full bar, and what is given is never moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import midi
from ritornello.composing import compose as composer
from ritornello.composing.choose_plan import choose_plan
from ritornello.composing.given_music import read_prompt, read_redo
from ritornello.composing.options import ComposeOptions
from ritornello.composing.parse_options import parse_options
from ritornello.composing.recipe import Recipe
from ritornello.composing.request import request_for
from ritornello.composing.sampling_rules import timing
from ritornello.composing.sampling_state import SamplingState
from ritornello.errors import PlanError
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Meter, Part, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import END, WAIT
from ritornello.representations.notes import Notes
from tests.composing.models import FIDDLE, LABELS, write_model

FORM = ((-1, 0), (-1, 0), (-1, 0), (1, 3), (2, 3))  # of a pickup and AB AB
JIG = Plan(
    17,
    ((0, 1, 8), (1, 6, 8)),
    400_000,
    (2, False),
    (FIDDLE,),
    (("fiddle", 1.0),),
    returns=FORM + FORM[1:] * 3,
)
Event = tuple[Any, ...]


def chosen(given: Plan | None = None, is_melody: bool = False, **options: Any) -> Plan:
    """The plan of a song by JIG."""
    draw, parsed = np.random.default_rng(0), parse_options(ComposeOptions(**options), LABELS)
    return choose_plan(parsed, [JIG], draw, given=given, is_melody=is_melody)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model", plans=[JIG]))


@pytest.mark.parametrize(("bars", "expected"), [(None, 17), (16, 17), (4, 5), (40, 41)])
def test_the_pickup_comes_on_top_of_the_bars(bars: int | None, expected: int) -> None:
    plan = chosen(bars=bars)
    assert (plan.bars, plan.full_bars) == (expected, expected - 1)
    assert plan.meters == JIG.meters
    assert plan.timeline(24).length_ticks.tolist() == [12] + [72] * (expected - 1)


def test_the_form_counts_from_the_first_full_bar() -> None:
    asked = chosen(form="A2 B2 A2")
    assert asked.returns == ((-1, 0), (-1, 0), (-1, 0), (-1, 0), (-1, 0), (1, 3), (2, 3))
    assert chosen(bars=4).returns == FORM
    longer = chosen(bars=18).returns
    assert longer is not None
    assert longer[17:] == ((1, 2), (2, 2))  # begins again at bar 1, not at the pickup


def test_the_meter_that_the_song_has_keeps_its_pickup() -> None:
    assert chosen(meter="6/8", bars=4).meters == JIG.meters
    other = chosen(meter="3/4", bars=4)
    assert (other.bars, other.meters) == (4, ((0, 3, 4),))
    assert other.returns == ((-1, 0), (-1, 0), (0, 3), (1, 3))  # without the pickup


def test_seconds_are_those_of_full_bars() -> None:
    assert chosen(seconds=12).full_bars == 10  # 3 quarters of 0.4 s are 1.2 s


def test_chords_count_from_the_first_full_bar() -> None:
    chords = chosen(bars=3, chords="C G").chords
    assert chords == (Chord(0, 0, "maj"), Chord(84, 7, "maj"), Chord(156, 0, "maj"))


def test_given_music_keeps_its_own_beginning() -> None:
    given = Plan(4, ((0, 6, 8),), parts=(FIDDLE,), returns=((-1, 0),) * 4)
    plan = chosen(given)
    assert (plan.bars, plan.meters) == (20, ((0, 6, 8),))
    assert plan.returns is not None
    assert plan.returns[4:8] == ((-1, 0), (-1, 0), (0, 3), (1, 3))
    with_pickup = Plan(5, JIG.meters, parts=(FIDDLE,), returns=((-1, 0),) * 5)
    assert chosen(with_pickup).bars == 21
    assert chosen(with_pickup, is_melody=True).bars == 5
    with pytest.raises(PlanError, match="4 bars, but the prompt has 4"):
        chosen(with_pickup, bars=4)


@pytest.mark.parametrize("seed", range(4))
def test_a_song_begins_with_its_pickup(model: Model, seed: int) -> None:
    song = composer.compose(model, bars=4, seed=seed)
    assert song.bars == 4
    assert song.score.meters == (Meter(0, 1, 8), Meter(12, 6, 8))
    assert song.score.onset_ticks[0] < 6
    assert str(song.plan).endswith("4 bars and a pickup")
    again = Recipe.from_dict(song.recipe.to_dict())
    assert composer.replay(again).to_bytes() == song.to_bytes()
    read = midi.parse(song.to_bytes(), name="song").score
    beat = read.ticks_per_beat
    assert [(m.onset_ticks * 2 // beat, *m[1:]) for m in read.meters] == [(0, 1, 8), (1, 6, 8)]


def test_a_song_without_a_pickup_does_not_begin_with_silence() -> None:
    plan = Plan(4, ((0, 3, 4),), parts=(Part(),))

    def forbidden(**changes: Any) -> list[int]:
        request = replace(request_for(plan, seed=0), **changes)
        songs = Notes().cursor([request.timeline], [request.given], [request.prompt]).songs
        bias = timing.forbid_silence(SamplingState(request, songs[0]))
        return [] if bias is None else np.flatnonzero(np.isneginf(bias)).tolist()

    assert forbidden() == [*range(36, 192), WAIT, END]  # the middle of a bar of 72 ticks
    melody = Score.of(24, [50], [10], [60], [64], meters=(Meter(0, 3, 4),))
    assert forbidden(given=melody)[0] == 72  # the end of the bar
    assert forbidden(first_tick=72)[0] == 144
    assert forbidden(end_tick=72)[0] == 72  # redo


def tune(first: int, meters: list[tuple[int, int, int]], ticks_per_beat: int, notes: int = 40) -> Score:
    """Eighths from a tick on."""
    eighth = max(1, ticks_per_beat // 2)
    onset = [first + eighth * number for number in range(notes)]
    pitch = [60 + number % 12 for number in range(notes)]
    return Score.of(
        ticks_per_beat, onset, [eighth] * notes, pitch, [64] * notes, parts=[Part("fiddle", 40)],
        meters=[Meter(*meter) for meter in meters],
    )  # fmt: skip


def test_bars_to_redo_count_from_the_first_full_bar() -> None:
    song = tune(0, [(0, 1, 8), (240, 6, 8)], 480)
    assert read_redo(song, "2-3").bars == (2, 4)
    assert read_redo(song, "0-1").bars == (0, 2)
    assert read_redo(song, "0").bars == (0, 1)
    assert read_redo(song, range(2, 4)).bars == (2, 4)  # as the Timeline counts
    with pytest.raises(PlanError, match="bars 5-8: must be within 0-7"):
        read_redo(song, "5-8")
    with pytest.raises(PlanError, match="counted from 1"):
        read_redo(tune(0, [(0, 6, 8)], 480), "0-2")


def test_bars_to_redo_are_those_of_the_file_though_the_grid_lacks_some() -> None:
    # a bar of one tick before bar 1, and one of nine ticks before bar 4
    song = tune(1, [(0, 4, 4), (1, 3, 4), (1 + 3 * 1440, 3, 4)], 480)
    assert (len(Timeline.of(song)), Timeline.of(song).pickup_bars) == (8, 1)
    assert read_redo(song, "3-4").bars == (2, 4)
    with pytest.raises(PlanError, match="bar 0 of the song is shorter than 1/48 beat"):
        read_redo(song, "0")
    within = tune(0, [(0, 3, 4), (3 * 1440, 4, 4), (3 * 1440 + 9, 3, 4)], 480)
    assert [read_redo(within, bars).bars for bars in ("3", "3-5", "5", "6")] == [
        (2, 3),
        (2, 4),
        (3, 4),
        (4, 5),
    ]


def test_the_first_bars_of_a_prompt_come_after_the_pickup() -> None:
    song = tune(0, [(0, 1, 8), (240, 6, 8)], 480)
    given = read_prompt(song, 2)
    assert len(given.score) == 1 + 2 * 6
    assert given.plan.full_bars == 2


@given(
    st.sampled_from([24, 96, 480]),
    st.sampled_from(["pickup", "silence", "tick", "plain"]),
    st.sampled_from([(6, 8), (4, 4), (3, 4)]),
    st.integers(1, 4),
    st.integers(0, 1),
)
def test_redo_and_prompt_leave_all_else_in_its_place(
    model: Model, ticks_per_beat: int, beginning: str, meter: tuple[int, int], bar: int, more: int
) -> None:
    bar_ticks = 4 * ticks_per_beat * meter[0] // meter[1]
    start = {"pickup": ticks_per_beat // 2, "tick": 1}.get(beginning, 0)
    meters = {
        "pickup": [(0, 1, 8), (start, *meter)],
        "tick": [(1, *meter)],
    }.get(beginning, [(0, *meter)])
    song = tune(bar_ticks - ticks_per_beat // 2 if beginning == "silence" else 0, meters, ticks_per_beat)
    first, end = start + (bar - 1) * bar_ticks, start + (bar + more) * bar_ticks
    take = composer.redo(song, f"{bar}-{bar + more}", takes=1, model=model, seed=bar)[0]
    before, after = (events(midi.parse(data, name="song").score, first, end) for data in
                     (midi.to_bytes(song)[0], take.to_bytes()))  # fmt: skip
    assert before == after
    longer = composer.compose(model, prompt=song, prompt_bars=bar, bars=bar + 2, seed=bar)
    assert events(longer.score, first + bar_ticks) == events(song, first + bar_ticks)
    assert longer.bars == bar + 2


def events(song: Score, first: int, end: int | None = None) -> list[Event]:
    """The notes before a tick and from another on, and all meters and tempi before the first."""
    onset = song.onset_ticks
    kept = song.select((onset < first) | (onset >= end if end is not None else False))
    columns = (kept.onset_ticks, kept.duration_ticks, kept.pitch, kept.velocity)
    return [*zip(*(c.tolist() for c in columns), strict=True), *(m for m in song.meters if m[0] < first)]
