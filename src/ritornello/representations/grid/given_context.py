"""What is known of the given notes around a row: when the next one comes, which sound here, what follows.

    given         whether any is still to come: none, some at this onset, later
    given.shift   how far on the next one is, spelled as a shift
    given.top     the highest pitch given that sounds at the place reached; drums do not count
    given.low     the lowest
    given.next    the highest of those that are struck next after that place

So a network need not keep in mind what is given, and knows a little of what it is to meet.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from ritornello.representations.grid.shifts import Bars, spelled
from ritornello.representations.grid.vocabulary import DRUM_PART, DURATION_TICKS, PITCHES, Ints

FIELDS = ("given.top", "given.low", "given.next")
NONE, HERE, LATER = range(3)
SILENT = PITCHES  # the class of no pitch


class Beside:
    """The given notes of one song, by their columns (N,) in the order of onsets, as `codes.columns` has them.

    Answers for many places at once, or for one.
    """

    def __init__(self, onset: Ints, part: Ints, pitch: Ints, duration: Ints) -> None:
        self._onset = np.append(onset, -1)  # -1: no more, which no grammar can say
        pitched = np.flatnonzero(part < DRUM_PART)
        rising = pitched[np.argsort(pitch[pitched], kind="stable")]
        spans = np.stack([onset, onset + DURATION_TICKS[duration]])[:, rising]
        self._edges = np.unique(np.append(spans, 0))  # (S,): from one to the next the same notes sound
        sounding = list(
            zip(*np.searchsorted(self._edges, spans).tolist(), pitch[rising].tolist(), strict=True)
        )
        self._heard = np.full((len(FIELDS), len(self._edges)), SILENT)  # (3, S)
        for heard, notes in zip(self._heard, (sounding, sounding[::-1]), strict=False):
            for first, after, one in notes:
                heard[first:after] = one  # the last one written stays: the highest, then the lowest
        highest = np.full(len(self._edges) + 1, SILENT)  # of the notes struck at an edge
        for first, _, one in sounding:
            highest[first] = one
        struck = np.flatnonzero(highest < SILENT)
        following = np.searchsorted(struck, np.arange(len(self._edges)), side="right")
        self._heard[2] = highest[np.append(struck, len(self._edges))[following]]
        self._lists = self._edges.tolist(), self._heard.T.tolist()

    def ahead(self, met: Ints, clock: Ints, floor: Ints, bars: Bars) -> dict[str, Ints]:
        """given and given.shift before rows (R,), so many of the given notes `met` before each."""
        onset = self._onset[met]
        which = np.where(onset < 0, NONE, np.where(onset == clock, HERE, LATER))
        return {"given": which, "given.shift": spelled(onset, clock, floor, bars)}

    def columns(self, ticks: Ints) -> dict[str, Ints]:
        """The other three at places (R,)."""
        heard = self._heard[:, np.searchsorted(self._edges, ticks, side="right") - 1]
        return dict(zip(FIELDS, heard, strict=True))

    def at(self, ticks: int) -> list[int]:
        """The other three at one place."""
        heard: list[int] = self._lists[1][bisect_right(self._lists[0], ticks) - 1]
        return heard
