"""The class Plan: the properties of a song that are fixed before its notes are composed.

Its bars and chords are on a grid of 24 ticks a beat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, cast

import numpy as np

from ritornello.errors import PlanError
from ritornello.music.chord_suffix import parse_suffix
from ritornello.music.modes import MODES, signature, tonality_name
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
from ritornello.music.sketch import Sketch
from ritornello.music.timeline import MAX_BAR_BEATS, Timeline

GRID = 24  # ticks per beat
MAX_BARS = 1000  # the longest song that can be planned
TEMPO_BPM = (10.0, 400.0)


@dataclass(frozen=True)
class Plan:
    """The properties of a song to be composed. Raises PlanError if a value is out of range."""

    bars: int | None = 16  # None leaves the length open
    meters: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)  # first bar from 0, numerator, denominator
    us_per_beat: int = DEFAULT_TEMPO.us_per_beat
    key: tuple[int, bool] | None = None  # sharps, is_minor; of a mode the nearest one with its tonic
    parts: tuple[Part, ...] = (Part(),)
    genres: tuple[tuple[str, float], ...] = ()  # label, weight; the weights sum to 1
    title: str = ""
    chords: tuple[Chord, ...] = ()  # at 24 ticks per beat; empty leaves them open
    returns: tuple[tuple[int, int], ...] | None = None
    """For each bar the earlier bar that it repeats (-1: none) and how closely (0-3); None leaves it open."""
    sketch: Sketch | None = None  # phrases, motifs and texture; None leaves them open
    mode: str = ""
    """One of `modes.MODES`, in whose scale the song is; "" for major and minor."""
    intro_bars: int = 0  # bars of an introduction, after the pickup
    outro_bars: int = 0  # bars of an ending
    is_loop: bool = False
    """Whether the last bar leads into the first."""
    held_notes: tuple[int, ...] = ()
    """Numbers of the parts whose density the user set: sampling rules hold them to their planned notes."""
    held_pitches: tuple[int, ...] = ()
    """Numbers of the parts whose register the user set: rules hold them to their planned mean pitches."""
    section_names: tuple[tuple[int, str], ...] = ()
    """Of the sections that the user named: the first bar, from 0, and the name; () names them by letters."""
    mean_velocity: int | None = None
    """The mean velocity of all notes, 1-127, to which a composed song is moved; None leaves it open."""

    def __post_init__(self) -> None:
        if self.bars is not None and self.bars < 1:
            raise PlanError(f"bars {self.bars}: must be at least 1")
        if not self.meters or self.meters[0][0] != 0:
            raise PlanError(f"meters {self.meters}: the first must begin at bar 0")
        for part in self.parts:
            if not 0 <= part.program <= 127:
                raise PlanError(f"program {part.program}: must be 0-127")
        for _, numerator, denominator in self.meters:
            if 4 * numerator > MAX_BAR_BEATS * denominator:
                raise PlanError(
                    f"meter {numerator}/{denominator}: must be at most {MAX_BAR_BEATS} beats a bar"
                )
        if self.mode and (self.mode not in MODES or self.key is None):
            raise PlanError(f"mode {self.mode!r}: must be one of {', '.join(MODES)}, with a key")
        if self.mean_velocity is not None and not 1 <= self.mean_velocity <= 127:
            raise PlanError(f"mean velocity {self.mean_velocity}: must be 1-127")
        if not 1 <= self.us_per_beat < 1 << 24:
            raise PlanError(f"{self.us_per_beat} microseconds a beat: must be 1-16777215")

    @classmethod
    def of(cls, score: Score) -> Plan:
        """Return the plan that `score` fulfils, without `returns` and genres.

        A bar that a change of meter cuts short gets the meter of its length, to a 64th note.
        """
        timeline = grid_bars(score)
        meters = _meters(timeline)
        changes = [(i, *meter) for i, meter in enumerate(meters) if i == 0 or meter != meters[i - 1]]
        plan = cls(
            bars=len(timeline) or None,
            meters=tuple(changes) or ((0, *DEFAULT_METER[1:]),),
            us_per_beat=main_tempo(score).us_per_beat,
            key=score.keys[0][1:] if score.keys else None,
            parts=score.parts,
            title=score.title,
        )
        chords = [chord for chord in timeline.chords if chord.onset_ticks < timeline.end_ticks]
        if not chords:
            return plan
        onsets = timeline.moved([chord.onset_ticks for chord in chords], plan.timeline(GRID), inside=True)
        chords = [c._replace(onset_ticks=onset) for c, onset in zip(chords, onsets.tolist(), strict=True)]
        return replace(plan, chords=drop_redundant(chords))

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it, without newer fields that have their default values."""
        values = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        defaults = Chord(0, 0, "")[3:]  # suffix, bass and text, which the first versions lacked
        values["chords"] = [chord[:3] if chord[3:] == defaults else chord for chord in values["chords"]]
        if self.sketch is not None:
            values["sketch"] = self.sketch.to_dict()
        for name in NEWER_FIELDS:
            if not values[name]:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """Return the plan that `to_dict` wrote; missing fields get their defaults.

        Raises PlanError if a field is unknown or has a wrong type.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise PlanError(
                f"unknown key {unknown[0]!r} of a plan: must be one of {', '.join(sorted(known))}"
            )
        arguments = dict(values)
        try:
            if arguments.get("returns") is not None:
                # In one list, because the plans of the bundled model have 200,000 items
                arguments["returns"] = tuple([(int(bar), int(same)) for bar, same in arguments["returns"]])
            for name, convert in ITEM_READERS.items():
                if arguments.get(name) is not None:
                    arguments[name] = tuple(convert(*item) for item in arguments[name])
            for name in ("held_notes", "held_pitches"):
                arguments[name] = tuple(int(part) for part in arguments.get(name) or ())
            if arguments.get("key") is not None:
                sharps, is_minor = arguments["key"]
                arguments["key"] = (int(sharps), bool(is_minor))
            if arguments.get("sketch") is not None:
                arguments["sketch"] = Sketch.from_dict(arguments["sketch"])
            return cls(**arguments)
        except (TypeError, ValueError, AttributeError) as error:
            raise PlanError(f"this is not a plan: {error}") from error

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60e6 / self.us_per_beat

    def events(self, ticks_per_beat: int) -> dict[str, tuple[Tempo | Meter | KeySignature, ...]]:
        """Return the tempo, meters and key as keyword arguments for a Score of this resolution."""
        ticks, before, bar_ticks = 0, 0, Fraction(0)
        meters = []
        for bar, numerator, denominator in self.meters:
            # rounded down at each change, as in Timeline.of_meters
            ticks += int((bar - before) * bar_ticks)
            meters.append(Meter(ticks, numerator, denominator))
            before, bar_ticks = bar, max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
        keys = (KeySignature(0, *signature(self.key, self.mode)),) if self.key else ()
        return {"tempi": (Tempo(0, self.us_per_beat),), "meters": tuple(meters), "keys": keys}

    def timeline(self, ticks_per_beat: int) -> Timeline:
        """Return the bars of the song; `bars` must not be None.

        Raises PlanError if a bar returns to a later one or to one of another length.
        """
        assert self.bars is not None, "the plan leaves the number of bars open"
        meters = cast(tuple[Meter, ...], self.events(ticks_per_beat)["meters"])
        last_bar, numerator, denominator = self.meters[-1]
        bar_ticks = max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
        end_ticks = meters[-1].onset_ticks + int((self.bars - last_bar) * bar_ticks)
        onsets = [rescale_ticks(chord.onset_ticks, GRID, ticks_per_beat) for chord in self.chords]
        chords = [c._replace(onset_ticks=onset) for c, onset in zip(self.chords, onsets, strict=True)]
        timeline = Timeline.of_meters(ticks_per_beat, meters, end_ticks, drop_redundant(chords))
        timeline = replace(timeline, sketch=self.sketch)
        if self.returns is None:
            return timeline
        returns = (list(self.returns) + [(-1, 0)] * self.bars)[: self.bars]  # cut or filled up
        return timeline.with_returns(*zip(*returns, strict=True))

    @property
    def pickup_bars(self) -> int:
        """1 if the first bar is a pickup, bar 0, else 0; see Timeline.pickup_bars."""
        if len(self.meters) < 2 or self.meters[1][0] != 1 or self.bars == 1:
            return 0
        first, second, *later = [
            4 * GRID * meter[1] / meter[2] for meter in self.meters[:3]
        ]  # ticks of a bar
        is_full = not later or self.meters[2][0] > 2 or abs(later[0] - second) < 1  # as the bar after it
        return int(int(first) <= second - 1 and is_full)

    @property
    def full_bars(self) -> int:
        """The number of bars without the pickup; 0 if the length is open."""
        return self.bars - self.pickup_bars if self.bars else 0

    def only_main_meter(self) -> Plan:
        """Return the plan with its most frequent meter in all bars; the meter of a pickup does not count."""
        changes = self.meters[self.pickup_bars :]
        starts = [bar for bar, _, _ in changes]
        ends = [*starts[1:], max(self.bars or 0, starts[-1] + 1)]
        bars: dict[tuple[int, int], int] = {}
        for (start, numerator, denominator), end in zip(changes, ends, strict=True):
            bars[numerator, denominator] = bars.get((numerator, denominator), 0) + end - start
        return replace(self, meters=((0, *max(bars, key=lambda meter: bars[meter])),))

    def __str__(self) -> str:
        """Return a description such as "G major, 4/4, 72 bpm, 16 bars"."""
        items = ["+".join(label for label, _ in self.genres)] if self.genres else []
        items += [tonality_name(self.key, self.mode)] if self.key else []
        _, numerator, denominator = self.meters[self.pickup_bars]
        items += [f"{numerator}/{denominator}", f"{self.bpm:.0f} bpm"]
        pickup = " and a pickup" if self.pickup_bars else ""
        return ", ".join(
            items + ([f"{self.full_bars} bar{'s' * (self.full_bars != 1)}{pickup}"] if self.bars else [])
        )


NEWER_FIELDS = tuple(field.name for field in fields(Plan))[9:]  # after `returns`
ITEM_READERS: dict[str, Callable[..., Any]] = {  # by field: makes an item of its list from the values in JSON
    "meters": lambda bar, numerator, denominator: (int(bar), int(numerator), int(denominator)),
    "genres": lambda label, weight: (str(label), float(weight)),
    "section_names": lambda bar, name: (int(bar), str(name)),
    "parts": Part,
    "chords": lambda *values: _checked_chord(Chord(*values)),
}


def _checked_chord(chord: Chord) -> Chord:
    """Return a chord of a plan in JSON. Raises ValueError if its suffix or bass cannot be."""
    if chord.suffix and not chord.is_silent:
        parse_suffix(chord.suffix)
    if not -1 <= chord.bass <= 11 or not re.fullmatch(r"[^\s<>&\"']{0,40}", chord.text):
        raise ValueError(f"chord {list(chord)!r:.80}: its bass must be -1 to 11, its name at most 40 letters")
    return chord


def grid_bars(score: Score) -> Timeline:
    """Return the bars and chords of `score` on the grid, each onset rounded to the nearest tick."""
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


def _meters(timeline: Timeline) -> list[tuple[int, int]]:
    """Return the meter of each bar on the grid; a bar cut short by a change of meter gets one that fits."""
    meters = list(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
    full_ticks = timeline.numerator * 4 * GRID / timeline.denominator
    for bar in np.flatnonzero(np.abs(timeline.length_ticks - full_ticks) >= 1).tolist():
        sixty_fourths = max(1, (int(timeline.length_ticks[bar]) * 2 + 1) // 3)  # a 64th has 1.5 ticks
        numerator, denominator = sixty_fourths, 64
        while numerator % 2 == 0 and denominator > 4:
            numerator, denominator = numerator // 2, denominator // 2
        meters[bar] = (numerator, denominator)
    return meters


def main_tempo(score: Score) -> Tempo:
    """Return the tempo in which `score` is for most of its ticks; before its first tempo it is 120 bpm."""
    tempi = score.tempi if score.tempi and score.tempi[0].onset_ticks == 0 else (DEFAULT_TEMPO, *score.tempi)
    ticks: dict[int, int] = {}
    end = max(score.end_ticks, tempi[-1].onset_ticks)
    for tempo, following in zip(tempi, [*tempi[1:], Tempo(end, 1)], strict=True):
        length = following.onset_ticks - tempo.onset_ticks
        ticks[tempo.us_per_beat] = ticks.get(tempo.us_per_beat, 0) + length
    return Tempo(0, max(ticks, key=lambda us_per_beat: (ticks[us_per_beat], -us_per_beat)))
