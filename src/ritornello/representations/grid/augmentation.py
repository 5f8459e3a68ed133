"""What training varies: rows in another key or louder, without encoding the song anew; notes given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.given_context import FIELDS as HEARD
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    NO_CHORD,
    PARTS,
    PITCHES,
    VELOCITY_BINS,
)

MOST_BARS = 16  # that are given in a row
SAID_BY = ("", "echo.", "alone.", "form.")  # a row says a note itself, and what the candidates guess


def transposition_range(values: npt.NDArray[Any]) -> tuple[int, int]:
    """By how many semitones rows (N, F) can go down (at most 0) and up (at least 0); drums do not count."""
    pitch = values[:, COLUMN["pitch"]][values[:, COLUMN["part"]] < DRUM_PART]
    return (-int(pitch.min()), PITCHES - 1 - int(pitch.max())) if len(pitch) else (0, 0)


def transposed(values: npt.NDArray[Any], semitones: int) -> npt.NDArray[Any]:
    """Rows (N, F) with every pitch but the drums' moved by `semitones` within `room`, and the chords too."""
    moved: npt.NDArray[Any] = values.copy()
    for who in SAID_BY:
        pitched = values[:, COLUMN[f"{who}part"]] < DRUM_PART
        moved[pitched, COLUMN[f"{who}pitch"]] += semitones
    for name in HEARD:
        heard = values[:, COLUMN[name]] < PITCHES
        moved[heard, COLUMN[name]] += semitones
    chord = values[:, COLUMN["chord"]]
    named = chord < NO_CHORD
    moved[named, COLUMN["chord"]] = (chord[named] + semitones * len(CHORD_KINDS)) % NO_CHORD
    return moved


def louder(values: npt.NDArray[Any], bins: int) -> npt.NDArray[Any]:
    """Rows (N, F) with every velocity moved by `bins` of four steps, at most to the end of the range."""
    moved: npt.NDArray[Any] = values.copy()
    for who in SAID_BY:
        said = values[:, COLUMN[f"{who}part"]] < PARTS
        column = COLUMN[f"{who}velocity"]
        moved[said, column] = np.clip(values[said, column] + bins, 0, VELOCITY_BINS - 1)
    return moved


def _highest(song: Score) -> int:
    """The part of the highest pitches, drums apart."""
    mean = [-1.0 if part.is_drum else song.pitch[song.part == n].mean() for n, part in enumerate(song.parts)]
    return int(np.argmax(mean))


def draw_given(song: Score, draw: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which notes (N,) of a canonical song are given: a part, all parts but one, or bars in a row.

    Each is as likely; the part is the highest, as a tune is, half of the time. Of a song of one part, or of
    one bar, what would be all of it is not given.
    """
    if not len(song):
        return np.zeros(0, bool)
    bars = Timeline.of(song).bar_of(song.onset_ticks)
    what = draw.random()
    if len(song.parts) > 1 and what < 2 / 3:
        part = _highest(song) if draw.random() < 0.5 else draw.integers(len(song.parts))
        one = np.asarray(song.part == part)
        return one if what < 1 / 3 else ~one
    first, count = draw.integers(bars[-1] + 1), draw.integers(1, MOST_BARS + 1)
    given = (bars >= first) & (bars < first + count)
    return np.asarray(~given if given.all() else given)
