"""What the songs that functions return have in common: Song, PerformedSong and ChangedSong.

Functions that take a song accept them besides a Score and the path of a song file. This module imports no
numpy, because `ritornello --help` imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ritornello.music.score import Score

MUST_BE_SONG = "must be the path of a song file, a Score, or a song that was composed, performed or changed"


@runtime_checkable
class MidiSong(Protocol):
    """A song with its MIDI file."""

    def to_bytes(self) -> bytes:
        """The song as a MIDI file."""
        ...

    def score_on_grid(self) -> Score | None:
        """The song on its grid, if it is performed and its grid is known."""
        ...
