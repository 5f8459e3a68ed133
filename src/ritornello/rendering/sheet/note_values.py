"""From lengths to written values: a stretch of a bar as notes or rests tied together, in triplets where
its beat has them; and how notes are joined by beams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ritornello.rendering.sheet.grid import UNITS, Meter

# units -> name of the value, dots
PLAIN = {192: ("breve", 0), 144: ("whole", 1), 96: ("whole", 0), 72: ("half", 1), 48: ("half", 0),
         36: ("quarter", 1), 24: ("quarter", 0), 18: ("eighth", 1), 12: ("eighth", 0), 9: ("16th", 1),
         6: ("16th", 0), 3: ("32nd", 0)}  # fmt: skip
# the last two only where a bar ends within a beat
TRIPLET = {
    16: ("quarter", 0),
    12: ("eighth", 1),
    8: ("eighth", 0),
    4: ("16th", 0),
    2: ("32nd", 0),
    1: ("64th", 0),
}
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
FINE = 3


class Value(NamedTuple):
    """A written value: its start in its bar and its length in units; its name, dots, and if in a triplet."""

    start: int
    length: int
    name: str
    dots: int
    triplet: bool


def triplet_windows(places: Sequence[int], window: int) -> set[int]:
    """Which windows of a bar a voice divides by three, by the places where its notes start and end."""
    return {place // window for place in places if place % 3}


def values(start: int, end: int, meter: Meter, triplets: set[int]) -> Iterator[Value]:
    """The values that fill a stretch of a bar, so that the beats can be seen."""
    while start < end:
        window = start // meter.window
        if window in triplets:
            room = min(end, (window + 1) * meter.window) - start
            length = max(length for length in TRIPLET if length <= room)
            yield Value(start, length, *TRIPLET[length], True)
        else:
            last = end // meter.window
            until = last * meter.window if end % meter.window and last in triplets else end
            length = max(v for v in PLAIN if v <= until - start and _fits(start, v, meter))
            yield Value(start, length, *PLAIN[length], False)
        start += length


def _fits(start: int, length: int, meter: Meter) -> bool:
    """Whether a value can stand at a place of the bar without hiding where its beats are."""
    inside = start % meter.beat
    if meter.beat > UNITS:
        whole_beats = inside == 0 and length % meter.beat == 0
        return length == FINE or whole_beats or inside + length <= meter.beat
    if length > meter.length:
        return False
    crosses_middle = meter.length == 96 and start < 48 < start + length
    if crosses_middle and inside:
        return False
    if length >= 48:
        return inside == 0
    if length in (24, 36):
        return inside % 12 == 0
    if length == 12:
        return inside % 6 == 0 and inside + length <= UNITS
    return inside + length <= UNITS and (length == FINE or inside % 12 + length <= 12 or length == 18)


def beams(notes: Sequence[Value | None], beat: int) -> list[list[str]]:
    """For each value of a voice in a bar (None for a rest) its beams from the outermost to the innermost.

    Those that are shorter than a quarter and lie in the same beat are joined.
    """
    flags = [FLAGS.get(note.name, 0) if note else 0 for note in notes]
    group = [note.start // beat if note else -1 for note in notes]
    result: list[list[str]] = []
    for index, count in enumerate(flags):
        before = flags[index - 1] if index and group[index - 1] == group[index] else 0
        after = flags[index + 1] if index + 1 < len(flags) and group[index + 1] == group[index] else 0
        if not (count and (before or after)):
            result.append([])
            continue
        result.append(
            [_beam(level, before >= level, after >= level, bool(after)) for level in range(1, count + 1)]
        )
    return result


def _beam(level: int, joins_before: bool, joins_after: bool, has_after: bool) -> str:
    if joins_before and joins_after:
        return "continue"
    if joins_before:
        return "end"
    if joins_after:
        return "begin"
    return "forward hook" if has_after else "backward hook"
