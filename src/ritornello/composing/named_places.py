"""Find the parts and the bars of a song that users name."""

import numpy as np

from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.plan import GRID, grid_bars
from ritornello.music.score import Score, rescale_ticks
from ritornello.music.timeline import Timeline


def part_numbers(score: Score, text: str) -> list[int]:
    """Return the numbers (from 0) of the parts with notes that a text names by name, instrument or number.

    The number in the text counts from 1. Raises PlanError if there is no such part.
    """
    name = text.strip().lower()
    programs: tuple[int, ...] = ()
    if not name.isdecimal():
        try:
            programs = theory.parse_instrument(name)
        except ValueError:
            programs = ()
    with_notes = np.unique(score.part).tolist()
    numbers = []
    for number in with_notes:
        part = score.parts[number]
        plays = name in ("drum", "drums") if part.is_drum else part.program in programs
        if plays or name in (part.name.lower(), str(number + 1)):
            numbers.append(number)
    if not numbers:
        names = [score.parts[number].name or score.parts[number].instrument for number in with_notes]
        known = ", ".join(f"{number + 1} {name}" for number, name in zip(with_notes, names, strict=True))
        raise PlanError(f"part {text.strip()!r} of the song: must be one of {known}")
    return numbers


def bar_range(text: str, first: int) -> range:
    """Return bars such as "9-12" or "9" as a range from 0. `first` is the number of the first bar, 0 or 1.

    Raises PlanError if they cannot be read.
    """
    start, _, last = text.partition("-")
    try:
        bars = range(int(start) - first, int(last or start) - first + 1)
    except ValueError:
        bars = range(0)
    if not bars or bars.start < 0:
        raise PlanError(f"bars {text!r}: must be a range counted from {first}, such as 9-12")
    return bars


def bars_on_grid(score: Score, timeline: Timeline, bars: range) -> tuple[int, int]:
    """Return the first bar, and the one after the last, on the grid of a range of the bars of a file.

    Bars of less than half a tick of the grid are not on it. Raises PlanError if all bars are so short.
    """
    starts = timeline.start_ticks[bars.start : bars.stop]
    ends = starts + timeline.length_ticks[bars.start : bars.stop]
    edges = (rescale_ticks(ticks, score.ticks_per_beat, GRID) for ticks in (starts, ends))
    is_on_grid = np.less(*edges)
    if not is_on_grid.any():
        number = bars.start + 1 - timeline.pickup_bars
        raise PlanError(
            f"bar {number} of the song is shorter than 1/{2 * GRID} beat: must be longer for redo"
        )
    middles = (starts + ends)[is_on_grid][[0, -1]] * GRID // (2 * score.ticks_per_beat)
    first, last = grid_bars(score).bar_of(middles).tolist()
    return first, last + 1
