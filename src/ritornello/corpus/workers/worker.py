"""A worker process: it reads files for its supervisor (pool.py), and any of the files may crash it.

It receives batches of jobs on its standard input, and answers each with a row per file and the notes of the
kept songs as arrays. Its memory is limited where the system can do so (not on Windows and macOS).
"""

import gc
import os
import signal
import sys
from collections.abc import Iterable
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ritornello.corpus.checks.check import CheckedFile, CheckSettings, check
from ritornello.corpus.doctor.song_facts import song_facts
from ritornello.corpus.duplicates.sketch import SKETCH, sketch
from ritornello.music.score import COLUMNS, Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.system.files import sha256
from ritornello.system.ipc import receive, send

OUT_OF_MEMORY = 77  # exit code of a worker
EVENT_WIDTHS = {"tempi": 2, "meters": 3, "keys": 3, "chords": 3}  # numbers per event
ARRAYS = (*COLUMNS, *EVENT_WIDTHS, "sketches")  # the arrays of a batch, in this order
ITEM_BYTES = [np.dtype(dtype).itemsize for dtype in COLUMNS.values()]  # of an item of each of ARRAYS
ITEM_BYTES += [4 * width for width in EVENT_WIDTHS.values()] + [SKETCH.itemsize]


class ReadJob(NamedTuple):
    """A file to read: its path, and if they are known its bytes (from an archive) or its outcome."""

    path: bytes
    data: bytes | None = None
    outcome: str = ""
    reason: str = ""


def pack_jobs(jobs: list[ReadJob]) -> tuple[list[Any], list[bytes]]:
    """Jobs as the value and the arrays of a message (ipc.py)."""
    names = [[job.path.decode("latin-1"), job.data is not None, job.outcome, job.reason] for job in jobs]
    return names, [job.data for job in jobs if job.data is not None]


def unpack_jobs(names: list[Any], contents: list[bytes]) -> list[ReadJob]:
    """The jobs of a message that `pack_jobs` made."""
    data = iter(contents)
    return [
        ReadJob(name.encode("latin-1"), next(data) if has_data else None, outcome, reason)
        for name, has_data, outcome, reason in names
    ]


def main() -> None:
    """Answer the jobs on standard input until it is closed."""
    source, answers = sys.stdin.buffer, _private_stdout()
    for name in (signal.SIGINT, signal.SIGTERM):  # the supervisor decides when to stop, and closes the input
        signal.signal(name, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(100_000)  # hardly anything here forms reference cycles
    try:
        settings, _ = receive(source)
        checks = CheckSettings(**settings["checks"])
        limit_memory(settings["memory_bytes"])
        send(answers, [])  # ready
        while True:
            jobs = unpack_jobs(*receive(source))
            _set_alarm(2 * settings["deadline_s"] + 60)  # ends this process if the supervisor is gone
            send(answers, *read_batch(jobs, checks, settings["diagnose"]))
            _set_alarm(0)
    except EOFError:
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _private_stdout() -> BinaryIO:
    """Return a copy of standard output, then redirect standard output to standard error.

    So text that a library prints cannot damage the answers.
    """
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb", buffering=1 << 20)


def limit_memory(memory_bytes: int) -> None:
    """Limit the memory of this process, if the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # Windows has no such module, macOS no such limit
        return


def _set_alarm(seconds: float) -> None:
    """End this process after `seconds`, unless called again; 0 cancels the alarm."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def read_batch(
    jobs: list[ReadJob], checks: CheckSettings, diagnose: bool = False
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Read and check each job; return a row per job, and the joined ARRAYS of all kept songs.

    A row has "fate" (its outcome), "reason", "hash", "dropped" and "notes", and for a kept song the values of
    `_song_row`. With `diagnose`, for the doctor, a kept song has the values of `song_facts` instead, and of
    the arrays only the sketches are filled.
    """
    rows, scores = [], []
    for job in jobs:
        data, checked = _read(job, checks)
        dropped = checked.dropped or {}
        row: dict[str, Any] = {"fate": checked.outcome, "reason": checked.reason, "dropped": dropped}
        row |= {"hash": sha256(data) if data is not None else "", "notes": 0}
        if checked.score is not None:
            row |= song_facts(checked.score, dropped) if diagnose else _song_row(checked.score)
            scores.append(checked.score)
        rows.append(row)
    if diagnose:
        return rows, [b""] * (len(ARRAYS) - 1) + [b"".join(map(sketch, scores))]
    return rows, _song_arrays(scores)


def _read(job: ReadJob, checks: CheckSettings) -> tuple[bytes | None, CheckedFile]:
    """The bytes of a job, of a too large file only the first ones, and the result of the check."""
    data = job.data
    if job.outcome:
        return data, CheckedFile(job.outcome, job.reason)
    if data is None:
        try:
            with open(os.fsdecode(job.path), "rb", buffering=0) as file:  # noqa: PTH123 (names as bytes)
                small = os.fstat(file.fileno()).st_size <= checks.max_file_bytes
                data = file.readall() if small else file.read(checks.max_file_bytes + 1)
        except (OSError, ValueError) as error:
            return None, CheckedFile("cannot open", getattr(error, "strerror", None) or str(error))
    try:
        return data, check(data, checks, job.path.decode("latin-1"))
    except MemoryError:
        raise
    except Exception as error:  # a bug in a reader or a check must cost only this file
        return data, CheckedFile("crashed", f"its reader failed: {type(error).__name__}: {error}")


def _song_row(score: Score) -> dict[str, Any]:
    """What `_song_arrays` leaves out of a Score, as JSON; "events" counts the events of EVENT_WIDTHS."""
    return {
        "notes": len(score),
        "ticks_per_beat": score.ticks_per_beat,
        "title": score.title,
        "parts": score.parts,
        "markers": score.markers,
        "events": [len(getattr(score, name)) for name in EVENT_WIDTHS],
    }


def _song_arrays(scores: list[Score]) -> list[Any]:
    """The ARRAYS of some songs, joined: note columns, events as flat int32, sketches as bytes."""
    arrays: list[Any] = [
        np.concatenate([getattr(score, name) for score in scores] or [np.zeros(0, dtype)])
        for name, dtype in COLUMNS.items()
    ]
    for name in EVENT_WIDTHS:
        events: Iterable[Any] = chain.from_iterable(getattr(score, name) for score in scores)
        if name == "chords":
            events = (
                (chord.onset_ticks, chord.root, CHORD_KINDS.index(chord.kind))
                for chord in events
                if not chord.is_silent  # a corpus cannot store such a chord: the chord before it is extended
            )
        arrays.append(np.fromiter(chain.from_iterable(events), np.int32))
    return [*arrays, b"".join(map(sketch, scores))]


if __name__ == "__main__":
    main()
