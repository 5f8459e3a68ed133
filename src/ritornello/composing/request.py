"""A request: one song to compose, with the values that are fixed before its first note is sampled."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.composing.given_music import GivenMusic
from ritornello.composing.style_stats import StyleStats
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, part_classes

NO_STATS = StyleStats()
PlayedNotes = frozenset[tuple[int, int, int]]  # tick, part class and pitch of each


@dataclass(frozen=True)
class Request:
    """A song to compose. Ticks are those of the plan's bars, 24 a beat; parts are part classes (of rows)."""

    plan: Plan
    seed: int
    song: int = 0
    """The number of the song; seed and number determine all random numbers."""
    parts: tuple[int, ...] | None = None
    """The parts in which notes are sampled, ascending; None if the representation has no parts."""
    given: Score | None = None
    """Notes, at 24 ticks a beat, that become rows in their places."""
    prompt: npt.NDArray[Any] | None = None
    """Rows (N, F) with which the song begins."""
    first_tick: int = 0
    end_tick: int | None = None
    """Notes are sampled from `first_tick` up to `end_tick` (None: the end of the song)."""
    open_parts: tuple[tuple[int, ...], ...] | None = None
    """For each bar the parts in which notes are sampled; None: all `parts` in all bars."""
    parts_are_optional: bool = False
    """Whether parts may stay silent: those of a training song may, those that the user named may not."""
    style: StyleStats = NO_STATS
    avoided: PlayedNotes = frozenset()
    """Notes of other takes; `avoid_nats` are subtracted from the logits of their pitches."""
    avoid_nats: float = 0.0
    transposed_by: int = 0
    """The semitones by which the request was transposed from its own key to the model's frame."""
    music: GivenMusic | None = None
    """The given music into which the sampled notes are merged."""

    @property
    def timeline(self) -> Timeline:
        """The bars of the plan."""
        return self.plan.timeline(GRID)


def request_for(
    plan: Plan, seed: int, song: int = 0, given: GivenMusic | None = None, parts_are_optional: bool = False
) -> Request:
    """Return the request for a song by a plan, with the given music if any.

    With `parts_are_optional` not all parts must play: they are those of a training song, not of the user.
    """
    parts_are_optional = parts_are_optional or (given is not None and bool(given.kept))
    if given is None:
        return Request(plan, seed, song, _part_classes(plan), parts_are_optional=parts_are_optional)
    kinds = {"prompt": _continuation, "tune": _accompaniment, "redo": _redo}
    return replace(
        kinds[given.kind](plan, seed, song, given), music=given, parts_are_optional=parts_are_optional
    )


def _continuation(plan: Plan, seed: int, song: int, given: GivenMusic) -> Request:
    """Return the request for the bars after a prompt. The plan's parts begin with those of the prompt."""
    first_tick = int(plan.timeline(GRID).start_ticks[len(Timeline.of(given.canonical))])
    prompt = _rows_of_first_notes(given.rows, len(given.canonical))
    return Request(plan, seed, song, _part_classes(plan), prompt=prompt, first_tick=first_tick)


def _accompaniment(plan: Plan, seed: int, song: int, given: GivenMusic) -> Request:
    """Return the request for parts that join a melody. The plan's parts begin with those of the melody.

    If a new part has the class of a part of the melody (drums, or a fifth part of a program), its notes are
    added to that part.
    """
    others = part_classes(plan.parts)[len(given.canonical.parts) :]
    return Request(plan, seed, song, tuple(sorted(set(others.tolist()))), given=given.canonical)


def _redo(plan: Plan, seed: int, song: int, given: GivenMusic) -> Request:
    """Return the request to recompose bars of a song, in all its parts or some.

    The bars before them are the prompt. Given notes are those in later bars, and those of other parts.
    """
    assert given.bars is not None
    timeline, onset = given.timeline, given.canonical.onset_ticks
    bar_lines = np.append(timeline.start_ticks, plan.timeline(GRID).end_ticks)
    first_tick, end_tick = bar_lines[list(given.bars)].tolist()
    redone = tuple(sorted({part for parts in given.open_parts for part in parts}))
    given_notes = given.canonical.select((onset >= first_tick) & ~given.is_redone)
    prompt = _rows_of_first_notes(given.rows, int((onset < first_tick).sum()))
    open_parts = given.open_parts if given.kept else None
    return Request(plan, seed, song, redone, given_notes, prompt, first_tick, end_tick, open_parts=open_parts)


def _part_classes(plan: Plan) -> tuple[int, ...]:
    """Return the classes of a plan's parts, ascending."""
    return tuple(sorted(set(part_classes(plan.parts).tolist())))


def _rows_of_first_notes(rows: npt.NDArray[Any], notes: int) -> npt.NDArray[Any]:
    """Return the first rows (N, F), up to that of note number `notes`, counted from 1."""
    struck = np.flatnonzero(rows[:, COLUMN["shift"]] <= MAX_SHIFT)
    return rows[: int(struck[notes - 1]) + 1] if notes else rows[:0]
