"""Turn sampled rows into the song that the user gets: with named parts, or merged into the given music.

Given notes and events stay as they were. Sampled notes are added at the resolution of the given music, in its
bars and, where it has them, in its parts. Notes are tables (N, 5) int64: onset and duration in ticks, pitch,
velocity, part.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music import theory
from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import Meter, Part, Score, rescale_ticks
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
COLUMNS = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")


def instrument_name(part: Part) -> str:
    """The name of the instrument that plays a part."""
    return "drums" if part.is_drum else theory.INSTRUMENTS[part.program]


def with_part_names(song: Score) -> Score:
    """The song with names for parts without one: their instruments, numbered where several are alike."""
    return replace(song, parts=_named(song.parts))


def _named(parts: Sequence[Part]) -> tuple[Part, ...]:
    counts: Counter[str] = Counter()
    named = []
    for part in parts:
        instrument = instrument_name(part)
        counts[instrument] += 1
        number = counts[instrument]
        named.append(
            part._replace(name=part.name or (instrument if number == 1 else f"{instrument} {number}"))
        )
    return tuple(named)


def note_table(score: Score) -> Ints:
    """The notes of a song (N, 5)."""
    return np.stack([getattr(score, name).astype(np.int64) for name in COLUMNS], axis=1)


def fine_enough(score: Score) -> Score:
    """The given music in a resolution that the grid fits, so that no note of the grid is rounded to it."""
    is_coarse = score.ticks_per_beat < GRID
    return score.rescaled(lcm(score.ticks_per_beat, GRID)) if is_coarse else score


def with_notes(score: Score, new: Ints, parts: Sequence[Part], plan: Plan) -> Score:
    """The given music with new notes (N, 5), its parts and new ones, and the later meters of the plan."""
    onset, duration, pitch, velocity, part = np.concatenate([note_table(score), new]).T
    columns = (onset, duration, pitch, velocity, part, _named(parts))
    return Score.of(score.ticks_per_beat, *columns, **_events(score, plan))


def notes_for_score(
    score: Score,
    classes: Ints,
    kept: Ints,
    rows: npt.NDArray[Any],
    plan: Plan,
    first_tick: int,
    given: Score | None,
    parts_to_redo: Collection[int] | None = None,
) -> tuple[Ints, tuple[Part, ...]]:
    """Return the sampled notes (N, 5) from `first_tick` on, in the ticks of `score`; and its and new parts.

    `classes` are the part classes of `score` (parts,). `first_tick` and the notes of `given`, which are left
    out, are in 24 ticks a beat. A note starts in its bar, however coarse the ticks. While another note of its
    part and pitch sounds, one of the `kept` notes (M, 5) or a sampled one, a note is dropped; one that would
    last into another is shortened. Only `parts_to_redo` of `score` play sampled notes, if they are given.
    """
    notes, note_parts = sampled_notes(rows, plan, first_tick, given)
    start, end = (ticks_in_score(score, plan, ticks) for ticks in (notes[:, 0], notes[:, 0] + notes[:, 1]))
    bars = plan.timeline(GRID)
    bar = bars.bar_of(notes[:, 0])
    bar_start, bar_end = bars_in_score(score, plan, bars.start_ticks, bars.start_ticks + bars.length_ticks)
    start = np.maximum(np.minimum(start, bar_end[bar] - 1), bar_start[bar])
    part, parts = _assign_parts(score, classes, note_parts, parts_to_redo)
    new = np.stack([start, np.maximum(end - start, 1), notes[:, 2], notes[:, 3], part], axis=1)
    return _without_overlaps(new, kept), parts


def ticks_in_score(score: Score, plan: Plan, ticks: Ints) -> Ints:
    """Ticks (N,) of the plan's bars (24 a beat) as ticks of `score`, after its last bar in further bars."""
    return np.asarray(rescale_ticks(_moved_to_score(score, plan, ticks), GRID, score.ticks_per_beat))


def bars_in_score(score: Score, plan: Plan, start_ticks: Ints, end_ticks: Ints) -> tuple[Ints, Ints]:
    """Where bars that start and end at ticks (N,) of the plan start and end in `score`, in its ticks.

    They are rounded up, so that the first tick of a bar is not before its line. Where a meter of `score` is
    between two ticks of the grid, its bars and those of the plan differ a little: then it is what they share.
    """
    start_ticks, end_ticks = (_moved_to_score(score, plan, ticks) for ticks in (start_ticks, end_ticks))
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


def _moved_to_score(score: Score, plan: Plan, ticks: Ints) -> Ints:
    """Ticks (N,) of the plan's bars moved to those of `score`, both 24 a beat."""
    score_bars = grid_bars(score)
    plan_bars = Plan.of(score).timeline(GRID) if len(score) else score_bars
    inside = ticks < plan_bars.end_ticks
    moved = plan_bars.moved(np.where(inside, ticks, 0), score_bars, inside=False) if len(plan_bars) else ticks
    return np.where(inside, moved, ticks - plan_bars.end_ticks + score_bars.end_ticks)


def sampled_notes(
    rows: npt.NDArray[Any], plan: Plan, first_tick: int, given: Score | None
) -> tuple[Ints, Ints]:
    """The notes (N, 5) of rows from a tick on that are not given, 24 ticks a beat; and their part classes."""
    notes = note_table(Notes().decode(rows, plan))
    classes = np.unique(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]]).astype(np.int64)
    sampled = np.stack([notes[:, 0], classes[notes[:, 4]], notes[:, 2]])
    kept = np.stack(note_classes(given)[:3]) if given else sampled[:, :0]
    keys, given_keys = ((onset * PARTS + part) * PITCHES + pitch for onset, part, pitch in (sampled, kept))
    is_new = (notes[:, 0] >= first_tick) & ~np.isin(keys, given_keys)
    return notes[is_new], sampled[1, is_new]


def _assign_parts(
    score: Score, classes: Ints, note_parts: Ints, parts_to_redo: Collection[int] | None
) -> tuple[Ints, tuple[Part, ...]]:
    """Return the part of each note (N,) by its part class, and the parts of `score` with new ones last.

    A class distinguishes only four parts of a program. Of several with one class, that with most notes plays.
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
    names = ("tempi", "meters", "keys", "chords", "markers", "title", "details")
    events = {name: getattr(score, name) for name in names}
    bars = len(Timeline.of(score))
    later = [change for change in plan.meters if change[0] >= bars]
    if later and plan.bars:
        starts = plan.timeline(GRID).start_ticks
        ticks = ticks_in_score(score, plan, np.array([starts[change[0]] for change in later]))
        new = [Meter(tick, *change[1:]) for tick, change in zip(ticks.tolist(), later, strict=True)]
        events["meters"] = (*(m for m in score.meters if m.onset_ticks < new[0].onset_ticks), *new)
    return events
