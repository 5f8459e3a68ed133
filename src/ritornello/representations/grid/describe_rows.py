"""Rows of `notes` in words: what the network reads, for people."""

from __future__ import annotations

from ritornello.music.plan import GRID
from ritornello.music.theory import CHORD_KINDS, chord_name, family, pitch_name
from ritornello.representations.grid import vocabulary
from ritornello.representations.grid.vocabulary import COLUMN, END, VOID, WAIT, Ints
from ritornello.representations.repetition.echo import LENGTHS

LIKENESS = (
    "",
    "some",
    "most",
    "all",
    "some of the next bar",
    "most of the next bar",
    "all of the next bar",
    "?",
)

CANDIDATES = {"echo": "echo of", "alone": "alone, of", "form": "form,"}


def explain(values: Ints) -> list[str]:
    """Each row (N, F) in words: where, what, and what the candidates guessed."""
    words, bar = [], 0
    before = {"position": 0, "bar_length": vocabulary.MAX_BAR_TICKS + 1}
    for row in values.tolist():
        cell = {name: row[column] for name, column in COLUMN.items()}
        goes_on = before["position"] + cell["shift"] >= before["bar_length"]
        bar += cell["position"] == 0 if cell["shift"] == WAIT else goes_on and cell["shift"] != END
        before = cell
        beat = 1 + cell["position"] / GRID
        said = [f"bar {bar + 1:3} beat {beat:6.3f}  {_chord(cell['chord']):<7} {_what(cell)}"]
        said += [_candidate(name, cell) for name in CANDIDATES if cell[f"{name}.shift"] != VOID["shift"]]
        words.append("  |  ".join([*said, *_given(cell)]))
    return words


def _what(cell: dict[str, int]) -> str:
    """What the row does."""
    if cell["shift"] in (WAIT, END):
        return "WAIT" if cell["shift"] == WAIT else "END"
    lasts = vocabulary.DURATION_TICKS[cell["duration"]] / GRID
    loud = vocabulary.velocity_of_class(cell["velocity"])
    return f"{_voice(cell['part'], cell['pitch'])} for {lasts:.4g} beats, velocity {loud}"


def _given(cell: dict[str, int]) -> list[str]:
    """What a row knows of the given notes beside it; nothing where there are none."""
    low, top, shift = (cell[f"given.{name}"] for name in ("low", "top", "shift"))
    sounds = [pitch_name(pitch) for pitch in dict.fromkeys((low, top)) if pitch < vocabulary.PITCHES]
    comes = [] if shift == VOID["shift"] else ["next after WAIT" if shift == WAIT else f"next +{shift}"]
    return [f"given: {', '.join([*sounds, *comes])}"] if sounds or comes else []


def _voice(part: int, pitch: int) -> str:
    """A part and its pitch."""
    if part == vocabulary.DRUM_PART:
        return f"drum {pitch}"
    program, instance = divmod(part, vocabulary.INSTANCES_PER_PROGRAM)
    return f"{family(program)} {program}.{instance + 1} {pitch_name(pitch)}"


def _chord(number: int) -> str:
    """A class of chords."""
    if number >= vocabulary.NO_CHORD:
        return "-" if number == vocabulary.NO_CHORD else "?"
    return chord_name(number // len(CHORD_KINDS), CHORD_KINDS[number % len(CHORD_KINDS)])


def _candidate(name: str, cell: dict[str, int]) -> str:
    """What a candidate guesses, and how far it is to be trusted."""
    shift = cell[f"{name}.shift"]
    moves = "WAIT, then" if shift == WAIT else f"+{shift}"
    if name == "form":
        trust = LIKENESS[cell["form.likeness"]]
    else:
        right = 2 ** cell[f"{name}.run"] - 1  # in a row, at least: the field is log2 of their number + 1
        trust = f"{LENGTHS[cell[f'{name}.length'] - 1]} notes, {right or 'not yet'} right"
    return f"{CANDIDATES[name]} {trust}: {moves} {_voice(cell[f'{name}.part'], cell[f'{name}.pitch'])}"
