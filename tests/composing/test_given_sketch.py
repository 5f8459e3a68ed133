"""Sketches around given music: what is known of its bars stays, the rest is filled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ritornello.composing.compose import compose, redo, replay
from ritornello.composing.given_music import read_redo
from ritornello.composing.given_sketch import filled_around
from ritornello.models.model import Model
from ritornello.music.score import Part, Score
from ritornello.music.sketch import END, UNKNOWN
from tests.composing.models import LABELS, write_model
from tests.folders import wandering
from tests.sketching.sketchers import random_sketcher


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    sketcher = replace(random_sketcher(), labels=LABELS[:2])
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model", sketcher=sketcher))


@pytest.fixture(scope="module")
def tune() -> Score:
    """Flute and bass in eight bars."""
    return wandering(1, 40)


def test_a_prompt_keeps_its_sketch_and_the_rest_is_filled(model: Model, tune: Score, tmp_path: Path) -> None:
    bars = int(tune.onset_ticks[-1]) // 1920 + 1
    song = compose(model, prompt=tune, parts="drums", bars=bars + 4, seed=1)
    plan = song.plan
    assert plan.sketch is not None
    assert plan.returns is not None
    assert len(plan.returns) == len(plan.sketch.cadences) == bars + 4
    bass, flute, drums = plan.sketch.textures  # parts ascend by program
    heard = [int(((tune.part == 0) & (tune.onset_ticks // 1920 == bar)).sum()) for bar in range(bars)]
    assert [notes for notes, _ in flute[:bars]] == heard
    assert [notes for notes, _ in bass[: bars - 1]] == [1] * (bars - 1)
    assert drums[:bars] == ((0, UNKNOWN),) * bars
    assert plan.sketch.cadences[-1] == END
    assert END not in plan.sketch.cadences[:-1]
    song.write(tmp_path / "song.json")
    assert replay(tmp_path / "song.json").to_bytes() == song.to_bytes()


def test_parts_join_a_prompt_and_those_that_it_has_continue(model: Model, tune: Score) -> None:
    bars = int(tune.onset_ticks[-1]) // 1920 + 1
    programs = [part.program for part in tune.parts]
    for seed in range(3):
        song = compose(model, prompt=tune, parts=[*map(str, programs), "piano"], bars=bars + 6, seed=seed)
        assert sorted(part.program for part in song.plan.parts) == sorted([0, *programs])
        (piano,) = [number for number, part in enumerate(song.score.parts) if part.program == 0]
        onsets = song.score.onset_ticks[song.score.part == piano] * 24 // song.score.ticks_per_beat
        assert onsets.min() >= 96 * bars
        assert len(set((onsets // 96).tolist())) >= 2  # of the six new bars


def test_chords_and_form_that_are_asked_for_stay_beside_a_melody(model: Model, tune: Score) -> None:
    bars = int(tune.onset_ticks[-1]) // 1920 + 1
    plan = compose(model, melody=tune, parts="piano", chords="Dm", form=f"A{bars}", seed=1).plan
    assert {chord[1:3] for chord in plan.chords} == {(2, "min")}
    assert plan.returns == ((-1, 0),) * bars
    assert plan.sketch is not None
    assert all(notes >= 0 for texture in plan.sketch.textures for notes, _ in texture)


def test_bars_to_redo_get_a_new_sketch_and_the_others_keep_theirs(model: Model, tune: Score) -> None:
    given, sketcher = read_redo(tune, "3-4"), random_sketcher()
    first, second = (
        filled_around(given.plan, given, sketcher, np.random.default_rng(seed), 0.5) for seed in (0, 1)
    )
    assert first.sketch is not None
    assert second.sketch is not None
    for ours, theirs in zip(first.sketch.textures, second.sketch.textures, strict=True):
        assert ours[:2] + ours[4:] == theirs[:2] + theirs[4:]
    assert first.sketch.textures != second.sketch.textures
    assert first.sketch.cadences == second.sketch.cadences

    def outside(plan_chords: tuple[tuple[int, int, str], ...]) -> list[tuple[int, int, str]]:
        return [chord for chord in plan_chords if not 2 * 96 <= chord[0] <= 4 * 96]

    assert outside(first.chords) == outside(second.chords)
    takes = redo(tune, "3-4", model=model, takes=3, seed=1)
    assert len({take.to_bytes() for take in takes}) == 3


def test_other_parts_keep_chords_and_texture_where_one_is_redone(model: Model, tune: Score) -> None:
    given = read_redo(tune, "3-4", "bass")
    filled = filled_around(given.plan, given, random_sketcher(), np.random.default_rng(0), 0.5)
    whole = filled_around(
        given.plan, read_redo(tune, "1", "bass"), random_sketcher(), np.random.default_rng(0), 0.5
    )
    assert filled.sketch is not None
    assert whole.sketch is not None
    assert filled.chords == given.timeline.chords
    assert filled.sketch.textures[1] == whole.sketch.textures[1]


def test_two_parts_of_one_program_keep_their_own_textures(model: Model) -> None:
    notes = [(480 * beat, 72 - 24 * part, part) for part in (0, 1) for beat in range(0, 16, 1 + part)]
    onset, pitch, part = zip(*notes, strict=True)
    parts = [Part("right", 0), Part("left", 0)]
    song = Score.of(480, onset, [400] * len(notes), pitch, [80] * len(notes), part, parts)
    plan = compose(model, prompt=song, bars=6, seed=1).plan
    assert plan.sketch is not None
    assert [texture[0][0] for texture in plan.sketch.textures] == [4, 2]
