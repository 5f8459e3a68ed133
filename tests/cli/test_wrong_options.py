"""Options that contradict each other or cannot be meant: exit code 2, and a line that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

import ritornello as r
from ritornello.errors import InputError, PlanError
from tests.folders import Say


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chorale of the bundled model with its recipe."""
    path = tmp_path_factory.mktemp("wrong") / "song.mid"
    r.compose(genre="chorale", bars=4, seed=1).write_with_recipe(path)
    return path


WRONG = [
    (
        ["compose", "--recipe", "RECIPE", "--bars", "8", "--genre", "game", "-n", "3", "--seed", "1"],
        "--bars, --genre, --seed, -n: must not be given with --recipe, which allows --feel, --swing, "
        "--swing-notes; with --redraw also --creativity and --seed",
    ),
    (
        ["compose", "--recipe", "RECIPE", "--redraw", "--bars", "8"],
        "--bars: must not be given with --recipe --redraw",
    ),
    (
        ["compose", "--genre", "fiddle:1e308,game:1e308"],
        "weight '1e308' of 'fiddle': must be a number above 0, ",
    ),
    (["change", "SONG", "--instrument", "choir=drums"], "instrument 'drums' of 'choir': must be pitched"),
    (["change", "SONG", "--instrument", "violin"], "must be PART=VALUE, such as piano=violin"),
    (
        ["compose", "--genre", "fiddle", "--parts", "piano,bass,drums"],
        "songs of game have all requested parts; --genre game, or --force (in Python genre=",
    ),
    (
        ["compose", "--bars", "2", "--chords", "C | F | G"],
        "chords of 3 bars: must be at most 2, the bars of the",
    ),
    (
        ["compose", "--form", "A1 B1", "--chords", "C F G"],
        "chords of 3 bars: must be at most 2, the bars of the",
    ),
    (["compose", "--melody", "SONG", "--chords", "C F G C F G"], "chords of 6 bars: must be at most 4"),
    (["redo", "SONG", "--bars", "1-2", "--chords", "C F G"], "must be at most 2, the bars to recompose"),
    (["redo", "SONG", "--lock", "6"], "; for bar 6 write 6-6"),
    (["compose", "--density", "violin=low,violin=high"], "density of 'violin': is given twice"),
    (
        ["judge", "song.mod"],
        "'song.mod' does not exist: must be a folder of songs, or one song file; did you mean",
    ),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_options_are_refused(
    words: list[str], message: str, song: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(song.parent)
    places = {"RECIPE": song.with_suffix(".json"), "SONG": song}
    code, _, error = say(*(places.get(word, word) for word in words))
    assert code == 2
    assert message in error


def test_what_goes_with_a_recipe(song: Path, say: Say, tmp_path: Path) -> None:
    recipe, out = song.with_suffix(".json"), tmp_path / "new.mid"
    assert say("compose", "--recipe", recipe, "--feel", 0.5, "-o", out)[0] == 0
    assert say("compose", "--recipe", recipe, "--redraw", "--seed", 3, "--creativity", 0.4, "-o", out)[0] == 0
    for options in ({"seed": 3}, {"creativity": 0.3}):
        with pytest.raises(InputError, match="needs redraw"):
            r.replay(recipe, **options)  # type: ignore[arg-type]


def test_a_long_progression_makes_a_long_song() -> None:
    assert r.compose(genre="fiddle", chords="C F G Am " * 5, seed=1).plan.full_bars == 20


def test_one_bar_is_one_bar() -> None:
    assert "1 bar" in str(r.compose(genre="fiddle", bars=1, seed=1).plan).split(", ")[-1]
    assert "1 bars" not in str(r.compose(genre="fiddle", bars=1, seed=1).plan)


@pytest.mark.parametrize("options", [{"chords": "viii"}, {"chords": "iiii"}, {"chords": "VIII"}])
def test_numerals_beyond_seven_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(PlanError, match="chord"):
        r.compose(**options)  # type: ignore[arg-type]


def test_keys_have_accidentals_as_chords_do() -> None:
    assert r.compose(genre="fiddle", bars=2, key="D♭ major", seed=1).plan.key == (-5, False)


def test_a_form_is_no_longer_than_a_song() -> None:
    with pytest.raises(PlanError, match="form of 1001 bars: must be at most 1000"):
        r.compose(form="A1000 A1")
