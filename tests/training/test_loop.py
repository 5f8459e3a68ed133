"""The loop: it learns, resumes to the last bit, refuses another configuration, never keeps a NaN."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.errors import FailedError, InputError, OutputError
from ritornello.legacy2018.network import OriginalNetwork
from ritornello.training.batches import SongRows, Windows
from ritornello.training.config import TrainConfig
from ritornello.training.loop import TrainingRun

SMALL = TrainConfig(steps=12, batch=8, measure_every=4, warmup_steps=3, heldout_windows=32)


def scales(songs: int = 6) -> SongRows:
    """Songs that run up and down a scale in even steps: on, off, on, off."""
    degrees = np.array([0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2])
    rows = []
    for song in range(songs):
        pitch = 55 + song + degrees[np.arange(40) % len(degrees)]
        message = np.stack([np.repeat(pitch, 2), np.tile([80, 0], 40), np.tile([0, 240], 40)], axis=1)
        rows.append(message / [128, 128, 1920])
    return SongRows(np.concatenate(rows).astype(np.float32), np.cumsum([0] + [80] * songs))


def network(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return OriginalNetwork({"window": 8})


def run(folder: Path, config: TrainConfig = SMALL) -> TrainingRun:
    return TrainingRun(folder, config, network(config.seed), "data")


def windows() -> tuple[Windows, Windows]:
    return Windows(scales(), 8, 0), Windows(scales(2), 8, 0)


def log(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def test_it_learns(tmp_path: Path) -> None:
    # the note's loss is hilly, and where it ends depends on the processor; the other two are smooth
    made = run(tmp_path, replace(SMALL, steps=150, measure_every=50))
    untrained = smooth(made._measure(windows()[1].sample(32)))
    made.state.best_step, made.state.best_loss = 0, float("inf")
    made.train(*windows())
    first, *lines = log(tmp_path)
    assert (first["step"], "heldout_loss" in first) == (1, False)
    assert smooth(lines[-1]) < 0.75 * untrained  # measured: 0.57
    assert made.state.best_loss == min(line["heldout_loss"] for line in lines)


def smooth(losses: dict[str, float]) -> float:
    return losses["heldout_velocity"] + losses["heldout_delta"]


def test_a_run_cut_anywhere_ends_the_same(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    whole.train(*windows())
    for cut in (1, 4, 7, 11):
        folder = tmp_path / str(cut)
        part = run(folder)
        stop_after(part, cut)
        resumed = run(folder)
        assert resumed.state.step == cut
        resumed.train(*windows())
        assert log(folder) == log(tmp_path / "whole")
        for name, tensor in whole.average.items():
            assert torch.equal(tensor, resumed.average[name])
            assert torch.equal(whole.best[name], resumed.best[name])


def stop_after(made: TrainingRun, steps: int) -> None:
    """Train some steps and press Ctrl-C; `stopped` says that it was heard."""

    def press(state: Any, losses: dict[str, float]) -> None:
        if state.step == steps:
            os.kill(os.getpid(), signal.SIGINT)

    # the key is heard after the step it was pressed in; so press one step early
    steps -= 1
    if steps:
        made.train(*windows(), press)
    else:
        train, heldout = windows()
        before = made._step
        made._step = lambda t: (os.kill(os.getpid(), signal.SIGINT), before(t))[1]  # type: ignore[method-assign]
        made.train(train, heldout)
    assert made.stopped


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    run(tmp_path).save()
    with pytest.raises(InputError, match=r"batch was 8, is 9; seed was 0, is 1\. Give the old values"):
        run(tmp_path, replace(SMALL, batch=9, seed=1))


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run(tmp_path).save()
    file = tmp_path / "checkpoint" / "state.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"state\.safetensors' is damaged .* remove it to start again"):
        run(tmp_path)


def test_a_damaged_config_is_named(tmp_path: Path) -> None:
    run(tmp_path).save()
    for damage in (lambda file: file.write_text("{"), Path.unlink):
        damage(tmp_path / "checkpoint" / "config.json")
        with pytest.raises(InputError, match=r"config\.json' is damaged .* to start again"):
            run(tmp_path)


def test_half_a_line_of_the_log_or_none_does_no_harm(tmp_path: Path) -> None:
    made = run(tmp_path)
    made.train(*windows())
    whole = log(tmp_path)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 16, "sec')
    run(tmp_path)
    assert log(tmp_path) == whole
    (tmp_path / "log.jsonl").unlink()
    run(tmp_path)
    assert log(tmp_path) == []


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    made = run(tmp_path)
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(OutputError, match=r"log\.jsonl': No space left on device"):
        made.train(*windows())


def test_the_averaged_weights_are_measured(tmp_path: Path) -> None:
    made = run(tmp_path)
    train, heldout = windows()
    made.train(train, heldout)
    values = torch.from_numpy(heldout.take(heldout.evenly_spaced(SMALL.heldout_windows)))
    learn = torch.zeros(values.shape, dtype=torch.bool)
    learn[:, -1] = True
    averaged = network(seed=9)
    averaged.load_state_dict(made.average)
    with torch.no_grad():
        loss = float(averaged.loss(averaged(values), values, learn)["loss"])
    assert log(tmp_path)[-1]["heldout_loss"] == pytest.approx(loss, rel=1e-5)


def test_gradients_are_clipped(tmp_path: Path) -> None:
    made = run(tmp_path)
    made._step(windows()[0])
    gradients = [weight.grad for weight in made.network.parameters()]
    assert float(torch.stack([g.square().sum() for g in gradients]).sum().sqrt()) == pytest.approx(
        1, abs=1e-3
    )


def test_a_loss_that_is_not_finite_stops_and_is_not_kept(tmp_path: Path) -> None:
    made = run(tmp_path)
    before = made._step

    def spoil(train: Windows) -> dict[str, float]:
        if made.state.step == 6:
            with torch.no_grad():
                made.network.dense.bias.fill_(float("nan"))
        return before(train)

    made._step = spoil  # type: ignore[method-assign]
    with pytest.raises(FailedError, match=r"the loss is nan at step 6: try a learning rate below 0\.002"):
        made.train(*windows())
    assert all(torch.isfinite(tensor).all() for tensor in run(tmp_path).network.state_dict().values())
    assert run(tmp_path).state.step == 4


@pytest.mark.slow
def test_killed_with_signal_9_at_ten_random_moments(tmp_path: Path) -> None:
    program = (
        "from tests.training.test_loop import *; import sys\n"
        "from dataclasses import replace\n"
        "made = run(Path(sys.argv[1]), replace(SMALL, steps=400, measure_every=20))\n"
        "made.train(*windows()); print('done')"
    )

    def start(folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
        )

    assert start(tmp_path / "whole").communicate()[0] == "done\n"
    draw = np.random.default_rng(0)
    for _ in range(10):
        process = start(tmp_path / "killed")
        time.sleep(float(draw.uniform(1.5, 3.5)))
        process.kill()
        process.communicate()
    assert start(tmp_path / "killed").communicate()[0] == "done\n"
    assert log(tmp_path / "killed") == log(tmp_path / "whole")
