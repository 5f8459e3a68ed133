"""The network of 2018 at its own scale: from a folder of 100,000 files to a song, by the usual commands."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks.shared import OUT, argument, benchmark, midi_files, table
from ritornello.errors import FailedError, InputError

MARK = b"RITO"  # the name of a chunk that no reader knows, and skips


def repeat_files(files: Sequence[Path], root: Path, out: Path, count: int) -> int:
    """Write `count` files below `out`, in the folders that they have in `root`; return how many are copies.

    The first round is the files themselves, linked. Then they come again with a chunk that holds the round,
    so that no two files are the same bytes. Raises InputError if there are no files.
    """
    if not files:
        raise InputError(f"{str(root)!r} has no MIDI files")
    for number, file in enumerate(islice(cycle(files), count)):
        turn = number // len(files)
        inside = file.relative_to(root)
        path = out / inside.with_name(f"{inside.stem}-{turn}{inside.suffix}" if turn else inside.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            continue
        if turn:
            path.write_bytes(file.read_bytes() + MARK + (4).to_bytes(4, "big") + turn.to_bytes(4, "big"))
        else:
            path.symlink_to(file.resolve())
    return max(0, count - len(files))


def run(words: Sequence[object]) -> tuple[float, float, float]:
    """Run a command of Ritornello: seconds, seconds of processor time, and MiB of its largest process.

    Raises FailedError if it fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "ritornello", *map(str, words)])
    _, status, use = os.wait4(process.pid, 0)
    if status:
        raise FailedError(f"ritornello {words[0]} ended with {os.waitstatus_to_exitcode(status)}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return time.perf_counter() - began, use.ru_utime + use.ru_stime, use.ru_maxrss / unit


@benchmark(
    argument("folder", type=Path, help="MIDI files, in folders of genres"),
    OUT,
    argument("--files", type=int, default=100_000),
    argument("--minutes", type=float, default=20.0, help="of training"),
    argument("--seed", type=int, default=1),
)
def original_scale(options: argparse.Namespace) -> None:
    """Prepare so many files, train the network of 2018 on them, compose a song; print time and memory.

    Where the folder has fewer files, they come again under other names and with a few other bytes. `prepare`
    reads each of them, and finds that they are duplicates, as it does with those of collections from the web;
    so the network learns from each song once.
    """
    files = sorted(midi_files([options.folder]))
    copies = repeat_files(files, options.folder, options.out / "midi", options.files)
    print(f"{options.files:,} files, of which {copies:,} are entries that come again", flush=True)
    corpus, model, song = (options.out / name for name in ("corpus", "model", "song.mid"))
    stages = {
        "prepare": ("prepare", options.out / "midi", "--out", corpus, "--reader", "symusic"),
        "train": ("train", corpus, "--out", model, "--network", "original", "--minutes", options.minutes),
        "compose": ("compose", model, "--seed", options.seed, "-o", song, "--overwrite"),
    }
    lines = []
    for name, words in stages.items():
        seconds, busy, memory = run(words)
        lines.append([name, f"{seconds:,.0f}", f"{busy:,.0f}", f"{memory:,.0f}"])
    print(table(["command", "seconds", "of processor time", "MiB of its largest process"], lines))
