"""The log of a run, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello.errors import InputError
from ritornello.training.history import History

LINES = """{"step": 2, "seconds": 1.5, "loss": 3.0, "heldout_loss": 4.0, "heldout_pitch": 1.5}
{"step": 4, "seconds": 3.0, "loss": 2.0, "heldout_loss": 3.5, "heldout_pitch": 1.25, "sounds": "loops"}
{"step": 6, "seconds": 4.5, "loss": 1.0, "heldout_loss": 3.75, "heldout_pitch": 1.5}
{"step": 8, "sec"""


def test_columns_parts_and_the_best(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(LINES)
    history = History(tmp_path)
    assert [column.tolist() for column in history.column("loss")] == [[2, 4, 6], [3, 2, 1]]
    assert history.column("sounds")[0].tolist() == []
    assert history.parts == ["pitch"]
    assert history.best()["step"] == 4


def test_no_log_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"has no log\.jsonl: must be a model folder that `ritornello train` wrote"
    ):
        History(tmp_path)
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(InputError, match="has no measurement yet"):
        History(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"step": 1, "seconds": 0.5, "loss": 5.0}\n')
    with pytest.raises(InputError, match="has no measurement yet"):
        History(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"step": 1, "seconds": 0.5, "loss": 5.0}\n' + LINES)
    assert History(tmp_path).column("loss")[0].tolist() == [1, 2, 4, 6]
    assert History(tmp_path).column("heldout_loss")[0].tolist() == [2, 4, 6]
