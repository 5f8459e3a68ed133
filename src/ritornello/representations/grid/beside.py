"""What is known of the given notes beside a row: when the next one comes, which ones sound where it stands.

    given.shift   how far on the next given onset is, spelled as a shift: with it, what is drawn moves
    given.top     the highest pitch given that sounds at the place reached; drums do not count
    given.low     the lowest

So a network need not keep in mind what is given, nor count ticks, to play along with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from ritornello.representations.grid.clock import Bars, spelled
from ritornello.representations.grid.codes import DRUMS, DURATIONS, PITCHES, Ints

FIELDS = ("given.top", "given.low")
SILENT = PITCHES  # the class of no pitch


class Beside:
    """The given notes of one song, by their columns (N,) in the order of onsets, as `codes.columns` has them.

    Answers for many places at once, or for one.
    """

    def __init__(self, onset: Ints, part: Ints, pitch: Ints, duration: Ints) -> None:
        self._onset = onset
        pitched = np.flatnonzero(part < DRUMS)
        rising = pitched[np.argsort(pitch[pitched], kind="stable")]
        spans = np.stack([onset, onset + DURATIONS[duration]])[:, rising]
        self._edges = np.unique(np.append(spans, 0))  # (S,): from one to the next the same notes sound
        sounding = list(
            zip(*np.searchsorted(self._edges, spans).tolist(), pitch[rising].tolist(), strict=True)
        )
        self._heard = np.full((len(FIELDS), len(self._edges)), SILENT)  # (2, S)
        for heard, notes in zip(self._heard, (sounding, sounding[::-1]), strict=True):
            for first, after, one in notes:
                heard[first:after] = one  # the last one written stays: the highest, then the lowest
        self._lists = onset.tolist(), self._edges.tolist(), self._heard.T.tolist()

    def shift(self, clock: Ints, struck: Ints, floor: Ints, bars: Bars) -> Ints:
        """given.shift before rows (R,): `struck` is 1 where a note was drawn at the clock already."""
        following = np.searchsorted(self._onset, clock + struck)
        onset = np.append(self._onset, -1)[following]  # -1: none, which no grammar can say
        return spelled(onset, clock, floor, bars)

    def next_onset(self, ticks: int) -> int:
        """The first given onset from a tick on; -1 where there is none."""
        at = bisect_left(self._lists[0], ticks)
        return self._lists[0][at] if at < len(self._lists[0]) else -1

    def columns(self, ticks: Ints) -> dict[str, Ints]:
        """given.top and given.low at places (R,)."""
        heard = self._heard[:, np.searchsorted(self._edges, ticks, side="right") - 1]
        return dict(zip(FIELDS, heard, strict=True))

    def at(self, ticks: int) -> list[int]:
        """given.top and given.low at one place."""
        heard: list[int] = self._lists[2][bisect_right(self._lists[1], ticks) - 1]
        return heard
