"""What a user gives to the functions: any made song, and paths that name a regular file or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import ritornello as r
from ritornello.composing.change_song import ChangedSong
from ritornello.composing.performed_files import PerformedSong
from ritornello.errors import InputError, OutputError
from tests.composing.models import write_model
from tests.scores import tune

Made = r.Song | PerformedSong | ChangedSong
KINDS = ["composed", "with feel", "performed", "changed"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boundary") / "model"
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def made(model: Path) -> dict[str, Made]:
    """A song of each kind that a function returns."""
    song = r.compose(model, bars=4, seed=3)
    return {
        "composed": song,
        "with feel": r.compose(model, bars=4, seed=3, feel=0.8),
        "performed": r.perform(song, seed=1),
        "changed": r.change(song, transpose=2),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_function_returns_other_functions_take(
    kind: str, made: dict[str, Made], model: Path, tmp_path: Path
) -> None:
    song = made[kind]
    written = [tmp_path / "a.mid", tmp_path / "b.mid"]
    r.write(song, written[0])
    r.render(song, written[1])
    assert {path.read_bytes() for path in written} == {song.to_bytes()}
    assert len(r.read(song)) == len(song.score)
    r.perform(song)
    r.change(song, tempo=100)
    r.render(song, tmp_path / "song.svg")
    options: dict[str, Any] = {"model": model, "seed": 1}
    assert r.redo(song, "3-4", takes=1, **options)
    assert r.vary(song, **options)
    for source in ("prompt", "melody", "chords_from"):
        assert r.compose(**{source: song}, **options)


def test_a_performed_song_has_its_grid(made: dict[str, Made]) -> None:
    played, song = made["performed"], made["composed"]
    assert r.perform(played, feel=0).to_bytes() == song.to_bytes()
    assert played.score_on_grid() == song.score
    assert made["composed"].score_on_grid() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_song_is_shown_in_a_line(kind: str, made: dict[str, Made]) -> None:
    assert len(repr(made[kind])) < 200


def test_a_folder_gets_the_recipe_object(made: dict[str, Made], tmp_path: Path) -> None:
    song = made["composed"]
    assert isinstance(song, r.Song)
    for number, options in enumerate(({}, {"recipe": song.recipe})):
        r.render(song if number == 0 else song.score, tmp_path / str(number), **options)  # type: ignore[arg-type]
        assert r.replay(tmp_path / str(number) / "recipe.json").score == song.score


@pytest.mark.parametrize("recipe", [[1], 5, {"rows": {1}}])
def test_a_wrong_recipe_leaves_no_folder(recipe: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recipe"):
        r.render(tune(), tmp_path / "song", recipe=recipe)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "path '': the path is empty: must name a file or a folder"),
        ("-", "'-': must be the path of a file or a folder, not standard output"),
        (".png", r"'\.png': must have a name before its ending, such as song\.png"),
        (None, "path None: must be a text or a Path"),
        (5, "path 5: must be a text or a Path"),
        (["a.mid"], "must be a text or a Path"),
    ],
)
def test_a_path_must_name_something(
    path: Any, reason: str, made: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    song = made["composed"]
    assert isinstance(song, r.Song)
    for write in (song.write, song.write_with_recipe, lambda out: r.render(song, out)):
        with pytest.raises(InputError, match=reason):
            write(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["a.wav", "a", "", "-", None])
def test_the_midi_writer_writes_midi(path: Any, made: dict[str, Made]) -> None:
    for song in (tune(), made["performed"]):
        with pytest.raises(InputError):
            r.write(song, path)


@pytest.mark.parametrize("song", [5, None, [1], b"MThd"])
def test_what_is_no_song_is_refused(song: Any, model: Path, tmp_path: Path) -> None:
    calls = (r.read, r.play, r.perform, lambda it: r.redo(it, "1-2"), lambda it: r.change(it, transpose=1))
    for call in (
        *calls,
        r.vary,
        lambda it: r.render(it, tmp_path / "a.mid"),
        lambda it: r.write(it, "a.mid"),
    ):
        with pytest.raises(InputError, match=r"must be the path|must be a Score"):
            call(song)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFOs")
def test_a_device_is_not_replaced(made: dict[str, Made], tmp_path: Path) -> None:
    song, fifo = made["composed"], tmp_path / "song.mid"
    assert isinstance(song, r.Song)
    os.mkfifo(fifo)
    for write in (
        song.write,
        song.write_with_recipe,
        lambda path: r.write(song, path),
        lambda path: r.render(song, path),
        lambda path: song.write_with_recipe(path.parent),
        lambda path: r.render(song, path.parent),
    ):
        with pytest.raises(OutputError, match="must be a regular file"):
            write(fifo)
    assert fifo.is_fifo()
    assert list(tmp_path.iterdir()) == [fifo]


def test_a_file_without_an_ending_is_no_folder(made: dict[str, Made], tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"mine")
    with pytest.raises(InputError, match="exists and is no folder"):
        r.render(made["composed"], tmp_path / "song")
    assert (tmp_path / "song").read_bytes() == b"mine"
