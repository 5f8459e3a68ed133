"""The benchmark `coherence`: it composes what is missing, and a table has people beside each column."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ritornello
from benchmarks.__main__ import main
from benchmarks.coherence import given_sketches
from benchmarks.coherence import songs as made
from benchmarks.coherence.coherence import cell, measure_as_long, measure_parts, table_of_label
from benchmarks.coherence.sketch_numbers import NAMES, sketch_numbers
from benchmarks.coherence.sketches import detected
from benchmarks.coherence.songs import Settings, check_settings, draw, full_bars, settings_of
from ritornello import midi
from ritornello.composing import compose, generate
from ritornello.corpus.corpus import Corpus
from ritornello.errors import PlanError
from ritornello.evaluation import detector
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import Meter, Part, Score
from tests.folders import wandering
from tests.sketching.sketchers import WHOLE_PLAN


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus whose held-out songs are enough to be composed like."""
    for seed in range(60):
        path = tmp_path / "songs" / "fiddle" / f"{seed}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        midi.write(wandering(seed, 96), path)
    ritornello.prepare(tmp_path / "songs", tmp_path / "corpus", workers=1)
    return tmp_path / "corpus"


def test_the_table_of_a_label_is_composed_once(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["coherence", corpus, "--out", tmp_path / "out", "--labels", "fiddle", "--bars", 4, "--arms"]
    arms = ["free", "as-long", "continued"]
    assert main([str(word) for word in [*words, *arms, "--songs", 2]]) == 0
    text = capsys.readouterr().out
    assert "|  | people | 4 bars | as long as people's | continued |" in text
    assert "| seam: same key heard | " in text
    assert text.split("\n\n")[1] in (tmp_path / "out" / "tables.md").read_text()
    found = json.loads((tmp_path / "out" / "tables.json").read_text())["fiddle"]
    assert found["4 bars"]["sounds after its last bar"]["composed"]["songs"] == 2
    songs = sorted((tmp_path / "out" / "fiddle" / "4-bars").iterdir())
    before = [song.read_bytes() for song in songs]
    songs[1].unlink()
    assert main([str(word) for word in [*words, "free", "--songs", 2]]) == 0
    assert [song.read_bytes() for song in songs] == before
    with pytest.raises(SystemExit, match="other settings"):
        main([str(word) for word in [*words, "free", "--songs", 2, "--no-rules"]])


def test_sketches_are_drawn_like_those_of_people(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sketches", str(corpus), "--labels", "fiddle", "game"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith(
        "| label | songs | detector AUC | most revealing number | bars that repeat an earlier one |"
    )
    (row,) = rows  # no song is of a game
    name, songs, detected_by, most, *cells = row.strip("| ").split(" | ")
    assert name == "fiddle" and int(songs) >= 6
    assert detected_by == most == ""  # too few songs
    assert all(0 <= float(value) < 20 for cell in cells for value in cell.split(" / "))


def test_sketches_of_another_kind_are_detected() -> None:
    other = replace(WHOLE_PLAN, returns=((-1, 0),) * 8)
    assert sketch_numbers(WHOLE_PLAN).shape == (len(NAMES),)
    found, most_by = detected([WHOLE_PLAN] * 20, [other] * 20, 0)
    assert found.startswith("1.00")
    assert most_by.endswith("/ 0.00)")  # of people's bars some return, of the others none
    same, _ = detected([WHOLE_PLAN] * 20, [WHOLE_PLAN] * 20, 0)
    assert float(same[:4]) <= 0.5


def test_songs_are_composed_from_the_sketches_of_people(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_sketches, "FEWEST", 1)
    monkeypatch.setattr(given_sketches, "detector", lambda *_: {"auc": 0.5, "interval": [0.4, 0.6]})
    made_from: list[list[Plan]] = []

    def composed(model: Model, plans: Sequence[Plan], seed: int) -> list[Score]:
        made_from.append(list(plans))
        return [wandering(0)]

    monkeypatch.setattr(given_sketches, "composed", composed)
    assert main(["given-sketches", str(corpus), "--labels", "fiddle", "--songs", "3"]) == 0
    assert capsys.readouterr().out.endswith("| fiddle | 3 | 0.50 (0.40-0.60) | 0.50 (0.40-0.60) |\n")
    people, drawn = made_from
    assert [plan.sketch for plan in people] != [plan.sketch for plan in drawn]
    assert [plan.bars for plan in people] == [plan.bars for plan in drawn]
    found = Corpus.open(corpus, verify=False)
    songs = given_sketches.held_out(found, "fiddle", 3)
    assert [plan.bars for plan in people] == [full_bars(song) for song in songs]


def test_options_must_be_those_of_compose(tmp_path: Path) -> None:
    model = compose.opened_model(None)
    given = argparse.Namespace(option=["creativity=0.7", "key=D minor"], seed=3, no_rules=True)
    settings = settings_of(given, model)
    assert settings == Settings(model.hash, 3, False, {"creativity": 0.7, "key": "D minor"})
    check_settings(tmp_path, settings)
    check_settings(tmp_path, settings)
    with pytest.raises(PlanError, match="option 'loudness'"):
        settings_of(argparse.Namespace(option=["loudness=1"], seed=0, no_rules=False), model)


def test_rules_can_be_left_out() -> None:
    with made.sampling_rules(False):
        assert generate.sample.keywords == {"rules": ()}  # type: ignore[attr-defined]
    assert not hasattr(generate.sample, "keywords")


def test_bars_are_full_ones() -> None:
    pickup = Score.of(
        24, [0, 24, 120], [24, 96, 96], [60] * 3, [64] * 3, meters=[Meter(0, 1, 4), Meter(24, 4, 4)]
    )
    assert full_bars(pickup) == 2
    silent = Score.of(24, [72, 96, 192], [24, 96, 96], [60] * 3, [64] * 3, meters=[Meter(0, 4, 4)])
    assert full_bars(silent) == 2
    files = [Path(f"{number}.mid") for number in range(9)]
    assert draw(files, 9, 0) == files
    assert len(draw(files, 4, 0)) == len(set(draw(files, 4, 0))) == 4


def test_a_part_that_is_missing_does_not_play() -> None:
    def song(parts: int) -> Score:
        onset = np.tile(np.arange(0, 16 * 96, 24), parts)
        part = np.repeat(np.arange(parts), len(onset) // parts)
        ones = np.ones(len(onset), int)
        return Score.of(24, onset, 24 * ones, 60 * ones, 64 * ones, part, [Part()] * parts)

    found = measure_parts([song(3), song(2)], [song(3)], 3)["each part plays in 1/4 of the bars"]
    assert found["composed"]["value"] == 0.5
    assert found["human"]["value"] is None


def test_the_detector_is_in_the_column_of_equal_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "TREES", 10)
    ours, theirs = ([wandering(seed) for seed in seeds] for seeds in (range(20), range(50, 70)))
    found = measure_as_long(ours, theirs, 0)
    assert 0 <= found["detector AUC"]["composed"]["value"] <= 1
    text = table_of_label({"as long": found, "16 bars": {}})
    assert text.splitlines()[0] == "|  | people | as long | 16 bars |"
    assert "| detector AUC | 0.50 | 0." in text
    assert text.splitlines()[-1] == "| songs | 20 | 20 | 0 |"
    assert "detector AUC" not in measure_as_long(ours[:3], theirs, 0)


def test_cells() -> None:
    assert cell({"value": 0.125, "interval": [0.1, 0.2], "songs": 9}, True) == "12% (10%-20%)"
    assert cell({"value": 0.125, "interval": None, "songs": 2}, False) == "0.12"
    assert cell({"value": None, "interval": None, "songs": 0}, True) == ""
