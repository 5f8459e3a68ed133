"""Lessons: training from each start for a short while, and from the better one to the end.

The rule. A network that knows music already learns faster, but what it knows may be another music. So each
start is trained in full for TRIAL of the time, its learning rate falling as it would at the end; the one
whose held-out songs then cost less goes on, with the time that is left. Where trials would be shorter than
TRIAL_LEAST none is made: the network that knows music goes on (after 51 steps on 30 folk tunes
that were new to it 0.82 nats a note, from nothing 1.54). All of it is `train`, which goes on where
it stopped.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError
from ritornello.learning.model_selection import HeldOut, per_note
from ritornello.models import registry
from ritornello.models.model import Model
from ritornello.system.files import write_json
from ritornello.system.progress import Progress
from ritornello.training.train import train

TRIAL, TRIAL_MINUTES = 0.075, 10.0  # of the time for each start, and at most
TRIAL_LEAST = 1.0  # minutes
# Fewer minutes than these have smaller steps. The first steps are timed, and must not take all of the time:
# one of 32 crops takes 2 s on a busy processor
FULL_MINUTES = 4.0
PATIENCE = 5  # measurements without progress


@dataclass
class Lessons:
    """The trainings on one corpus, in the folder `round`; `long` is {"minutes": ...} or {"steps": ...}.

    `starts` are model folders by name, None for nothing; `settings` are those of `train`.
    """

    corpus: Corpus
    round: Path
    starts: dict[str, Path | None]
    long: dict[str, Any]
    settings: dict[str, Any]
    progress: Progress | None = None
    sounds: str = ""
    expected_passes: float | None = None
    tried: dict[str, float] = field(default_factory=dict)
    """Nats per note on held-out songs after the trial, by start."""
    spent: dict[str, dict[str, float]] = field(default_factory=dict)
    """Minutes and steps of each trial."""

    def run(self, start: str) -> Path:
        """The folder of the training that begins from a start."""
        return self.round / f"from-{start}"

    @property
    def chosen(self) -> str | None:
        """The start that goes on, once that is known."""
        if len(self.starts) == 1:
            return next(iter(self.starts))
        file = self.round / "chosen.json"
        if file.is_file():
            said = json.loads(file.read_bytes())
            self.tried, self.spent = said["tried"], said["spent"]
            return str(said["start"])
        return None

    def choose(self) -> str:
        """Try every start, and say which goes on; where no song is held out or time is short, the first."""
        if self.chosen is not None:
            return self.chosen
        songs = HeldOut(self.corpus, "valid")
        minutes = self.long.get("minutes")
        if len(songs) and (minutes is None or self._share(minutes) >= TRIAL_LEAST):
            short = {name: self._share(value) for name, value in self.long.items()}
            for name in self.starts:
                model = self._train(name, short)
                training = model.info["training"]
                self.spent[name] = {"minutes": training["seconds"] / 60, "steps": training["steps"]}
                self.tried[name] = per_note(songs.nats(model, self.progress))
        best = min(self.tried, key=lambda name: self.tried[name]) if self.tried else next(iter(self.starts))
        write_json(self.round / "chosen.json", {"start": best, "tried": self.tried, "spent": self.spent})
        for name in self.starts:
            if name != best:
                shutil.rmtree(self.run(name), ignore_errors=True)
        return best

    def learn(self) -> Model:
        """Train from the start that was chosen to the end; with early stop."""
        chosen, left = self.choose(), dict(self.long)
        for how_long in left:
            left[how_long] -= sum(spent[how_long] for name, spent in self.spent.items() if name != chosen)
            left[how_long] = max(left[how_long], 1 if how_long == "steps" else 0.01)
        return self._train(chosen, left)

    def best_so_far(self) -> Model | None:
        """What a training that was stopped has left: of the starts, that with the lowest held-out loss."""
        names = [self.chosen] if self.chosen else list(self.starts)
        there = [run for name in names if ((run := self.run(name)) / "model.json").is_file()]
        models = [Model.open(path) for path in there]
        return min(models, key=lambda model: model.info["measured"]["heldout_loss"], default=None)

    def passes(self, steps: int, batch: int, window: int) -> float:
        """How many times as many notes as the training songs have were learnt from.

        Songs are drawn by their notes, and a crop of a short song holds no more than the song.
        """
        notes = self.corpus.note_counts[self.corpus.songs("train")].astype(float)
        a_crop = (notes * np.minimum(notes, window)).sum() / notes.sum()
        return float(steps * batch * a_crop / notes.sum())

    def _share(self, value: float) -> float:
        """A trial's part of the minutes or steps."""
        if "steps" in self.long:
            return max(1, math.ceil(TRIAL * value))
        return min(TRIAL * value, TRIAL_MINUTES)

    def _batch(self, name: str, usual: int) -> int:
        """Crops in a step: as many as its training began with; or as usual, and fewer in a few minutes."""
        begun = self.run(name) / "checkpoint" / "config.json"
        if begun.is_file():
            batch: int = json.loads(begun.read_bytes())["batch"]
            return batch
        share = float(self.long.get("minutes", FULL_MINUTES)) / FULL_MINUTES
        return max(1, min(usual, round(usual * share)))

    def _train(self, name: str, long: dict[str, Any]) -> Model:
        init = self.starts[name]
        settings = {"patience": PATIENCE, **self.settings, **long}
        kind = registry.find("networks", settings.get("network", "lstm"))
        if init is not None:
            known = Model.open(init)
            kind = registry.find("networks", known.network)
            settings |= {"init": str(init), "network": known.network, "network_config": {}}
            window = int(known.info["network"]["config"]["window"])
        else:
            window = int(settings.get("network_config", {}).get("window", 256))
        batch = settings["batch"] = settings.get("batch") or self._batch(name, kind.batch)
        heldout = ""

        def report(state: Any, losses: dict[str, float]) -> None:
            nonlocal heldout
            self.sounds = state.sounds
            if "heldout_loss" in losses:
                heldout = f"  held-out {losses['heldout_loss']:.3f}"
            if state.total_steps:
                self.expected_passes = self.passes(state.total_steps, batch, window)
            if self.progress:
                of = f" of {self.expected_passes:.1f} passes" if self.expected_passes else ""
                done = f"{self.passes(state.step, batch, window):.1f}{of}"
                words = f"learning from {name}  {done}{heldout}"
                self.progress(state.step, state.total_steps or 0, words)

        return train(self.corpus.path, self.run(name), progress=self.progress, report=report, **settings)


def check_network(name: str) -> None:
    """Raise InputError unless a network gives chances, by which models are compared."""
    if registry.find("networks", name).learns != "all":
        raise InputError(f"network {name!r} says numbers and no chances, must be lstm or transformer")


def fits(model: Model, settings: dict[str, Any]) -> bool:
    """Whether a model has the network that is asked for, so that it can be a start."""
    sizes = model.info["network"]["config"]
    asked = settings.get("network_config", {}).items()
    return settings.get("network", model.network) == model.network and all(
        sizes.get(n) == v for n, v in asked
    )
