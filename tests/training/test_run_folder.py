"""The folder of a run: it may go on for longer, and with nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello.errors import InputError
from ritornello.training.checkpoint import check_folder, write_settings

SETTINGS = {"steps": 10, "minutes": None, "batch": 8, "data": "abc"}  # other settings are left out


def write_run(folder: Path) -> None:
    write_settings(folder, SETTINGS)
    (folder / "checkpoint" / "state.safetensors").write_bytes(b"")


def test_a_new_or_empty_folder_holds_no_run(tmp_path: Path) -> None:
    assert not check_folder(tmp_path / "new", SETTINGS)
    (tmp_path / "lock").touch()
    assert not check_folder(tmp_path, SETTINGS)


def test_how_long_may_change_and_nothing_else(tmp_path: Path) -> None:
    write_run(tmp_path)
    assert check_folder(tmp_path, SETTINGS)
    assert not write_settings(tmp_path, SETTINGS)
    longer = {**SETTINGS, "steps": None, "minutes": 3.0}
    assert check_folder(tmp_path, longer)
    assert write_settings(tmp_path, longer)
    assert not write_settings(tmp_path, longer)  # it is remembered
    with pytest.raises(InputError, match="batch was 8, is 9"):
        check_folder(tmp_path, {**SETTINGS, "batch": 9})


def test_other_peoples_files_stay_alone(tmp_path: Path) -> None:
    (tmp_path / "song.mid").touch()
    with pytest.raises(InputError, match=r"has other files \('song\.mid'\): must be new or empty"):
        check_folder(tmp_path, SETTINGS)
    with pytest.raises(InputError, match=r"song\.mid' is a file: must be a folder"):
        check_folder(tmp_path / "song.mid", SETTINGS)
