"""The workers of `prepare`: damaged files, the time of their steps, and the engine Dask."""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from symusic import factory

from benchmarks.shared import (
    FOLDER,
    FOLDERS,
    argument,
    benchmark,
    folder_bytes,
    midi_files,
    peak_memory_mb,
    time_in_turns,
)
from ritornello.corpus.checks import check
from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.prepare import prepare as build_corpus
from ritornello.corpus.workers import worker
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.workers.worker import ReadJob
from ritornello.errors import MidiError
from ritornello.midi import parse, symusic_reader
from ritornello.midi import reading as midi_reading
from ritornello.music import score
from ritornello.music.score import Score

LOST = ("crashed", "timed out", "out of memory")
BATCH_FILES = 32
TURNS = 3


# Damaged files


def mutate(files: list[Path], seed: int, number: int) -> bytes:
    """The bytes of one of the files with random damage; always the same for a seed and a number."""
    draw = random.Random(f"{seed} {number}")
    data = bytearray(draw.choice(files).read_bytes())
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(data) + 1)
        length = draw.choice((1, 1, 2, 4, 64))
        kind = draw.choice((0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 4, 2, 3, 5))
        if kind == 0:  # flip a bit
            data[at : at + 1] = bytes(byte ^ 1 << draw.randrange(8) for byte in data[at : at + 1])
        elif kind == 1:  # overwrite with random bytes
            data[at : at + length] = draw.randbytes(length)
        elif kind == 2:  # insert random bytes
            data[at:at] = draw.randbytes(length)
        elif kind == 3:  # delete
            del data[at : at + length]
        elif kind == 4:  # overwrite with extreme values
            data[at : at + length] = draw.choice((b"\xff", b"\x00", b"\x80", b"\x7f")) * length
        elif draw.random() < 0.2:  # truncate
            del data[at:]
        else:  # duplicate
            data[at:at] = data[at : at + 16 * length]
    return bytes(data)


def mutations(files: list[Path], seed: int, count: int) -> Iterator[list[ReadJob]]:
    """All mutations of a run, BATCH_FILES at a time."""
    for start in range(0, count, BATCH_FILES):
        numbers = range(start, min(start + BATCH_FILES, count))
        yield [ReadJob(b"%d" % number, mutate(files, seed, number)) for number in numbers]


def compare_readers(files: list[Path], seed: int, count: int) -> Counter[str]:
    """On how many mutations the readers symusic and mido agree, note for note, and how they differ."""
    found: Counter[str] = Counter()
    for number in range(count):
        data = mutate(files, seed, number)
        scores: list[Score | None] = []
        for reader in ("symusic", "mido"):
            try:
                scores.append(parse(data, reader=reader).score)  # type: ignore[arg-type]
            except MidiError:
                scores.append(None)
        fast, reference = scores
        if fast is None or reference is None:
            alone = "neither reads it" if fast is reference else "only symusic" if fast else "only mido"
            found[alone] += 1
        elif fast == reference:
            found["they agree"] += 1
        else:
            found["they differ"] += 1
            print(f"  the readers differ: seed {seed}, mutation {number}")
    return found


@benchmark(
    FOLDERS,
    argument("--mutations", type=int, default=20_000, help="how many (default: %(default)s)"),
    argument("--seed", type=int, default=1),
    argument("--workers", type=int, default=2),
    argument("--readers", type=int, default=300, help="mutations that symusic and mido both read"),
)
def robust(options: argparse.Namespace) -> None:
    """Damage real files at random, let the workers of `prepare` examine them, and count the outcomes.

    No mutation may crash a worker, hang or exhaust its memory. Each mutation follows from the seed and its
    number, so that any of them can be made again. Some are also read by both MIDI readers, whose notes are
    compared.
    """
    files, seed = midi_files(options.folders), options.seed
    outcomes: Counter[str] = Counter()
    start, number = time.perf_counter(), 0
    with Pool(options.workers, CheckSettings()) as pool:
        for result in pool.run(mutations(files, seed, options.mutations)):
            for row in result.rows:
                outcomes[row["fate"]] += 1
                if row["fate"] in LOST:
                    print(f"  {row['fate']}: seed {seed}, mutation {number}: {row['reason']}")
                number += 1
    seconds = time.perf_counter() - start
    print(f"seed {seed}: {number} mutations of {len(files)} files in {seconds:.0f} s: {dict(outcomes)}")
    print(f"crashed, hung or out of memory: {sum(outcomes[outcome] for outcome in LOST)}")
    print(f"both readers, {options.readers}: {dict(compare_readers(files, seed, options.readers))}")


# The time of a worker (`prepare --profile`)

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
    worker.read_batch([ReadJob(os.fsencode(path)) for path in paths], CheckSettings())


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


# Dask


def start_dask(folder: Path, threads: int) -> tuple[str, list[subprocess.Popen[bytes]]]:
    """Start a Dask scheduler and a worker on free ports; returns the scheduler's address and both."""
    file, null = folder / "scheduler.json", subprocess.DEVNULL
    dask = [sys.executable, "-m", "dask"]
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    one_worker = [*dask, "worker", "--nthreads", str(threads), "--local-directory", str(folder), *common]
    running = [subprocess.Popen(scheduler, stdout=null, stderr=null)]
    while not file.exists() or not file.read_text().strip():
        time.sleep(0.1)
    running.append(subprocess.Popen(one_worker, stdout=null, stderr=null))
    return json.loads(file.read_text())["address"], running


def prepare_once(folder: Path, out: Path, **engine: Any) -> dict[str, float]:
    """One run: files, seconds until the last file is read and from there to the end, processor seconds."""
    last = began = time.perf_counter()
    busy = time.process_time()

    def progress(done: int, total: int, text: str) -> None:
        nonlocal last
        if text == "reading":
            last = time.perf_counter()

    report = build_corpus(folder, out, progress=progress, **engine)
    busy, end = time.process_time() - busy, time.perf_counter()
    return {"files": report.files, "reading_s": last - began, "duplicates_s": end - last, "busy_s": busy}


def same_files(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = [{str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} for out in (one, other)]
    return names[0] == names[1] and not any(filecmp.cmpfiles(one, other, names[0], shallow=False)[1:])


@benchmark(
    FOLDER,
    argument("--workers", type=int, default=2, help="processes of the pool, and threads of the Dask worker"),
    argument("--turns", type=int, default=3),
)
def cluster(options: argparse.Namespace) -> None:
    """Prepare the same files with the process pool and with Dask, and compare time and corpora.

    A scheduler and one Dask worker run on this machine. The engines take turns, and the best turn of each
    counts. The two corpora must be equal byte for byte. *reading* ends with the last file, *duplicates* with
    the finished corpus; processor seconds are those of this process alone, which a cluster cannot share out.
    """
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        address, running = start_dask(Path(scratch), options.workers)
        engines: dict[str, dict[str, Any]] = {
            "pool": {"workers": options.workers},
            "dask": {"engine": "dask", "scheduler": address},
        }
        try:
            for turn in range(options.turns):
                outs = [Path(scratch) / f"{name}{turn}" for name in engines]
                for (name, engine), out in zip(engines.items(), outs, strict=True):
                    found = prepare_once(options.folder, out, **engine)
                    print(name, {key: round(value, 2) for key, value in found.items()}, flush=True)
                    if name not in best or found["reading_s"] < best[name]["reading_s"]:
                        best[name] = found
                if not same_files(*outs):
                    sys.exit("the corpora of pool and Dask differ")
            size = folder_bytes(outs[0])
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()
    files, ratio = best["pool"]["files"], best["dask"]["reading_s"] / best["pool"]["reading_s"]
    print(f"{os.cpu_count()} cores, {options.workers} readers, {files:,.0f} files, equal corpora")
    for name, found in best.items():
        print(f"{name}: {files / found['reading_s']:,.0f} files/s, this process {found['busy_s']:.1f} s")
    print(f"Dask takes {ratio:.2f} times as long; {size / files:,.0f} bytes of corpus per file;", end=" ")
    print(f"peak memory {peak_memory_mb():.0f} MB")
