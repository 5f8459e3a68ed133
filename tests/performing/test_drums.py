"""Drum feel: places on the grid, what the network reads, and what it draws."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.music.score import Part, Score
from ritornello.performing.drum_hits import CLASSES, KICK, SNARE, classes_of, hits_of
from ritornello.performing.feel_network import DRUMS, OFFSET, VELOCITY, bundled, features_of, played_features
from ritornello.performing.grid_notes import places_of
from ritornello.performing.perform import perform
from ritornello.performing.performance import Performance


def beat(bars: int = 8) -> Score:
    """Kick and snare in turn on the beats, a closed hi-hat in eighths."""
    eighth = np.arange(8 * bars)
    onset = np.concatenate([eighth * 240, np.arange(4 * bars) * 480])
    pitch = np.concatenate([eighth * 0 + 42, np.tile([36, 38], 2 * bars)])
    columns = (onset, onset * 0 + 60, pitch, onset * 0 + 90, onset * 0)
    return Score.of(480, *columns, parts=[Part("Drums", 0, True)])


def test_hits_near_the_grid_lie_on_it() -> None:
    """A 16th is 6 of 24 places, a triplet 8, a 32nd 3; a hit just before a beat belongs to it."""
    assert places_of(np.array([0.02, 0.26, 0.49, 0.76])).tolist() == [0, 6, 12, 18]
    assert places_of(np.array([0.0, 0.34, 0.66])).tolist() == [0, 8, 16]
    assert places_of(np.array([0.0, 0.125, 0.25, 0.375, 0.5])).tolist() == [0, 3, 6, 9, 12]
    assert places_of(np.array([0.97, 1.5])).tolist() == [24, 36]
    assert places_of(np.array([-0.01])).tolist() == [0]


def test_the_network_knows_earlier_hits_only() -> None:
    place, kind = np.arange(32) * 12, np.tile([KICK, SNARE], 16)
    hits = hits_of(place, kind, np.arange(5) * 96, 120)
    assert (hits.earlier < np.arange(32)[:, None]).all()
    assert hits.earlier[20].tolist() == [19, 18, 17, 16, 15, 14, 18, 16, 14, -1, 18, 12, 4, -1, -1, 12]
    values = {"velocity": np.zeros(32), "offset": np.zeros(32)}
    assert not played_features(DRUMS.quantities, hits.earlier[:1], values).any()


def test_every_drum_has_a_class() -> None:
    classes = classes_of(np.arange(128, dtype=np.uint8))
    assert set(classes.tolist()) == set(range(len(CLASSES)))
    assert [CLASSES[number] for number in classes[[36, 38, 42, 49, 51, 56]]] == [
        "kick", "snare", "closed hat", "crash", "ride", "other",
    ]  # fmt: skip


def test_probabilities_sum_to_one() -> None:
    hits = hits_of(np.arange(8) * 6, np.full(8, SNARE), np.array([0]), 100, "funk")
    features = features_of(DRUMS, hits, {"velocity": np.ones(8), "offset": np.zeros(8)})
    chances = bundled().probabilities("velocity", features)
    assert chances.shape == (8, VELOCITY.classes)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert bundled().probabilities("offset", features).shape == (8, OFFSET.classes)


def test_a_flat_beat_gets_accents_and_the_level_stays() -> None:
    song = beat(16)
    played = perform(song, Performance(feel=1, seed=1))
    assert played.velocity.std() > 8
    assert played.velocity.mean() == pytest.approx(90, abs=4)
    offset = played.onset_ticks - np.rint(played.onset_ticks / 240) * 240
    assert 2 < offset.std() < 30  # ticks of a 480th of a beat
    half = perform(song, Performance(feel=0.5, seed=1))
    assert half.velocity.std() == pytest.approx(played.velocity.std() / 2, rel=0.1)


def test_played_drums_keep_their_velocities_and_their_timing() -> None:
    draw = np.random.default_rng(1)
    song = beat(8)
    velocity = np.clip(draw.normal(70, 30, len(song)), 1, 127).astype(int)
    human = Score.of(
        480, song.onset_ticks + draw.integers(0, 40, len(song)), song.duration_ticks, song.pitch, velocity,
        song.part, song.parts,
    )  # fmt: skip
    played = perform(human, Performance(feel=1))
    assert np.array_equal(played.onset_ticks, human.onset_ticks)
    assert np.array_equal(played.velocity, human.velocity)


def test_flams_stay_together() -> None:
    song = Score.of(480, [0, 20, 480], [10] * 3, [38] * 3, [40, 100, 90], [0] * 3, [Part("", 0, True)])
    played = perform(song, Performance(feel=1, seed=2))
    assert len(played) == 3
    assert played.onset_ticks[1] - played.onset_ticks[0] <= 20
