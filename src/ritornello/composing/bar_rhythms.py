"""The rhythms of a song's bars: which bars must have the onsets of an earlier one.

People keep a rhythm, such as an accompaniment in sixteenths, over many bars: in 64% of the bars of piano
pieces the onsets are those of an earlier bar. A network alone repeats those of 39%. So while a song has
repeated fewer of its bars than songs of its label do, it is drawn whether the next bar repeats one; which one
follows from the form of the sketch.
"""

from __future__ import annotations

from bisect import bisect_right

from ritornello.composing.request import Request
from ritornello.composing.sampling import habit_generator
from ritornello.music.sketch import CLOSED, END
from ritornello.representations.grid.vocabulary import DRUM_PART

FEWEST_ONSETS = 2  # of a bar that others repeat
MOST_TIMES_NOTES = 1.5  # as many notes are planned in a bar, or in its origin, as in the other


class BarRhythms:
    """The onsets of the bars of a request so far, in ticks of the bar, and what they must be."""

    def __init__(self, request: Request, bar_starts: list[int]) -> None:
        """`bar_starts` (bars,) are ticks."""
        timeline, sketch = request.timeline, request.plan.sketch
        self._share, self._bar_starts = request.style.rhythms, bar_starts
        self._lengths, self._returns_to = timeline.length_ticks.tolist(), timeline.returns_to.tolist()
        cadences = [*(sketch.cadences if sketch is not None else ())]
        self._ends_phrase = [cadence in (CLOSED, END) for cadence in cadences] or [False] * len(bar_starts)
        textures = sketch.textures if sketch is not None else ()
        self._planned = [sum(max(0, notes) for notes, _ in bar) for bar in zip(*textures, strict=True)]
        self._draws = habit_generator(request.seed, request.song, "rhythms").random(len(bar_starts)).tolist()
        self._onsets: dict[int, list[int]] = {}  # by bar, ascending
        self._origins: dict[int, int] = {}  # by bar: the one that it repeats; -1: none

    @classmethod
    def of(cls, request: Request, bar_starts: list[int]) -> BarRhythms | None:
        """Return the rhythms of a request; None with drums or given notes, and for takes that must differ."""
        if not request.style.rhythms or request.given is not None or request.avoided:
            return None
        return None if DRUM_PART in (request.parts or ()) else cls(request, bar_starts)

    def add(self, onset: int) -> None:
        """Read the onset (ticks) of a new note, which comes after all others."""
        bar = self._bar_of(onset)
        onsets = self._onsets.setdefault(bar, [])
        if not onsets or onsets[-1] < onset - self._bar_starts[bar]:
            onsets.append(onset - self._bar_starts[bar])

    def fixed_bars(self, tick: int) -> list[tuple[int, int, list[int]]]:
        """Return, of the bar of a tick and the next, those that repeat one: start, end and onsets (ticks)."""
        first, found = self._bar_of(tick), []
        for bar in range(first, min(first + 2, len(self._bar_starts))):
            if (origin := self._origin(bar)) >= 0:
                start = self._bar_starts[bar]
                onsets = [start + offset for offset in self._onsets[origin]]
                found.append((start, start + self._lengths[bar], onsets))
        return found

    def _bar_of(self, tick: int) -> int:
        return bisect_right(self._bar_starts, tick) - 1

    def _origin(self, bar: int) -> int:
        """The bar that a bar repeats; -1 for none. It is chosen when it is first asked for."""
        if bar not in self._origins:
            self._origins[bar] = self._choose_origin(bar) if self._must_repeat(bar) else -1
        return self._origins[bar]

    def _must_repeat(self, bar: int) -> bool:
        """Whether a bar must repeat one: likelier the more repeats are lacking, never if it ends a phrase."""
        known = [number for number in sorted(self._onsets) if number < bar]
        rhythms = {(self._lengths[number], *self._onsets[number]) for number in known}
        lacking = self._share * len(known) - (len(known) - len(rhythms))
        return not self._ends_phrase[bar] and self._draws[bar] < lacking

    def _choose_origin(self, bar: int) -> int:
        """The bar to which a bar returns, or the last one before it, if it may be repeated; else -1."""
        returns_to: int = self._returns_to[bar]
        before = [earlier for earlier in range(bar - 1, -1, -1) if not self._ends_phrase[earlier]]
        for earlier in [returns_to] * (returns_to >= 0) + before:
            has_onsets = len(self._onsets.get(earlier, ())) >= FEWEST_ONSETS
            if (
                has_onsets
                and self._lengths[earlier] == self._lengths[bar]
                and self._is_as_dense(earlier, bar)
            ):
                return earlier
        return -1

    def _is_as_dense(self, earlier: int, bar: int) -> bool:
        """Whether about as many notes are planned in both bars."""
        if not self._planned:
            return True
        fewer, more = sorted((self._planned[earlier], self._planned[bar]))
        return bool(more <= MOST_TIMES_NOTES * fewer)
