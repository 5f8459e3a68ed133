"""The patterns of the pitched parts of a band: in which bars a part plays what it played in an earlier bar.

Parts of a band repeat a pattern, such as a bass line or the rhythm of chords, over many bars: in people's
game music 81% of the bars of a part have the onsets of an earlier one, and 49% those of the bar before. In
game music that was composed without these patterns 40% and 10% did (`benchmarks/RESULTS.md`). So while a
part has fewer such bars than parts in songs of its label, a random number decides whether it repeats a
pattern in the next bar. Where both bars have the same chords, it repeats the pitches too, else only the
onsets. All parts share the random number of a bar, so they tend to repeat bars together. The drums have
rules of their own (`drum_groove`).
"""

from __future__ import annotations

from collections.abc import Collection

from ritornello.composing.earlier_bars import EarlierBars, is_as_dense, lacking_repeats
from ritornello.composing.request import Request
from ritornello.composing.sampling import habit_generator
from ritornello.representations.grid.texture import textures_by_part
from ritornello.representations.grid.vocabulary import DRUM_PART


class PartPatterns:
    """The notes of each pitched part (its class) in each bar so far, and the bars that it repeats."""

    def __init__(self, request: Request, bar_starts: list[int]) -> None:
        """`bar_starts` (bars,) are ticks."""
        sketch = request.plan.sketch
        self._share, self._bars = request.style.patterns, EarlierBars(request, bar_starts)
        textures = {} if sketch is None else textures_by_part(sketch)
        self._planned = {part: [max(0, notes) for notes, _ in bars] for part, bars in textures.items()}
        self._chords = _chords_of_bars(request, bar_starts)
        self._draws = habit_generator(request.seed, request.song, "rhythms").random(len(bar_starts)).tolist()
        self._notes: dict[int, dict[int, dict[int, list[int]]]] = {}
        """By part, bar and tick in the bar: the pitches, ascending."""
        self._origins: dict[tuple[int, int], int] = {}  # by part and bar: the one that it repeats; -1: none
        self._last = -1, -1, -1  # onset, part and pitch of the last note

    @classmethod
    def of(cls, request: Request, bar_starts: list[int]) -> PartPatterns | None:
        """Return the patterns of a band; None without drums, with given notes, for takes that must differ."""
        if not request.style.patterns or request.given is not None or request.avoided:
            return None
        return cls(request, bar_starts) if DRUM_PART in (request.parts or ()) else None

    def add(self, onset: int, part: int, pitch: int) -> None:
        """Read the onset (ticks), the part and the pitch of a new note, which comes after all others."""
        self._last = onset, part, pitch
        if part == DRUM_PART:
            return
        bar = self._bars.bar_of(onset)
        notes = self._notes.setdefault(part, {}).setdefault(bar, {})
        notes.setdefault(onset - self._bars.start_ticks[bar], []).append(pitch)

    def repeating(self, tick: int, parts: Collection[int]) -> list[int]:
        """Return the parts that repeat a pattern in the bar of a tick, in the order of `parts`."""
        bar = self._bars.bar_of(tick)
        return [part for part in parts if self._origin(part, bar) >= 0]

    def due(self, tick: int, parts: Collection[int]) -> list[int]:
        """Return the parts that must still play a note at a tick, in the order of `parts`."""
        return [part for part in parts if self._is_due(tick, part)]

    def next_tick(self, tick: int, parts: Collection[int]) -> int:
        """Return the next tick at which a part is due, in the bar of `tick + 1`; -1 if there is none."""
        if (bar := self._bars.bar_of(tick + 1)) >= len(self._bars):
            return -1
        start = self._bars.start_ticks[bar]
        later = (start + at for part in parts for at in self._repeated(part, bar) if start + at > tick)
        return min(later, default=-1)

    def due_pitches(self, tick: int, part: int) -> list[int]:
        """Return the pitches that a part must still play at a tick, ascending; [] if it may play any."""
        bar = self._bars.bar_of(tick)
        origin = self._origin(part, bar)
        if origin < 0 or self._chords[origin] != self._chords[bar]:
            return []
        pitches = self._notes[part][origin].get(tick - self._bars.start_ticks[bar], [])
        least = self._last[2] if self._last[:2] == (tick, part) else -1
        return [pitch for pitch in pitches if pitch > least]

    def _is_due(self, tick: int, part: int) -> bool:
        """Whether a part must still play a note at a tick. The notes of an onset ascend by part and pitch."""
        bar = self._bars.bar_of(tick)
        if tick - self._bars.start_ticks[bar] not in self._repeated(part, bar):
            return False
        last = self._last[1] if self._last[0] == tick else -1
        return part > last or (part == last and bool(self.due_pitches(tick, part)))

    def _repeated(self, part: int, bar: int) -> dict[int, list[int]]:
        """The notes that a part repeats in a bar, by tick in the bar; none if it repeats no pattern."""
        origin = self._origin(part, bar)
        return self._notes[part][origin] if origin >= 0 else {}

    def _origin(self, part: int, bar: int) -> int:
        """The bar that a part repeats in a bar; -1 for none. It is chosen when it is first asked for."""
        key = part, bar
        if key not in self._origins:
            self._origins[key] = self._choose_origin(part, bar) if self._must_repeat(part, bar) else -1
        return self._origins[key]

    def _must_repeat(self, part: int, bar: int) -> bool:
        """Whether a part must repeat a bar: likelier the more repeats it lacks, never in the last bar."""
        notes = self._notes.get(part, {})
        rhythms = [(self._bars.length_ticks[number], *notes[number]) for number in notes if number < bar]
        return bar < len(self._bars) - 1 and self._draws[bar] < lacking_repeats(self._share, rhythms)

    def _choose_origin(self, part: int, bar: int) -> int:
        """Return an earlier bar in which a part plays, with about as many planned notes, or -1.

        One with the same chords comes first.
        """
        notes, planned = self._notes[part], self._planned.get(part, [])
        possible = [
            other for other in self._bars.before(bar) if other in notes and is_as_dense(planned, other, bar)
        ]
        same = [other for other in possible if self._chords[other] == self._chords[bar]]
        return next(iter(same or possible), -1)


def _chords_of_bars(request: Request, bar_starts: list[int]) -> list[tuple[tuple[int, int, str], ...]]:
    """Return for each bar its planned chords: tick in the bar, root and kind; the first one sounds at 0."""
    found: list[tuple[tuple[int, int, str], ...]] = []
    chords, lengths = request.plan.chords, request.timeline.length_ticks.tolist()
    index, sounding = 0, (-1, "")
    for start, length in zip(bar_starts, lengths, strict=True):
        of_bar = [(0, *sounding)]
        while index < len(chords) and chords[index].onset_ticks < start + length:
            sounding = chords[index].root, chords[index].kind
            at = max(0, chords[index].onset_ticks - start)
            of_bar = [*(chord for chord in of_bar if chord[0] < at), (at, *sounding)]
            index += 1
        found.append(tuple(of_bar))
    return found
