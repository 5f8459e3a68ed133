"""`ritornello pack`: one file, or a folder for the Hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello.models.model import Model
from tests.composing.models import write_model
from tests.folders import Say


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "m")
    return tmp_path / "m"


def test_a_packed_model_is_opened_by_commands(model: Path, say: Say) -> None:
    code, out, _ = say("pack", model)
    assert code == 0
    packed = Path(f"{model}.ritornello")
    assert out == f"{packed}   {packed.stat().st_size:,} bytes\n"
    assert say("compose", packed, "--bars", 2, "-o", model.parent / "song.mid")[0] == 0
    assert say("card", packed)[0] == 0


def test_what_is_not_ours_is_not_replaced(model: Path, say: Say) -> None:
    (own := model.parent / "mine").write_bytes(b"mine")
    code, _, problem = say("pack", model, "-o", own)
    assert code == 2
    assert "did not write its content" in problem
    assert own.read_bytes() == b"mine"
    assert say("pack", model, "-o", own, "--overwrite")[0] == 0


def test_a_folder_for_the_hub(model: Path, say: Say) -> None:
    assert say("pack", model, "--hub", model.parent / "up", "-q")[:2] == (0, "")
    assert (model.parent / "up" / "README.md").is_file()
    assert Model.open(model.parent / "up").hash == Model.open(model).hash
    code, _, problem = say("pack", model, "--hub", "x", "-o", "y")
    assert (code, "exclude each other" in problem) == (2, True)
