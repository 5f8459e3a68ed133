"""The model that ships: what it was made of may be given away, it fits the wheel, and it composes unasked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing import compose as composer
from ritornello.models import fingerprints
from ritornello.music import theory
from ritornello.music.timeline import Timeline
from ritornello.system.files import sha256

# licences of transcriptions under which a model may be given away; see examples/bundle/rights.py
LICENCES = {"public domain", "no notice of rights", "BSD-3-Clause", "Artistic-1.0", "CC-BY-4.0"}
LICENCES |= {"CC0-1.0", "MIT", "Zlib", "public domain, or CC-BY-2.5 to 4.0"}
LABELS = {"chorale", "game", "fiddle", "drums"}
MAX_BYTES = 25 << 20

pytestmark = pytest.mark.skipif(
    not (composer.BUNDLED / "model.json").is_file(),
    reason="no model ships with this checkout (examples/bundled.py makes it)",
)


@pytest.fixture(scope="module")
def rights() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((composer.BUNDLED / "rights.json").read_bytes())
    return found


def test_the_list_of_files_is_the_one_that_the_model_names(rights: dict[str, Any]) -> None:
    data = composer.opened_model(None).info["data"]
    assert sha256((composer.BUNDLED / "rights.json").read_bytes()) == data["rights"]
    assert {source["name"]: source["files"] for source in data["sources"]} == {
        name: len(files) for name, files in rights["files"].items()
    }


def test_every_file_has_a_hash_and_every_label_a_licence(rights: dict[str, Any]) -> None:
    assert set(rights["files"]) == set(rights["sources"])
    for files in rights["files"].values():
        assert files
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in files.values())
    assert {source["licence"] for source in rights["sources"].values()} <= LICENCES
    assert all(source["composition"] and source["transcription"] for source in rights["sources"].values())
    labels = set(composer.opened_model(None).labels)
    # a source without a label has songs of several, some of them of their own
    assert labels >= {source["label"] for source in rights["sources"].values()} - {""}
    assert labels >= LABELS


def test_it_fits_the_wheel_and_its_card_names_every_source(rights: dict[str, Any]) -> None:
    assert sum(file.stat().st_size for file in composer.BUNDLED.iterdir()) <= MAX_BYTES
    card = composer.card()
    for source in rights["sources"].values():
        assert source["what"] in card
        assert source["licence"] in card
    for label, figures in composer.opened_model(None).info["measured"]["by_label"].items():
        assert f"| {label} | {figures['songs']:,} |" in card


def test_unasked_it_composes_a_label_that_the_judge_tells_as_little_as_any() -> None:
    song = composer.compose(bars=4, seed=1)
    marks = composer.opened_model(None).info["measured"]["judged"]
    ((label, _),) = song.plan.genres
    others = [mark["auc"] for mark in marks.values() if mark["songs"] >= 50]
    assert marks[label]["songs"] >= 50 and marks[label]["interval"][0] <= min(others)
    assert song.plan.full_bars == 4


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_what_is_redone_leads_on_to_what_follows(seed: int) -> None:
    """It steps on the given note after its bars, instead of piling up notes in their last moment."""
    tune = composer.compose(genre="fiddle", bars=16, key="D major", seed=seed).score
    for take in composer.redo(tune, "5-8", takes=2, seed=seed):
        bars = np.bincount(Timeline.of(take.score).bar_of(take.score.onset_ticks), minlength=16)
        kept = np.delete(bars, range(4, 8))
        assert bars[4:8].max() <= 1.5 * kept.max()


def test_bars_that_return_are_redone_otherwise() -> None:
    """Of bars 9-12, which repeat bars 1-4, the network is nearly sure; takes differ all the same."""
    tune = composer.compose(genre="fiddle", bars=32, key="D major", form="A8 A8 B8 B8", seed=7).score
    for seed in (2, 4, 5, 7):
        takes = composer.redo(tune, "9-12", takes=2, seed=seed)
        assert len({take.to_bytes() for take in takes}) == 2


def test_its_plans_name_nobody() -> None:
    """Of a training song nothing but its form is kept: no title, and no name but of instruments."""
    plans = composer.opened_model(None).plans
    assert {plan.title for plan in plans} == {""}
    assert {part.name for plan in plans for part in plan.parts} <= {"drums", *theory.INSTRUMENTS}


def test_its_labels_have_as_many_songs_as_its_card_says() -> None:
    counts = ", ".join(f"{genre.label} {genre.songs:,}" for genre in sorted(composer.genres()))
    assert f"Songs by label, with held-out ones: {counts}." in composer.card()


def test_it_remembers_what_it_learnt_from_and_nothing_else(rights: dict[str, Any]) -> None:
    """Drums have no melody; every label but theirs has songs, none more than were learnt from."""
    songs = fingerprints.read(composer.BUNDLED)
    info = composer.opened_model(None).info["data"]
    assert len(songs) <= info["train_songs"]
    assert {song.path.split("/")[0] for song in songs} == set(info["songs_by_label"]) - {"drums"}
    assert {song.path.split("/")[1].split("-")[0] for song in songs} <= set(rights["sources"])


def test_the_example_was_composed_with_this_model() -> None:
    """Its first text names the model by twelve digits of its hash; `compose --seed 1` writes it anew."""
    song = (Path(__file__).parents[1] / "examples" / "new_song.mid").read_bytes()
    assert f"network lstm {composer.opened_model(None).hash[:12]}, 16 bars, seed 1".encode() in song
