"""Counting: how long a track lasts and how much changes in it, event by event, before a reader sees it."""

from __future__ import annotations

from typing import NamedTuple

from ritornello.midi.chunks import END_OF_TRACK, KEY, MARKER, METER, TEMPO

CHANGES = (MARKER, TEMPO, METER, KEY)


class EventCounts(NamedTuple):
    """How long a track lasts, and how many changes of tempo, meter and key and markers are in it."""

    ticks: int
    changes: int


def count_events(track: bytes) -> EventCounts:
    """Go through a track event by event, to its end or to where it breaks the format."""
    at, ticks, changes, status = 0, 0, 0, 0
    length = len(track)
    try:
        while at < length:
            byte = track[at]
            at += 1
            time = byte & 127
            for _ in range(3):
                if byte < 128:
                    break
                byte = track[at]
                at += 1
                time = time << 7 | byte & 127
            ticks += time
            byte = track[at]
            if byte < 0x80:  # running status: this is the event's first data byte
                at += 1 if 0xC0 <= status < 0xE0 else 2
            elif byte < 0xF0:
                status = byte
                at += 2 if 0xC0 <= byte < 0xE0 else 3
            else:
                kind = track[at + 1] if byte == 0xFF else -1
                at += 2 if byte == 0xFF else 1
                size = 0
                for _ in range(4):
                    part = track[at]
                    at += 1
                    size = size << 7 | part & 127
                    if part < 128:
                        break
                at += size
                changes += kind in CHANGES
                if kind == END_OF_TRACK:
                    break
    except IndexError:  # it is cut off: the reader will say so
        pass
    return EventCounts(ticks, changes)
