"""compose, redo, genres and card as a user types them, with a model of random weights."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.cli import main
from ritornello.composing.song import Song
from ritornello.music.timeline import Timeline
from tests.composing.models import write_model
from tests.folders import Say, write_songs


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and a few songs."""
    folder = tmp_path_factory.mktemp("home")
    write_model(folder / "model", data={"files": 4, "rights": "public domain"})
    write_songs(folder / "midi", 2)
    (folder / "text.mid").write_text("hello")
    (folder / "foreign.json").write_text('{"format": 1, "run": "rm"}')
    return folder


def a_song(home: Path) -> Path:
    return sorted((home / "midi").rglob("*.mid"))[0]


def test_a_whole_small_piece_without_any_argument(
    say: Say, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ritornello.composing.compose.BUNDLED", home / "model")
    code, text, _ = say("compose")
    assert code == 0
    song = midi.read("song.mid")
    assert len(Timeline.of(song)) == 16
    assert (len(song.tempi), len(song.meters)) == (1, 1)
    assert all(part.name for part in song.parts)
    first, *_, file, again = text.splitlines()
    assert "16 bars, seed " in first
    assert file.startswith(f"song.mid   16 bars, {song.duration_s:.0f} s, {len(song)} notes, ")
    assert again == "again: ritornello compose --recipe song.json -o song.mid"
    assert "│" in text
    code, text, _ = say("compose")
    assert "song-2.mid   16 bars" in text  # nothing is overwritten unasked


def test_the_recipe_builds_the_same_file(say: Say, home: Path, tmp_path: Path) -> None:
    assert say("compose", home / "model", "--bars", 4, "--key", "D", "-o", "a.mid", "-q") == (0, "", "")
    assert say("compose", "--recipe", "a.json", "-o", "b.mid", "-q")[0] == 0
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    words = ("compose", home / "model", "--recipe", "a.json", "--redraw", "-o", "c.mid", "--json")
    code, text, _ = say(*words)
    assert code == 0
    assert Path("c.mid").read_bytes() != Path("a.mid").read_bytes()
    assert json.loads(text)["recipe"]["plan"]["key"] == [2, False]


def test_several_songs_and_a_folder(say: Say, home: Path) -> None:
    assert say("compose", home / "model", "--bars", 2, "-n", 3, "--best", 2, "-o", "s.mid", "-q")[0] == 0
    assert sorted(path.name for path in Path().glob("s-*")) == ["s-1.json", "s-1.mid", "s-2.json", "s-2.mid"]
    code, text, _ = say("compose", home / "model", "--bars", 2, "-o", "all/", "--json")
    assert code == 0
    assert json.loads(text)["file"] == str(Path("all") / "song.mid")
    assert {"index.html", "recipe.json", "roll.png", "song.mid"} <= {
        path.name for path in Path("all").iterdir()
    }
    again = say("compose", home / "model", "--bars", 2, "--seed", 1, "-o", "all/")[1].splitlines()[-1]
    assert again == "again: ritornello compose --recipe all/recipe.json -o all/song.mid"


def test_several_songs_in_a_folder_have_numbers_and_a_page(say: Say, home: Path) -> None:
    code, text, _ = say("compose", home / "model", "--bars", 2, "-n", 11, "--seed", 3, "-o", "many/")
    assert code == 0
    names = {path.name for path in Path("many").iterdir()}
    assert names == {f"{n:02}.{kind}" for n in range(1, 12) for kind in ("mid", "json", "png")} | {
        "index.html"
    }
    assert text.splitlines()[-2:] == [
        str(Path("many") / "index.html"),
        "again: ritornello compose --recipe many/01.json -o many/01.mid",
    ]
    page = Path("many/index.html").read_text()
    assert set(re.findall(r'(?:href|src)="([^"]+)"', page)) == names - {"index.html"}
    again = re.search(r"(ritornello compose --recipe 07\.json -o 07\.mid)", page)
    assert again and "http" not in page
    before = Path("many/07.mid").read_bytes()
    os.chdir("many")
    assert say(*again[1].split()[1:])[0] == 0
    assert Path("07.mid").read_bytes() == before


def test_several_songs_go_to_a_new_folder(say: Say, home: Path) -> None:
    for folder in ("songs", "songs-2"):
        assert say("compose", home / "model", "--bars", 2, "-n", 2, "--seed", 3, "-q")[0] == 0
        assert (Path(folder) / "2.mid").is_file()
    assert len(list(Path().glob("*.mid"))) == 0


def test_redo_says_what_it_wrote(say: Say, home: Path) -> None:
    song = a_song(home)
    code, text, _ = say("redo", song, "--bars", "2-3", "--takes", 2, "--model", home / "model", "--seed", 1)
    assert code == 0
    files = [f"{song.stem}-take-{number}.mid" for number in (1, 2)]
    assert all(f"{file}   " in text for file in files)
    assert len({Path(file).read_bytes() for file in files}) == 2
    assert len(Timeline.of(midi.read(files[0]))) == len(Timeline.of(midi.read(song)))


def test_genres_and_card(say: Say, home: Path) -> None:
    code, text, _ = say("genres", home / "model")
    assert code == 0
    assert f"ritornello compose {home / 'model'} --genre fiddle" in text
    assert json.loads(say("genres", home / "model", "--json")[1])["genres"][1]["label"] == "fiddle"
    assert say("card", home / "model")[1] == "# A model for tests\n"
    assert json.loads(say("card", home / "model", "--sources")[1])["rights"] == "public domain"


WRONG: dict[str, tuple[str, str]] = {
    "a label": ("compose {home}/model --genre chorals", "genre 'chorals': did you mean 'chorale'?"),
    "a key": ("compose {home}/model --key 'Z minor'", "key 'Z minor': must be"),
    "no bars": ("compose {home}/model --bars 0", "bars 0: must be 1-1000"),
    "many bars": ("compose {home}/model --bars 5000", "bars 5000: must be 1-1000"),
    "a tempo": ("compose {home}/model --tempo 9999", "tempo 9999: must be 10-400"),
    "a part": ("compose {home}/model --parts kazoo", "part 'kazoo': must be"),
    "a part of others": ("compose {home}/model --genre fiddle --parts drums", "songs of fiddle have violin"),
    "a form": ("compose {home}/model --bars 8 --form 'A8 B8'", "has 16 bars: must have 8, as"),
    "a chord": ("compose {home}/model --chords Hxy", "chord 'Hxy': must be"),
    "a prompt": ("compose {home}/model --prompt {home}/text.mid", "'text.mid': byte 0: begins with b'hell'"),
    "a prompt's length": ("compose {home}/model --prompt {song} --bars 2", "it must have fewer"),
    "a prompt's meter": ("compose {home}/model --prompt {song} --bars 99 --meter 7/8", "meter 7/8, but"),
    "bars outside": ("redo {song} --bars 90-91 --model {home}/model", "bars 90-91: must be within 1-"),
    "a redone part": ("redo {song} --bars 1 --parts tuba --model {home}/model", "part 'tuba' of the song"),
    "redo elsewhere": ("redo {song} --bars 1 --model {home}/model -o a.png", "must end in .mid or .midi"),
    "a recipe": ("compose --recipe {home}/foreign.json", "a recipe has the unknown key 'run'"),
    "no recipe": ("compose --recipe {home}/no.json", "no.json': No such file"),
    "redraw alone": ("compose {home}/model --redraw", "--redraw needs --recipe"),
    "an ending": ("compose {home}/model -o song.mp4", "must end in .wav, .ogg, .flac, .mp3"),
    "no model": ("compose {home}/midi", "is not a model folder: it has no model.json"),
    "a card of no model": ("card {home}/midi", "is not a model folder: it has no model.json"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line_and_exit_code_2(
    say: Say, home: Path, tmp_path: Path, case: str
) -> None:
    import shlex

    line, says = WRONG[case]
    words = shlex.split(line.format(home=home, song=a_song(home)))
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    (message,) = [line for line in err.splitlines() if line.startswith(("ritornello: ", "Error: "))]
    assert says in message
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_user_is_replaced_only_if_asked(say: Say, home: Path) -> None:
    model = ("compose", home / "model", "--bars", 1, "--seed", 1)
    Path("song.json").write_text("mine")
    code, _, error = say(*model, "-o", "song.mid")
    assert (code, Path("song.json").read_text(), Path("song.mid").exists()) == (2, "mine", False)
    assert "'song.json' exists, and Ritornello did not write its content: choose a new name" in error
    assert say(*model, "-o", "song.mid", "--overwrite")[0] == 0
    assert say(*model, "-o", "song.mid")[0] == 0
    Path("song.mid").write_bytes(Path("song.mid").read_bytes() + b"an edit")
    assert say(*model, "-o", "song.mid")[0] == 2
    assert say("redo", a_song(home), "--bars", 1, "--takes", 1, "--model", model[1], "-o", "song.mid")[0] == 2
    assert say("render", a_song(home), "-o", "song.mid")[0] == 2
    assert say("info", a_song(home), "--png", "song.mid")[0] == 2


def test_a_song_of_several_is_written_when_it_is_done(
    say: Say, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    write_with_recipe = Song.write_with_recipe

    def interrupted(song: Song, path: str) -> list[Path]:
        if len(written) == 4:
            raise KeyboardInterrupt
        written.extend(write_with_recipe(song, path))
        return written

    monkeypatch.setattr(Song, "write_with_recipe", interrupted)
    assert say("compose", home / "model", "--bars", 1, "-n", 5, "-o", "song.mid")[0] == 130
    assert sorted(Path().iterdir()) == sorted(written)
    assert len(written) == 4


def test_a_song_and_its_recipe_are_written_together_or_not_at_all(
    say: Say, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("song.json").mkdir()
    assert say("compose", home / "model", "--bars", 1, "-o", "song.mid")[0] == 1
    Path("song.json").rmdir()
    monkeypatch.setattr("ritornello.composing.song.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        say("compose", home / "model", "--bars", 1, "-o", "song.mid")
    assert not list(Path().iterdir())


def test_standard_output(home: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for words in (
        ("compose", home / "model", "--bars", 1, "--seed", 1),
        ("redo", a_song(home), "--bars", 1, "--takes", 1, "--seed", 1, "--model", home / "model"),
        ("render", a_song(home)),
    ):
        main([str(word) for word in (*words, "-o", "-")])
        assert len(midi.parse(capfdbinary.readouterr().out).score)
    assert not list(Path().iterdir())


def test_standard_output_takes_one_song(say: Say, home: Path) -> None:
    code, _, error = say("compose", home / "model", "-n", 2, "-o", "-")
    assert (code, error) == (
        2,
        "ritornello: -o -: standard output holds one MIDI file, so one song (-n 1) and no --json\n",
    )
    assert say("redo", a_song(home), "--bars", 1, "-o", "-")[0] == 2


def test_a_sketch_is_printed_written_edited_and_composed_from(say: Say, home: Path) -> None:
    words = ("sketch", home / "model", "--genre", "fiddle", "--bars", 8, "--seed", 2)
    code, text, _ = say(*words, "-o", "s.json")
    assert code == 0
    assert text.startswith("fiddle, ") and "| ? " in text and text.endswith("seed 2, s.json\n")
    edited = json.loads(Path("s.json").read_text())
    for number, bar in enumerate(edited["bars"]):
        bar["chords"] = ["D", "%", "G", "A7"][number % 4]
    Path("s.json").write_text(json.dumps(edited))
    code, _, error = say("compose", home / "model", "--sketch", "s.json", "-o", "s.mid")
    assert code == 2 and "its recipe would replace the sketch" in error
    code, text, _ = say("compose", home / "model", "--sketch", "s.json", "--seed", 1, "-o", "t.mid")
    assert code == 0
    assert [line.split("|", 1)[1] for line in text.splitlines()[1:3]] == [" D | % | G | A7 |"] * 2
    assert [chord.root for chord in midi.read("t.mid").chords] == [2, 7, 9] * 2
    code, text, _ = say(*words, "--json")
    assert json.loads(text)["sketch"]["meter"] == "6/8" and json.loads(text)["seed"] == 2
    assert say("sketch", home / "model", "-o", "s.mid")[0] == 2  # nothing but .json and .txt
    edited["bars"][2]["cadence"] = "full"
    Path("s.json").write_text(json.dumps(edited))
    code, _, error = say("compose", home / "model", "--sketch", "s.json")
    assert code == 2
    assert error == ("ritornello: 's.json': bar 3: cadence 'full': must be one of none, open, closed, end\n")


def test_vary_and_change_say_what_they_wrote(say: Say, home: Path) -> None:
    song = a_song(home)
    code, text, _ = say(
        "vary", song, "--amount", 0.5, "--model", home / "model", "--seed", 1, "-o", "varied.mid"
    )
    assert code == 0 and text.startswith("varied.mid   ") and "seed 1" in text
    assert Path("varied.json").exists()
    code, text, _ = say("change", song, "--transpose", 2, "--instrument", "1=flute", "-o", "new.mid")
    assert code == 0 and text.startswith("new.mid   ")
    assert midi.read("new.mid").parts[0].program == 73
    assert say("change", song, "-o", "other.mid")[0] == 2
    assert say("vary", song, "-o", "a.png")[0] == 2
    code, text, _ = say("compose", home / "model", "--bars", 4, "--loop", "--seed", 1, "-o", "loop.mid")
    assert code == 0 and midi.read("loop.mid").markers[-1].text == "loopEnd"
