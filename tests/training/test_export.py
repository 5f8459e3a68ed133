"""The model folder of a run: the best averaged weights, and the errors that these make on held-out songs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ritornello.legacy2018.messages import Messages
from ritornello.models.model import Model
from ritornello.training.export import export
from ritornello.training.start import TrainingStart
from tests.legacy2018.test_network import predict_next
from tests.training.test_loop import network, run, windows

DATA = {"corpus": "c", "hash": "0" * 64, "train_songs": 6, "heldout_songs": 2, "heldout": "held-out songs"}


@pytest.fixture
def exported(tmp_path: Path) -> Model:
    """A run of twelve steps whose best weights were those of step 8."""
    made = run(tmp_path / "run")
    made.train(*windows())
    made.best = {name: tensor + 0.01 for name, tensor in made.average.items()}
    made.state.best_step = 8
    start = TrainingStart(made.config, made.network, Messages(), "messages")
    export(made, start, windows()[1], [], DATA, tmp_path / "model")
    opened = Model.open(tmp_path / "model")
    assert all(np.array_equal(opened.weights[name], tensor.numpy()) for name, tensor in made.best.items())
    return opened


def test_the_card_and_the_facts_are_those_of_the_best_step(exported: Model) -> None:
    assert exported.info["training"]["best_step"] == 8
    assert exported.info["parameters"] == 11235
    assert "weights are those of step 8." in (exported.path / "card.md").read_text()


def test_residuals_are_what_the_shipped_weights_miss(exported: Model) -> None:
    heldout = windows()[1]
    crops = torch.from_numpy(heldout.take(heldout.evenly_spaced(2048)))  # (R, T+1, 3)
    shipped = network()
    shipped.load_state_dict({name: torch.from_numpy(array) for name, array in exported.weights.items()})
    with torch.no_grad():
        predicted = predict_next(shipped, crops[:, :-1]).numpy()
    missed = crops[:, -1].numpy() - predicted
    assert np.allclose(exported.tables["residuals"], missed, atol=1e-6)
    assert exported.info["measured"]["mean_error_note"] == pytest.approx(
        np.abs(missed[:, 0]).mean(), rel=1e-4
    )
    assert np.array_equal(exported.tables["seeds"], np.stack([heldout.rows.song(s)[:8] for s in (0, 1)]))
