"""The chords of a bar as text, as chord charts have them: "C / G7 /".

The symbols of a bar share it equally: "C" lasts the whole bar, each of "C G7" half of it, and in 4/4 the
chords of "C / / G7" last three beats and one. "/" continues the chord before, "%" alone repeats the bar
before, "?" leaves the chord open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd

import numpy as np
import numpy.typing as npt

from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord
from ritornello.music.sketch import UNKNOWN
from ritornello.music.timeline import Timeline

CONTINUED, REPEATED, OPEN_CHORD = "/", "%", "?"
OPEN = (UNKNOWN, "other")  # root and kind of a stretch of a plan whose chord is open


def bar_symbols(timeline: Timeline, key: tuple[int, bool] | None = None) -> list[str]:
    """Return the symbols of each bar of a timeline, spelled in `key` (sharps, is_minor).

    Each bar begins with a chord or "?"; before the first chord all is open.
    """
    symbols, place, current = [], 0, Chord(0, *OPEN)
    bars = zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True)
    for start, length in bars:
        changes = {0: current}
        while place < len(timeline.chords) and timeline.chords[place].onset_ticks < start + length:
            current = timeline.chords[place]
            changes[max(0, current.onset_ticks - start)] = current
            place += 1
        step = gcd(length, *changes)
        names = [
            _symbol(changes[tick], key) if tick in changes else CONTINUED for tick in range(0, length, step)
        ]
        symbols.append(" ".join(names))
    return symbols


def _symbol(chord: Chord, key: tuple[int, bool] | None) -> str:
    return OPEN_CHORD if chord.root == UNKNOWN else theory.chord_name(chord.root, chord.kind, key)


def parse_symbols(bars: Sequence[str | None], timeline: Timeline) -> tuple[Chord, ...]:
    """Return the chords of the symbols of each bar of `timeline`; None leaves a bar open.

    What is open has the root UNKNOWN; no chords are returned if all is open. Raises PlanError for a symbol
    that is no chord, or if a bar cannot be shared by so many.
    """
    found: list[Chord] = []
    current, last_text = OPEN, OPEN_CHORD
    for bar, text in enumerate(bars):
        start, length = int(timeline.start_ticks[bar]), int(timeline.length_ticks[bar])
        number = bar + 1 - timeline.pickup_bars
        last_text = last_text if text is not None and text.strip() == REPEATED else text or OPEN_CHORD
        symbols = last_text.split() or [OPEN_CHORD]
        if length % len(symbols):
            raise PlanError(
                f"{len(symbols)} chords {text!r} in bar {number}: must be as many as share its "
                f"{length} ticks (24 a beat) equally, such as one, or one a beat"
            )
        for place, symbol in enumerate(symbols):
            if symbol != CONTINUED:
                current = OPEN if symbol == OPEN_CHORD else _parsed(symbol, number)
            if not found or found[-1][1:] != current:
                found.append(Chord(start + place * length // len(symbols), *current))
    if found and found[0][1:] == OPEN:
        del found[0]
    return tuple(found)


def without_open_chords(plan: Plan) -> tuple[Plan, npt.NDArray[np.bool_] | None]:
    """Return a plan without open chords, and the bars (bars,) in which a chord is open, None if none is.

    A plan without any chord is open as a whole.
    """
    timeline = plan.timeline(GRID)
    is_open = np.array([OPEN_CHORD in symbols.split() for symbols in bar_symbols(timeline)], bool)
    chords = tuple(chord for chord in plan.chords if chord.root != UNKNOWN)
    return replace(plan, chords=chords), is_open if chords and is_open.any() else None


def _parsed(symbol: str, number: int) -> tuple[int, str]:
    """Parse the symbol of a chord. Raises PlanError that names the bar."""
    try:
        return theory.parse_chord(symbol)
    except ValueError as error:
        hint = "; a plan has no bass notes: leave out what follows the slash" if "/" in symbol else ""
        raise PlanError(f"bar {number}: {error}, or one of / % ?{hint}") from None
