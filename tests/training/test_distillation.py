"""Models that teach: their mean, what it costs not to follow it, whom they can teach, what is remembered."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ritornello.errors import InputError
from ritornello.models.lstm.network import Lstm
from ritornello.models.model import Model
from ritornello.training.config import TrainConfig
from ritornello.training.distillation import TEACHER_SHARE, TeacherEnsemble
from ritornello.training.export import export, stored_plans
from ritornello.training.loop import TrainingRun
from ritornello.training.start import TrainingStart
from tests.models.chains import learnt, network, rows
from tests.training.test_choices import DATA, SIZES, TINY, crops, log

CPU = torch.device("cpu")
LABELS = ("fiddle", "jig")


def made(folder: Path, labels: tuple[str, ...] = LABELS, **changes: Any) -> Model:
    """A model of two tunes."""
    start = TrainingStart.of(replace(TINY, **changes), labels)
    run, songs = TrainingRun(folder / "run", start.config, start.network, "data"), crops(start)
    run.train(songs, songs)
    export(run, start, songs, stored_plans(songs.songs), DATA, folder / "model")
    return Model.open(folder / "model")


@pytest.fixture
def teacher(tmp_path: Path) -> Model:
    return made(tmp_path / "teacher")


def taught(folder: Path, teacher: Model, **changes: Any) -> TrainingRun:
    """A run that has not begun."""
    start = TrainingStart.of(replace(TINY, teachers=[str(teacher.path)], **changes), LABELS)
    teachers = TeacherEnsemble.of([str(teacher.path)], start, CPU)
    run = TrainingRun(folder, start.config, start.network, "data", None, teachers)
    run.start = start  # type: ignore[attr-defined]
    return run


def test_their_chances_are_averaged() -> None:
    two = [network(Lstm, seed=seed, dropout=0.5).eval() for seed in (0, 1)]
    values = rows(3, 5)
    found = TeacherEnsemble(two)(values, None)  # type: ignore[arg-type]
    for name, chances in found.items():
        one, other = (net(values)[name].softmax(-1) for net in two)
        assert torch.allclose(chances, (one + other) / 2, atol=1e-6)
        assert not chances.requires_grad


def test_teachers_who_know_the_song_say_what_the_song_says() -> None:
    net, values = network(Lstm), rows(3, 5)
    with torch.no_grad():
        predictions, targets = net(values), net.targets(values, learnt(values))
    losses = net.loss(predictions, values, learnt(values))
    sure = {
        name: torch.nn.functional.one_hot(target.clamp(min=0), predictions[name].shape[-1]).float()
        for name, target in targets.items()
    }
    found = TeacherEnsemble([]).add_loss(losses, predictions, targets, sure)
    assert float(found["taught"]) == pytest.approx(float(losses["loss"]), rel=1e-5)
    assert float(found["loss"]) == pytest.approx(float(losses["loss"]), rel=1e-5)
    assert found["a"] is losses["a"]


def test_what_it_costs_not_to_follow_them() -> None:
    # one row of one choice of two classes; the network says 1:3, so -ln 1/4 and -ln 3/4; the teacher halves
    predictions = {"a": torch.tensor([[[0.0, 0.0], [0.0, math.log(3)]]])}
    targets = {"a": torch.tensor([[-100, 1]])}
    halves = {"a": torch.full((1, 2, 2), 0.5)}
    losses = {"loss": torch.tensor(-math.log(0.75))}
    found = TeacherEnsemble([]).add_loss(losses, predictions, targets, halves)
    cost = -(math.log(0.25) + math.log(0.75)) / 2
    assert float(found["taught"]) == pytest.approx(cost, rel=1e-6)
    assert float(found["loss"]) == pytest.approx(
        TEACHER_SHARE * cost - (1 - TEACHER_SHARE) * math.log(0.75), rel=1e-6
    )


def test_a_network_comes_to_say_what_its_teacher_says(tmp_path: Path) -> None:
    long = {"steps": 120, "learning_rate": 0.02, "measure_every": 60}
    run = taught(tmp_path / "taught", made(tmp_path, **long), **long, seed=3)
    songs: Any = crops(run.start)  # type: ignore[attr-defined]
    assert run.teachers is not None

    def apart() -> float:
        batch = songs.batch(1000, 8)
        values, plan = torch.from_numpy(batch.values), torch.from_numpy(batch.plan)
        run.network.eval()
        with torch.no_grad():
            own, theirs = run.network(values, plan), run.teachers(values, plan)  # type: ignore[misc]
        gaps = [own[name].softmax(-1) - theirs[name] for name in own]
        return float(torch.stack([gap.abs().sum(-1).mean() for gap in gaps]).mean())

    before = apart()
    run.train(songs, songs)
    assert apart() < 0.5 * before


def test_measurements_are_of_the_song_alone(tmp_path: Path, teacher: Model) -> None:
    run = taught(tmp_path / "run", teacher)
    sample = crops(run.start).sample(10**6)  # type: ignore[attr-defined]
    found = run._measure(sample)
    run.teachers = None
    assert run._measure(sample) == found
    assert "heldout_taught" not in found


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path, teacher: Model) -> None:
    whole: Any = taught(tmp_path / "whole", teacher)
    whole.train(crops(whole.start), crops(whole.start))
    for step in (4, 6):
        part: Any = taught(tmp_path / "parts", teacher)
        part._finished = lambda part=part, step=step: part.state.step == step
        part.train(crops(part.start), crops(part.start))
    assert log(tmp_path / "parts") == log(tmp_path / "whole")
    assert "taught" in log(tmp_path / "whole")[-1]


def test_a_run_has_the_same_teachers_to_its_end(tmp_path: Path, teacher: Model) -> None:
    taught(tmp_path / "run", teacher)
    shutil.rmtree(teacher.path)
    other = made(teacher.path.parent / "anew", seed=1)
    other.path.rename(teacher.path)
    with pytest.raises(InputError, match=f"taught_by was .*{teacher.hash}.*, is .*{other.hash}"):
        taught(tmp_path / "run", Model.open(teacher.path))


def test_the_model_says_who_taught_it(tmp_path: Path, teacher: Model) -> None:
    run: Any = taught(tmp_path / "run", teacher)
    songs = crops(run.start)
    run.train(songs, songs)
    export(run, run.start, songs, stored_plans(songs.songs), DATA, tmp_path / "model")
    info = json.loads((tmp_path / "model" / "model.json").read_text())
    assert info["training"]["teachers"] == [teacher.hash]
    assert (
        f"Its teachers were the models {teacher.hash[:12]}." in (tmp_path / "model" / "card.md").read_text()
    )
    assert run.config.models == [str(teacher.path)]


def test_who_cannot_teach_is_refused(tmp_path: Path, teacher: Model) -> None:
    one = [str(teacher.path)]
    others = TrainingStart.of(TINY, ("jig",))
    with pytest.raises(InputError, match="has the labels fiddle, jig: must be jig"):
        TeacherEnsemble.of(one, others, CPU)
    chorale = TrainingStart.of(replace(TINY, representation="chorale"), LABELS)
    with pytest.raises(InputError, match="has other fields than the network"):
        TeacherEnsemble.of(one, chorale, CPU)
    with pytest.raises(InputError, match="'original' predicts no probabilities"):
        TeacherEnsemble.of(one, TrainingStart.of(TrainConfig("original", steps=1), LABELS), CPU)


def test_a_teacher_of_another_size_will_do(tmp_path: Path) -> None:
    wide = made(tmp_path, network_config={**SIZES, "width": 32})
    run = taught(tmp_path / "taught", wide)
    songs = crops(run.start)  # type: ignore[attr-defined]
    run.train(songs, songs)
    assert math.isfinite(run.state.best_loss)
