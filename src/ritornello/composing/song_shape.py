"""The shape of a song: an introduction and an ending around its bars, or a loop.

A loop is composed with additional bars, which repeat its first ones, so that its last bar leads into them.
The notes of the additional bars are then removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.composing.given_music import UNKNOWN_RETURN
from ritornello.composing.options import ComposeOptions
from ritornello.composing.parse_options import ParsedOptions
from ritornello.errors import PlanError
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.sketch import CLOSED, END, NO_MOTIF, OPEN, UNKNOWN, Sketch
from ritornello.representations.grid.vocabulary import COLUMN, DURATION_TICKS, MAX_SHIFT
from ritornello.representations.notes import Notes
from ritornello.sketching.sketcher import Sketcher

LEAD_BARS = 4  # how many of the first bars of a loop are repeated after its end
UNCHANGED = 3  # the similarity of a bar that returns note for note
Returns = Sequence[tuple[int, int]]
T = TypeVar("T")


def check_shape(options: ComposeOptions) -> None:
    """Raise PlanError if intro, outro or loop contradict other options."""
    shapes = {"loop": options.loop, "intro": options.intro, "outro": options.outro}
    for name, value in shapes.items():
        for other in ("prompt", "melody", *(("sketch", "seconds") if name != "loop" else ())):
            if value and getattr(options, other) is not None:
                raise PlanError(f"{name} and {other} are given: leave one of the two out")
    if options.loop and (options.intro or options.outro):
        raise PlanError("loop and intro or outro are given: a loop has neither, leave one of the two out")


def with_shape(options: ParsedOptions, intro: int | None, outro: int | None) -> ParsedOptions:
    """Return the options with the bars of an introduction and an ending added, and without a form.

    Raises PlanError if these are too many bars.
    """
    if not (intro or outro):
        return options
    bars = (options.bars or options.default_bars) + (intro or 0) + (outro or 0)
    if bars > MAX_BARS:
        raise PlanError(f"{bars} bars with intro and outro: must be at most {MAX_BARS}")
    return replace(options, bars=bars, returns=None)


def framed_by(
    plan: Plan,
    form: Returns | None,
    intro: int,
    outro: int,
    sketcher: Sketcher | None,
    generator: np.random.Generator,
    creativity: float,
) -> Plan:
    """Return a plan with an introduction of `intro` bars, after a pickup, and an ending of `outro` bars.

    The bars between them have the form `form`, or one that is drawn as if they were a whole song. The last of
    them has a closed cadence before an ending, and the introduction ends with an open cadence.
    """
    assert plan.bars is not None
    first = plan.pickup_bars
    bars = plan.bars - intro - outro  # including the pickup
    body_returns: Returns = [UNKNOWN_RETURN] * (bars - first)
    cadences = [UNKNOWN] * (bars - first)
    if form is not None:
        body_returns = [(target + first if target >= 0 else -1, similarity) for target, similarity in form]
    elif sketcher is not None:
        meters = tuple(change for change in plan.meters if change[0] < bars)
        body = replace(plan, bars=bars, meters=meters, chords=(), returns=None)
        filled = sketcher.fill(body, generator, creativity)
        assert filled.returns is not None and filled.sketch is not None
        body_returns, cadences = filled.returns[first:], list(filled.sketch.cadences[first:])
    moved = [
        (target + intro, similarity) if target >= first else (-1, min(similarity, 0))
        for target, similarity in body_returns
    ]
    moved += [(-1, 0)] * (bars - first - len(moved))
    returns = [*[UNKNOWN_RETURN] * (first + intro), *moved, *[UNKNOWN_RETURN] * outro]
    if outro:
        cadences[-1] = CLOSED
    all_cadences = [*[UNKNOWN] * (first + intro), *cadences, *[UNKNOWN] * outro]
    if intro:
        all_cadences[first + intro - 1] = OPEN
    sketch = Sketch(tuple(all_cadences)) if sketcher is not None else None
    names = tuple((bar + intro, name) for bar, name in plan.section_names)
    framed = replace(plan, returns=tuple(returns), sketch=sketch, section_names=names)
    return replace(framed, intro_bars=intro, outro_bars=outro)


def extended(plan: Plan) -> Plan:
    """Return the plan of a loop with up to LEAD_BARS additional bars, which repeat its first ones."""
    assert plan.bars is not None
    bars, more = plan.bars, min(LEAD_BARS, plan.bars)
    timeline = replace(plan, returns=None, chords=(), sketch=None).timeline(GRID)
    lead_ticks = int(timeline.start_ticks[more]) if more < bars else timeline.end_ticks
    chords = list(plan.chords)
    for chord in plan.chords:
        if chord.onset_ticks < lead_ticks:
            chords.append(chord._replace(onset_ticks=chord.onset_ticks + timeline.end_ticks))
    sketch = plan.sketch or Sketch()
    cadences = _for_each_bar(sketch.cadences, bars, UNKNOWN)
    cadences[-1] = OPEN if cadences[-1] in (UNKNOWN, END) else cadences[-1]
    motifs = _for_each_bar(sketch.motifs, bars, UNKNOWN)
    lead_motifs = [bar if motif == NO_MOTIF else motif for bar, motif in enumerate(motifs[:more])]
    textures = tuple((*texture, *texture[:more]) for texture in sketch.textures)
    closings = _for_each_bar(sketch.closings, bars, (UNKNOWN, UNKNOWN)) if sketch.closings else []
    returns = [*(plan.returns or [UNKNOWN_RETURN] * bars)][:bars]
    return replace(
        plan,
        bars=bars + more,
        chords=tuple(chords),
        returns=(*returns, *((bar, UNCHANGED) for bar in range(more))),
        sketch=Sketch(
            (*cadences, *cadences[:more]),
            (*motifs, *lead_motifs),
            sketch.parts,
            textures,
            (*closings, *closings[:more]),
        ),
    )


def _for_each_bar(values: Sequence[T], bars: int, missing: T) -> list[T]:
    """Return a value for each bar; bars without one get `missing`."""
    return [*values, *[missing] * bars][:bars]


def only_loop(plan: Plan, bars: int) -> Plan:
    """Return the plan of the first `bars` bars: the inverse of `extended`."""
    end = int(plan.timeline(GRID).start_ticks[bars])
    sketch = plan.sketch and Sketch(
        plan.sketch.cadences[:bars],
        plan.sketch.motifs[:bars],
        plan.sketch.parts,
        tuple(texture[:bars] for texture in plan.sketch.textures),
        plan.sketch.closings[:bars],
    )
    chords = tuple(chord for chord in plan.chords if chord.onset_ticks < end)
    return replace(plan, bars=bars, chords=chords, returns=(plan.returns or ())[:bars], sketch=sketch)


def rows_of_loop(rows: npt.NDArray[Any], plan: Plan) -> npt.NDArray[Any]:
    """Return the rows of a loop from those (N, F) of its extended plan; no note lasts beyond its last bar."""
    end = plan.timeline(GRID).end_ticks
    score = Notes().decode(rows, extended(plan))
    count = int((score.onset_ticks < end).sum())
    note_rows = np.flatnonzero(rows[:, COLUMN["shift"]] <= MAX_SHIFT)[:count]
    loop_rows: npt.NDArray[Any] = rows[: int(note_rows[-1]) + 1 if count else 0].copy()
    ticks_left = end - score.onset_ticks[:count].astype(np.int64)
    longest = np.searchsorted(DURATION_TICKS, ticks_left, side="right") - 1
    loop_rows[note_rows, COLUMN["duration"]] = np.minimum(loop_rows[note_rows, COLUMN["duration"]], longest)
    return loop_rows
