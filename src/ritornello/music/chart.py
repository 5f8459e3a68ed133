"""Chord charts as text: "C | Am F | G7/B | N.C.", or one chord a bar, "ii V7 I".

The symbols between two bar lines are one bar; the end of a line of text is a bar line too. `chord_symbols`
says how they share the bar. "|: C | F :|" is played twice. Without any bar line each chord is
a bar. Lines that begin with "# ", and names of sections in square brackets, are comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ritornello.errors import PlanError
from ritornello.music.chord import Chord
from ritornello.music.chord_names import parse_chord
from ritornello.music.chord_symbols import ALSO_CONTINUED, CONTINUED, OPEN_CHORD, REPEATED, placed_chords
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.sketch import UNKNOWN

COMMENT = re.compile(r"^\s*#\s.*$", re.M)
SECTION_NAME = re.compile(r"\[[^\]|]*\]")
COMMA = re.compile(r",(?![^()\s]*\))")  # a comma, but not one within the brackets of a chord
DOUBLE_LINE = re.compile(r"\|\||\|\]|\[\||‖")
DASHES = "-\N{EN DASH}\N{EM DASH}→>"  # between the chords of a progression without bar lines
NO_CHORDS = (CONTINUED, REPEATED, OPEN_CHORD, *ALSO_CONTINUED)


def parse_chart(text: str) -> tuple[str, ...]:
    """Return the symbols of each bar of a chart. Raises PlanError for an invalid symbol or an empty chart.

    >>> parse_chart("Am F"), parse_chart("|: C | G7/B :|"), parse_chart("I-V-vi-IV")
    (('Am', 'F'), ('C', 'G7/B', 'C', 'G7/B'), ('I', 'V', 'vi', 'IV'))
    """
    plain = COMMA.sub(" ", SECTION_NAME.sub(" ", COMMENT.sub("", text)))
    bars = _bars(plain) if re.search(r"[|‖]", plain) else _progression(plain)
    if not any(bars):
        raise PlanError(
            "chords are empty: must be one for each bar, such as 'Am F C G', or bars, such as 'C | Am F'"
        )
    if len(bars) > MAX_BARS:
        raise PlanError(f"chords of {len(bars)} bars: must be at most {MAX_BARS}")
    for symbol in {symbol for bar in bars for symbol in bar.split()} - {*NO_CHORDS}:
        if problem := _problem(symbol):
            raise PlanError(problem)
    return tuple(bar or CONTINUED for bar in bars)


def chart_chords(chart: Sequence[str], plan: Plan, first_bar: int = 0) -> tuple[Chord, ...]:
    """Return the chords of a chart, repeated from bar `first_bar` (from 0) of a plan to its end.

    A pickup has the first chord too. An open chord has the root UNKNOWN. Raises PlanError if the symbols of
    a bar cannot share it.
    """
    timeline = plan.timeline(GRID)
    start = max(first_bar, timeline.pickup_bars)
    texts = [OPEN_CHORD] * start + [chart[bar % len(chart)] for bar in range(len(timeline) - start)]
    found = list(placed_chords(texts, timeline, plan.key, plan.mode))[start:]
    while found and found[0].root == UNKNOWN:
        del found[0]
    if not first_bar and found and found[0].onset_ticks == int(timeline.start_ticks[start]):
        found[0] = found[0]._replace(onset_ticks=0)
    return tuple(found)


def whole_choruses(chart: Sequence[str], least_bars: int) -> int:
    """Return the length in bars of the chart, repeated as a whole until it has at least `least_bars`."""
    return -(-least_bars // len(chart)) * len(chart)


def _problem(symbol: str) -> str:
    """Why a symbol is not a chord; "" if it is one."""
    try:
        parse_chord(symbol, has_numbers=symbol[:2] in {f"b{degree}" for degree in range(1, 8)})
    except ValueError as error:
        return str(error)
    return ""


def _bars(text: str) -> list[str]:
    """The bars of a text with bar lines; an empty bar continues the last chord, repeats are written out."""
    bars: list[str] = []
    start = 0
    for line in DOUBLE_LINE.sub("|", text).split("\n"):
        cells = re.split(r"(:?\|:?)", line)
        for place, cell in enumerate(cells):
            if "|" in cell:
                bars += bars[start:] if cell.startswith(":") else []
                start = len(bars) if ":" in cell else start
            elif cell.strip() or 0 < place < len(cells) - 1:
                bars.append(" ".join(cell.split()))
    return bars


def _progression(text: str) -> list[str]:
    """The chords of a text without bar lines, which may have dashes or arrows between them."""
    found: list[str] = []
    for symbol in text.split():
        pieces = re.split(rf"[{DASHES}]+", symbol)
        if not symbol.strip(DASHES):
            continue
        is_chain = len(pieces) > 1 and symbol not in NO_CHORDS and _problem(symbol)
        found += pieces if is_chain and not any(map(_problem, pieces)) else [symbol]
    return found
