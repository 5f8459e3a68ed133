"""`measure` as a user types it, with a network of random weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ritornello import Corpus, Model, __version__, midi
from ritornello.corpus.prepare import prepare
from ritornello.evaluation.measure import measure
from ritornello.legacy2018.network import OriginalNetwork
from ritornello.models import model as folder
from ritornello.models.lstm.network import Lstm
from ritornello.models.plan_vector import PlanEncoder
from ritornello.representations.notes import Notes
from tests.folders import Say, wandering, write_songs
from tests.models.chains import as_dicts

NAMES = {OriginalNetwork: "original", Lstm: "lstm"}


def write_model(path: Path, network: Any, data: dict[str, Any], labels: tuple[str, ...] = ()) -> None:
    info = {
        "ritornello": __version__,
        "representation": {"name": network.representation},
        "network": {"name": NAMES[type(network)], "config": network.settings()},
        "labels": labels,
        "data": data,
    }
    folder.write(path, info, {k: v.numpy() for k, v in network.state_dict().items()}, {}, "")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with songs, a corpus, a model that could have been trained on it, and an `original`."""
    home = tmp_path_factory.mktemp("home")
    write_songs(home / "midi", 100)
    prepare(home / "midi", home / "corpus", workers=1)
    torch.manual_seed(0)
    labels = ("folk", "game")
    sizes = {"width": 16, "layers": 1, "embedding": 4, "plan_size": PlanEncoder(labels).size}
    network = Lstm({"fields": as_dicts(Notes.fields), **sizes})
    data = {"corpus": "corpus", "hash": Corpus.open(home / "corpus").hash}
    write_model(home / "model", network, data, labels)
    write_model(home / "original", OriginalNetwork({}), data)
    return home


def test_a_corpus(say: Say, home: Path, tmp_path: Path) -> None:
    songs = Corpus.open(home / "corpus").songs("valid")
    out = tmp_path / "songs.csv"
    code, text, err = say("measure", home / "model", "--on", home / "corpus", "--csv", out)
    assert code == 0
    assert f"valid of {home / 'corpus'}: {len(songs)} songs" in text
    assert "the weights were chosen on this split" in text
    assert f"measuring: {len(songs)}/{len(songs)}" in err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 2 * len(songs)

    code, text, _ = say("measure", home / "model", "--on", home / "corpus", "--json", "--given", "none")
    found = json.loads(text)
    assert (found["songs"], found["held_out"], found["skipped"]) == (len(songs), True, {})
    assert found["model_hash"] == Model.open(home / "model").hash
    assert found["data_hash"] == Corpus.open(home / "corpus").hash
    assert list(found["given"]) == ["none"]
    figures = found["given"]["none"]
    assert sum(figures["by_field"].values()) == pytest.approx(figures["nats_per_note"])
    untold = [row for row in rows if row["given"] == "none"]
    nats = sum(float(row["nats"]) for row in untold) / sum(int(row["notes"]) for row in untold)
    assert nats == pytest.approx(figures["nats_per_note"], rel=1e-5)
    assert figures["reference"] > figures["nats_per_note"]


def test_a_folder_measures_as_its_corpus_does(say: Say, home: Path, tmp_path: Path) -> None:
    """The songs of a side, copied to a folder of their own, broken files beside them."""
    corpus = Corpus.open(home / "corpus")
    for number in corpus.songs("valid").tolist():
        name = corpus.info(number).name
        (tmp_path / "midi" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "midi" / name).write_bytes((home / "midi" / name).read_bytes())
    (tmp_path / "midi" / "page.mid").write_bytes(b"<html>")
    (tmp_path / "midi" / "empty.mid").write_bytes(b"")
    code, text, _ = say("measure", home / "model", "--on", tmp_path / "midi")
    assert code == 0
    assert "2 skipped:" in text
    assert "page.mid: not MIDI: begins with b'<html>'"[:28] in text
    assert "it is unknown whether the model was trained on these songs" in text
    there = measure(home / "model", home / "corpus")
    here = measure(home / "model", tmp_path / "midi")
    assert set(here["skipped"]) == {"page.mid", "empty.mid"}
    assert (here["split"], here["held_out"]) == (None, None)
    for given in ("plan", "none"):
        assert here["given"][given]["by_field"] == pytest.approx(there["given"][given]["by_field"], rel=1e-6)
    assert here["data_hash"] == measure(home / "model", tmp_path / "midi")["data_hash"]


def test_few_songs_have_no_interval(say: Say, home: Path, tmp_path: Path) -> None:
    for seed in range(3):
        midi.write(wandering(seed, 8), tmp_path / "few" / f"{seed}.mid")
    code, text, _ = say("measure", home / "model", "--on", tmp_path / "few")
    assert code == 0
    assert "3 songs" in text
    assert "fewer than 5 songs: no confidence interval" in text


def test_songs_that_were_learnt(say: Say, home: Path) -> None:
    text = say("measure", home / "model", "--on", home / "corpus", "--split", "train")[1]
    assert "the model was trained on these songs" in text


WRONG = {
    "a network without nats": (
        ["{home}/original", "--on", "{home}/corpus"],
        "'original' predicts numbers, not probabilities, so it has no nats; docs/original.md has its losses",
    ),
    "an empty side": (["{home}/model", "--on", "{tmp}/small", "--split", "test"], "has no song in test ("),
    "a side of a folder": (["{home}/model", "--on", "{home}/midi", "--split", "test"], "only a corpus has"),
    "nothing there": (["{home}/model", "--on", "{tmp}/no"], "no' does not exist: must be a folder"),
    "no songs": (["{home}/model", "--on", "{tmp}/empty"], "empty' contains no .mid"),
    "nothing but broken songs": (
        ["{home}/model", "--on", "{tmp}/broken"],
        "none of the 1 songs of '{tmp}/broken' can be measured: 'a.mid': not MIDI: begins with",
    ),
    "no model": (["{home}/midi", "--on", "{home}/corpus"], "midi' is not a model folder"),
    "no threads": (["{home}/model", "--on", "{home}/corpus", "--threads", "0"], "threads 0: must be 1-1024"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line(say: Say, home: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.mid").write_text("hello")
    if "{tmp}/small" in WRONG[case][0]:
        prepare(write_songs(tmp_path / "two", 2), tmp_path / "small", workers=1)
    words, says = WRONG[case]
    code, out, err = say("measure", *[word.format(tmp=tmp_path, home=home) for word in words])
    assert (code, out) == (2, "")
    message = [line for line in err.splitlines() if line.startswith("ritornello: ")]
    assert len(message) == 1
    assert says.format(tmp=tmp_path) in message[0]


def test_a_table_that_cannot_be_written_is_said_first(say: Say, home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = say(
        "measure", home / "model", "--on", home / "corpus", "--csv", tmp_path / "file" / "songs.csv"
    )
    assert code == 1
    assert "cannot write" in err
    assert "measuring" not in err


def test_groups_of_fields_can_be_hidden(say: Say, home: Path) -> None:
    options = ("--on", home / "corpus", "--given", "plan", "--json")
    _, everything, _ = say("measure", home / "model", *options)
    _, without_echo, _ = say("measure", home / "model", *options, "--hide", "echo, alone")
    shown, hidden = (
        json.loads(text)["given"]["plan"]["nats_per_note"] for text in (everything, without_echo)
    )
    assert shown != hidden
    code, _, err = say("measure", home / "model", "--on", home / "corpus", "--hide", "tune")
    assert code == 2
    assert "hide 'tune': must be one of alone, bars_left, cadence, chord, echo" in err
