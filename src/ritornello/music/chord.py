"""The class Chord: a chord of a plan or a Score, from a tick on."""

from __future__ import annotations

from typing import NamedTuple

NO_BASS = -1  # the bass is the root of the chord
NO_CHORD_NAME = "N.C."  # the name of a time in which no chord sounds


class Chord(NamedTuple):
    """A chord from `onset_ticks` on: the pitch class of its root, 0-11, and a kind of theory.CHORD_KINDS.

    A chord of another kind has the nearest of these; `suffix` is then what follows the root in its name, and
    else "". `bass` is the pitch class below the chord, NO_BASS for the root.
    `text` is its name if the user wrote it in another way. With the suffix "N.C." no chord sounds.
    """

    onset_ticks: int
    root: int
    kind: str
    suffix: str = ""
    bass: int = NO_BASS
    text: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether no chord sounds (N.C.)."""
        return self.suffix == NO_CHORD_NAME

    def transposed(self, semitones: int) -> Chord:
        """Return the chord some semitones higher; its name is spelled again if it has letters."""
        if self.is_silent or semitones % 12 == 0:
            return self
        root = (self.root + semitones) % 12
        bass = self.bass if self.bass == NO_BASS else (self.bass + semitones) % 12
        is_numeral = self.text and self.text.lstrip("b#")[:1] in set("IViv1234567")
        return self._replace(root=root, bass=bass, text=self.text if is_numeral else "")
