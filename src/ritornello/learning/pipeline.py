"""Job: what learning does once there is a corpus: lessons, the judgement, the songs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ritornello.corpus.corpus import Corpus
from ritornello.learning import model_selection, results
from ritornello.learning.resource_estimate import clock
from ritornello.learning.run_paths import Home, Say, copy
from ritornello.learning.start_trials import Lessons, fits
from ritornello.models.model import Model
from ritornello.system.progress import Progress


@dataclass(frozen=True)
class Job:
    """Learning from one corpus."""

    home: Home
    corpus: Corpus
    bundled: Model | None
    start: str
    long: dict[str, Any]
    settings: dict[str, Any]
    tell: Say

    def run(self, songs: int, seed: int | None, progress: Progress | None) -> tuple[dict[str, Any], bool]:
        """Learn, and compose by the model that is kept; all figures, and whether Ctrl-C was pressed.

        Raises KeyboardInterrupt where there is no model yet.
        """
        model, report, stopped = self.learn(progress)
        return report | self.compose(model, songs, seed), stopped

    def learn(self, progress: Progress | None) -> tuple[Model, dict[str, Any], bool]:
        """The model that is kept, all figures, and whether Ctrl-C was pressed."""
        folder = self.home.round(self.corpus.hash)
        lessons = Lessons(self.corpus, folder, self._starts(), self.long, self.settings, progress)
        learnt, stopped = self._train(lessons)
        report: dict[str, Any] = {"start": lessons.chosen, "tried": lessons.tried}
        report |= {"model": str(self.home.model), "expected": {"passes": lessons.expected_passes}}
        if learnt is None:
            assert self.bundled is not None, "without any model there is nothing to go on with"
            copy(self.bundled, self.home.model, learn={"kept": "bundled"})
            return Model.open(self.home.model), {**report, "kept": "bundled"}, stopped
        report |= self._facts(learnt, lessons)
        copy(learnt, self.home.model, learn={"kept": "learnt"})  # whatever comes now, this is there
        try:
            kept, judged = self._judge(learnt, progress)
        except KeyboardInterrupt:
            stopped, kept = True, learnt
            judged = {"kept": "learnt", "why": "stopped before it was measured", "nats_per_note": None}
        report |= judged
        self.tell("learning", _learning(report))
        if self.bundled is not None:
            self.tell("keeping", model_selection.in_words(judged))
        copy(kept, self.home.model, learn={**judged, "start": report["start"]})
        return Model.open(self.home.model), report, stopped

    def _train(self, lessons: Lessons) -> tuple[Model | None, bool]:
        """What was learnt, or the best so far after Ctrl-C; and whether it was pressed."""
        try:
            start = lessons.choose()
            if lessons.tried:
                nats = ", ".join(f"from {name} {nats:.2f}" for name, nats in lessons.tried.items())
                self.tell("starting", f"from {start}; nats a note after a short while: {nats}")
            return lessons.learn(), False
        except KeyboardInterrupt:
            learnt = lessons.best_so_far()
            if learnt is None and self.bundled is None:
                raise
            self.tell("stopping", "a moment, for the best so far")
            return learnt, True

    def compose(self, model: Model, count: int, seed: int | None) -> dict[str, Any]:
        """Songs by the model that is kept, and how close they are to training songs."""
        songs, files = results.compose(model, self.home.songs, count, seed)
        close = results.closeness(songs, self.corpus) if songs else {}
        if songs:
            made = f"{count} song{'s' * (count > 1)} into {self.home.songs}/"
            self.tell("composing", f"{made}   {results.in_words(close)}")
        self.tell("model in", f"{self.home.model}/   more: ritornello compose {self.home.model}")
        return {"songs": [str(file) for file in files], "closeness": close}

    def _starts(self) -> dict[str, Path | None]:
        """What may be begun from: what was learnt before, the bundled model, nothing."""
        found: dict[str, Path | None] = {}
        before = self.home.round(self.corpus.hash) / "before"
        if before.is_dir() and fits(Model.open(before), self.settings):
            found["before"] = before
        if self.bundled is not None and (self.start == "bundled" or fits(self.bundled, self.settings)):
            found["bundled"] = self.bundled.path
        if self.start != "bundled":
            found["nothing"] = None
        return found

    def _facts(self, learnt: Model, lessons: Lessons) -> dict[str, Any]:
        """What training did."""
        training = learnt.info["training"]
        window = learnt.info["network"]["config"]["window"]
        passes = lessons.passes(training["steps"], training["batch"], window)
        best = (training["steps"] - training["best_step"]) / max(1, training["steps"])
        facts = {"training": training, "passes": passes, "since_best": best, "sounds": lessons.sounds}
        return facts | {"heldout": learnt.info["data"]["heldout"]}

    def _judge(self, learnt: Model, progress: Progress | None) -> tuple[Model, dict[str, Any]]:
        """The better of what was learnt and the bundled model on held-out songs, and by how much."""
        songs = model_selection.HeldOut(self.corpus, "test")
        if not len(songs):
            why = "no song held out, they are so few"
            return learnt, {"kept": "learnt", "why": why, "nats_per_note": None}
        ours = songs.nats(learnt, progress)
        found: dict[str, Any] = {"kept": "learnt", "why": "nothing else was looked at"}
        if self.bundled is not None:
            found = model_selection.judged(ours, songs.nats(self.bundled, progress))
        found |= {"nats_per_note": model_selection.per_note(ours), "heldout_songs": len(songs)}
        return (learnt if found["kept"] == "learnt" or self.bundled is None else self.bundled), found


def _learning(report: dict[str, Any]) -> str:
    """How the training went, in words."""
    nats, seconds = report["nats_per_note"], report["training"]["seconds"]
    held = f"held-out {nats:.2f} nats a note" if nats is not None else report["why"]
    words = [clock(seconds), held, f"{report['passes']:.1f} passes", report["sounds"]]
    return "   ".join(word for word in words if word)
