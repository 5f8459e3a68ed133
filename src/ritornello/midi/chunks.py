"""Split a MIDI file into its chunks: its resolution, and its tracks as bytes.

The format is Standard MIDI Files 1.0 (MIDI Manufacturers Association, 1988).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.track_events import CHANNEL, END_EVENT, END_OF_TRACK, events
from ritornello.music.score import Tempo

Place = tuple[int, int, bytes]  # of a track: where its chunk begins and ends, and bytes that its end lacks


class Chunks(NamedTuple):
    """The chunks of a MIDI file."""

    ticks_per_beat: int
    fixed_tempo: Tempo | None  # of a file that counts seconds (SMPTE): 60 or 59.94 bpm; None for others
    tracks: list[bytes]  # the events of each track
    starts: list[int]  # the byte of the file at which the chunk of each track begins
    ends: list[int]  # the byte after the chunk
    wrong_lengths: list[str]  # a sentence about each track whose header has a wrong length
    are_songs: bool  # whether each track is a song of its own (format 2)


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
    """Return the place of each track by the length in its header, whether it is plausible, and any fault.

    It is not plausible if a chunk has a strange name or exceeds the file, or a track lacks its end event.
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
    """Return the place of each track by its end-of-track event, and a sentence about each wrong length.

    After an end, the next track begins at the next "MTrk". Returns None if a track has a broken event, or if
    no length is wrong.
    """
    places: list[Place] = []
    wrong_lengths: list[str] = []
    start = data.find(b"MTrk", at)
    while start >= 0 and len(places) < count and len(data) >= start + 8:
        (size,) = struct.unpack_from(">L", data, start + 4)
        if (length_and_missing := _length_by_end(data[start + 8 :], size)) is None:
            return None
        length, missing = length_and_missing
        end = start + 8 + length
        following = data.find(b"MTrk", end)
        stated = start + 8 + size
        if end <= stated == (following if following >= 0 else len(data)):
            end = stated  # bytes after the end event belong to the track
        elif stated != end:
            wrong_lengths.append(
                f"the length of track {len(places)} is {size} bytes, but it ends after {length}"
            )
        places.append((start, end, missing))
        start = following
    return (places, wrong_lengths) if wrong_lengths else None


def _length_by_end(track: bytes, size: int) -> tuple[int, bytes] | None:
    """Return the length of a track up to its end event, and the bytes that the end event lacks.

    `track` may be followed by other bytes; `size` is the length in its header. Returns None if the track is
    broken. If the file is cut off within the end event, and all notes have ended, the track is not broken.
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
