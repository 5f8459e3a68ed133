"""Choose the bars and the parts of a song that are played, and add a metronome."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.named_places import bar_range, part_numbers
from ritornello.composing.option_types import checked_value
from ritornello.errors import InputError, PlanError
from ritornello.midi.raw_events import SUSTAIN
from ritornello.music.score import EVENTS, Meter, Part, Score
from ritornello.music.timeline import Timeline

Names = str | Collection[str] | None
CLICKS = {True: (76, 110), False: (77, 80)}  # pitch and velocity on the first beat, and on the others
METRONOME = Part("metronome", 0, True)


class Excerpt(NamedTuple):
    """What is played: a song from tick 0 on, its bar lines (bars + 1,) in ticks, and its first bar."""

    score: Score
    bar_lines: npt.NDArray[np.int64]
    first_bar: int  # its number in the song; 1 is the first full bar

    @property
    def bar_lines_s(self) -> list[float]:
        """The bar lines in seconds."""
        lines_s: list[float] = self.score.seconds(self.bar_lines).tolist()
        return lines_s


def excerpt(
    score: Score,
    *,
    bars: str | range | None = None,
    solo: Names = None,
    mute: Names = None,
    metronome: bool = False,
    is_cut: bool = False,
) -> Excerpt:
    """Return some bars of some parts of a song.

    `bars` are such as "9-12" (a pickup is bar 0; None: all); the parts are those in `solo` (None: all) that
    are not in `mute`.

    With `is_cut`, or if bars are given, notes end with the last bar. Raises PlanError for
    bars or parts that are not in the song, InputError if no notes are left.
    """
    checked_value("bars", "str | range | None", bars)
    for name, parts in {"solo": solo, "mute": mute}.items():
        checked_value(name, "str | Collection[str] | None", parts)
    if not len(score):
        raise InputError("the song has no notes to play")
    timeline = Timeline.of(score)
    number = 1 - timeline.pickup_bars  # the number of the song's first bar
    chosen = range(len(timeline)) if bars is None else bars
    if isinstance(chosen, str):
        chosen = bar_range(chosen, number)
    if not 0 <= chosen.start < chosen.stop <= len(timeline):
        raise PlanError(
            f"bars {chosen.start + number}-{chosen.stop - 1 + number}: must be within "
            f"{number}-{timeline.full_bars}, the bars of the song"
        )
    lines = np.append(timeline.start_ticks, timeline.start_ticks[-1] + timeline.length_ticks[-1])
    lines = lines[chosen.start : chosen.stop + 1]
    played = np.isin(score.part, list(_parts(score, solo, mute)))
    played &= (score.onset_ticks >= lines[0]) & (score.onset_ticks < lines[-1])
    if not played.any() and not metronome:
        raise InputError("no notes are left to play: choose other bars or parts")
    cut = _moved(score, played, int(lines[0]), int(lines[-1]), is_cut or bars is not None)
    cut = with_clicks(cut, timeline, chosen, int(lines[0])) if metronome else cut
    return Excerpt(cut, lines - lines[0], chosen.start + number)


def _parts(score: Score, solo: Names, mute: Names) -> set[int]:
    """The numbers of the parts that play. Raises PlanError for one that is not in the song."""

    def numbers(names: Names) -> set[int]:
        listed = names.split(",") if isinstance(names, str) else names or ()
        return {number for name in listed for number in part_numbers(score, name)}

    return (set(range(len(score.parts))) if solo is None else numbers(solo)) - numbers(mute)


def _moved(score: Score, played: npt.NDArray[np.bool_], start: int, end: int, is_cut: bool) -> Score:
    """Some notes of a song and its events from `start` to `end`, moved to tick 0.

    Tempo, meter and the state of the channels at `start` are set at tick 0.
    """
    duration = score.duration_ticks[played].astype(np.int64)
    onset = score.onset_ticks[played].astype(np.int64)
    duration = np.minimum(duration, end - onset) if is_cut else duration
    events: dict[str, Any] = {}
    for name in EVENTS:
        moved = [e._replace(onset_ticks=e.onset_ticks - start) for e in getattr(score, name)]
        before = [e._replace(onset_ticks=0) for e in moved if e.onset_ticks <= 0 and name != "markers"]
        events[name] = (*before[-1:], *(e for e in moved if 0 < e.onset_ticks < end - start))
    details = [e for e in score.details.events if e.onset_ticks < end and e.data[0] < 0xF0]
    details = [e for e in details if not (e.data[0] & 0xF0 == 0xB0 and e.data[1] == SUSTAIN)]
    moved_events = tuple(e._replace(onset_ticks=max(0, e.onset_ticks - start)) for e in details)
    columns = {"onset_ticks": onset - start, "duration_ticks": duration}
    return score.select(played, **columns, **events, details=score.details._replace(events=moved_events))


def with_clicks(score: Score, timeline: Timeline, bars: range, start: int) -> Score:
    """The song with a metronome part for some bars: each beat, or each third eighth of 6/8, 9/8 and 12/8.

    The clicks are `start` ticks earlier than the bars of the timeline.
    """
    clicks = []
    for bar in bars:
        meter = Meter(0, int(timeline.numerator[bar]), int(timeline.denominator[bar]))
        for tick in beat_ticks(meter, score.ticks_per_beat, int(timeline.length_ticks[bar])):
            clicks.append((int(timeline.start_ticks[bar]) - start + tick, *CLICKS[tick == 0]))
    onset, pitch, velocity = np.array(clicks, np.int64).T
    length = np.full(len(onset), max(1, score.ticks_per_beat // 8))
    part = np.full(len(onset), len(score.parts))
    click_columns = (onset, length, pitch, velocity, part)
    names = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    columns = [np.concatenate([getattr(score, n), c]) for n, c in zip(names, click_columns, strict=True)]
    onset, length, pitch, velocity, part = columns
    unchanged = {name: getattr(score, name) for name in (*EVENTS, "title", "details")}
    parts = (*score.parts, METRONOME)
    return Score.of(score.ticks_per_beat, onset, length, pitch, velocity, part, parts, **unchanged)


def beat_ticks(meter: Meter, ticks_per_beat: int, bar_ticks: int) -> list[int]:
    """The ticks of a bar at which a metronome clicks."""
    _, numerator, denominator = meter
    is_compound = denominator >= 8 and numerator % 3 == 0 and numerator > 3
    units, count = (3, numerator // 3) if is_compound else (1, numerator)
    ticks = (beat * units * 4 * ticks_per_beat // denominator for beat in range(count))
    return [tick for tick in ticks if tick < bar_ticks] or [0]
