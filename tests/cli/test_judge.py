"""`ritornello judge` as a user types it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.evaluation import detector, judge, style
from ritornello.models import fingerprints
from ritornello.models.fingerprints import SongFingerprint
from ritornello.music.score import Score
from tests.folders import Say, wandering
from tests.scores import tune


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for name, seeds in {"ours": range(24), "theirs": range(100, 124), "few": range(1)}.items():
        for seed in seeds:
            midi.write(wandering(seed), home / name / f"{seed}.mid")
    (home / "theirs" / "page.mid").write_text("<html>")
    midi.write(tune(), home / "tune.mid")
    midi.write(Score.of(480, [], [], [], []), home / "silent.mid")
    midi.write(Score.of(480, [0, 480 * 8000], [480, 480], [60, 62], [64, 64]), home / "ours" / "long.mid")
    return home


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "TREES", 10)
    monkeypatch.setattr(style, "ROUNDS", 50)


def test_a_folder(say: Say, home: Path, tmp_path: Path) -> None:
    html = tmp_path / "new" / "report.html"
    code, text, err = say("judge", home / "ours", "--human", home / "theirs", "--html", html)
    assert code == 0
    assert "detector AUC" in text
    assert re.search(r"^each part plays in 1/4 of the bars +100% +100%-100% +24 +100% ", text, re.M)
    assert "seam: same key heard" not in text
    assert "seam: same key heard" in say("judge", home / "ours", "--human", home / "theirs", "--seam", 4)[1]
    assert "<h2>Coherence</h2>" in html.read_text()
    assert "long.mid: lasts 67 minutes, at most 60 (--max-minutes)" in text
    assert "page.mid: not MIDI" in text
    assert f"{html}   the report as a page" in text
    assert "comparing  all: " in err
    assert html.read_text().startswith("<!doctype html>")


def test_json_and_quiet(say: Say, home: Path) -> None:
    words = ("judge", home / "ours", "--human", home / "theirs", "--most", 20, "--corpus", home / "theirs")
    code, text, err = say(*words, "--json")
    found = json.loads(text)
    assert (code, err) == (0, "")
    assert (found["composed"]["used"], found["composed"]["found"]) == (20, 24)
    assert len(found["originality"]["in_training"]) == 20
    assert any("are training songs, not held out" in said for said in found["remarks"])
    assert json.loads(say(*words, "--json")[1]) == found
    assert say(*words, "--quiet") == (0, "", "")


def test_one_song(say: Say, home: Path) -> None:
    code, text, _ = say("judge", home / "tune.mid")
    assert code == 0
    assert "G major" in text
    code, text, _ = say("judge", home / "tune.mid", "--human", home / "theirs", "--json")
    assert 0 <= json.loads(text)["features"]["density"]["rank"] <= 1


def test_one_song_and_what_a_model_learnt_from(say: Say, home: Path, tmp_path: Path) -> None:
    fingerprints.write(
        tmp_path, [SongFingerprint.of(wandering(5), "five.mid"), SongFingerprint.of(tune(), "tune.mid")]
    )
    code, text, _ = say("judge", home / "tune.mid", "--model", tmp_path)
    assert code == 0
    longest = max(len(line.bars) for line in SongFingerprint.of(tune()).lines)
    assert re.search(
        rf"^closest +{longest} notes: bars 1-\d as in bars 1-\d of Tune \(tune\.mid\)$", text, re.M
    )
    found = json.loads(say("judge", home / "tune.mid", "--corpus", home / "theirs", "--json")[1])
    assert found["closest"]["where"] == str(home / "theirs")


def test_shared_passages_are_shown_side_by_side(say: Say, home: Path, tmp_path: Path) -> None:
    one, many = tmp_path / "one.html", tmp_path / "many.html"
    assert say("judge", home / "theirs" / "101.mid", "--corpus", home / "theirs", "--html", one)[0] == 0
    words = ("--human", home / "ours", "--corpus", home / "theirs", "--html", many)
    assert say("judge", home / "theirs", *words)[0] == 0
    for page, pairs in ((one, 1), (many, judge.SHOWN_PASSAGES)):
        html = page.read_text()
        pictures = re.findall('<img alt="([^"]*)" src="data:image/svg\\+xml;base64,([^"]*)">', html)
        assert len(pictures) == 2 * pairs
        assert all(b64decode(data).startswith(b"<svg ") for _, data in pictures)
        assert all(" bars 1-" in name for name, _ in pictures)
        assert "<script" not in html


def test_the_limit_can_be_raised(say: Say, home: Path, tmp_path: Path) -> None:
    midi.write(Score.of(480, [0, 480 * 30_000], [480, 480], [60, 62], [64, 64]), tmp_path / "hours.mid")
    code, _, err = say("judge", tmp_path / "hours.mid")
    assert (code, err) == (2, "ritornello: 'hours.mid' lasts 250 minutes, at most 60 (--max-minutes)\n")
    assert say("judge", tmp_path / "hours.mid", "--max-minutes", 251)[0] == 0
    assert say("judge", home / "ours" / "long.mid")[0] == 2
    assert say("judge", home / "ours" / "long.mid", "--max-minutes", 90)[0] == 0


WRONG = {
    "a folder without human songs": (["{home}/ours"], "--human FOLDER must give the human songs"),
    "nothing there": (["{home}/none", "--human", "{home}/theirs"], "none"),
    "one song only": (["{home}/few", "--human", "{home}/theirs"], "1 songs in"),
    "a model that remembers nothing": (["{home}/tune.mid", "--model", "{home}"], "has no reference.npz"),
    "no song at all": (["{home}/silent.mid"], "'silent.mid': empty"),
    "no MIDI": (["{home}/theirs/page.mid"], "'page.mid': not MIDI"),
    "too few": (["{home}/ours", "--human", "{home}/theirs", "--most", "1"], "must be 2-100000"),
    "no time": (["{home}/tune.mid", "--max-minutes", "0"], "max-minutes 0.0: must be 0.1-100000"),
    "a seed below zero": (["{home}/tune.mid", "--seed", "-1"], "seed -1: must be 0-"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line(say: Say, home: Path, case: str) -> None:
    words, says = WRONG[case]
    code, out, err = say("judge", *(word.format(home=home) for word in words), "--quiet")
    assert (code, out) == (2, "")
    (message,) = err.splitlines()
    assert message.startswith("ritornello: ")
    assert says in message


def test_each_song_is_drawn_as_often_as_any_other(home: Path) -> None:
    """Of 24 songs six: over 60 seeds each about 15 times, +- 4 standard deviations of 3.4."""
    times: dict[str, int] = {}
    for seed in range(60):
        group = judge._sample(home / "ours", most=6, max_s=3600, seed=seed, progress=None)
        assert len(group.songs) == 6
        for song in group.songs:
            times[song.name] = times.get(song.name, 0) + 1
    assert len(times) == 24
    assert max(abs(count - 15) for count in times.values()) < 14
