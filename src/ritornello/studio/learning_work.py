"""Run `learn` and `doctor` on a folder of music for the studio; send log lines, progress and samples."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ritornello import midi
from ritornello.corpus.doctor.doctor import doctor as diagnose
from ritornello.corpus.doctor.report import as_json
from ritornello.corpus.outcomes import KEPT
from ritornello.learning.learn import learn as learn_from
from ritornello.music.score import Score
from ritornello.studio.work import Result, SendEvent
from ritornello.system.processes import available_cores

SEND_EVERY_S = 0.25
MAX_LISTED_FILES = 500  # the most files that are listed of those that cannot be trained on
SONGS = 3  # how many songs are composed at the end


class _Reporter:
    """Sends the progress of long work, with the estimated time left, at most every SEND_EVERY_S."""

    def __init__(self, on_event: SendEvent) -> None:
        self._on_event = on_event
        self._what = ""
        self._start_s = self._sent_s = 0.0

    def progress(self, done: int, total: int, what: str) -> None:
        """Send that `done` of `total` steps are done.

        `what` names the stage, and may add figures after two spaces; a new stage starts a new estimate.
        """
        now_s, name = time.monotonic(), what.split("  ")[0]
        if name != self._what:
            self._what, self._start_s, self._sent_s = name, now_s, 0.0
        if now_s - self._sent_s < SEND_EVERY_S and done != total:
            return
        self._sent_s = now_s
        left_s = (now_s - self._start_s) * (total - done) / done if done and total else None
        data = {"done": done, "total": total, "what": what}
        data["left_s"] = None if left_s is None else round(left_s, 1)
        self._on_event({"event": "progress", "data": data}, ())

    def log(self, stage: str, text: str) -> None:
        """Send a line of the log about a stage."""
        self._on_event({"event": "log", "data": {"stage": stage, "line": text}}, ())


def learn(request: dict[str, Any], _arrays: Sequence[bytes], on_event: SendEvent) -> Result:
    """Train a model on a folder of music; return songs that it composed as arrays."""
    from ritornello.training.sample_monitor import SampleMonitor

    reporter = _Reporter(on_event)

    def send_sample(songs: Sequence[Score | None]) -> None:
        for song in songs:
            if song is not None and len(song):
                on_event({"event": "sample", "data": {}}, [midi.to_bytes(song)[0]])
                return

    SampleMonitor.on_songs = send_sample
    workers = max(1, available_cores() - 1)
    learned = learn_from(
        request["folder"], minutes=request["minutes"], out=request["out"], songs=SONGS, workers=workers,
        say=reporter.log, progress=reporter.progress,
    )  # fmt: skip
    summary = {name: learned.report.get(name) for name in ("files", "kept_files", "why", "nats_per_note")}
    return {"model": learned.model.name, **summary}, [Path(song).read_bytes() for song in learned.songs]


def doctor(request: dict[str, Any], _arrays: Sequence[bytes], on_event: SendEvent) -> Result:
    """Diagnose a folder of music; return what `ritornello doctor --json` prints, listing only lost files."""
    workers = max(1, available_cores() - 1)
    report = as_json(diagnose(request["folder"], workers=workers, progress=_Reporter(on_event).progress))
    lost = [file for file in report["every_file"] if file["fate"] != KEPT]
    return {"report": report | {"every_file": lost[:MAX_LISTED_FILES]}}, ()
