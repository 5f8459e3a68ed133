"""Split durations into note values that are tied together, and group values by beams."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ritornello.rendering.sheet.grid import UNITS, BarMeter

# units -> name of the note value, dots
PLAIN = {192: ("breve", 0), 144: ("whole", 1), 96: ("whole", 0), 72: ("half", 1), 48: ("half", 0),
         36: ("quarter", 1), 24: ("quarter", 0), 18: ("eighth", 1), 12: ("eighth", 0), 9: ("16th", 1),
         6: ("16th", 0), 3: ("32nd", 0)}  # fmt: skip
# the last two occur only if a bar ends within a beat
TRIPLET = {16: ("quarter", 0), 12: ("eighth", 1), 8: ("eighth", 0), 4: ("16th", 0), 2: ("32nd", 0),
           1: ("64th", 0)}  # fmt: skip
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
THIRTY_SECOND = 3  # units


class NoteValue(NamedTuple):
    """A note value; `start` (from the start of its bar) and `length` are in units."""

    start: int
    length: int
    name: str
    dots: int
    triplet: bool


def triplet_windows(positions: Sequence[int], window: int) -> set[int]:
    """The windows of a bar that a voice divides by three, given the starts and ends of its notes in units."""
    return {position // window for position in positions if position % 3}


def note_values(start: int, end: int, meter: BarMeter, triplets: set[int]) -> Iterator[NoteValue]:
    """The note values that fill a bar from `start` to `end` (units) and do not hide its beats.

    `triplets` are the windows that are divided by three.
    """
    while start < end:
        window = start // meter.window
        if window in triplets:
            rest = min(end, (window + 1) * meter.window) - start
            length = max(length for length in TRIPLET if length <= rest)
            yield NoteValue(start, length, *TRIPLET[length], True)
        else:
            last = end // meter.window
            until = last * meter.window if end % meter.window and last in triplets else end
            length = max(v for v in PLAIN if v <= until - start and _fits(start, v, meter))
            yield NoteValue(start, length, *PLAIN[length], False)
        start += length


def _fits(start: int, length: int, meter: BarMeter) -> bool:
    """Whether a note value at `start` of a bar leaves its beats visible."""
    inside = start % meter.beat
    if meter.beat > UNITS:
        whole_beats = inside == 0 and length % meter.beat == 0
        return length == THIRTY_SECOND or whole_beats or inside + length <= meter.beat
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
    return inside + length <= UNITS and (
        length == THIRTY_SECOND or inside % 12 + length <= 12 or length == 18
    )


def beams(notes: Sequence[NoteValue | None], beat: int) -> list[list[str]]:
    """For each note value of a voice in a bar (None: a rest) the types of its beams, from the outermost.

    Notes shorter than a quarter are joined within a beat of `beat` units.
    """
    flags = [FLAGS.get(note.name, 0) if note else 0 for note in notes]
    beats = [note.start // beat if note else -1 for note in notes]
    result: list[list[str]] = []
    for index, count in enumerate(flags):
        before = flags[index - 1] if index and beats[index - 1] == beats[index] else 0
        after = flags[index + 1] if index + 1 < len(flags) and beats[index + 1] == beats[index] else 0
        if not (count and (before or after)):
            result.append([])
            continue
        result.append([_beam(before >= level, after >= level, bool(after)) for level in range(1, count + 1)])
    return result


def _beam(joins_before: bool, joins_after: bool, has_after: bool) -> str:
    """The MusicXML type of one beam of a note."""
    if joins_before and joins_after:
        return "continue"
    if joins_before:
        return "end"
    if joins_after:
        return "begin"
    return "forward hook" if has_after else "backward hook"
