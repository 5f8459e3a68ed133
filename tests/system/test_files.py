"""Atomic writing: the old file or the whole new one, and errors that name the path."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from ritornello.errors import OutputError
from ritornello.system.files import replacing, sha256, sha256_file, write_bytes, write_json

# FIPS 180-2, appendix B.1: the SHA-256 of "abc"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_write_bytes_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "song.mid"  # the folder is made
    write_bytes(path, b"first, and longer")
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]  # nothing temporary stays


@pytest.mark.parametrize("name", ["ñandú 曲.mid", ".hidden", "x" * 200 + ".mid"])
def test_any_name(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_file_gets_the_usual_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"x")
    (tmp_path / "other").write_bytes(b"x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "other")]
    assert modes[0] == modes[1]


def refuse(number: int) -> OSError:
    """An OSError of the system, such as ENOSPC for a full disk or EROFS for a read-only file system."""
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_failing_while_writing_leaves_the_old_file(tmp_path: Path, number: int) -> None:
    path = tmp_path / "song.mid"
    write_bytes(path, b"old")
    with pytest.raises(OutputError) as caught, replacing(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise refuse(number)
    assert str(caught.value) == f"cannot write {str(path)!r}: {os.strerror(number)}"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace", "mkdir"])
def test_failing_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "song.mid"
    write_bytes(path, b"old")

    def fail(*args: object, **options: object) -> None:
        raise refuse(errno.EROFS)

    where = {"mkstemp": "tempfile.mkstemp", "fsync": "os.fsync"}.get(step, f"pathlib.Path.{step}")
    monkeypatch.setattr(where, fail)
    with pytest.raises(OutputError, match="Read-only file system") as caught:
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert repr(str(path)) in str(caught.value)
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_in_the_block_is_raised_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError), replacing(tmp_path / "song.mid") as temporary:
        temporary.write_bytes(b"half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"cannot write '.*folder': "):
        write_bytes(tmp_path / "folder", b"x")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"cannot write '.*song\.mid': "):
        write_bytes(tmp_path / "file" / "song.mid", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user to whom permissions apply")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match=r"cannot write '.*song\.mid': Permission denied"):
            write_bytes(tmp_path / "song.mid", b"x")
    finally:
        tmp_path.chmod(0o755)


def test_write_json_gives_the_same_bytes_for_the_same_value(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None, True], "a": "ñ 曲"}
    write_json(tmp_path / "one.json", value)
    write_json(tmp_path / "two.json", json.loads((tmp_path / "one.json").read_text("utf-8")))
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert (tmp_path / "one.json").read_text("utf-8").endswith("}\n")
    assert "ñ 曲" in (tmp_path / "one.json").read_text("utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_write_json_refuses_what_is_no_json(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "bad.json", {"x": value})
    assert list(tmp_path.iterdir()) == []


def test_hashes(tmp_path: Path) -> None:
    assert sha256(b"abc") == ABC
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == ABC
    large = b"0123456789" * 250_000  # 2.4 MiB: read in three pieces
    (tmp_path / "large").write_bytes(large)
    assert sha256_file(tmp_path / "large") == sha256(large)
