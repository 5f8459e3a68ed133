"""Merge sampled notes into the given music, and name the parts of a song.

Given notes and events stay as they are. Sampled notes are added at the resolution of the given music, in its
bars and, if it has them, in its parts. Notes are tables (N, 5) int64: onset and duration in ticks, pitch,
velocity, part.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import COLUMNS, EVENTS, Meter, Part, Score, rescale_ticks
from ritornello.music.timeline import Timeline
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


def with_part_names(song: Score) -> Score:
    """Return the song with names for parts without one: their instruments, numbered if several are alike."""
    return replace(song, parts=_named(song.parts))


def _named(parts: Sequence[Part]) -> tuple[Part, ...]:
    counts: Counter[str] = Counter()
    named = []
    for part in parts:
        counts[part.instrument] += 1
        number = counts[part.instrument]
        name = part.instrument if number == 1 else f"{part.instrument} {number}"
        named.append(part._replace(name=part.name or name))
    return tuple(named)


def note_table(score: Score) -> Ints:
    """Return the notes of a song (N, 5)."""
    return np.stack([getattr(score, name).astype(np.int64) for name in COLUMNS], axis=1)


def with_grid_resolution(score: Score) -> Score:
    """Return the given music at a resolution of at least the grid's, so that onsets on the grid are exact."""
    is_coarse = score.ticks_per_beat < GRID
    return score.rescaled(lcm(score.ticks_per_beat, GRID)) if is_coarse else score


def with_notes(score: Score, new: Ints, parts: Sequence[Part], plan: Plan) -> Score:
    """Return the given music with new notes (N, 5), with these parts, and with later meters of the plan."""
    onset, duration, pitch, velocity, part = np.concatenate([note_table(score), new]).T
    columns = (onset, duration, pitch, velocity, part, _named(parts))
    return Score.of(score.ticks_per_beat, *columns, **_events(score, plan))


def notes_for_score(
    score: Score,
    classes: Ints,
    old: Ints,
    rows: npt.NDArray[Any],
    plan: Plan,
    first_tick: int,
    given: Score | None,
    parts_to_redo: Collection[int] | None = None,
) -> tuple[Ints, tuple[Part, ...]]:
    """Return the sampled notes (N, 5) in ticks of `score`, and the parts of `score` followed by new ones.

    `classes` are the part classes of `score` (parts,), `old` (M, 5) its notes that stay. Sampled notes are
    those of `rows` from `first_tick` on, apart from the notes of `given`; both are in 24 ticks a beat. Only
    `parts_to_redo` of `score` play them (None: all). Each starts in its bar, however coarse the ticks are. A
    note is dropped if another one of its part and pitch, old or sampled, sounds at its start, and shortened
    if it would last into another one.
    """
    notes, note_parts = sampled_notes(rows, plan, first_tick, given)
    start, end = (ticks_in_score(score, ticks) for ticks in (notes[:, 0], notes[:, 0] + notes[:, 1]))
    bars = plan.timeline(GRID)
    bar = bars.bar_of(notes[:, 0])
    bar_start, bar_end = bars_in_score(score, bars.start_ticks, bars.start_ticks + bars.length_ticks)
    start = np.maximum(np.minimum(start, bar_end[bar] - 1), bar_start[bar])
    part, parts = _assign_parts(score, classes, note_parts, parts_to_redo)
    new = np.stack([start, np.maximum(end - start, 1), notes[:, 2], notes[:, 3], part], axis=1)
    return _without_overlaps(new, old), parts


def ticks_in_score(score: Score, ticks: Ints) -> Ints:
    """Convert ticks (N,) of the song's plan, 24 a beat, to ticks of `score`, also beyond its last bar."""
    return np.asarray(rescale_ticks(_moved_to_score(score, ticks), GRID, score.ticks_per_beat))


def bars_in_score(score: Score, start_ticks: Ints, end_ticks: Ints) -> tuple[Ints, Ints]:
    """Convert the starts and ends of bars, in ticks (N,) of the plan, to ticks of `score`.

    They are rounded up, so that no bar starts before its bar line. If a change of meter of `score` lies
    between two ticks of the grid, its bars differ a little from those of the plan: the result is the time
    that belongs to both.
    """
    start_ticks, end_ticks = (_moved_to_score(score, ticks) for ticks in (start_ticks, end_ticks))
    start, end = (-(-ticks * score.ticks_per_beat // GRID) for ticks in (start_ticks, end_ticks))
    if any(meter.onset_ticks * GRID % score.ticks_per_beat for meter in score.meters):
        timeline = Timeline.of(score)
        lines = np.append(timeline.start_ticks, timeline.end_ticks)
        on_grid = rescale_ticks(lines, score.ticks_per_beat, GRID)
        first, last = np.searchsorted(on_grid, end_ticks), np.searchsorted(on_grid, start_ticks, "right") - 1
        first = np.minimum(first, len(lines) - 1)
        end = np.where(on_grid[first] == end_ticks, np.minimum(end, lines[first]), end)
        start = np.where(on_grid[last] == start_ticks, np.maximum(start, lines[last]), start)
    return np.asarray(start), np.asarray(end)


def _moved_to_score(score: Score, ticks: Ints) -> Ints:
    """Move ticks (N,) from the bars of the song's plan (`Plan.of`) to those of `score`, both at 24 a beat."""
    score_bars = grid_bars(score)
    plan_bars = Plan.of(score).timeline(GRID) if len(score) else score_bars
    inside = ticks < plan_bars.end_ticks
    moved = plan_bars.moved(np.where(inside, ticks, 0), score_bars, inside=False) if len(plan_bars) else ticks
    return np.where(inside, moved, ticks - plan_bars.end_ticks + score_bars.end_ticks)


def sampled_notes(
    rows: npt.NDArray[Any], plan: Plan, first_tick: int, given: Score | None
) -> tuple[Ints, Ints]:
    """Return the notes (N, 5) of rows from a tick on that are not given, and their part classes (N,).

    Ticks are 24 a beat.
    """
    notes = note_table(Notes().decode(rows, plan))
    classes = np.unique(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]]).astype(np.int64)
    all_notes = np.stack([notes[:, 0], classes[notes[:, 4]], notes[:, 2]])  # onset, part class, pitch
    given_notes = np.stack(note_classes(given)[:3]) if given else all_notes[:, :0]
    keys, given_keys = (
        (onset * PARTS + part) * PITCHES + pitch for onset, part, pitch in (all_notes, given_notes)
    )
    is_sampled = (notes[:, 0] >= first_tick) & ~np.isin(keys, given_keys)
    return notes[is_sampled], all_notes[1, is_sampled]


def _assign_parts(
    score: Score, classes: Ints, note_parts: Ints, parts_to_redo: Collection[int] | None
) -> tuple[Ints, tuple[Part, ...]]:
    """Return the part of each note (N,) by its part class, and the parts of `score` with new ones last.

    Several parts may have one class, because a program has only four. Then the one with most notes plays.
    """
    count = np.bincount(score.part, minlength=len(score.parts)).tolist()
    allowed = range(len(classes)) if parts_to_redo is None else parts_to_redo
    by_count = sorted((part for part in allowed if count[part]), key=lambda part: count[part])
    part_of = {int(classes[part]): part for part in by_count}
    parts = list(score.parts)
    for new in sorted(set(note_parts.tolist()) - set(part_of)):
        part_of[new] = len(parts)
        parts.append(part_of_class(new))
    return np.array([part_of[part] for part in note_parts.tolist()], np.int64), tuple(parts)


def _without_overlaps(notes: Ints, old: Ints) -> Ints:
    """Shorten or drop notes (N, 5) so that each part has one note of a pitch at a time, with `old` (M, 5)."""
    added = []
    sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for onset, duration, pitch, _, part in old.tolist():
        sounding.setdefault((part, pitch), []).append((onset, onset + duration))
    for note in notes.tolist():
        onset, duration, pitch, _, part = note
        others = sounding.get((part, pitch), ())
        if any(start <= onset < end for start, end in others):
            continue
        note[1] = min([duration, *(start - onset for start, _ in others if start > onset)])
        added.append(note)
        sounding.setdefault((part, pitch), []).append((onset, onset + note[1]))
    return np.array(added, np.int64).reshape(-1, 5)


def _events(score: Score, plan: Plan) -> dict[str, Any]:
    """The events of `score`, and the changes of meter that the plan has after its last bar."""
    events = {name: getattr(score, name) for name in (*EVENTS, "title", "details")}
    bars = len(Timeline.of(score))
    later = [change for change in plan.meters if change[0] >= bars]
    if later and plan.bars:
        starts = plan.timeline(GRID).start_ticks
        ticks = ticks_in_score(score, np.array([starts[change[0]] for change in later]))
        new = [Meter(tick, *change[1:]) for tick, change in zip(ticks.tolist(), later, strict=True)]
        events["meters"] = (*(m for m in score.meters if m.onset_ticks < new[0].onset_ticks), *new)
    return events
