"""The interval loss: golden values, what counts, its gradient."""

from __future__ import annotations

import math

import pytest
import torch

from ritornello.errors import InputError
from ritornello.models.losses.curve import Curve, CurvePoints
from ritornello.models.losses.interval import IntervalLoss
from ritornello.representations.chorale import Chorale
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, FIELDS

LOSS = IntervalLoss(FIELDS)


def rows(pitches: list[int], part: int = 0) -> torch.Tensor:
    """Rows (1, T, F) with these pitches."""
    values = torch.zeros(1, len(pitches), len(FIELDS), dtype=torch.int16)
    values[0, :, COLUMN["pitch"]] = torch.tensor(pitches, dtype=torch.int16)
    values[0, :, COLUMN["part"]] = part
    return values


def said(probabilities: dict[int, float]) -> torch.Tensor:
    """Logits (1, 1, 128) of these probabilities; the other pitches have none."""
    logits = torch.full((1, 1, 128), -math.inf)
    for pitch, probability in probabilities.items():
        logits[..., pitch] = math.log(probability)
    return logits


def cost(logits: torch.Tensor, values: torch.Tensor, learn: torch.Tensor | None = None) -> float:
    learn = torch.ones(values.shape, dtype=torch.bool) if learn is None else learn
    return float(LOSS({"pitch": logits}, values, learn)["interval"])


# By the formula of CurvePoints.target, r(d) = (hypot(1, d) - 1) / (hypot(1, 30) - 1), depths 0.6 and 0.4:
# 0.85 (1 - depth) + 0.15 r(d), to which the polynomial comes within 0.05
@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ({60: 1.0}, 0.0),
        ({67: 1.0}, 0.85 * 0.6 + 0.15 * 6.071 / 29.017),
        ({72: 1.0}, 0.85 * 0.4 + 0.15 * 11.042 / 29.017),
        ({48: 1.0}, 0.85 * 0.4 + 0.15 * 11.042 / 29.017),
        ({60: 0.5, 72: 0.5}, 0.5 * 0.397),
        ({60: 0.75, 67: 0.25}, 0.25 * 0.541),
        # at 30 it costs 0.85 (1 - 0.4 exp(-2)) + 0.15, beyond a twelfth more a semitone, here six
        ({96: 1.0}, 0.954 + 0.5),
    ],
)
def test_golden_values(probabilities: dict[int, float], expected: float) -> None:
    assert cost(said(probabilities), rows([60])) == pytest.approx(expected, abs=0.05)


def test_it_is_the_expectation_of_the_curve() -> None:
    torch.manual_seed(0)
    logits, curve = torch.randn(1, 3, 128), Curve.fit()
    expected = 0.0
    for row, pitch in enumerate((0, 60, 127)):
        p = logits[0, row].double().softmax(0)
        expected += sum(float(p[k] * curve(torch.tensor(float(k - pitch)))) for k in range(128)) / 3
    assert cost(logits, rows([0, 60, 127])) == pytest.approx(expected, rel=1e-5)


def test_drums_voids_and_what_is_not_learnt_are_left_out() -> None:
    values = torch.cat([rows([60, 60, 128]), rows([60], DRUM_PART)], dim=1)  # (1, 4, F); 128 is void
    logits = torch.cat([said({72: 1.0}), said({60: 1.0}), said({3: 1.0}), said({3: 1.0})], dim=1)
    both, one = cost(logits, values), cost(logits[:, :1], values[:, :1])
    assert both == pytest.approx(one / 2, abs=0.05) and one > 0.3  # the mean of an octave and a hit
    learn = torch.ones(values.shape, dtype=torch.bool)
    learn[:, 0, COLUMN["pitch"]] = False
    assert cost(logits, values, learn) == pytest.approx(0, abs=0.05)
    assert cost(logits[:, 2:], values[:, 2:]) == 0


def test_the_gradient_is_the_true_one() -> None:
    torch.manual_seed(0)
    values = torch.cat([rows([60, 64, 67]), rows([40], DRUM_PART)], dim=1)
    logits = torch.randn(1, 4, 128, dtype=torch.float64, requires_grad=True)
    learn = torch.ones(values.shape, dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x: LOSS({"pitch": x}, values, learn)["interval"], (logits,))


def test_the_curve_can_be_given_and_comes_back() -> None:
    curve = Curve.fit(CurvePoints(octave=0.4))
    for given in (curve, curve.to_dict()):
        loss = IntervalLoss(FIELDS, given)
        assert loss.curve == curve
        assert torch.allclose(
            loss.costs[60, 72], torch.tensor(0.85 * 0.6 + 0.057, dtype=torch.float64), atol=0.05
        )


def test_a_table_without_pitches_is_refused() -> None:
    with pytest.raises(InputError, match="needs a choice 'pitch', there are soprano, bass, tenor, alto"):
        IntervalLoss(Chorale.fields)
