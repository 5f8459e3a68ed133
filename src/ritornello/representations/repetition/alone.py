"""Alone: echo in each line by itself, and of what the lines are about to play the note that comes first.

Where one line goes on as it did before while another does something new, the song as a whole has no echo; the
line alone has. A line is a part, a hand of a keyboard (the notes above the middle of its keys, or below), or
a drum. The guesses that the song has passed by are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.representations.grid.vocabulary import (
    DRUM_PART,
    INSTANCES_PER_PROGRAM,
    PART_PITCH_BITS,
    PARTS,
    PITCHES,
    Ints,
)
from ritornello.representations.repetition.echo import Echo, Note, echo

KEYBOARDS = (*range(8), *range(16, 21))  # programs: pianos and organs
# the lowest pitch of the right hand: of 60 to 70 the one by which most notes of POP909's train side return
MIDDLE = 66
NEVER = np.iinfo(np.int64).max


class Guesses(NamedTuple):
    """For each place: index of the candidate (-1: none), its guessed onset, and as in `Echoes`; (R,) each."""

    candidate: Ints
    onset: Ints
    length: Ints
    run: Ints


def alone(
    onset: Ints, voice: Ints, least: Ints, known: Ints, given: npt.NDArray[np.bool_] | None = None
) -> Guesses:
    """The guesses at places of a whole song, whose notes (N,) are sorted by onset and voice.

    A place is how many notes are `known` there and the `least` that may come, as
    onset << PART_PITCH_BITS | voice, (R,) each.
    """
    line = lines(voice)
    order = np.argsort(line, kind="stable")
    kept = order[given[order]] if given is not None else order[:0]
    found = echo(
        _since(onset[order], line[order]),
        voice[order],
        None if given is None else given[order],
        _since(onset[kept], line[kept]),
        line[order],
    )
    # after each note what its line is about to play; the last of all are those of no note
    source, length, run = (np.full(len(onset) + 1, -1) for _ in range(3))
    source[order] = np.append(order, -1)[found.candidate[1:]]
    length[order], run[order] = found.length[1:], found.run[1:]
    offered = np.full(len(onset) + 1, NEVER)
    offered[order] = (onset[order] + found.interval[1:]) << PART_PITCH_BITS | voice[source[order]]
    offered[source < 0] = NEVER
    first, chosen = np.full(len(known), NEVER), np.full(len(known), -1)
    for one in np.unique(line):
        notes = np.flatnonzero(line == one)
        latest = np.append(notes, -1)[np.searchsorted(notes, known) - 1]  # that is known; -1: none
        key = offered[latest]
        sooner = (key >= least) & (key < first)
        first[sooner], chosen[sooner] = key[sooner], latest[sooner]
    none = chosen < 0
    return Guesses(
        np.where(none, -1, source[chosen]),
        np.where(none, 0, first >> PART_PITCH_BITS),
        np.where(none, 0, length[chosen]),
        np.where(none, 0, run[chosen]),
    )


def lines(voice: Ints) -> Ints:
    """The line (N,) of each voice (N,)."""
    part, pitch = voice // PITCHES, voice % PITCHES
    right = (pitch >= MIDDLE) & np.isin(part // INSTANCES_PER_PROGRAM, KEYBOARDS)
    return np.where(part == DRUM_PART, 2 * PARTS + pitch, 2 * part + right)


def _since(onset: Ints, line: Ints) -> Ints:
    """Ticks (N,) since the note before of the same line, since the start for its first."""
    since = np.diff(onset, prepend=0)
    first = np.diff(line, prepend=-1) != 0
    since[first] = onset[first]
    return since


class Alone:
    """The same note by note: `add` a note, then ask for the echo whose guess comes first."""

    def __init__(self, given: Sequence[Note] = ()) -> None:
        of: dict[int, list[Note]] = defaultdict(list)
        for note in given:
            of[_line(*note[1:3])].append(note)
        self._lines = {line: Echo(notes) for line, notes in of.items()}

    def add(self, note: Note, given: bool = False) -> None:
        """Take the next note, which may be a given one."""
        line = _line(*note[1:3])
        if line not in self._lines:
            self._lines[line] = Echo()
        self._lines[line].add(note, given)

    def first(self, least: Note) -> Echo | None:
        """Of the lines' echoes the one with the first guess that is not below (onset, part, pitch)."""
        found, best = None, None
        for one in self._lines.values():
            guess = one.guess
            if guess and guess >= least and (best is None or guess < best):
                found, best = one, guess
        return found


@lru_cache(maxsize=1 << 16)
def _line(part: int, pitch: int) -> int:
    """The line of one note."""
    return int(lines(np.array(part * PITCHES + pitch)))
