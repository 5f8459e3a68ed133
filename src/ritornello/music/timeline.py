"""The class Timeline: the bars of a song, their meters, the chords, and which bars repeat earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ritornello.errors import PlanError, ScoreError
from ritornello.music.score import DEFAULT_METER, Chord, Meter, Score
from ritornello.music.sketch import Sketch

Ticks = npt.NDArray[np.int64]  # (N,) or (bars,)
MAX_BARS_OF_A_TIMELINE = 1_000_000  # weeks of music; a damaged file may ask for 2**31
MAX_BAR_BEATS = 16  # longer bars are errors; of 1,400 songs three have bars over 8 beats, none over 16


@dataclass(frozen=True)
class Timeline:
    """The bars of a song: columns (bars,) with one number for each bar, and the chords.

    A change of meter starts a new bar. The last bar has the last onset. A meter of more than MAX_BAR_BEATS
    counts as 4/4.
    """

    ticks_per_beat: int
    start_ticks: Ticks
    length_ticks: Ticks
    numerator: Ticks
    denominator: Ticks
    chords: tuple[Chord, ...] = ()
    returns_to: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    """The earlier bar that a bar repeats, -1 for none."""
    similarity: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    """How many notes of a bar repeat those of the earlier bar: 3 all, 2 most, 1 some, 0 none, -1 unknown."""
    sketch: Sketch | None = None
    """Phrases, motifs and texture; None if they are unknown."""

    @classmethod
    def of(cls, score: Score) -> Timeline:
        """Return the bars of `score`, in 4/4 until its first meter; none without notes.

        Raises ScoreError if there are more than a million.
        """
        meters = score.meters
        if not meters or meters[0].onset_ticks > 0:
            meters = (DEFAULT_METER, *meters)
        last_onset = int(score.onset_ticks[-1]) if len(score) else -1
        return cls.of_meters(score.ticks_per_beat, meters, last_onset + 1, score.chords)

    @classmethod
    def of_meters(
        cls, ticks_per_beat: int, meters: Sequence[Meter], end_ticks: int, chords: tuple[Chord, ...] = ()
    ) -> Timeline:
        """Return the bars from tick 0 to at least `end_ticks`; the first of `meters` begins at tick 0.

        Raises ScoreError if there are more than a million.
        """
        columns: list[npt.NDArray[np.int64]] = [np.zeros((4, 0), np.int64)]
        count = 0
        for meter, following in zip(meters, [*meters[1:], None], strict=True):
            until = min(following.onset_ticks, end_ticks) if following else end_ticks
            if until <= meter.onset_ticks:
                continue
            numerator, denominator = meter.numerator, meter.denominator
            if 4 * numerator > MAX_BAR_BEATS * denominator:
                _, numerator, denominator = DEFAULT_METER
            bar_ticks = max(Fraction(1), Fraction(4 * ticks_per_beat * numerator, denominator))
            bars = -(-(until - meter.onset_ticks) // bar_ticks)  # rounded up
            if (count := count + bars) > MAX_BARS_OF_A_TIMELINE:
                raise ScoreError(
                    f"{count} bars at {ticks_per_beat} ticks a beat: must be at most {MAX_BARS_OF_A_TIMELINE}"
                )
            # a bar of 7/64 at 24 ticks a beat has 10.5 ticks: each edge of a bar is rounded down
            edges = np.arange(bars + 1, dtype=np.int64) * bar_ticks.numerator // bar_ticks.denominator
            edges += meter.onset_ticks
            if following:
                edges = np.minimum(edges, following.onset_ticks)
            meter_columns = np.full(bars, numerator), np.full(bars, denominator)
            columns.append(np.stack([edges[:-1], np.diff(edges), *meter_columns]))
        start, length, numerators, denominators = np.concatenate(columns, axis=1)  # (4, bars)
        unknown = np.full(count, -1)
        return cls(ticks_per_beat, start, length, numerators, denominators, chords, unknown, unknown.copy())

    def __len__(self) -> int:
        return len(self.start_ticks)

    @property
    def origins(self) -> Ticks:
        """For each bar (bars,) the first bar to which it returns, also through others, or the bar itself."""
        origins = np.arange(len(self))
        for bar in np.flatnonzero(self.returns_to >= 0).tolist():
            origins[bar] = origins[self.returns_to[bar]]
        return origins

    @property
    def end_ticks(self) -> int:
        """The tick at which the last bar ends."""
        return int(self.start_ticks[-1] + self.length_ticks[-1]) if len(self) else 0

    @property
    def pickup_bars(self) -> int:
        """1 if the first bar is a pickup, else 0.

        A pickup is at least a tick shorter than the next bar; that one, and the one after it, are full.
        """
        if len(self) < 2:
            return 0
        first, *others = self.length_ticks[:3].tolist()
        full = 4 * self.ticks_per_beat * int(self.numerator[1]) / int(self.denominator[1])
        return int(first <= full - 1 and all(abs(length - full) < 1 for length in others))

    @property
    def full_bars(self) -> int:
        """The number of bars without the pickup."""
        return len(self) - self.pickup_bars

    def number(self, bar: int) -> int:
        """Return the number of a bar (from 0) as people count: the first full one is 1, a pickup is 0."""
        return bar + 1 - self.pickup_bars

    def bar_of(self, ticks: npt.ArrayLike) -> Ticks:
        """Return the bar (N,), from 0, in which each of `ticks` (N,) lies; the last bar for later ticks."""
        return np.asarray(np.searchsorted(self.start_ticks, ticks, side="right") - 1)

    def with_returns(self, returns_to: npt.ArrayLike, similarity: npt.ArrayLike) -> Timeline:
        """Return these bars with other `returns_to` and `similarity`, (bars,) each.

        Raises PlanError if a bar returns to a later one or to one of another length.
        """
        targets = np.asarray(returns_to, np.int64)
        for bar in np.flatnonzero(targets >= 0).tolist():
            target = int(targets[bar])
            length, target_length = int(self.length_ticks[bar]), int(self.length_ticks[min(target, bar)])
            if target >= bar or length != target_length:
                raise PlanError(
                    f"bar {bar + 1} ({length} ticks) cannot repeat bar {target + 1} ({target_length} ticks): "
                    "must be an earlier bar of equal length"
                )
        return replace(self, returns_to=targets, similarity=np.asarray(similarity, np.int64))

    def moved(self, ticks: npt.ArrayLike, onto: Timeline, inside: bool) -> Ticks:
        """Return `ticks` (N,) moved to the same bar and offset in `onto`, which has as many bars.

        With `inside`, a tick stays in its bar even if that bar is shorter in `onto`.
        """
        ticks = np.asarray(ticks, np.int64)
        same_starts = np.array_equal(self.start_ticks, onto.start_ticks)
        if same_starts and np.array_equal(self.length_ticks, onto.length_ticks):
            return ticks
        bar = self.bar_of(ticks)
        offset = ticks - self.start_ticks[bar]
        if inside:
            offset = np.minimum(offset, onto.length_ticks[bar] - 1)
        return np.asarray(onto.start_ticks[bar] + offset)
