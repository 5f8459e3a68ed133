"""Bars that have the onsets of an earlier bar, and the rule that makes them so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ritornello.composing.bar_rhythms import BarRhythms
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling_rules import timing
from ritornello.composing.style_stats import StyleStats
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part, Score
from ritornello.music.sketch import CLOSED, NO_CADENCE, Sketch
from ritornello.music.sketch import END as SONG_END
from ritornello.representations.grid.vocabulary import DRUM_PART, END, WAIT
from tests.composing.test_rules import FOUR, Song

ALWAYS = StyleStats(rhythms=1.0)  # after the first bar a repeat is lacking: every bar must repeat one
STARTS = [0, 96, 192, 288]


def request(style: StyleStats = ALWAYS, plan: Plan = FOUR, **changed: Any) -> Request:
    return replace(request_for(plan, seed=0), style=style, **changed)


def rhythms(plan: Plan = FOUR) -> BarRhythms:
    """Rhythms after a bar with onsets at 0, 24 and 72."""
    found = BarRhythms(request(plan=plan), STARTS)
    for onset in (0, 24, 24, 72):
        found.add(onset)
    return found


def test_a_bar_has_the_onsets_of_the_bar_before() -> None:
    assert rhythms().fixed_bars(96) == [(96, 192, [96, 120, 168]), (192, 288, [192, 216, 264])]
    assert rhythms().fixed_bars(0) == [(96, 192, [96, 120, 168])]  # the first bar repeats none


def test_a_bar_repeats_the_one_to_which_it_returns() -> None:
    found = rhythms(replace(FOUR, returns=((-1, 0), (-1, 0), (0, 3), (-1, 0))))
    for onset in (96, 144):
        found.add(onset)
    assert found.fixed_bars(192)[0] == (192, 288, [192, 216, 264])
    free = rhythms()
    for onset in (96, 144):
        free.add(onset)
    assert free.fixed_bars(192)[0] == (192, 288, [192, 240])


def test_ends_of_phrases_and_bars_of_another_density_are_free() -> None:
    cadences = (NO_CADENCE, CLOSED, NO_CADENCE, SONG_END)
    textures = (
        ((4, 60), (4, 60), (9, 60), (4, 60)),
        ((0, 0),) * 4,
    )  # nine notes are more than 1.5 times four
    plan = replace(FOUR, sketch=Sketch(cadences, (), FOUR.parts, textures))
    assert rhythms(plan).fixed_bars(96) == []
    assert rhythms(plan).fixed_bars(192) == []


def test_the_share_of_the_label_is_kept() -> None:
    plan = replace(FOUR, bars=200, returns=parse_form("A200"))
    found = BarRhythms(request(StyleStats(rhythms=0.6), plan), list(range(0, 200 * 96, 96)))
    for bar in range(200):
        fixed = [onsets for start, _, onsets in found.fixed_bars(96 * bar) if start == 96 * bar]
        for onset in fixed[0] if fixed else (96 * bar, 96 * bar + 2 + bar % 90):  # all others are new
            found.add(onset)
    repeats = sum(bool(found.fixed_bars(96 * bar)[:1]) for bar in range(200))
    assert 0.5 < repeats / 200 < 0.8


def test_the_rule_moves_the_probability_of_all_other_onsets_to_the_next_one() -> None:
    song = Song(request())
    for shift in (0, 24, 48):
        song.note(shift)
    logits = np.zeros(194, np.float32)
    logits[24] = np.log(50)  # of 243 in all
    song.state.observe_logits("shift", logits)
    bias = timing.favour_repeated_rhythm(song.state)  # at 72; bar 2 begins at 96
    assert bias is not None
    assert np.flatnonzero(bias < 0).tolist() == [*range(25, 192), WAIT, END]
    assert bias[24] == pytest.approx(np.log((50 + 169) / 50))  # of the others 169 lose what they have
    assert bias[0] == 0  # more notes may join at 72
    song.state.observe_logits("shift", np.zeros(194, np.float32))
    assert timing.favour_repeated_rhythm(song.state) is None  # the network would hardly play there
    song.note(24)
    song.state.observe_logits("shift", logits)
    after = timing.favour_repeated_rhythm(song.state)
    assert after is not None
    assert np.flatnonzero(after >= 0).tolist() == [0, 24]


def test_some_requests_have_free_rhythms() -> None:
    drums = replace(FOUR, parts=(Part(), Part("", 0, True)))
    given = Score.of(GRID, [0], [24], [60], [64])
    takes = frozenset({(0, DRUM_PART, 36)})
    for free in (request(StyleStats()), request(plan=drums), request(given=given), request(avoided=takes)):
        assert BarRhythms.of(free, STARTS) is None
        assert timing.favour_repeated_rhythm(Song(free).state) is None
