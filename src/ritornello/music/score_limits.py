"""The ranges of a Score's columns and events, and the checks that raise ScoreError outside of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ScoreError
from ritornello.music.chord import NO_BASS
from ritornello.music.theory import CHORD_KINDS

MAX_TICKS = 2**31 - 1  # the largest onset or end of a note, in ticks


def check_range(column: npt.NDArray[Any], name: str, low: int, high: int, title: str) -> None:
    """Raise ScoreError, with the first bad value, unless a column (N,) is in the range `low` to `high`."""
    if not len(column) or (np.minimum.reduce(column) >= low and np.maximum.reduce(column) <= high):
        return
    bad = int(np.argmax((column < low) | (column > high)))
    where = f" of {title!r}" if title else ""
    raise ScoreError(f"{name} {column[bad]} at note {bad}{where}: must be {low}-{high}")


def check_lengths(columns: Sequence[npt.NDArray[Any]]) -> None:
    """Raise ScoreError unless all columns have one shape (N,)."""
    if any(column.shape != (len(columns[0]),) for column in columns):
        raise ScoreError(f"columns of different lengths: {[column.shape for column in columns]}")


def check_events(score: Any, event_lists: Sequence[str]) -> None:
    """Raise ScoreError if a part or an event of a Score is out of range, or if events are not in order.

    `event_lists` are the names of the Score's lists of events.
    """
    for part in score.parts:
        if not 0 <= part.program <= 127:
            raise ScoreError(f"program {part.program} of part {part.name!r}: must be 0-127")
    for tempo in score.tempi:
        if not 1 <= tempo.us_per_beat < 1 << 24:
            raise ScoreError(f"tempo of {tempo.us_per_beat} microseconds a beat: must be 1-16777215")
    for _, numerator, denominator in score.meters:
        if not (1 <= numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32, 64)):
            raise ScoreError(f"meter {numerator}/{denominator}: must be 1-255 over 1, 2, 4 ... 64")
    for key in score.keys:
        if not -7 <= key.sharps <= 7:
            raise ScoreError(f"key of {key.sharps} sharps: must be -7 to 7")
    for chord in score.chords:
        if not (0 <= chord.root <= 11 and chord.kind in CHORD_KINDS):
            raise ScoreError(f"chord {chord.root} {chord.kind!r}: must be 0-11 and one of {CHORD_KINDS}")
        if not NO_BASS <= chord.bass <= 11:
            raise ScoreError(f"bass {chord.bass} of a chord: must be 0-11, or {NO_BASS} for its root")
    for name in event_lists:
        ticks = [0, *(event.onset_ticks for event in getattr(score, name))]
        for before, tick in pairwise(ticks):
            if not before <= tick <= MAX_TICKS:
                raise ScoreError(
                    f"{name}: an event at tick {tick}: must be at {before}-{MAX_TICKS}, and in order"
                )
