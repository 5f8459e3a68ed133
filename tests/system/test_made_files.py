"""Files that commands may replace."""

from pathlib import Path

import pytest

from ritornello.errors import InputError
from ritornello.system import made_files
from ritornello.system.made_files import writing


def test_a_file_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"mine")
    problem = r"notes.txt' exists, and Ritornello did not write"
    with pytest.raises(InputError, match=problem), writing([file], overwrite=False):
        file.write_bytes(b"lost")
    assert file.read_bytes() == b"mine"
    with writing([file, None], overwrite=True):
        file.write_bytes(b"made")
    assert file.read_bytes() == b"made"


def test_a_written_file_may_be_replaced_until_it_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "song.mid"
    for content in (b"one", b"two"):
        with writing([file], overwrite=False):
            file.write_bytes(content)
    file.write_bytes(b"two and an edit")
    with pytest.raises(InputError, match="add --overwrite"), writing([file], overwrite=False):
        pass


def test_an_empty_file_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with writing([tmp_path / "empty"], overwrite=False):
        pass


def test_what_was_written_before_a_failure_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "song-1.mid"
    with pytest.raises(KeyboardInterrupt), writing([file, tmp_path / "song-2.mid"], overwrite=False):
        file.write_bytes(b"one")
        raise KeyboardInterrupt
    made_files.check_may_replace([file])


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITORNELLO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(made_files, "MAX_HASHES", 4)
    files = [tmp_path / str(number) for number in range(5)]
    for file in files:
        with writing([file], overwrite=False):
            file.write_bytes(file.name.encode())
    made_files.check_may_replace(files[3:])
    with pytest.raises(InputError):
        made_files.check_may_replace(files[:1])


def test_without_a_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setenv("RITORNELLO_CACHE", str(tmp_path / "file" / "cache"))
    with writing([tmp_path / "song"], overwrite=False):
        (tmp_path / "song").write_bytes(b"y")
    with pytest.raises(InputError):
        made_files.check_may_replace([tmp_path / "song"])
