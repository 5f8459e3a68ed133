"""Apply the options `density` and `register`, which say how dense and how high parts are, to the sketch.

The sketch network draws the texture of each part and bar. Then the notes of a part are multiplied, and its
mean pitches are moved, so that their means over the song are the requested ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.options import ComposeOptions, assignments
from ritornello.composing.parse_options import Instrument, parse_parts
from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.instrument_ranges import pitch_range
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part
from ritornello.music.sketch import UNKNOWN, part_names
from ritornello.music.usual_textures import LEVELS, usual_notes_per_beat, usual_pitch

Ints = npt.NDArray[np.int64]
MAX_NOTES_PER_BAR = 64  # the network does not distinguish more
ALL = "all"
Level = str | float  # low, medium, high; or notes a bar, or a pitch


class AskedTexture(NamedTuple):
    """A requested density or register of one part, or of all parts if it has no instrument."""

    option: str
    part: Instrument | None
    level: Level


def parse_textures(options: ComposeOptions) -> tuple[AskedTexture, ...]:
    """Read the options `density` and `register`. Raises PlanError for an unknown part or a wrong value."""
    found = []
    readers: dict[str, Callable[[str], Level]] = {"density": _density, "register": _register}
    for option, read in readers.items():
        for name, text in assignments(option, getattr(options, option)):
            part = None if name.lower() == ALL else parse_parts(name)[0]
            if option == "register" and part is not None and not part.programs:
                raise PlanError(f"register of {name!r}: drums have no register: must be a pitched part")
            found.append(AskedTexture(option, part, text.lower() if text.lower() in LEVELS else read(text)))
    return tuple(found)


def with_textures(
    plan: Plan, asked: tuple[AskedTexture, ...], first_bar: int = 0, first_part: int = 0
) -> Plan:
    """Return a plan whose sketch has the requested textures, from a bar and a part on (both from 0).

    Raises PlanError if the plan has no sketch, or lacks a named part.
    """
    for each in asked:
        if plan.sketch is None or not plan.sketch.textures:
            raise PlanError(f"{each.option}: needs a sketch network, which the model does not have")
        numbers = [n for n, part in enumerate(plan.parts) if n >= first_part and _is(part, each)]
        if not numbers:
            name = each.part.name if each.part else ALL
            known = ", ".join(part_names(plan.parts[first_part:]))
            raise PlanError(f"{each.option} of {name!r}: the song has {known}; --parts adds others")
        textures = list(plan.sketch.textures)
        beats = plan.timeline(GRID).length_ticks / GRID
        for number in numbers:
            cells = np.array(textures[number], np.int64)
            change = _with_density if each.option == "density" else _with_register
            change(cells[first_bar:], beats[first_bar:], plan.parts[number], each.level)
            textures[number] = tuple((notes, pitch) for notes, pitch in cells.tolist())
        field = "held_notes" if each.option == "density" else "held_pitches"
        held: dict[str, Any] = {field: tuple(sorted({*getattr(plan, field), *numbers}))}
        plan = replace(plan, sketch=replace(plan.sketch, textures=tuple(textures)), **held)
    return plan


def parts_asked(asked: tuple[AskedTexture, ...], plan: Plan) -> list[int]:
    """The numbers of the parts of a plan that are named."""
    return [n for n, part in enumerate(plan.parts) if any(each.part and _is(part, each) for each in asked)]


def _is(part: Part, asked: AskedTexture) -> bool:
    """Whether a request applies to a part."""
    if asked.part is None:
        return not (part.is_drum and asked.option == "register")
    return (
        part.is_drum if not asked.part.programs else part.program in asked.part.programs and not part.is_drum
    )


def _with_density(cells: Ints, beats: npt.NDArray[np.float64], part: Part, level: Level) -> None:
    """Multiply the notes of bars, in `cells` (T, 2) with `beats` (T,), so that their mean is at the level."""
    plays = cells[:, 0] > 0
    if not plays.any():
        return
    wanted = usual_notes_per_beat(part, level) * beats[plays].sum() if isinstance(level, str) else 0.0
    total = wanted or float(level) * plays.sum()
    scaled = np.cumsum(cells[plays, 0] * total / cells[plays, 0].sum())
    notes = np.diff(np.round(scaled), prepend=0)  # rounding errors are carried to the next bar
    cells[plays, 0] = np.clip(notes, 1, MAX_NOTES_PER_BAR).astype(np.int64)


def _with_register(cells: Ints, _beats: npt.NDArray[np.float64], part: Part, level: Level) -> None:
    """Move the mean pitches of bars, in `cells` (T, 2), so that the mean of all notes is at the level."""
    plays = (cells[:, 0] > 0) & (cells[:, 1] != UNKNOWN)
    if not plays.any():
        return
    wanted = usual_pitch(part, level) if isinstance(level, str) else level
    mean = float(np.average(cells[plays, 1], weights=cells[plays, 0]))
    moved = cells[plays, 1] + round(wanted - mean)
    cells[plays, 1] = np.clip(moved, *pitch_range(part.program))


def _density(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MAX_NOTES_PER_BAR:
        raise PlanError(
            f"density {text!r}: must be {', '.join(LEVELS)}, or notes a bar, at most {MAX_NOTES_PER_BAR}"
        )
    return value


def _register(text: str) -> float:
    try:
        return float(int(text)) if text.isdecimal() and int(text) <= 127 else theory.parse_pitch(text)
    except ValueError:
        raise PlanError(
            f"register {text!r}: must be {', '.join(LEVELS)}, or a pitch such as C4 or 60"
        ) from None
