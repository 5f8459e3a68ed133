"""`ritornello doctor` as a user types it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ritornello import midi
from tests.folders import Say, wandering, write_songs


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = write_songs(tmp_path / "music", 18, notes=120)
    (folder / "folk" / "page.mid").write_text("<html>")
    return folder


def test_it_says_what_is_there(say: Say, music: Path) -> None:
    code, text, err = say("doctor", music, "--workers", 1)
    assert code == 0
    assert "18 of 19 files can be trained on (95%)" in text
    assert "folk/page.mid" in text
    assert "download it again" in text
    assert "reading: 19/19" in err
    assert "nothing is new since the last run" in say("doctor", music, "--workers", 1)[1]


def test_json_and_quiet(say: Say, music: Path) -> None:
    code, text, err = say("doctor", music, "--json", "--workers", 1)
    data = json.loads(text)
    assert (code, err) == (0, "")
    assert (data["files"], data["kept"], data["read_now"]) == (19, 18, 19)
    assert data["histograms"]["Labels"] == {"folk": 9, "game": 9}
    (page,) = (file for file in data["every_file"] if file["path"] == "folk/page.mid")
    assert (page["fate"], page["reason"]) == ("not MIDI", "begins with b'<htm': must be b'MThd'")
    assert say("doctor", music, "--quiet", "--workers", 1) == (0, "", "")


def test_the_page_and_the_copies(say: Say, music: Path, tmp_path: Path) -> None:
    midi.write(replace(wandering(99, 120), title="<script>bad()</script>"), music / "folk" / "odd.mid")
    before = {path: path.read_bytes() for path in music.rglob("*") if path.is_file()}
    html, clean = tmp_path / "new" / "report.html", tmp_path / "clean"
    code, text, _ = say("doctor", music, "--html", html, "--copy-clean", clean, "--workers", 1)
    assert code == 0
    assert f"{html}   the report as a page" in text
    assert f"{clean}   19 songs copied" in text
    page = html.read_text()
    assert page.count("<figure") == 4
    assert "<script" not in page
    assert len(list(clean.rglob("*.mid"))) == 19
    assert {path: path.read_bytes() for path in music.rglob("*") if path.is_file()} == before


def test_labels_from_a_table(say: Say, music: Path, tmp_path: Path) -> None:
    names = sorted(path.relative_to(music).as_posix() for path in music.rglob("*.mid"))[:9]
    rows = ["path,label", *(f"{name},mine" for name in [*names, "x.mid"])]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    code, text, _ = say("doctor", music, "--labels", tmp_path / "labels.csv", "--workers", 1)
    assert code == 0
    assert "from the table" in text
    assert "rows of the table of labels that name no song: 2" in text  # one is a web page
    data = json.loads(say("doctor", music, "--labels", tmp_path / "labels.csv", "--json", "--workers", 1)[1])
    assert data["histograms"]["Labels"]["mine"] == 8
    assert data["read_now"] == 0  # labels are no reason to read again
    assert say("doctor", music, "--labels", tmp_path / "labels.txt")[0] == 2


def test_copies_inside_the_folder_are_not_looked_at(say: Say, music: Path) -> None:
    assert say("doctor", music, "--copy-clean", music / "clean", "--workers", 1)[0] == 0
    (music / "clean" / "mine.txt").touch()
    code, _, err = say("doctor", music, "--copy-clean", music / "clean")
    assert code == 2
    assert "is not empty: must be a new folder" in err


WRONG = {
    "a folder that is not there": (["{tmp}/nowhere"], 2, "nowhere' does not exist: must be a folder"),
    "a file": (["{music}/folk/page.mid"], 2, "page.mid' is a file: must be a folder"),
    "an empty folder": (["{tmp}/empty"], 2, "contains no .mid"),
    "no workers": (["{music}", "--workers", "0"], 2, "workers 0: must be 1-1024"),
    "a folder for the page": (["{music}", "--html", "{tmp}/empty"], 1, "empty': Is a directory"),
    "a page in a file": (["{music}", "--html", "{music}/folk/page.mid/a.html"], 1, "cannot write"),
    "a file for the copies": (["{music}", "--copy-clean", "{music}/folk/page.mid"], 2, "is a file: must be"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line(say: Say, music: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "empty").mkdir()
    words, expected, says = WRONG[case]
    code, out, err = say("doctor", *(word.format(tmp=tmp_path, music=music) for word in words))
    assert (code, out) == (expected, "")
    (message,) = err.splitlines()
    assert message.startswith("ritornello: ")
    assert says in message


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_place_for_the_page(say: Say, music: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    code, _, err = say("doctor", music, "--html", tmp_path / "closed" / "a.html")
    assert code == 1
    assert "Permission denied" in err
