"""The class FileDetails: what a MIDI file has besides the music that a Score describes.

Only commands that write a song again read them. `midi.details` makes them, `midi.writing` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class DetailEvent(NamedTuple):
    """An event of a file: its tick, the number of its track, its port, and its bytes without the time."""

    onset_ticks: int
    track: int
    port: int
    data: bytes


class FileDetails(NamedTuple):
    """The details of a file.

    Each of `channels` is the track, port and channel (0-15) of the part with the same number; a part beyond
    them is new. `events` are controllers, bends, programs, pressure, texts, names, system exclusives and
    unknown events in the order of players. `encoded` has each name and marker that is not UTF-8, with its
    bytes.
    """

    channels: tuple[tuple[int, int, int], ...] = ()
    events: tuple[DetailEvent, ...] = ()
    encoded: tuple[tuple[str, bytes], ...] = ()

    def moved(self, move: Callable[[int], int]) -> FileDetails:
        """Return the details with each tick replaced by `move(tick)`."""
        return self._replace(events=tuple(e._replace(onset_ticks=move(e.onset_ticks)) for e in self.events))


NO_DETAILS = FileDetails()
