"""The class Chord: what a plan or a Score says of the harmony from a tick on."""

from __future__ import annotations

from typing import NamedTuple

NO_BASS = -1  # of a chord whose bass is its root
NO_CHORD_NAME = "N.C."  # of a stretch that has no chord


class Chord(NamedTuple):
    """From `onset_ticks` on, a chord sounds: the pitch class of its root, 0-11, and a theory.CHORD_KINDS.

    A chord that is not of these kinds has the nearest one; `suffix` is what really follows the root in its
    name, "" if it is that of the kind. `bass` is the pitch class below the chord, NO_BASS for the root.
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
        """Whether it says that no chord sounds."""
        return self.suffix == NO_CHORD_NAME

    def transposed(self, semitones: int) -> Chord:
        """Return the chord some semitones higher; a name with letters is spelled anew."""
        if self.is_silent or semitones % 12 == 0:
            return self
        root = (self.root + semitones) % 12
        bass = self.bass if self.bass == NO_BASS else (self.bass + semitones) % 12
        is_numeral = self.text and self.text.lstrip("b#")[:1] in set("IViv1234567")
        return self._replace(root=root, bass=bass, text=self.text if is_numeral else "")
