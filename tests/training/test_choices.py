"""Networks that learn every row: they learn, resume to the last bit, begin from another model, open again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.errors import InputError
from ritornello.models.model import Model
from ritornello.representations.notes import Notes
from ritornello.training.batches import Batch
from ritornello.training.config import TrainConfig
from ritornello.training.crops import Crops
from ritornello.training.export import export, stored_plans
from ritornello.training.loop import TrainingRun
from ritornello.training.songs import EncodedSongs
from ritornello.training.start import TrainingStart
from tests.scores import tune

SIZES = {"width": 16, "layers": 1, "embedding": 4, "window": 16, "dropout": 0.1}
TINY = TrainConfig(
    "lstm", network_config=SIZES, steps=6, batch=4, measure_every=2, warmup_steps=2, heldout_windows=64
)
DATA = {"corpus": "c", "hash": "0" * 64, "train_songs": 2, "heldout_songs": 2, "heldout": "held-out songs"}


def crops(start: TrainingStart, seed: int = 0) -> Crops:
    songs = EncodedSongs([tune(), tune().transposed(2)], Notes(), [("fiddle",), ("jig",)])
    return Crops(songs, start.plan_encoder, 16, seed)


def run(folder: Path, config: TrainConfig = TINY, labels: tuple[str, ...] = ("fiddle", "jig")) -> TrainingRun:
    start = TrainingStart.of(config, labels)
    made = TrainingRun(folder, config, start.network, "data")
    made.start = start  # type: ignore[attr-defined]
    return made


def learn(made: Any) -> None:
    made.train(crops(made.start), crops(made.start))


def log(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.mark.parametrize("network", ["lstm", "transformer"])
def test_they_learn(tmp_path: Path, network: str) -> None:
    sizes = {**SIZES, "width": 32, "dropout": 0.0}
    config = replace(
        TINY, network=network, network_config=sizes, steps=60, measure_every=20, learning_rate=0.02
    )
    made = run(tmp_path, config)
    learn(made)
    losses = [line["heldout_loss"] for line in log(tmp_path)[1:]]
    assert losses[-1] < losses[0]
    assert losses[-1] < 6  # nats a row of a tune that is met again and again; by chance 24, measured 4.4
    assert made.state.best_loss == min(losses)


def test_a_run_cut_anywhere_ends_the_same(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    learn(whole)
    for cut in (1, 4):
        folder = tmp_path / str(cut)
        part: Any = run(folder)
        stop_after(part, cut)
        learn(part)
        part.save()
        resumed = run(folder)
        assert resumed.state.step == cut
        learn(resumed)
        for name, tensor in whole.average.items():
            assert torch.equal(tensor, resumed.average[name])
        assert log(folder)[-1] == log(tmp_path / "whole")[-1]


def test_patience_ends_early(tmp_path: Path) -> None:
    made = run(tmp_path, replace(TINY, steps=500, patience=2, learning_rate=1e-9))
    made.state.best_loss, made.state.best_step = -1.0, 2  # never reached again
    learn(made)
    assert made.state.step == 6


def test_epochs_become_steps(tmp_path: Path) -> None:
    made = run(tmp_path, replace(TINY, steps=None, epochs=2))
    learn(made)
    assert made.state.step == -(-2 * len(crops(made.start)) // 4)  # type: ignore[attr-defined]


def stop_after(made: Any, step: int) -> None:
    """A run that ends after that step, as if it were killed then; its schedule stays the long one's."""
    made._finished = lambda: made.state.step == step


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[Model]:
    made: Any = run(tmp_path / "run")
    learn(made)
    songs = crops(made.start)
    export(made, made.start, songs, stored_plans(songs.songs), DATA, tmp_path / "model")
    yield Model.open(tmp_path / "model")


def test_a_model_is_the_network_again(exported: Model) -> None:
    assert exported.labels == ("fiddle", "jig")
    assert [plan.genres[0][0] for plan in exported.plans] == ["fiddle", "jig"]
    assert exported.plans[0].bars == 4
    assert exported.plan_encoder.size == exported.info["network"]["config"]["plan_size"]
    network = exported.network_in_torch()
    assert np.array_equal(network.state_dict()["plan.weight"].numpy(), exported.weights["plan.weight"])
    assert "It knows the labels fiddle, jig." in (exported.path / "card.md").read_text()


def test_another_model_is_where_a_run_begins(exported: Model) -> None:
    config = replace(TINY, init=str(exported.path), network_config={})
    start = TrainingStart.of(config, ("blues", "jig"))
    assert start.labels == ("fiddle", "jig", "blues")
    assert start.init == exported.hash
    old, new = exported.weights["plan.weight"], start.network.state_dict()["plan.weight"].numpy()
    assert np.array_equal(new[:, :2], old[:, :2])
    assert np.allclose(new[:, 2], old[:, :2].mean(axis=1))
    assert np.array_equal(new[:, 3:], old[:, 2:])


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"network": "transformer"}, "network 'transformer', but .* has 'lstm'"),
        ({"network_config": {"width": 32}}, "width 32, but .* has 16"),
        ({"representation": "chorale"}, "representation 'chorale', but .* has 'notes'"),
    ],
)
def test_what_does_not_fit_the_other_model_is_refused(
    exported: Model, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        TrainingStart.of(replace(TINY, init=str(exported.path), **{"network_config": {}, **changes}), ())


def test_a_row_counts_the_same_in_any_piece_of_a_measurement(tmp_path: Path) -> None:
    made: Any = run(tmp_path)
    sample = crops(made.start).sample(10**6)
    whole = made._measure(sample)["heldout_loss"]
    twice = Batch(*(np.concatenate([part, part]) for part in sample))  # type: ignore[arg-type]
    assert made._measure(twice)["heldout_loss"] == pytest.approx(whole, rel=1e-5)
    object.__setattr__(made.config, "batch", 1)
    assert made._measure(sample)["heldout_loss"] == pytest.approx(whole, rel=1e-5)


PROGRAM = """
import sys, torch
from pathlib import Path
from dataclasses import replace
from tests.training.test_choices import *
from ritornello.training.distributed import TrainingProcess
config = replace(TINY, network_config={**SIZES, "dropout": 0.0})
process = TrainingProcess.of("cpu", "float32", 1, True)
start = TrainingStart.of(config, ("fiddle", "jig"))
with process.in_turn():
    made = TrainingRun(Path(sys.argv[1]), config, start.network, "data", process)
made.train(crops(start), crops(start))
process.total(0.0)
process.leave()
"""


@pytest.mark.slow
def test_two_processes_are_as_one(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(PROGRAM)
    found = []
    for count in (1, 2):
        folder = tmp_path / str(count)
        command = ["torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", *command, str(tmp_path / "two.py"), str(folder)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([".", *sys.path]), "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        lines = log(folder)
        found.append([line["loss"] for line in lines] + [line["heldout_loss"] for line in lines[1:]])
    assert len(found[0]) == 4 + 3
    assert found[1] == pytest.approx(found[0], rel=1e-4)  # sums of floats in another order
