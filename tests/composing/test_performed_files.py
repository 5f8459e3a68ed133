"""Performed files: from a song to its performance and back to the tick."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello import midi
from ritornello.cli import main
from ritornello.composing.change_song import change
from ritornello.composing.compose import compose, compose_many, redo, replay, vary
from ritornello.composing.performed_files import grid_score, perform
from ritornello.composing.song import Song
from ritornello.errors import InputError, MidiError, PlanError
from ritornello.rendering.render import render
from tests.composing.models import write_model
from tests.scores import tune


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feel") / "model"
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def songs(model: Path) -> tuple[Song, Song]:
    """A song, and the same performed."""
    plain, played = (compose(model, bars=4, seed=3, feel=feel) for feel in (0, 0.8))
    return plain, played


def test_feel_changes_the_file_and_not_the_score(songs: tuple[Song, Song]) -> None:
    plain, played = songs
    assert played.score == plain.score
    assert played.to_bytes() != plain.to_bytes()
    assert "performance" not in plain.recipe.to_dict()
    assert np.array_equal(played.recipe.rows, plain.recipe.rows)


@pytest.mark.parametrize("number", [0, 1])
def test_a_composed_song_is_given_like_its_file(
    songs: tuple[Song, Song], model: Path, tmp_path: Path, number: int
) -> None:
    song, path = songs[number], tmp_path / "song.mid"
    song.write(path)
    song.write(tmp_path / "song.json")

    def results(source: Song | Path) -> list[bytes]:
        options: dict[str, Any] = {"model": model, "seed": 1}
        composed = [
            *redo(source, "3-4", **options),
            vary(source, **options),
            compose(bars=8, prompt=source, **options),
            compose(melody=source, **options),
            compose(bars=4, chords_from=source, **options),
        ]
        return [each.to_bytes() for each in composed] + [
            perform(source, feel=0.5).midi,
            perform(source, feel=0).midi,
            change(source, transpose=2).file,
        ]

    assert results(song) == results(path)


def test_a_recipe_builds_the_performance_and_feel_0_the_song(
    songs: tuple[Song, Song], tmp_path: Path
) -> None:
    plain, played = songs
    played.write(tmp_path / "song.json")
    assert replay(tmp_path / "song.json").to_bytes() == played.to_bytes()
    assert replay(tmp_path / "song.json", feel=0).to_bytes() == plain.to_bytes()
    swung = replay(tmp_path / "song.json", feel=0, swing=70)
    assert swung.recipe.performance and swung.recipe.performance.swing == 70
    with pytest.raises(InputError, match="option 'loud' of replay: must be one of feel"):
        replay(tmp_path / "song.json", loud=1)


def test_perform_is_compose_with_feel_and_gives_the_grid_back(
    songs: tuple[Song, Song], tmp_path: Path
) -> None:
    plain, played = songs
    plain.write_with_recipe(tmp_path / "plain.mid")
    played.write_with_recipe(tmp_path / "played.mid")
    assert perform(tmp_path / "plain.mid", feel=0.8).midi == played.to_bytes()
    assert perform(tmp_path / "played.mid", feel=0).midi == plain.to_bytes()
    assert perform(tmp_path / "played.mid", feel=0.8).midi == played.to_bytes()
    assert grid_score(tmp_path / "plain.mid") is None
    grid = grid_score(tmp_path / "played.mid")
    assert grid and np.array_equal(grid.onset_ticks, plain.score.onset_ticks)
    for name in ("plain", "played"):
        render(tmp_path / f"{name}.mid", tmp_path / f"{name}.xml", grid=grid_score(tmp_path / f"{name}.mid"))
    assert (tmp_path / "plain.xml").read_text() == (tmp_path / "played.xml").read_text()


def test_takes_of_a_performed_song_are_performed(
    model: Path, songs: tuple[Song, Song], tmp_path: Path
) -> None:
    plain, played = songs
    plain.write_with_recipe(tmp_path / "plain.mid")
    played.write_with_recipe(tmp_path / "played.mid")
    (take,) = redo(tmp_path / "played.mid", "2", takes=1, model=model, seed=1)
    (same,) = redo(tmp_path / "plain.mid", "2", takes=1, model=model, seed=1)
    assert take.score == same.score
    assert take.to_bytes() != same.to_bytes()
    take.write_with_recipe(tmp_path / "take.mid")
    assert perform(tmp_path / "take.mid", feel=0).midi == same.to_bytes()


def test_any_file_can_be_performed_and_comes_back_byte_by_byte(tmp_path: Path) -> None:
    midi.write(tune(), tmp_path / "tune.mid")
    files = perform(tmp_path / "tune.mid", feel=1, seed=5).write(tmp_path / "played.mid")
    assert files == [tmp_path / "played.mid", tmp_path / "played.json"]
    back = perform(tmp_path / "played.mid", feel=0)
    assert back.midi == (tmp_path / "tune.mid").read_bytes()
    assert back.write(tmp_path / "back.mid") == [tmp_path / "back.mid"]
    again = perform(tmp_path / "played.mid", feel=1)
    assert again.midi == (tmp_path / "played.mid").read_bytes()


def test_a_performed_file_that_was_edited_or_lost_its_recipe_is_a_song_like_any_other(tmp_path: Path) -> None:
    midi.write(tune(), tmp_path / "tune.mid")
    perform(tmp_path / "tune.mid", feel=1).write(tmp_path / "played.mid")
    edited = midi.read(tmp_path / "played.mid").transposed(1)
    midi.write(edited, tmp_path / "played.mid")
    assert grid_score(tmp_path / "played.mid") is None
    assert perform(tmp_path / "played.mid", feel=0).midi == (tmp_path / "played.mid").read_bytes()
    (tmp_path / "played.json").write_text("{")
    assert grid_score(tmp_path / "played.mid") is None


def test_many_songs_are_performed_as_they_are_done(model: Path) -> None:
    heard: list[Song] = []
    songs = compose_many(
        model, 3, best=2, bars=2, seed=1, swing=60.0, on_song=lambda number, song: heard.append(song)
    )
    assert [song.to_bytes() for song in heard] == [song.to_bytes() for song in songs]
    assert all(song.recipe.performance for song in songs)


def test_a_loop_does_not_slow_down_at_its_end(model: Path) -> None:
    slowest = {}
    for loop in (False, True):
        song = compose(model, bars=4, seed=3, parts="piano", loop=loop, feel=1, force=True)
        slowest[loop] = max(t.us_per_beat for t in song.performed.tempi) / song.plan.us_per_beat
        factor = song.performed.ticks_per_beat / song.score.ticks_per_beat
        assert song.performed.end_ticks <= factor * song.score.end_ticks + 1
    assert slowest[True] < 1.1 < slowest[False]


def test_wrong_input_is_refused_in_a_line(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    midi.write(tune(), tmp_path / "tune.mid")
    with pytest.raises(InputError, match="style 'polka': must be one of band, chamber"):
        perform(tmp_path / "tune.mid", style="polka")
    with pytest.raises(PlanError, match="feel 7: must be 0-1"):
        perform(tmp_path / "tune.mid", feel=7)
    with pytest.raises(MidiError, match="has no notes, so it cannot be performed"):
        perform(tune().select(np.zeros(0, int)))
    with pytest.raises(InputError, match=r"must end in \.mid or \.midi"):
        perform(tmp_path / "tune.mid").write(tmp_path / "tune.wav")
    perform(tmp_path / "tune.mid").write(tmp_path / "played.mid")
    for arguments in (
        ["compose", str(model), "--swing", "20", "-o", str(tmp_path / "x.mid")],
        ["compose", "--recipe", str(tmp_path / "played.json"), "-o", str(tmp_path / "x.mid")],
        ["perform", str(tmp_path / "none.mid")],
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert "swing 20: must be 50-75" in errors
    assert "it is of a file that was performed: `ritornello perform` reads it" in errors


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    midi.write(tune(), tmp_path / "tune.mid")
    target = str(tmp_path / "played.mid")
    main(
        [
            "perform",
            str(tmp_path / "tune.mid"),
            "--style",
            "jazz",
            "--swing",
            "66",
            "--seed",
            "4",
            "-o",
            target,
        ]
    )
    assert "feel 0.7, style jazz, swing 66% in eighths, seed 4" in capsys.readouterr().out
    main(["perform", target, "--feel", "0", "--json", "-o", str(tmp_path / "grid.mid")])
    assert json.loads(capsys.readouterr().out)["performance"]["feel"] == 0
    assert (tmp_path / "grid.mid").read_bytes() == (tmp_path / "tune.mid").read_bytes()
