"""The classes of the fields of `notes`: what number stands for what, both ways.

Times are in ticks, 24 a beat (`ritornello.music.plan.GRID`).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.score import Part, Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.music.timeline import MAX_BAR_BEATS
from ritornello.representations.table import Field

Ints = npt.NDArray[np.int64]

MAX_SHIFT = 191  # ticks: just under eight beats
WAIT = 192  # to the next bar line, at most 192 ticks
END = 193
SHIFTS = 194

INSTANCES_PER_PROGRAM = 4  # parts of one program that are told apart, by register
DRUM_PART = 128 * INSTANCES_PER_PROGRAM
PARTS = DRUM_PART + 1
PITCHES = 128
PART_PITCH_BITS = 17  # 513 parts x 128 pitches

DURATION_TICKS = np.array(
    [*range(1, 49), 54, 60, 66, 72, 84, 96, 108, 120, 144, 168, 192, 216, 240, 288, 336, 384], np.int64
)
VELOCITY_BINS = 32  # each of four steps
VELOCITY_BIN_WIDTH = 128 // VELOCITY_BINS

MAX_BAR_TICKS = MAX_BAR_BEATS * GRID  # the longest bar
MAX_BARS_LEFT = 63  # and more
BARS_LEFT_UNKNOWN = 64
NO_CHORD = 12 * len(CHORD_KINDS)
CHORD_UNKNOWN = NO_CHORD + 1
FORM_UNKNOWN = 7

NOTE_CHOICES = ("part", "pitch", "duration", "velocity")  # of a candidate, beside its shift
CHOICES = {
    "shift": SHIFTS,
    "part": PARTS,
    "pitch": PITCHES,
    "duration": len(DURATION_TICKS),
    "velocity": VELOCITY_BINS,
}


def _candidate(name: str, *about: Field) -> tuple[Field, ...]:
    """The fields of a candidate for the next row: what is said about it, then its guess of each choice."""
    guesses = (
        Field(f"{name}.{choice}", size + 1, "known", choice, unknown=size) for choice, size in CHOICES.items()
    )
    return (*about, *guesses)


def _choice(name: str, unit: str) -> Field:
    return Field(name, CHOICES[name], "choice", unit=unit)


def _echo(name: str) -> tuple[Field, ...]:
    """An echo and how far it is to be trusted."""
    return _candidate(
        name,
        Field(f"{name}.length", 5, "known", unit="none, 2, 4, 8, at least 16 notes matched", unknown=0),
        Field(f"{name}.run", 8, "known", unit="log2 of right guesses in a row + 1", unknown=0),
    )


FIELDS: tuple[Field, ...] = (
    *_echo("echo"),
    *_echo("alone"),
    *_candidate(
        "form",
        Field(
            "form.likeness", 8, "known", unit="none; some, most, all; of the next bar", unknown=FORM_UNKNOWN
        ),
    ),
    Field("given", 3, "known", unit="none to come; some at this onset, later"),
    Field("given.shift", SHIFTS + 1, "known", "shift", "ticks to the next given onset", unknown=SHIFTS),
    _choice("shift", "ticks, 24 a beat; WAIT; END"),
    Field("position", MAX_BAR_TICKS, "known", unit="ticks in the bar"),
    Field("bar_length", MAX_BAR_TICKS + 1, "known", unit="ticks"),
    Field("bars_left", MAX_BARS_LEFT + 2, "known", unit="63 and more; unknown", unknown=BARS_LEFT_UNKNOWN),
    Field("chord", CHORD_UNKNOWN + 1, "known", unit="root x kind; none; unknown", unknown=CHORD_UNKNOWN),
    Field("given.top", PITCHES + 1, "known", "pitch", "the highest given that sounds here", unknown=PITCHES),
    Field("given.low", PITCHES + 1, "known", unit="the lowest", unknown=PITCHES),
    Field("given.next", PITCHES + 1, "known", unit="the highest of the next onset given", unknown=PITCHES),
    _choice("part", "program x 4 + instance; drums"),
    _choice("pitch", "semitones"),
    _choice("duration", "1-48 ticks, then 54 to 384"),
    _choice("velocity", "steps of 4"),
)
COLUMN = {field.name: index for index, field in enumerate(FIELDS)}
VOID = {field.name: field.size for field in FIELDS if field.kind == "choice"}


def duration_class(ticks: npt.ArrayLike) -> Ints:
    """The nearest entry of DURATION_TICKS; halfway goes up, so that a note cut short again stays as it is."""
    middles = (DURATION_TICKS[1:] + DURATION_TICKS[:-1] + 1) // 2
    return np.asarray(np.searchsorted(middles, ticks, side="right"))


def velocity_class(velocity: npt.ArrayLike) -> Ints:
    """The bin 0-31 of a velocity 1-127."""
    return np.asarray(velocity, np.int64) // VELOCITY_BIN_WIDTH


def velocity_of_class(bins: npt.ArrayLike) -> Ints:
    """The velocity 2-126 in the middle of a bin."""
    return np.asarray(bins, np.int64) * VELOCITY_BIN_WIDTH + VELOCITY_BIN_WIDTH // 2


def bin_widths() -> dict[str, Ints]:
    """How many values of a source each class of a choice stands for: ticks up to 384, velocities 0-127."""
    widths = {name: np.ones(size, np.int64) for name, size in CHOICES.items()}
    widths["duration"] = np.bincount(duration_class(np.arange(1, DURATION_TICKS[-1] + 1)))
    widths["velocity"] = np.bincount(velocity_class(np.arange(128)))
    return widths


def chord_class(root: int, kind: str) -> int:
    """The class of a chord."""
    return root * len(CHORD_KINDS) + CHORD_KINDS.index(kind)


def part_classes(parts: tuple[Part, ...]) -> Ints:
    """The code of each part of a canonical song: instances of one program count up, drums are one."""
    seen: Counter[int] = Counter()
    codes = []
    for part in parts:
        codes.append(
            DRUM_PART
            if part.is_drum
            else part.program * INSTANCES_PER_PROGRAM + min(seen[part.program], INSTANCES_PER_PROGRAM - 1)
        )
        seen[part.program] += not part.is_drum
    return np.array(codes, np.int64)


def part_of_class(code: int) -> Part:
    """The part that a code stands for; names are not kept."""
    return Part("", 0, True) if code == DRUM_PART else Part("", code // INSTANCES_PER_PROGRAM, False)


def note_classes(song: Score) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Of the notes of a canonical song: onset in ticks, classes of the other choices in order; (N,) each."""
    return (
        song.onset_ticks.astype(np.int64),
        part_classes(song.parts)[song.part] if len(song) else np.zeros(0, np.int64),
        song.pitch.astype(np.int64),
        duration_class(song.duration_ticks),
        velocity_class(song.velocity),
    )
