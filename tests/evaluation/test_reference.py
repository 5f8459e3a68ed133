from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.evaluation.reference import LOST_NOTE_NATS, VALUES, reference
from ritornello.representations.grid import vocabulary
from ritornello.representations.notes import Notes

EXACT = dict.fromkeys(VALUES, 1)


def test_exact_bins_add_nothing() -> None:
    assert reference([1.5, 2.5], EXACT, kept=4, source_notes=4) == 4.0


def test_unknown_notes_cost_the_same_however_they_are_given() -> None:
    """The nats are log(384 x 513 x 128 x 384 x 128): by hand 5.9506 + 6.2403 + 4.8520 + 5.9506 + 4.8520."""
    assert pytest.approx(27.8455, abs=5e-4) == LOST_NOTE_NATS
    lost = reference(0, {}, kept=0, source_notes=3)
    one_bin_each = reference(0, VALUES, kept=3, source_notes=3)
    unnamed = reference(0, {}, kept=3, source_notes=3)
    uniform_on_the_finest = reference(3 * LOST_NOTE_NATS, EXACT, kept=3, source_notes=3)
    assert [lost, one_bin_each, unnamed] == pytest.approx([uniform_on_the_finest] * 3)


@given(st.integers(0, 7), st.integers(0, 5))
def test_a_uniform_predictor_gains_nothing_by_coarser_velocities(fine: int, notes: int) -> None:
    bins = 2**fine
    paid = np.full(notes, log(bins))
    widths = EXACT | {"velocity": 128 / bins}
    assert reference(paid, widths, kept=notes, source_notes=notes) == pytest.approx(notes * log(128))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=9))
def test_a_uniform_predictor_gains_nothing_by_uneven_bins(sizes: list[int]) -> None:
    """A predictor that is uniform over values gives a bin of w of W values w / W, and each costs log W."""
    edges = np.array([*sizes, 384 - sum(sizes)])
    costs = [
        reference(-log(width / 384), EXACT | {"duration": width}, kept=1, source_notes=1) for width in edges
    ]
    assert costs == pytest.approx([log(384)] * len(edges))


def test_a_lost_note_adds_nats() -> None:
    all_kept = reference(7.0, EXACT, kept=10, source_notes=10)
    assert reference(7.0, EXACT, kept=8, source_notes=10) == pytest.approx(all_kept + 2 * LOST_NOTE_NATS)


@pytest.mark.parametrize(
    ("cells_a_beat", "charged"), [(4, log(6)), (8, log(3)), (16, log(1.5)), (24, 0.0), (32, 0.0), (480, 0.0)]
)
def test_onsets_on_other_grids(cells_a_beat: int, charged: float) -> None:
    widths = EXACT | {"shift": 24 / cells_a_beat}
    assert reference(0, widths, kept=1, source_notes=1) == pytest.approx(charged)


def test_widths_may_differ_from_note_to_note() -> None:
    assert reference(0, EXACT | {"duration": [1, 6, 25]}, kept=3, source_notes=3) == pytest.approx(log(150))


@pytest.mark.parametrize(
    ("widths", "kept", "message"),
    [
        ({}, 3, "3 notes kept: must be 0-2"),
        ({"tempo": 1}, 2, "'tempo': must be one of shift, part"),
        ({"velocity": 0}, 2, "widths of velocity from 0 to 0: must be 0-128"),
        ({"velocity": [1, 129]}, 2, "widths of velocity from 1 to 129: must be 0-128"),
    ],
)
def test_invalid_arguments(widths: dict[str, object], kept: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reference(0, widths, kept=kept, source_notes=2)  # type: ignore[arg-type]


def test_the_bins_of_notes_hold_every_value_once() -> None:
    widths = Notes().bin_widths()
    assert {name: len(width) for name, width in widths.items()} == vocabulary.VOID
    assert widths["velocity"].tolist() == [4] * 32
    assert widths["duration"].sum() == 384
    # 48 takes 49 and 50 too (51 is nearer to 54, halfway going up); the last bin 360 to 384
    assert widths["duration"][[0, 46, 47, 48, -1]].tolist() == [1, 1, 3, 6, 25]
    assert all((widths[name] == 1).all() for name in ("shift", "part", "pitch"))
