"""The candidate `echo`: the note that followed an earlier occurrence of the last notes in this song.

A context is the last 64, 32, 16, 8, 4 or 2 notes. Two notes are equal if they have the same part and pitch
and the same number of ticks since the note before. The candidate is the note that followed the latest earlier
occurrence of the longest context that has one.

Given notes that are still to come are searched too, as a sequence of their own. A context that occurs there
counts if no equally long one occurred before; of several occurrences, the first that continues beyond the
next given note is used. So bars that are redone can anticipate passages that return after them.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.representations.grid.vocabulary import Ints, part_pitch

CONTEXT_NOTES = (2, 4, 8, 16, 32, 64)  # each twice the one before
SIZES = (1, *CONTEXT_NOTES)
LONGEST_CLASS = 4  # of `echo.length`: at least 16 notes
MAX_RUN_CLASS = 7  # of `echo.run`

Key = tuple[int, int]  # interval in ticks and part_pitch of a note; or the numbers of two contexts in a row
Note = tuple[int, ...]  # onset in ticks, then the classes of part, pitch, duration, velocity


class EchoCandidates(NamedTuple):
    """The candidates for the note after 0 ... N notes, (N + 1,) each.

    `note` is the index of the candidate (-1: none), `interval` the ticks from the note before it, `length`
    the class of the size of the matching context, `run` the class of the number of right guesses in a row.
    """

    note: Ints
    interval: Ints
    length: Ints
    run: Ints


def echo_candidates(
    interval: Ints,
    note_part_pitch: Ints,
    given: npt.NDArray[np.bool_] | None = None,
    given_interval: Ints | None = None,
    stream: Ints | None = None,
) -> EchoCandidates:
    """Return the candidates of a whole song of N notes, of which G are given.

    `interval` (N,) is the ticks since the note before, `given` (N,) a mask of given notes, and
    `given_interval` (G,) the ticks since the given note before. With `stream` (N,), the notes are those of
    one stream after another, and contexts of given notes do not continue from one stream to the next.
    """
    count = len(interval)
    given_index = np.flatnonzero(given) if given is not None else np.zeros(0, np.int64)  # (G,)
    # how many given notes come before each note, and before the end: (N + 1,)
    passed = np.append(0, np.searchsorted(given_index, np.arange(count), side="right"))
    if given_interval is not None:  # the song, and after it the given notes alone: (N + G,)
        interval = np.append(interval, given_interval)
    note, length = np.full(count + 1, -1), np.zeros(count + 1, np.int64)
    key, _ = _number_pairs(interval, np.append(note_part_pitch, note_part_pitch[given_index]))
    context, half = key, 1  # context[j] numbers the `half` notes that end before note j + half
    for rank, size in enumerate(CONTEXT_NOTES, start=1):
        if count < size:
            break
        # a context is the pair of a context of half its size and the one after that
        context, previous = _number_pairs(context[: len(key) + 1 - size], context[half:])
        half = size
        in_song = slice(count + 1 - size)
        guess = np.where(previous[in_song] >= 0, previous[in_song] + size, -1)
        if len(given_index) > size:
            given_context = context[count : len(key) - size]
            if stream is not None:
                same = stream[given_index[size:]] == stream[given_index[size - 1 : -1]]
                given_context = np.where(same, given_context, -1)
            later = _first_from(given_context, context[in_song], passed[size:] - size + 1)
            guess = np.where((guess < 0) & (later >= 0), count + size + later, guess)
        has_guess = guess >= 0
        note[size:][has_guess] = guess[has_guess]
        length[size:][has_guess] = min(rank, LONGEST_CLASS)
    index_in_song = np.concatenate([np.arange(count), given_index, [-1]])
    return EchoCandidates(index_in_song[note], np.append(interval, 0)[note], length, _runs(note, key))


def _runs(guess: Ints, key: Ints) -> Ints:
    """Return the class of the number of right guesses in a row before each guess (N + 1,).

    It is log2(1 + number), rounded down. Equal notes have equal keys (N + G,).
    """
    is_right, index = np.zeros(len(guess), bool), np.arange(len(guess))
    guessed = np.flatnonzero(guess[:-1] >= 0)
    is_right[guessed + 1] = key[guess[guessed]] == key[guessed]
    run = index - np.maximum.accumulate(np.where(is_right, -1, index))
    return np.searchsorted([1 << k for k in range(1, MAX_RUN_CLASS + 1)], run + 1, side="right")


def _first_from(numbers: Ints, targets: Ints, first: Ints) -> Ints:
    """Return the first index (K,) of `targets` (K,) in `numbers` (G,) from `first` (K,) on; -1 for none."""
    count = len(numbers)
    keys = np.sort(numbers * count + np.arange(count))  # of a number and its index
    nearest = keys[np.searchsorted(keys, targets * count + np.clip(first, 0, count)).clip(max=count - 1)]
    index = nearest % count
    return np.where((nearest // count == targets) & (index >= first), index, -1)


def _number_pairs(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Number the different pairs (a, b), (K,) each, and find the latest equal pair before each (-1: none).

    One sort of 64-bit numbers that contain a, b and the index, if they fit, takes nearly all of the time.
    """
    count = len(a)
    bits, low = count.bit_length(), int(b.max(initial=0)).bit_length()
    if int(a.max(initial=0)).bit_length() + low + bits < 64:
        ordered = np.sort(((a << low | b) << bits) | np.arange(count))
        order, keys = ordered & ((1 << bits) - 1), ordered >> bits
        new = np.append(True, keys[1:] != keys[:-1])[:count]
    else:
        order = np.lexsort((b, a))
        new = np.append(True, (np.diff(a[order]) != 0) | (np.diff(b[order]) != 0))[:count]
    number, previous = np.empty(count, np.int64), np.full(count, -1)
    number[order] = np.cumsum(new) - 1
    previous[order[1:]] = np.where(new[1:], -1, order[:-1])
    return number, previous


class EchoState:
    """Computes the candidate note by note: after each `add`, `guess` is the candidate as a note, or None.

    `candidate` is the index of the note that it repeats (-1: none, or a given note); `length` and `run` are
    the classes of the fields of those names. `given` are the given notes, in order.
    """

    def __init__(self, given: Sequence[Note] = ()) -> None:
        self.guess: Note | None = None
        self.candidate, self.length, self.run = -1, 0, 0
        self._right = 0  # right guesses in a row
        self._notes: list[Note] = []
        # by size of contexts: the numbers of contexts by their halves, the context that ends with each note
        self._numbers: list[dict[Key, int]] = [{} for _ in SIZES]
        self._ends: list[list[int]] = [[] for _ in SIZES]
        # by size: the latest note after each context, and all given notes after it
        self._latest: list[dict[int, int]] = [{} for _ in CONTEXT_NOTES]
        self._given, self._passed = given, 0
        self._given_after: list[dict[int, list[int]]] = [defaultdict(list) for _ in CONTEXT_NOTES]
        ends: list[list[int]] = [[] for _ in SIZES]
        for index in range(len(given) - 1):
            contexts = self._contexts(ends, given[index], given[index - 1] if index else None)
            for after, context in zip(self._given_after, contexts, strict=False):
                after[context].append(index + 1)

    def add(self, note: Note, is_given: bool = False) -> None:
        """Add the next note; if it is given, it is the next of the given notes."""
        was_right = self.guess is not None and self.guess[:3] == note[:3]
        contexts = self._contexts(self._ends, note, self._notes[-1] if self._notes else None)
        self._notes.append(note)
        self._passed += is_given
        rank, later, self.candidate = 0, -1, -1
        for longer, context in enumerate(contexts, start=1):
            latest = self._latest[longer - 1]
            if context in latest:
                rank, self.candidate, later = longer, latest[context], -1
            elif self._given and (given := self._next_of(self._given_after[longer - 1].get(context))) >= 0:
                rank, self.candidate, later = longer, -1, given
            latest[context] = len(self._notes)
        self._right = self._right + 1 if was_right else 0
        self.length = min(rank, LONGEST_CLASS)
        self.run = min(MAX_RUN_CLASS, (self._right + 1).bit_length() - 1)
        notes, index = (self._given, later) if later >= 0 else (self._notes, self.candidate)
        self.guess = (note[0] + notes[index][0] - notes[index - 1][0], *notes[index][1:]) if rank else None

    def _contexts(self, ends: list[list[int]], note: Note, before: Note | None) -> list[int]:
        """Add the contexts that end with a note to `ends`, and return their numbers by size."""
        pair = note[0] - (before[0] if before else 0), part_pitch(note[1], note[2])
        for numbers, sized, size in zip(self._numbers, ends, SIZES, strict=True):
            sized.append(numbers.setdefault(pair, len(numbers)))
            if len(sized) <= size:
                break
            pair = sized[-1 - size], sized[-1]  # the halves of the next larger one
        notes = len(ends[0])
        return [sized[-1] for sized, size in zip(ends[1:], CONTEXT_NOTES, strict=True) if notes >= size]

    def _next_of(self, given: list[int] | None) -> int:
        """Return the first of these given notes that comes after the next given note, or -1."""
        if not given or (at := bisect_right(given, self._passed)) == len(given):
            return -1
        return given[at]
