"""The note's curve: its shape, its fit, its points from files, its gradient, and where descent on it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import InputError
from ritornello.models.losses.curve import MAX_ERROR, TAIL_SLOPE, Curve, CurvePoints

CURVE = Curve.fit()
EQUAL = Curve.fit(CurvePoints(octave=0.95, tones={4: 0.95, 7: 0.95}, pull=0))


def at(curve: Curve, semitones: float) -> float:
    return float(curve(np.array([semitones]))[0])


def test_the_default_lows_are_the_thirteen_of_the_chord_in_four_octaves() -> None:
    lows = CURVE.points.minima()
    assert lows[:, 0].tolist() == [-24, -20, -17, -12, -8, -5, 0, 4, 7, 12, 16, 19, 24]
    assert set(np.mod(lows[:, 0], 12)) == {0, 4, 7}
    assert lows[:, 1].tolist() == [0.6, 0.4, 0.4, 0.6, 0.4, 0.4, 1, 0.4, 0.4, 0.6, 0.4, 0.4, 0.6]


def test_the_fit_follows_its_wells_and_the_error_is_the_measured_one() -> None:
    grid = np.linspace(-24, 24, 20001)
    missed = np.abs(CURVE(grid) - CURVE.points.target(grid))
    assert CURVE.error == pytest.approx(missed.max(), abs=1e-4)
    assert CURVE.error < 0.03 < MAX_ERROR


def test_values_at_known_places() -> None:
    # a well of depth 1 and width 1, one semitone from its middle: 1 - exp(-1/2) = 0.39
    periodic = Curve.fit(CurvePoints(pull=0))
    for semitones, expected in ((0, 0.0), (1, 0.39), (-1, 0.39), (12, 0.4), (4, 0.6), (-8, 0.6), (9.5, 0.96)):
        assert at(periodic, semitones) == pytest.approx(expected, abs=0.03), semitones
    # 0.7 of that, and 0.3 of what rises, which at an octave is (sqrt(145) - 1) / (sqrt(577) - 1) = 0.479,
    # at four semitones (sqrt(17) - 1) / 23.02 = 0.136, at eight (sqrt(65) - 1) / 23.02 = 0.307
    for semitones, expected in ((0, 0.0), (12, 0.424), (24, 0.58), (4, 0.461), (-8, 0.512)):
        assert at(CURVE, semitones) == pytest.approx(expected, abs=0.02), semitones


def test_without_pull_the_wells_repeat_every_octave() -> None:
    points = CurvePoints(pull=0)
    d = np.linspace(3, 9, 50)  # nearer to the true note, its own well shows, deeper than those of its octaves
    assert np.allclose(points.target(d), points.target(d + 12), atol=0.01)
    assert np.allclose(points.target(d), points.target(d - 24), atol=0.01)


def test_every_low_is_a_local_minimum_and_the_true_note_the_lowest_place() -> None:
    grid = np.linspace(-60, 60, 24001)
    loss = CURVE(grid)
    assert abs(grid[loss.argmin()]) < 0.02
    assert loss.min() == pytest.approx(0, abs=0.03)
    for low in CURVE.points.minima()[:, 0]:
        here = np.abs(grid - low) <= 0.25
        beside = (np.abs(grid - low) > 0.8) & (np.abs(grid - low) < 1.2)
        assert loss[here].min() < loss[beside].min(), low


def test_between_the_lows_it_does_not_swing() -> None:
    # least squares on the integer points alone swings to thousands; wells at Chebyshev nodes stay within 0-1
    loss = CURVE(np.linspace(-24, 24, 20001))
    assert loss.min() > -MAX_ERROR
    assert loss.max() < 1 + MAX_ERROR


def test_outside_the_range_the_tails_rise_in_straight_lines() -> None:
    edge = at(CURVE, 24)
    assert at(CURVE, 36) == pytest.approx(edge + 1)
    assert at(CURVE, 24 + 1200) == pytest.approx(edge + 100)
    assert at(CURVE, -30) == pytest.approx(at(CURVE, -24) + 0.5)
    assert CURVE.slope(np.array([-25.0, 25.0])).tolist() == [-TAIL_SLOPE, TAIL_SLOPE]


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=20))
def test_numpy_and_torch_agree(semitones: list[float]) -> None:
    d = np.array(semitones)
    assert np.allclose(CURVE(torch.from_numpy(d)).numpy(), CURVE(d), atol=1e-12)
    assert np.allclose(CURVE(torch.from_numpy(d).float()).numpy(), CURVE(d), atol=1e-4)


def test_the_gradient_of_torch_is_the_true_one() -> None:
    # not at +-24, where the curve has a corner
    d = torch.tensor([-30.0, -23.9, -12.3, -5.0, -0.4, 0.0, 1.7, 4.0, 11.1, 23.9, 29.0], dtype=torch.float64)
    d.requires_grad_()
    assert torch.autograd.gradcheck(CURVE, (d,))
    CURVE(d).sum().backward()
    assert d.grad is not None
    assert np.allclose(d.grad.numpy(), CURVE.slope(d.detach().numpy()), atol=1e-10)


def descend(curve: Curve, noise: float, starts: int = 600, steps: int = 2000) -> float:
    """The share of starts within two octaves from which descent, its noise fading, ends at the true note."""
    draw = np.random.default_rng(0)
    d = draw.uniform(-24, 24, starts)
    for step in range(steps):
        d += noise * (1 - step / steps) * draw.standard_normal(starts) - 0.1 * curve.slope(d)
    return float((np.abs(d) < 0.5).mean())


def test_depths_and_pull_help_descent_to_the_true_note() -> None:
    # without noise 0.104 and 0.095 of evenly spread starts, with noise 0.24 and 0.09 of 4,000 random ones
    for curve, share in ((CURVE, 0.104), (EQUAL, 0.095)):
        d = np.linspace(-24, 24, 1000)
        for _ in range(1500):
            d = d - 0.2 * curve.slope(d)
        assert (np.abs(d) < 0.5).mean() == pytest.approx(share, abs=0.003)
    assert descend(CURVE, 0.2) > 2 * descend(EQUAL, 0.2)


def test_a_dict_of_it_survives_json_and_needs_no_fit() -> None:
    again = Curve.from_dict(json.loads(json.dumps(CURVE.to_dict())))
    assert again == CURVE
    assert CurvePoints.from_dict(CurvePoints(tones={3: 0.2}).to_dict()) == CurvePoints(tones={3: 0.2})


def test_points_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "points.toml"
    file.write_text("octave = 0.8\ntones = { 3 = 0.5, 8 = 0.1 }\npull = 0\n")
    curve = Curve.read(file)
    assert curve == Curve.fit(CurvePoints(octave=0.8, tones={3: 0.5, 8: 0.1}, pull=0))
    for semitones, expected in ((3, 0.5), (-9, 0.5), (8, 0.9), (12, 0.2)):
        assert at(curve, semitones) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("octave = 1.2", "octave 1.2: must be 0-0.95"),
        ("octave = 'deep'", "octave 'deep': must be 0-0.95"),
        ("tones = { 13 = 0.4 }", "tone 13: must be a whole number 1-11"),
        ("tones = { third = 0.4 }", "tone 'third': must be a whole number 1-11"),
        ("tones = { 4 = -0.1 }", "tones.4 -0.1: must be 0-0.95"),
        ("tones = [4, 7]", "tones [4, 7]: must be a table"),
        ("reach_semitones = 24.5", "reach_semitones 24.5: must be a whole number 6-60"),
        ("degree = 1000", "degree 1000: must be a whole number 2-256"),
        ("pull = true", "pull True: must be 0-0.9"),
        ("width_semitones = nan", "width_semitones nan: must be 0.5-4"),
        ("ocatve = 0.5", "unknown key 'ocatve': must be one of degree, octave,"),
        ("degree = 24", "degree 24 misses the points by 0."),
        ("octave = 0.95\ntones = { 1 = 0.95, 2 = 0.95 }\npull = 0", "the loss is lowest at"),
        ("octave = ", "Invalid value"),
    ],
)
def test_bad_points_are_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "points.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        Curve.read(file)
    assert says in str(caught.value)
    assert "points.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.toml.*No such file"):
        Curve.read(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"bytes\.toml"):
        Curve.read(tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    "change", [{"points": None}, {"coefficients": [1.0]}, {"coefficients": ["x"] * 53}, {"error": None}]
)
def test_a_damaged_dict_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="curve"):
        Curve.from_dict({**CURVE.to_dict(), **change})
