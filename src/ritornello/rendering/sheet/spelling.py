"""Spell pitches in a key, estimate the key if it is not given, and decide which accidentals are written."""

from typing import NamedTuple

import numpy as np

from ritornello.music.key_estimate import estimate_key
from ritornello.music.score import KeySignature, Score
from ritornello.rendering.sheet.grid import SheetBars

FIFTHS = "FCGDAEB"  # the line of fifths without accidentals
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


class SpelledPitch(NamedTuple):
    """A pitch as it is written: ("B", -1, 4) is B flat 4."""

    step: str
    alter: int
    octave: int


def spell(pitch: int, sharps: int) -> SpelledPitch:
    """The spelling of a MIDI pitch in a key signature of `sharps` (negative: flats).

    In C major names are from E flat to G sharp; in other keys this range is moved along the line of fifths.

    >>> spell(66, -5)
    SpelledPitch(step='G', alter=-1, octave=4)
    """
    lowest = sharps - 3  # on the line of fifths, where C is 0 and F is -1; E flat in C major
    fifths = lowest + (7 * pitch - lowest) % 12
    alter = (fifths + 1) // 7
    return SpelledPitch(FIFTHS[(fifths + 1) % 7], alter, (pitch - alter) // 12 - 1)


def bar_keys(score: Score, bars: SheetBars) -> list[KeySignature]:
    """The key of every bar: from the score, or one estimated from all notes if the score has none."""
    if score.keys:
        keys = [score.keys[0]] * len(bars)
        for key in score.keys:
            bar = int(bars.timeline.bar_of(min(key.onset_ticks, bars.timeline.end_ticks - 1)))
            keys[max(0, bar) :] = [key] * (len(bars) - max(0, bar))
        return keys
    pitched = ~score.of_drums
    weights = np.bincount(score.pitch[pitched] % 12, score.duration_ticks[pitched], 12).astype(np.float64)
    return [KeySignature(0, *estimate_key(weights))] * len(bars)


class Accidentals:
    """The accidentals in force on a staff in a bar; `needed` says which one a note needs."""

    def __init__(self, sharps: int) -> None:
        in_key = FIFTHS[:sharps] if sharps > 0 else FIFTHS[sharps:] if sharps < 0 else ""
        self._key = dict.fromkeys(in_key, 1 if sharps > 0 else -1)
        self._bar: dict[tuple[str, int], int] = {}

    def needed(self, note: SpelledPitch) -> str | None:
        """The name of the accidental to write before a note, or None; it is in force from then on."""
        position = (note.step, note.octave)
        if self._bar.get(position, self._key.get(note.step, 0)) == note.alter:
            return None
        self._bar[position] = note.alter
        return ACCIDENTALS[note.alter]
