"""Request: one song to compose, with all that is decided before its first note."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.composing.style_stats import StyleStats
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.canonical import part_classes_of
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, part_classes
from ritornello.representations.notes import Notes

NOTES = Notes()
NO_STATS = StyleStats()


@dataclass(frozen=True)
class Request:
    """A song to compose: its plan, what of it is there already, and what may be drawn.

    `parts` are the codes that may be drawn (None: the representation has no parts), of which those that
    are `required_parts` play (None: all); notes are drawn from `first_tick` to `end_tick` (24 a beat).
    `source` is what the user gave, into which the drawn notes are written at the end.
    """

    plan: Plan
    seed: int
    song: int = 0
    parts: tuple[int, ...] | None = None
    given: Score | None = None
    prompt: npt.NDArray[Any] | None = None
    first_tick: int = 0
    end_tick: int | None = None
    source: Score | None = None
    required_parts: tuple[int, ...] | None = None
    style: StyleStats = NO_STATS

    @property
    def timeline(self) -> Timeline:
        """The bars."""
        return self.plan.timeline(GRID)


def plain(plan: Plan, seed: int, song: int = 0) -> Request:
    """A song from nothing."""
    return Request(plan, seed, song, _codes(plan))


def continuing(plan: Plan, source: Score, seed: int, song: int = 0) -> Request:
    """A song that goes on after the bars of `source`; the plan's parts begin with those of its canonical."""
    canonical, _ = NOTES.canonical(source)
    timeline = plan.timeline(GRID)
    first = int(timeline.start_ticks[len(Timeline.of(canonical))])
    rows = _until(NOTES.encode(canonical).values, len(canonical))
    return Request(plan, seed, song, _codes(plan), prompt=rows, first_tick=first, source=source)


def around(plan: Plan, source: Score, seed: int, song: int = 0) -> Request:
    """A song in which all notes of `source`, a tune, stay and the plan's other parts are composed.

    The plan's parts begin with those of the canonical tune.
    """
    canonical, _ = NOTES.canonical(source)
    own = part_classes(canonical.parts).tolist()
    others = tuple(code for code in _codes(plan) if code not in own)
    return Request(plan, seed, song, others, given=canonical, source=source)


def gap(
    plan: Plan, source: Score, bars: range, parts: Collection[int] | None, seed: int, song: int = 0
) -> Request:
    """Bars (counted from 0) of `source` anew, of some of its parts (by their numbers) or all.

    What comes before is a prompt; what comes after, and the other parts from there on, are given. The plan
    is that of the canonical source.
    """
    canonical, _ = NOTES.canonical(source)
    edges = NOTES.timeline(canonical).start_ticks, plan.timeline(GRID).end_ticks
    first, end = int(edges[0][bars.start]), int(np.append(*edges)[bars.stop])
    code_of, own = part_classes_of(source), part_classes(canonical.parts)
    heard = np.unique(source.part).tolist()
    redone = sorted({int(code_of[part]) for part in (heard if parts is None else parts)})
    onset = canonical.onset_ticks
    kept = (onset >= end) | (onset >= first) & ~np.isin(own[canonical.part], redone)
    rows = _until(NOTES.encode(canonical).values, int((onset < first).sum()))
    return Request(plan, seed, song, tuple(redone), _only(canonical, kept), rows, first, end, source)


def _codes(plan: Plan) -> tuple[int, ...]:
    """The codes of a plan's parts."""
    return tuple(sorted(set(part_classes(plan.parts).tolist())))


def _until(rows: npt.NDArray[Any], notes: int) -> npt.NDArray[Any]:
    """The rows up to the one of the last of so many notes."""
    struck = np.flatnonzero(rows[:, COLUMN["shift"]] <= MAX_SHIFT)
    return rows[: int(struck[notes - 1]) + 1] if notes else rows[:0]


def _only(song: Score, kept: npt.NDArray[np.bool_]) -> Score:
    """Some notes of a canonical song, with all its parts."""
    columns = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    return replace(song, **{name: getattr(song, name)[kept] for name in columns})
