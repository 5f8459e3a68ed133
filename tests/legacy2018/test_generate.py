"""Composing with the network of 2018: the bars of the plan, the same song for the same seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing import compose as composer
from ritornello.composing.recipe import Recipe
from ritornello.errors import FailedError, ModelError, PlanError
from ritornello.legacy2018.generate import sample
from ritornello.legacy2018.messages import Messages
from ritornello.legacy2018.step import shapes
from ritornello.models import model
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

MESSAGES = Messages()


def write_model(folder: Path, *, residual: float = 0.05, velocity: float = 0.4, **changed: Any) -> Path:
    """A model that always predicts C4, the given velocity and a sixteenth; random residuals around it.

    `changed` are other tables; None leaves one out.
    """
    draw = np.random.default_rng(0)
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes(48, 24).items()}
    weights["dense_1.bias"] = np.array([60 / 128, velocity, 1 / 16], np.float32)
    tables = {
        "residuals": (draw.normal(size=(64, 3)) * [residual, 0.4, 0.02]).astype(np.float32),
        "seeds": draw.uniform(0, 1, (4, 50, 3)).astype(np.float32),
    }
    info = {"representation": {"name": "messages"}, "network": {"name": "original", "config": {"window": 50}}}
    kept = {name: table for name, table in {**tables, **changed}.items() if table is not None}
    model.write(folder, info, weights, kept, "")
    return folder


def compose(opened: Model, plan: Plan, **how: Any) -> Score:
    """The song of a plan."""
    return MESSAGES.finish(sample(opened, plan, **how), plan)


@pytest.fixture
def opened(tmp_path: Path) -> Model:
    return Model.open(write_model(tmp_path / "model"))


@pytest.mark.parametrize("bars", [1, 2, 16, 40])
def test_the_bars_that_were_asked_for(opened: Model, bars: int) -> None:
    song = compose(opened, Plan(bars=bars, us_per_beat=600_000), seed=1)
    assert len(Timeline.of(song)) == bars
    assert song.end_ticks <= bars * 1920
    assert song.tempi[0].bpm == 100
    assert len(set(song.pitch.tolist())) > 3


def test_the_same_seed_gives_the_same_song(opened: Model) -> None:
    plan = Plan(bars=4)
    assert compose(opened, plan, seed=3) == compose(opened, plan, seed=3)
    assert compose(opened, plan, seed=3) != compose(opened, plan, seed=4)
    assert compose(opened, plan, seed=3) != compose(opened, plan, seed=3, song=1)


def test_a_longer_song_begins_like_a_shorter_one(opened: Model) -> None:
    short, long = (compose(opened, Plan(bars=bars), seed=3) for bars in (2, 4))
    until = int((long.onset_ticks < 1920).sum())
    assert np.array_equal(short.onset_ticks[:until], long.onset_ticks[:until])
    assert np.array_equal(short.pitch[:until], long.pitch[:until])


def test_residuals_are_drawn_as_whole_rows(tmp_path: Path) -> None:
    # either none, or an octave up and 20 louder: 0.4 is velocity 51
    rows = np.array([[0, 0, 0], [12 / 128, 20 / 128, 1 / 16]], np.float32)
    song = compose(Model.open(write_model(tmp_path, residuals=rows)), Plan(bars=4), seed=1)
    assert set(zip(song.pitch.tolist(), song.velocity.tolist(), strict=True)) == {(60, 51), (72, 71)}
    assert set(np.diff(song.onset_ticks).tolist()) == {120, 240}


def test_a_song_in_which_no_time_passes_ends(tmp_path: Path) -> None:
    rows = np.array([[0, 0, -1 / 16]], np.float32)  # the network predicts 1/16
    opened = Model.open(write_model(tmp_path, residuals=rows))
    assert len(sample(opened, Plan(bars=1), seed=1)) == 256  # 64 messages for each of four beats


def test_no_note_sounds_longer_than_a_bar(tmp_path: Path) -> None:
    # a scale that only begins notes and never ends one
    rows = np.array([[step / 128, 0, 0] for step in range(40)], np.float32)
    song = compose(Model.open(write_model(tmp_path, residuals=rows)), Plan(bars=4), seed=1)
    assert song.duration_ticks.max() == 1920


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"residuals": None}, "table residuals is missing: must have 2 dimensions"),
        ({"residuals": np.zeros((0, 3), np.float32)}, r"residuals has shape \(0, 3\)"),
        (
            {"residuals": np.zeros((4, 2), np.float32)},
            r"residuals has shape \(4, 2\): .* the last of 3 fields",
        ),
        ({"seeds": np.zeros((50, 3), np.float32)}, r"seeds has shape \(50, 3\): must have 3 dimensions"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, tables: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        compose(Model.open(write_model(tmp_path, **tables)), Plan(bars=1), seed=0)


def test_without_spread_the_bare_prediction(opened: Model) -> None:
    song = compose(opened, Plan(bars=2), seed=0, spread=0)
    assert set(song.pitch.tolist()) == {60}
    assert set(np.diff(song.onset_ticks).tolist()) == {120}


def test_a_song_without_notes_is_an_error(tmp_path: Path) -> None:
    silent = Model.open(write_model(tmp_path, velocity=0.0))
    with pytest.raises(FailedError, match="composed no note: try another seed, or --spread 1"):
        compose(silent, Plan(bars=2), seed=5, spread=0)


def test_a_song_comes_with_its_recipe(opened: Model) -> None:
    song = composer.compose(opened, bars=8, seed=5, spread=0.5)
    assert song.recipe.model == {"network": "original", "representation": "messages", "sha256": opened.hash}
    made = f"network original {opened.hash[:12]}, 8 bars, seed 5, spread 0.5, recipe {song.recipe.hash[:16]}"
    assert str(song.recipe).endswith(made)
    assert composer.replay(Recipe.from_dict(song.recipe.to_dict())).score == song.score


def test_redraw_samples_another_song_by_the_same_plan(opened: Model) -> None:
    song = composer.compose(opened, bars=4, seed=5)
    again = composer.replay(song.recipe, redraw=True, model=opened, seed=6)
    assert again.score != song.score
    assert (again.plan, again.recipe.seed) == (song.plan, 6)


def test_a_seed_is_drawn_and_recorded(opened: Model) -> None:
    song = composer.compose(opened, bars=2)
    assert composer.compose(opened, bars=2, seed=song.recipe.seed).score == song.score


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"bars": 0}, "bars 0: must be 1-1000"),
        ({"bars": 10_000}, "bars 10000: must be 1-1000"),
        ({"tempo": 9999}, "tempo 9999: must be 10-400"),
        ({"tempo": float("nan")}, "tempo nan: must be 10-400"),
        ({"spread": -1}, "spread -1: must be 0-10"),
        ({"seed": -1}, "seed -1: must be 0-9223372036854775807"),
        ({"genre": "fiddle"}, "genre 'fiddle': the network of 2018 takes only bars, tempo and spread"),
        ({"melody": "a.mid"}, "melody 'a.mid': the network of 2018 takes only bars, tempo and spread"),
    ],
)
def test_options_that_are_refused(opened: Model, asked: dict, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        composer.compose(opened, **asked)


def test_where_no_model_ships_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "BUNDLED", tmp_path)
    with pytest.raises(ModelError, match="name a model folder, made by `ritornello train`"):
        composer.compose()
