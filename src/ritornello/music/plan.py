"""Plan: what a song is asked to be, before a note of it is known.

A plan counts its bars on a grid of 24 ticks a beat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, cast

import numpy as np

from ritornello.errors import PlanError
from ritornello.music.score import (
    DEFAULT_METER,
    DEFAULT_TEMPO,
    Chord,
    KeySignature,
    Meter,
    Part,
    Score,
    Tempo,
    drop_redundant,
    rescale_ticks,
)
from ritornello.music.theory import key_name
from ritornello.music.timeline import MAX_BAR_BEATS, Timeline

GRID = 24  # ticks a beat
MAX_BARS = 1000  # that can be asked for
TEMPO_BPM = (10.0, 400.0)


@dataclass(frozen=True)
class Plan:
    """What a song is asked to be. `bars` None leaves the length open.

    `meters` says from which bar (counted from 0) which meter holds: ((0, 3, 4),) is 3/4 throughout.
    Raises PlanError for a value out of range.
    """

    bars: int | None = 16
    meters: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)
    us_per_beat: int = DEFAULT_TEMPO.us_per_beat
    key: tuple[int, bool] | None = None  # sharps, is_minor
    parts: tuple[Part, ...] = (Part(),)
    genres: tuple[tuple[str, float], ...] = ()  # label, weight; the weights sum to 1
    title: str = ""
    chords: tuple[Chord, ...] = ()  # at 24 ticks a beat; none says nothing
    returns: tuple[tuple[int, int], ...] | None = None
    """For each bar the earlier one that it returns to (-1: none) and how closely (0-3); None says nothing."""

    def __post_init__(self) -> None:
        if self.bars is not None and self.bars < 1:
            raise PlanError(f"{self.bars} bars, must be at least 1")
        if not self.meters or self.meters[0][0] != 0:
            raise PlanError(f"meters {self.meters}, the first must begin at bar 0")
        for part in self.parts:
            if not 0 <= part.program <= 127:
                raise PlanError(f"program {part.program}, must be 0-127")
        for _, numerator, denominator in self.meters:
            if 4 * numerator > MAX_BAR_BEATS * denominator:
                raise PlanError(
                    f"meter {numerator}/{denominator}, must be at most {MAX_BAR_BEATS} beats a bar"
                )
        if not 1 <= self.us_per_beat < 1 << 24:
            raise PlanError(f"{self.us_per_beat} microseconds a beat, must be 1-16777215")

    @classmethod
    def of(cls, score: Score) -> Plan:
        """What `score` would have been asked to be; its form is not looked for.

        A bar that a change of meter cuts short gets the meter of its length, to a 64th note.
        """
        timeline = grid_bars(score)
        shape = _meters(timeline)
        changes = [(i, *meter) for i, meter in enumerate(shape) if i == 0 or meter != shape[i - 1]]
        plan = cls(
            bars=len(timeline) or None,
            meters=tuple(changes) or ((0, *DEFAULT_METER[1:]),),
            us_per_beat=main_tempo(score).us_per_beat,
            key=score.keys[0][1:] if score.keys else None,
            parts=score.parts,
            title=score.title,
        )
        heard = [chord for chord in timeline.chords if chord.onset_ticks < timeline.end_ticks]
        if not heard:
            return plan
        places = timeline.moved([chord.onset_ticks for chord in heard], plan.timeline(GRID), inside=True)
        chords = [c._replace(onset_ticks=place) for c, place in zip(heard, places.tolist(), strict=True)]
        return replace(plan, chords=drop_redundant(chords))

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON has it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Plan:
        """The inverse of `to_dict`; what is left out is as by default.

        Raises PlanError for what is no plan.
        """
        known = {field.name for field in fields(cls)}
        if strange := sorted(set(said) - known):
            raise PlanError(f"a plan has no {strange[0]!r}, must be of {', '.join(sorted(known))}")
        values = dict(said)
        try:
            for name, kind in ROWS.items():
                if values.get(name) is not None:
                    values[name] = tuple(kind(*row) for row in values[name])
            if values.get("key") is not None:
                sharps, is_minor = values["key"]
                values["key"] = (int(sharps), bool(is_minor))
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise PlanError(f"this is no plan: {error}") from error

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60e6 / self.us_per_beat

    def events(self, ticks_per_beat: int) -> dict[str, tuple[Tempo | Meter | KeySignature, ...]]:
        """Tempo, meters and key as a Score of this resolution holds them."""
        ticks, before, bar_ticks = 0, 0, Fraction(0)
        meters = []
        for bar, numerator, denominator in self.meters:
            # rounded down at each change, as the bars of a Timeline are
            ticks += int((bar - before) * bar_ticks)
            meters.append(Meter(ticks, numerator, denominator))
            before, bar_ticks = bar, max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
        keys = (KeySignature(0, *self.key),) if self.key else ()
        return {"tempi": (Tempo(0, self.us_per_beat),), "meters": tuple(meters), "keys": keys}

    def timeline(self, ticks_per_beat: int) -> Timeline:
        """The bars of the song; `bars` must be known."""
        assert self.bars is not None, "the length of an open plan is not known"
        meters = cast(tuple[Meter, ...], self.events(ticks_per_beat)["meters"])
        last_bar, numerator, denominator = self.meters[-1]
        bar_ticks = max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
        end_ticks = meters[-1].onset_ticks + int((self.bars - last_bar) * bar_ticks)
        chords = [
            c._replace(onset_ticks=rescale_ticks(c.onset_ticks, GRID, ticks_per_beat)) for c in self.chords
        ]
        timeline = Timeline.of_meters(ticks_per_beat, meters, end_ticks, drop_redundant(chords))
        if self.returns is None:
            return timeline
        returns = (list(self.returns) + [(-1, 0)] * self.bars)[: self.bars]  # cut, or no more returns
        return timeline.with_returns(*zip(*returns, strict=True))

    def only_main_meter(self) -> Plan:
        """The plan in its longest-lasting meter throughout."""
        starts = [bar for bar, _, _ in self.meters]
        ends = [*starts[1:], max(self.bars or 0, starts[-1] + 1)]
        lasts: dict[tuple[int, int], int] = {}
        for (start, *meter), end in zip(self.meters, ends, strict=True):
            shape = (meter[0], meter[1])
            lasts[shape] = lasts.get(shape, 0) + end - start
        return replace(self, meters=((0, *max(lasts, key=lambda shape: lasts[shape])),))

    def __str__(self) -> str:
        """In words, such as "G major, 4/4, 72 bpm, 16 bars"."""
        words = ["+".join(label for label, _ in self.genres)] if self.genres else []
        words += [key_name(*self.key)] if self.key else []
        words += [f"{self.meters[0][1]}/{self.meters[0][2]}", f"{self.bpm:.0f} bpm"]
        return ", ".join(words + ([f"{self.bars} bars"] if self.bars else []))


ROWS: dict[str, Callable[..., Any]] = {  # of a plan in JSON: what each of their rows is
    "meters": lambda bar, numerator, denominator: (int(bar), int(numerator), int(denominator)),
    "genres": lambda label, weight: (str(label), float(weight)),
    "returns": lambda bar, likeness: (int(bar), int(likeness)),
    "parts": Part,
    "chords": Chord,
}


def grid_bars(score: Score) -> Timeline:
    """The bars (and chords) of `score` on the grid: what happens within half a tick is rounded away."""
    meters, chords = (
        drop_redundant(
            [e._replace(onset_ticks=rescale_ticks(e.onset_ticks, score.ticks_per_beat, GRID)) for e in events]
        )
        for events in (score.meters, score.chords)
    )
    if not meters or meters[0].onset_ticks > 0:
        meters = (DEFAULT_METER, *meters)
    last_onset = rescale_ticks(int(score.onset_ticks[-1]), score.ticks_per_beat, GRID) if len(score) else -1
    return Timeline.of_meters(GRID, meters, last_onset + 1, chords)


def parse_form(text: str) -> tuple[tuple[int, int], ...]:
    """The returns of sections such as "A8 A8 B8 A8~": for each bar the one it returns to and how closely.

    A section returns bar by bar to its latest namesake: all (3), or with `~` some (1) of the notes.
    First sections return to nothing. Raises PlanError.
    """
    returns: list[tuple[int, int]] = []
    latest: dict[str, range] = {}
    for section in text.split():
        match = re.fullmatch(r"([^\W\d]+'*)(\d+)(~?)", section)
        if not match or not 1 <= int(match[2]) <= MAX_BARS:
            raise PlanError(f"section {section!r}, must be a name and 1-{MAX_BARS} bars, as A8, or A8~")
        name, bars = match[1], range(len(returns), len(returns) + int(match[2]))
        model = latest.get(name, range(0))
        close = 1 if match[3] else 3
        returns += [(model[i], close) if i < len(model) else (-1, 0) for i in range(len(bars))]
        latest[name] = bars
    if not returns:
        raise PlanError("an empty form, must be sections such as 'A8 A8 B8 A8~'")
    return tuple(returns)


def _meters(timeline: Timeline) -> list[tuple[int, int]]:
    """The meter of each bar on the grid; a bar shorter or longer than its meter says gets one of its own."""
    shape = list(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
    full = timeline.numerator * 4 * GRID / timeline.denominator
    for bar in np.flatnonzero(np.abs(timeline.length_ticks - full) >= 1).tolist():
        over, under = max(1, (int(timeline.length_ticks[bar]) * 2 + 1) // 3), 64  # 1.5 ticks are a 64th
        while over % 2 == 0 and under > 4:
            over, under = over // 2, under // 2
        shape[bar] = (over, under)
    return shape


def main_tempo(score: Score) -> Tempo:
    """The tempo that lasts longest in `score`, in ticks (120 bpm where it says nothing)."""
    tempi = score.tempi if score.tempi and score.tempi[0].onset_ticks == 0 else (DEFAULT_TEMPO, *score.tempi)
    lasts: dict[int, int] = {}
    end = max(score.end_ticks, tempi[-1].onset_ticks)
    for tempo, following in zip(tempi, [*tempi[1:], Tempo(end, 1)], strict=True):
        length = following.onset_ticks - tempo.onset_ticks
        lasts[tempo.us_per_beat] = lasts.get(tempo.us_per_beat, 0) + length
    return Tempo(0, max(lasts, key=lambda us: (lasts[us], -us)))
