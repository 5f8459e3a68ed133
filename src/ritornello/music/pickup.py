"""Pickups: a song that begins with a part of a bar has a short bar before bar 1, which is bar 0.

Files often have that bar in full length, with silence before the first note. Where songs are learnt or
compared the silence is cut off, so that all songs of this kind look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ritornello.music.score import DEFAULT_METER, Meter, Score, drop_redundant
from ritornello.music.timeline import Timeline

LATEST_SHARE = 0.5  # of the first bar; a song whose first onset comes no earlier has a pickup
EARLY_BEATS = 1 / 8  # notes that begin so shortly before a bar line were meant to begin at it
DENOMINATORS = (16, 8, 4)  # of the meter of a pickup


def without_leading_silence(score: Score) -> Score:
    """Return a song without its silent first bars; a first bar that is silent to its middle becomes a pickup.

    The pickup is a bar of its own meter, as short as whole 16ths allow. Notes that begin less than a 32nd
    before a bar line begin at it. A song that begins before the middle of its first bar is returned as it is.
    """
    if not len(score) or not score.onset_ticks[0]:
        return score
    timeline, first = Timeline.of(score), int(score.onset_ticks[0])
    bar = int(timeline.bar_of(first))
    start, end = int(timeline.start_ticks[bar]), int(timeline.start_ticks[bar] + timeline.length_ticks[bar])
    short = None
    if first - start >= LATEST_SHARE * (end - start) and bar + 1 < len(timeline):
        if end - first <= EARLY_BEATS * score.ticks_per_beat:
            bar, start = bar + 1, end
        elif short := _short_bar(end - first, end - start, score.ticks_per_beat):
            start = end - short[0]
    if start == 0:
        return score
    full = Meter(end if short else start, int(timeline.numerator[bar]), int(timeline.denominator[bar]))
    meters = [Meter(start, *short[1:])] if short else []
    return _from_tick(score, start, [*meters, full, *(m for m in score.meters if m.onset_ticks > start)])


def with_pickup(score: Score, ticks: int) -> Score:
    """Return a song whose first bar has only so many ticks; the bars of its meter begin after them.

    It is returned as it is if its first bar is no longer, or if no meter has that length.
    """
    meters = (
        score.meters if score.meters and not score.meters[0].onset_ticks else (DEFAULT_METER, *score.meters)
    )
    _, numerator, denominator = meters[0]
    length = 4 * score.ticks_per_beat * numerator // denominator
    short = (
        _short_bar(ticks, length, score.ticks_per_beat, (*DENOMINATORS, 32)) if 0 < ticks < length else None
    )
    if not short or short[0] != ticks:
        return score
    later = [Meter(ticks, numerator, denominator), *(meter for meter in meters if meter.onset_ticks >= ticks)]
    return replace(score, meters=drop_redundant([Meter(0, *short[1:]), *later]))


def _short_bar(
    sounding: int, length: int, ticks_per_beat: int, denominators: Sequence[int] = DENOMINATORS
) -> tuple[int, int, int] | None:
    """Ticks and meter of the pickup for the `sounding` last ticks of a bar of `length` ticks; None without.

    The meter fills whole ticks.
    """
    fitting = []
    for denominator in denominators:
        unit, rest = divmod(4 * ticks_per_beat, denominator)
        if not rest and (numerator := -(-sounding // unit)) * unit < length:
            fitting.append((numerator * unit, numerator, denominator))
    return min(fitting, default=None)


def _from_tick(score: Score, start: int, meters: list[Meter]) -> Score:
    """The song from a tick on, in these meters; notes that sound at the tick begin there."""
    onset = np.maximum(score.onset_ticks.astype(np.int64), start)
    duration = score.onset_ticks.astype(np.int64) + score.duration_ticks - onset
    kept = np.flatnonzero(duration > 0)
    columns: list[Any] = [onset - start, duration, score.pitch, score.velocity, score.part]
    onset, duration, pitch, velocity, part = (column[kept] for column in columns)
    changes = {"tempi": score.tempi, "keys": score.keys, "chords": score.chords, "meters": meters}
    events: dict[str, Any] = {name: drop_redundant(_moved(found, start)) for name, found in changes.items()}
    events |= {"markers": _moved(score.markers, start), "title": score.title}
    return Score.of(score.ticks_per_beat, onset, duration, pitch, velocity, part, score.parts, **events)


def _moved(events: Any, start: int) -> tuple[Any, ...]:
    """The events, `start` ticks earlier; those before it come first."""
    return tuple(event._replace(onset_ticks=max(event.onset_ticks - start, 0)) for event in events)
