"""Worker: a process of its own that reads files for its supervisor (pool.py) and may die of any of them.

It takes batches of files from its standard input and answers with what became of each, and with the notes
of all of them as columns. Memory is limited where the system can (not on Windows and macOS).
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterable
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ritornello.corpus.checks.check import Checked, Checks, check
from ritornello.corpus.doctor.findings import findings
from ritornello.corpus.duplicates.decide import SKETCH, sketch
from ritornello.corpus.workers.ipc import receive, send
from ritornello.music.score import COLUMNS, Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.system.files import sha256

OUT_OF_MEMORY = 77  # exit code
EVENT_WIDTHS = {"tempi": 2, "meters": 3, "keys": 3, "chords": 3}  # whole numbers of an event


class Job(NamedTuple):
    """A file to read: the path to open, or its bytes out of an archive, or a fate that it has already."""

    path: bytes
    data: bytes | None = None
    fate: str = ""
    reason: str = ""


def pack_jobs(jobs: list[Job]) -> tuple[list[Any], list[bytes]]:
    """Jobs as a message of `wire`."""
    names = [[job.path.decode("latin-1"), job.data is not None, job.fate, job.reason] for job in jobs]
    return names, [job.data for job in jobs if job.data is not None]


def unpack_jobs(names: list[Any], contents: list[bytes]) -> list[Job]:
    """The jobs of a message."""
    data = iter(contents)
    return [
        Job(name.encode("latin-1"), next(data) if has_data else None, fate, reason)
        for name, has_data, fate, reason in names
    ]


def main() -> None:
    """Serve the supervisor at the other end of standard input and output until it is gone."""
    source, answers = sys.stdin.buffer, _private_stdout()
    for name in (signal.SIGINT, signal.SIGTERM):  # to stop is the supervisor's business, it then leaves
        signal.signal(name, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(100_000)  # hardly anything here goes in circles
    try:
        settings, _ = receive(source)
        checks = Checks(**settings["checks"])
        limit_memory(settings["memory_bytes"])
        send(answers, [])  # ready
        while True:
            jobs = unpack_jobs(*receive(source))
            _alarm(2 * settings["deadline_s"] + 60)  # the supervisor may no longer be there to see to it
            send(answers, *examine(jobs, checks, settings["diagnose"]))
            _alarm(0)  # none while it waits
    except EOFError:
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _private_stdout() -> BinaryIO:
    """Standard output for answers alone: what a library prints goes to standard error."""
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb", buffering=1 << 20)


def limit_memory(memory_bytes: int) -> None:
    """Let the process have at most this much memory, where the system knows such a limit."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # Windows has no such module, macOS no such limit
        return


def _alarm(seconds: float) -> None:
    """Die after so many seconds, unless it is called again; 0: never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def examine(
    jobs: list[Job], checks: Checks, diagnose: bool = False
) -> tuple[list[dict[str, Any]], list[Any]]:
    """What became of each job, and the kept songs one after the other: columns, events, sketches.

    A row has "fate", "reason", "hash", "dropped", and for a kept song "notes" and `describe`'s entries.
    For the doctor, `diagnose`, it has `findings`' entries instead, and of the arrays only the sketches.
    """
    rows, scores = [], []
    for job in jobs:
        data, found = _read(job, checks)
        dropped = found.dropped or {}
        row: dict[str, Any] = {"fate": found.fate, "reason": found.reason, "dropped": dropped}
        row |= {"hash": sha256(data) if data is not None else "", "notes": 0}
        if found.score is not None:
            row |= findings(found.score, dropped) if diagnose else describe(found.score)
            scores.append(found.score)
        rows.append(row)
    if diagnose:
        return rows, [b""] * (len(ARRAYS) - 1) + [b"".join(map(sketch, scores))]
    return rows, columns(scores)


def _read(job: Job, checks: Checks) -> tuple[bytes | None, Checked]:
    """The bytes of a job and what they are worth; of a file that is too large the first bytes."""
    data = job.data
    if job.fate:
        return data, Checked(job.fate, job.reason)
    if data is None:
        try:
            with open(os.fsdecode(job.path), "rb", buffering=0) as file:  # noqa: PTH123 (names as bytes)
                small = os.fstat(file.fileno()).st_size <= checks.max_file_bytes
                data = file.readall() if small else file.read(checks.max_file_bytes + 1)
        except (OSError, ValueError) as error:
            return None, Checked("cannot open", getattr(error, "strerror", None) or str(error))
    try:
        return data, check(data, checks)
    except MemoryError:
        raise
    except Exception as error:  # a mistake of ours: it costs this file, and its fate tells us
        return data, Checked("crashed", f"its reader failed: {type(error).__name__}: {error}")


def describe(score: Score) -> dict[str, Any]:
    """All of a Score that is neither a column nor a list of numbers, ready for JSON."""
    return {
        "notes": len(score),
        "ticks_per_beat": score.ticks_per_beat,
        "title": score.title,
        "parts": score.parts,
        "markers": score.markers,
        "events": [len(getattr(score, name)) for name in EVENT_WIDTHS],
    }


def columns(scores: list[Score]) -> list[Any]:
    """The arrays of some songs, joined: the note columns, the events as int32 (N, width), the sketches."""
    arrays: list[Any] = [
        np.concatenate([getattr(score, name) for score in scores] or [np.zeros(0, dtype)])
        for name, dtype in COLUMNS.items()
    ]
    for name in EVENT_WIDTHS:
        events: Iterable[Any] = chain.from_iterable(getattr(score, name) for score in scores)
        if name == "chords":
            events = ((chord.onset_ticks, chord.root, CHORD_KINDS.index(chord.kind)) for chord in events)
        arrays.append(np.fromiter(chain.from_iterable(events), np.int32))
    return [*arrays, b"".join(map(sketch, scores))]


ARRAYS = (*COLUMNS, *EVENT_WIDTHS, "sketches")
ITEM_BYTES = [np.dtype(dtype).itemsize for dtype in COLUMNS.values()]
ITEM_BYTES += [4 * width for width in EVENT_WIDTHS.values()] + [SKETCH.itemsize]

if __name__ == "__main__":
    main()
