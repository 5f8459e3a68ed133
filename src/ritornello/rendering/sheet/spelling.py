"""How a pitch is spelled in a key, and which accidentals have to be written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ritornello.music.score import KeySignature, Score
from ritornello.music.theory import estimate_key
from ritornello.rendering.sheet.grid import Bars

FIFTHS = "FCGDAEB"
SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


class Spelled(NamedTuple):
    """A pitch as it is written: B flat 4 is ("B", -1, 4)."""

    step: str
    alter: int
    octave: int


def spell(pitch: int, sharps: int) -> Spelled:
    """The spelling of a pitch in a key signature.

    In C major one of the names from E flat to G sharp; in other keys those, moved along the line of fifths.

    >>> spell(66, -5)
    Spelled(step='G', alter=-1, octave=4)
    """
    lowest = sharps - 3  # E flat in C major, where C is 0 and F -1
    place = lowest + (7 * pitch - lowest) % 12
    alter = (place + 1) // 7
    return Spelled(FIFTHS[(place + 1) % 7], alter, (pitch - alter) // 12 - 1)


def keys(score: Score, bars: Bars) -> list[KeySignature]:
    """The key of every bar: what the song says, else one that is estimated from all its notes."""
    if score.keys:
        found = [score.keys[0]] * len(bars)
        for key in score.keys:
            bar = int(bars.timeline.bar_of(min(key.onset_ticks, bars.timeline.end_ticks - 1)))
            found[max(0, bar) :] = [key] * (len(bars) - max(0, bar))
        return found
    pitched = ~score.of_drums
    weights = np.bincount(score.pitch[pitched] % 12, score.duration_ticks[pitched], 12).astype(np.float64)
    return [KeySignature(0, *estimate_key(weights))] * len(bars)


class Accidentals:
    """The accidentals of a staff in a bar: which are in force, so that only the others are written."""

    def __init__(self, sharps: int) -> None:
        in_key = FIFTHS[:sharps] if sharps > 0 else FIFTHS[sharps:] if sharps < 0 else ""
        self._key = dict.fromkeys(in_key, 1 if sharps > 0 else -1)
        self._bar: dict[tuple[str, int], int] = {}

    def needed(self, note: Spelled) -> str | None:
        """The name of the accidental that has to stand before a note; it is in force from then on."""
        place = (note.step, note.octave)
        if self._bar.get(place, self._key.get(note.step, 0)) == note.alter:
            return None
        self._bar[place] = note.alter
        return SIGNS[note.alter]
