"""TrackScan: what the bytes of tracks show without a walk through their events.

Readers wrap ticks beyond 32 bits without a word, and symusic reads on where an event is not what it says.
In nearly all files both can be ruled out from the bytes alone; the rest are gone through event by event.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.midi.chunks import END_OF_TRACK, HEARD, KEY, METER, TEMPO, variable_length
from ritornello.midi.event_counts import CHANGES
from ritornello.music.score_limits import MAX_TICKS

# Bytes of data, by kind, of the meta events of which symusic would read on into what follows.
LEAST_DATA = np.zeros(256, np.uint8)
LEAST_DATA[[TEMPO, METER, KEY]] = [HEARD[TEMPO], HEARD[METER], HEARD[KEY]]
IS_CHANGE = np.zeros(256, bool)  # by kind
IS_CHANGE[list(CHANGES)] = True
MAX_METER = 31  # the power of two of a meter's denominator that 32 bits hold

Bools = npt.NDArray[np.bool_]


class TrackScan(NamedTuple):
    """What may be in a track, or in several side by side: each is never too low, or never wrongly False."""

    ticks: int
    """What all times add up to, at the most."""
    changes: int
    """How many changes of tempo, meter and key and markers there are, at the most."""
    misleads: bool
    """Whether there may be what symusic misreads: a tempo, meter or key that is too short, a time of more
    than four bytes, an escape, or a status left out after a system exclusive. An escape begins with F7, and
    so does the second packet of a system exclusive; else F7 only ends one. Not looked for, because it would
    take a walk through every track: a status left out after a system message (F1 to FE), which has no place
    in a file anyway."""
    wraps: bool
    """Whether a time or the denominator of a meter may be beyond 32 bits."""


def scan_tracks(data: bytes) -> TrackScan:
    """Look at the events of a track, or of several side by side."""
    raw = np.frombuffer(data, np.uint8)
    high = raw >= 128
    ticks = _most_ticks(raw, high)
    places = (raw >= 0xF0).nonzero()[0]
    status = raw.take(places)
    meta = places[status == 0xFF]
    kind, size, last = (raw.take(meta + step, mode="clip") for step in (1, 2, 4))
    misleads = bool(np.logical_or.reduce(size < LEAST_DATA.take(kind))) or _goes_on(high)
    if not misleads and len(meta) < len(places):
        misleads = _exclusives_mislead(data, places[(status == 0xF0) | (status == 0xF7)].tolist())
    wraps = ticks > MAX_TICKS or bool(
        np.logical_or.reduce((kind == METER) & (size == 4) & (last > MAX_METER))
    )
    return TrackScan(ticks, int(np.count_nonzero(IS_CHANGE.take(kind))), misleads, wraps)


def _most_ticks(raw: npt.NDArray[np.uint8], one: Bools) -> int:
    """A bound on what times anywhere in these bytes can add up to: every byte is taken to be part of one.

    A time is at most four bytes of seven bits, all but the last with the highest bit set (`one`). So a byte
    counts at most its seven bits, times 2**7, 2**14, 2**21 where one, two, three such bytes stand in a row.
    """
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


def _goes_on(high: Bools) -> bool:
    """Whether there are four bytes in a row that say that a time goes on."""
    pairs = high[1:] & high[:-1]
    return bool(np.logical_or.reduce(pairs[2:] & pairs[:-2]))


def _exclusives_mislead(data: bytes, places: list[int]) -> bool:
    """Whether a status is left out after a system exclusive, or there is an escape, at one of `places`."""
    # the byte before a status is the last of a time
    begun = [place for place in places if place and data[place - 1] < 0x80]
    ends = [_exclusive_end(data, place) for place in begun if data[place] == 0xF0]
    return -1 in ends or not set(ends).issuperset(place for place in begun if data[place] == 0xF7)


def _exclusive_end(data: bytes, place: int) -> int:
    """The last byte of the system exclusive that begins at `place`, or `place` if there is none.

    Returns -1 where a status is left out after it.
    """
    length, start = variable_length(data, place + 1)
    end = start + length
    if data[end - 1 : end] != b"\xf7":
        return place  # a byte of a time, or a first packet
    _, at = variable_length(data, end)
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != bytes([END_OF_TRACK]):
        size, text = variable_length(data, at + 2)
        _, at = variable_length(data, text + size)
    return -1 if b"" < data[at : at + 1] < b"\x80" else end - 1
