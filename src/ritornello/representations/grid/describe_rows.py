"""Rows of `notes` as text, for `ritornello explain`: place, note, candidates, sketch, given notes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.sketch import CADENCE_NAMES
from ritornello.music.theory import chord_name, family, pitch_name
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.vocabulary import COLUMN, END, VOID, WAIT
from ritornello.representations.repetition.echo import CONTEXT_NOTES, LONGEST_CLASS

SIMILARITIES = ("none", "some", "most", "all")  # of `form.likeness`, for this bar; 3 more for the next bar


def explain(values: npt.NDArray[np.integer], bars: Sequence[str] = ()) -> list[str]:
    """Describe each row (N, F) in a line of text; each of `bars` is a line before the rows of that bar."""
    lines, first, shown = list[str](), 1, 0
    cells = [{name: row[column] for name, column in COLUMN.items()} for row in values.tolist()]
    for bar, cell in zip(_bar_numbers(cells), cells, strict=True):
        first = min(first, bar)  # 0 if there is a pickup
        lines += bars[shown : bar - first + 1]
        shown = max(shown, bar - first + 1)
        beat = 1 + cell["position"] / GRID
        columns = [f"bar {bar:3} beat {beat:6.3f}  {_chord(cell['chord']):<7} {_described_note(cell)}"]
        columns += [_echo(name, cell) for name in ("echo", "alone") if cell[f"{name}.shift"] != VOID["shift"]]
        columns += [_form(cell)] if cell["form.shift"] != VOID["shift"] else []
        lines.append("  |  ".join([*columns, *_sketch(cell), *_given(cell)]))
    return lines


def _bar_numbers(cells: list[dict[str, int]]) -> list[int]:
    """The number of the bar of each row: from 1, or from 0 if the song begins with a pickup."""
    bars, lengths = [], dict[int, int]()
    bar, before = 0, {"position": 0, "bar_length": vocabulary.MAX_BAR_TICKS + 1}
    for cell in cells:
        crosses_line = before["position"] + cell["shift"] >= before["bar_length"]
        bar += cell["position"] == 0 if cell["shift"] == WAIT else crosses_line and cell["shift"] != END
        before = cell
        bars.append(int(bar))
        lengths.setdefault(bars[-1], cell["bar_length"])
    second = lengths.get(1, 0)
    has_pickup = lengths.get(0, second) < second == lengths.get(2, second)
    return [bar + 1 - has_pickup for bar in bars]


def _described_note(cell: dict[str, int]) -> str:
    """Describe the note of a row, or WAIT or END."""
    if cell["shift"] in (WAIT, END):
        return "WAIT" if cell["shift"] == WAIT else "END"
    beats = vocabulary.DURATION_TICKS[cell["duration"]] / GRID
    velocity = vocabulary.velocity_of_class(cell["velocity"])
    unit = "beat" if beats == 1 else "beats"
    return f"{_note(cell['part'], cell['pitch'])} for {beats:.4g} {unit}, velocity {velocity}"


def _note(part: int, pitch: int) -> str:
    return f"drum {pitch}" if part == vocabulary.DRUM_PART else f"{_part(part)} {pitch_name(pitch)}"


def _part(part: int) -> str:
    if part == vocabulary.DRUM_PART:
        return "drums"
    program, instance = divmod(part, vocabulary.INSTANCES_PER_PROGRAM)
    return f"{family(program)} {program}.{instance + 1}"


def _chord(number: int) -> str:
    if number >= vocabulary.NO_CHORD:
        return "-" if number == vocabulary.NO_CHORD else "?"
    return chord_name(*vocabulary.chord_of_class(number))


def _guess(name: str, cell: dict[str, int]) -> str:
    part, pitch, shift = (cell[f"{name}.{choice}"] for choice in ("part", "pitch", "shift"))
    return f"{name}: {_note(part, pitch)} {_when(shift)}"


def _echo(name: str, cell: dict[str, int]) -> str:
    length, right = cell[f"{name}.length"], 2 ** cell[f"{name}.run"] - 1  # classes give the least number
    notes = f"{CONTEXT_NOTES[length - 1]}{'+' if length == LONGEST_CLASS else ''} notes match"
    return f"{_guess(name, cell)} ({notes}, {right}{'+' if right else ''} right in a row)"


def _form(cell: dict[str, int]) -> str:
    next_bar, similarity = divmod(cell["form.likeness"] - 1, 3)
    bar = "the next bar" if next_bar > 0 else "this bar"
    return f"{_guess('form', cell)} ({bar} repeats {SIMILARITIES[similarity + 1]} of an earlier one)"


def _sketch(cell: dict[str, int]) -> list[str]:
    """Return the row's fields of the sketch beyond the chord as text, without unknown ones."""
    items = []
    if cell["chord.next"] < vocabulary.NO_CHORD:
        items.append(f"{_chord(cell['chord.next'])} next")
    if 0 < (kind := cell["cadence.kind"]) < vocabulary.CADENCE_UNKNOWN:
        closing = cell["cadence.pitch"]
        note = f" on {pitch_name(60 + closing)[:-1]}" if closing < 12 else ""
        items.append(f"{CADENCE_NAMES[kind]} {_in_bars(cell['cadence.bars'])}{note}")
    if (left := cell["texture.left"]) < vocabulary.DENSITY_UNKNOWN:
        items.append(f"{_density(left)} to come in the bar")
    if cell["texture.part"] < VOID["part"]:
        items.append(f"due: {_part(cell['texture.part'])}")
    if cell["texture.register"] < vocabulary.PITCHES:
        items.append(f"about {pitch_name(cell['texture.register'])}")
    return [f"sketch: {', '.join(items)}"] if items else []


def _in_bars(bars: int) -> str:
    return f"in {bars} bar{'' if bars == 1 else 's'}" if bars else "in this bar"


def _density(number: int) -> str:
    """The number of notes of a class of density."""
    most = [*vocabulary.NOTES_OF_A_DENSITY.tolist(), None][number]
    first = most if number == 0 else int(vocabulary.NOTES_OF_A_DENSITY[number - 1]) + 1
    if most is None:
        return f"{first} or more notes"
    return f"{first}-{most} notes" if first != most else f"{most} note{'' if most == 1 else 's'}"


def _given(cell: dict[str, int]) -> list[str]:
    """Return the given pitches that sound, and when the next given note comes; [] without any."""
    low, top, shift = (cell[f"given.{name}"] for name in ("low", "top", "shift"))
    sounding = [pitch_name(pitch) for pitch in dict.fromkeys((low, top)) if pitch < vocabulary.PITCHES]
    following = [] if shift == VOID["shift"] else [f"next {_when(shift)}"]
    return [f"given: {', '.join([*sounding, *following])}"] if sounding or following else []


def _when(shift: int) -> str:
    return "after WAIT" if shift == WAIT else f"after {shift} ticks"
