"""The listening test: what its page tells, and what its ratings say."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.errors import InputError
from ritornello.evaluation import listening_test
from ritornello.evaluation.listening_results import (
    holm,
    listening_results,
    results_text,
    signed_rank_p,
)
from ritornello.evaluation.listening_test import QUESTIONS, make_listening_test, render_beginning
from tests.folders import write_songs

KEY = {
    "test": "abc",
    "systems": ["ours", "theirs", "anchor"],
    "items": {
        "1": {"system": "ours", "file": "a.mid"},
        "2": {"system": "theirs", "file": "b.mid"},
        "3": {"system": "anchor", "file": "noise"},
        "4": {"system": "ours", "file": "c.mid"},
    },
}


def rating(item: str, value: int) -> dict[str, Any]:
    return {"item": item, **dict.fromkeys(QUESTIONS, value)}


def write_ratings(folder: Path, name: str, *ratings: dict[str, Any], test: str = "abc") -> Path:
    folder.mkdir(exist_ok=True)
    content = {"test": test, "listener": name, "ratings": list(ratings)}
    path = folder / f"{name}-{len(ratings)}.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY))
    return path


def test_the_signed_rank_test_is_that_of_all_signs() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        differences = draw.integers(-4, 5, 7)
        sizes = np.abs(differences[differences != 0])
        ranks = np.array([(sizes < size).sum() + ((sizes == size).sum() + 1) / 2 for size in sizes])
        sums = [np.dot(signs, ranks) for signs in product((0, 1), repeat=len(ranks))]
        positive = float(ranks[differences[differences != 0] > 0].sum())
        lesser = min(positive, ranks.sum() - positive)
        share = np.mean([found <= lesser + 1e-9 for found in sums])
        assert signed_rank_p(differences) == pytest.approx(min(1, 2 * share))


def test_signed_ranks_by_hand() -> None:
    # ranks 1 2 3 4, the minus has 4: of 16 signs 7 have a sum of at most 4, so p = 2 * 7 / 16
    assert signed_rank_p(np.array([1, 2, 3, -4])) == 0.875
    assert signed_rank_p(np.array([0.0, 0.0])) == 1
    assert signed_rank_p(np.ones(6)) == pytest.approx(2 / 64)


def test_holm_by_hand() -> None:
    # sorted 0.01 0.02 0.04: times 3, 2, 1 = 0.03, 0.04, 0.04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([]) == []


def test_the_listener_is_the_unit(tmp_path: Path, key: Path) -> None:
    for number in range(6):
        songs = [rating("1", 4), rating("4", 5), rating("2", 2 + number % 2), rating("3", 1)]
        write_ratings(tmp_path / "ratings", f"listener{number}", *songs)
    write_ratings(tmp_path / "ratings", "listener0", rating("1", 1))  # saved before the end
    found = listening_results(key, [tmp_path / "ratings"])
    assert (found["listeners"], found["files"], found["ratings"], found["fooled"]) == (6, 7, 24, 0)
    overall = found["questions"]["overall"]
    assert overall["systems"]["ours"] == {
        "mean": 4.5,
        "interval": (4.5, 4.5),
        "median": 4.5,
        "listeners": 6,
    }
    assert overall["systems"]["theirs"]["mean"] == 2.5
    (pair,) = overall["pairs"]  # the anchor is a check, not a system
    assert pair["systems"] == ("ours", "theirs") and pair["difference"] == 2
    assert pair["p"] == pair["p_holm"] == pytest.approx(2 / 64)
    text = results_text(found)
    assert "+2.00, 0.031" in text and "no difference can" not in text


def test_few_listeners_and_unheard_systems(tmp_path: Path, key: Path) -> None:
    paths = [
        write_ratings(tmp_path, "one", rating("1", 3), rating("3", 3)),
        write_ratings(tmp_path, "two", rating("1", 4)),
    ]
    found = listening_results(key, paths)
    assert found["fooled"] == 1  # 3 for the noise, 3 for the best
    assert found["questions"]["structure"]["systems"]["theirs"]["mean"] is None
    assert found["questions"]["structure"]["pairs"][0]["p_holm"] == 1
    assert "fewer than 6 listeners" in results_text(found)


@pytest.mark.parametrize(
    ("ratings", "test", "message"),
    [
        ([rating("1", 6)], "abc", "coherency 6 of item 1: must be 1-5"),
        ([rating("9", 3)], "abc", "must name an item"),
        ([], "xyz", "is of test xyz: must be of abc"),
    ],
)
def test_wrong_ratings_are_named(
    tmp_path: Path, key: Path, ratings: list[Any], test: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        listening_results(key, [write_ratings(tmp_path, "a", *ratings, test=test)])
    with pytest.raises(InputError, match="must be a JSON file"):
        listening_results(tmp_path / "none.json", [tmp_path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of ratings"):
        listening_results(key, [tmp_path / "empty"])


def test_the_page_hides_what_is_whose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("soundfile")
    monkeypatch.setattr(listening_test, "render_beginning", lambda *_: np.zeros((2, 4410), np.float32))
    monkeypatch.setattr(listening_test.audio, "find_soundfont", lambda *_: tmp_path)
    for name in ("secret_one", "secret_two"):
        write_songs(tmp_path / name, 4)
    folders = [tmp_path / "secret_one", tmp_path / "secret_two"]
    made = make_listening_test(folders, tmp_path / "test", songs=3, seed=5)
    page = (tmp_path / "test" / "listen.html").read_text()
    assert not re.search(r"secret|song0|\.mid|anchor|drawn independently", page)
    assert made == json.loads((tmp_path / "test" / "key.json").read_text())
    systems = [each["system"] for each in made["items"].values()]
    assert sorted(systems) == ["anchor"] * 3 + ["secret_one"] * 3 + ["secret_two"] * 3
    assert systems != sorted(systems)
    found = re.search(r'id="sounds">(.*?)</script>', page)
    assert found
    sounds = json.loads(found[1])
    assert set(sounds) == set(made["items"]) and b64decode(sounds[next(iter(sounds))])
    assert not re.search(r'(?:src|href)="', page)
    again = make_listening_test(folders, tmp_path / "again", songs=3, seed=5)
    assert again == made and made != make_listening_test(folders, tmp_path / "b", songs=3, seed=6)


def test_too_few_songs_and_equal_names(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    write_songs(tmp_path / "a", 2)
    with pytest.raises(InputError, match="must be two or more"):
        make_listening_test([tmp_path / "a"], tmp_path / "test")
    with pytest.raises(InputError, match="with different names"):
        make_listening_test([tmp_path / "a", tmp_path / "a"], tmp_path / "test")
    write_songs(tmp_path / "b", 2)
    with pytest.raises(InputError, match="has 2 songs: must be 5 or more"):
        make_listening_test([tmp_path / "a", tmp_path / "b"], tmp_path / "test")


def test_an_excerpt_is_cut_and_fades_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.folders import wandering

    def loud(score: Any, **_: Any) -> Any:
        assert score.seconds(score.onset_ticks).max() < 5  # later notes are not rendered
        return np.ones((2, 44_100 * 9), np.float32)

    monkeypatch.setattr(listening_test.audio, "render", loud)
    sound = render_beginning(wandering(0), 5)
    assert sound.shape == (2, 5 * 44_100)
    assert sound[0, 3 * 44_100] == 1 and sound[0, -1] == 0
