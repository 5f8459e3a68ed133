"""The earlier bars that a bar may repeat, by the form of the plan."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Iterator, Sequence

from ritornello.composing.request import Request
from ritornello.music.sketch import CLOSED, END

MOST_TIMES_NOTES = 1.5  # a bar with more than this many times the planned notes of another does not repeat it


def is_as_dense(planned: Sequence[int], earlier: int, bar: int) -> bool:
    """Whether about as many notes are planned in both bars; `planned` (bars,) is empty without a plan."""
    if not planned:
        return True
    fewer, more = sorted((planned[earlier], planned[bar]))
    return more <= MOST_TIMES_NOTES * fewer


def lacking_repeats(share: float, bars: Collection[Hashable]) -> float:
    """Return how many of some bars lack to a share (0-1) of bars that are equal to an earlier one."""
    return share * len(bars) - (len(bars) - len(set(bars)))


class EarlierBars:
    """The bars of a request. Those that end a phrase are repeated only where the form says so."""

    def __init__(self, request: Request, bar_starts: list[int]) -> None:
        """`bar_starts` (bars,) are ticks."""
        timeline, sketch = request.timeline, request.plan.sketch
        self.start_ticks, self.length_ticks = bar_starts, timeline.length_ticks.tolist()
        self._returns_to = timeline.returns_to.tolist()
        cadences = sketch.cadences if sketch is not None else ()
        self.ends_phrase = [cadence in (CLOSED, END) for cadence in cadences] or [False] * len(bar_starts)
        """Whether each bar ends a phrase that is closed; False without a sketch."""

    def __len__(self) -> int:
        return len(self.start_ticks)

    def bar_of(self, tick: int) -> int:
        """Return the number of the bar in which a tick lies."""
        return bisect_right(self.start_ticks, tick) - 1

    def before(self, bar: int) -> Iterator[int]:
        """Yield the earlier bars that a bar may repeat: they are as long, and the most suitable comes first.

        It is the bar to which this one returns by the form. Then come the others, from the last to the first.
        """
        returns_to = self._returns_to[bar]
        others = (earlier for earlier in range(bar - 1, -1, -1) if not self.ends_phrase[earlier])
        for earlier in (*[returns_to] * (returns_to >= 0), *others):
            if self.length_ticks[earlier] == self.length_ticks[bar]:
                yield earlier
