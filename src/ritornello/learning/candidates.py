"""The candidates of `learn`: the model from which training began, the trained one, weights between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.learning.model_selection import (
    SHARES,
    Comparison,
    best_candidate,
    reason,
)
from ritornello.learning.start_trials import RUN_PREFIX, StartTrials
from ritornello.models.model import Model

NAMES = {"bundled": "the bundled model", "before": "the model learned before"}


@dataclass(frozen=True)
class Candidates:
    """The candidates of a trained model.

    `start` is the model with which they are compared (None: there is none), by its name in `NAMES`;
    `initial` are the weights with which training began, if they were those of `start`.
    """

    trained: Model
    start: Model | None = None
    start_name: str = ""
    initial: dict[str, Any] | None = None

    @classmethod
    def of(cls, trained: Model, trials: StartTrials, bundled: Model | None) -> Candidates:
        """Return the candidates after `trials`; from random weights, the bundled model is the start."""
        name = trained.path.name.removeprefix(RUN_PREFIX)
        path = trials.starts[name]
        if path is None:
            return cls(trained, bundled, "bundled") if bundled else cls(trained)
        start = bundled if bundled and name == "bundled" else Model.open(path)
        return cls(trained, start, name, initial_weights(path, trials.corpus.labels))

    def of_trained(self, trained: Model) -> dict[float, Model]:
        """Return the candidates by share if `trained` is the trained model, as it is in cross-validation.

        All have the plans of the songs that were trained on, and the statistics of labels of the start model.
        """
        assert self.start is not None, "without a start model there is nothing to compare"
        found = {0.0: _without_default_label(replace(self.start, plans=trained.plans))}
        if "usual" in self.start.info:
            trained = replace(trained, info={**trained.info, "usual": self.start.info["usual"]})
        shares = SHARES if self.initial is not None else (1.0,)
        return found | {share: self._mixed(trained, share) for share in shares}

    def _mixed(self, trained: Model, share: float) -> Model:
        """The trained model with weights between the initial ones (share 0) and its own (share 1)."""
        if share == 1 or self.initial is None:
            return trained
        weights = {
            name: (self.initial[name] + share * (array.astype(np.float32) - self.initial[name])).astype(
                np.float32
            )
            for name, array in trained.weights.items()
        }
        return replace(trained, weights=weights)

    def unmeasured(self, why: str) -> tuple[Model, dict[str, Any]]:
        """Return the candidate that is kept where nothing is measured, and why: the start model, if any.

        After 15 steps on 5 piano pieces even the weights halfway composed 35% further from other pieces.
        """
        if self.start is None:
            return self.trained, {"kept": "learnt", "share": 1.0, "why": why, "nats_per_note": None}
        why = f"{why}, and training may make it worse"
        why = f"{NAMES[self.start_name]} is kept, with the plans of your songs: {why}"
        selection = {"kept": self.start_name, "share": 0.0, "why": why, "nats_per_note": None}
        return self.of_trained(self.trained)[0.0], selection

    def best(self, comparison: Comparison) -> tuple[Model, dict[str, Any]]:
        """Return the candidate that is kept by what was measured, the reason, and the figures of all."""
        figures = comparison.figures()
        best = best_candidate(figures)
        why = reason(figures, best, NAMES[self.start_name], comparison.judged_songs)
        selection: dict[str, Any] = {"kept": "learnt" if best["share"] else self.start_name, "why": why}
        selection["heldout_songs"] = comparison.judged_songs
        return self.of_trained(self.trained)[best["share"]], {**selection, **best, "candidates": figures}


def _without_default_label(model: Model) -> Model:
    """The model without a default label: the plans of the user's songs may not have that label."""
    return replace(model, info={key: value for key, value in model.info.items() if key != "defaults"})


def initial_weights(init: Path, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the weights with which training from a model begins: its own, and columns for new labels."""
    from ritornello.training.config import TrainConfig
    from ritornello.training.start import TrainingStart

    network = TrainingStart.of(TrainConfig(init=str(init)), labels).network
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
