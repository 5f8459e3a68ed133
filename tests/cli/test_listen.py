"""`ritornello listen` as a user types it: ratings to figures, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

from ritornello.evaluation.listening_test import QUESTIONS
from tests.folders import Say


def test_ratings_are_evaluated(say: Say, tmp_path: Path) -> None:
    items = {"1": {"system": "ours", "file": "a.mid"}, "2": {"system": "theirs", "file": "b.mid"}}
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"test": "t", "systems": ["ours", "theirs"], "items": items}))
    (tmp_path / "ratings").mkdir()
    for number in range(6):
        ratings = [{"item": "1", **dict.fromkeys(QUESTIONS, 5)}, {"item": "2", **dict.fromkeys(QUESTIONS, 2)}]
        content = {"test": "t", "listener": str(number), "ratings": ratings}
        (tmp_path / "ratings" / f"{number}.json").write_text(json.dumps(content))
    code, text, err = say("listen", tmp_path / "ratings", "--key", key)
    assert (code, err) == (0, "")
    assert "6 listeners, 12 ratings" in text and "+3.00, 0.031" in text
    code, text, _ = say("listen", tmp_path / "ratings", "--key", key, "--json")
    assert json.loads(text)["questions"]["overall"]["pairs"][0]["difference"] == 3


def test_one_of_the_two_uses_must_be_named(say: Say, tmp_path: Path) -> None:
    code, _, err = say("listen", tmp_path)
    assert code == 2 and "either -o (to make a test) or --key" in err
    code, _, err = say("listen", tmp_path, "-o", tmp_path / "out")
    assert code == 2 and "must be two or more" in err
