"""Swing: the first of two eighths (or sixteenths) takes more than half of the time of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

Floats = npt.NDArray[np.float64]  # (N,)
NEAR_BEATS = 1 / 20  # a note nearer than this to a place in the beat is at that place


class Swing:
    """Moves ticks of a song so that it swings.

    `percent` (50-75) is the length of the first of two notes of `unit_beats` (1/2 or 1/4) in per cent of the
    length of both. Other ticks of a pair are moved in proportion, so no events change their order. Beats with
    triplets stay as they are, as do bars of 6/8, 9/8 and 12/8 if eighths swing.
    """

    def __init__(self, score: Score, percent: float, unit_beats: float) -> None:
        self.share = percent / 100
        self.pair_ticks = 2 * unit_beats * score.ticks_per_beat
        self.timeline = Timeline.of(score)
        is_compound = (self.timeline.denominator == 8) & (self.timeline.numerator % 3 == 0)
        self._stays_bars = is_compound & (unit_beats == 0.5)
        pairs = self._pairs(score.onset_ticks)
        place = (
            score.onset_ticks - pairs * self.pair_ticks - self._origin(score.onset_ticks)
        ) / self.pair_ticks
        near = NEAR_BEATS / (2 * unit_beats)
        in_triplets = (np.abs(place - 1 / 3) < near) | (np.abs(place - 2 / 3) < near)
        in_halves = np.abs(place - 0.5) < near
        keys = self._keys(score.onset_ticks)
        self._triplets = np.setdiff1d(keys[in_triplets], keys[in_halves])

    def __call__(self, ticks: npt.ArrayLike) -> Floats:
        """Return the moved ticks (N,) of ticks (N,) of the straight song."""
        if self.share == 0.5 or not len(self.timeline):
            return np.asarray(ticks, np.float64)
        at = np.asarray(ticks, np.float64)
        start = self._origin(at) + self._pairs(at) * self.pair_ticks
        place = (at - start) / self.pair_ticks
        late = self.share + (place - 0.5) * (1 - self.share) / 0.5
        swung = start + self.pair_ticks * np.where(place < 0.5, place * self.share / 0.5, late)
        bar = np.maximum(self.timeline.bar_of(at), 0)
        length = self.timeline.length_ticks[bar] - (start - self._origin(at))
        stays = self._stays_bars[bar] | (length < self.pair_ticks) | np.isin(self._keys(at), self._triplets)
        return np.where(stays | (place >= 1), at, swung)

    def _origin(self, ticks: Any) -> Any:
        """The start (N,) of the bar of each tick (N,)."""
        return self.timeline.start_ticks[np.maximum(self.timeline.bar_of(ticks), 0)]

    def _pairs(self, ticks: Any) -> Any:
        """The number (N,) of the pair of each tick (N,) in its bar, from 0."""
        return np.floor((ticks - self._origin(ticks)) / self.pair_ticks)

    def _keys(self, ticks: Any) -> Any:
        """The tick (N,) at which the pair of each tick (N,) begins, rounded."""
        return np.rint(self._origin(ticks) + self._pairs(ticks) * self.pair_ticks).astype(np.int64)
