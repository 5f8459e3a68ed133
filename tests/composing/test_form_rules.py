"""Rules of form: what returns is called for, and what is to be no copy becomes none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ritornello.composing.sampling_rules import form
from ritornello.representations.grid.vocabulary import WAIT
from tests.composing.test_rules import BASS, FOUR, Song, song

NEW, ALL = (-1, 0), (0, 3)


def after_one_bar(*returns: tuple[int, int]) -> Song:
    """Four bars of 96 ticks; the first has 60, 64 and in the bass 40, and at its middle 62."""
    form = (NEW, *returns, *(NEW for _ in range(3 - len(returns))))
    begun = song(plan=replace(FOUR, returns=form))
    return begun.note(0).note(0, pitch=64).note(0, part=BASS, pitch=40).note(48, pitch=62)


def gains(bias: np.ndarray | None) -> dict[int, float]:
    """What is added to which class, where it is anything."""
    return {} if bias is None else {int(c): round(float(bias[c]), 3) for c in np.flatnonzero(bias)}


def test_in_a_bar_that_returns_the_next_note_of_the_other_is_called_for() -> None:
    for likeness, gain in enumerate(form.REPEAT_NATS[1:], start=1):
        again = after_one_bar((0, likeness)).note(48)
        assert gains(form.favour_repeated_onsets(again.state)) == {0: pytest.approx(gain, abs=1e-3)}
        again.put(shift=0)
        assert gains(form.favour_repeated_parts(again.state)) == {0: pytest.approx(gain, abs=1e-3)}
        again.put(part=BASS)
        assert gains(form.favour_repeated_pitches(again.state)) == {}  # there another part played
        again.put(part=0)
        assert gains(form.favour_repeated_pitches(again.state)) == {64: pytest.approx(gain, abs=1e-3)}
        assert gains(form.favour_repeated_parts(again.put(shift=6).state)) == {}  # nothing came there


def test_a_bar_that_returns_as_it_was_begins_as_it_did_and_ends_where_it_did() -> None:
    gain = form.REPEAT_NATS[form.UNCHANGED]
    before = gains(form.favour_repeated_onsets(after_one_bar(ALL).state))  # its first note is 48 ticks on
    assert before == dict.fromkeys(range(49, WAIT), -gain)
    again = after_one_bar(ALL, NEW).note(48).note(0, pitch=64).note(0, part=BASS, pitch=40).note(48, pitch=62)
    assert gains(form.favour_repeated_onsets(again.state)) == dict.fromkeys(range(48), -gain)


@pytest.mark.parametrize("returns", [NEW, (-1, -1)])
def test_nothing_is_called_for_where_nothing_returns(returns: tuple[int, int]) -> None:
    new = after_one_bar(returns).note(48)
    assert form.favour_repeated_onsets(new.state) is None
    assert form.favour_repeated_parts(new.put(shift=0).state) is None
    assert form.favour_repeated_pitches(new.put(part=0).state) is None


@pytest.mark.parametrize(
    ("returns", "held"), [(NEW, True), ((0, 1), True), ((0, 2), True), (ALL, False), ((-1, -1), False)]
)
def test_a_copy_that_nobody_asked_for_is_held_back_towards_the_end_of_the_bar(
    returns: tuple[int, int], held: bool
) -> None:
    copy = after_one_bar(returns).note(48)
    assert gains(form.penalize_copies(copy.put(shift=0, part=0).state)) == {}
    copy.put(pitch=64, duration=11, velocity=16)
    copy.state.update()
    copy.note(0, part=BASS, pitch=40).put(shift=48, part=0)
    half = form.penalize_copies(copy.state)
    assert gains(half) == ({62: -form.COPY_NATS / 2} if held else {})  # at the middle of the bar
    other = after_one_bar(returns).note(48).note(0, pitch=67).put(shift=48, part=0)
    assert form.penalize_copies(other.state) is None  # another chord: it is none already
