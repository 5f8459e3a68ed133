"""The class FileDetails: the content of a MIDI file that a Score does not describe.

Only commands that write a song again need it. `midi.details` reads it, `midi.writing` writes it.
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
    """The details of a file."""

    channels: tuple[tuple[int, int, int], ...] = ()
    """For each part of the file its track, port and channel (0-15); later parts of a Score are new."""
    events: tuple[DetailEvent, ...] = ()
    """Controllers, bends, programs, pressure, texts, names, system exclusives and unknown events, in the
    order in which they are played."""
    encoded: tuple[tuple[str, bytes], ...] = ()
    """Names and markers that are not UTF-8, with their bytes."""

    def moved(self, move: Callable[[int], int]) -> FileDetails:
        """Return the details with each tick replaced by `move(tick)`."""
        return self._replace(events=tuple(e._replace(onset_ticks=move(e.onset_ticks)) for e in self.events))


NO_DETAILS = FileDetails()
