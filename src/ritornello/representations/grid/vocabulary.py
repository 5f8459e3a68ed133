"""The vocabulary of `notes`: the table of its fields, and the meaning of the classes of each field.

Every value in a row is the number of a class. Times are in ticks, 24 a beat (`ritornello.music.plan.GRID`).
Encoder, decoder, cursor, networks and `ritornello explain` use FIELDS, the only description of the fields.
"""

from collections import Counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.score import Part, Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.music.timeline import MAX_BAR_BEATS
from ritornello.representations.table import Field

Ints = npt.NDArray[np.int64]  # of any shape; each user names it
IntOrInts = TypeVar("IntOrInts", int, Ints)

# classes of the field "shift": 0-191 are ticks, just under eight beats
MAX_SHIFT = 191
WAIT = 192  # to the next bar line, but at most 192 ticks
END = 193
SHIFTS = 194

INSTANCES_PER_PROGRAM = 4  # parts of one program that have classes of their own, by register
DRUM_PART = 128 * INSTANCES_PER_PROGRAM  # the class of the part that has all drums
PARTS = DRUM_PART + 1
PITCHES = 128
PART_PITCH_BITS = 17  # of a `part_pitch`: 513 parts x 128 pitches

DURATION_TICKS = np.array(
    [*range(1, 49), 54, 60, 66, 72, 84, 96, 108, 120, 144, 168, 192, 216, 240, 288, 336, 384], np.int64
)  # of each class
DURATIONS = len(DURATION_TICKS)
DURATION_UNIT = "{}-{} ticks, then {} to {}".format(*DURATION_TICKS[[0, 47, 48, -1]])
VELOCITY_BINS = 32  # must divide 128
VELOCITY_BIN_WIDTH = 128 // VELOCITY_BINS

MAX_BAR_TICKS = MAX_BAR_BEATS * GRID
MAX_BARS_LEFT = 63  # this class means 63 or more
BARS_LEFT_UNKNOWN = 64
NO_CHORD = 12 * len(CHORD_KINDS)
CHORD_UNKNOWN = NO_CHORD + 1
CHORD_UNTIL_TICKS = np.array([12, 24, 48, 72, 96, 144, 192], np.int64)  # upper limits of all classes but one
NO_CHORD_TO_COME = len(CHORD_UNTIL_TICKS) + 1
CHORD_UNTIL_UNKNOWN = NO_CHORD_TO_COME + 1
CADENCE_UNKNOWN = 4  # after NO_CADENCE, OPEN, CLOSED, END of `music.sketch`
MAX_CADENCE_BARS = 15  # this class means 15 or more
CADENCE_BARS_UNKNOWN = 16
CLOSING_TICKS = 6  # the time until the closing note is in classes of so many ticks, rounded up
MAX_CLOSING = 32  # this class means two bars of 4/4 or more
CLOSING_IS_PAST, CLOSING_UNKNOWN = MAX_CLOSING + 1, MAX_CLOSING + 2
FORM_UNKNOWN = 7
NOTES_OF_A_DENSITY = np.array(
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 24], np.int64
)  # upper limits of all classes but the last
DENSITY_UNKNOWN = len(NOTES_OF_A_DENSITY) + 1
DENSITY_UNIT = "0, 1, 2, 3, 4, to 6, 8, 12, 16, 24, more; unknown"

# For each choice, in the order of a row: its size, which is also the class of void
VOID = {"shift": SHIFTS, "part": PARTS, "pitch": PITCHES, "duration": DURATIONS, "velocity": VELOCITY_BINS}


def _known(name: str, size: int, unit: str, unknown: int | None = None, guesses: str | None = None) -> Field:
    return Field(name, size, "known", guesses, unit, unknown)


def _candidate(name: str, *trust: Field) -> tuple[Field, ...]:
    """Return the fields of a candidate: `trust` (how reliable it is), then a guess of each choice."""
    return (*trust, *(_known(f"{name}.{choice}", n + 1, "", n, choice) for choice, n in VOID.items()))


def _echo(name: str) -> tuple[Field, ...]:
    length = _known(f"{name}.length", 5, "notes matched: none, 2, 4, 8, at least 16", 0)
    return _candidate(name, length, _known(f"{name}.run", 8, "log2(1 + right guesses in a row)", 0))


# In the order in which they are computed or drawn; the last class of a known field that guesses is "no guess"
FIELDS: tuple[Field, ...] = (
    *_echo("echo"),
    *_echo("alone"),
    *_candidate("form", _known("form.likeness", 8, "none, some, most, all; next bar; unknown", FORM_UNKNOWN)),
    _known("given", 3, "given notes to come: none; the next at this onset; later"),
    _known("given.shift", SHIFTS + 1, "shift to the next given note", SHIFTS, "shift"),
    _known("texture.left", DENSITY_UNKNOWN + 1, "planned notes still to come in the bar", DENSITY_UNKNOWN),
    Field("shift", SHIFTS, "choice", unit="ticks to the onset, 24 a beat; WAIT; END"),
    _known("position", MAX_BAR_TICKS, "ticks in the bar, of the onset"),
    _known("bar_length", MAX_BAR_TICKS + 1, "ticks"),
    _known("bars_left", MAX_BARS_LEFT + 2, "bars after this one; 63 and more; unknown", BARS_LEFT_UNKNOWN),
    _known("chord", CHORD_UNKNOWN + 1, "root x kind; none; unknown", CHORD_UNKNOWN),
    _known("chord.next", CHORD_UNKNOWN + 1, "the chord after it", CHORD_UNKNOWN),
    _known(
        "chord.until",
        CHORD_UNTIL_UNKNOWN + 1,
        "beats until then: to 1/2, 1, 2, 3, 4, 6, 8, more; none; unknown",
        CHORD_UNTIL_UNKNOWN,
    ),
    _known(
        "cadence.kind",
        CADENCE_UNKNOWN + 1,
        "next end of a phrase: none, open, closed, the song's; unknown",
        CADENCE_UNKNOWN,
    ),
    _known(
        "cadence.bars",
        CADENCE_BARS_UNKNOWN + 1,
        "bars until then; 15 and more; unknown",
        CADENCE_BARS_UNKNOWN,
    ),
    _known(
        "cadence.onset",
        CLOSING_UNKNOWN + 1,
        "sixteenths until the note on which the phrase closes; 32 and more; past; unknown",
        CLOSING_UNKNOWN,
    ),
    _known("cadence.pitch", 13, "its pitch class; unknown", 12),
    _known("given.top", PITCHES + 1, "the highest given pitch that sounds here", PITCHES, "pitch"),
    _known("given.low", PITCHES + 1, "the lowest", PITCHES),
    _known("given.next", PITCHES + 1, "the highest at the next given onset", PITCHES),
    _known("texture.part", PARTS + 1, "the part whose planned notes are due", PARTS, "part"),
    Field("part", PARTS, "choice", unit="program x 4 + instance; drums"),
    _known("texture.density", DENSITY_UNKNOWN + 1, DENSITY_UNIT, DENSITY_UNKNOWN),
    _known("texture.register", PITCHES + 1, "planned mean pitch of the part in the bar; unknown", PITCHES),
    Field("pitch", PITCHES, "choice", unit="semitones"),
    Field("duration", DURATIONS, "choice", unit=DURATION_UNIT),
    Field("velocity", VELOCITY_BINS, "choice", unit=f"bins of {VELOCITY_BIN_WIDTH} velocities"),
)
NOTE_CHOICES = tuple(VOID)[1:]  # the choices that make a note, after its shift
COLUMN = {field.name: index for index, field in enumerate(FIELDS)}


def part_pitch(part: IntOrInts, pitch: IntOrInts) -> IntOrInts:
    """A part and a pitch as one number (any shape), by which the notes of an onset are sorted."""
    return part * PITCHES + pitch


def note_key(onset_ticks: IntOrInts, part_pitch: IntOrInts) -> IntOrInts:
    """An onset and a `part_pitch` as one number (any shape), by which the notes of a song are sorted."""
    return (onset_ticks << PART_PITCH_BITS) + part_pitch


def duration_class(ticks: npt.ArrayLike) -> Ints:
    """The classes (any shape) of durations in ticks: the nearest entry of DURATION_TICKS.

    A duration halfway between two is rounded up, so that a note that is cut and encoded again stays the same.
    """
    middles = (DURATION_TICKS[1:] + DURATION_TICKS[:-1] + 1) // 2
    return np.asarray(np.searchsorted(middles, ticks, side="right"))


def velocity_class(velocity: npt.ArrayLike) -> Ints:
    """The bins (any shape) of velocities 0-127."""
    return np.asarray(velocity, np.int64) // VELOCITY_BIN_WIDTH


def velocity_of_class(bins: npt.ArrayLike) -> Ints:
    """The velocities (any shape) in the middle of bins."""
    return np.asarray(bins, np.int64) * VELOCITY_BIN_WIDTH + VELOCITY_BIN_WIDTH // 2


def bin_widths() -> dict[str, Ints]:
    """How many values of a MIDI file each class (size,) of a choice stands for.

    The values are ticks for durations and 0-127 for velocities; a class of another choice is one value.
    """
    widths = {name: np.ones(size, np.int64) for name, size in VOID.items()}
    widths["duration"] = np.bincount(duration_class(np.arange(1, DURATION_TICKS[-1] + 1)))
    widths["velocity"] = np.bincount(velocity_class(np.arange(128)))
    return widths


def chord_class(root: int, kind: str) -> int:
    """The class of a chord with a root 0-11 (C-B) and a kind of CHORD_KINDS."""
    return root * len(CHORD_KINDS) + CHORD_KINDS.index(kind)


def chord_of_class(number: int) -> tuple[int, str]:
    """The root and the kind of a class below NO_CHORD."""
    root, kind = divmod(number, len(CHORD_KINDS))
    return root, CHORD_KINDS[kind]


def part_classes(parts: tuple[Part, ...]) -> Ints:
    """The class of each part (parts,) of a canonical song: instances of one program are counted in order."""
    earlier: Counter[int] = Counter()
    classes = []
    for part in parts:
        instance = min(earlier[part.program], INSTANCES_PER_PROGRAM - 1)
        classes.append(DRUM_PART if part.is_drum else part.program * INSTANCES_PER_PROGRAM + instance)
        earlier[part.program] += not part.is_drum
    return np.array(classes, np.int64)


def part_of_class(number: int) -> Part:
    """The part that a class stands for, without a name."""
    return Part("", 0, True) if number == DRUM_PART else Part("", number // INSTANCES_PER_PROGRAM, False)


def note_classes(song: Score) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The notes of a canonical song: onsets in ticks, then the classes of NOTE_CHOICES; (N,) each."""
    return (
        song.onset_ticks.astype(np.int64),
        part_classes(song.parts)[song.part] if len(song) else np.zeros(0, np.int64),
        song.pitch.astype(np.int64),
        duration_class(song.duration_ticks),
        velocity_class(song.velocity),
    )
