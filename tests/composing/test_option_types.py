"""Values of a wrong type are refused where options are declared, in one line that names the option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ritornello as r
from ritornello.errors import InputError, PlanError
from tests.composing.models import write_model
from tests.scores import tune

SONG = tune()
WRONG: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (r.compose, {"bars": "8"}, "bars '8': must be a whole number, 1-1000"),
    (r.compose, {"bars": 8.0}, "bars 8.0: must be a whole number, 1-1000"),
    (r.compose, {"bars": True}, "bars True: must be a whole number, 1-1000"),
    (r.compose, {"tempo": "x"}, "tempo 'x': must be a number, 10-400"),
    (r.compose, {"seed": 1.5}, "seed 1.5: must be a whole number, 0-"),
    (r.compose, {"seed": True}, "seed True: must be a whole number, 0-"),
    (r.compose, {"feel": None}, "feel None: must be a number, 0-1"),
    (r.compose, {"creativity": None}, "creativity None: must be a number, 0-1"),
    (r.compose, {"candidates": None}, "candidates None: must be a whole number, 1-100"),
    (r.compose_many, {"n": None}, "n None: must be a whole number, 1-1000"),
    (r.compose, {"genre": 5}, "genre 5: must be a text"),
    (r.compose, {"key": 5}, "key 5: must be a text"),
    (r.compose, {"meter": (3, 4)}, "meter (3, 4): must be a text"),
    (r.compose, {"form": ["A2", "B2"]}, "form ['A2', 'B2']: must be a text"),
    (r.compose, {"chords": 5}, "chords 5: must be a text or a Path"),
    (r.compose, {"parts": 5}, "parts 5: must be a text or a list of texts"),
    (r.compose, {"parts": [1]}, "parts [1]: must be a text or a list of texts"),
    (r.compose, {"density": 5}, "density 5: must be PART=VALUE, a list of such texts, or a dict of texts or"),
    (r.compose, {"register": {"violin": [1]}}, "register {'violin': [1]}: must be PART=VALUE"),
    (r.compose, {"intro": 2.5}, "intro 2.5: must be a whole number, 1-64"),
    (r.compose, {"prompt_bars": 1.5}, "prompt_bars 1.5: must be a whole number"),
    (r.compose, {"loop": "no"}, "loop 'no': must be True or False"),
    (r.compose, {"swing_notes": "thirds"}, "swing_notes 'thirds': must be eighths or sixteenths"),
    (r.compose, {"melody": 5}, "melody 5: must be the path of a song file, a Score, or a song that was"),
    (r.compose, {"sketch": 5}, "sketch 5: must be the path of a sketch, or a sketch that was drawn"),
    (r.compose, {"model": 5}, "model 5: must be a text or a Path"),
    (r.redo, {"song": SONG, "bars": 1}, "bars 1: must be a text such as '9-12', or a range"),
    (r.redo, {"song": SONG, "bars": [1, 2]}, "bars [1, 2]: must be a text such as '9-12', or a range"),
    (r.redo, {"song": SONG, "bars": range(0, 4, 2)}, "bars range(0, 4, 2): must have the step 1, not 2"),
    (r.redo, {"song": SONG, "takes": None}, "takes None: must be a whole number, 1-1000"),
    (r.redo, {"song": SONG, "lock": 5}, "lock 5: must be a text or a list of texts"),
    (r.vary, {"song": SONG, "creativity": None}, "creativity None: must be a number, 0-1"),
    (r.change, {"song": SONG, "transpose": 1.5}, "transpose 1.5: must be a whole number, -127-127"),
    (r.change, {"song": SONG, "key": 5}, "key 5: must be a text"),
    (
        r.change,
        {"song": SONG, "instrument": 5},
        "instrument 5: must be PART=VALUE, a list of such texts, or a",
    ),
    (r.perform, {"song": SONG, "style": ["jazz"]}, "style ['jazz']: must be a text"),
    (r.play, {"song": SONG, "bars": 5}, "bars 5: must be a text such as '9-12', or a range"),
    (r.play, {"song": SONG, "solo": 5}, "solo 5: must be a text or a list of texts"),
    (r.play, {"song": 5}, "song 5: must be the path of a song file"),
    (
        r.render,
        {"song": SONG, "out": "a.png", "picture": "sheetmusic"},
        "picture 'sheetmusic': must be roll or",
    ),
    (r.learn, {"folder": ".", "minutes": "x"}, "minutes 'x': must be 0.01-"),
]


@pytest.mark.parametrize(("function", "options", "message"), WRONG)
def test_a_wrong_type_is_refused(function: Callable[..., Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        function(**options)
    assert str(caught.value).startswith(message)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "doctor": r.doctor,
    "prepare": lambda path: r.prepare(path, "corpus"),
    "train": lambda path: r.train(path, "model", steps=1),
    "learn": r.learn,
    "judge": r.judge,
    "pack": r.pack,
    "reaper": r.reaper,
    "replay": r.replay,
    "write_songs": lambda path: r.write_songs([], path),
    "Model": r.Model.open,
    "Corpus": r.Corpus.open,
    "read": r.read,
    "change": lambda path: r.change(SONG, tempo=100).write(path),
    "perform": lambda path: r.perform(SONG).write(path),
}


@pytest.mark.parametrize("path", [None, 5, [1], ""])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_path_is_a_text(name: str, path: Any) -> None:
    with pytest.raises(InputError, match=r"must be a text or a Path|the path is empty|must be the path of a"):
        FUNCTIONS[name](path)


def test_numbers_of_numpy_and_iterators_are_taken(tmp_path: Path) -> None:
    write_model(model := tmp_path / "model")
    four, parts = np.int64(4), (name for name in ["piano"])
    song = r.compose(model, bars=four, seed=four, tempo=np.float32(100), parts=parts, force=True)  # type: ignore[arg-type]
    song.write(tmp_path / "song.json")
    again = r.replay(tmp_path / "song.json")
    assert (again.plan.full_bars, again.recipe.seed) == (4, 4)
    r.redo(song, "1-2", takes=np.int64(1), seed=four, model=model)[0].write(tmp_path / "redo.json")  # type: ignore[arg-type]
    r.perform(song, feel=np.float32(0.5), seed=four).write(tmp_path / "song.mid")  # type: ignore[arg-type]


def test_a_whole_number_is_a_number() -> None:
    r.perform(SONG, feel=1, swing=60)


def test_best_is_checked_as_n_is() -> None:
    with pytest.raises(PlanError, match=r"best '2': must be a whole number"):
        r.compose_many(n=4, best="2")  # type: ignore[arg-type]
