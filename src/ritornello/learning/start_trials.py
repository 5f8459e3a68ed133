"""Train from each possible start for a short time, and from the best of them to the end.

A model that has already learned music learns faster, unless its music is very different. Therefore `train`
runs from each start for TRIAL_SHARE of the time, including the decay of the learning rate, and the start
with the lowest held-out loss continues for the remaining time. If a trial would be shorter than
MIN_TRIAL_MINUTES, there is none and the first start is used, which is a trained model if there is one: after
51 steps on 30 folk tunes it reached 0.82 nats per note, a network with random weights 1.54.
"""

import json
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError
from ritornello.learning.model_selection import HeldOutSongs, nats_per_note
from ritornello.models import registry
from ritornello.models.model import Model
from ritornello.system.files import write_json
from ritornello.system.progress import Progress
from ritornello.training.train import train

TRIAL_SHARE = 0.075
MIN_TRIAL_MINUTES, MAX_TRIAL_MINUTES = 1.0, 10.0
# Below this time batches are smaller: a step of 32 crops takes 2 s on a busy processor, and the first steps,
# which are timed, must not take all of the time.
FULL_BATCH_MINUTES = 4.0
RUN_PREFIX = "from-"  # of the folder of a training run
PATIENCE = 5  # measurements without improvement, after which training stops


@dataclass
class StartTrials:
    """The training runs on one corpus, in `folder`; `duration` is {"minutes": ...} or {"steps": ...}.

    `starts` are model folders by name, None for random weights; `settings` are those of `train`.
    """

    corpus: Corpus
    folder: Path
    starts: dict[str, Path | None]
    duration: dict[str, Any]
    settings: dict[str, Any]
    progress: Progress | None = None
    sounds: str = ""
    """What the last samples during training sounded like, in words."""
    expected_passes: float | None = None
    tried: dict[str, float] = field(default_factory=dict)
    """Nats per note on held-out songs after the trial, by start."""
    spent: dict[str, dict[str, float]] = field(default_factory=dict)
    """Minutes and steps of each trial, by start."""
    has_tried: bool = False
    """Whether the trials were run now, not by an earlier call."""

    def run_folder(self, start: str) -> Path:
        """The folder of the training run from a start."""
        return self.folder / f"{RUN_PREFIX}{start}"

    @property
    def chosen(self) -> str | None:
        """The name of the start that is used, or None before `choose`."""
        if len(self.starts) == 1:
            return next(iter(self.starts))
        file = self.folder / "chosen.json"
        if file.is_file():
            content = json.loads(file.read_bytes())
            self.tried, self.spent = content["tried"], content["spent"]
            return str(content["start"])
        return None

    def choose(self) -> str:
        """Run the trials, delete all but the best, and return its start; without trials the first start."""
        if self.chosen is not None:
            return self.chosen
        self.has_tried = True
        songs = HeldOutSongs(self.corpus, "valid")
        minutes = self.duration.get("minutes")
        if len(songs) and (minutes is None or self._trial_duration(minutes) >= MIN_TRIAL_MINUTES):
            trial = {unit: self._trial_duration(value) for unit, value in self.duration.items()}
            for name in self.starts:
                model = self._train(name, {**trial, "sketch_steps": 0})
                training = model.info["training"]
                self.spent[name] = {"minutes": training["seconds"] / 60, "steps": training["steps"]}
                self.tried[name] = nats_per_note(songs.nats(model, self.progress))
        best = min(self.tried, key=lambda name: self.tried[name]) if self.tried else next(iter(self.starts))
        write_json(self.folder / "chosen.json", {"start": best, "tried": self.tried, "spent": self.spent})
        for name in self.starts:
            if name != best:
                shutil.rmtree(self.run_folder(name), ignore_errors=True)
        return best

    def limit(self, minutes: float) -> None:
        """Let training take so many minutes from now on, after the trials; with those of earlier calls."""
        tried = sum(spent["minutes"] for spent in self.spent.values()) if self.has_tried else 0.0
        self.duration = {"minutes": minutes + tried}

    def train_chosen(self) -> Model:
        """Train from the chosen start for the remaining time, or until held-out loss stops improving."""
        chosen, remaining = self.choose(), dict(self.duration)
        for unit in remaining:
            remaining[unit] -= sum(spent[unit] for name, spent in self.spent.items() if name != chosen)
            remaining[unit] = max(remaining[unit], 1 if unit == "steps" else 0.01)
        return self._train(chosen, remaining)

    def best_so_far(self) -> Model | None:
        """The model with the lowest held-out loss among interrupted runs; None if none was measured."""
        names = [self.chosen] if self.chosen else list(self.starts)
        folders = [run for name in names if ((run := self.run_folder(name)) / "model.json").is_file()]
        models = [Model.open(path) for path in folders]
        return min(models, key=lambda model: model.info["measured"]["heldout_loss"], default=None)

    def passes(self, steps: int, batch: int, window: int) -> float:
        """The notes trained on, in multiples of the notes of all training songs.

        A song is drawn with a probability proportional to its notes; a crop has at most the notes of its
        song.
        """
        notes = self.corpus.note_counts[self.corpus.songs("train")].astype(float)
        notes_per_crop = (notes * np.minimum(notes, window)).sum() / notes.sum()
        return float(steps * batch * notes_per_crop / notes.sum())

    def _trial_duration(self, value: float) -> float:
        """The minutes or steps of a trial, given those of the whole training."""
        if "steps" in self.duration:
            return max(1, math.ceil(TRIAL_SHARE * value))
        return min(TRIAL_SHARE * value, MAX_TRIAL_MINUTES)

    def _batch(self, name: str, default: int) -> int:
        """The batch size: that of an interrupted run, else the default, reduced for short training."""
        config = self.run_folder(name) / "checkpoint" / "config.json"
        if config.is_file():
            batch: int = json.loads(config.read_bytes())["batch"]
            return batch
        share = float(self.duration.get("minutes", FULL_BATCH_MINUTES)) / FULL_BATCH_MINUTES
        return max(1, min(default, round(default * share)))

    def _train(self, name: str, duration: dict[str, Any]) -> Model:
        """Train, or continue training, from a start."""
        init = self.starts[name]
        settings = {"patience": PATIENCE, **self.settings, **duration}
        network = registry.find("networks", settings.get("network", "lstm"))
        if init is not None:
            model = Model.open(init)
            network = registry.find("networks", model.network)
            settings |= {"init": str(init), "network": model.network, "network_config": {}}
            window = int(model.info["network"]["config"]["window"])
        else:
            window = int(settings.get("network_config", {}).get("window", 256))
        batch = settings["batch"] = settings.get("batch") or self._batch(name, network.batch)
        heldout = ""

        def report(state: Any, losses: dict[str, float]) -> None:
            nonlocal heldout
            self.sounds = state.sounds
            if "heldout_loss" in losses:
                heldout = f"  held-out loss {losses['heldout_loss']:.3f}"
            if state.total_steps:
                self.expected_passes = self.passes(state.total_steps, batch, window)
            if self.progress:
                total = f" of {self.expected_passes:.1f}" if self.expected_passes else ""
                passes = f"{self.passes(state.step, batch, window):.1f}{total} passes"
                self.progress(state.step, state.total_steps or 0, f"training from {name}  {passes}{heldout}")

        run = self.run_folder(name)
        return train(self.corpus.path, run, progress=self.progress, report=report, **settings)


def check_network(name: str) -> None:
    """Raise InputError unless a network predicts probabilities, which `learn` needs to compare models."""
    if registry.find("networks", name).learns != "all":
        raise InputError(f"network {name!r} predicts no probabilities: must be lstm or transformer")


def is_possible_start(model: Model, settings: dict[str, Any]) -> bool:
    """Whether a model has the network and the sizes that `settings` ask for."""
    config = model.info["network"]["config"]
    sizes = settings.get("network_config", {}).items()
    return settings.get("network", model.network) == model.network and all(
        config.get(name) == value for name, value in sizes
    )
