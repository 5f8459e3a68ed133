"""The canonical song: a song as rows of `notes` can hold it, on a grid of 24 ticks a beat, with one tempo.

Parts of one program are ordered by mean pitch, highest first, in whatever order the file has them. If they
are more than four, the fourth and all lower ones are merged. All drum parts are merged into one.
"""

from itertools import groupby
from typing import Any

import numpy as np

from ritornello.music.overlaps import cut_overlaps
from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import Part, Score, rescale_ticks
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.vocabulary import DRUM_PART, DURATION_TICKS, INSTANCES_PER_PROGRAM, Ints


def canonical(score: Score) -> tuple[Score, dict[str, int]]:
    """Return the song as rows of `notes` can hold it, and how much of each kind is lost."""
    plan = Plan.of(score)
    notes = _on_grid(score, plan)
    classes, notes[:, 4] = np.unique(_part_classes(notes, score.parts)[notes[:, 4]], return_inverse=True)
    onset, duration, pitch, velocity, part = _rounded(notes).T  # merged parts may share a pitch
    song = build(onset, duration, pitch, velocity, classes[part], plan)
    duration_ticks = rescale_ticks(score.duration_ticks.astype(np.int64), score.ticks_per_beat, GRID)
    playing = len(np.unique(score.part))
    dropped = {
        "notes doubled": len(score) - len(song),
        "notes over 16 beats": int((duration_ticks > DURATION_TICKS[-1]).sum()),
        "parts merged": playing - len(song.parts),
        "parts without notes": len(score.parts) - playing,
        "names of parts": sum(part.name != "" for part in score.parts),
        "drum kits": sum(part.is_drum and part.program > 0 for part in score.parts),
        "tempo changes": max(0, len(score.tempi) - 1),
        "key changes": max(0, len(score.keys) - 1),
        "markers": len(score.markers),
    }
    return song, {kind: count for kind, count in dropped.items() if count}


def build(onset: Ints, duration: Ints, pitch: Ints, velocity: Ints, part_class: Ints, plan: Plan) -> Score:
    """Return the Score of notes, (N,) each, with the plan's tempo, meters, key and chords.

    Onsets and durations are in ticks, velocities 0-127.
    """
    classes, part = np.unique(part_class, return_inverse=True)
    parts = [vocabulary.part_of_class(number) for number in classes.tolist()]
    events: dict[str, Any] = plan.events(GRID) | {"chords": plan.chords}
    return Score.of(GRID, onset, duration, pitch, velocity, part, parts, title=plan.title, **events)


def part_classes_of(score: Score) -> Ints:
    """Return the class of each part (parts,) of any song; for a part without notes it has no meaning."""
    return _part_classes(_on_grid(score, Plan.of(score)), score.parts)


def grid_spans(score: Score, plan: Plan) -> tuple[Ints, Ints]:
    """Return the starts and ends of a score's notes (N,), in ticks on the grid, in the bars of its plan."""
    onset = score.onset_ticks.astype(np.int64)
    ends = (onset, onset + score.duration_ticks)
    start, end = (rescale_ticks(ticks, score.ticks_per_beat, GRID) for ticks in ends)
    if not len(score):
        return start, end
    bars, plan_bars = grid_bars(score), plan.timeline(GRID)
    return bars.moved(start, plan_bars, inside=True), bars.moved(end, plan_bars, inside=False)


def _on_grid(score: Score, plan: Plan) -> Ints:
    """Return the notes (N, 5), with the columns of `cut_overlaps`, on the grid and in the plan's bars."""
    start, end = grid_spans(score, plan)
    length = np.maximum(end - start, 1)
    notes = np.stack([start, length, score.pitch, score.velocity, score.part], axis=1).astype(np.int64)
    return _rounded(notes)


def _rounded(notes: Ints) -> Ints:
    """Return notes (N, 5) without overlaps, with the durations and velocities of their classes.

    A duration that is rounded up may reach into the next note of its pitch; `Score.of` cuts it there.
    """
    notes = cut_overlaps(notes)
    notes[:, 1] = DURATION_TICKS[vocabulary.duration_class(notes[:, 1])]
    notes[:, 3] = vocabulary.velocity_of_class(vocabulary.velocity_class(notes[:, 3]))
    return notes


def _part_classes(notes: Ints, parts: tuple[Part, ...]) -> Ints:
    """Return the class of each part (parts,), by program and register; without notes it has no meaning."""
    classes = np.zeros(len(parts), np.int64)
    playing = np.unique(notes[:, 4]).tolist()
    for part in playing:
        classes[part] = DRUM_PART if parts[part].is_drum else parts[part].program * INSTANCES_PER_PROGRAM
    pitched = sorted((int(classes[part]), part) for part in playing if not parts[part].is_drum)
    for _, group in groupby(pitched, key=lambda pair: pair[0]):
        same = [part for _, part in group]
        if len(same) > 1:
            classes[same] += _instances([notes[notes[:, 4] == part, :4] for part in same])
    return classes


def _instances(notes_of_parts: list[Ints]) -> list[int]:
    """Return the instance 0-3, by register, of each part of one program, from the notes (n, 4) of each."""
    count = len(notes_of_parts)
    order = sorted(range(count), key=lambda part: _register(notes_of_parts[part]))
    instances = [min(rank, INSTANCES_PER_PROGRAM - 1) for rank in range(count)]
    if count > INSTANCES_PER_PROGRAM:  # the merged parts together may be higher than one of the others
        merged = np.concatenate([notes_of_parts[part] for part in order[INSTANCES_PER_PROGRAM - 1 :]])
        merged = _rounded(np.column_stack([merged, np.zeros(len(merged), np.int64)]))[:, :4]
        candidates = [notes_of_parts[part] for part in order[: INSTANCES_PER_PROGRAM - 1]] + [merged]
        places = sorted(range(INSTANCES_PER_PROGRAM), key=lambda slot: _register(candidates[slot]))
        instances = [places.index(instance) for instance in instances]
    of_part = dict(zip(order, instances, strict=True))
    return [of_part[part] for part in range(count)]


def _register(notes: Ints) -> tuple[float, bytes]:
    """Return the sort key of a part: mean pitch, highest first, then its notes, for a unique order."""
    return -float(notes[:, 2].mean()), notes.tobytes()
