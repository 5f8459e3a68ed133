"""What of the style statistics of a model holds for a plan."""

from math import inf

from ritornello.composing.style_stats import StyleStats, style_of_plan
from ritornello.music.plan import Plan


def test_a_blend_may_do_as_its_label_that_does_most() -> None:
    a = {"repeats": 0.1, "plays": 0.9, "voices": 4, "notes": 20, "grooves": 0.7}
    stored = {"usual": {"a": a, "b": {"repeats": 0.3}, "": {"notes": 9}}}
    assert style_of_plan(stored, Plan(genres=(("a", 0.9), ("b", 0.1)))) == StyleStats(0.3, grooves=0.7)
    assert style_of_plan(stored, Plan(genres=(("a", 1.0),))) == StyleStats(0.1, 0.9, 4, 20, grooves=0.7)
    assert style_of_plan(stored, Plan(genres=(("c", 1.0),))) == StyleStats()
    assert style_of_plan(stored, Plan()) == StyleStats(notes=9)
    free = StyleStats(1.0, 0.0, inf, inf, 1.0, 1.0, 1.0, 1.0, 0.0, inf, inf, 0.0, 0.0, 0.0)  # limits nothing
    assert style_of_plan({}, Plan()) == free
