"""The groove of a song: the drum notes that each bar must have, because human drummers repeat patterns.

Human drummers play one pattern for many bars, and leave it at the ends of phrases. A network that draws notes
one by one seldom repeats a bar: in its game songs kick and snare of 26% of the bars are those of an earlier
bar, in human songs 73%. So it is drawn for each bar whether it repeats all drums of an earlier bar, or its
kick and snare, or nothing, as often as bars of the label do (`style_stats.StyleStats`). The earlier bar
follows from the form of the sketch. In some songs, as many as in the label, the snare plays on 2 and 4 in
bars of 4/4 that repeat nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from ritornello.composing.earlier_bars import EarlierBars
from ritornello.composing.request import Request
from ritornello.composing.sampling import habit_generator
from ritornello.music.plan import GRID
from ritornello.representations.grid.vocabulary import DRUM_PART, PITCHES

KICKS, SNARES = frozenset({35, 36}), frozenset({38, 40})  # General MIDI
KICKS_AND_SNARES = KICKS | SNARES
ALL_DRUMS, NO_DRUMS = frozenset(range(PITCHES)), frozenset[int]()
FEWEST_NOTES = 2  # a bar with fewer kicks and snares is not repeated
BACKBEATS = frozenset({(GRID, 38), (3 * GRID, 38)})  # a snare on 2 and on 4: (tick in the bar, pitch)
COMMON_TIME = (4, 4)


class DrumGroove:
    """The drums of a request bar by bar, and the notes that were composed of them."""

    def __init__(self, request: Request, bar_starts: list[int]) -> None:
        """`bar_starts` (bars,) are ticks."""
        timeline, style = request.timeline, request.style
        self._bars = EarlierBars(request, bar_starts)
        self._meters = list(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
        draw = habit_generator(request.seed, request.song, "drums")
        self._has_backbeats = bool(draw.random() < style.backbeats)
        draws = draw.random(len(bar_starts)).tolist()
        self._repeated = [
            ALL_DRUMS if number < style.loops else KICKS_AND_SNARES if number < style.grooves else NO_DRUMS
            for number in draws
        ]
        """For each bar the pitches whose notes it repeats from an earlier bar."""
        self._origins: dict[int, int] = {}  # by bar: the one that it repeats; -1: none
        self._played: dict[int, set[tuple[int, int]]] = {}  # by bar: (tick in the bar, pitch)
        self._final: dict[int, dict[int, list[int]]] = {}  # the values of `_required` that cannot change
        self._last = -1, -1  # onset and pitch of the last drum note

    @classmethod
    def of(cls, request: Request, bar_starts: list[int]) -> DrumGroove | None:
        """Return the groove of a request; None without drums, and for takes that must differ from others."""
        style = request.style
        has_habits = max(style.grooves, style.loops, style.backbeats) > 0
        if not has_habits or DRUM_PART not in (request.parts or ()) or request.avoided:
            return None
        return cls(request, bar_starts)

    def add(self, onset: int, pitch: int) -> None:
        """Read a new drum note (ticks), which comes after all others."""
        bar = self._bars.bar_of(onset)
        self._played.setdefault(bar, set()).add((onset - self._bars.start_ticks[bar], pitch))
        self._last = onset, pitch

    def fixed_pitches(self, tick: int) -> frozenset[int]:
        """Return the pitches that play no other than the required notes in the bar of a tick."""
        bar = self._bars.bar_of(tick)
        return self._repeated[bar] if self._origin(bar) >= 0 else NO_DRUMS

    def due(self, tick: int) -> list[int]:
        """Return the pitches, ascending, that must still be struck at a tick."""
        bar = self._bars.bar_of(tick)
        offset = tick - self._bars.start_ticks[bar]
        pitches = self._required(bar, bar).get(offset)
        if not pitches:
            return []
        played = self._played.get(bar, ())
        least = self._last[1] if self._last[0] == tick else -1  # pitches of an onset are in ascending order
        return [pitch for pitch in pitches if pitch > least and (offset, pitch) not in played]

    def next_tick(self, tick: int) -> int:
        """Return the first tick after a tick, up to the end of the next bar, that requires drums; else -1."""
        for bar in range(first := self._bars.bar_of(tick), min(first + 2, len(self._bars))):
            start = self._bars.start_ticks[bar]
            later = (start + offset for offset in self._required(bar, first) if start + offset > tick)
            if (following := min(later, default=-1)) >= 0:
                return following
        return -1

    def _required(self, bar: int, present_bar: int) -> dict[int, list[int]]:
        """Return the notes that the drums of a bar must play: by tick in the bar the pitches, ascending.

        They cannot change after the bar before is complete.
        """
        if bar in self._final:
            return self._final[bar]
        required: dict[int, list[int]] = {}
        for offset, pitch in sorted(self._notes_to_repeat(bar)):
            required.setdefault(offset, []).append(pitch)
        if bar <= present_bar:
            self._final[bar] = required
        return required

    def _notes_to_repeat(self, bar: int) -> Iterable[tuple[int, int]]:
        """Return the drum notes (tick in the bar, pitch) that a bar must have."""
        if (origin := self._origin(bar)) >= 0:
            return (note for note in self._played[origin] if note[1] in self._repeated[bar])
        is_common = self._meters[bar] == COMMON_TIME and self._bars.length_ticks[bar] == 4 * GRID
        return BACKBEATS if self._has_backbeats and is_common else ()

    def _origin(self, bar: int) -> int:
        """Return the bar that a bar repeats, or -1. It is chosen in the first call."""
        if bar not in self._origins:
            self._origins[bar] = self._choose_origin(bar) if self._repeated[bar] else -1
        return self._origins[bar]

    def _choose_origin(self, bar: int) -> int:
        """Return an earlier bar with a pattern of kicks and snares, or -1."""
        for earlier in self._bars.before(bar):
            struck = [pitch for _, pitch in self._played.get(earlier, ()) if pitch in KICKS_AND_SNARES]
            if len(struck) >= FEWEST_NOTES:
                first = self._origins.get(earlier, -1)  # a copy of it may have additional notes
                return first if first >= 0 and self._repeated[bar] <= self._repeated[earlier] else earlier
        return -1
