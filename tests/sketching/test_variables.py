"""Plans as variables of the sketch network, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Part
from ritornello.music.sketch import UNKNOWN, Sketch
from ritornello.music.theory import CHORD_KINDS
from ritornello.sketching.variables import (
    ABSENT,
    KINDS,
    MEAN_PITCH_CLASSES,
    NO_CHORD,
    NONE,
    OPEN,
    SEMITONES_PER_MEAN_PITCH_CLASS,
    Variables,
    chords_of,
    sketch_of,
    slot_counts,
    unusual_pitches,
)
from tests.sketching.sketchers import BASS, OPEN_PLAN, PIANO, WHOLE_PLAN


def variables_of(plan: Plan, open_bars: list[bool] | None = None) -> Variables:
    mask = None if open_bars is None else np.array(open_bars)
    return Variables.of(plan, replace(plan, returns=None).timeline(GRID), mask)


def test_nothing_known_is_open() -> None:
    found = variables_of(OPEN_PLAN)
    for name in ("origin", "similarity", "cadence", "motif", "presence", "notes", "pitch"):
        assert (getattr(found, name) == OPEN).all()
    assert (found.chord[:, :4] == OPEN).all()
    assert (found.chord[:, 4:] == ABSENT).all()  # 4/4 has four beats


def test_a_whole_plan_comes_back() -> None:
    found, timeline = variables_of(WHOLE_PLAN), WHOLE_PLAN.timeline(GRID)
    assert not any((array == OPEN).any() for array in vars(found).values())
    assert found.origin.tolist() == [NONE, NONE, NONE, NONE, 0, 1, 2, NONE]
    assert found.presence.tolist() == [3, 3]
    # eighths 48 / 12 and 72 / 12; A and D, moved down a tone as the chords are
    assert found.closing_onset.tolist() == [NONE, NONE, NONE, 4, NONE, NONE, NONE, 6]
    assert found.closing_pitch.tolist() == [NONE, NONE, NONE, 7, NONE, NONE, NONE, 0]
    bare = replace(WHOLE_PLAN, sketch=None)
    nothing_given = np.zeros(8, bool)
    assert chords_of(found, bare, timeline, nothing_given) == WHOLE_PLAN.chords
    sketch = sketch_of(found, bare, np.random.default_rng(0))
    assert WHOLE_PLAN.sketch is not None
    assert sketch.cadences == WHOLE_PLAN.sketch.cadences
    assert sketch.motifs == WHOLE_PLAN.sketch.motifs
    assert sketch.closings == WHOLE_PLAN.sketch.closings
    assert [n for n, _ in sketch.textures[0]][:3] == [4, 7, 0]
    assert 17 <= sketch.textures[0][3][0] <= 20  # one class
    assert sketch.textures[0][2] == (0, UNKNOWN)
    assert sketch_of(found, WHOLE_PLAN, np.random.default_rng(0)) == WHOLE_PLAN.sketch


def test_chords_are_relative_to_the_signature() -> None:
    found = variables_of(WHOLE_PLAN)
    assert found.chord[0, 0] == 0  # the tonic of D major as C major
    assert found.chord[1, 0] == 7 * KINDS + CHORD_KINDS.index("7")  # its dominant seventh
    minor = variables_of(replace(WHOLE_PLAN, key=(-1, True), chords=(Chord(0, 2, "min"),)))
    assert minor.chord[0, 0] == 9 * KINDS + CHORD_KINDS.index("min")  # the tonic of D minor as A minor


@pytest.mark.parametrize(
    ("meter", "slots"), [((3, 4), 3), ((6, 8), 2), ((12, 8), 4), ((7, 8), 4), ((2, 2), 4), ((16, 4), 8)]
)
def test_bars_have_a_slot_for_each_beat(meter: tuple[int, int], slots: int) -> None:
    plan = Plan(bars=2, meters=((0, *meter),))
    assert slot_counts(plan.timeline(GRID)).tolist() == [slots, slots]


def test_open_bars_keep_the_chords_of_the_others() -> None:
    plan, timeline = WHOLE_PLAN, WHOLE_PLAN.timeline(GRID)
    is_open = np.array([False, True, True] + [False] * 5)
    found = variables_of(plan, is_open.tolist())
    assert (found.chord[1:3, :4] == OPEN).all()
    found.chord[1:3, :4] = 5 * KINDS
    chords = chords_of(found, plan, timeline, ~is_open)
    # bar 4 begins with the chord that sounded there, though the plan has no onset in it
    assert chords == (
        Chord(0, 2, "maj"), Chord(96, 7, "maj"), Chord(3 * 96, 9, "7"), Chord(7 * 96, 2, "maj")
    )  # fmt: skip


def test_without_a_key_there_are_no_chords() -> None:
    assert (variables_of(Plan(bars=2)).chord == ABSENT).all()
    silent = variables_of(replace(WHOLE_PLAN, chords=(Chord(96, 2, "maj"),)))
    assert (silent.chord[0, :4] == NO_CHORD).all()


def test_parts_are_matched_by_program_in_order() -> None:
    sketch = Sketch(parts=(BASS, PIANO, PIANO), textures=(((1, 40),), ((2, 60),), ((3, 70),)))
    plan = Plan(bars=2, parts=(PIANO, Part("lead", 80), PIANO, BASS), sketch=sketch)
    assert variables_of(plan).notes[:, 0].tolist() == [2, OPEN, 3, 1]
    assert (variables_of(plan).notes[:, 1] == OPEN).all()  # the sketch has one bar


def test_parts_have_the_registers_that_people_give_them() -> None:
    """A bass: low is 30.9 and high 43.6 (0.17 and 0.39 of 21-79), so from 18.1 to 56.4 is usual."""
    bass, drums = unusual_pitches((Part("", 33), Part("", 0, True)))
    middles = (np.arange(MEAN_PITCH_CLASSES) + 0.5) * SEMITONES_PER_MEAN_PITCH_CLASS
    assert middles[~bass].tolist() == [22, 26, 30, 34, 38, 42, 46, 50, 54]
    assert not drums.any()
