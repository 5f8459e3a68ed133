"""Pickups: the short bar, bar 0, with which a song begins that does not start on the first beat of bar 1.

Many files have the pickup as a full bar with silence before the first note. Before songs are learnt or
compared, that silence is cut off, so that the pickups of all songs have the same form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ritornello.music.score import DEFAULT_METER, Meter, Score, drop_redundant
from ritornello.music.timeline import Timeline

LEAST_SILENCE = 0.5  # the share of the first bar that is silent if the rest of it is a pickup
EARLY_BEATS = 1 / 8  # a note at most this early before a bar line was meant to begin at the line
DENOMINATORS = (16, 8, 4)  # of the meter of a pickup


def without_leading_silence(score: Score) -> Score:
    """Return a song without silent bars before its first note, and with a pickup if it begins in mid-bar.

    The pickup gets a meter of its own, as short as whole 16ths allow. If the first note begins at most a 32nd
    before a bar line, the song begins at that line instead. A song that begins before the middle of its first
    bar is returned as it is.
    """
    if not len(score) or not score.onset_ticks[0]:
        return score
    timeline, first = Timeline.of(score), int(score.onset_ticks[0])
    bar = int(timeline.bar_of(first))
    start, end = int(timeline.start_ticks[bar]), int(timeline.start_ticks[bar] + timeline.length_ticks[bar])
    short = None
    if first - start >= LEAST_SILENCE * (end - start) and bar + 1 < len(timeline):
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
    """Return a song whose first bar is cut to a pickup of so many ticks; bar 1 begins after them.

    The song is returned as it is if its first bar is not longer, or if no meter has that length.
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
    """Return (ticks, numerator, denominator) of the shortest pickup with the `sounding` last ticks of a bar.

    It has a whole number of ticks, fewer than the `length` of the bar. None if there is no such pickup.
    """
    fitting = []
    for denominator in denominators:
        unit, rest = divmod(4 * ticks_per_beat, denominator)
        if not rest and (numerator := -(-sounding // unit)) * unit < length:
            fitting.append((numerator * unit, numerator, denominator))
    return min(fitting, default=None)


def _from_tick(score: Score, start: int, meters: list[Meter]) -> Score:
    """Return the song from a tick on, in these meters; notes that sound at that tick begin there."""
    onset = np.maximum(score.onset_ticks.astype(np.int64), start)
    duration = score.onset_ticks.astype(np.int64) + score.duration_ticks - onset
    sounding = np.flatnonzero(duration > 0)
    columns: list[Any] = [onset - start, duration, score.pitch, score.velocity, score.part]
    onset, duration, pitch, velocity, part = (column[sounding] for column in columns)
    changes = {"tempi": score.tempi, "keys": score.keys, "chords": score.chords, "meters": meters}
    events: dict[str, Any] = {
        name: drop_redundant(_moved(old_events, start)) for name, old_events in changes.items()
    }
    events |= {"markers": _moved(score.markers, start), "title": score.title}
    return Score.of(score.ticks_per_beat, onset, duration, pitch, velocity, part, score.parts, **events)


def _moved(events: Any, start: int) -> tuple[Any, ...]:
    """Return the events `start` ticks earlier; those before `start` are moved to tick 0."""
    return tuple(event._replace(onset_ticks=max(event.onset_ticks - start, 0)) for event in events)
