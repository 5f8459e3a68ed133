"""Drawing classes from logits."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.sketching.draw import draw_classes, entropy_of, lowest, probabilities_at

P = np.array([[0.5, 0.25, 0.25], [0.97, 0.02, 0.01], [0.0, 0.0, 1.0]])


def test_the_least_likely_classes_are_cut() -> None:
    with np.errstate(divide="ignore"):
        p = probabilities_at(np.log(P), np.ones(3), cut=0.031)  # of the second row 0.02 + 0.01 are cut
    assert p == pytest.approx(np.array([[0.5, 0.25, 0.25], [1, 0, 0], [0, 0, 1]]))


def test_half_the_temperature_squares_probabilities() -> None:
    p = probabilities_at(np.log(P[:1]), np.array([0.5]))
    assert p == pytest.approx(np.array([[4, 1, 1]]) / 6)  # 0.25 and twice 0.0625, divided by their sum


def test_classes_are_drawn_as_often_as_they_are_likely() -> None:
    drawn = draw_classes(np.repeat(P[:1], 4000, axis=0), np.random.default_rng(0))
    assert np.bincount(drawn) / 4000 == pytest.approx(P[0], abs=0.03)
    assert draw_classes(P[2:], np.random.default_rng(0)).tolist() == [2]


def test_the_lowest_entropies_are_chosen_up_to_a_sum() -> None:
    entropies = entropy_of(P)
    # 0.5 log 2 + 0.5 log 4 = 1.5 log 2; 0.97 * 0.0305 + 0.02 * 3.912 + 0.01 * 4.605 = 0.1538
    assert entropies == pytest.approx([1.5 * np.log(2), 0.1538, 0], abs=1e-4)
    assert lowest(entropies, 1, 0.0).tolist() == [2, 1]  # without the largest, the sum of both is 0
    assert lowest(entropies, 1, 0.2).tolist() == [2, 1, 0]
    assert lowest(entropies, 3, 0.0).tolist() == [2, 1, 0]
