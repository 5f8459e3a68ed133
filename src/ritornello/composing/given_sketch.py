"""Draw the sketch of a song with given music: bars that stay have the sketch of that music."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.composing.given_music import UNKNOWN_RETURN, GivenMusic
from ritornello.music.chord_symbols import without_open_chords
from ritornello.music.plan import Plan
from ritornello.music.sketch import UNKNOWN, Sketch, Texture
from ritornello.representations.grid.texture import textures_by_part
from ritornello.representations.grid.vocabulary import part_classes
from ritornello.sketching.sketcher import Sketcher

Mask = npt.NDArray[np.bool_]
T = TypeVar("T")


def filled_around(
    plan: Plan,
    given: GivenMusic,
    sketcher: Sketcher,
    generator: np.random.Generator,
    creativity: float,
    *,
    has_form: bool = False,
    has_chords: bool = False,
    required: Collection[int] = (),
    without_rests: Collection[int] = (),
) -> Plan:
    """Return the plan of a song with given music, and with a sketch.

    Bars of the given music that stay have its sketch, the network draws that of the others. With `has_form`
    or `has_chords`, the form or the chords of `plan` are those of the user and stay. The parts with the
    numbers `required` play in the new bars, and those `without_rests` in each of them.
    """
    known, is_open = _with_known_bars(plan, given, required)
    known = replace(known, returns=plan.returns) if has_form else known
    if has_chords:
        plan, open_bars = without_open_chords(plan)
        known = replace(known, chords=plan.chords)
        is_open = np.zeros(len(is_open), bool) if open_bars is None else open_bars
    filled = sketcher.fill(
        known, generator, creativity, open_bars=is_open, required=required, without_rests=without_rests
    )
    return _without_joining_parts(filled, given) if given.kind == "prompt" else filled


def _without_joining_parts(plan: Plan, given: GivenMusic) -> Plan:
    """Return the plan in which parts that join a prompt rest in its bars."""
    sketch, count = plan.sketch, len(given.timeline)
    assert sketch is not None
    joining = range(len(given.plan.parts), len(plan.parts))
    textures = tuple(
        ((0, UNKNOWN),) * count + bars[count:] if number in joining else bars
        for number, bars in enumerate(sketch.textures)
    )
    return replace(plan, sketch=replace(sketch, textures=textures))


def _with_known_bars(plan: Plan, given: GivenMusic, required: Collection[int]) -> tuple[Plan, Mask]:
    """Return the plan with chords, returns and sketch of the given music, and which bars (T,) are open."""
    timeline, sketch = given.timeline, given.sketch
    assert plan.bars is not None, "a plan that is composed has bars"
    count = min(len(timeline), plan.bars)
    bars = np.arange(plan.bars)
    open_parts = [*given.open_parts, *[()] * plan.bars][: plan.bars]
    redone = np.array([bool(parts) for parts in open_parts], bool)
    is_open = (bars >= count) | redone
    returns = [*zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True)][:count]
    returns += [UNKNOWN_RETURN] * (plan.bars - count)
    # the given music was analysed as a whole song, so its last bar seems to end the song: leave it open
    cadences = sketch.cadences[: count - (count < plan.bars)]
    motifs = [*sketch.motifs[:count], *[UNKNOWN] * (plan.bars - count)]
    known = replace(
        plan,
        chords=timeline.chords,
        returns=_unless_open(returns, is_open, UNKNOWN_RETURN),
        sketch=Sketch(
            cadences,
            _unless_open(motifs, is_open, UNKNOWN),
            plan.parts,
            _textures(plan, given, sketch, bars >= count, required),
            _unless_open(sketch.closings[: len(cadences)], is_open, (UNKNOWN, UNKNOWN)),
        ),
    )
    return known, bars >= count if given.has_other_notes else is_open


def _unless_open(values: Sequence[T], is_open: Mask, unknown: T) -> tuple[T, ...]:
    """Return the values of bars, with `unknown` in place of those that are open (T,)."""
    return tuple(unknown if new else value for value, new in zip(values, is_open.tolist(), strict=False))


def _textures(
    plan: Plan, given: GivenMusic, sketch: Sketch, is_new: Mask, required: Collection[int]
) -> tuple[tuple[Texture, ...], ...]:
    """Return the texture of each bar for each part of the plan; a part that joins a prompt rests in its bars.

    For a required part these bars are open, because a part that has rested tends to go on resting.
    """
    by_part = textures_by_part(sketch)
    open_parts = [*given.open_parts, *[()] * len(is_new)]
    rests, unknown = (0, UNKNOWN), (UNKNOWN, UNKNOWN)
    textures = []
    for number, part in enumerate(part_classes(plan.parts).tolist()):
        absent = rests if given.kind == "prompt" and number not in required else unknown
        bars = by_part.get(part, (absent,) * len(is_new))
        is_open = [new or part in open_parts[bar] for bar, new in enumerate(is_new.tolist())]
        textures.append(tuple(unknown if is_open[bar] else bars[bar] for bar in range(len(is_open))))
    return tuple(textures)
