"""`prepare` against mido reading and MidiTok tokenising the same files, and against symusic without us.

    python benchmarks/prepare.py FOLDER... [--sample 2000] [--workers 2] [--peers PYTHON]
    python benchmarks/prepare.py FOLDER... --growth
    python benchmarks/prepare.py FOLDER... --profile

1. A sample of the files, drawn evenly, the same one for all: `prepare` from the folder to the finished
   corpus, the bare reading (symusic to numpy, file by file), mido reading, and MidiTok (REMI, its defaults)
   from file to ids, each in --workers processes. PYTHON is an interpreter that has mido, symusic and
   miditok, for example of a virtual environment of its own. Starting counts for `prepare` alone.
2. The whole of the folders through `prepare`: memory of the workers and of the supervisor, the second run.
3. --growth: nested samples of 2,000, 8,000 and 20,000 files, and the exponents in the number of files.
4. --profile says what a worker takes beside the least that one can do, and where it goes, on the sample.
Turns are taken, so that a busy neighbour meets all alike; the best turn counts. Beside the files a second
there is the time that processors were busy with a file, all processes added up: it says more where the
machine is shared. Nothing is written to the folders.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import symusic
from symusic import factory

from duplicates import exponent
from ritornello.corpus.checks import check
from ritornello.corpus.prepare import build_corpus
from ritornello.corpus.workers import worker
from ritornello.corpus.workers.worker import Job
from ritornello.midi import reading as midi_reading
from ritornello.midi import symusic_reader
from ritornello.music import score

TURNS = 3
BATCH = 32  # files
SIZES = (2000, 8000, 20_000)
PEER = """
import sys, time, json
kind, *lists = sys.argv[1:]
paths = json.load(open(lists[0]))
if kind == "bare":
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
done = 0
start, busy = time.perf_counter(), time.process_time()
for path in paths:
    try:
        work(path)
        done += 1
    except Exception:
        continue
print(json.dumps([len(paths), done, time.perf_counter() - start, time.process_time() - busy]))
"""


class Speed(NamedTuple):
    """Files a second, and milliseconds of processor time a file."""

    files_s: float
    busy_ms: float


def peer(python: str, kind: str, paths: list[str], processes: int) -> Speed:
    """The speed of a peer in several processes at once; starting them does not count."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number in range(processes):
            part = Path(folder) / f"{number}.json"
            part.write_text(json.dumps(paths[number::processes]))
            command = [python, "-c", PEER, kind, str(part)]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        answers = [json.loads(process.communicate()[0]) for process in running]
    counts, _, seconds, busy = zip(*answers, strict=True)
    return Speed(sum(counts) / max(seconds), 1e3 * sum(busy) / sum(counts))


def busy_s() -> float:
    """Seconds that processors were busy with this process and its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


class Memory(threading.Thread):
    """The most memory that the children of this process take, each by itself, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb, self.done = 0.0, False

    def run(self) -> None:
        """Look twenty times a second, where the system tells (Linux)."""
        while not self.done:
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
                except OSError:
                    continue
                if int(fields["PPid"]) == os.getpid() and "VmHWM" in fields:
                    self.peak_mb = max(self.peak_mb, int(fields["VmHWM"].split()[0]) / 1024)
            time.sleep(0.05)


def whole(folders: list[Path], workers: int) -> dict[str, Any]:
    """`prepare` on a folder of links to all the folders."""
    with tempfile.TemporaryDirectory() as scratch:
        root, out = Path(scratch) / "in", Path(scratch) / "corpus"
        root.mkdir()
        for number, folder in enumerate(folders):
            (root / f"{number}-{folder.name}").symlink_to(folder.resolve())
        memory = Memory()
        memory.start()
        start, busy = time.perf_counter(), busy_s()
        report = build_corpus(root, out, workers=workers)
        seconds, busy = time.perf_counter() - start, busy_s() - busy
        memory.done = True
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        start = time.perf_counter()
        build_corpus(root, out, workers=workers)
        again = time.perf_counter() - start
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )
    return {
        "files": report.files,
        "kept": report.kept,
        "seconds": round(seconds, 1),
        "files_s": round(report.files / seconds),
        "busy_ms": round(1e3 * busy / report.files, 3),
        "again_s": round(again, 2),
        "corpus_mb": size >> 20,
        "worker_mb": round(memory.peak_mb),
        "supervisor_mb": round(rss_mb),
        "fates": report.fates,
    }


def on_sample(paths: list[Path], workers: int) -> Speed:
    """The speed of `prepare` on some files."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "in"
        root.mkdir()
        for number, path in enumerate(paths):
            (root / f"{number:06d}{path.suffix}").symlink_to(path.resolve())
        start, busy = time.perf_counter(), busy_s()
        build_corpus(root, Path(scratch) / "corpus", workers=workers)
        return Speed(len(paths) / (time.perf_counter() - start), 1e3 * (busy_s() - busy) / len(paths))


def growth(paths: list[Path], workers: int) -> None:
    """A table of the speed by the number of files, the first so many of `paths`, and the exponents."""
    points: list[tuple[int, Speed]] = []
    for _ in range(TURNS):
        points += [(n, on_sample(paths[:n], workers)) for n in SIZES if n <= len(paths)]
    print("   files  files/s  busy ms/file   of MB")
    for n in sorted({n for n, _ in points}):
        turns = [speed for size, speed in points if size == n]
        best = Speed(max(s.files_s for s in turns), min(s.busy_ms for s in turns))
        size_mb = sum(path.stat().st_size for path in paths[:n]) / 1e6
        print(f"{n:8}{best.files_s:9.0f}{best.busy_ms:14.3f}{size_mb:8.0f}")
    sizes = [n for n, _ in points]
    print("seconds: " + exponent(sizes, [n / speed.files_s for n, speed in points]))
    print("busy:    " + exponent(sizes, [n * speed.busy_ms for n, speed in points]))


STEPS = {
    "symusic: from bytes to its objects": (factory.ScoreFactory, "from_midi"),
    "hash of the content": (worker, "sha256"),
    "tracks cut apart": (check, "split"),
    "bytes looked at": (check, "glance"),
    "all tracks through symusic, to numpy": (midi_reading, "read_whole"),
    "strange tracks tidied": (symusic_reader, "tidied"),
    "track by track, where something misleads": (midi_reading, "_read_tracks"),
    "pedal, sort, overlaps, checks: the Score": (midi_reading, "_assemble"),
    "sort, overlaps": (score, "cut"),
    "chord annotations": (check, "take_annotation"),
    "fate by the music": (check, "music"),
    "columns side by side, and sketch": (worker, "columns"),
    "sketch": (worker, "sketch"),
}


def bare(paths: list[Path], sort: bool) -> None:
    """Files through symusic to numpy, with `sort` their notes put in one order: the least that one can do."""
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


def floor(paths: list[Path]) -> None:
    """What a worker takes beside the least that one can do: batch by batch, the best of turns counts."""
    ways: dict[str, Callable[[list[Path]], Any]] = {
        "a worker": lambda batch: worker.examine([Job(os.fsencode(path)) for path in batch], check.Checks()),
        "bare: symusic to numpy": lambda batch: bare(batch, False),
        "bare, and the notes sorted once": lambda batch: bare(batch, True),
    }
    total = dict.fromkeys(ways, 0.0)
    for place in range(0, len(paths), BATCH):
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(TURNS):
            for name, way in ways.items():
                start = time.process_time()
                way(paths[place : place + BATCH])
                best[name] = min(best[name], time.process_time() - start)
        for name, seconds in best.items():
            total[name] += seconds
    for name, seconds in total.items():
        print(f"{name:42} {1e3 * seconds / len(paths):7.3f} ms a file   {seconds / total['a worker']:6.1%}")


def profile(paths: list[Path]) -> None:
    """Where a worker's time goes, by step; a step in another counts in both."""
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
    jobs = [Job(os.fsencode(path)) for path in paths]
    start = time.process_time()
    for place in range(0, len(jobs), BATCH):
        worker.examine(jobs[place : place + BATCH], check.Checks())
    whole_s = time.process_time() - start
    for name, seconds in {"all, with the clock": whole_s, **spent}.items():
        print(f"{name:42} {1e3 * seconds / len(jobs):7.3f} ms a file   {seconds / whole_s:6.1%}")


def main() -> None:
    """Measure and print; `--json` for a machine to read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--peers", help="an interpreter that has mido, symusic and miditok")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    everything = sorted(path for folder in options.folders for path in folder.rglob("*.mid"))
    sample = random.Random(0).sample(everything, min(options.sample, len(everything)))
    workers, names = options.workers, [str(path) for path in sample]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {workers} workers"
    )
    if options.profile:
        floor(sample)  # which warms up too
        profile(sample)
        return
    if options.growth:
        growth(random.Random(0).sample(everything, len(everything)), workers)
        return
    turns: dict[str, Callable[[], Speed]] = {"prepare": lambda: on_sample(sample, workers)}
    if options.peers:
        turns["bare symusic to numpy"] = lambda: peer(options.peers, "bare", names, workers)
        turns["mido"] = lambda: peer(options.peers, "mido", names, workers)
        turns["MidiTok REMI"] = lambda: peer(options.peers, "miditok", names, workers)
    best = {name: Speed(0.0, float("inf")) for name in turns}
    for turn in range(TURNS):
        for name, run in turns.items():
            if turn and name not in ("prepare", "bare symusic to numpy"):  # the others take minutes
                continue
            found = run()
            rates = max(best[name].files_s, found.files_s), min(best[name].busy_ms, found.busy_ms)
            best[name] = Speed(*rates)
            print(f"turn {turn + 1}, {name}: {found.files_s:.1f} files/s, {found.busy_ms:.3f} ms", flush=True)
    ours = best["prepare"]
    head = f"on the same {len(sample)}"
    print(f"\n{head:26} files/s  busy ms/file   prepare is times as fast, times less busy")
    for name, (files_s, busy_ms) in best.items():
        times = f"{ours.files_s / files_s:8.2f}   {busy_ms / ours.busy_ms:8.2f}"
        print(f"{name:26}{files_s:8.1f}      {busy_ms:8.3f}   {times}")
    print(f"\nwhole: {json.dumps(whole(options.folders, workers))}")


if __name__ == "__main__":
    main()
