"""The steps of `ritornello learn` after the corpus is made: train, select a model, compose songs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.composing.compose import compose_many
from ritornello.composing.song import Song
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.originality import closest_passages, opening, run_lengths, typical_longest_run
from ritornello.learning import model_selection
from ritornello.learning.candidates import Candidates
from ritornello.learning.cross_validation import CandidateMeasurement, SelectionPlan
from ritornello.learning.model_selection import HeldOutSongs
from ritornello.learning.own_feel import find_performances, learn_feel
from ritornello.learning.resource_estimate import TimeBudget, format_duration
from ritornello.learning.run_paths import RunPaths, Say, copy_model
from ritornello.learning.start_trials import StartTrials, is_possible_start
from ritornello.models.fingerprints import SongFingerprint, of_training_songs
from ritornello.models.model import Model
from ritornello.system.progress import Progress

MAX_HUMAN_SONGS = 30
MAX_FEEL_SHARE = 0.1  # of the time of a call, for the networks of `--feel`


@dataclass(frozen=True)
class LearnPipeline:
    """Training, selection and composing for one corpus; `duration` is {"minutes": ...} or {"steps": ...}.

    `budget` counts the time of the whole call.
    """

    paths: RunPaths
    corpus: Corpus
    bundled: Model | None
    start: str
    duration: dict[str, Any]
    settings: dict[str, Any]
    budget: TimeBudget
    say: Say
    comparison: model_selection.Comparison = field(default_factory=model_selection.Comparison)

    def run(self, songs: int, seed: int | None, progress: Progress | None) -> tuple[dict[str, Any], bool]:
        """Run all steps; returns the report, and whether Ctrl-C was pressed.

        Raises KeyboardInterrupt if it is pressed before there is a model.
        """
        performances = find_performances(self.corpus, progress)
        expected_s, total_s = sum(each.expected_s for each in performances), self.budget.total_s
        limit_s = None if total_s is None else min(expected_s, MAX_FEEL_SHARE * total_s)
        self.budget.reserve("feel", limit_s or 0.0)
        model, report, stopped = self._train_and_select(progress)
        if not stopped:
            report |= {"feel": learn_feel(performances, self.paths.model, self.say, limit_s)}
        return report | self._compose(model, songs, seed), stopped

    def _train_and_select(self, progress: Progress | None) -> tuple[Model, dict[str, Any], bool]:
        """The model that is kept, the report, and whether Ctrl-C was pressed."""
        folder = self.paths.runs(self.corpus.hash)
        starts = self._starts(folder)
        has_start = self.bundled is not None or "before" in starts
        plan = SelectionPlan.of(self.corpus, self.duration, self.budget, has_start)
        if plan.is_only_start:
            starts = dict(list(starts.items())[:1])
        trials = StartTrials(self.corpus, folder, starts, plan.duration, self.settings, progress)
        trained, stopped = self._train(trials, plan)
        report: dict[str, Any] = {"start": trials.chosen, "tried": trials.tried}
        report |= {"model": str(self.paths.model), "expected": {"passes": trials.expected_passes}}
        if trained is None:
            assert self.bundled is not None, "_train raises KeyboardInterrupt without any model"
            why = "the bundled model is kept: stopped before the first measurement"
            copy_model(self.bundled, self.paths.model, learn={"kept": "bundled", "why": why})
            return Model.open(self.paths.model), {**report, "kept": "bundled", "why": why}, stopped
        report |= self._training_report(trained, trials)
        candidates = Candidates.of(trained, trials, self.bundled)
        kept, selection = candidates.unmeasured("stopped before it was measured")
        copy_model(kept, self.paths.model, learn=selection)  # in case measuring is interrupted
        try:
            plan = SelectionPlan(0, plan.duration, 0.0) if stopped else plan  # the quickest measurement
            kept, selection = self._select(candidates, trials, plan)
        except KeyboardInterrupt:
            stopped = True
        report |= selection
        self.say("training", _describe_training(report))
        self.say("kept", selection["why"])
        copy_model(kept, self.paths.model, learn={**selection, "start": report["start"]})
        return Model.open(self.paths.model), report, stopped

    def _starts(self, folder: Path) -> dict[str, Path | None]:
        """The possible starts by name: the model trained before, the bundled model, random weights (None)."""
        starts: dict[str, Path | None] = {}
        before = folder / "before"
        if before.is_dir() and is_possible_start(Model.open(before), self.settings):
            starts["before"] = before
        if self.bundled is not None and (
            self.start == "bundled" or is_possible_start(self.bundled, self.settings)
        ):
            starts["bundled"] = self.bundled.path
        if self.start != "bundled":
            starts["nothing"] = None
        return starts

    def _train(self, trials: StartTrials, plan: SelectionPlan) -> tuple[Model | None, bool]:
        """The trained model, after Ctrl-C the best so far; and whether Ctrl-C was pressed."""
        try:
            start = trials.choose()
            if trials.tried:
                nats = ", ".join(f"{name} {nats:.2f}" for name, nats in trials.tried.items())
                self.say("start", f"{start}   nats per note after a short trial from each: {nats}")
            self._divide_time(trials, plan)
            return trials.train_chosen(), False
        except KeyboardInterrupt:
            model = trials.best_so_far()
            if model is None and self.bundled is None:
                raise
            self.say("stopping", "the best model so far is saved")
            return model, True

    def _divide_time(self, trials: StartTrials, plan: SelectionPlan) -> None:
        """Give training the time that is left beside the comparison of the candidates, which is measured."""
        if "steps" in plan.duration:
            return
        path = trials.starts[trials.choose()]
        start = Model.open(path) if path else self.bundled
        if start is not None:
            measurement = CandidateMeasurement(trials, plan, lambda trained: {}, self.budget, self.comparison)
            each_s = measurement.measure_start(start, self.settings["seed"])
            self.budget.reserve("comparing", plan.comparing_seconds(each_s))
        trials.limit((self.budget.left_s() or 0.0) / 60 / (1 + plan.folds))

    def _training_report(self, trained: Model, trials: StartTrials) -> dict[str, Any]:
        """The part of the report about training; "since_best" is the share of steps after the best one."""
        training = trained.info["training"]
        window = trained.info["network"]["config"]["window"]
        passes = trials.passes(training["steps"], training["batch"], window)
        since_best = (training["steps"] - training["best_step"]) / max(1, training["steps"])
        report = {"training": training, "passes": passes, "since_best": since_best, "sounds": trials.sounds}
        return report | {"heldout": trained.info["data"]["heldout"]}

    def _select(
        self, candidates: Candidates, trials: StartTrials, plan: SelectionPlan
    ) -> tuple[Model, dict[str, Any]]:
        """The candidate that is kept, and why, with the figures of all."""
        if candidates.start is None:
            songs = model_selection.HeldOutSongs(self.corpus, "test")
            if not len(songs):
                return candidates.unmeasured("no songs are held out, because there are so few")
            kept, selection = candidates.unmeasured("there is no model to compare it with")
            nats = model_selection.nats_per_note(songs.nats(kept, trials.progress))
            return kept, {**selection, "nats_per_note": nats, "heldout_songs": len(songs)}
        measurement = CandidateMeasurement(trials, plan, candidates.of_trained, self.budget, self.comparison)
        comparison = measurement.measure(candidates.trained, self.settings["seed"])
        if comparison.judged_songs < model_selection.FEWEST_JUDGED:
            few = f"{len(self.corpus.songs())} songs are too few to measure what training does"
            return candidates.unmeasured(few)
        return candidates.best(comparison)

    def _compose(self, model: Model, count: int, seed: int | None) -> dict[str, Any]:
        """Compose songs with the model that is kept; their files and their closeness to training songs."""
        songs, files = compose_songs(model, self.paths.songs, count, seed)
        close = closeness(songs, self.corpus) if songs else {}
        if songs:
            written = f"{count} song{'s' * (count > 1)} in {self.paths.songs}/"
            self.say("songs", f"{written}   {describe_closeness(close)}")
        self.say("model", f"{self.paths.model}/   compose more: ritornello compose {self.paths.model}")
        return {"songs": [str(file) for file in files], "closeness": close}


def _describe_training(report: dict[str, Any]) -> str:
    """The training as one line for the terminal."""
    nats = report["nats_per_note"]
    measured = f"{nats:.2f} nats per note on held-out songs" if nats is not None else ""
    duration, passes = format_duration(report["training"]["seconds"]), f"{report['passes']:.1f} passes"
    return "   ".join(text for text in (duration, measured, passes, report["sounds"]) if text)


def compose_songs(model: Model, folder: Path, count: int, seed: int | None) -> tuple[list[Song], list[Path]]:
    """Compose songs and write each, with its recipe, under the lowest free numbers of `folder`."""
    songs = compose_many(model, count, seed=seed) if count else []
    files, number = [], 0
    for song in songs:
        number += 1
        while (folder / f"song-{number}.mid").exists():
            number += 1
        files.append(folder / f"song-{number}.mid")
        song.write_with_recipe(files[-1])
    return songs, files


def closeness(songs: list[Song], corpus: Corpus) -> dict[str, Any]:
    """The longest runs of notes that the songs share with training songs.

    "longest" and "by_song" are lengths in notes, "passage" is the longest run. "human" is the median of the
    longest run of as many held-out songs, shortened to the same length; None if no song is held out.
    """
    composed = [song.score for song in songs]
    length = int(np.median([len(song) for song in composed])) if composed else 0
    human = [opening(song.score, length) for song in HeldOutSongs(corpus, "test").songs()[:MAX_HUMAN_SONGS]]
    training = of_training_songs(corpus)
    fingerprints = [SongFingerprint.of(song) for song in (*composed, *human)]
    passages = closest_passages(fingerprints, training)
    runs = run_lengths(fingerprints, passages)
    composed_runs, human_runs = runs[: len(composed)], runs[len(composed) :]
    longest = max(filter(None, passages[: len(composed)]), key=lambda passage: passage.notes, default=None)
    return {
        "longest": max(composed_runs, default=0),
        "passage": longest.to_dict() if longest else None,
        "by_song": composed_runs,
        "human": typical_longest_run(human_runs, len(composed)) if human and composed else None,
        "human_songs": len(human),
        "training_songs": len(training),
    }


def describe_closeness(close: dict[str, Any]) -> str:
    """The longest shared run as one line for the terminal."""
    human = "" if close["human"] is None else f" (songs of people: {close['human']})"
    source = f" of {close['passage']['name']}" if close["passage"] else ""
    return f"longest run shared with a training song: {close['longest']} notes{source}{human}"
