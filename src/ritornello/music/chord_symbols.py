"""Read and write the chords of a bar as text, as in chord charts: "C / G7 /".

The symbols of a bar share it equally: "C" lasts the whole bar, each of "C G7" half of it, and in 4/4 the
chords of "C / / G7" last three beats and one. If the beats cannot be shared equally, the first symbols
get one beat more: in 4/4 those of "C F G7" last two beats, one and one. "/" (or "-", ".") continues the
chord before, "%" alone repeats the bar before, "?" leaves the chord open. `chord_names` describes the
names of chords.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import gcd

import numpy as np
import numpy.typing as npt

from ritornello.errors import PlanError
from ritornello.music.chord import Chord
from ritornello.music.chord_names import chord_label, parse_chord
from ritornello.music.modes import Key
from ritornello.music.plan import GRID, Plan
from ritornello.music.sketch import UNKNOWN
from ritornello.music.timeline import Timeline

CONTINUED, REPEATED, OPEN_CHORD = "/", "%", "?"
ALSO_CONTINUED = ("-", ".")
OPEN = (UNKNOWN, "other")  # root and kind where the chord of a plan is open


def bar_symbols(timeline: Timeline, key: tuple[int, bool] | None = None) -> list[str]:
    """Return the symbols of each bar of a timeline, spelled in `key` (sharps, is_minor).

    Each bar begins with a chord or "?"; before the first chord it is "?".
    """
    symbols: list[str] = []
    place, current = 0, Chord(0, *OPEN)
    bars = zip(timeline.start_ticks.tolist(), timeline.length_ticks.tolist(), strict=True)
    for start, length in bars:
        changes = {0: current}
        while place < len(timeline.chords) and timeline.chords[place].onset_ticks < start + length:
            current = timeline.chords[place]
            changes[max(0, current.onset_ticks - start)] = current
            place += 1
        step = _writable_step(gcd(length, *changes), timeline, len(symbols))
        names = [
            _symbol(changes[tick], key) if tick in changes else CONTINUED for tick in range(0, length, step)
        ]
        symbols.append(" ".join(names))
    return symbols


def _symbol(chord: Chord, key: tuple[int, bool] | None) -> str:
    return OPEN_CHORD if chord.root == UNKNOWN else chord_label(chord, key)


def _writable_step(step: int, timeline: Timeline, bar: int) -> int:
    """Return the ticks of a symbol, `step` or a fraction of it, with which the symbols of a bar can be read.

    A reader gives equal shares of the bar to so many symbols, as `_shares` does.
    """
    length = int(timeline.length_ticks[bar])
    steps = (step // divisor for divisor in range(1, step + 1) if step % divisor == 0)
    return next(each for each in steps if _shares(length // each, timeline, bar) == [each] * (length // each))


def _shares(count: int, timeline: Timeline, bar: int) -> list[int]:
    """Return the ticks of each of `count` symbols of a bar; an empty list if they cannot share it."""
    length, beat = int(timeline.length_ticks[bar]), _beat_ticks(timeline, bar)
    beats, rest = divmod(length, beat)
    if rest or count > beats:
        return [] if length % count else [length // count] * count
    each, left = divmod(beats, count)  # the first symbols get the beats that are left
    return [beat * (each + (place < left)) for place in range(count)]


def _beat_ticks(timeline: Timeline, bar: int) -> int:
    """Return the ticks of a counted beat: a dotted quarter in 6/8, 9/8 or 12/8, else a quarter or an eighth.

    It is 1 if none of these divides the bar.
    """
    length, quarter = int(timeline.length_ticks[bar]), timeline.ticks_per_beat
    is_compound = timeline.denominator[bar] == 8 and timeline.numerator[bar] in (6, 9, 12)
    units = [Fraction(3, 2)] * bool(is_compound) + [Fraction(1), Fraction(1, 2)]
    return next((int(quarter * unit) for unit in units if length % (quarter * unit) == 0), 1)


def parse_symbols(
    bars: Sequence[str | None], timeline: Timeline, key: Key | None = None, mode: str = ""
) -> tuple[Chord, ...]:
    """Return the chords of the symbols of each bar of `timeline`; None leaves a bar open.

    An open chord has the root UNKNOWN; if all are open, no chords are returned. Numerals refer to the key.
    Raises PlanError for an invalid symbol, or if the symbols of a bar cannot share it.
    """
    chords: list[Chord] = []
    for chord in placed_chords(bars, timeline, key, mode):
        if not chords or chords[-1][1:] != chord[1:]:
            chords.append(chord)
    if chords and chords[0][1:3] == OPEN:
        del chords[0]
    return tuple(chords)


def placed_chords(
    bars: Sequence[str | None], timeline: Timeline, key: Key | None = None, mode: str = ""
) -> Iterator[Chord]:
    """Yield the chord of each symbol of each bar at its tick, also if it is the same as the one before.

    Raises PlanError as `parse_symbols` does.
    """
    last_text = OPEN_CHORD
    has_numbers = any(symbol[:1].isdigit() for text in bars for symbol in (text or "").split())
    for bar, text in enumerate(bars):
        number = bar + 1 - timeline.pickup_bars
        last_text = last_text if text is not None and text.strip() == REPEATED else text or OPEN_CHORD
        symbols = last_text.split() or [OPEN_CHORD]
        shares = _shares(len(symbols), timeline, bar)
        if not shares:
            raise PlanError(
                f"{len(symbols)} chords {text!r} in bar {number}: must be one, one a beat, or a number that "
                f"divides its {timeline.length_ticks[bar]} ticks (24 a beat) equally"
            )
        tick = int(timeline.start_ticks[bar])
        for symbol, ticks in zip(symbols, shares, strict=True):
            if symbol == OPEN_CHORD:
                yield Chord(tick, *OPEN)
            elif symbol != CONTINUED and symbol not in ALSO_CONTINUED:
                try:
                    yield parse_chord(symbol, key, mode, has_numbers=has_numbers)._replace(onset_ticks=tick)
                except ValueError as error:
                    raise PlanError(f"bar {number}: {error}, or one of / % ?") from None
            tick += ticks


def without_open_chords(plan: Plan) -> tuple[Plan, npt.NDArray[np.bool_] | None]:
    """Return a plan without open chords, and a mask (bars,) of bars with an open chord, or None.

    In a plan without any chord, every bar is open.
    """
    timeline = plan.timeline(GRID)
    is_open = np.array([OPEN_CHORD in symbols.split() for symbols in bar_symbols(timeline)], bool)
    chords = tuple(chord for chord in plan.chords if chord.root != UNKNOWN)
    return replace(plan, chords=chords), is_open if chords and is_open.any() else None
