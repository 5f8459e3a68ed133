"""The class Chord: a chord of a plan or a Score, from a tick on."""

from __future__ import annotations

from typing import NamedTuple

NO_BASS = -1  # the bass is the root of the chord
NO_CHORD_NAME = "N.C."  # the name of a time in which no chord sounds


class Chord(NamedTuple):
    """A chord from `onset_ticks` on: the pitch class of its root, 0-11, and a kind of theory.CHORD_KINDS.

    A chord that none of these kinds describes has the nearest one, and `suffix` is the part of its name after
    the root, such as "m7b9"; for other chords `suffix` is "". The suffix "N.C." means that no chord sounds.
    `bass` is the pitch class of the bass note of a slash chord, NO_BASS of others. `text` is the name that
    the user wrote, if `chord_names.letter_name` gives another one.
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
