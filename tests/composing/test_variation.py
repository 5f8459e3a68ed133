"""Variations and locked takes: what stays is the same to the tick, what is new is where it may be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.composing import compose as composer
from ritornello.composing.given_music import read_redo
from ritornello.composing.recipe import Recipe
from ritornello.composing.sampling import song_generator
from ritornello.composing.song import Song
from ritornello.composing.variation import _chosen_cells, _plan_of_variation
from ritornello.errors import InputError, PlanError
from ritornello.models.model import Model
from ritornello.music.score import Score
from tests.composing.models import write_model
from tests.composing.test_takes import tune

BAR = 96  # ticks


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model"))


def cells(score: Score) -> dict[tuple[int, bool], Counter[tuple[int, int, int]]]:
    """The notes of each bar and part (is it drums?): onset, duration in ticks, pitch."""
    found: dict[tuple[int, bool], Counter[tuple[int, int, int]]] = {}
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.part)
    for onset, duration, pitch, part in zip(*(c.tolist() for c in columns), strict=True):
        cell = onset // BAR, score.parts[part].is_drum
        found.setdefault(cell, Counter())[onset, duration, pitch] += 1
    return found


def changed(song: Song) -> set[tuple[int, bool]]:
    """The bars of parts that are not those of `tune`."""
    old, new = cells(tune()), cells(song.score)
    return {cell for cell in old.keys() | new.keys() if old.get(cell) != new.get(cell)}


def test_no_variation_is_the_song(model: Model) -> None:
    varied = composer.vary(tune(), 0, model=model, seed=1)
    assert varied.to_bytes() == midi.to_bytes(tune())[0]
    assert composer.replay(varied.recipe).to_bytes() == varied.to_bytes()


@pytest.mark.parametrize("amount", [0.25, 0.5, 1.0])
def test_an_amount_of_the_notes_is_new(model: Model, amount: float) -> None:
    given = read_redo(tune())
    chosen = _chosen_cells(given, amount, song_generator(3, 0))
    assert len(chosen) == 8 * amount  # four bars of two parts, four notes each
    varied = composer.vary(tune(), amount, model=model, seed=3)
    names = {(bar, part == max(given.part_classes)) for bar, part in chosen}
    assert changed(varied) and changed(varied) <= names
    assert composer.vary(tune(), amount, model=model, seed=3).to_bytes() == varied.to_bytes()


def test_larger_amounts_vary_more_of_the_same() -> None:
    given = read_redo(tune())
    sets = [_chosen_cells(given, amount, song_generator(5, 0)) for amount in (0.2, 0.5, 0.8)]
    assert sets[0] < sets[1] < sets[2]


def test_the_plan_of_a_variation_is_that_of_the_song() -> None:
    given = read_redo(tune())
    plan = _plan_of_variation(given)
    assert plan.sketch is not None
    assert plan.returns == tuple(
        zip(given.timeline.returns_to.tolist(), given.timeline.similarity.tolist(), strict=True)
    )


def test_what_is_locked_stays_in_all_takes(model: Model) -> None:
    takes = composer.redo(tune(), lock="drums,1-2", takes=3, model=model, seed=1)
    assert len(takes) == 3
    assert all(changed(take) and changed(take) <= {(2, False), (3, False)} for take in takes)
    takes = composer.redo(tune(), "2-4", lock="piano:3,drums", takes=2, model=model, seed=1)
    assert all(changed(take) and changed(take) <= {(1, False), (3, False)} for take in takes)
    varied = composer.vary(tune(), 1, lock=["1"], model=model, seed=1)
    assert changed(varied)
    assert changed(varied) <= {(bar, True) for bar in range(4)}


def test_locks_are_in_the_recipe(model: Model, tmp_path: Path) -> None:
    take = composer.redo(tune(), lock="drums,1-2", takes=1, model=model, seed=1)[0]
    take.write(tmp_path / "take.json")
    again = composer.replay(tmp_path / "take.json")
    assert again.to_bytes() == take.to_bytes()
    data = take.recipe.to_dict()
    assert [3, 1] in [list(cell) for cell in data["source"]["kept"]]
    assert [3, 0] not in [list(cell) for cell in data["source"]["kept"]]
    data["source"]["kept"] = [[1]]
    with pytest.raises(InputError, match="must be pairs"):
        Recipe.from_dict(data)
    assert (
        "kept" not in composer.redo(tune(), "3", takes=1, model=model, seed=1)[0].recipe.to_dict()["source"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give bars, parts or lock"),
        ({"lock": "piano,drums"}, "must leave some bars"),
        ({"lock": "flute"}, "part 'flute' of the song"),
        ({"lock": "1-9"}, "lock '1-9': must be within bars 1-4"),
        ({"lock": "piano:x"}, "bars 'x'"),
    ],
)
def test_what_cannot_be_locked_is_said(model: Model, options: dict[str, str], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        composer.redo(tune(), model=model, seed=1, **options)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match=r"amount 1\.5: must be 0-1"):
        composer.vary(tune(), 1.5, model=model)
