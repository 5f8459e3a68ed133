"""What of the style statistics of a model holds for a plan."""

from math import inf

from ritornello.composing.style_stats import style_of_plan
from ritornello.music.plan import Plan


def test_a_blend_may_do_as_its_label_that_does_most() -> None:
    said = {"usual": {"a": {"repeats": 0.1, "plays": 0.9, "voices": 4, "notes": 20}, "b": {"repeats": 0.3}}}
    assert style_of_plan(said, Plan(genres=(("a", 0.9), ("b", 0.1)))) == (0.3, 0.0, inf, inf)
    assert style_of_plan(said, Plan(genres=(("a", 1.0),))) == (0.1, 0.9, 4, 20)
    assert style_of_plan(said, Plan(genres=(("c", 1.0),))) == (1.0, 0.0, inf, inf)
    assert style_of_plan({}, Plan()) == (1.0, 0.0, inf, inf)
    assert style_of_plan({"usual": {"": {"notes": 9}}}, Plan()) == (1.0, 0.0, inf, 9)
