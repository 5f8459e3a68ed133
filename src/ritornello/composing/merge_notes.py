"""From rows to the Score that a user gets: named parts, or written into the song that the user gave.

What was given stays as it was, note for note and event for event; only drawn notes are added, at its own
resolution, in its own bars, to its own parts where it has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music import theory
from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import Meter, Part, Score, rescale_ticks
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.canonical import part_classes_of
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    MAX_SHIFT,
    PARTS,
    PITCHES,
    note_classes,
    part_of_class,
)
from ritornello.representations.notes import Notes

Ints = npt.NDArray[np.int64]
COLUMNS = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")


def named(song: Score) -> Score:
    """The song with names for its parts: what plays, and a number where several are alike."""
    return replace(song, parts=name_parts(song.parts))


def name_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts without a name get that of their instrument."""
    seen: Counter[str] = Counter()
    found = []
    for part in parts:
        sound = instrument_name(part)
        seen[sound] += 1
        name = sound if seen[sound] == 1 else f"{sound} {seen[sound]}"
        found.append(part._replace(name=part.name or name))
    return tuple(found)


def instrument_name(part: Part) -> str:
    """What plays a part."""
    return "drums" if part.is_drum else theory.INSTRUMENTS[part.program]


def drawn_notes(
    rows: npt.NDArray[Any], plan: Plan, first_tick: int, given: Score | None
) -> tuple[Ints, Ints]:
    """The notes (N, 5) that rows say from a tick on, given ones apart, and the code of each; 24 ticks a beat.

    As Score has them: onset, duration, pitch, velocity and, of no use here, part.
    """
    notes = table(Notes().decode(rows, plan))
    codes = np.unique(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]]).astype(np.int64)
    struck = np.stack([notes[:, 0], codes[notes[:, 4]], notes[:, 2]])
    kept = np.stack(note_classes(given)[:3]) if given else struck[:, :0]
    one, other = ((onset * PARTS + part) * PITCHES + pitch for onset, part, pitch in (struck, kept))
    new = (notes[:, 0] >= first_tick) & ~np.isin(one, other)
    return notes[new], struck[1, new]


def table(score: Score) -> Ints:
    """The notes of a song as rows (N, 5): onset, duration, pitch, velocity, part."""
    return np.stack([getattr(score, name).astype(np.int64) for name in COLUMNS], axis=1)


def new_notes(
    source: Score,
    kept: Ints,
    rows: npt.NDArray[Any],
    plan: Plan,
    first_tick: int,
    given: Score | None,
) -> tuple[Ints, tuple[Part, ...]]:
    """What rows say from a tick (of the plan's bars) on, as notes (N, 5) for the source, and all its parts.

    The notes of `given`, in 24 ticks a beat, are not among them. A note that `kept` (M, 5) has sounding there
    already is not struck again, and ends before its next.
    """
    notes, codes = drawn_notes(rows, plan, first_tick, given)
    start, end = (placed(source, plan, ticks) for ticks in (notes[:, 0], notes[:, 0] + notes[:, 1]))
    owner, parts = owners(source, codes)
    found = np.stack([start, np.maximum(end - start, 1), notes[:, 2], notes[:, 3], owner], axis=1)
    return fitting(found, kept), parts


def into(
    source: Score, rows: npt.NDArray[Any], plan: Plan, first_tick: int, given: Score | None = None
) -> Score:
    """The source with the notes of rows from a tick (of the plan's bars) on, but for those `given`."""
    old = table(source)
    notes, parts = new_notes(source, old, rows, plan, first_tick, given)
    both = np.concatenate([old, notes])
    onset, duration, pitch, velocity, owner = both.T
    columns = (onset, duration, pitch, velocity, owner, name_parts(parts))
    return Score.of(source.ticks_per_beat, *columns, **_events(source, plan))


def owners(source: Score, codes: Ints) -> tuple[Ints, tuple[Part, ...]]:
    """For each note of a code (N,) the part of the source that plays it, and all parts: new ones come last.

    Of several parts of one code (there may be more than the rows tell apart), the one of most notes plays.
    """
    of_part = part_classes_of(source).tolist()
    count = np.bincount(source.part, minlength=len(source.parts)).tolist()
    order = sorted((part for part in range(len(of_part)) if count[part]), key=lambda part: count[part])
    owner = {of_part[part]: part for part in order}
    parts = list(source.parts)
    for code in sorted(set(codes.tolist()) - set(owner)):
        owner[code] = len(parts)
        parts.append(part_of_class(code))
    return np.array([owner[code] for code in codes.tolist()], np.int64), tuple(parts)


def placed(source: Score, plan: Plan, ticks: Ints) -> Ints:
    """Ticks of the plan's bars as ticks of the source; past its last bar, its bars go on."""
    theirs, ours = grid_bars(source), Plan.of(source).timeline(GRID) if len(source) else grid_bars(source)
    inside = ticks < ours.end_ticks
    within = ours.moved(np.where(inside, ticks, 0), theirs, inside=False) if len(ours) else ticks
    moved = np.where(inside, within, ticks - ours.end_ticks + theirs.end_ticks)
    return np.asarray(rescale_ticks(moved, GRID, source.ticks_per_beat))


def fitting(notes: Ints, old: Ints) -> Ints:
    """The new notes (N, 5), cut to leave the old (M, 5) alone: none is struck where its pitch sounds."""
    kept = []
    voices: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for onset, duration, pitch, _, part in old.tolist():
        voices.setdefault((part, pitch), []).append((onset, onset + duration))
    for row in notes.tolist():
        onset, duration, pitch, _, part = row
        near = voices.get((part, pitch), ())
        if any(start <= onset < end for start, end in near):
            continue
        row[1] = min([duration, *(start - onset for start, _ in near if start > onset)])
        kept.append(row)
    return np.array(kept, np.int64).reshape(-1, 5)


def _events(source: Score, plan: Plan) -> dict[str, Any]:
    """The source's events; where a plan that goes on changes the meter there, that change too."""
    events = {
        name: getattr(source, name) for name in ("tempi", "meters", "keys", "chords", "markers", "title")
    }
    bars = len(Timeline.of(source))
    later = [change for change in plan.meters if change[0] >= bars]
    if later and plan.bars:
        starts = plan.timeline(GRID).start_ticks
        ticks = placed(source, plan, np.array([starts[change[0]] for change in later]))
        new = [Meter(tick, *change[1:]) for tick, change in zip(ticks.tolist(), later, strict=True)]
        events["meters"] = (*(m for m in source.meters if m.onset_ticks < new[0].onset_ticks), *new)
    return events
