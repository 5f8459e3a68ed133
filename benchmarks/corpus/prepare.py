"""`prepare` compared with mido reading and MidiTok tokenizing the same files, and with symusic alone."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.corpus.workers import print_least_work, print_steps
from benchmarks.shared import (
    FOLDERS,
    argument,
    benchmark,
    busy_s,
    draw_files,
    exponent,
    folder_bytes,
    midi_files,
    peak_memory_mb,
)
from ritornello.corpus.prepare import prepare as build_corpus

TURNS = 3
GROWTH_FILES = (2000, 8000, 20_000)
SLOW_PEERS = ("mido", "MidiTok REMI")  # they take minutes, so they have one turn
PEER = """
import sys, time, json
kind, *lists = sys.argv[1:]
paths = json.load(open(lists[0]))
if kind == "symusic":
    import symusic
    def work(path):
        for track in symusic.Score.from_midi(open(path, "rb").read()).tracks:
            track.notes.numpy()
elif kind == "mido":
    import mido
    def work(path):
        mido.MidiFile(path)
else:
    import miditok, symusic, warnings
    warnings.simplefilter("ignore")
    tokenizer = miditok.REMI()
    def work(path):
        tokenizer.encode(symusic.Score(path))
start, busy = time.perf_counter(), time.process_time()
for path in paths:
    try:
        work(path)
    except Exception:
        continue
print(json.dumps([len(paths), time.perf_counter() - start, time.process_time() - busy]))
"""


class Speed(NamedTuple):
    """Files per second, and milliseconds of processor time per file."""

    files_s: float
    busy_ms: float


def best(speeds: list[Speed]) -> Speed:
    """The best figures of several turns."""
    return Speed(max(speed.files_s for speed in speeds), min(speed.busy_ms for speed in speeds))


def measure_peer(python: str, kind: str, paths: list[Path], processes: int) -> Speed:
    """The speed of another tool in several processes at once; their start does not count."""
    names = [str(path) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number in range(processes):
            part = Path(folder) / f"{number}.json"
            part.write_text(json.dumps(names[number::processes]))
            command = [python, "-c", PEER, kind, str(part)]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        answers = [json.loads(process.communicate()[0]) for process in running]
    counts, seconds, busy = zip(*answers, strict=True)
    return Speed(sum(counts) / max(seconds), 1e3 * sum(busy) / sum(counts))


def measure_prepare(paths: list[Path], workers: int) -> Speed:
    """The speed of `prepare` on some files, from the folder to the finished corpus."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "in"
        root.mkdir()
        for number, path in enumerate(paths):
            (root / f"{number:06d}{path.suffix}").symlink_to(path.resolve())
        start, busy = time.perf_counter(), busy_s()
        build_corpus(root, Path(scratch) / "corpus", workers=workers)
        return Speed(len(paths) / (time.perf_counter() - start), 1e3 * (busy_s() - busy) / len(paths))


class ChildMemory(threading.Thread):
    """The largest memory that a single child of this process takes, in MiB (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb, self.done = 0.0, False

    def run(self) -> None:
        """Read the memory of all children twenty times a second."""
        while not self.done:
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
                except OSError:
                    continue
                if int(fields["PPid"]) == os.getpid() and "VmHWM" in fields:
                    self.peak_mb = max(self.peak_mb, int(fields["VmHWM"].split()[0]) / 1024)
            time.sleep(0.05)


def measure_whole(folders: list[Path], workers: int) -> dict[str, Any]:
    """Time and memory of `prepare` on all files of the folders, and of a second run over them."""
    with tempfile.TemporaryDirectory() as scratch:
        root, out = Path(scratch) / "in", Path(scratch) / "corpus"
        root.mkdir()
        for number, folder in enumerate(folders):
            (root / f"{number}-{folder.name}").symlink_to(folder.resolve())
        memory = ChildMemory()
        memory.start()
        start, busy = time.perf_counter(), busy_s()
        report = build_corpus(root, out, workers=workers)
        seconds, busy = time.perf_counter() - start, busy_s() - busy
        memory.done = True
        size = folder_bytes(out)
        start = time.perf_counter()
        build_corpus(root, out, workers=workers)
        again = time.perf_counter() - start
    return {
        "files": report.files,
        "kept": report.kept,
        "seconds": round(seconds, 1),
        "files_s": round(report.files / seconds),
        "busy_ms": round(1e3 * busy / report.files, 3),
        "second_run_s": round(again, 2),
        "corpus_mb": size >> 20,
        "worker_mb": round(memory.peak_mb),
        "supervisor_mb": round(peak_memory_mb()),
        "outcomes": report.outcomes,
    }


def print_growth(paths: list[Path], workers: int) -> None:
    """Print the speed on the first 2,000, 8,000 and 20,000 of `paths`, and the exponents."""
    points: list[tuple[int, Speed]] = []
    for _ in range(TURNS):
        points += [(n, measure_prepare(paths[:n], workers)) for n in GROWTH_FILES if n <= len(paths)]
    if not points:
        raise SystemExit(f"prepare: --growth needs {GROWTH_FILES[0]:,} files, there are {len(paths):,}")
    print("   files  files/s  busy ms/file   of MB")
    for n in sorted({n for n, _ in points}):
        fastest = best([speed for size, speed in points if size == n])
        size_mb = sum(path.stat().st_size for path in paths[:n]) / 1e6
        print(f"{n:8}{fastest.files_s:9.0f}{fastest.busy_ms:14.3f}{size_mb:8.0f}")
    if len(points) > TURNS:
        sizes = [n for n, _ in points]
        print("seconds: " + exponent(sizes, [n / speed.files_s for n, speed in points]))
        print("busy:    " + exponent(sizes, [n * speed.busy_ms for n, speed in points]))


def print_comparison(sample: list[Path], options: argparse.Namespace) -> None:
    """Print the speed of `prepare` and of the peers on the same files."""
    workers, peers = options.workers, options.peers
    runs: dict[str, Callable[[], Speed]] = {"prepare": lambda: measure_prepare(sample, workers)}
    if peers:
        runs["symusic to numpy"] = lambda: measure_peer(peers, "symusic", sample, workers)
        runs["mido"] = lambda: measure_peer(peers, "mido", sample, workers)
        runs["MidiTok REMI"] = lambda: measure_peer(peers, "miditok", sample, workers)
    turns: dict[str, list[Speed]] = {name: [] for name in runs}
    for turn in range(TURNS):
        for name, run in runs.items():
            if turn and name in SLOW_PEERS:
                continue
            turns[name].append(run())
            speed = turns[name][-1]
            print(f"turn {turn + 1}, {name}: {speed.files_s:.1f} files/s, {speed.busy_ms:.3f} ms", flush=True)
    ours, head = best(turns["prepare"]), f"the same {len(sample)} files"
    print(f"\n{head:26} files/s  busy ms/file   prepare is ... times as fast, ... times less busy")
    for name, speeds in turns.items():
        files_s, busy_ms = best(speeds)
        times = f"{ours.files_s / files_s:8.2f}   {busy_ms / ours.busy_ms:8.2f}"
        print(f"{name:26}{files_s:8.1f}      {busy_ms:8.3f}   {times}")


@benchmark(
    FOLDERS,
    argument("--sample", type=int, default=2000, help="files that all tools read (default: %(default)s)"),
    argument("--workers", type=int, default=2, help="processes of each tool (default: %(default)s)"),
    argument("--peers", metavar="PYTHON", help="an interpreter that has mido, symusic and miditok"),
    argument(
        "--growth", action="store_true", help="measure samples of 2,000, 8,000 and 20,000 files instead"
    ),
    argument("--profile", action="store_true", help="measure the steps of a worker on the sample instead"),
)
def prepare(options: argparse.Namespace) -> None:
    """Measure time and memory of `prepare`.

    By default a sample of the files, the same for all tools, goes through `prepare` (from the folder to the
    finished corpus), and with --peers through symusic (to numpy), mido (reading) and MidiTok (REMI with its
    defaults, to ids). The start of the processes counts for `prepare` alone. Then all files of the folders go
    through `prepare`: memory of the workers and of the supervisor, and the time of a second run.
    --growth prints the exponents of time in the number of files. --profile prints the time of each step of a
    worker, and the time of the least work possible.

    Tools take turns, and the best turn counts. *Busy* is processor time of all processes together, which
    says more than wall-clock time where other work shares the machine. Nothing is written to the folders.
    """
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", end=", ")
    print(f"{options.workers} workers")
    if options.growth:
        everything = midi_files(options.folders)
        print_growth(random.Random(0).sample(everything, len(everything)), options.workers)
        return
    sample = draw_files(options.folders, options.sample, seed=0)
    if options.profile:
        print_least_work(sample)  # first, so that everything is imported and warm
        print_steps(sample)
        return
    print_comparison(sample, options)
    print(f"\nall files: {json.dumps(measure_whole(options.folders, options.workers))}")
