"""The outer form of a MIDI file: its resolution and its tracks as bytes, before any event is understood."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.raw import decode
from ritornello.score import Tempo

SEQUENCE_NAME = 0x03
END_OF_TRACK = 0x2F
# The meta events that mean something to a Score (name, lyric, marker, end, tempo, meter, key) and the bytes
# of data that they need; of one that is shorter symusic would read on into what follows.
HEARD = {SEQUENCE_NAME: 0, 0x05: 0, 0x06: 0, END_OF_TRACK: 0, 0x51: 3, 0x58: 2, 0x59: 2}
TOO_SHORT = re.compile(rb"\xff(?:\x51[\x00-\x02]|[\x58\x59][\x00\x01])")


class Chunks(NamedTuple):
    """A MIDI file cut up: `tracks` are the events of each, `starts` the byte where each track begins.

    `fixed_tempo` is that of a file that counts real time (SMPTE) and not beats.
    """

    ticks_per_beat: int
    fixed_tempo: Tempo | None
    tracks: list[bytes]
    starts: list[int]


def split(data: bytes) -> Chunks:
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
        raise MidiError(f"byte {min(at, len(data))}: the file ends without a track")
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


def tidied(track: bytes) -> bytes:
    """The track up to its end, with an empty text in place of every event that a Score has no use for.

    Times stay. Readers fail at such events: symusic reads on inside an escape, mido forgets the time of a
    meta event that it does not know, and refuses much else that nobody hears. A track that is cut off or
    makes no sense comes back as it is, for the reader to complain about.
    """
    at, kept, running = 0, 0, 0
    pieces = []
    padded = track + bytes(8)  # looking ahead never falls off the end
    while at < len(track):
        _, place = variable_length(track, at)
        status, kind = padded[place], padded[place + 1]
        if status in (0xF0, 0xF7, 0xFF):
            length, start = variable_length(track, place + (2 if status == 0xFF else 1))
            at = start + length
            if status != 0xFF or length < HEARD.get(kind, length + 1):
                pieces += [track[kept:place], b"\xff\x01\x00"]
                kept = at
            elif kind == END_OF_TRACK:
                break
        else:
            if status >= 0x80:
                running, place = status, place + 1
            if not 0x80 <= running < 0xF0:
                return track
            at = place + (1 if running & 0xE0 == 0xC0 else 2)  # Cn and Dn have one byte of data
    return b"".join([*pieces, track[kept:at]]) if at <= len(track) else track


def may_mislead(track: bytes) -> bool:
    """Whether the track may hold what symusic misreads.

    That is an escape, a status left out after a system exclusive, or a tempo, meter or key that is too short.
    An escape begins with F7, and so does the second packet of a system exclusive; else F7 only ends one.
    """
    if TOO_SHORT.search(track):
        return True
    if 0xF0 not in track and 0xF7 not in track:
        return False
    ends = set()
    for match in re.finditer(b"\xf0", track):
        length, start = variable_length(track, match.end())
        _, place = variable_length(track, start + length)
        if track[place : place + 1] < b"\x80":
            return True
        ends.add(start + length - 1)
    return any(match.start() not in ends for match in re.finditer(b"\xf7", track))


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
    for end, byte in enumerate(data[at : at + 4], start=at + 1):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, end
    return value, at + 4
