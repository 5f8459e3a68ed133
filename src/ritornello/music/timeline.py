"""Timeline: the bars of a song, all that is known of a moment without knowing the notes.

A *bar* is what the meter says; its length is in ticks of the song's resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ritornello.errors import PlanError, ScoreError
from ritornello.music.score import DEFAULT_METER, Chord, Meter, Score

Ticks = npt.NDArray[np.int64]
MAX_BARS_OF_A_TIMELINE = 1_000_000  # weeks of music; a damaged file may ask for 2**31
MAX_BAR_BEATS = 16  # of 1,400 songs three have bars over 8 beats, none over 16: such a meter is no meter


@dataclass(frozen=True)
class Timeline:
    """The bars of a song: columns of one row a bar, and the chords; no note is looked at but the last.

    A change of meter starts a new bar. A song's bars end with the bar of its last onset.
    `returns_to` is the earlier bar that a bar returns to, -1 for none; `similarity` says how closely: 0 not
    at all, 1 some, 2 most, 3 all, -1 where nobody knows. A meter of more than 16 beats a bar counts as 4/4.
    """

    ticks_per_beat: int
    start_ticks: Ticks
    length_ticks: Ticks
    numerator: Ticks
    denominator: Ticks
    chords: tuple[Chord, ...] = ()
    returns_to: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    similarity: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, score: Score) -> Timeline:
        """The bars of `score` by its meter map (4/4 where it says nothing); none without notes."""
        meters = score.meters
        if not meters or meters[0].onset_ticks > 0:
            meters = (DEFAULT_METER, *meters)
        last_onset = int(score.onset_ticks[-1]) if len(score) else -1
        return cls.of_meters(score.ticks_per_beat, meters, last_onset + 1, score.chords)

    @classmethod
    def of_meters(
        cls, ticks_per_beat: int, meters: Sequence[Meter], end_ticks: int, chords: tuple[Chord, ...] = ()
    ) -> Timeline:
        """The bars that `meters` (the first at tick 0) lay down until `end_ticks` is covered.

        Raises ScoreError beyond a million bars.
        """
        pieces: list[npt.NDArray[np.int64]] = [np.zeros((4, 0), np.int64)]
        count = 0
        for meter, following in zip(meters, [*meters[1:], None], strict=True):
            until = min(following.onset_ticks, end_ticks) if following else end_ticks
            if until <= meter.onset_ticks:
                continue
            numerator, denominator = meter.numerator, meter.denominator
            if 4 * numerator > MAX_BAR_BEATS * denominator:
                _, numerator, denominator = DEFAULT_METER
            bar = max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
            here = -(-(until - meter.onset_ticks) // bar)
            if (count := count + here) > MAX_BARS_OF_A_TIMELINE:
                raise ScoreError(
                    f"{count} bars at {ticks_per_beat} ticks a beat, must be at most {MAX_BARS_OF_A_TIMELINE}"
                )
            # a bar of 7/64 at 24 ticks a beat is 10.5 ticks: the edges are rounded down, each by itself
            edges = meter.onset_ticks + np.arange(here + 1, dtype=np.int64) * bar.numerator // bar.denominator
            if following:
                edges = np.minimum(edges, following.onset_ticks)
            over, under = np.full(here, numerator), np.full(here, denominator)
            pieces.append(np.stack([edges[:-1], np.diff(edges), over, under]))
        start, length, numerators, denominators = np.concatenate(pieces, axis=1)  # (4, bars)
        unknown = np.full(count, -1)
        return cls(ticks_per_beat, start, length, numerators, denominators, chords, unknown, unknown.copy())

    def __len__(self) -> int:
        return len(self.start_ticks)

    @property
    def likeness(self) -> Ticks:
        """The former name of `similarity`."""
        return self.similarity

    @property
    def end_ticks(self) -> int:
        """Where the last bar ends."""
        return int(self.start_ticks[-1] + self.length_ticks[-1]) if len(self) else 0

    def bar_of(self, ticks: npt.ArrayLike) -> Ticks:
        """The bar (from 0) in which each of `ticks` lies; places after the end are in the last bar."""
        return np.asarray(np.searchsorted(self.start_ticks, ticks, side="right") - 1)

    def with_returns(self, returns_to: npt.ArrayLike, similarity: npt.ArrayLike) -> Timeline:
        """These bars, each with the earlier bar that it returns to (-1: none) and how closely (0-3).

        Raises PlanError where a bar returns to a later one or to one of another length.
        """
        model, close = np.asarray(returns_to, np.int64), np.asarray(similarity, np.int64)
        for bar in np.flatnonzero(model >= 0).tolist():
            here, there = int(self.length_ticks[bar]), int(self.length_ticks[min(model[bar], bar)])
            if model[bar] >= bar or here != there:
                raise PlanError(
                    f"bar {bar + 1} of {here} ticks cannot return to bar {model[bar] + 1} of {there}, "
                    "must be an earlier one of equal length"
                )
        return replace(self, returns_to=model, similarity=close)

    def moved(self, ticks: npt.ArrayLike, onto: Timeline, inside: bool) -> Ticks:
        """The same places (bar, and ticks from its start) in the bars of `onto`, which has as many.

        With `inside` a place stays in its bar even where that bar is shorter there.
        """
        place = np.asarray(ticks, np.int64)
        if np.array_equal(self.start_ticks, onto.start_ticks) and np.array_equal(
            self.length_ticks, onto.length_ticks
        ):
            return place
        bar = self.bar_of(place)
        offset = place - self.start_ticks[bar]
        if inside:
            offset = np.minimum(offset, onto.length_ticks[bar] - 1)
        return np.asarray(onto.start_ticks[bar] + offset)
