"""Rules of form: a bar is as like another as the plan says. As in rules.py, each says what logits gain.

Left to itself the network copies too often what is to be alike in part, or not at all, and too seldom what is
to return as it was (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import numpy as np

from ritornello.composing.sampling_state import Bias, Ear
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, PARTS, PITCHES, SHIFTS, WAIT

ALL = 3  # the class of likeness of a bar that returns as it was
RETURN = (0.0, 0.4, 1.2, 8.0)  # by class, what the next note of the bar that returns gains in each field
LOOPS = 4  # times that the same rows may come
HOLD_BACK = 0.4  # for each time more
COPY = 6.0  # what the next note of a copy that nobody asked for loses at the end of the bar


def a_return_begins_in_time(ear: Ear) -> Bias | None:
    """The clock goes where it went in the bar that returns; in one that returns as it was, only there."""
    song, clock = ear.song, ear.song.clock
    likeness, after = ear.likeness[song.bar], ear.likeness[song.bar + 1]
    if likeness <= 0 and after < ALL:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    if likeness > 0 and (note := ear.there(clock)):
        bias[min(note[0] - clock, WAIT)] += RETURN[likeness]
    elif likeness == ALL:
        bias[: max(song.bar_lines[song.bar + 1] - clock, 0)][: MAX_SHIFT + 1] -= RETURN[ALL]
    if after == ALL and (note := ear.there(song.bar_lines[song.bar + 1])):
        bias[note[0] - clock + 1 : MAX_SHIFT + 1] -= RETURN[ALL]
    return bias


def a_return_has_its_parts(ear: Ear) -> Bias | None:
    """Where it went, the parts play that played there."""
    tick, likeness = ear.tick, ear.returning
    note = ear.there(tick) if likeness > 0 else None
    if note is None or note[0] != tick:
        return None
    bias = np.zeros(PARTS, np.float32)
    bias[note[1]] = RETURN[likeness]
    return bias


def a_return_has_its_pitches(ear: Ear) -> Bias | None:
    """And they play the pitches that they played there."""
    tick, likeness = ear.tick, ear.returning
    note = ear.there(tick) if likeness > 0 else None
    if note is None or note[:2] != (tick, ear.song.row[COLUMN["part"]]):
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[note[2]] = RETURN[likeness]
    return bias


def no_copy_where_none_was_asked_for(ear: Ear) -> Bias | None:
    """A bar that returns in part, or not at all, is no copy of one before: where it has been one up to here,
    what would go on so is held back, ever more towards the bar's end.
    """
    song, tick, bar = ear.song, ear.tick, ear.at_bar
    if not ear.goes_on or not 0 <= ear.likeness[bar] < ALL or tick >= song.bar_lines[bar + 1]:
        return None
    start, part = song.bar_starts[bar], song.row[COLUMN["part"]]
    same = [pitch for place, other, pitch in ear.goes_on if place == tick - start and other == part]
    if not same:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[same] = -COPY * (tick - start) / (song.bar_lines[bar + 1] - start)
    return bias


def no_endless_loop(ear: Ear) -> Bias | None:
    """Where the same few rows came again and again, what would go on so is held back, ever more."""
    song = ear.song
    period = len(song.notes) - song.echo.candidate
    times = ((1 << song.echo.run) - 1) / period if song.echo.candidate >= 0 else 0
    guess = song.row[COLUMN["echo.pitch"]]
    if times < LOOPS or guess >= PITCHES or song.row[COLUMN["part"]] != song.row[COLUMN["echo.part"]]:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[guess] = -HOLD_BACK * (times - LOOPS + 1)
    return bias
