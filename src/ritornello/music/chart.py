"""Read chord charts from text: "C | Am F | G7/B | N.C.", or one chord a bar, "ii V7 I".

The symbols between two bar lines are those of one bar; the end of a line of text is a bar line too. Several
symbols share a bar as `chord_symbols` describes. "|: C | F :|" is played twice. In a text without bar lines
each chord lasts a bar. Lines that begin with "# ", and names of sections in square brackets, are comments.
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
OTHER_SYMBOLS = (CONTINUED, REPEATED, OPEN_CHORD, *ALSO_CONTINUED)  # symbols that are not names of chords


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
    for symbol in {symbol for bar in bars for symbol in bar.split()} - {*OTHER_SYMBOLS}:
        if problem := _problem(symbol):
            raise PlanError(problem)
    return tuple(bar or CONTINUED for bar in bars)


def chart_chords(chart: Sequence[str], plan: Plan, first_bar: int = 0) -> tuple[Chord, ...]:
    """Return the chords of a chart, repeated from bar `first_bar` (from 0) of a plan to its end.

    The first chord already sounds in a pickup. An open chord has the root UNKNOWN; open chords before the
    first other chord are left out. Raises PlanError if the symbols of a bar cannot share it.
    """
    timeline = plan.timeline(GRID)
    start = max(first_bar, timeline.pickup_bars)
    texts = [OPEN_CHORD] * start + [chart[bar % len(chart)] for bar in range(len(timeline) - start)]
    chords = list(placed_chords(texts, timeline, plan.key, plan.mode))[start:]
    while chords and chords[0].root == UNKNOWN:
        del chords[0]
    if not first_bar and chords and chords[0].onset_ticks == int(timeline.start_ticks[start]):
        chords[0] = chords[0]._replace(onset_ticks=0)
    return tuple(chords)


def whole_choruses(chart: Sequence[str], least_bars: int) -> int:
    """Return the bars of a chart that is repeated, always as a whole, until it has at least `least_bars`."""
    return -(-least_bars // len(chart)) * len(chart)


def _problem(symbol: str) -> str:
    """Return why a symbol is not the name of a chord; "" if it is one."""
    try:
        parse_chord(symbol, has_numbers=symbol[:2] in {f"b{degree}" for degree in range(1, 8)})
    except ValueError as error:
        return str(error)
    return ""


def _bars(text: str) -> list[str]:
    """Return the symbols of each bar of a text with bar lines, "" for an empty bar; repeats come twice."""
    bars: list[str] = []
    repeat_start = 0
    for line in DOUBLE_LINE.sub("|", text).split("\n"):
        cells = re.split(r"(:?\|:?)", line)  # bars and bar lines in turn
        for place, cell in enumerate(cells):
            if "|" in cell:
                bars += bars[repeat_start:] if cell.startswith(":") else []
                repeat_start = len(bars) if ":" in cell else repeat_start
            elif cell.strip() or 0 < place < len(cells) - 1:  # an empty cell at an end of a line is no bar
                bars.append(" ".join(cell.split()))
    return bars


def _progression(text: str) -> list[str]:
    """Return the symbols of a text without bar lines, such as "C F G" or "I-V-vi"."""
    symbols: list[str] = []
    for word in text.split():
        if not word.strip(DASHES):  # a dash or an arrow between spaces
            continue
        pieces = re.split(rf"[{DASHES}]+", word)
        is_symbol = len(pieces) == 1 or word in OTHER_SYMBOLS or not _problem(word)  # such as C-7
        symbols += [word] if is_symbol or any(map(_problem, pieces)) else pieces
    return symbols
