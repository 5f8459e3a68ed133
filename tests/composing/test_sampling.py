"""Draws: counted, not drawn one after another; temperature and top-p."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ritornello.composing.sampling import (
    ROWS_PER_BLOCK,
    SamplingParams,
    Uniforms,
    draw_classes,
    song_generator,
)


def test_numbers_depend_on_seed_song_and_row_alone() -> None:
    together, alone = Uniforms([(1, 0), (1, 5), (2, 0)], 5), Uniforms([(1, 5)], 5)
    for row in (0, 3, ROWS_PER_BLOCK, 2 * ROWS_PER_BLOCK + 1):
        numbers = together.row(row)
        assert numbers.shape == (3, 5)
        assert np.array_equal(numbers[1], alone.row(row)[0])
        assert len(np.unique(numbers)) == 15
    assert song_generator(1, 0).random() == song_generator(1, 0).random() != song_generator(1, 1).random()


def test_a_class_is_drawn_as_often_as_it_is_likely() -> None:
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    uniforms = (np.arange(1000) + 0.5) / 1000
    logits = np.tile(np.log(shares).astype(np.float32), (1000, 1))
    assert np.allclose(np.bincount(draw_classes(logits, 1.0, 1.0, uniforms)) / 1000, shares, atol=0.002)
    # at half the temperature the shares are squared: 1, 4, 9, 16 of 30
    halved = np.bincount(draw_classes(logits, 0.5, 1.0, uniforms)) / 1000
    assert np.allclose(halved, np.array([1, 4, 9, 16]) / 30, atol=0.002)


def test_top_p_keeps_the_likeliest() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)).repeat(100, axis=0)
    uniforms = (np.arange(100) + 0.5) / 100
    assert set(draw_classes(logits, 1.0, 0.65, uniforms).tolist()) == {2, 3}
    assert set(draw_classes(logits, 1.0, 0.35, uniforms).tolist()) == {3}
    assert set(draw_classes(logits, 1.0, 0.0, uniforms).tolist()) == {3}


def test_what_is_forbidden_is_never_drawn() -> None:
    logits = np.array([[-np.inf, 0.0, -np.inf, -50.0]], np.float32).repeat(3, axis=0)
    assert draw_classes(logits, 1.0, 1.0, np.array([0.0, 0.5, 1 - 1e-12])).tolist()[:2] == [1, 1]
    assert draw_classes(logits, 1.0, 0.9, np.array([0.0, 0.5, 1 - 1e-12])).tolist() == [1, 1, 1]


def test_the_dial_makes_all_fields_bolder() -> None:
    fields = ["shift", "part", "pitch", "duration", "velocity"]
    dials = [SamplingParams.from_creativity(dial, fields) for dial in (0, 0.25, 0.5, 0.75, 1)]
    for safer, bolder in pairwise(dials):
        assert all(safer.temperature[name] < bolder.temperature[name] for name in fields)
        assert all(safer.top_p[name] < bolder.top_p[name] for name in fields)
    assert set(dials[0].top_p.values()) == {0.92}
    assert set(dials[-1].top_p.values()) == {1.0}


def test_a_model_may_have_a_temperature_of_its_own() -> None:
    usual, cool = (SamplingParams.from_creativity(0.5, ["shift", "pitch"], own) for own in (1.0, 0.8))
    assert cool.temperature == pytest.approx(
        {name: 0.8 * usual.temperature[name] for name in ("shift", "pitch")}
    )
    assert cool.top_p == usual.top_p


def test_pitches_are_drawn_cooler_than_waits_durations_and_velocities() -> None:
    usual = SamplingParams.from_creativity(
        0.5, ["shift", "pitch", "duration", "velocity", "a field of another table"]
    )
    assert usual.temperature.pop("pitch") < 1
    assert set(usual.temperature.values()) == {1.0}
    assert usual.top_p["duration"] == usual.top_p["velocity"] > usual.top_p["shift"] == usual.top_p["pitch"]
    assert usual.top_p["a field of another table"] == 0.98
