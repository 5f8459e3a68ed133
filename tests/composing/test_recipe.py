"""Recipes: to JSON and back; whatever else is in one is refused in a line."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing.given_music import GivenMusic
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.errors import RitornelloError
from ritornello.music.form import parse_form
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part
from ritornello.music.sketch import Sketch
from ritornello.representations.grid.vocabulary import COLUMN, FIELDS

MODEL = {"network": "lstm", "representation": "notes", "sha256": "ab" * 32}
PLAN = Plan(
    4, ((0, 3, 4),), 500_000, (1, True), (Part("", 33), Part("", 0, True)), (("game", 1.0),),
    chords=(Chord(0, 9, "min"),), returns=parse_form("A2 A2~"),
)  # fmt: skip


def made(source: GivenMusic | None = None) -> Recipe:
    rows = np.zeros((3, len(FIELDS)), np.int16)
    rows[:, COLUMN["shift"]] = [0, 24, 193]
    rows[:, COLUMN["pitch"]] = [60, 62, 128]
    return Recipe(MODEL, PLAN, 7, 2, {"creativity": 0.5}, rows, source)


@pytest.mark.parametrize(
    "source", [None, GivenMusic("prompt", b"MThd"), GivenMusic("redo", b"MThd", (1, 3), (0,))]
)
def test_there_and_back(source: GivenMusic | None, tmp_path: Path) -> None:
    recipe = made(source)
    file = tmp_path / "song.json"
    file.write_text(json.dumps(recipe.to_dict()))
    again = Recipe.read(file)
    assert json.dumps(again.to_dict()) == json.dumps(recipe.to_dict())
    assert again.plan == PLAN
    assert again.given == source
    assert np.array_equal(again.rows, recipe.rows)
    assert again.hash == recipe.hash


def test_the_song_of_a_plan_with_a_sketch_has_a_marker_for_each_section() -> None:
    assert build_song(made()).score.markers == ()
    recipe = replace(made(), plan=replace(PLAN, sketch=Sketch(cadences=(0, 2, 0, 3))))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))).plan == recipe.plan
    markers = build_song(recipe).score.markers
    assert [(marker.onset_ticks, marker.text) for marker in markers] == [(0, "A"), (144, "A'")]


def test_reals_come_back_to_the_last_bit() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32) * 10.0 ** np.arange(-3, 0)
    model = {**MODEL, "representation": "messages"}
    recipe = Recipe(model, Plan(1), 0, 0, {"spread": 1.0}, rows.astype(np.float32))
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))).rows
    assert again.tobytes() == recipe.rows.tobytes()


def changed(path: str, value: Any) -> dict[str, Any]:
    """A recipe with one field set, or (None) left out; the path is dotted."""
    said = copy.deepcopy(made(GivenMusic("redo", b"MThd", (1, 3))).to_dict())
    *way, last = path.split(".")
    inner = said
    for name in way:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.loads(json.dumps(said))  # type: ignore[no-any-return]


WRONG: dict[str, tuple[str, Any, str]] = {
    "a foreign field": ("run", "rm", "a recipe has the unknown key 'run': must be one of format, how, model"),
    "a field too few": ("seed", None, "a recipe lacks the key 'seed'"),
    "another format": ("format", 2, "recipe of format 2: must be 1"),
    "no number": ("seed", "7", "seed of the recipe is '7', which is not allowed"),
    "a bool": ("seed", True, "seed of the recipe is True, which is not allowed"),
    "a seed": ("seed", 1 << 70, "must be 0-9223372036854775807"),
    "a foreign field of the model": ("model.path", "/", "the model of a recipe has the unknown key 'path'"),
    "a representation": ("model.representation", "os", "representation 'os' of the recipe: must be one of"),
    "a file as representation": ("model.representation", "x.py:X", "add --representation FILE.py:CLASS"),
    "a foreign dial": ("how.heat", 1, "how of a recipe has the unknown key 'heat'"),
    "a dial": ("how.creativity", "much", "creativity of the recipe is 'much': must be a number"),
    "a foreign field of the plan": ("plan.mood", "sad", "unknown key 'mood' of a plan"),
    "a plan": ("plan.meters", 4, "this is not a plan"),
    "a million bars": ("plan.bars", 10**6, "1000000 bars: must be 1-1000"),
    "foreign rows": ("rows.echo", "1 2 3", "the rows of a recipe has the unknown key 'echo'"),
    "rows too few": ("rows.pitch", "1 2", "must have equally many numbers"),
    "rows of words": ("rows.pitch", "a b c", "rows of 'pitch' must be a text of numbers"),
    "rows below 0": ("rows.pitch", "-1 0 0", "rows of 'pitch' must be a text of numbers"),
    "rows out of range": ("rows.pitch", "999 0 0", "rows of 'pitch': must be at most 1048576 numbers"),
    "a source": ("source.how", "steal", "source.how of the recipe 'steal': must be one of prompt, tune"),
    "bars of a source": ("source.bars", [3, 1], "must be two numbers for redo, else null"),
    "parts of a source": ("source.parts", [-1], "source.parts of the recipe [-1]: must be a list"),
    "no MIDI": ("source.midi", "%%%", "source.midi of the recipe:"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_belong_is_refused(case: str, tmp_path: Path) -> None:
    path, value, says = WRONG[case]
    file = tmp_path / "r.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(RitornelloError) as caught:
        Recipe.read(file)
    assert says in str(caught.value)
    assert "r.json" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "null", "[1]", '"a"', "NaN"])
def test_what_is_no_recipe_at_all(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(RitornelloError, match=r"r\.json"):
        Recipe.read(tmp_path / "r.json")


def test_the_source_is_the_midi_file() -> None:
    said = made(GivenMusic("tune", b"MThd...")).to_dict()
    assert base64.b64decode(said["source"]["midi"]) == b"MThd..."
