"""The benchmarks `frame` and `sketch-fields`: one label alone is learnt, and groups are hidden one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ritornello
from benchmarks.__main__ import main
from benchmarks.frame import FIELD_GROUPS, FIELDS_HIDDEN, GIVEN, Nats, corpus_of_label, difference
from ritornello.errors import InputError
from tests.folders import write_songs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two labels with held-out songs."""
    home = tmp_path_factory.mktemp("frame")
    ritornello.prepare(write_songs(home / "songs", 60), home / "corpus", workers=1)
    return home / "corpus"


def run(*words: object) -> int:
    """Run a benchmark."""
    return main([str(word) for word in words])


def test_a_label_is_a_corpus_of_its_own(corpus: Path, tmp_path: Path) -> None:
    whole = ritornello.Corpus.open(corpus)
    folk = corpus_of_label(whole, "folk", tmp_path / "folk")
    for split in ("train", "valid", "test"):
        wanted = [song for song in whole.songs(split).tolist() if whole.info(song).labels == ("folk",)]
        assert folk.songs(split).tolist() == wanted
    assert len(folk.songs()) == folk.manifest["kept"] == folk.manifest["labels"]["folk"]
    assert folk.labels == ("folk",)
    song = int(folk.songs("test")[0])
    assert folk.score(song) == whole.score(song)
    assert corpus_of_label(whole, "folk", tmp_path / "folk").hash == folk.hash
    with pytest.raises(InputError, match="label 'jazz'"):
        corpus_of_label(whole, "jazz", tmp_path / "jazz")


def test_both_frames_are_trained_once_and_their_fields_hidden(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["frame", corpus, "--out", tmp_path, "--labels", "folk", "--steps", 2, "--batch", 2]
    words += ["--splits", "test", "valid"]
    assert run(*words) == 0
    text = capsys.readouterr().out
    assert all(f"| {name} | " in text for name in GIVEN)
    files = {frame: next(tmp_path.glob(f"folk-*-{frame}.json")) for frame in ("none", "key")}
    cells = {frame: json.loads(file.read_text()) for frame, file in files.items()}
    for frame, file in files.items():
        assert ritornello.Model.open(file.with_suffix("")).has_key_frame == (frame == "key")
    assert {cell["steps"] for cell in cells.values()} == {2}
    assert cells["none"]["nats"]["all"][0] == cells["key"]["nats"]["all"][0]
    for file in files.values():
        (file.with_suffix("") / "model.json").unlink()
    assert run(*words) == 0  # nothing is computed again
    assert capsys.readouterr().out == text


def test_groups_of_fields_are_hidden_one_by_one(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ritornello.train(corpus, tmp_path / "model", steps=1, batch=2, network_config={"size": "tiny"})
    assert run("sketch-fields", tmp_path / "model", corpus, "--out", tmp_path, "--songs", 2) == 0
    text = capsys.readouterr().out
    assert text.startswith("all: 2 songs, ")
    for group in FIELD_GROUPS:
        assert text.count(f"| without {group} | ") == text.count(f"| only {group} | ") == 2
    assert set(FIELDS_HIDDEN["only echo"]) == set(FIELD_GROUPS) - {"echo"}
    (file,) = tmp_path.glob("fields-*.json")
    nats = json.loads(file.read_text())["nats"]
    assert nats["without chord"][1] != nats["all"][1]


def test_differences_are_paired_by_song() -> None:
    more = Nats([10] * 6, [30.0, 60, 90, 30, 60, 90], [0.0] * 6)
    less = Nats([10] * 6, [20.0, 50, 80, 20, 50, 80], [0.0] * 6)
    assert difference(more, less, "total") == "1.000 (1.000 to 1.000)"
    assert difference(Nats([10], [5.0], [4.0]), Nats([10], [4.0], [2.0]), "pitch") == "0.200"
