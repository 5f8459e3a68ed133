"""Echo: where did the last notes occur before in this song, and what followed there?

The candidate for the next note is the one that followed the latest earlier occurrence of the longest context
(64, 32 ... else 2 notes, compared by interval from the note before, and voice) that has one.

Where notes are *given*, those still to come are known as well: a context that did not occur before, or only
a shorter one, is looked for among them, as they follow one another, and the first place beyond the next given
note counts. So a gap hears what returns after it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.representations.grid.vocabulary import PITCHES, Ints

LENGTHS = (2, 4, 8, 16, 32, 64)  # each twice the one before
LONGEST = 4  # class of a matched length: 16 notes, or more
MAX_RUN = 7  # classes of log2(run + 1)

Key = tuple[int, int]  # of a note: ticks from the note before, and voice; or two numbers of contexts
Note = tuple[int, ...]  # onset, part, pitch, duration, velocity


class Echoes(NamedTuple):
    """For the note that would come after 0 ... N notes, (N + 1,) each.

    `candidate` is the index of a note (-1: none), `interval` the ticks from the note before it, `length` the
    class of the matched length (none, 2, 4, 8, 16 and more), `run` that of the right guesses in a row.
    """

    candidate: Ints
    interval: Ints
    length: Ints
    run: Ints


def echo(
    interval: Ints,
    voice: Ints,
    given: npt.NDArray[np.bool_] | None = None,
    apart: Ints | None = None,
    line: Ints | None = None,
) -> Echoes:
    """The echoes of a whole song; `interval` (N,) is ticks since the note before, `voice` part and pitch.

    `given` (N,) says which notes are, and `apart` how many ticks each of them comes after the given one
    before it. Where the notes are those of one `line` (N,) after another, nothing given follows on another
    line.
    """
    count = len(interval)
    ahead = np.flatnonzero(given) if given is not None else np.zeros(0, np.int64)  # (G,)
    met = np.append(0, np.searchsorted(ahead, np.arange(count), side="right"))  # (N + 1,)
    if apart is not None:  # the song, and after it the given notes alone: (N + G,)
        interval = np.append(interval, apart)
    candidate, length = np.full(count + 1, -1), np.zeros(count + 1, np.int64)
    key, _ = _classes(interval, np.append(voice, voice[ahead]))
    context, at = key, 1  # context[j] is the class of the `at` notes that end before note j + at
    for rank, size in enumerate(LENGTHS, start=1):
        if count < size:
            break
        # a context of twice the length: one of half the length, and the one that follows it
        context, previous = _classes(context[: len(key) + 1 - size], context[at:])
        at = size
        own = slice(count + 1 - size)
        guess = np.where(previous[own] >= 0, previous[own] + size, -1)
        if len(ahead) > size:
            given_ones = context[count : len(key) - size]
            if line is not None:
                given_ones = np.where(line[ahead[size:]] == line[ahead[size - 1 : -1]], given_ones, -1)
            later = _first_from(given_ones, context[own], met[size:] - size + 1)
            guess = np.where((guess < 0) & (later >= 0), count + size + later, guess)
        found = guess >= 0
        candidate[size:][found] = guess[found]
        length[size:][found] = min(rank, LONGEST)
    in_song = np.concatenate([np.arange(count), ahead, [-1]])
    return Echoes(in_song[candidate], np.append(interval, 0)[candidate], length, _run(candidate, key))


def _run(candidate: Ints, key: Ints) -> Ints:
    """The class of right guesses in a row before each candidate (N + 1,); `key` says what a note is."""
    right, index = np.zeros(len(candidate), bool), np.arange(len(candidate))
    guessed = np.flatnonzero(candidate[:-1] >= 0)
    right[guessed + 1] = key[candidate[guessed]] == key[guessed]
    return run_class(index - np.maximum.accumulate(np.where(right, -1, index)))


def _first_from(classes: Ints, wanted: Ints, first: Ints) -> Ints:
    """Where `classes` (G,) is first as `wanted` (K,), from `first` (K,) on: (K,), -1 for nowhere."""
    count = len(classes)
    keys = np.sort(classes * count + np.arange(count))
    found = keys[np.searchsorted(keys, wanted * count + np.clip(first, 0, count)).clip(max=count - 1)]
    there = found % count
    return np.where((found // count == wanted) & (there >= first), there, -1)


def run_class(run: Ints) -> Ints:
    """The class 0-7 of a number of right guesses in a row: log2 of it and one."""
    return np.asarray(np.searchsorted([1 << k for k in range(1, MAX_RUN + 1)], run + 1, side="right"))


def _classes(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """For pairs (a, b) of numbers from 0: a number for each different pair, and the latest equal one before.

    One sort of 64-bit numbers that hold a, b and the index (where they fit) is all the work.
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


class Echo:
    """The same note by note: `add` a note, then `guess` is the next, or None.

    `candidate` is the index of the note that it is like (-1: none, or one of those `given`), `length` and
    `run` say how far it is to be trusted.
    """

    def __init__(self, given: Sequence[Note] = ()) -> None:
        self.guess: Note | None = None
        self.candidate, self.length, self.run = -1, 0, 0
        self._run = 0
        self._notes: list[Note] = []
        self._numbers: list[dict[Key, int]] = [{} for _ in (1, *LENGTHS)]  # of contexts, by their halves
        self._ends: list[list[int]] = [[] for _ in (1, *LENGTHS)]
        self._latest: list[dict[int, int]] = [{} for _ in LENGTHS]  # the note after a context
        self._given, self._met = given, 0
        self._after: list[dict[int, list[int]]] = [defaultdict(list) for _ in LENGTHS]  # the given ones
        ends: list[list[int]] = [[] for _ in (1, *LENGTHS)]
        for index in range(len(given) - 1):
            contexts = self._contexts(ends, given[index], given[index - 1] if index else None)
            for after, context in zip(self._after, contexts, strict=False):
                after[context].append(index + 1)

    def add(self, note: Note, given: bool = False) -> None:
        """Take the next note, which may be the next given one."""
        right = self.guess is not None and self.guess[:3] == note[:3]
        contexts = self._contexts(self._ends, note, self._notes[-1] if self._notes else None)
        self._notes.append(note)
        self._met += given
        rank, later, self.candidate = 0, -1, -1
        for longer, context in enumerate(contexts, start=1):
            latest = self._latest[longer - 1]
            if context in latest:
                rank, self.candidate, later = longer, latest[context], -1
            elif self._given and (further := self._from_here(self._after[longer - 1].get(context))) >= 0:
                rank, self.candidate, later = longer, -1, further
            latest[context] = len(self._notes)
        self._run = self._run + 1 if right else 0
        self.length, self.run = min(rank, LONGEST), min(MAX_RUN, (self._run + 1).bit_length() - 1)
        like, at = (self._given, later) if later >= 0 else (self._notes, self.candidate)
        self.guess = (note[0] + like[at][0] - like[at - 1][0], *like[at][1:]) if rank else None

    def _contexts(self, ends: list[list[int]], note: Note, before: Note | None) -> list[int]:
        """The numbers of the contexts of each length that end with a note; `ends` keeps all notes' ones."""
        pair = note[0] - (before[0] if before else 0), note[1] * PITCHES + note[2]
        for numbers, kept, size in zip(self._numbers, ends, (1, *LENGTHS), strict=True):
            kept.append(numbers.setdefault(pair, len(numbers)))
            if len(kept) <= size:
                break
            pair = kept[-1 - size], kept[-1]  # the halves of the next
        return [kept[-1] for kept, size in zip(ends[1:], LENGTHS, strict=True) if len(ends[0]) >= size]

    def _from_here(self, notes: list[int] | None) -> int:
        """The first of the given notes beyond the next, or -1."""
        if not notes or (at := bisect_right(notes, self._met)) == len(notes):
            return -1
        return notes[at]
