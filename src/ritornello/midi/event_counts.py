"""The length of a track and the number of its changes and markers, counted without a reader."""

from __future__ import annotations

from typing import NamedTuple

from ritornello.midi.track_events import END_OF_TRACK, KEY, MARKER, METER, TEMPO

COUNTED_KINDS = (MARKER, TEMPO, METER, KEY)


class EventCounts(NamedTuple):
    """The length of a track in ticks, and its number of changes (of tempo, meter, key) and markers."""

    ticks: int
    changes: int


def count_events(track: bytes) -> EventCounts:
    """Count the events of a track up to its end. Unlike `chunks.events`, it accepts malformed events."""
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
            if byte < 0x80:  # running status: this is the first data byte
                at += 1 if 0xC0 <= status < 0xE0 else 2
            elif byte < 0xF0:
                status = byte
                at += 2 if 0xC0 <= byte < 0xE0 else 3
            else:
                kind = track[at + 1] if byte == 0xFF else -1
                at += 2 if byte == 0xFF else 1
                size = 0
                for _ in range(4):
                    byte = track[at]
                    at += 1
                    size = size << 7 | byte & 127
                    if byte < 128:
                        break
                at += size
                changes += kind in COUNTED_KINDS
                if kind == END_OF_TRACK:
                    break
    except IndexError:  # the track is cut off; the reader raises the error
        pass
    return EventCounts(ticks, changes)
