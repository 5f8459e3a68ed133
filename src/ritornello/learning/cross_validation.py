"""Measure the candidates of `learn` with songs that they did not learn from; by cross-validation if few.

With FEWEST_TEST_SONGS songs or more in the split "test", the candidates are judged by these. With fewer,
training is repeated FOLDS times, each time with other songs held out, and the candidates of a fold are judged
by its held-out songs. If time is limited, the folds share what is left of it after the first training;
otherwise each has as many steps. In a fold every FOLDS-th song, in the order of the
files' hashes, is in the split "test"; some others are in "valid", by which training chooses its best step.
Near duplicates cannot lie in two splits: a corpus keeps one song of each group of them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import SPLITS, Corpus, import_pyarrow, index_schema
from ritornello.learning.model_selection import (
    CANDIDATES,
    FEWEST_JUDGED,
    MAX_JUDGED_SONGS,
    Candidate,
    Comparison,
    read_songs,
)
from ritornello.learning.resource_estimate import MIN_TRAINING_S, TimeBudget
from ritornello.learning.start_trials import StartTrials
from ritornello.models.model import Model
from ritornello.system.files import output_errors, sha256_file, write_json

FEWEST_TEST_SONGS = 20  # as many as the style ratio needs
FOLDS = 3
MIN_FOLD_MINUTES = 0.5
COMPARING_SHARE = 0.2  # of the minutes, in which candidates compose
FOLD_SHARE = 0.02  # of the minutes, in which a fold copies and encodes its songs
SONGS_PER_VALID_SONG = 8  # of those that are not in "test"
FEWEST_TO_VALIDATE = 2 * SONGS_PER_VALID_SONG  # songs of a fold; with fewer, all of them are trained on
FEWEST_MEASUREMENTS = 8  # of a training in a fold
MIN_FOLD_SHARE = 0.6  # of the time of the first training; a fold that would have less is left out
Candidates = Callable[[Model], dict[Candidate, Model]]  # from a trained model to the candidates


class SelectionPlan(NamedTuple):
    """How the candidates are measured: `folds` (0: by the held-out songs), and the length of each training.

    `duration` is {"minutes": ...} or {"steps": ...}; `comparing_s` are the seconds for composing, if limited.
    """

    folds: int
    duration: dict[str, Any]
    comparing_s: float | None = None
    is_only_start: bool = False
    """Whether the start model will be kept, because there are too few songs to measure anything."""

    @classmethod
    def of(
        cls, corpus: Corpus, duration: dict[str, Any], budget: TimeBudget, has_start: bool
    ) -> SelectionPlan:
        """Divide the time that is left between training, cross-validation and composing with candidates.

        Without a model to start from there is nothing to choose from, and all of it is for training. With
        fewer than FEWEST_JUDGED songs the start model will be kept, so there is only one step.
        """
        songs, test_songs = len(corpus.songs()), len(corpus.songs("test"))
        if has_start and songs < FEWEST_JUDGED:
            return cls(0, {"steps": 1}, is_only_start=True)
        folds = FOLDS if has_start and test_songs < FEWEST_TEST_SONGS else 0
        if budget.total_s is None:
            return cls(folds, duration)
        comparing_s = COMPARING_SHARE * budget.total_s if has_start else 0.0
        budget.reserve("comparing", comparing_s)
        budget.reserve("folds", FOLD_SHARE * folds * budget.total_s)
        minutes = (budget.left_s() or 0.0) / 60
        folds = folds if minutes / (1 + folds) >= MIN_FOLD_MINUTES else 0
        return cls(folds, {"minutes": minutes / (1 + folds)}, comparing_s)

    def comparing_seconds(self, each_s: float) -> float:
        """Return how long it takes to measure the candidates if one takes `each_s` seconds.

        Those for which `comparing_s` are too few are left out, but never the first two.
        """
        folds = max(1, self.folds)
        count = int((self.comparing_s or 0.0) / folds / max(each_s, 1e-9))
        count = max(2, min(1 + len(CANDIDATES), count))
        return each_s * (folds * count if self.folds else count - 1)  # else the start model has been measured


@dataclass(frozen=True)
class CandidateMeasurement:
    """The measurement of the candidates by a plan; `candidates` makes them of a trained model."""

    trials: StartTrials
    plan: SelectionPlan
    candidates: Candidates
    budget: TimeBudget
    comparison: Comparison

    def measure(self, trained: Model, seed: int) -> Comparison:
        """Return what was measured; nothing if there are too few songs."""
        comparison, corpus = self.comparison, self.trials.corpus
        if self.plan.folds:
            self._measure_folds(comparison, trained, seed)
            return comparison
        numbers = self._heldout_songs()
        if len(numbers) >= FEWEST_JUDGED:
            self._add(comparison, trained, corpus, numbers, MAX_JUDGED_SONGS, seed)
        return comparison

    def measure_start(self, model: Model, seed: int) -> float:
        """Measure the start model before training, and return how long that takes.

        What is found counts, but not in cross-validation, where each fold has songs of its own.
        """
        corpus, folds = self.trials.corpus, self.plan.folds
        numbers = corpus.songs() if folds else self._heldout_songs()
        if len(numbers) < FEWEST_JUDGED:
            return 0.0
        heldout = read_songs(corpus, _evenly_spaced(numbers, MAX_JUDGED_SONGS // max(1, folds)))
        began = self.budget.spent_s
        comparison = Comparison() if folds else self.comparison
        comparison.add_start(model, heldout, seed, self.trials.progress)
        return self.budget.spent_s - began

    def _heldout_songs(self) -> npt.NDArray[np.int64]:
        """The numbers (n,) of the songs of the split "test", with those of "valid" if they are few."""
        corpus = self.trials.corpus
        numbers = corpus.songs("test")
        if len(numbers) >= FEWEST_TEST_SONGS:
            return numbers
        return np.sort(np.concatenate([numbers, corpus.songs("valid")]))

    def _measure_folds(self, comparison: Comparison, trained: Model, seed: int) -> None:
        """Train in each fold from the same start, and measure the candidates, while there is time."""
        budget, folds = self.budget, self.plan.folds
        works = ("comparing", "folds")
        other_s = (
            sum(budget.reserved_s.get(work, 0.0) for work in works) / folds
        )  # of a fold, beside training
        for work in works:
            budget.reserve(work, 0.0)
        for fold in range(folds):
            duration = self._duration_of_fold(trained, fold, other_s)
            if duration is None:
                break
            began = budget.spent_s
            folder = self.trials.folder / f"fold-{fold}"
            corpus = fold_corpus(self.trials.corpus, fold, folder / "corpus")
            trials = self._trials_of_fold(corpus, folder, trained, fold, duration)
            training_began = budget.spent_s
            model = trials.train_chosen()
            training_s = budget.spent_s - training_began
            songs = MAX_JUDGED_SONGS // folds
            self._add(comparison, model, corpus, corpus.songs("test"), songs, seed)
            shutil.rmtree(folder, ignore_errors=True)
            other_s = budget.spent_s - began - training_s

    def _duration_of_fold(self, trained: Model, fold: int, other_s: float) -> dict[str, Any] | None:
        """How long a fold is trained: an equal part of the time that is left, or as many steps as `trained`.

        `other_s` are the seconds that a fold needs beside training. None if too little time is left; the
        first fold is always trained.
        """
        training, left_s = trained.info["training"], self.budget.left_s()
        if left_s is None:
            return {"steps": training["steps"]}
        training_s = left_s / (self.plan.folds - fold) - other_s
        if fold and training_s < MIN_FOLD_SHARE * training["seconds"]:
            training_s = left_s - other_s  # fewer folds
            if training_s < MIN_FOLD_SHARE * training["seconds"]:
                return None
        return {"minutes": max(training_s, MIN_TRAINING_S) / 60}

    def _trials_of_fold(
        self, corpus: Corpus, folder: Path, trained: Model, fold: int, duration: dict[str, Any]
    ) -> StartTrials:
        """The training in a fold: from the same start, with as many crops in a step."""
        trials, training = self.trials, trained.info["training"]
        start = trials.chosen
        assert start is not None, "the start is chosen before the end of training"
        settings = {**trials.settings, "batch": training["batch"]}
        if "steps" in duration:
            settings = {"measure_every": max(10, duration["steps"] // FEWEST_MEASUREMENTS), **settings}
        progress = trials.progress

        def update(done: int, total: int, what: str) -> None:
            if progress:
                progress(done, total, f"cross-validation {fold + 1} of {self.plan.folds}  {what}")

        return StartTrials(corpus, folder, {start: trials.starts[start]}, duration, settings, update)

    def _add(
        self,
        comparison: Comparison,
        trained: Model,
        corpus: Corpus,
        numbers: npt.NDArray[np.int64],
        songs: int,
        seed: int,
    ) -> None:
        """Measure the candidates of `trained` with at most `songs` of the songs with these numbers."""
        seconds = self.plan.comparing_s
        if seconds is not None:
            seconds /= max(1, self.plan.folds)
        if seconds is not None and not self.plan.folds:  # all that is left
            self.budget.reserve("comparing", 0.0)
            seconds = max(seconds, comparison.start_s + (self.budget.left_s() or 0.0))
        heldout = read_songs(corpus, _evenly_spaced(numbers, songs))
        comparison.add(self.candidates(trained), heldout, seed, seconds, self.trials.progress)


def _evenly_spaced(numbers: npt.NDArray[np.int64], most: int) -> list[int]:
    """At most `most` of the numbers (n,)."""
    if len(numbers) > most:
        numbers = numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)]
    return list(map(int, numbers))


def fold_splits(hashes: list[str], fold: int) -> list[str]:
    """Return the split of each song in fold number `fold`, given the hashes of all songs."""
    splits, others = [""] * len(hashes), []
    for place, song in enumerate(sorted(range(len(hashes)), key=lambda number: hashes[number])):
        if place % FOLDS == fold:
            splits[song] = "test"
        else:
            others.append(song)
    for place, song in enumerate(others):
        is_valid = len(others) >= FEWEST_TO_VALIDATE and place % SONGS_PER_VALID_SONG == 0
        splits[song] = "valid" if is_valid else "train"
    return splits


def fold_corpus(corpus: Corpus, fold: int, path: Path) -> Corpus:
    """Write the corpus of a fold to the folder `path`, with copies of the notes. Raises OutputError."""
    pa, songs = import_pyarrow(), corpus.songs()
    splits: npt.NDArray[np.object_] = np.full(len(corpus), "", object)
    splits[songs] = fold_splits([corpus.info(song).hash for song in songs.tolist()], fold)
    place, schema = index_schema().get_field_index("split"), index_schema()
    table = corpus.index.set_column(place, schema.field(place), pa.array(splits, pa.string()))
    counts, index = Counter(splits.tolist()), path / "index.parquet"
    with output_errors(path):
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(corpus.path / "shards", path / "shards")
        pa.parquet.write_table(table, index)
        entry = {index.name: [index.stat().st_size, sha256_file(index)]}
        counted = {split: counts[split] for split in SPLITS}
        write_json(path / "manifest.json", {**corpus.manifest, "splits": counted, "index": entry})
    return Corpus.open(path, verify=corpus.verify)
