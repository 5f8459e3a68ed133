"""Functions that only POSIX has are guarded; the other path is forced here."""

from __future__ import annotations

import ast
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ritornello.corpus.doctor.cache import cache_folder
from ritornello.corpus.workers import worker
from ritornello.corpus.writing import shards
from ritornello.errors import InputError
from ritornello.system.lock import locked

SOURCE = Path(__file__).parents[2] / "src" / "ritornello"
FILES = sorted(SOURCE.rglob("*.py"))
POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"}
POSIX_NAMES = {
    "os": {
        "fork",
        "getuid",
        "geteuid",
        "sysconf",
        "sync",
        "nice",
        "killpg",
        "setsid",
        "O_DIRECTORY",
        "mkfifo",
    }
    | {"sched_getaffinity", "sched_setaffinity", "getloadavg", "statvfs", "register_at_fork", "uname"},
    "signal": {"SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGHUP", "setitimer", "alarm"},
}
GUARDS = ("hasattr", "os.name", "sys.platform", "ImportError")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_posix_functions_are_used_only_with_a_guard(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(guard in ast.unparse(node) for guard in GUARDS)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        used = isinstance(node, ast.Attribute) and node.attr in POSIX_NAMES.get(ast.unparse(node.value), ())
        if used or POSIX_MODULES & set(names):
            assert node in guarded, f"{file.name}, line {node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_text_is_read_and_written_in_an_encoding_that_is_named(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        call, words = ast.unparse(node.func), {word.arg for word in node.keywords}
        place = f"{file.name}, line {node.lineno}"
        if call.endswith(".read_text"):
            assert node.args or "encoding" in words, place
        elif call.endswith(".write_text"):
            assert len(node.args) > 1 or "encoding" in words, place
        elif call == "open" or call.endswith(".open"):
            modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if any(mode in ("r", "w", "a", "x", "r+", "w+", "a+") for mode in modes):
                assert "encoding" in words, place
        elif call.startswith("subprocess."):
            assert "text" not in words or "encoding" in words, place


class FakeMsvcrt(SimpleNamespace):
    """The part of Windows's module msvcrt that locks a byte of a file: one holder a file."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        super().__init__(holders={})

    def locking(self, descriptor: int, mode: int, length: int) -> None:
        key = os.fstat(descriptor).st_ino
        if mode == self.LK_UNLCK:
            assert self.holders.pop(key) == descriptor
        elif self.holders.setdefault(key, descriptor) != descriptor:
            raise PermissionError(13, "Permission denied")


def test_a_lock_where_there_is_no_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", FakeMsvcrt())
    second = pytest.raises(InputError, match=f"process {os.getpid()} on ")
    with locked(tmp_path / "lock"), second, locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


def test_a_worker_where_memory_cannot_be_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    worker.limit_memory(1)


def test_a_worker_where_there_is_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer", raising=False)
    worker._set_alarm(0.001)


def test_names_in_a_folder_where_folders_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "os", SimpleNamespace(name="nt"))  # anything else of os fails
    shards._sync_folder(tmp_path)


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("win32", "LOCALAPPDATA", "ritornello"),
        ("darwin", "HOME", "Library/Caches/ritornello"),
        ("linux", "XDG_CACHE_HOME", "ritornello"),
    ],
)
def test_the_cache_is_in_the_folder_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, folder: str
) -> None:
    monkeypatch.delenv("RITORNELLO_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    for name in {variable, "USERPROFILE" if variable == "HOME" else variable}:
        monkeypatch.setenv(name, str(tmp_path))
    assert cache_folder() == tmp_path / folder
