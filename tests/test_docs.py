"""What the README and the docs say is what happens."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.cli import main
from tests.folders import write_songs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import make_commands
    finally:
        sys.path.pop(0)
    assert make_commands.PAGE.read_text() == make_commands.page()
    assert "| None |" not in make_commands.page(), "an option without help"


def commands(page: str) -> list[list[str]]:
    """The words of every line `$ ritornello ...` in a page."""
    return [shlex.split(line, comments=True)[1:] for line in re.findall(r"^\$ (ritornello .*)$", page, re.M)]


def test_the_readmes_commands_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_songs(tmp_path / "midi", 24)
    monkeypatch.chdir(tmp_path)
    typed = commands(README)
    assert {words[0] for words in typed} >= {"compose", "redo", "learn", "prepare", "train", "render"}
    for words in typed:
        if "--minutes" in words:  # ten or twenty minutes in the page, a moment here
            place = words.index("--minutes")
            words[place : place + 2] = ["--steps", "4", *(["--size", "tiny"] * (words[0] == "train"))]
        main(words)
        assert capsys.readouterr().out, f"ritornello {' '.join(words)} says nothing"
    assert len(midi.read(tmp_path / "song.mid")) > 0


def test_the_song_on_the_page_is_the_one_that_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The roll and the figures that the page opens with are those of examples/new_song.mid."""
    monkeypatch.setenv("COLUMNS", "72")
    main(["info", str(ROOT / "examples" / "new_song.mid"), "--json"])
    facts = json.loads(capsys.readouterr().out)
    told = f"{facts['bars']} bars, {facts['seconds']:.0f} s, {facts['notes']} notes"
    assert f"\nnew_song.mid   {told}, " in README
    main(["info", str(ROOT / "examples" / "new_song.mid")])
    roll = capsys.readouterr().out.splitlines()
    first = next(number for number, line in enumerate(roll) if re.match(" {4}[01] ", line))
    assert "\n".join(roll[first:]) in README


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_songs(tmp_path / "midi", 24)
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(program.replace("minutes=10", "steps=4, batch=4"), {})
    assert len(midi.read(tmp_path / "song.mid")) > 0


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_rows_explained_on_the_models_page_are_what_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (ROOT / "docs" / "model.md").read_text()
    shown = re.search(
        r"^\$ ritornello explain (\S+) --rows (\d+) \| tail -(\d+)\n(.*?)```", page, re.M | re.S
    )
    assert shown
    main(["explain", str(ROOT / shown[1]), "--rows", shown[2]])
    assert capsys.readouterr().out.splitlines()[-int(shown[3]) :] == shown[4].splitlines()


TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS += sorted((ROOT / "src").rglob("*.py"))


FOLDERS = ("src", "tests", "docs", "scripts", "examples")
FILES = {file.name for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")}


@pytest.mark.parametrize("text", [each for each in TEXTS if each.name != "renames.md"], ids=str)
def test_modules_that_a_text_names_exist(text: Path) -> None:
    """Names such as `models/chain/step.py` in pages, docstrings and comments."""
    places = [ROOT, ROOT / "src", ROOT / "src" / "ritornello", text.parent, text.parent.parent]
    for name in re.findall(r"(?<![\w/.<-])((?:\w+/)*\w+\.py)\b", text.read_text("utf-8")):
        found = any((place / name).is_file() for place in places) or name in FILES
        assert found or Path(name).name.startswith(("my_", "FILE")), f"{text.name} names {name}"
