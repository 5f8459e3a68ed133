"""Augmentation of training rows: another key, another loudness, and notes that are marked as given.

Key and loudness are changed in the rows themselves, so that a song is encoded only once.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.theory import CHORD_KINDS
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.given_context import GIVEN_PITCH_FIELDS
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, NO_CHORD, PITCHES, VOID

MAX_GIVEN_BARS = 16  # in a row
NOTES_OF_A_ROW = ("", "echo.", "alone.", "form.")  # prefixes of the fields: the note itself, the candidates


def transposition_range(values: npt.NDArray[Any]) -> tuple[int, int]:
    """By how many semitones rows (N, F) can go down (at most 0) and up (at least 0); drums do not count."""
    pitch = values[:, COLUMN["pitch"]][values[:, COLUMN["part"]] < DRUM_PART]
    return (-int(pitch.min()), PITCHES - 1 - int(pitch.max())) if len(pitch) else (0, 0)


def augmented(values: npt.NDArray[Any], semitones: int, bins: int) -> npt.NDArray[Any]:
    """Rows (N, F) moved by semitones, within `transposition_range`, and by bins of velocity (4 of 0-127)."""
    return louder(transposed(values, semitones), bins)


def transposed(values: npt.NDArray[Any], semitones: int) -> npt.NDArray[Any]:
    """Rows (N, F) with all pitches and chords moved by `semitones`, except drums."""
    moved: npt.NDArray[Any] = values.copy()
    for prefix in NOTES_OF_A_ROW:
        pitched = values[:, COLUMN[f"{prefix}part"]] < DRUM_PART
        moved[pitched, COLUMN[f"{prefix}pitch"]] += semitones
    for name in GIVEN_PITCH_FIELDS:
        pitched = values[:, COLUMN[name]] < PITCHES
        moved[pitched, COLUMN[name]] += semitones
    planned = (values[:, COLUMN["part"]] < DRUM_PART) & (values[:, COLUMN["texture.register"]] < PITCHES)
    register = COLUMN["texture.register"]
    moved[planned, register] = np.clip(values[planned, register] + semitones, 0, PITCHES - 1)
    for column in (COLUMN["chord"], COLUMN["chord.next"]):
        named = values[:, column] < NO_CHORD
        moved[named, column] = (values[named, column] + semitones * len(CHORD_KINDS)) % NO_CHORD
    closing = COLUMN["cadence.pitch"]
    named = values[:, closing] < 12
    moved[named, closing] = (values[named, closing] + semitones) % 12
    return moved


def louder(values: npt.NDArray[Any], bins: int) -> npt.NDArray[Any]:
    """Rows (N, F) with all velocities moved by `bins`, clipped to 0-31."""
    moved: npt.NDArray[Any] = values.copy()
    for prefix in NOTES_OF_A_ROW:
        is_note = values[:, COLUMN[f"{prefix}part"]] < VOID["part"]
        column = COLUMN[f"{prefix}velocity"]
        moved[is_note, column] = np.clip(values[is_note, column] + bins, 0, VOID["velocity"] - 1)
    return moved


def draw_given(song: Score, draw: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw which notes (N,) of a canonical song are given: a part, all parts but one, or 1-16 bars in a row.

    The three are equally likely. The part is the highest one, as a melody is, half of the time. In a song of
    one part, bars are drawn; where they would be the whole song, nothing is given.
    """
    if not len(song):
        return np.zeros(0, bool)
    bars = Timeline.of(song).bar_of(song.onset_ticks)
    kind = draw.random()
    if len(song.parts) > 1 and kind < 2 / 3:
        part = _highest_part(song) if draw.random() < 0.5 else draw.integers(len(song.parts))
        of_part = np.asarray(song.part == part)
        return of_part if kind < 1 / 3 else ~of_part
    first, count = draw.integers(bars[-1] + 1), draw.integers(1, MAX_GIVEN_BARS + 1)
    given = (bars >= first) & (bars < first + count)
    return np.asarray(~given if given.all() else given)


def _highest_part(song: Score) -> int:
    """The part with the highest mean pitch, drums apart."""
    mean = [-1.0 if part.is_drum else song.pitch[song.part == n].mean() for n, part in enumerate(song.parts)]
    return int(np.argmax(mean))
