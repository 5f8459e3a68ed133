"""Read the sketch of a song from JSON that a musician can edit: options, and an object for each bar.

    {"genre": "fiddle", "key": "D major", "meter": "4/4", "tempo": 112, "parts": ["violin", "drums"],
     "bars": [{"bar": 1, "section": "A", "chords": "D / G A7", "repeats": "nothing", "motif": "new",
               "cadence": "none", "texture": {"violin": {"notes": 8, "pitch": "A5"}, "drums": "rests"}}]}

What is left out or null is open. `music.chord_symbols` describes "chords"; docs/sketch.md describes all keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.chord_symbols import parse_symbols
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.sketch import (
    CADENCE_NAMES,
    MAX_NOTES_OF_A_BAR,
    NO_MOTIF,
    UNKNOWN,
    Closing,
    Sketch,
    Texture,
    part_names,
)
from ritornello.music.timeline import Timeline
from ritornello.system.files import read_bytes

HEADER = ("genre", "key", "meter", "tempo", "parts", "bars")
BAR_KEYS = ("bar", "meter", "section", "chords", "repeats", "motif", "cadence", "closing", "texture")
NO_NAME = "none"  # of NO_CADENCE
CADENCES = (NO_NAME, *CADENCE_NAMES[1:])
SIMILARITIES = {"some": 1, "most": 2, "all": 3}
NOTHING, NEW, RESTS = "nothing", "new", "rests"
OPEN_RETURN = (-1, UNKNOWN)
MAX_FILE_BYTES = 16 << 20


def implied_returns(names: Sequence[str | None]) -> list[tuple[int, int]]:
    """Return what each bar repeats if sections begin where there are names.

    As in `parse_form`, a name that comes again repeats the latest section of that name bar by bar: all notes,
    or with ~ after it some.
    """
    returns: list[tuple[int, int]] = []
    latest: dict[str, range] = {}
    edges = [*(bar for bar, name in enumerate(names) if name), len(names)]
    returns += [OPEN_RETURN] * edges[0]
    for start, end in pairwise(edges):
        name = names[start] or ""
        similarity = 1 if name.endswith("~") else 3
        earlier = latest.get(name.rstrip("~"), range(0))
        returns += [(earlier[i], similarity) if i < len(earlier) else (-1, 0) for i in range(end - start)]
        latest[name.rstrip("~")] = range(start, end)
    return returns


@dataclass(frozen=True)
class SketchFile:
    """A sketch that was read. A tuple has one item for each bar."""

    options: dict[str, Any]
    """The options of `compose` that the file states, by name: bars, genre, key, meter, tempo, parts."""
    pickup: tuple[int, int] | None
    """The meter of the pickup, which is the first bar."""
    meters: tuple[tuple[int, int, int], ...]
    """Changes of meter after the first full bar: bar from 0, numerator, denominator."""
    chords: tuple[str | None, ...]
    returns: tuple[tuple[int, int], ...]
    cadences: tuple[int, ...]
    motifs: tuple[int, ...]
    closings: tuple[tuple[float, int] | None, ...]
    """For each bar the beat, from 1, and the pitch class of the note on which its phrase closes."""
    textures: tuple[dict[str, Texture], ...]
    """For each bar the texture of parts by name."""

    def applied_to(self, plan: Plan) -> Plan:
        """Return a plan of as many bars with the chords, the returns and the sketch of the file.

        What the file leaves open keeps the value of the plan; where that has none it is open. Raises
        PlanError if a part is not in the plan, or if a value does not fit its bars.
        """
        first = plan.meters[plan.pickup_bars][1:]
        start = ((0, *self.pickup), (1, *first)) if self.pickup else ((0, *first),)
        plan = replace(plan, bars=len(self.chords), meters=(*start, *self.meters), returns=None)
        self._check_pickup(plan)
        names = part_names(plan.parts)
        for bar, texture in enumerate(self.textures):
            if unknown := [name for name in texture if name not in names]:
                number, known = bar + 1 - plan.pickup_bars, ", ".join(names)
                raise PlanError(f"bar {number}: part {unknown[0]!r}: must be one of {known}")
        open_texture = (UNKNOWN, UNKNOWN)
        textures = [tuple(bar.get(name, open_texture) for bar in self.textures) for name in names]
        is_open = all(target == OPEN_RETURN for target in self.returns)
        bars = replace(plan, chords=()).timeline(GRID)
        chords = parse_symbols(self.chords, bars, plan.key, plan.mode) if any(self.chords) else plan.chords
        closings = _closings(self.closings, bars)
        sketch = Sketch(self.cadences, self.motifs, plan.parts, tuple(textures), closings)
        plan = replace(plan, chords=chords, returns=None if is_open else self.returns, sketch=sketch)
        plan.timeline(GRID)  # raises PlanError for impossible returns
        return plan

    def _check_pickup(self, plan: Plan) -> None:
        """Raise PlanError unless the bars of the plan begin with a pickup as those of the file do."""
        if plan.pickup_bars == bool(self.pickup):
            return
        numerator, denominator = plan.meters[0][1:]
        if self.pickup:
            raise PlanError(f"bar 0: meter {numerator}/{denominator}: must be shorter than the next bar")
        raise PlanError(f"bar 1: meter {numerator}/{denominator}: is a pickup, so it must be bar 0")


def read(path: str | Path) -> SketchFile:
    """Read a sketch. Raises PlanError that names the file, the bar, the value and the allowed range."""
    name = str(path)
    try:
        data = read_bytes(Path(path), PlanError)
        if len(data) > MAX_FILE_BYTES:
            raise PlanError(f"{len(data):,} bytes: must be at most {MAX_FILE_BYTES:,}")
        return from_dict(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{name!r} is not a sketch: it is not JSON ({error})") from error
    except PlanError as error:
        raise PlanError(str(error) if name in str(error) else f"{name!r}: {error}") from error


def from_dict(data: Any) -> SketchFile:
    """Return the sketch that a parsed file has. Raises PlanError."""
    _check_keys("a sketch", data, HEADER)
    bars = data.get("bars")
    if not isinstance(bars, list) or not 1 <= len(bars) <= MAX_BARS:
        raise PlanError(f"bars of a sketch: must be a list of 1-{MAX_BARS} objects, one for each bar")
    has_pickup = isinstance(bars[0], Mapping) and bars[0].get("bar") == 0
    parsed = [_Bar(index, bar, has_pickup) for index, bar in enumerate(bars)]
    if has_pickup and (len(bars) < 2 or not parsed[0].meter):
        raise PlanError("bar 0: must have a meter, that of the pickup, and be before bar 1")
    names = [bar.section for bar in parsed]
    implied = implied_returns(names)
    returns = tuple(b.repeats if "repeats" in b.values else i for b, i in zip(parsed, implied, strict=True))
    options = _options(data) | {"bars": len(bars) - has_pickup}
    full = parsed[has_pickup]
    if meter := full.meter:
        options = {"meter": full.text("meter")} | options
    return SketchFile(
        options,
        parsed[0].meter if has_pickup else None,
        tuple((bar.index, *meter) for bar in parsed[has_pickup + 1 :] if (meter := bar.meter)),
        tuple(bar.text("chords") for bar in parsed),
        returns,
        tuple(bar.cadence for bar in parsed),
        tuple(bar.motif for bar in parsed),
        tuple(bar.closing for bar in parsed),
        tuple(bar.textures for bar in parsed),
    )


def _closings(closings: Sequence[tuple[float, int] | None], bars: Timeline) -> tuple[Closing, ...]:
    """The closing notes in ticks; () if none is stated. Raises PlanError for a beat that the bar lacks."""
    found: list[Closing] = [(UNKNOWN, UNKNOWN)] * len(bars)
    for bar, closing in enumerate(closings):
        if closing is None:
            continue
        ticks = round((closing[0] - 1) * 4 * GRID / bars.denominator[bar])
        if not 0 <= ticks < bars.length_ticks[bar]:
            most = int(bars.length_ticks[bar]) * int(bars.denominator[bar]) / (4 * GRID) + 1
            number = bars.number(bar)
            raise PlanError(
                f"bar {number}: closing on beat {closing[0]:g}: must be at least 1, less than {most:g}"
            )
        found[bar] = ticks, closing[1]
    return tuple(found) if any(closings) else ()


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in the header, checked to be of the right type; their values are not parsed."""
    options = {name: data[name] for name in HEADER if name != "bars" and data.get(name) is not None}
    for name, value in options.items():
        if name == "tempo":
            is_right = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif name == "parts":
            is_right = isinstance(value, list) and all(isinstance(part, str) for part in value)
        else:
            is_right = isinstance(value, str)
        if not is_right:
            kind = {"tempo": "a number", "parts": "a list of instruments"}.get(name, "a text")
            raise PlanError(f"{name} {value!r:.60} of a sketch: must be {kind}")
    return options


def _check_keys(what: str, data: Any, known: Sequence[str]) -> None:
    """Raise PlanError unless `data` is an object without unknown keys."""
    if not isinstance(data, Mapping):
        raise PlanError(f"{what} is {data!r:.40}: must be an object")
    if unknown := sorted(set(data) - set(known)):
        raise PlanError(f"{what} has the unknown key {unknown[0]!r:.40}: must be one of {', '.join(known)}")


class _Bar:
    """The object of one bar, from which each property is read. Raises PlanError that names the bar."""

    def __init__(self, index: int, values: Any, has_pickup: bool) -> None:
        number = index + 1 - has_pickup
        _check_keys(f"bar {number}", values, BAR_KEYS)
        self.index, self.number, self.values, self._first = index, number, values, 1 - has_pickup
        if values.get("bar", number) != number:
            raise PlanError(
                f"bar {values['bar']!r:.20} is in the place of bar {number}: must count from 1 (pickup: 0)"
            )

    def _error(self, key: str, allowed: str) -> PlanError:
        return PlanError(f"bar {self.number}: {key} {self.values[key]!r:.60}: must be {allowed}")

    def text(self, key: str) -> str | None:
        """Return a text, or None if it is open."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(key, "a text")
        return value

    @property
    def section(self) -> str | None:
        """Return the name of the section that begins with this bar."""
        name = self.text("section")
        if name is not None and not re.fullmatch(r"[^\W_]+'*~?", name):
            raise self._error("section", "letters and digits, then ' or ~ (varied), such as A or A~")
        return name

    @property
    def meter(self) -> tuple[int, int] | None:
        """Return the meter that begins with this bar."""
        text = self.text("meter")
        if text is None:
            return None
        match = re.fullmatch(r"(\d{1,3})/(1|2|4|8|16|32|64)", text)
        if not match or not int(match[1]):
            raise self._error("meter", "a time signature, such as 3/4")
        return int(match[1]), int(match[2])

    @property
    def repeats(self) -> tuple[int, int]:
        """Return the bar, from 0, that is repeated, and how closely."""
        text = self.text("repeats")
        if text in (None, NOTHING):
            return OPEN_RETURN if text is None else (-1, 0)
        match = re.fullmatch(r"(?:(some|most|all) of )?(bar \d{1,6})", text or "")
        if not match or (earlier := self._earlier(match[2])) is None:
            raise self._error("repeats", f"{NOTHING!r}, or all of, most of or some of an earlier bar")
        return earlier, SIMILARITIES.get(match[1], UNKNOWN)

    def _earlier(self, text: str) -> int | None:
        """Return the index of an earlier bar, such as "bar 1"; None for anything else."""
        match = re.fullmatch(r"bar (\d{1,6})", text)
        return int(match[1]) - self._first if match and self._first <= int(match[1]) < self.number else None

    @property
    def cadence(self) -> int:
        """Return the cadence at the end of the bar."""
        name = self.text("cadence")
        if name is None:
            return UNKNOWN
        if name not in CADENCES:
            raise self._error("cadence", f"one of {', '.join(CADENCES)}")
        return CADENCES.index(name)

    @property
    def closing(self) -> tuple[float, int] | None:
        """Return the beat, from 1, and the pitch class of the note on which the phrase closes."""
        text = self.text("closing")
        if text is None:
            return None
        match = re.fullmatch(r"([A-G][#b]{0,2}) on beat (\d{1,3}(?:\.\d{1,6})?)", text)
        if match is None:
            raise self._error("closing", "a note and a beat, such as 'D on beat 3'")
        return float(match[2]), theory.parse_pitch(f"{match[1]}4") % 12

    @property
    def motif(self) -> int:
        """Return the bar, from 0, whose motif the bar shares."""
        text = self.text("motif")
        if text in (None, NEW):
            return UNKNOWN if text is None else NO_MOTIF
        if (earlier := self._earlier(text or "")) is None:
            raise self._error("motif", f"{NEW!r} or an earlier bar, such as 'bar 1'")
        return earlier

    @property
    def textures(self) -> dict[str, Texture]:
        """Return the texture of each part that is stated."""
        parts = self.values.get("texture")
        if parts is None:
            return {}
        if not isinstance(parts, Mapping):
            raise self._error("texture", 'an object of parts, such as {"violin": "rests"}')
        return {str(part): self._texture(part, value) for part, value in parts.items() if value is not None}

    def _texture(self, part: Any, value: Any) -> Texture:
        """Return the notes and the mean pitch of a part in the bar."""
        if value == RESTS:
            return (0, UNKNOWN)
        what = f"bar {self.number}: {part}"
        if not isinstance(value, Mapping) or set(value) - {"notes", "pitch"}:
            raise PlanError(f'{what} {value!r:.60}: must be "rests" or such as {{"notes": 8, "pitch": "C4"}}')
        notes, pitch = value.get("notes"), value.get("pitch")
        if notes is not None and (type(notes) is not int or not 0 <= notes <= MAX_NOTES_OF_A_BAR):
            raise PlanError(f"{what}: notes {notes!r:.40}: must be 0-{MAX_NOTES_OF_A_BAR}")
        try:
            number = UNKNOWN if pitch is None else theory.parse_pitch(str(pitch))
        except ValueError as error:
            raise PlanError(f"{what}: {error}") from None
        return (UNKNOWN if notes is None else notes, number)
