"""What `notes` keeps of a song: the grid of 24 ticks a beat, one tempo, parts by program and register.

Parts of one program are told apart by their mean pitch, highest first, whatever their order in the file was;
beyond four, the lowest share the fourth. All drum parts are one.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from ritornello.music.overlaps import cut_overlaps
from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import Part, Score, rescale_ticks
from ritornello.representations.grid.vocabulary import (
    DRUM_PART,
    DURATION_TICKS,
    INSTANCES_PER_PROGRAM,
    Ints,
    duration_class,
    part_of_class,
    velocity_class,
    velocity_of_class,
)


def canonical(score: Score) -> tuple[Score, dict[str, int]]:
    """The song as the rows hold it, and how much of each sort is lost."""
    plan = Plan.of(score)
    notes = _on_grid(score, plan)
    names, notes[:, 4] = np.unique(_codes(notes, score.parts)[notes[:, 4]], return_inverse=True)
    onset, duration, pitch, velocity, part = _settled(notes).T  # merged parts may strike the same pitch
    song = build(onset, duration, pitch, velocity, names[part], plan=plan)
    heard = len(np.unique(score.part))
    dropped = {
        "notes doubled": len(score) - len(song),
        "notes over 16 beats": int(
            (
                rescale_ticks(score.duration_ticks.astype(np.int64), score.ticks_per_beat, GRID)
                > DURATION_TICKS[-1]
            ).sum()
        ),
        "parts merged": heard - len(song.parts),
        "parts without notes": len(score.parts) - heard,
        "names of parts": sum(part.name != "" for part in score.parts),
        "drum kits": sum(part.is_drum and part.program > 0 for part in score.parts),
        "tempo changes": max(0, len(score.tempi) - 1),
        "key changes": max(0, len(score.keys) - 1),
        "markers": len(score.markers),
    }
    return song, {sort: count for sort, count in dropped.items() if count}


def build(onset: Any, duration: Any, pitch: Any, velocity: Any, code: Any, *, plan: Plan) -> Score:
    """The Score of notes with part codes, (N,) each, with the plan's tempo, meters, key and chords."""
    codes, part = np.unique(np.asarray(code, np.int64), return_inverse=True)
    parts = [part_of_class(number) for number in codes.tolist()]
    events = plan.events(GRID) | {"chords": plan.chords}
    return Score.of(GRID, onset, duration, pitch, velocity, part, parts, title=plan.title, **events)


def part_classes_of(score: Score) -> Ints:
    """For each part of any song (parts,) the code of its notes; of one without notes it means nothing."""
    return _codes(_on_grid(score, Plan.of(score)), score.parts)


def _on_grid(score: Score, plan: Plan) -> Ints:
    """The notes (N, 5) as cut_overlaps has them, on the grid and in the plan's bars."""
    onset = score.onset_ticks.astype(np.int64)
    start, end = (
        rescale_ticks(ticks, score.ticks_per_beat, GRID) for ticks in (onset, onset + score.duration_ticks)
    )
    if len(score):
        bars, planned = grid_bars(score), plan.timeline(GRID)
        start = bars.moved(start, planned, inside=True)
        end = bars.moved(end, planned, inside=False)
    length = np.maximum(end - start, 1)
    notes = np.stack([start, length, score.pitch, score.velocity, score.part], axis=1).astype(np.int64)
    return _settled(notes)


def _settled(notes: Ints) -> Ints:
    """Durations and velocities as their classes have them, no pitch struck twice at once in a part.

    A duration that was rounded up may reach into the next note of its pitch; `Score.of` cuts it there.
    """
    notes = cut_overlaps(notes)
    notes[:, 1] = DURATION_TICKS[duration_class(notes[:, 1])]
    notes[:, 3] = velocity_of_class(velocity_class(notes[:, 3]))
    return notes


def _codes(notes: Ints, parts: tuple[Part, ...]) -> Ints:
    """The code of each part, by program and register; of one without notes it does not matter."""
    codes = np.zeros(len(parts), np.int64)
    heard = np.unique(notes[:, 4]).tolist()
    for part in heard:
        codes[part] = DRUM_PART if parts[part].is_drum else parts[part].program * INSTANCES_PER_PROGRAM
    pitched = sorted((int(codes[part]), part) for part in heard if not parts[part].is_drum)
    for base, group in groupby(pitched, key=lambda pair: pair[0]):
        same = [part for _, part in group]
        if len(same) == 1:
            continue
        voices = [notes[notes[:, 4] == part, :4] for part in same]
        order = sorted(range(len(same)), key=lambda i: _register(voices[i]))
        ranks = [min(rank, INSTANCES_PER_PROGRAM - 1) for rank in range(len(same))]
        if (
            len(same) > INSTANCES_PER_PROGRAM
        ):  # what shares the fourth place may lie higher than its parts did
            shared = np.concatenate([voices[i] for i in order[INSTANCES_PER_PROGRAM - 1 :]])
            shared = _settled(np.column_stack([shared, np.zeros(len(shared), np.int64)]))[:, :4]
            slots = [voices[i] for i in order[: INSTANCES_PER_PROGRAM - 1]] + [shared]
            placed = sorted(range(INSTANCES_PER_PROGRAM), key=lambda slot: _register(slots[slot]))
            ranks = [placed.index(rank) for rank in ranks]
        for rank, i in zip(ranks, order, strict=True):
            codes[same[i]] = base + rank
    return codes


def _register(voice: Ints) -> tuple[float, bytes]:
    """What parts are ordered by: mean pitch, highest first; ties by the notes, in any fixed order."""
    return -float(voice[:, 2].mean()), voice.tobytes()
