"""Counting: how long tracks last and how much changes in them, before a reader sees them.

Readers wrap ticks beyond 32 bits without a word. A bound that is cheap and never too low settles nearly all
files; where it does not, the events are counted one by one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ritornello.midi.chunks import END_OF_TRACK, KEY, MARKER, METER, TEMPO
from ritornello.score import MAX_TICKS

CHANGES = {MARKER, TEMPO, METER, KEY}


class Counted(NamedTuple):
    """How long a track lasts, and how many changes of tempo, meter and key and markers are in it."""

    ticks: int
    changes: int


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
    shifted = ((two, 14), (three, 21))
    coarse = bound + sum(127 * int(np.count_nonzero(in_a_row)) << shift for in_a_row, shift in shifted)
    if coarse <= MAX_TICKS:  # as in most files: no closer look is needed
        return coarse
    for in_a_row, shift in shifted:
        values = raw.take(in_a_row.nonzero()[0]) & 127
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
                changes += kind in CHANGES
                if kind == END_OF_TRACK:
                    break
    except IndexError:  # it is cut off: the reader will say so
        pass
    return Counted(ticks, changes)
