"""Rules of harmony: the bass of slash chords, tones that a kind lacks, N.C., modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ritornello.composing.request import request_for
from ritornello.composing.sampling_rules import harmony, pitches
from ritornello.composing.sampling_state import SamplingState
from ritornello.music.chart import chart_chords, parse_chart
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.representations.grid.vocabulary import DRUM_PART, VOID
from ritornello.representations.notes import Notes

BASS, PIANO = 132, 0  # classes of the fingered bass and the grand piano
C, D, E, F, G, A, B = (0, 2, 4, 5, 7, 9, 11)


class Making:
    """A song in the making, by a chart in 4/4."""

    def __init__(self, chart: str, key: tuple[int, bool] = (0, False), mode: str = "") -> None:
        plan = Plan(4, key=key, mode=mode, parts=(Part(), Part("", 33), Part("", 0, True)))
        plan = replace(plan, chords=chart_chords(parse_chart(chart), plan))
        request = request_for(plan, seed=0)
        self.cursor = Notes().cursor([request.timeline], [request.given], [request.prompt])
        self.state = SamplingState(request, self.cursor.songs[0])

    def note(self, shift: int, part: int, pitch: int) -> Making:
        for name, value in zip(VOID, (shift, part, pitch, 11, 16), strict=True):
            self.cursor.put(name, [value])
        self.state.update()
        return self

    def at(self, shift: int, part: int) -> SamplingState:
        """The state before a pitch is drawn."""
        self.cursor.put("shift", [shift])
        self.cursor.put("part", [part])
        return self.state


def lost(bias: np.ndarray | None, tone: int) -> float:  # type: ignore[type-arg]
    """What pitches of a pitch class lose."""
    return 0.0 if bias is None else -float(bias[60 + tone])


def test_the_lowest_part_strikes_the_bass_once_in_a_bar() -> None:
    bias = harmony.keep_bass_of_chord(Making("G7/B").at(0, BASS))
    assert (lost(bias, B), lost(bias, G)) == (0, harmony.BASS_NATS)
    assert harmony.keep_bass_of_chord(Making("G7/B").at(0, PIANO)) is None
    again = Making("G7/B").note(0, BASS, 47).at(24, BASS)
    assert lost(harmony.keep_bass_of_chord(again), G) == harmony.LATER_BASS_NATS
    next_bar = Making("G7/B").note(0, BASS, 47).at(96, BASS)
    assert lost(harmony.keep_bass_of_chord(next_bar), G) == harmony.BASS_NATS


def test_higher_notes_of_the_onset_and_plain_chords_are_free() -> None:
    assert harmony.keep_bass_of_chord(Making("G7/B").note(0, BASS, 47).at(0, BASS)) is None
    plain = Making("G7")
    assert plain.state.harmony is None
    assert harmony.keep_bass_of_chord(plain.at(0, BASS)) is None
    assert harmony.keep_tones_of_chord(plain.state) is None


def test_tones_that_the_kind_lacks_are_called_for_until_they_are_struck() -> None:
    early = lost(harmony.keep_tones_of_chord(Making("C6 F |").at(0, PIANO)), A)
    late = lost(harmony.keep_tones_of_chord(Making("C6 F |").at(24, PIANO)), A)
    assert early == -harmony.ADDED_NATS
    assert late == -2 * harmony.ADDED_NATS  # half of the chord's two beats is over
    struck = Making("C6 F |").note(0, PIANO, 69).at(24, PIANO)
    assert lost(harmony.keep_tones_of_chord(struck), A) == 0
    assert lost(harmony.keep_tones_of_chord(Making("C6 F |").at(0, BASS)), A) == 0  # not in the bass
    assert harmony.keep_tones_of_chord(Making("C6 F |").at(0, DRUM_PART)) is None


def test_tones_that_the_chord_has_not_are_held_back() -> None:
    bias = harmony.keep_tones_of_chord(Making("Csus2 | F").at(0, PIANO))  # the kind sus has an F, it has a D
    assert (lost(bias, F), lost(bias, D)) == (harmony.WRONG_NATS, -harmony.ADDED_NATS)


def test_without_a_chord_parts_play_in_unison() -> None:
    assert harmony.keep_tones_of_chord(Making("N.C.").at(0, PIANO)) is None
    joined = harmony.keep_tones_of_chord(Making("N.C.").note(0, PIANO, 60).at(0, BASS))
    assert (lost(joined, C), lost(joined, G)) == (0, harmony.UNISON_NATS)


def test_the_bass_is_called_when_its_chord_begins() -> None:
    due = Making("G7/B").note(0, PIANO, 67).state
    bias = harmony.favour_onset_of_bass(due)
    assert bias is not None
    assert bias[0] == harmony.JOIN_NATS
    before = Making("C G7/B |").state  # the slash chord begins at tick 48: onsets beyond it are less likely
    bias = harmony.favour_onset_of_bass(before)
    assert bias is not None
    assert (bias[48], bias[49]) == (0, -harmony.ONSET_NATS)
    part = harmony.favour_bass_part(Making("G7/B").at(0, PIANO))
    assert part is not None
    assert part[BASS] == harmony.PART_NATS
    assert harmony.favour_bass_part(Making("G7/B").note(0, BASS, 47).at(24, PIANO)) is None


@pytest.mark.parametrize(("tone", "is_outside"), [(B, False), (10, True), (F, False), (1, True)])
def test_a_mode_holds_back_what_its_scale_lacks(tone: int, is_outside: bool) -> None:
    # D dorian has B, not B flat; the user's A7 has a C sharp, which is then free
    dorian = Making("Dm | A7", (-1, True), "dorian")
    usual = pitches.OUT_OF_MODE_NATS
    assert lost(pitches.penalize_pitches_outside_mode(dorian.at(0, PIANO)), tone) == (
        usual if is_outside else 0
    )
    assert lost(pitches.penalize_pitches_outside_mode(dorian.note(96, PIANO, 62).at(0, BASS)), 1) == 0


def test_in_the_blues_tones_of_chords_outside_the_scale_lose_a_little() -> None:
    """The C blues has C, E flat, F, F sharp, G and B flat; C7 has an E, and D is in neither."""
    bias = pitches.penalize_pitches_outside_mode(Making("C7", (0, False), "blues").at(0, PIANO))
    assert [lost(bias, tone) for tone in (0, 3, 4, 2)] == [
        0, 0, pitches.BLUES_CHORD_NATS, pitches.OUT_OF_MODE_NATS,
    ]  # fmt: skip
