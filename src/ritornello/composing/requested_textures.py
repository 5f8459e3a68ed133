"""Apply the options `density` and `register` to the textures of a sketch.

The sketch network draws the texture of each part and bar. Then the numbers of notes of a part are multiplied,
and its mean pitches are moved, so that their means over the song are the requested ones.
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
MAX_NOTES_PER_BAR = 64  # the network does not distinguish larger numbers
ALL = "all"
Level = str | float  # low, medium, high; or notes a bar, or a pitch


class TextureRequest(NamedTuple):
    """A density or register that the user requests for a part."""

    option: str
    """The name of the option, "density" or "register"."""
    part: Instrument | None
    """None stands for all parts."""
    level: Level


def parse_textures(options: ComposeOptions) -> tuple[TextureRequest, ...]:
    """Read the options `density` and `register`. Raises PlanError for an unknown part or a wrong value."""
    requests: list[TextureRequest] = []
    readers: dict[str, Callable[[str], Level]] = {"density": _density, "register": _register}
    for option, read in readers.items():
        for name, text in assignments(option, getattr(options, option)):
            part = None if name.lower() == ALL else parse_parts(name)[0]
            if option == "register" and part is not None and not part.programs:
                raise PlanError(f"register of {name!r}: drums have no register: must be a pitched part")
            level = text.lower() if text.lower() in LEVELS else read(text)
            request = TextureRequest(option, part, level)
            if any(
                (option, part and part.programs) == (r.option, r.part and r.part.programs) for r in requests
            ):
                raise PlanError(f"{option} of {name!r}: is given twice, must be given once")
            requests.append(request)
    return tuple(requests)


def with_textures(
    plan: Plan, requests: tuple[TextureRequest, ...], first_bar: int = 0, first_part: int = 0
) -> Plan:
    """Return a plan whose sketch has the requested textures, from a bar and a part on (both from 0).

    Raises PlanError if the plan has no sketch, or lacks a named part.
    """
    for request in requests:
        if plan.sketch is None or not plan.sketch.textures:
            raise PlanError(f"{request.option}: needs a sketch network, which the model does not have")
        numbers = [n for n, part in enumerate(plan.parts) if n >= first_part and _applies(request, part)]
        if not numbers:
            name = request.part.name if request.part else ALL
            known = ", ".join(part_names(plan.parts[first_part:]))
            raise PlanError(f"{request.option} of {name!r}: the song has {known}; --parts adds others")
        textures = list(plan.sketch.textures)
        beats = plan.timeline(GRID).length_ticks / GRID
        for number in numbers:
            texture = np.array(textures[number], np.int64)
            change = _change_density if request.option == "density" else _change_register
            change(texture[first_bar:], beats[first_bar:], plan.parts[number], request.level)
            textures[number] = tuple((notes, pitch) for notes, pitch in texture.tolist())
        field = "held_notes" if request.option == "density" else "held_pitches"
        held: dict[str, Any] = {field: tuple(sorted({*getattr(plan, field), *numbers}))}
        plan = replace(plan, sketch=replace(plan.sketch, textures=tuple(textures)), **held)
    return plan


def parts_with_requests(requests: tuple[TextureRequest, ...], plan: Plan) -> list[int]:
    """Return the numbers of the parts of a plan that requests name."""
    named = [request for request in requests if request.part is not None]
    return [n for n, part in enumerate(plan.parts) if any(_applies(request, part) for request in named)]


def _applies(request: TextureRequest, part: Part) -> bool:
    """Whether a request applies to a part."""
    if request.part is None:
        return not (part.is_drum and request.option == "register")
    if not request.part.programs:
        return part.is_drum
    return part.program in request.part.programs and not part.is_drum


def _change_density(texture: Ints, beats: npt.NDArray[np.float64], part: Part, level: Level) -> None:
    """Multiply the notes of a texture (T, 2), in bars of `beats` (T,), so that their mean is the level."""
    plays = texture[:, 0] > 0
    if not plays.any():
        return
    if isinstance(level, str):
        total = usual_notes_per_beat(part, level) * beats[plays].sum()
    else:
        total = level * plays.sum()
    scaled = np.cumsum(texture[plays, 0] * total / texture[plays, 0].sum())
    notes = np.diff(np.round(scaled), prepend=0)  # rounding errors are carried to the next bar
    texture[plays, 0] = np.clip(notes, 1, MAX_NOTES_PER_BAR).astype(np.int64)


def _change_register(texture: Ints, _beats: npt.NDArray[np.float64], part: Part, level: Level) -> None:
    """Move the mean pitches in a texture (T, 2) so that the mean over all notes is at the level."""
    plays = (texture[:, 0] > 0) & (texture[:, 1] != UNKNOWN)
    if not plays.any():
        return
    target = usual_pitch(part, level) if isinstance(level, str) else level
    mean = float(np.average(texture[plays, 1], weights=texture[plays, 0]))
    moved = texture[plays, 1] + round(target - mean)
    texture[plays, 1] = np.clip(moved, *pitch_range(part.program))


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
