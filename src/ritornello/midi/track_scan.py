"""Check quickly, from the bytes of tracks alone, whether a reader will read them correctly.

Readers let ticks beyond 32 bits wrap around without an error, and symusic reads past the end of some
malformed events. For nearly all files the bytes rule out both; only the other files are checked event by
event.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.midi.event_counts import COUNTED_KINDS
from ritornello.midi.track_events import (
    END_OF_TRACK,
    KEY,
    LEAST_DATA_BYTES,
    METER,
    TEMPO,
    read_variable_length,
)
from ritornello.music.score_limits import MAX_TICKS

# For each type of meta event: the least data bytes (symusic reads past the end of a shorter one), and whether
# it is counted
LEAST_META_BYTES = np.zeros(256, np.uint8)
LEAST_META_BYTES[[TEMPO, METER, KEY]] = [LEAST_DATA_BYTES[kind] for kind in (TEMPO, METER, KEY)]
IS_COUNTED = np.zeros(256, bool)
IS_COUNTED[list(COUNTED_KINDS)] = True
MAX_DENOMINATOR_POWER = 31  # a meter's denominator is 2 to this power; more does not fit in 32 bits

Mask = npt.NDArray[np.bool_]  # (N,)


class TrackScan(NamedTuple):
    """Upper bounds for a track, or several joined tracks: numbers are never too low, and flags never wrongly
    False."""

    max_ticks: int
    """An upper bound of the sum of all times."""
    max_changes: int
    """An upper bound of the number of changes of tempo, meter and key, and of markers."""
    may_mislead: bool
    """Whether there may be something that symusic misreads: a tempo, meter or key that is too short, a time
    of more than four bytes, an escape, or an event without status after a system exclusive. (An escape begins
    with F7, and so does a continued system exclusive; any other F7 ends one.) Events without status after a
    system message, F1 to FE, are not looked for: the standard forbids such messages in files."""
    may_wrap: bool
    """Whether a time or the denominator of a meter may need more than 32 bits."""


def scan_tracks(data: bytes) -> TrackScan:
    """Scan the events of a track, or of several one after another."""
    values = np.frombuffer(data, np.uint8)
    is_high = values >= 128
    max_ticks = _max_ticks(values, is_high)
    positions = (values >= 0xF0).nonzero()[0]
    status = values.take(positions)
    meta = positions[status == 0xFF]
    kind, size, power = (values.take(meta + offset, mode="clip") for offset in (1, 2, 4))
    may_mislead = bool(np.logical_or.reduce(size < LEAST_META_BYTES.take(kind))) or _four_in_a_row(is_high)
    if not may_mislead and len(meta) < len(positions):
        exclusives = positions[(status == 0xF0) | (status == 0xF7)].tolist()
        may_mislead = _exclusives_may_mislead(data, exclusives)
    huge_meters = (kind == METER) & (size == 4) & (power > MAX_DENOMINATOR_POWER)
    may_wrap = max_ticks > MAX_TICKS or bool(np.logical_or.reduce(huge_meters))
    return TrackScan(max_ticks, int(np.count_nonzero(IS_COUNTED.take(kind))), may_mislead, may_wrap)


def _max_ticks(values: npt.NDArray[np.uint8], is_high: Mask) -> int:
    """Return an upper bound of the sum of all times in bytes (N,); any byte may be part of a time.

    A time has at most four bytes of seven bits, all but the last with the highest bit set (`is_high`, (N,)).
    So a byte adds at most its seven bits, times 2**7, 2**14, 2**21 after one, two, three high bytes in a row.
    """
    two = is_high[:-1] & is_high[1:]
    three = two[:-1] & is_high[2:]
    bound = 127 * (len(values) + (int(np.count_nonzero(is_high)) << 7))
    shifts = ((two, 14), (three, 21))
    coarse = bound + sum(127 * int(np.count_nonzero(in_a_row)) << shift for in_a_row, shift in shifts)
    if coarse <= MAX_TICKS:  # so in most files
        return coarse
    for in_a_row, shift in shifts:
        first = values.take(in_a_row.nonzero()[0]) & 127
        bound += int(first.sum(dtype=np.int64)) << shift
    return bound


def _four_in_a_row(is_high: Mask) -> bool:
    """Whether four bytes in a row have the highest bit set, as in a time of more than four bytes."""
    pairs = is_high[1:] & is_high[:-1]
    return bool(np.logical_or.reduce(pairs[2:] & pairs[:-2]))


def _exclusives_may_mislead(data: bytes, positions: list[int]) -> bool:
    """Whether a system exclusive precedes an event without status, or an escape begins, at a position."""
    # the byte before a status is the last one of a time, so it is below 128
    begins = [position for position in positions if position and data[position - 1] < 0x80]
    ends = [_exclusive_end(data, position) for position in begins if data[position] == 0xF0]
    return -1 in ends or not set(ends).issuperset(begin for begin in begins if data[begin] == 0xF7)


def _exclusive_end(data: bytes, begin: int) -> int:
    """Return the last byte of the system exclusive that begins at `begin`, or `begin` if there is none.

    Return -1 if an event without status follows.
    """
    size, start = read_variable_length(data, begin + 1)
    end = start + size
    if data[end - 1 : end] != b"\xf7":
        return begin  # a byte of a time, or a system exclusive that is continued
    _, at = read_variable_length(data, end)
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != bytes([END_OF_TRACK]):
        size, text_start = read_variable_length(data, at + 2)
        _, at = read_variable_length(data, text_start + size)
    return -1 if b"" < data[at : at + 1] < b"\x80" else end - 1
