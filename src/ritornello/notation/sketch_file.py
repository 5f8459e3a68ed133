"""Read the sketch of a song from JSON that a musician can edit: options, and an object for each bar.

    {"genre": "fiddle", "key": "D major", "meter": "4/4", "tempo": 112, "parts": ["violin", "drums"],
     "bars": [{"bar": 1, "section": "A", "chords": "D / G A7", "repeats": "nothing", "motif": "new",
               "cadence": "none", "texture": {"violin": {"notes": 8, "pitch": "A5"}, "drums": "rests"}}]}

A key that is left out or null is open. `music.chord_symbols` describes "chords", docs/sketch.md all keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ritornello.errors import PlanError
from ritornello.music.chord_symbols import parse_symbols
from ritornello.music.form import returns_of_sections
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.sketch import UNKNOWN, Closing, Sketch, Texture, part_names
from ritornello.music.timeline import Timeline
from ritornello.notation.sketch_bar import OPEN_RETURN, Bar, check_keys
from ritornello.system.files import read_bytes

HEADER = ("genre", "key", "meter", "tempo", "parts", "bars")
MAX_FILE_BYTES = 16 << 20


def implied_returns(names: Sequence[str | None]) -> list[tuple[int, int]]:
    """Return what each bar repeats: the earlier bar, or -1, and the similarity. OPEN_RETURN before a section.

    `names` has the name of the section that begins with a bar, or None; see `returns_of_sections`.
    """
    edges = [*(bar for bar, name in enumerate(names) if name), len(names)]
    before = edges[0]
    sections = [(names[start] or "", end - start) for start, end in pairwise(edges)]
    returns = [(bar if bar < 0 else bar + before, same) for bar, same in returns_of_sections(sections)]
    return [OPEN_RETURN] * before + returns


@dataclass(frozen=True)
class SketchFile:
    """The content of a sketch file. Tuples have one item for each bar, apart from `pickup` and `meters`."""

    options: dict[str, Any]
    """The options of `compose` that the file states, by name: bars, genre, key, meter, tempo, parts."""
    pickup: tuple[int, int] | None
    """The meter of the pickup, which is the first bar."""
    meters: tuple[tuple[int, int, int], ...]
    """Changes of meter after the first full bar: bar from 0, numerator, denominator."""
    section_names: tuple[tuple[int, str], ...]
    """The first bar, from 0, and the name of each section."""
    chords: tuple[str | None, ...]
    returns: tuple[tuple[int, int], ...]
    cadences: tuple[int, ...]
    motifs: tuple[int, ...]
    closings: tuple[tuple[float, int] | None, ...]
    """For each bar the beat, from 1, and the pitch class of the note on which its phrase closes."""
    textures: tuple[dict[str, Texture], ...]
    """For each bar the texture of parts by name."""

    @property
    def has_all_textures(self) -> bool:
        """Whether the number of notes of each part in each bar is stated."""
        parts = len(self.options.get("parts", ()))
        known = [[notes for notes, _ in bar.values() if notes != UNKNOWN] for bar in self.textures]
        return parts > 0 and all(len(of_bar) == parts for of_bar in known)

    def applied_to(self, plan: Plan) -> Plan:
        """Return a plan of as many bars with the chords, the returns and the sketch of the file.

        Values that the file leaves open are those of the plan, or open there too. Raises PlanError if a part
        is not in the plan, or if a value does not fit its bars.
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
        returns = None if is_open else self.returns
        plan = replace(plan, chords=chords, returns=returns, sketch=sketch, section_names=self.section_names)
        plan.timeline(GRID)  # raises PlanError for impossible returns
        return plan

    def _check_pickup(self, plan: Plan) -> None:
        """Raise PlanError if the plan has a pickup and the file none, or the other way round."""
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
    """Return the sketch in a parsed JSON file. Raises PlanError."""
    check_keys("a sketch", data, HEADER)
    bars = data.get("bars")
    if not isinstance(bars, list) or not 1 <= len(bars) <= MAX_BARS:
        raise PlanError(f"bars of a sketch: must be a list of 1-{MAX_BARS} objects, one for each bar")
    has_pickup = isinstance(bars[0], Mapping) and bars[0].get("bar") == 0
    parsed = [Bar(index, bar, has_pickup) for index, bar in enumerate(bars)]
    if has_pickup and (len(bars) < 2 or not parsed[0].meter):
        raise PlanError("bar 0: must have a meter, that of the pickup, and be before bar 1")
    names = [bar.section for bar in parsed]
    implied = implied_returns(names)
    returns = tuple(b.repeats if "repeats" in b.values else i for b, i in zip(parsed, implied, strict=True))
    options = _options(data) | {"bars": len(bars) - has_pickup}
    first_full_bar = parsed[has_pickup]
    if first_full_bar.meter:
        options = {"meter": first_full_bar.text("meter")} | options
    return SketchFile(
        options,
        parsed[0].meter if has_pickup else None,
        tuple((bar.index, *meter) for bar in parsed[has_pickup + 1 :] if (meter := bar.meter)),
        tuple((bar, name) for bar, name in enumerate(names) if name),
        tuple(bar.text("chords") for bar in parsed),
        returns,
        tuple(bar.cadence for bar in parsed),
        tuple(bar.motif for bar in parsed),
        tuple(bar.closing for bar in parsed),
        tuple(bar.textures for bar in parsed),
    )


def _closings(closings: Sequence[tuple[float, int] | None], bars: Timeline) -> tuple[Closing, ...]:
    """Return the closing notes in ticks; () if none is stated. Raises PlanError for a beat beyond its bar."""
    in_ticks: list[Closing] = [(UNKNOWN, UNKNOWN)] * len(bars)
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
        in_ticks[bar] = ticks, closing[1]
    return tuple(in_ticks) if any(closings) else ()


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in the header. Their types are checked, their values are not parsed."""
    options = {name: data[name] for name in HEADER if name != "bars" and data.get(name) is not None}
    for name, value in options.items():
        if name == "tempo":
            has_right_type = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif name == "parts":
            has_right_type = isinstance(value, list) and all(isinstance(part, str) for part in value)
        else:
            has_right_type = isinstance(value, str)
        if not has_right_type:
            kind = {"tempo": "a number", "parts": "a list of instruments"}.get(name, "a text")
            raise PlanError(f"{name} {value!r:.60} of a sketch: must be {kind}")
    return options
