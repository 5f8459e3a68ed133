"""The note's curve: its shape, its fit, its points from files, its gradient, and where descent on it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ritornello.errors import InputError
from ritornello.models.losses.curve import MAX_ERROR, TAIL_SLOPE, Curve, CurvePoints
from ritornello.models.losses.curve_chart import cost_table

CURVE = Curve.fit()
EQUAL = Curve.fit(CurvePoints(octave=0.8, tones={4: 0.8, 7: 0.8}, pull=0))
# the defaults of before: minima a semitone wide
OLD = CurvePoints(pull=0.3, width_semitones=1.0, reach_semitones=24, degree=52)


def at(curve: Curve, semitones: float) -> float:
    return float(curve(np.array([semitones]))[0])


def split_costs(curve: Curve, reach: int) -> tuple[dict[int, float], dict[int, float]]:
    """The costs of whole shifts to a minimum, and of the others, of a reference that lists them by hand."""
    points = curve.points
    tones = {tone for tone, depth in points.tones.items() if depth} | ({0} if points.octave else set())
    costs = {shift: at(curve, shift) for shift in range(-reach, reach + 1)}
    low = {shift: cost for shift, cost in costs.items() if shift == 0 or shift % 12 in tones}
    return low, {shift: cost for shift, cost in costs.items() if shift not in low}


def test_the_default_minima_are_those_of_the_chord_in_all_octaves() -> None:
    minima = CURVE.points.minima()
    assert minima[:, 0].tolist() == [-29, -24, -20, -17, -12, -8, -5, 0, 4, 7, 12, 16, 19, 24, 28]
    assert minima[5:10, 1].tolist() == [0.4, 0.4, 1, 0.4, 0.4]
    assert set(minima[minima[:, 0] % 12 == 0, 1]) == {1, 0.6}


def test_by_default_every_chord_tone_costs_less_than_every_dissonance_wherever_it_is() -> None:
    low, high = split_costs(CURVE, 30)
    assert set(np.mod(list(low), 12)) == {0, 4, 7}
    assert max(low.values()) < 0.66 < 0.74 < min(high.values())
    # nor does a dissonance beyond reach cost less
    assert min(at(CURVE, shift) for beyond in range(31, 128) for shift in (beyond, -beyond)) > 0.74


def test_the_points_of_before_cannot_be_ordered_because_a_semitone_was_the_cheapest() -> None:
    with pytest.raises(
        InputError,
        match=r"chord tone at -20 semitones costs 0\.\d+: must .* the cost of [+-]1, which is none",
    ):
        Curve.fit(OLD)
    for pull, width in ((0.3, 0.5), (0.15, 0.8)):
        with pytest.raises(InputError, match="cannot be ordered"):
            Curve.fit(CurvePoints(pull=pull, width_semitones=width))


def test_the_costs_in_the_docs_are_those_of_the_default_curve() -> None:
    table = cost_table(CURVE)
    assert table in (Path(__file__).parents[3] / "docs" / "original.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert rows[2] == ["+0", "", "**0.46**", "**0.40**", "**0.01**", "**0.40**", "**0.46**"]
    assert [row[0] for row in rows[2:]] == [f"+{tone}" for tone in range(12)]


tones = st.dictionaries(st.integers(1, 11), st.floats(0, 0.95), max_size=5)


@settings(deadline=None, max_examples=60)
@given(tones, st.floats(0, 0.95), st.floats(0, 0.5), st.floats(0.45, 0.8), st.integers(12, 30))
def test_points_are_ordered_in_every_octave_or_refused(
    depths: dict[int, float], octave: float, pull: float, width: float, reach: int
) -> None:
    points = CurvePoints(octave=octave, tones=depths, pull=pull, width_semitones=width, reach_semitones=reach)
    try:
        curve = Curve.fit(points)
    except InputError as error:
        assert any(text in str(error) for text in ("cannot be ordered", "misses the points", "is lowest at"))
        return
    low, high = split_costs(curve, reach)
    assert max(low.values()) < min(high.values(), default=np.inf)
    assert low[0] == min(low.values())


@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(1, 11), max_size=4), st.floats(0.4, 0.7), st.floats(0, 0.15))
def test_chords_of_every_kind_are_admissible(chord: set[int], depth: float, pull: float) -> None:
    curve = Curve.fit(CurvePoints(tones=dict.fromkeys(chord, depth), pull=pull, width_semitones=0.45))
    low, high = split_costs(curve, 30)
    assert max(low.values()) < min(high.values())


def test_the_fit_follows_its_wells_and_the_error_is_the_measured_one() -> None:
    grid = np.linspace(-30, 30, 20001)
    missed = np.abs(CURVE(grid) - CURVE.points.target(grid))
    assert CURVE.error == pytest.approx(missed.max(), abs=1e-4)
    assert CURVE.error < 0.03 < MAX_ERROR


def test_values_at_known_places() -> None:
    # a minimum of depth 1 and width 1/2, one semitone from its middle: 1 - exp(-2) = 0.865
    periodic = Curve.fit(CurvePoints(pull=0))
    for semitones, expected in ((0, 0.0), (1, 0.865), (-1, 0.865), (12, 0.4), (4, 0.6), (-8, 0.6), (9.5, 1)):
        assert at(periodic, semitones) == pytest.approx(expected, abs=0.03), semitones
    # 0.85 of that, and 0.15 of what rises, which at an octave is (sqrt(145) - 1) / (sqrt(901) - 1) = 0.38,
    # at four semitones (sqrt(17) - 1) / 29.02 = 0.108, at eight (sqrt(65) - 1) / 29.02 = 0.243
    for semitones, expected in ((0, 0.0), (12, 0.397), (24, 0.459), (4, 0.526), (-8, 0.546)):
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
    loss = CURVE(np.linspace(-30, 30, 20001))
    assert loss.min() > -MAX_ERROR
    assert loss.max() < 1 + MAX_ERROR


def test_outside_the_range_the_tails_rise_in_straight_lines() -> None:
    edge = at(CURVE, 30)
    assert at(CURVE, 42) == pytest.approx(edge + 1)
    assert at(CURVE, 30 + 1200) == pytest.approx(edge + 100)
    assert at(CURVE, -36) == pytest.approx(at(CURVE, -30) + 0.5)
    assert CURVE.slope(np.array([-31.0, 31.0])).tolist() == [-TAIL_SLOPE, TAIL_SLOPE]


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=20))
def test_numpy_and_torch_agree(semitones: list[float]) -> None:
    d = np.array(semitones)
    assert np.allclose(CURVE(torch.from_numpy(d)).numpy(), CURVE(d), atol=1e-12)
    assert np.allclose(CURVE(torch.from_numpy(d).float()).numpy(), CURVE(d), atol=1e-4)


def test_the_gradient_of_torch_is_the_true_one() -> None:
    # not at +-30, where the curve has a corner
    d = torch.tensor([-31.0, -23.9, -12.3, -5.0, -0.4, 0.0, 1.7, 4.0, 11.1, 29.9, 33.0], dtype=torch.float64)
    d.requires_grad_()
    assert torch.autograd.gradcheck(CURVE, (d,))
    CURVE(d).sum().backward()
    assert d.grad is not None
    assert np.allclose(d.grad.numpy(), CURVE.slope(d.detach().numpy()), atol=1e-10)
    assert np.allclose(d.grad.numpy(), CURVE.slope(d.detach()).numpy(), atol=1e-10)


def descend(curve: Curve, noise: float, starts: int = 600, steps: int = 2000) -> float:
    """The share of starts within two octaves from which descent, its noise fading, ends at the true note."""
    draw = np.random.default_rng(0)
    d = draw.uniform(-24, 24, starts)
    for step in range(steps):
        d += noise * (1 - step / steps) * draw.standard_normal(starts) - 0.1 * curve.slope(d)
    return float((np.abs(d) < 0.5).mean())


def test_depths_and_pull_help_descent_to_the_true_note() -> None:
    # of 4,000 random starts 0.09 without noise, with it 0.18 and 0.11
    assert descend(CURVE, 0) == pytest.approx(0.09, abs=0.02)
    assert descend(CURVE, 0.4) > 1.3 * descend(EQUAL, 0.4)


def test_a_dict_of_it_survives_json_and_needs_no_fit() -> None:
    again = Curve.from_dict(json.loads(json.dumps(CURVE.to_dict())))
    assert again == CURVE
    assert CurvePoints.from_dict(CurvePoints(tones={3: 0.2}).to_dict()) == CurvePoints(tones={3: 0.2})


def test_a_curve_of_before_opens_as_it_was_though_its_points_cannot_be_fitted_now() -> None:
    table = {"points": OLD.to_dict(), "coefficients": [0.1] * 53, "error": 0.03}
    assert Curve.from_dict(table).to_dict() == table


def test_points_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "points.toml"
    file.write_text("octave = 0.8\ntones = { 3 = 0.5, 8 = 0.3 }\npull = 0\n")
    curve = Curve.read(file)
    assert curve == Curve.fit(CurvePoints(octave=0.8, tones={3: 0.5, 8: 0.3}, pull=0))
    for semitones, expected in ((3, 0.5), (-9, 0.5), (8, 0.7), (12, 0.2)):
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
        ("width_semitones = nan", "width_semitones nan: must be 0.3-4"),
        ("ocatve = 0.5", "unknown key 'ocatve': must be one of degree, octave,"),
        ("degree = 24", "degree 24 misses the points by 0."),
        ("width_semitones = 1\ntones = { 1 = 0.95, 2 = 0.95 }\npull = 0", "the loss is lowest at"),
        ("tones = { 4 = 0.1 }", "cannot be ordered: the chord tone at "),
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
    "change", [{"points": None}, {"coefficients": [1.0]}, {"coefficients": ["x"] * 151}, {"error": None}]
)
def test_a_damaged_dict_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="curve"):
        Curve.from_dict({**CURVE.to_dict(), **change})
