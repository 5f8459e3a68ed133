"""The candidate `alone`: the echo within one stream of the song.

A stream is a part, one hand of a keyboard part, or one drum. Where one stream repeats itself while another
plays something new, the song as a whole has no echo, but the stream has one. Each stream has its own guess;
the candidate is the first of these guesses that can still come.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.vocabulary import PART_PITCH_BITS, Ints, note_key
from ritornello.representations.repetition.echo import EchoState, Note, echo_candidates

KEYBOARDS = (*range(8), *range(16, 21))  # programs: pianos and organs
LOWEST_RIGHT_HAND_PITCH = 66  # of 60-70, it gives the most repeated notes in the training songs of POP909
NEVER = np.iinfo(np.int64).max
MAX_CELLS = 1 << 20  # of the tables of streams and notes, 20 bytes each


class Candidates(NamedTuple):
    """For R rows: the index of the candidate (-1: none), and the onset that it guesses; (R,) each.

    `length` and `run` are classes that show how reliable it is, as in `EchoCandidates`.
    """

    note: Ints
    onset_ticks: Ints
    length: Ints
    run: Ints


def alone_candidates(
    onset: Ints,
    note_part_pitch: Ints,
    least_key: Ints,
    known: Ints,
    given: npt.NDArray[np.bool_] | None = None,
) -> Candidates:
    """Return the candidates for R rows of a song, from its notes (N,) sorted by onset (ticks) and part_pitch.

    Each row comes after `known` (R,) notes, and its note has at least the `note_key` `least_key` (R,).
    `given` (N,) is a mask of given notes.
    """
    stream = streams(note_part_pitch)
    order = np.argsort(stream, kind="stable")
    given_order = order[given[order]] if given is not None else order[:0]
    echoes = echo_candidates(
        _intervals(onset[order], stream[order]),
        note_part_pitch[order],
        None if given is None else given[order],
        _intervals(onset[given_order], stream[given_order]),
        stream[order],
    )
    # the guess of a stream after each of its notes; the last entry (index -1) is for rows before any note
    source, length, run = (np.full(len(onset) + 1, -1) for _ in range(3))
    source[order] = np.append(order, -1)[echoes.note[1:]]
    length[order], run[order] = echoes.length[1:], echoes.run[1:]
    guess = np.full(len(onset) + 1, NEVER)
    guess[order] = note_key(onset[order] + echoes.interval[1:], note_part_pitch[source[order]])
    guess[source < 0] = NEVER
    first, chosen = _first_guess(stream, guess, least_key, known)
    none = chosen < 0
    columns = (source[chosen], first >> PART_PITCH_BITS, length[chosen], run[chosen])
    return Candidates(*(np.where(none, empty, c) for c, empty in zip(columns, (-1, 0, 0, 0), strict=True)))


def _first_guess(stream: Ints, guess: Ints, least_key: Ints, known: Ints) -> tuple[Ints, Ints]:
    """Return for each row (R,) the first guess of all streams, and the note that it follows (-1: none).

    `guess` (N + 1,) is the `note_key` that the stream of each note guesses after that note.
    """
    index = np.arange(len(stream), dtype=np.int32)
    first, chosen = np.full(len(known), NEVER), np.full(len(known), -1)
    numbers = np.unique(stream)
    together = max(1, MAX_CELLS // (len(stream) + 1))  # streams that are compared at a time
    for start in range(0, len(numbers), together):
        of_stream = stream == numbers[start : start + together, None]  # (S, N)
        latest = np.full((len(of_stream), len(stream) + 1), -1, np.int32)  # of each stream; -1: none yet
        np.maximum.accumulate(np.where(of_stream, index, -1), axis=1, out=latest[:, 1:])
        latest = latest[:, known]
        keys = guess[latest]  # (S, R)
        keys[keys < least_key] = NEVER
        best = keys.argmin(axis=0)
        rows = np.arange(len(known))
        key = keys[best, rows]
        sooner = key < first
        first[sooner], chosen[sooner] = key[sooner], latest[best, rows][sooner]
    return first, chosen


def streams(note_part_pitch: Ints) -> Ints:
    """Return the number of the stream of each note (any shape)."""
    part, pitch = np.divmod(note_part_pitch, vocabulary.PITCHES)
    is_keyboard = np.isin(part // vocabulary.INSTANCES_PER_PROGRAM, KEYBOARDS)
    right_hand = (pitch >= LOWEST_RIGHT_HAND_PITCH) & is_keyboard
    return np.where(part == vocabulary.DRUM_PART, 2 * vocabulary.PARTS + pitch, 2 * part + right_hand)


def _intervals(onset: Ints, stream: Ints) -> Ints:
    """Return the ticks (N,) since the note before in the same stream, or since the start of the song."""
    interval = np.diff(onset, prepend=0)
    first = np.diff(stream, prepend=-1) != 0
    interval[first] = onset[first]
    return interval


class AloneState:
    """Computes the candidate note by note: after `add`, `first` returns the echo with the first guess."""

    def __init__(self, given: Sequence[Note] = ()) -> None:
        by_stream: dict[int, list[Note]] = defaultdict(list)
        for note in given:
            by_stream[_stream(*note[1:3])].append(note)
        self._echoes = {stream: EchoState(notes) for stream, notes in by_stream.items()}

    def add(self, note: Note, is_given: bool = False) -> None:
        """Add the next note, as `EchoState.add` does."""
        stream = _stream(*note[1:3])
        if stream not in self._echoes:
            self._echoes[stream] = EchoState()
        self._echoes[stream].add(note, is_given)

    def first(self, least: Note) -> EchoState | None:
        """Return the echo with the first guess that is at least (onset in ticks, part, pitch), or None."""
        echoes = [echo for echo in self._echoes.values() if echo.guess and echo.guess >= least]
        return min(echoes, key=lambda echo: echo.guess or (), default=None)


@lru_cache(maxsize=1 << 16)
def _stream(part: int, pitch: int) -> int:
    return int(streams(np.array(vocabulary.part_pitch(part, pitch))))
