"""What of the style statistics of a model holds for a plan."""

from math import inf
from typing import Any

import numpy as np
import pytest

from ritornello.composing.style_stats import StyleStats
from ritornello.composing.style_stats import style_of_plan as style_of
from ritornello.music.plan import Plan


def style_of_plan(stored: dict[str, Any], plan: Plan, seed: int = 0) -> StyleStats:
    return style_of(stored, plan, np.random.default_rng(seed))


def test_each_song_draws_its_own_statistics() -> None:
    stored = {"usual": {"a": {"leaps": [number / 10 for number in range(10)], "clashes": 0.3}}}
    styles = [style_of_plan(stored, Plan(genres=(("a", 1.0),)), seed) for seed in range(400)]
    # The quantiles lie at 0.05, 0.15, ...: the number drawn for the rank u is u - 0.05, within 0 and 0.9
    assert np.mean([style.leaps for style in styles]) == pytest.approx(0.45, abs=0.05)
    assert min(style.leaps for style in styles) == 0 and max(style.leaps for style in styles) == 0.9
    assert {style.clashes for style in styles} == {0.3}


def test_a_blend_may_do_as_its_label_that_does_most() -> None:
    a = {"repeats": 0.1, "plays": 0.9, "voices": 4, "notes": 20, "grooves": 0.7}
    stored = {"usual": {"a": a, "b": {"repeats": 0.3}, "": {"notes": 9}}}
    assert style_of_plan(stored, Plan(genres=(("a", 0.9), ("b", 0.1)))) == StyleStats(0.3, grooves=0.7)
    assert style_of_plan(stored, Plan(genres=(("a", 1.0),))) == StyleStats(0.1, 0.9, 4, 20, grooves=0.7)
    assert style_of_plan(stored, Plan(genres=(("c", 1.0),))) == StyleStats()
    assert style_of_plan(stored, Plan()) == StyleStats(notes=9)
    free = style_of_plan({}, Plan())  # limits nothing
    assert (free.repeats, free.plays, free.voices, free.notes, free.overlaps, free.gaps) == (
        1,
        0,
        inf,
        inf,
        1,
        1,
    )
    assert (free.top_repeats, free.skips, free.leaps, free.far_notes, free.notes_struck) == (1, 1, 1, 1, inf)
    assert (free.rhythms, free.parallels, free.clashes) == (0, inf, inf)
    assert (free.grooves, free.loops, free.backbeats) == (0, 0, 0)
