"""`prepare` against mido reading and MidiTok tokenising the same files, and against symusic without us.

    python benchmarks/prepare.py FOLDER... [--sample 400] [--workers 2] [--peers PYTHON] [--profile]

1. The whole of the folders through `prepare` with --workers processes: files a second from the first file
   looked at to the finished corpus, memory of the workers and of the supervisor, the second run.
2. A sample of the same files, drawn evenly: the bare reading (symusic to numpy, file by file), mido reading
   and MidiTok (REMI, its defaults) from file to ids, each in as many processes. PYTHON is an interpreter
   that has mido, symusic and miditok, for example of a virtual environment of its own.
3. --profile says where a worker's time goes, on the sample.
Turns are taken, so that a busy neighbour meets all alike; the best turn counts. Nothing is written to the
folders.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ritornello.preparing import prepare
from ritornello.preparing.check import Checks
from ritornello.preparing.worker import Job, examine

TURNS = 3
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
start = time.perf_counter()
for path in paths:
    try:
        work(path)
        done += 1
    except Exception:
        continue
print(json.dumps([len(paths), done, time.perf_counter() - start]))
"""


def peer(python: str, kind: str, paths: list[str], processes: int) -> float:
    """Files a second of a peer in several processes at once; starting them does not count."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number in range(processes):
            part = Path(folder) / f"{number}.json"
            part.write_text(json.dumps(paths[number::processes]))
            command = [python, "-c", PEER, kind, str(part)]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        answers = [json.loads(process.communicate()[0]) for process in running]
    return sum(count for count, _, _ in answers) / max(seconds for _, _, seconds in answers)


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
        start = time.perf_counter()
        report = prepare(root, out, workers=workers)
        seconds = time.perf_counter() - start
        memory.done = True
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        start = time.perf_counter()
        prepare(root, out, workers=workers)
        again = time.perf_counter() - start
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )
    return {
        "files": report.files, "kept": report.kept, "seconds": round(seconds, 1),
        "files_s": round(report.files / seconds), "again_s": round(again, 2), "corpus_mb": size >> 20,
        "worker_mb": round(memory.peak_mb), "supervisor_mb": round(rss_mb), "fates": report.fates,
    }  # fmt: skip


def on_sample(paths: list[Path], workers: int) -> float:
    """Files a second of `prepare` on the sample."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "in"
        root.mkdir()
        for number, path in enumerate(paths):
            (root / f"{number:06d}{path.suffix}").symlink_to(path.resolve())
        start = time.perf_counter()
        prepare(root, Path(scratch) / "corpus", workers=workers)
        return len(paths) / (time.perf_counter() - start)


def profile(paths: list[Path]) -> None:
    """Where a worker's time goes: by function, and by how much of it each step takes with what it calls."""
    jobs = [Job(os.fsencode(path)) for path in paths]
    examine(jobs[:50], Checks())
    profiler = cProfile.Profile()
    start = time.process_time()
    examine(jobs, Checks())
    print(
        f"a file takes a worker {(time.process_time() - start) / len(jobs) * 1e3:.2f} ms without the profiler"
    )
    profiler.runcall(examine, jobs, Checks())
    pstats.Stats(profiler).sort_stats("cumtime").print_stats("ritornello|from_midi", 45)


def main() -> None:
    """Measure and print; `--json` for a machine to read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--peers", help="an interpreter that has mido, symusic and miditok")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    everything = sorted(path for folder in options.folders for path in folder.rglob("*.mid"))
    sample = random.Random(0).sample(everything, min(options.sample, len(everything)))
    if options.profile:
        profile(sample)
        return
    workers, names = options.workers, [str(path) for path in sample]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {workers} workers"
    )
    turns: dict[str, Callable[[], float]] = {"prepare": lambda: on_sample(sample, workers)}
    if options.peers:
        turns["bare symusic to numpy"] = lambda: peer(options.peers, "bare", names, workers)
        turns["mido"] = lambda: peer(options.peers, "mido", names, workers)
        turns["MidiTok REMI"] = lambda: peer(options.peers, "miditok", names, workers)
    best = dict.fromkeys(turns, 0.0)
    for turn in range(TURNS):
        for name, run in turns.items():
            if turn == 0 or name in ("prepare", "bare symusic to numpy"):  # the peers take minutes
                best[name] = max(best[name], run())
    found = whole(options.folders, workers)
    print(f"\nwhole: {json.dumps(found)}\n")
    print(f"{'on the sample of ' + str(len(sample)):30} files/s   prepare, whole, is times as fast")
    for name, rate in best.items():
        print(f"{name:30} {rate:8.1f}   {found['files_s'] / rate:8.2f}")


if __name__ == "__main__":
    main()
