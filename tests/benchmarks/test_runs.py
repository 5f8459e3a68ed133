"""Quick benchmarks run on a tiny folder of MIDI files and on its corpus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import ritornello
from benchmarks.__main__ import main
from tests.folders import write_songs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 40 MIDI files of two labels."""
    return write_songs(tmp_path_factory.mktemp("songs"), 40)


@pytest.fixture(scope="module")
def corpus(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus") / "corpus"
    ritornello.prepare(folder, out, workers=1)
    return out


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What a benchmark prints."""
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def test_prepare(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "prepare", folder, "--sample", 4, "--workers", 1)
    assert json.loads(out.split("all files: ")[1])["kept"] == 40


def test_robust(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "robust", folder, "--mutations", 40, "--readers", 10, "--workers", 1)
    assert "40 mutations of 40 files" in out
    assert "crashed, hung or out of memory: 0" in out


def test_duplicates(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "duplicates", folder, "--work", tmp_path, "--songs", 100)
    assert "40 real songs, 240 copies" in out
    assert "40 real songs: 40 kept" in out


def test_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "rows", folder, "--songs", 2)
    assert out.splitlines()[-1].startswith("all candidates")


def test_chords_of_files_without_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "| others | 0 | 0 |" in run(capsys, "chords", folder)


def test_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "rules", folder, "--songs", 2, "--genre", "game")
    assert out.startswith("2 songs, ")
    assert "forbidden" in out


def test_candidates(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "| folk | " in run(capsys, "candidates", corpus, "--side", "train")


def test_loader(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "loader", corpus, "--songs", 100, "--steps", 2, "--sizes")
    assert "with the cache: " in out and "without: " in out


def test_velocity_bins(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Representations and networks that are changed for a benchmark still train and are measured."""
    out = run(capsys, "velocity-bins", corpus, "--out", tmp_path, "--steps", 1)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    nats = {
        line["bins"]: line["nats_per_note"]
        for line in lines
        if line.get("given") == "none" and "bins" in line
    }
    assert nats["16"] < nats["32"]


def test_the_ngram_composes_songs_of_the_bars_asked_for(corpus: Path) -> None:
    from benchmarks.judge.ngram import Ngram
    from ritornello.music.timeline import Timeline

    opened = ritornello.Corpus.open(corpus)
    ngram = Ngram([opened.score(int(song)) for song in opened.songs("train")])
    first, second = ngram.songs([4, 8], seed=0)
    assert [len(Timeline.of(song)) for song in (first, second)] == [4, 8]
    assert ngram.songs([4, 8], seed=0) == [first, second]


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_the_step_in_torch_does_what_the_numpy_step_does(name: str) -> None:
    from benchmarks.compose import steps
    from ritornello.models import registry
    from ritornello.models.plan_vector import PlanEncoder

    torch.manual_seed(0)
    plan_size = PlanEncoder(["a"]).size
    settings = {"fields": [field._asdict() for field in steps.FIELDS], "size": "tiny", "plan_size": plan_size}
    network = registry.find("networks", name)(settings).eval()
    weights = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    in_numpy = registry.find("steps", name)(weights, network.settings())
    plans = np.random.default_rng(0).random((2, plan_size))
    fields = [field.name for field in steps.FIELDS]
    with torch.inference_mode():
        in_torch = steps.InTorch(network)
        for step in (in_numpy, in_torch):
            step.start(plans)
        for row in steps.random_rows(2, 2).swapaxes(0, 1):
            for step in (in_numpy, in_torch):
                step.begin({field: row[:, column] for column, field in enumerate(fields[: steps.FIRST])})
            for column, field in enumerate(steps.FIELDS[steps.FIRST :], steps.FIRST):
                if field.kind == "choice":
                    np.testing.assert_allclose(
                        in_numpy.logits(field.name), in_torch.logits(field.name), atol=1e-4
                    )
                for step in (in_numpy, in_torch):
                    step.put(field.name, row[:, column])
            for step in (in_numpy, in_torch):
                step.advance()
