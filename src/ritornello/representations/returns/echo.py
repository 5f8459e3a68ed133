"""Echo: where did the last notes occur before in this song, and what followed there?

The candidate for the next note is the one that followed the latest earlier occurrence of the longest context
(16, 8, 4, else 2 notes, compared by interval from the note before, and voice) that has one.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from ritornello.representations.grid.codes import Ints

LENGTHS = (2, 4, 8, 16)  # each twice the one before
MAX_RUN = 7  # classes of log2(run + 1)


class Echoes(NamedTuple):
    """For the note that would come after 0 ... N notes, (N + 1,) each.

    `candidate` is the index of a note (-1: none), `length` the class of the matched length (0-4), `run` that
    of the right guesses in a row.
    """

    candidate: Ints
    length: Ints
    run: Ints


def echo(interval: Ints, voice: Ints) -> Echoes:
    """The echoes of a whole song; `interval` (N,) is ticks since the note before, `voice` part and pitch."""
    count = len(interval)
    candidate, length = np.full(count + 1, -1), np.zeros(count + 1, np.int64)
    key, _ = _classes(interval, voice)
    context, at = key, 1  # context[j] is the class of the `at` notes that end before note j + at
    for rank, size in enumerate(LENGTHS, start=1):
        if count < size:
            break
        # a context of twice the length: one of half the length, and the one that follows it
        context, previous = _classes(context[: count + 1 - size], context[at:])
        at = size
        found = previous >= 0
        candidate[size:][found] = previous[found] + size
        length[size:][found] = rank
    right = np.zeros(count + 1, bool)
    guessed = np.flatnonzero(candidate[:count] >= 0)
    right[guessed + 1] = key[candidate[guessed]] == key[guessed]
    index = np.arange(count + 1)
    run = index - np.maximum.accumulate(np.where(right, -1, index))
    return Echoes(candidate, length, run_class(run))


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
    """The same note by note: `add` a note, then `candidate`, `length` and `run` are those of the next."""

    def __init__(self) -> None:
        self.candidate, self.length, self.run = -1, 0, 0
        self._run = 0
        self._keys: list[tuple[int, int]] = []
        self._recent: deque[tuple[int, int]] = deque(maxlen=LENGTHS[-1])
        self._latest: list[dict[tuple[tuple[int, int], ...], int]] = [{} for _ in LENGTHS]

    def add(self, interval: int, voice: int) -> None:
        """Take the next note."""
        key = (interval, voice)
        right = self.candidate >= 0 and self._keys[self.candidate] == key
        self._keys.append(key)
        self._recent.append(key)
        recent, count = tuple(self._recent), len(self._keys)
        self.candidate, self.length = -1, 0
        for rank, (size, latest) in enumerate(zip(LENGTHS, self._latest, strict=True), start=1):
            if count < size:
                break
            context = recent[-size:]
            if context in latest:
                self.candidate, self.length = latest[context], rank
            latest[context] = count
        # a right guess makes a context of two that was there before, so there is a candidate again
        self._run = self._run + 1 if right else 0
        self.run = min(MAX_RUN, (self._run + 1).bit_length() - 1)
