"""A network, a representation and a loss in a user's file: the examples of CONTRIBUTING.md, end to end."""

from __future__ import annotations

import json
import logging
import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import ritornello as r
from ritornello.errors import InputError, ModelError
from ritornello.models import registry
from ritornello.models.torch_step import TorchStep
from ritornello.music.plan import Plan
from tests.folders import Say, wandering, write_songs

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
EXAMPLES = {
    match[1]: match[0]
    for match in re.finditer(r"# (\w+\.py)\n.*?(?=^```)", PAGE.read_text("utf-8"), re.M | re.S)
}
SHORT: dict[str, Any] = {"steps": 4, "batch": 4, "measure_every": 2, "heldout_windows": 64, "threads": 1}
OWN_STEP = """
import torch

from ritornello.models.lstm.network import Lstm
from ritornello.models.lstm.step import LstmStep

class Own(Lstm):
    pass

class OwnStep(LstmStep):
    pass

class Named(Lstm):
    step = OwnStep

class Counting(Lstm):
    def __init__(self, config):
        super().__init__(config)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, values, plan=None):
        self.calls += 1
        return super().forward(values, plan)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny corpus and the files of the page."""
    home = tmp_path_factory.mktemp("home")
    write_songs(home / "midi", 24, notes=16)
    r.prepare(home / "midi", home / "corpus", workers=1)
    for name, text in EXAMPLES.items():
        (home / name).write_text(text, encoding="utf-8")
    (home / "own.py").write_text(OWN_STEP, encoding="utf-8")
    return home


def test_the_page_has_the_three_examples() -> None:
    assert set(EXAMPLES) == {"my_net.py", "my_rows.py", "my_loss.py"}
    assert max(len(text.splitlines()) for text in EXAMPLES.values()) <= 40


@pytest.mark.parametrize(
    "kinds", [("network",), ("representation",), ("loss",), ("network", "representation", "loss")]
)
def test_train_measure_compose_and_replay(
    say: Say, home: Path, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    """The commands, each with the options that name the files."""
    files = {"network": "my_net.py:MyNet", "representation": "my_rows.py:MyRows", "loss": "my_loss.py:MyLoss"}
    own = [word for kind in kinds for word in (f"--{kind}", f"{home}/{files[kind]}")]
    model, song = tmp_path / "model", tmp_path / "song.mid"
    short = ["--steps", 3, "--batch", 4, "--window", 32]
    short += [] if "network" in kinds else ["--size", "tiny"]
    assert say("train", home / "corpus", "--out", model, *short, *own)[0] == 0

    code, text, err = say("measure", model, "--on", home / "corpus", "--split", "test", *own, "--json")
    assert code == 0, err
    assert json.loads(text)["given"]["plan"]["nats_per_note"] > 0

    code, _, err = say("compose", model, "--bars", 2, "--seed", 3, "-o", song, *own, "-q")
    assert code == 0, err
    rows = ["--representation", f"{home}/my_rows.py:MyRows"] if "representation" in kinds else []
    again = tmp_path / "again.mid"
    code, _, err = say("compose", "--recipe", tmp_path / "song.json", "-o", again, *rows, "-q")
    assert code == 0, err
    assert again.read_bytes() == song.read_bytes()


def test_what_is_not_named_is_asked_for(say: Say, home: Path, tmp_path: Path) -> None:
    own = {"network": f"{home}/my_net.py:MyNet", "representation": f"{home}/my_rows.py:MyRows"}
    model = r.train(home / "corpus", tmp_path / "model", network_config={"window": 16}, **own, **SHORT)
    assert model.info["network"]["name"] == "my_net.py:MyNet"  # no path of this machine
    assert len(model.info["network"]["sha256"]) == len(model.info["representation"]["sha256"]) == 64
    r.compose(model, bars=2, seed=1).write(tmp_path / "song.json")

    code, _, err = say("measure", model.path, "--on", home / "corpus")
    assert code == 1 or code == 2
    assert "add --representation FILE.py:CLASS" in err
    code, _, err = say("compose", model.path, "--representation", own["representation"])
    assert "was trained with the network 'my_net.py:MyNet'" in err
    assert "add --network FILE.py:CLASS" in err
    code, _, err = say("compose", "--recipe", tmp_path / "song.json")
    assert code == 2
    assert "add --representation FILE.py:CLASS" in err
    with pytest.raises(InputError, match="with a file that exists"):
        r.Model.open(model.path, network="nowhere.py:MyNet")


def test_a_file_that_has_changed_is_a_warning(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = tmp_path / "my_net.py"
    network.write_text(EXAMPLES["my_net.py"], encoding="utf-8")
    loss = f"{home}/my_loss.py:MyLoss"
    r.train(home / "corpus", tmp_path / "m", network=f"{network}:MyNet", loss=loss, **SHORT)
    with caplog.at_level(logging.WARNING):
        r.Model.open(tmp_path / "m", network=f"{network}:MyNet", loss=loss)
        assert not caplog.records
        network.write_text(EXAMPLES["my_net.py"] + "\n# a line more\n", encoding="utf-8")
        opened = r.Model.open(tmp_path / "m", network=f"{network}:MyNet")
    assert "its SHA-256 differs" in caplog.text
    assert type(opened.network_in_torch()).__name__ == "MyNet"


def test_a_model_without_a_file_takes_none(home: Path, tmp_path: Path) -> None:
    r.train(home / "corpus", tmp_path / "m", network_config={"size": "tiny", "window": 16}, **SHORT)
    with pytest.raises(ModelError, match=r"trained with the network 'lstm', not .*: leave out --network"):
        r.Model.open(tmp_path / "m", network=f"{home}/my_net.py:MyNet")
    with pytest.raises(ModelError, match=r"its network's own loss, not .*: leave out --loss"):
        r.Model.open(tmp_path / "m", loss=f"{home}/my_loss.py:MyLoss")


@pytest.mark.parametrize("name", ["Own", "Named"])
def test_a_numpy_step_in_the_file_is_used(home: Path, tmp_path: Path, name: str) -> None:
    own = f"{home}/own.py:{name}"
    model = r.train(home / "corpus", tmp_path / "m", network=own, network_config={"size": "tiny"}, **SHORT)
    assert type(model.step()).__name__ == "OwnStep"
    built_in = r.Model(
        model.path,
        {**model.info, "network": {**model.info["network"], "name": "lstm"}},
        model.weights,
        {},
        model.plans,
        sketch=model.sketch,
    )
    assert r.compose(model, bars=2, seed=1).score == r.compose(built_in, bars=2, seed=1).score


def test_a_buffer_of_integers_is_kept(home: Path, tmp_path: Path) -> None:
    own = f"{home}/own.py:Counting"
    model = r.train(home / "corpus", tmp_path / "m", network=own, network_config={"size": "tiny"}, **SHORT)
    assert model.weights["calls"].dtype == "int64"
    assert model.weights["calls"] >= 2
    assert isinstance(model.step(), TorchStep)


def test_training_goes_on_from_a_model_of_a_users_network(home: Path, tmp_path: Path) -> None:
    network = f"{home}/my_net.py:MyNet"
    first = r.train(home / "corpus", tmp_path / "a", network=network, **SHORT)
    second = r.train(home / "corpus", tmp_path / "b", network=network, init=str(first.path), **SHORT)
    assert second.info["training"]["init"] == first.hash
    assert second.labels == first.labels


def test_the_representation_of_the_page_keeps_what_it_says(home: Path) -> None:
    rows = registry.find("representations", f"{home}/my_rows.py:MyRows")()
    for seed in range(5):
        song, dropped = rows.canonical(wandering(seed))
        assert song == rows.canonical(song)[0] == rows.decode(rows.encode(song).values, Plan.of(song))
        assert set(dropped) == {"notes"}


def test_an_entry_point_of_another_package_is_found(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A faked package `tonnetz` without a numpy step: its network composes through torch."""
    (tmp_path / "tonnetz.py").write_text(EXAMPLES["my_net.py"], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint("tonnetz", "tonnetz:MyNet", group)] if group == "ritornello.networks" else []

    monkeypatch.setattr(registry, "entry_points", entry_points)
    assert "tonnetz" in registry.names("networks")
    model = r.train(home / "corpus", tmp_path / "m", network="tonnetz", **SHORT)
    assert model.info["network"]["name"] == "tonnetz"
    opened = r.Model.open(tmp_path / "m")
    assert isinstance(opened.step(), TorchStep)
    assert r.compose(opened, bars=1, seed=1).recipe.model["network"] == "tonnetz"
