"""The events of one track of a MIDI file, as bytes.

"The standard" is Standard MIDI Files 1.0 (MIDI Manufacturers Association, 1988).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.raw_events import decode

# Kinds of events: the type of a meta event; CHANNEL for all channel events (status 8n to En); OTHER for the
# rest
SEQUENCE_NAME, LYRIC, MARKER, END_OF_TRACK, TEMPO, METER, KEY = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
CHANNEL, OTHER = 0x100, 0x101
END_EVENT = bytes([0xFF, END_OF_TRACK, 0])
# The kinds that a Score can hold, and the least data bytes of each: symusic reads past the end of a shorter
# one
LEAST_DATA_BYTES = {
    CHANNEL: 1, SEQUENCE_NAME: 0, LYRIC: 0, MARKER: 0, END_OF_TRACK: 0, TEMPO: 3, METER: 2, KEY: 2,
}  # fmt: skip
# The data bytes of system messages, which the standard forbids in files; F4, F5, F9 and FD are undefined.
SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}

# A run of channel events, each with its time, and its status unless it has the status of the event before.
# The counts are bounded because `re` stores each repetition that it may have to undo
_CHANNEL_EVENTS = rb"(?:%(time)b(?:([\x80-\xbf\xe0-\xef])[\0-\x7f]{2}(?:%(time)b[\0-\x7f]{2}){0,64}"
_CHANNEL_EVENTS += rb"|([\xc0-\xdf])[\0-\x7f](?:%(time)b[\0-\x7f]){0,64})){1,64}"
TIME = rb"[\x80-\xff]{0,3}[\0-\x7f]"
CHANNEL_EVENTS = re.compile(_CHANNEL_EVENTS % {b"time": TIME})
# A run of the channel events with two data bytes; the time of each such event
LONG_EVENTS = re.compile(
    rb"(?:%(time)b([\x80-\xbf\xe0-\xef])[\0-\x7f]{2}(?:%(time)b[\0-\x7f]{2}){0,64}){1,64}" % {b"time": TIME}
)
TIMES = re.compile(rb"(%b)[\x80-\xef]?[\0-\x7f]{2}" % TIME)


class Event(NamedTuple):
    """An event of a track."""

    tick: int
    start: int  # its first byte in the track, after its time
    end: int  # the byte after its last one
    kind: int
    size: int  # the number of its data bytes, which are its last bytes


def events(
    track: bytes, skip_channel_events: bool = False, skip_long_events: bool = False
) -> Iterator[Event]:
    """Yield the events of a track up to its end. Raises MidiError, which names the byte, if one is malformed.

    With `skip_channel_events`, most channel events are left out, which is several times as fast; `tick` then
    has no meaning. With `skip_long_events`, most channel events with two data bytes are left out.
    """
    at, tick, running_status = 0, 0, 0
    padded = track + bytes(8)  # so that indices past the end need no check
    while at < len(track):
        if skip_channel_events and (match := CHANNEL_EVENTS.match(track, at)):
            at, running_status = match.end(), track[max(match.start(1), match.start(2))]
            continue
        if skip_long_events and (match := LONG_EVENTS.match(track, at)):
            at, running_status = match.end(), track[match.start(1)]
            for time_bytes, count in Counter(TIMES.findall(track, match.start(), at)).items():
                tick += count * read_variable_length(time_bytes, 0)[0]
            continue
        fault = ""
        time_start, time, start = at, padded[at], at + 1
        if time >= 0x80:
            time, start = read_variable_length(track, at)
        tick += time
        status, kind = padded[start], OTHER
        if padded[start - 1] >= 0x80:
            fault = "has a time of more than four bytes"
        elif status in (0xF0, 0xF7, 0xFF):
            kind, data_start = (padded[start + 1], start + 3) if status == 0xFF else (OTHER, start + 2)
            if (size := padded[data_start - 1]) >= 0x80:
                size, data_start = read_variable_length(track, data_start - 1)
        elif status > 0xF0:
            size, data_start = SYSTEM_DATA_BYTES.get(status, 0), start + 1
            fault = "" if status in SYSTEM_DATA_BYTES else f"has the undefined status {status:X}"
        else:
            running_status, data_start = (status, start + 1) if status >= 0x80 else (running_status, start)
            kind, size = CHANNEL, 1 if running_status & 0xE0 == 0xC0 else 2  # Cn and Dn have one data byte
            if not running_status:
                fault = "has no status"
            elif max(padded[data_start : data_start + size]) >= 0x80:
                fault = "has a data byte above 127"
        if not fault and (at := data_start + size) > len(track):
            fault = "is cut off"
        if fault:
            raise MidiError(f"the event at byte {time_start} of the track {fault}")
        yield Event(tick, start, at, kind, size)
        if kind == END_OF_TRACK:
            return


def without_unused_events(track: bytes, keys_as: int = KEY) -> bytes:
    """Return the track up to its end, with empty texts in place of the events that a Score cannot hold.

    Readers fail at such events: symusic reads past the end of an escape, mido loses the time of an unknown
    meta event and refuses many others. Key signatures become meta events of type `keys_as`, for a reader that
    refuses impossible keys. All times stay. Raises MidiError if the track is malformed.
    """
    copied, stop = 0, len(track)
    pieces = []
    for _, start, end, kind, size in events(track, skip_channel_events=True):
        if size < LEAST_DATA_BYTES.get(kind, size + 1):
            pieces += [track[copied:start], b"\xff\x01\x00"]
            copied = end
        elif kind == KEY:
            pieces += [track[copied : start + 1], bytes([keys_as])]
            copied = start + 2
        elif kind == END_OF_TRACK:
            stop = end
    return b"".join([*pieces, track[copied:stop]])


def sequence_name(track: bytes) -> str:
    """Return the name at time 0 of a file's first track, which by the standard is the name of the song."""
    at, name = 0, ""
    while track[at : at + 1] == b"\x00" and (status := track[at + 1 : at + 2]) in (b"\xff", b"\xf0", b"\xf7"):
        is_meta = status == b"\xff"
        size, start = read_variable_length(track, at + (3 if is_meta else 2))
        if is_meta and track[at + 2] == SEQUENCE_NAME:
            name = decode(track[start : start + size])
        at = start + size
    return name


def read_variable_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length quantity at byte `at`, 1 to 4 bytes of 7 bits, and the byte after it."""
    value = 0
    for place in range(at, min(at + 4, len(data))):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value, at + 4


def variable_length(value: int) -> bytes:
    """Return a number as a variable-length quantity: at most four bytes of seven bits."""
    reversed_bytes = [value & 0x7F]
    while value := value >> 7:
        reversed_bytes.append(0x80 | value & 0x7F)
    return bytes(reversed(reversed_bytes))
