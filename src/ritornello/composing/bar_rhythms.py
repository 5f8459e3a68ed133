"""The rhythms of a song's bars: which bars must have the onsets of an earlier one.

People keep a rhythm, such as an accompaniment in sixteenths, over many bars: 64% of the bars of their piano
pieces have the onsets of an earlier bar. Of the bars that a network composes alone, 39% do. So while a song
has fewer such bars than songs of its label, a random number decides whether the next bar repeats a rhythm.
Which one it repeats follows from the form of the sketch.
"""

from __future__ import annotations

from ritornello.composing.earlier_bars import EarlierBars, is_as_dense, lacking_repeats
from ritornello.composing.request import Request
from ritornello.composing.sampling import habit_generator
from ritornello.representations.grid.vocabulary import DRUM_PART

FEWEST_ONSETS = 2  # a bar with fewer is not repeated


class BarRhythms:
    """The onsets of each bar so far (ticks in the bar), and the bar whose onsets each bar must repeat."""

    def __init__(self, request: Request, bar_starts: list[int]) -> None:
        """`bar_starts` (bars,) are ticks."""
        sketch = request.plan.sketch
        self._share, self._bars = request.style.rhythms, EarlierBars(request, bar_starts)
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
        bar = self._bars.bar_of(onset)
        onsets = self._onsets.setdefault(bar, [])
        if not onsets or onsets[-1] < onset - self._bars.start_ticks[bar]:
            onsets.append(onset - self._bars.start_ticks[bar])

    def fixed_bars(self, tick: int) -> list[tuple[int, int, list[int]]]:
        """Return start, end and onsets (ticks) of the bar of a tick and the next, if they repeat a rhythm."""
        first, found = self._bars.bar_of(tick), []
        for bar in range(first, min(first + 2, len(self._bars))):
            if (origin := self._origin(bar)) >= 0:
                start = self._bars.start_ticks[bar]
                onsets = [start + offset for offset in self._onsets[origin]]
                found.append((start, start + self._bars.length_ticks[bar], onsets))
        return found

    def _origin(self, bar: int) -> int:
        """The bar that a bar repeats; -1 for none. It is chosen when it is first asked for."""
        if bar not in self._origins:
            self._origins[bar] = self._choose_origin(bar) if self._must_repeat(bar) else -1
        return self._origins[bar]

    def _must_repeat(self, bar: int) -> bool:
        """Whether a bar must repeat one: likelier the more repeats are lacking, never if it ends a phrase."""
        known = [number for number in sorted(self._onsets) if number < bar]
        rhythms = [(self._bars.length_ticks[number], *self._onsets[number]) for number in known]
        lacking = lacking_repeats(self._share, rhythms)
        return not self._bars.ends_phrase[bar] and self._draws[bar] < lacking

    def _choose_origin(self, bar: int) -> int:
        """Return an earlier bar with a rhythm, and with about as many planned notes, or -1."""
        for earlier in self._bars.before(bar):
            if len(self._onsets.get(earlier, ())) >= FEWEST_ONSETS and is_as_dense(
                self._planned, earlier, bar
            ):
                return earlier
        return -1
