"""Write the sketch of a plan as JSON that a musician can edit; `sketch_file` reads it."""

from __future__ import annotations

import json
from typing import Any

from ritornello.music import theory
from ritornello.music.chord_symbols import OPEN_CHORD, bar_symbols
from ritornello.music.modes import tonality_name
from ritornello.music.plan import GRID, Plan
from ritornello.music.sections import plan_sections
from ritornello.music.sketch import NO_MOTIF, UNKNOWN, Sketch, Texture, part_names
from ritornello.notation.sketch_bar import (
    BAR_KEYS,
    CADENCES,
    NEW,
    NOTHING,
    OPEN_RETURN,
    RESTS,
    SIMILARITIES,
)
from ritornello.notation.sketch_file import implied_returns


def to_json(plan: Plan) -> str:
    """Return the sketch of a plan as the text of a file, a line for each bar."""
    header: dict[str, Any] = {}
    if plan.genres:
        alone = len(plan.genres) == 1
        header["genre"] = ",".join(label if alone else f"{label}:{weight:g}" for label, weight in plan.genres)
    if plan.key:
        header["key"] = tonality_name(plan.key, plan.mode)
    header["meter"] = "{}/{}".format(*plan.meters[plan.pickup_bars][1:])
    header["tempo"] = _tempo(plan)
    header["parts"] = [part_names([part])[0] for part in plan.parts]
    lines = [f' "{name}": {json.dumps(value)},' for name, value in header.items()]
    bars = ",\n".join(f"  {json.dumps(bar, ensure_ascii=False)}" for bar in _bars(plan))
    return "\n".join(["{", *lines, ' "bars": [', bars, " ]", "}", ""])


def _tempo(plan: Plan) -> float:
    """Return the beats per minute with the fewest digits that give the plan's tempo."""
    for digits in range(9):
        bpm = round(plan.bpm, digits)
        if bpm and round(60e6 / bpm) == plan.us_per_beat:
            break
    return int(bpm) if bpm == int(bpm) else bpm


def _bars(plan: Plan) -> list[dict[str, Any]]:
    """Return the JSON object of each bar, without the keys of open values."""
    timeline, sketch = plan.timeline(GRID), plan.sketch or Sketch()
    pickup = plan.pickup_bars
    bars: list[dict[str, Any]] = [{"bar": bar + 1 - pickup} for bar in range(len(timeline))]
    for start, numerator, denominator in (*plan.meters[:pickup], *plan.meters[pickup + 1 :]):
        bars[start]["meter"] = f"{numerator}/{denominator}"
    for values, text in zip(bars, bar_symbols(timeline, plan.key), strict=True):
        if text != OPEN_CHORD:
            values["chords"] = text
    _add_repeats(bars, plan)
    for values, cadence in zip(bars, sketch.cadences, strict=False):
        if cadence != UNKNOWN:
            values["cadence"] = CADENCES[cadence]
    for values, motif in zip(bars, sketch.motifs, strict=False):
        if motif != UNKNOWN:
            values["motif"] = NEW if motif == NO_MOTIF else f"bar {motif + 1 - pickup}"
    for bar, (ticks, pitch) in enumerate(sketch.closings[: len(bars)]):
        if UNKNOWN not in (ticks, pitch):
            beat = round(1 + ticks * int(timeline.denominator[bar]) / (4 * GRID), 4)
            bars[bar]["closing"] = f"{theory.chord_name(pitch, 'maj', plan.key)} on beat {beat:g}"
    for name, textures in zip(part_names(sketch.parts), sketch.textures, strict=True):
        for values, texture in zip(bars, textures, strict=False):
            if texture != (UNKNOWN, UNKNOWN):
                values.setdefault("texture", {})[name] = _texture_value(texture, plan.key)
    return [{key: values[key] for key in BAR_KEYS if key in values} for values in bars]


def _add_repeats(bars: list[dict[str, Any]], plan: Plan) -> None:
    """Add the sections, and to each bar what it repeats if the sections do not imply it."""
    returns = [_normalized(item) for item in plan.returns or ()][: len(bars)]
    if all(item == OPEN_RETURN for item in returns):
        return
    returns += [(-1, 0)] * (len(bars) - len(returns))
    names: list[str | None] = [None] * len(bars)
    for section in plan_sections(plan):
        names[section.start] = section.name
        span = slice(section.start, section.start + section.bars)
        if section.is_varied:
            names[section.start] = f"{section.letter}~"
            if implied_returns(names)[span] != returns[span]:
                names[section.start] = section.name
    for bar, name, actual, implied in zip(bars, names, returns, implied_returns(names), strict=True):
        if name:
            bar["section"] = name
        if actual != implied:
            bar["repeats"] = _repeat_text(actual, plan.pickup_bars)


def _normalized(item: tuple[int, int]) -> tuple[int, int]:
    """Return an item of `Plan.returns` in its normal form: (-1, 0) repeats nothing, OPEN_RETURN is open."""
    target, similarity = item
    return item if target >= 0 and similarity else (-1, min(similarity, 0))


def _repeat_text(item: tuple[int, int], pickup_bars: int) -> str | None:
    """Return the value of "repeats" for an item of `Plan.returns`; None if it is open."""
    target, similarity = item
    if target < 0:
        return None if similarity == UNKNOWN else NOTHING
    names = {similarity: f"{name} of " for name, similarity in SIMILARITIES.items()}
    return f"{names.get(similarity, '')}bar {target + 1 - pickup_bars}"


def _texture_value(texture: Texture, key: tuple[int, bool] | None) -> str | dict[str, Any]:
    """Return the value of "texture" for one part."""
    notes, pitch = texture
    if notes == 0 and pitch == UNKNOWN:
        return RESTS
    values = {"notes": notes} if notes != UNKNOWN else {}
    return values | ({"pitch": theory.pitch_name(pitch, key)} if pitch != UNKNOWN else {})
