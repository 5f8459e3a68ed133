"""Killed with signal 9 at every change to the disk and run again, the corpus ends the same byte for byte."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ritornello.corpus.corpus import Corpus
from ritornello.errors import CorpusError
from tests.corpus.folders import content, fill, song

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signal 9 and fork as POSIX has them")
SHARD_SONGS = 4
# every sixth change to the disk; the whole matrix with the long tests
MATRIX = pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])


class Nursery:
    """Run `prepare` in processes that kill themselves at a given change to the disk."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        command = [sys.executable, "-m", "tests.corpus.killer"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]

    def prepare(self, folder: Path, out: Path, die_at: int = 0) -> str:
        print(folder, out, die_at, SHARD_SONGS, sep="\t", file=self.process.stdin, flush=True)
        return str(self.process.stdout.readline().strip())


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.process.stdin.close()
    nursery.process.wait(10)
    nursery.process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven songs, a duplicate, and two files without songs; the fourth shard has only the last file."""
    folder = fill(tmp_path_factory.mktemp("killed") / "in", 11)
    (folder / "0002b.mid").write_bytes(song(9))
    (folder / "0005b.mid").write_bytes(b"<html>")
    (folder / "zero.mid").touch()
    return folder


def finished(out: Path) -> dict[str, int]:
    """The inode of each finished shard: a shard that is written again gets another one."""
    return {p.name: (p / "pitch.npy").stat().st_ino for p in (out / "shards").glob("[0-9]*")}


def kill_and_mend(nursery: Nursery, folder: Path, out: Path, die_at: int, last_good: int) -> None:
    """Kill a run at a change to the disk, check what is left, and run again."""
    assert nursery.prepare(folder, out, die_at) == "killed"
    try:
        assert len(Corpus.open(out)) >= last_good  # the last good state opens, or the new one
    except CorpusError:
        assert not last_good
    done = finished(out)
    assert nursery.prepare(folder, out).startswith("done")
    assert done.items() <= finished(out).items()


@MATRIX
def test_at_every_change_from_the_start(nursery: Nursery, folder: Path, tmp_path: Path, step: int) -> None:
    answer = nursery.prepare(folder, tmp_path / "whole")
    whole, changes = content(tmp_path / "whole"), int(answer.removeprefix("done "))
    assert len(finished(tmp_path / "whole")) == 4
    assert changes > 100
    for die_at in range(1, changes + 1, step):
        out = tmp_path / f"out{die_at}"
        kill_and_mend(nursery, folder, out, die_at, last_good=0)
        assert content(out) == whole, f"killed at change {die_at}"
        shutil.rmtree(out)


@MATRIX
def test_at_every_change_while_it_grows(nursery: Nursery, folder: Path, tmp_path: Path, step: int) -> None:
    some, grown = tmp_path / "some", tmp_path / "grown"
    shutil.copytree(folder, some, ignore=shutil.ignore_patterns("000[3-9]*"))
    nursery.prepare(some, tmp_path / "small")
    shutil.copytree(tmp_path / "small", grown)
    changes = int(nursery.prepare(folder, grown).removeprefix("done "))
    whole, files = content(grown), len(Corpus.open(tmp_path / "small"))
    for die_at in range(3, changes + 1, step):
        out = tmp_path / f"out{die_at}"
        shutil.copytree(tmp_path / "small", out)
        kill_and_mend(nursery, folder, out, die_at, last_good=files)
        assert content(out) == whole, f"killed at change {die_at}"
        shutil.rmtree(out)


def test_killed_again_and_again(nursery: Nursery, folder: Path, tmp_path: Path) -> None:
    nursery.prepare(folder, tmp_path / "whole")
    deaths = 0
    while nursery.prepare(folder, tmp_path / "out", die_at=60) == "killed":
        deaths += 1
        assert deaths < 20
    assert deaths >= 1
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.slow
def test_killed_at_any_time_with_real_workers(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 120)
    script = (
        "import sys; from ritornello.corpus import prepare, read_files; read_files.SHARD_SONGS = 20\n"
        "read_files.BATCH_FILES = 4; prepare.prepare(sys.argv[1], sys.argv[2], workers=2)"
    )
    command = [sys.executable, "-c", script, str(folder)]
    began = time.monotonic()
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    whole, usual_s = content(tmp_path / "whole"), time.monotonic() - began
    draw = random.Random(7)
    for _ in range(20):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        for _ in range(3):
            process = subprocess.Popen([*command, str(tmp_path / "out")])
            with suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0.2, usual_s))
            process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run([*command, str(tmp_path / "out")], check=True)
        assert content(tmp_path / "out") == whole
