"""Learning for people, from a folder of MIDI files to a model and songs in one go: `learn`.

    home       the folders: NAME-model beside the folder, with work/ in it, and NAME-songs
    needs      time, memory and disk, said before anything begins
    job        what follows the corpus: lessons, the judgement, the songs; Ctrl-C at any time
    lessons    training: from each start for a short while, then from the better one to the end
    contest    held-out songs: which start predicts them better; what was learnt, or what ships
    results    songs by the model that is kept, and how close they are to what it learnt from

It joins what `prepare`, `train`, `measure` and `compose` do; each can be done by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ritornello.composing import compose
from ritornello.composing.options import MAX_SONGS
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import InputError
from ritornello.learning.resource_estimate import Needs, needs
from ritornello.learning.run_paths import Home, Say
from ritornello.models.model import Model
from ritornello.system.extras import require_extra
from ritornello.system.progress import Progress
from ritornello.training.config import TRAIN_LIMITS

STARTS = ("auto", "bundled", "nothing")
MINUTES = 20.0


@dataclass(frozen=True)
class Learnt:
    """What `learn` made: the model's folder, the songs' files, and all figures as plain data."""

    model: Path
    songs: tuple[Path, ...]
    report: dict[str, Any]


def learn(
    folder: str | Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    out: str | Path | None = None,
    start: str = "auto",
    songs: int = 3,
    seed: int | None = None,
    workers: int | None = None,
    say: Say | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Learnt:
    """Learn from the MIDI files below `folder` for `minutes` (20; or `steps`), and compose some `songs`.

    The model goes to `out` (NAME-model beside the folder), the songs to NAME-songs. It starts from the
    bundled model or from nothing, whichever predicts better after a short while of each, or as `start` says;
    of the bundled model and what was learnt the one that is better on held-out songs is kept ("nothing" does
    not look at the bundled model). `settings` are those of `train`; what there is to say goes to `say`.

    Run again, it goes on where it stopped; with other files in the folder from what was learnt before. Raises
    InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best so far is kept and has composed.
    """
    require_extra("train", "torch", "pyarrow")
    from ritornello.learning.pipeline import Job

    tell, long, began = say or _silent, _how_long(minutes, steps), time.monotonic()
    _check(start, songs, seed, long, settings)
    bundled, home = _bundled(start), Home.of(folder, out)
    expected = _needs(home, bundled, long, workers, settings, tell)
    with home.locked():
        report = _prepare(home, workers, tell, progress)
        job = Job(home, Corpus.open(home.corpus), bundled, start, long, {"seed": seed or 0, **settings}, tell)
        found, stopped = job.run(songs, seed, progress)
    report |= found | _spent(expected, found, began)
    if stopped:
        raise KeyboardInterrupt(f"stopped; {str(home.model)!r} has the best so far, the same command goes on")
    return Learnt(home.model, tuple(map(Path, report["songs"])), report)


def _silent(stage: str, words: str) -> None:
    """Says nothing."""


def _needs(
    home: Home,
    bundled: Model | None,
    long: dict[str, Any],
    workers: int | None,
    settings: dict[str, Any],
    tell: Say,
) -> Needs:
    """Say what it will take. Raises InputError without files, OutputError where the disk has no room."""
    size, starts = settings.get("network_config", {}).get("size"), 1 + (bundled is not None)
    expected = needs(home, minutes=long.get("minutes"), workers=workers, size=size, starts=starts)
    expected.check(home.model)
    tell("needs", str(expected))
    return expected


def _prepare(home: Home, workers: int | None, tell: Say, progress: Progress | None) -> dict[str, Any]:
    """The folder becomes a corpus; how many files there are, and are kept."""
    prepared = prepare(home.folder, home.corpus, workers=workers, progress=progress)
    left = prepared.files - prepared.kept
    why = f", {left:,} not (ritornello doctor {home.folder})" if left else ""
    tell("checking", f"{prepared.files:,} files   {prepared.kept:,} kept{why}")
    return {"files": prepared.files, "kept_files": prepared.kept}


def _how_long(minutes: float | None, steps: int | None) -> dict[str, Any]:
    if minutes is not None and steps is not None:
        raise InputError("say how long to learn, once: minutes or steps")
    return {"steps": steps} if steps is not None else {"minutes": MINUTES if minutes is None else minutes}


def _check(start: str, songs: int, seed: int | None, long: dict[str, Any], settings: dict[str, Any]) -> None:
    """Raise InputError for what is out of range, before any work."""
    from ritornello.learning.start_trials import check_network

    if start not in STARTS:
        raise InputError(f"start {start!r}, must be one of {', '.join(STARTS)}")
    if not 0 <= songs <= MAX_SONGS:
        raise InputError(f"songs {songs}, must be 0-{MAX_SONGS}")
    for name, value in {**long, "seed": seed or 0}.items():
        low, high = TRAIN_LIMITS[name]
        if not low <= value <= high:
            raise InputError(f"{name} {value}, must be {low}-{high}")
    check_network(settings.get("network", "lstm"))


def _bundled(start: str) -> Model | None:
    """The model that ships, unless it is not wanted. Raises ModelError where it is asked for in vain."""
    there = (compose.BUNDLED / "model.json").is_file()
    if start == "nothing" or (start == "auto" and not there):
        return None
    return compose.opened_model(None)


def _spent(expected: Needs, found: dict[str, Any], began: float) -> dict[str, Any]:
    """What was expected, and the seconds that it took."""
    names = ("seconds", "memory_bytes", "disk_bytes", "free_bytes")
    said = {name: getattr(expected, name) for name in names}
    return {"expected": found["expected"] | said, "seconds": round(time.monotonic() - began, 1)}
