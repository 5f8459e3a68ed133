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
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import symusic
from symusic import factory

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
    time_in_turns,
)
from ritornello.corpus.checks import check
from ritornello.corpus.prepare import prepare as build_corpus
from ritornello.corpus.workers import worker
from ritornello.corpus.workers.worker import ReadJob
from ritornello.midi import reading as midi_reading
from ritornello.midi import symusic_reader
from ritornello.music import score

TURNS = 3
BATCH_FILES = 32
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
    print("   files  files/s  busy ms/file   of MB")
    for n in sorted({n for n, _ in points}):
        fastest = best([speed for size, speed in points if size == n])
        size_mb = sum(path.stat().st_size for path in paths[:n]) / 1e6
        print(f"{n:8}{fastest.files_s:9.0f}{fastest.busy_ms:14.3f}{size_mb:8.0f}")
    if len(points) > TURNS:
        sizes = [n for n, _ in points]
        print("seconds: " + exponent(sizes, [n / speed.files_s for n, speed in points]))
        print("busy:    " + exponent(sizes, [n * speed.busy_ms for n, speed in points]))


STEPS: dict[str, tuple[Any, str]] = {  # functions of a worker whose time is counted: module, name
    "symusic, from bytes to its objects": (factory.ScoreFactory, "from_midi"),
    "SHA-256 of the content": (worker, "sha256"),
    "split into tracks": (check, "split_file"),
    "scan of the bytes": (check, "scan_tracks"),
    "all tracks by symusic, to numpy": (midi_reading, "read_symusic_file"),
    "unusual tracks repaired": (symusic_reader, "without_unused_events"),
    "track by track, where the bytes mislead": (midi_reading, "_read_tracks"),
    "pedal, sorting, overlaps, checks: Score": (midi_reading, "_assemble"),
    "sorting, overlaps": (score, "cut_columns"),
    "chord annotations": (check, "take_annotation"),
    "outcome by the music": (check, "_check_score"),
    "columns, and sketch": (worker, "_song_arrays"),
    "sketch": (worker, "sketch"),
}


def read_only(paths: list[Path], sort: bool) -> None:
    """Read files by symusic to numpy, and with `sort` sort their notes: the least work possible."""
    for path in paths:
        try:
            song: Any = symusic.Score.from_midi(path.read_bytes())
            tracks = [track.notes.numpy() for track in song.tracks]
        except Exception:  # symusic raises plain RuntimeError and ValueError from C++
            continue
        if sort and tracks:
            names = ("time", "pitch", "duration", "velocity")
            columns = [np.concatenate([track[name] for track in tracks]) for name in names]
            part = np.repeat(np.arange(len(tracks)), [len(track["time"]) for track in tracks])
            key = (columns[0].astype(np.int64) << 15) + (part << 7) + columns[1]
            order = np.argsort(key, kind="stable")
            for column in (*columns, part):
                column.take(order)


def read_as_worker(paths: list[Path]) -> None:
    """What a worker does with a batch of files."""
    worker.read_batch([ReadJob(os.fsencode(path)) for path in paths], check.CheckSettings())


def batches(paths: list[Path]) -> list[list[Path]]:
    """The files, BATCH_FILES at a time."""
    return [paths[place : place + BATCH_FILES] for place in range(0, len(paths), BATCH_FILES)]


def print_least_work(paths: list[Path]) -> None:
    """Print the time of a worker and of the least work possible: of each batch the best turn counts."""
    total: dict[str, float] = {}
    for batch in batches(paths):
        ways = {
            "a worker": partial(read_as_worker, batch),
            "symusic to numpy": partial(read_only, batch, False),
            "symusic to numpy, sorted once": partial(read_only, batch, True),
        }
        for name, seconds in time_in_turns(ways, TURNS).items():
            total[name] = total.get(name, 0.0) + min(seconds)
    for name, spent in total.items():
        print(f"{name:42} {1e3 * spent / len(paths):7.3f} ms/file   {spent / total['a worker']:6.1%}")


def print_steps(paths: list[Path]) -> None:
    """Print the time of each step of a worker; a step inside another one counts in both."""
    spent = dict.fromkeys(STEPS, 0.0)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **options)
            finally:
                spent[name] += time.process_time() - start

        return run

    for name, (module, attribute) in STEPS.items():
        setattr(module, attribute, timed(name, getattr(module, attribute)))
    start = time.process_time()
    for batch in batches(paths):
        read_as_worker(batch)
    whole_s = time.process_time() - start
    for name, seconds in {"all, with these clocks": whole_s, **spent}.items():
        print(f"{name:42} {1e3 * seconds / len(paths):7.3f} ms/file   {seconds / whole_s:6.1%}")


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
