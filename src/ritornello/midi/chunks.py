"""The chunks of a MIDI file: its resolution, its tracks as bytes, and the events of a track as bytes.

"The standard" is Standard MIDI Files 1.0 (MIDI Manufacturers Association, 1988).
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.raw_events import decode
from ritornello.music.score import Tempo

# Kinds of events: the type of a meta event, CHANNEL for all channel events (status 8n to En), OTHER for all
# others.
SEQUENCE_NAME, LYRIC, MARKER, END_OF_TRACK, TEMPO, METER, KEY = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
CHANNEL, OTHER = 0x100, 0x101
END_EVENT = bytes([0xFF, END_OF_TRACK, 0])
# The kinds that a Score can hold, and the least data bytes of each: symusic reads a shorter one past its end.
LEAST_DATA_BYTES = {
    CHANNEL: 1, SEQUENCE_NAME: 0, LYRIC: 0, MARKER: 0, END_OF_TRACK: 0, TEMPO: 3, METER: 2, KEY: 2,
}  # fmt: skip
# The data bytes of system messages, which the standard forbids in files; F4, F5, F9 and FD are undefined.
SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}

# A run of channel events, each with its time and its status, or without one if it is that of the event
# before. The counts are bounded because `re` stores each repetition that it may have to undo.
_CHANNEL_EVENTS = rb"(?:%(time)b(?:([\x80-\xbf\xe0-\xef])[\0-\x7f]{2}(?:%(time)b[\0-\x7f]{2}){0,64}"
_CHANNEL_EVENTS += rb"|([\xc0-\xdf])[\0-\x7f](?:%(time)b[\0-\x7f]){0,64})){1,64}"
TIME = rb"[\x80-\xff]{0,3}[\0-\x7f]"
CHANNEL_EVENTS = re.compile(_CHANNEL_EVENTS % {b"time": TIME})
# A run of those with two data bytes, and the time of each
LONG_EVENTS = re.compile(
    rb"(?:%(time)b([\x80-\xbf\xe0-\xef])[\0-\x7f]{2}(?:%(time)b[\0-\x7f]{2}){0,64}){1,64}" % {b"time": TIME}
)
TIMES = re.compile(rb"(%b)[\x80-\xef]?[\0-\x7f]{2}" % TIME)

Place = tuple[int, int, bytes]  # of a track: where its chunk begins and ends, and what its end lacks


class Chunks(NamedTuple):
    """The chunks of a MIDI file. `tracks` has the events of each track.

    `fixed_tempo` is the tempo (60 bpm, or 59.94) of a file that counts seconds (SMPTE), and None for others.
    `starts` and `ends` are the bytes at which the chunk of each track begins, and the one after it.
    `wrong_lengths` says in words which tracks have another length than their header says. `are_songs` is for
    format 2, whose tracks are songs of their own.
    """

    ticks_per_beat: int
    fixed_tempo: Tempo | None
    tracks: list[bytes]
    starts: list[int]
    ends: list[int]
    wrong_lengths: list[str]
    are_songs: bool


def split_file(data: bytes) -> Chunks:
    """Split a MIDI file into its chunks, and skip those that are not tracks.

    A track whose length is wrong ends at its end-of-track event. Raises MidiError, which names the byte, if
    it is not a MIDI file or is cut off.
    """
    if not data:
        raise MidiError("the file is empty")
    at = 0
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = max(data.find(b"MThd"), 0)
    if data[at : at + 4] != b"MThd":
        raise MidiError(f"byte {at}: begins with {data[at : at + 4]!r}: must be b'MThd'")
    if len(data) < at + 14:
        raise MidiError(f"byte {len(data)}: the file ends within the header of 14 bytes")
    size, kind, count, division = struct.unpack_from(">4xLHHh", data, at)
    ticks_per_beat, fixed_tempo = _resolution(division, at + 12)
    at += 8 + max(size, 6)
    places, is_plausible, fault = _places_by_length(data, at, count)
    wrong_lengths: list[str] = []
    if not is_plausible and (by_end := _places_by_end(data, at, count)):
        places, wrong_lengths = by_end
    elif fault:
        raise MidiError(fault)
    tracks = [data[start + 8 : end] + missing for start, end, missing in places]
    starts, ends = [start for start, _, _ in places], [end for _, end, _ in places]
    return Chunks(
        ticks_per_beat, fixed_tempo, tracks, starts, ends, wrong_lengths, kind == 2 and len(tracks) > 1
    )


def _places_by_length(data: bytes, at: int, count: int) -> tuple[list[Place], bool, str]:
    """Return where each track begins and ends by its length, whether that is plausible, and what is wrong.

    It is not if a chunk has a strange name or goes beyond the file, or a track lacks its end.
    """
    places: list[Place] = []
    is_plausible = True
    while len(places) < count and at < len(data):
        if len(data) < at + 8:
            return places, False, f"byte {at}: the file ends within the header of track {len(places)}"
        name, size = struct.unpack_from(">4sL", data, at)
        if size > (available := len(data) - at - 8):
            chunk = f"track {len(places)}" if name == b"MTrk" else f"chunk {name!r}"
            fault = f"byte {at}: {chunk} of {size} bytes, but the file ends after {available}"
            return places, False, fault
        end = at + 8 + size
        if name == b"MTrk":
            places.append((at, end, b""))
            is_plausible &= data.endswith(END_EVENT, at, end) or data.find(END_EVENT, at, end) >= 0
        else:
            is_plausible &= name.isalnum()
        at = end
    if not places:
        return places, True, f"byte {min(at, len(data))}: no track, but the header says {count}"
    return places, is_plausible and (len(places) == count or data.count(b"MTrk") == len(places)), ""


def _places_by_end(data: bytes, at: int, count: int) -> tuple[list[Place], list[str]] | None:
    """Return where each track begins and ends by its end-of-track event, and which lengths are wrong.

    After an end, the next track begins at the next "MTrk". Returns None if a track has a broken event, or if
    no length is wrong.
    """
    places: list[Place] = []
    wrong: list[str] = []
    start = data.find(b"MTrk", at)
    while start >= 0 and len(places) < count and len(data) >= start + 8:
        (size,) = struct.unpack_from(">L", data, start + 4)
        if (found := _length_by_end(data[start + 8 :], size)) is None:
            return None
        length, missing = found
        end = start + 8 + length
        following = data.find(b"MTrk", end)
        stated = start + 8 + size
        if end <= stated == (following if following >= 0 else len(data)):
            end = stated  # what stands behind the end belongs to the track
        elif stated != end:
            wrong.append(f"the length of track {len(places)} is {size} bytes, but it ends after {length}")
        places.append((start, end, missing))
        start = following
    return (places, wrong) if wrong else None


def _length_by_end(track: bytes, size: int) -> tuple[int, bytes] | None:
    """Return the bytes up to the end of a track that has more behind it, and those that its end lacks.

    `size` is the length that it should have. Returns None if the track is broken. One that the file cuts off
    may lack its end-of-track event or a part of it, nothing else, if all its notes end.
    """
    if size == len(track) or track.startswith(b"MTrk", size):
        track = track[:size]
    for missing in (b"", END_EVENT[2:], END_EVENT[1:], END_EVENT, b"\0" + END_EVENT):
        if missing and size != len(track) + len(missing):
            continue
        whole = track + missing
        sounding: set[tuple[int, int]] = set()  # channel and pitch
        notes = status = 0
        try:
            for event in events(whole, skip_channel_events=not missing):
                if event.kind == END_OF_TRACK and (not missing or (notes and not sounding)):
                    return min(event.end, len(track)), missing
                if event.kind == CHANNEL:
                    status = whole[event.start] if whole[event.start] >= 0x80 else status
                    is_on = status & 0xF0 == 0x90 and whole[event.end - 1] > 0
                    notes += is_on
                    if is_on:
                        sounding.add((status & 15, whole[event.end - 2]))
                    elif status & 0xE0 == 0x80:
                        sounding.discard((status & 15, whole[event.end - 2]))
        except MidiError:
            continue
    return None


def _resolution(division: int, byte: int) -> tuple[int, Tempo | None]:
    """Return the ticks per beat, and for an SMPTE division the tempo: a beat is one second."""
    if division > 0:
        return division, None
    frames, ticks = -(division >> 8), division & 0xFF
    if division == 0 or frames not in (24, 25, 29, 30) or ticks == 0:
        value = f"division 0x{division & 0xFFFF:04x}"
        raise MidiError(f"byte {byte}: {value}: must be 1-32767 or SMPTE 24, 25, 29, 30")
    # 29 means "30 drop frame": 30000/1001 frames per second
    return (30 if frames == 29 else frames) * ticks, Tempo(0, 1_001_000 if frames == 29 else 1_000_000)


def one_track(ticks_per_beat: int, track: bytes) -> bytes:
    """Return a MIDI file with one track, given as bytes."""
    return struct.pack(">4sLHHH4sL", b"MThd", 6, 0, 1, ticks_per_beat, b"MTrk", len(track)) + track


def all_tracks(ticks_per_beat: int, tracks: list[bytes]) -> bytes:
    """Return a MIDI file with these tracks, given as bytes."""
    header = struct.pack(">4sLHHH", b"MThd", 6, 1, len(tracks), ticks_per_beat)
    return header + b"".join(struct.pack(">4sL", b"MTrk", len(track)) + track for track in tracks)


class Event(NamedTuple):
    """An event of a track: its onset in ticks, its bytes `start` to `end` without the time, its kind.

    `size` is the number of its data bytes, which are the last ones.
    """

    tick: int
    start: int
    end: int
    kind: int
    size: int


def events(
    track: bytes, skip_channel_events: bool = False, skip_long_events: bool = False
) -> Iterator[Event]:
    """Yield the events of a track up to its end. Raises MidiError, which names the byte, if one is malformed.

    With `skip_channel_events`, most channel events are left out, which is several times as fast; then `tick`
    has no meaning. With `skip_long_events`, most of those with two data bytes are.
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
    """Return the track up to its end, with an empty text in the place of each event that a Score cannot hold.

    Readers fail at such events: symusic reads an escape past its end, mido loses the time of an unknown meta
    event and refuses many others. Key signatures become meta events of type `keys_as`, for a reader that
    refuses impossible ones. All times stay. Raises MidiError if the track is malformed.
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
    """Return the name at time 0 of a file's first track: by the standard the name of the sequence."""
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
