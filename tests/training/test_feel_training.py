"""Training networks of feel: they learn what depends on the place, and their files fit the reader."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ritornello import midi
from ritornello.music.score import Part, Score
from ritornello.performing.drum_hits import recording_of
from ritornello.performing.feel_network import DRUMS, OFFSET, VELOCITY, FeelNetwork
from ritornello.performing.grid_notes import Recording
from ritornello.training.feel_training import nats_of_shares, nats_per_note, train_feel_network

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from bundle import drum_feel


def beat(seed: int) -> Score:
    """Eight bars of hi-hat in eighths: loud and early on the beat, soft and late after it, with noise."""
    draw = np.random.default_rng(seed)
    number = np.arange(64)
    late = np.where(number % 2 == 0, 8, 24) + draw.integers(-3, 4, 64)
    velocity = np.where(number % 2 == 0, 100, 50) + draw.integers(-5, 6, 64)
    onset = np.maximum(number * 240 + late - 16, 0)
    parts = [Part("Drums", 0, True)]
    return Score.of(480, onset, onset * 0 + 60, onset * 0 + 42, velocity, onset * 0, parts)


def test_a_recording_is_its_hits_with_offsets_and_the_loudest_of_two() -> None:
    song = Score.of(480, [0, 14, 247], [9] * 3, [42, 22, 42], [50, 80, 60], [0] * 3, [Part("", 0, True)])
    found = recording_of(song)  # 42 and 22 are one class: the louder stays
    assert found.notes.place.tolist() == [0, 12]
    assert found.values["velocity"].tolist() == [80, 60]
    assert found.values["offset"] == pytest.approx([14 / 480, 7 / 480])


def test_the_network_learns_what_depends_on_the_place() -> None:
    train, held_out = ([recording_of(beat(seed)) for seed in seeds] for seeds in (range(24), range(24, 28)))
    told: list[dict[str, float]] = []
    weights = train_feel_network(
        DRUMS, train, held_out, epochs=12, on_epoch=lambda _, nats: told.append(nats)
    )
    network = FeelNetwork(DRUMS, weights)
    assert nats_per_note(network, held_out) == min(told, key=lambda nats: sum(nats.values()))
    assert told[-1]["velocity"] < 0.7 * np.log(VELOCITY.classes)
    assert told[-1]["offset"] < 0.7 * np.log(OFFSET.classes)
    velocity = network.draw(held_out[0].notes, np.random.default_rng(1))["velocity"]
    assert velocity[::2].mean() > velocity[1::2].mean() + 20


def test_no_epoch_begins_that_would_end_too_late() -> None:
    recordings = [recording_of(beat(seed)) for seed in range(4)]
    told: list[int] = []
    weights = train_feel_network(
        DRUMS, recordings, recordings, epochs=9, seconds=0.0, on_epoch=lambda epoch, _: told.append(epoch)
    )
    assert told == [0] and weights


def test_shares_of_values_are_what_a_network_must_beat() -> None:
    """Two classes of velocity, each half of the hits, and smoothing by one: -log((32 + 1) / (64 + 32))."""
    (quiet,) = [recording_of(beat(1))]
    number = np.arange(64)
    quiet.values["velocity"][:] = np.where(number % 2, 40.0, 80.0)
    assert nats_of_shares(DRUMS, [quiet], [quiet])["velocity"] == pytest.approx(-np.log(33 / 96))


def test_the_examples_read_the_official_splits(tmp_path: Path) -> None:
    rows = ["drummer,style,bpm,midi_filename,split"]
    for number, split in enumerate(("train", "validation", "test")):
        midi.write(beat(number), tmp_path / f"{split}.mid")
        rows.append(f"drummer1,funk/groove1,96,{split}.mid,{split}")
    (tmp_path / "info.csv").write_text("\n".join(rows))
    (found,) = drum_feel.recordings(tmp_path, "train")
    assert isinstance(found, Recording)
    assert len(found.values["velocity"]) == 64
