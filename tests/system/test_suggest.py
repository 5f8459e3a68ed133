"""Suggestions at the end of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello import notation
from ritornello.errors import MidiError, ModelError
from ritornello.models.model import Model
from ritornello.system.suggest import did_you_mean, nearest, similar_path
from tests.composing.models import write_model


def test_the_nearest_name_is_found_whatever_the_case() -> None:
    assert nearest("CHORAL", ["game", "Chorale"]) == "Chorale"
    assert nearest("kazoo", ["game", "chorale"]) is None
    assert did_you_mean("gmae", ["game"]) == "; did you mean 'game'?"


def test_files_and_folders_beside_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "my song.mid").write_bytes(b"MThd")
    (tmp_path / ".my song.midi").write_bytes(b"")
    hint = f"did you mean {str(tmp_path / 'my song.mid')!r}?"
    assert similar_path(tmp_path / "my songg.midi") == f"; {hint}"
    assert similar_path(tmp_path / "my song.mid") == similar_path(tmp_path / "other.mid") == ""
    assert similar_path(tmp_path / "no" / "folder") == similar_path("\0") == ""
    with pytest.raises(MidiError, match=r"No such file or directory; did you mean .*my song.mid"):
        notation.read(tmp_path / "my-song.mid")


def test_only_models_are_suggested_for_a_model(tmp_path: Path) -> None:
    (tmp_path / "modell").mkdir()
    write_model(tmp_path / "my-model")
    with pytest.raises(ModelError, match=r"it has no model.json; did you mean .*my-model"):
        Model.open(tmp_path / "my-modl")
