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

from ritornello import composer, workflow
from ritornello.corpus import Corpus
from ritornello.errors import InputError
from ritornello.learner.home import Home, Say
from ritornello.learner.needs import Needs, needs
from ritornello.model import Model

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
    progress: workflow.Progress | None = None,
    **settings: Any,
) -> Learnt:
    """Learn from the MIDI files below `folder` for `minutes` (20; or `steps`), and compose some `songs`.

    The model goes to `out` (NAME-model beside the folder), the songs to NAME-songs. It starts from the
    bundled model or from nothing, whichever predicts held-out songs better after a short while of each;
    `start` says one of the two. Of the bundled model and what was learnt, the one that is better on held-out
    songs is kept; with `start` "nothing" the bundled model is not looked at. `settings` are those of `train`.
    What there is to say goes to `say` at once.

    Run again, it goes on where it stopped; with more minutes for longer; with other files in the folder from
    what was learnt before. Raises InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best so
    far is kept and has composed.
    """
    workflow.require("train", "torch", "pyarrow")
    from ritornello.learner.job import Job
    from ritornello.learner.lessons import check_network

    tell: Say = say or (lambda stage, words: None)
    long = _how_long(minutes, steps)
    _check(start, songs, seed, long)
    check_network(settings.get("network", "lstm"))
    bundled, home, began = _bundled(start), Home.of(folder, out), time.monotonic()
    size = settings.get("network_config", {}).get("size")
    expected = needs(
        home, minutes=long.get("minutes"), workers=workers, size=size, starts=1 + (bundled is not None)
    )
    expected.check(home.model)
    tell("needs", str(expected))
    with home.locked():
        prepared = workflow.prepare(home.folder, home.corpus, workers=workers, progress=progress)
        left = prepared.files - prepared.kept
        why = f", {left:,} not (ritornello doctor {home.folder})" if left else ""
        tell("checking", f"{prepared.files:,} files   {prepared.kept:,} kept{why}")
        job = Job(home, Corpus.open(home.corpus), bundled, start, long, {"seed": seed or 0, **settings}, tell)
        model, report, stopped = job.learn(progress)
        made = job.compose(model, songs, seed)
    report |= made | {"expected": {**report["expected"], **_expected(expected)}, "files": prepared.files}
    report |= {"kept_files": prepared.kept, "seconds": round(time.monotonic() - began, 1)}
    if stopped:
        raise KeyboardInterrupt(f"stopped; {str(home.model)!r} has the best so far, the same command goes on")
    return Learnt(home.model, tuple(Path(file) for file in made["songs"]), report)


def _how_long(minutes: float | None, steps: int | None) -> dict[str, Any]:
    if minutes is not None and steps is not None:
        raise InputError("say how long to learn, once: minutes or steps")
    return {"steps": steps} if steps is not None else {"minutes": MINUTES if minutes is None else minutes}


def _check(start: str, songs: int, seed: int | None, long: dict[str, Any]) -> None:
    """Raise InputError for what is out of range, before any work."""
    if start not in STARTS:
        raise InputError(f"start {start!r}, must be one of {', '.join(STARTS)}")
    if not 0 <= songs <= composer.MAX_SONGS:
        raise InputError(f"songs {songs}, must be 0-{composer.MAX_SONGS}")
    for name, value in {**long, "seed": seed or 0}.items():
        low, high = workflow.TRAIN_LIMITS[name]
        if not low <= value <= high:
            raise InputError(f"{name} {value}, must be {low}-{high}")


def _bundled(start: str) -> Model | None:
    """The model that ships, unless it is not wanted. Raises ModelError where it is asked for in vain."""
    there = (composer.BUNDLED / "model.json").is_file()
    if start == "nothing" or (start == "auto" and not there):
        return None
    return composer.opened_model(None)


def _expected(expected: Needs) -> dict[str, Any]:
    return {name: getattr(expected, name) for name in ("seconds", "memory_bytes", "disk_bytes", "free_bytes")}
