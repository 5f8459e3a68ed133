"""The outer form of a MIDI file: its resolution and its tracks as bytes, before any event is understood."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.raw_events import decode
from ritornello.music.score import Tempo

# Kinds of events: those of meta events, one for all on a channel (8n to En), one for all others
SEQUENCE_NAME, LYRIC, MARKER, END_OF_TRACK, TEMPO, METER, KEY = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
CHANNEL, OTHER = 0x100, 0x101
# Those that mean something to a Score, and the bytes of data that they need: of one that is shorter symusic
# would read on into what follows.
HEARD = {CHANNEL: 1, SEQUENCE_NAME: 0, LYRIC: 0, MARKER: 0, END_OF_TRACK: 0, TEMPO: 3, METER: 2, KEY: 2}
# System messages, which have no place in a file, and their bytes of data; F4, F5, F9 and FD are undefined
SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}

# Events on channels, one after the other, each with its time and a status or that of the one before. The
# counts are bounded because `re` remembers every repetition that it could take back.
_PLAYED = rb"(?:%(time)b(?:([\x80-\xbf\xe0-\xef])[\0-\x7f]{2}(?:%(time)b[\0-\x7f]{2}){0,64}"
_PLAYED += rb"|([\xc0-\xdf])[\0-\x7f](?:%(time)b[\0-\x7f]){0,64})){1,64}"
PLAYED = re.compile(_PLAYED % {b"time": rb"[\x80-\xff]{0,3}[\0-\x7f]"})


class Chunks(NamedTuple):
    """A MIDI file cut up: `tracks` are the events of each, `starts` the byte where each track begins.

    `fixed_tempo` is that of a file that counts real time (SMPTE) and not beats.
    """

    ticks_per_beat: int
    fixed_tempo: Tempo | None
    tracks: list[bytes]
    starts: list[int]


def split_file(data: bytes) -> Chunks:
    """Cut a file up. Chunks that are not tracks are passed over. Raises MidiError, which names the byte."""
    if not data:
        raise MidiError("the file is empty")
    at = 0
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = max(data.find(b"MThd"), 0)
    if data[at : at + 4] != b"MThd":
        raise MidiError(f"byte {at}: begins with {data[at : at + 4]!r}, a MIDI file with b'MThd'")
    if len(data) < at + 14:
        raise MidiError(f"byte {len(data)}: the file ends within the header of 14 bytes")
    size, count, division = struct.unpack_from(">4xL2xHh", data, at)
    ticks_per_beat, fixed_tempo = _resolution(division, at + 12)
    tracks: list[bytes] = []
    starts: list[int] = []
    at += 8 + max(size, 6)
    while len(tracks) < count and at < len(data):
        if len(data) < at + 8:
            raise MidiError(f"byte {at}: the file ends within the head of track {len(tracks)}")
        name, size = struct.unpack_from(">4sL", data, at)
        if size > (left := len(data) - at - 8):
            what = f"track {len(tracks)}" if name == b"MTrk" else f"chunk {name!r}"
            raise MidiError(f"byte {at}: {what} of {size} bytes, but the file ends after {left}")
        if name == b"MTrk":
            starts.append(at)
            tracks.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if not tracks:
        raise MidiError(f"byte {min(at, len(data))}: no track; the header promises {count}")
    return Chunks(ticks_per_beat, fixed_tempo, tracks, starts)


def _resolution(division: int, at: int) -> tuple[int, Tempo | None]:
    """Ticks per beat, and the tempo if the division is SMPTE's: then a beat is a second."""
    if division > 0:
        return division, None
    frames, ticks = -(division >> 8), division & 0xFF
    if division == 0 or frames not in (24, 25, 29, 30) or ticks == 0:
        found = f"division 0x{division & 0xFFFF:04x}"
        raise MidiError(f"byte {at}: {found}, must be 1-32767 or SMPTE 24, 25, 29, 30")
    # 29 stands for 30 drop frame, of which 30000/1001 pass in a second
    return (30 if frames == 29 else frames) * ticks, Tempo(0, 1_001_000 if frames == 29 else 1_000_000)


def one_track(ticks_per_beat: int, track: bytes) -> bytes:
    """A MIDI file of this track alone."""
    return struct.pack(">4sLHHH4sL", b"MThd", 6, 0, 1, ticks_per_beat, b"MTrk", len(track)) + track


def all_tracks(ticks_per_beat: int, tracks: list[bytes]) -> bytes:
    """A MIDI file of these tracks and nothing else."""
    head = struct.pack(">4sLHHH", b"MThd", 6, 1, len(tracks), ticks_per_beat)
    return head + b"".join(struct.pack(">4sL", b"MTrk", len(track)) + track for track in tracks)


class Event(NamedTuple):
    """An event: when it is, where it begins, after its time, and ends, what it is, its bytes of data."""

    tick: int
    place: int
    end: int
    kind: int
    size: int


def events(track: bytes, unplayed: bool = False) -> Iterator[Event]:
    """The events of a track up to its end. Raises MidiError, which names the byte, where they are no MIDI.

    With `unplayed`, most events on channels are passed over, several times as fast; then `tick` says nothing.
    """
    at, tick, running = 0, 0, 0
    padded = track + bytes(8)  # looking ahead never falls off the end
    while at < len(track):
        if unplayed and (played := PLAYED.match(track, at)):
            at, running = played.end(), track[max(played.start(1), played.start(2))]
            continue
        wrong = ""
        begin, time, place = at, padded[at], at + 1
        if time >= 0x80:
            time, place = variable_length(track, at)
        tick += time
        status, kind = padded[place], OTHER
        if padded[place - 1] >= 0x80:
            wrong = "has a time of more than four bytes"
        elif status in (0xF0, 0xF7, 0xFF):
            kind, start = (padded[place + 1], place + 3) if status == 0xFF else (OTHER, place + 2)
            if (size := padded[start - 1]) >= 0x80:
                size, start = variable_length(track, start - 1)
        elif status > 0xF0:
            size, start = SYSTEM.get(status, 0), place + 1
            wrong = "" if status in SYSTEM else f"has the undefined status {status:X}"
        else:
            running, start = (status, place + 1) if status >= 0x80 else (running, place)
            kind, size = CHANNEL, 1 if running & 0xE0 == 0xC0 else 2  # Cn and Dn have one byte of data
            if not running:
                wrong = "has no status"
            elif max(padded[start : start + size]) >= 0x80:
                wrong = "has a byte of data above 127"
        if not wrong and (at := start + size) > len(track):
            wrong = "is cut off"
        if wrong:
            raise MidiError(f"the event at byte {begin} of the track {wrong}")
        yield Event(tick, place, at, kind, size)
        if kind == END_OF_TRACK:
            return


def without_unused_events(track: bytes, keys_as: int = KEY) -> bytes:
    """The track up to its end, with an empty text in place of every event that a Score has no use for.

    Readers fail at such events: symusic reads on inside an escape, mido forgets the time of a meta event that
    it does not know, and refuses much else that nobody hears. Key signatures become meta events of the kind
    `keys_as`, for a reader that would refuse the impossible ones. Times stay. Raises MidiError.
    """
    kept, stop = 0, len(track)
    pieces = []
    for _, place, end, kind, size in events(track, unplayed=True):
        if size < HEARD.get(kind, size + 1):
            pieces += [track[kept:place], b"\xff\x01\x00"]
            kept = end
        elif kind == KEY:
            pieces += [track[kept : place + 1], bytes([keys_as])]
            kept = place + 2
        elif kind == END_OF_TRACK:
            stop = end
    return b"".join([*pieces, track[kept:stop]])


def title(track: bytes) -> str:
    """The name in a file's first track before any time passes: by the standard the name of the sequence."""
    at, name = 0, ""
    while track[at : at + 1] == b"\x00" and (status := track[at + 1 : at + 2]) in (b"\xff", b"\xf0", b"\xf7"):
        is_meta = status == b"\xff"
        length, start = variable_length(track, at + (3 if is_meta else 2))
        if is_meta and track[at + 2] == SEQUENCE_NAME:
            name = decode(track[start : start + length])
        at = start + length
    return name


def variable_length(data: bytes, at: int) -> tuple[int, int]:
    """The number of at most 4 bytes, 7 bits in each, that begins at byte `at`, and where it ends."""
    value = 0
    for place in range(at, min(at + 4, len(data))):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value, at + 4
