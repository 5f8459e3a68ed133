"""Limits: what is refused before a reader sees it, because it would take too long or be read wrongly.

Readers wrap ticks beyond 32 bits without a word, and a million tempo events cost seconds and hundreds of
megabytes. Each limit is first tried with a bound that is cheap and never too low; only where that does not
settle it, the events are counted one by one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.chunks import split
from ritornello.score import MAX_TICKS

# Marker, tempo, meter, key: each begins with three bytes that always look the same (a marker's with two).
CHANGES = (b"\xff\x06", b"\xff\x51\x03", b"\xff\x58\x04", b"\xff\x59\x02")
KINDS = {0x06, 0x51, 0x58, 0x59}


class Counted(NamedTuple):
    """How long a track lasts, and how many changes of tempo, meter and key and markers are in it."""

    ticks: int
    changes: int


def over_limit(data: bytes, max_events: int) -> tuple[str, str] | None:
    """The fate of a MIDI file that is beyond a limit, and why; None where a reader may have it."""
    may_change = data.count(b"\xff") > max_events and sum(map(data.count, CHANGES)) > max_events
    if not may_change and most_ticks(data) <= MAX_TICKS:
        return None
    try:
        tracks = split(data).tracks
    except MidiError:  # the reader will say so too
        return None
    changes = 0
    for number, track in enumerate(tracks):
        if not may_change and most_ticks(track) <= MAX_TICKS:
            continue
        ticks, found = count(track)
        changes += found
        if ticks > MAX_TICKS:
            return "absurd ticks", f"track {number} lasts {ticks} ticks, at most {MAX_TICKS}"
    if changes > max_events:
        return "too many events", f"{changes} changes and markers, at most {max_events}"
    return None


def most_ticks(data: bytes) -> int:
    """A bound on what times anywhere in these bytes can add up to: every byte is taken to be part of one.

    A time is at most four bytes of seven bits, all but the last with the highest bit set. So a byte counts
    at most its seven bits, times 2**7, 2**14, 2**21 where one, two, three such bytes stand in a row.
    """
    raw = np.frombuffer(data, np.uint8)
    one = raw >= 128
    two = one[:-1] & one[1:]
    three = two[:-1] & one[2:]
    bound = 127 * (len(raw) + (int(np.count_nonzero(one)) << 7))
    for in_a_row, shift in ((two, 14), (three, 21)):
        values = raw[np.flatnonzero(in_a_row)] & 127
        bound += int(values.sum(dtype=np.int64)) << shift
    return bound


def count(track: bytes) -> Counted:
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
                changes += kind in KINDS
                if kind == 0x2F:
                    break
    except IndexError:  # it is cut off: the reader will say so
        pass
    return Counted(ticks, changes)
