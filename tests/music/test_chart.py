"""Chord charts: bars, shares of a bar, repeats, errors."""

from __future__ import annotations

import pytest

from ritornello.errors import PlanError
from ritornello.music.chart import chart_chords, parse_chart, whole_choruses
from ritornello.music.chord_symbols import bar_symbols
from ritornello.music.plan import GRID, Plan


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("Am F C G", ("Am", "F", "C", "G")),
        ("C | Am F | G7/B | N.C.", ("C", "Am F", "G7/B", "N.C.")),
        ("| C / / G7 | F ||", ("C / / G7", "F")),
        ("|: C | F :| G |]", ("C", "F", "C", "F", "G")),
        ("C | | F", ("C", "/", "F")),
        ("# My song\n[Verse]\nC | Am F\nG7 | %", ("C", "Am F", "G7", "%")),
        ("C\nAm, F", ("C", "Am", "F")),
        ("C - F – G7(b9,#11)", ("C", "F", "G7(b9,#11)")),  # noqa: RUF001
        ("I-V-vi-IV", ("I", "V", "vi", "IV")),
        ("1-5-6-4", ("1", "5", "6", "4")),
        ("1 b7 6-", ("1", "b7", "6-")),
        ("C % / G", ("C", "%", "/", "G")),
    ],
)
def test_bars(text: str, bars: tuple[str, ...]) -> None:
    assert parse_chart(text) == bars


@pytest.mark.parametrize(
    ("meter", "text", "onsets"),
    [
        ((4, 4), "C F", [0, 48]),
        ((4, 4), "C F G7", [0, 48, 72]),  # two beats, one, one
        ((4, 4), "C / / G7", [0, 72]),
        ((3, 4), "C G7", [0, 48]),
        ((5, 4), "C F", [0, 72]),
        ((6, 8), "C F", [0, 36]),
        ((12, 8), "C F G7", [0, 72, 108]),
        ((7, 8), "C F G7", [0, 36, 60]),  # three eighths, two, two
        ((2, 2), "C F G7", [0, 48, 72]),
        ((4, 4), "C F G7 C F G7 C F", [12 * place for place in range(8)]),
    ],
)
def test_symbols_share_a_bar_by_its_beats(meter: tuple[int, int], text: str, onsets: list[int]) -> None:
    plan = Plan(1, ((0, *meter),), key=(0, False))
    chords = chart_chords(parse_chart(f"{text} |"), plan)
    assert [chord.onset_ticks for chord in chords] == onsets


def test_a_chart_repeats_to_the_end_and_the_pickup_has_its_first_chord() -> None:
    plan = Plan(6, ((0, 1, 4), (1, 4, 4)), key=(2, False))
    plan_chords = chart_chords(parse_chart("ii V7 | I"), plan)
    timeline = Plan(6, plan.meters, key=plan.key, chords=plan_chords).timeline(GRID)
    assert bar_symbols(timeline, plan.key) == ["ii", "ii V7", "I", "ii V7", "I", "ii V7"]


def test_whole_choruses() -> None:
    assert [whole_choruses("x" * bars, 16) for bars in (1, 4, 12, 16, 32)] == [16, 16, 24, 16, 32]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "chords are empty: must be one for each bar, such as 'Am F C G', or bars"),
        ("| |", "chords are empty"),
        ("C | Hxy", "chord 'Hxy': must be"),
        ("C Fxyz", "chord 'Fxyz': 'xyz' is not a kind of chord"),
        ("C | " * 1001, "chords of 1001 bars: must be at most 1000"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        parse_chart(text)


def test_too_many_symbols_for_a_bar() -> None:
    with pytest.raises(PlanError, match="5 chords 'C D E F G' in bar 2: must be one, one a beat, or"):
        chart_chords(parse_chart("C | C D E F G"), Plan(2))
