"""The candidates of `learn` as models: the start model, the trained one, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.learning.model_selection import (
    CANDIDATES,
    START,
    Candidate,
    Comparison,
    best_candidate,
    candidate_of,
    reason,
)
from ritornello.learning.start_trials import RUN_PREFIX, StartTrials
from ritornello.models.model import Model

OF_SKETCH: tuple[str, ...] = ("sketch", "usual")  # keys of model.json for what learns quickly
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

    def of_trained(self, trained: Model) -> dict[Candidate, Model]:
        """Return the candidates if `trained` is the trained model, as it is in cross-validation.

        All have the plans of the songs that were trained on; the start model has its own style statistics.
        """
        assert self.start is not None, "without a start model there is nothing to compare"
        start = _without_default_label(replace(self.start, plans=trained.plans))
        has_sketch = trained.sketch is not None and self.start.sketch is not None
        shares = {0.0, 1.0} if self.initial is None else {candidate.share for candidate in CANDIDATES}
        shares -= set() if has_sketch else {0.0}
        chosen = (candidate for candidate in CANDIDATES if candidate.share in shares)
        return {START: start} | {candidate: self._model(trained, candidate) for candidate in chosen}

    def _model(self, trained: Model, candidate: Candidate) -> Model:
        """The model of a candidate other than the start model."""
        assert self.start is not None, "only a start model has candidates"
        if candidate.share == 0:
            sketch: dict[str, Any] = {
                name: value for name, value in trained.info.items() if name in OF_SKETCH
            }
            start = _without_default_label(replace(self.start, plans=trained.plans, sketch=trained.sketch))
            model = replace(start, info=start.info | sketch)
        else:
            model = self._mixed(trained, candidate.share)
        if candidate.temperature == 1:
            return model
        return replace(model, info={**model.info, "temperature": candidate.temperature})

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
            trained = Candidate(1.0)._asdict()
            return self.trained, {"kept": "learnt", **trained, "why": why, "nats_per_note": None}
        why = f"{why}, and training may make it worse"
        why = f"{NAMES[self.start_name]} is kept, with the plans of your songs: {why}"
        selection = {"kept": self.start_name, **START._asdict(), "why": why, "nats_per_note": None}
        return self.of_trained(self.trained)[START], selection

    def best(self, comparison: Comparison) -> tuple[Model, dict[str, Any]]:
        """Return the candidate that is kept by what was measured, the reason, and the figures of all."""
        figures = comparison.figures()
        best = best_candidate(figures)
        why = reason(figures, best, NAMES[self.start_name], comparison.judged_songs)
        kept = candidate_of(best)
        selection: dict[str, Any] = {"kept": self.start_name if kept == START else "learnt", "why": why}
        selection["heldout_songs"] = comparison.judged_songs
        return self.of_trained(self.trained)[kept], {**selection, **best, "candidates": figures}


def _without_default_label(model: Model) -> Model:
    """The model without a default label: the plans of the user's songs may not have that label."""
    return replace(model, info={key: value for key, value in model.info.items() if key != "defaults"})


def initial_weights(init: Path, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the weights with which training from a model begins: its own, and columns for new labels."""
    from ritornello.training.config import TrainConfig
    from ritornello.training.start import TrainingStart

    network = TrainingStart.of(TrainConfig(init=str(init)), labels).network
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
