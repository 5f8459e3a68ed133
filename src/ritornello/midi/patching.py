"""Replacement of notes in a MIDI file: every other event keeps its bytes and its tick."""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from collections.abc import Collection
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.chunks import CHANNEL, END_OF_TRACK, events, split_file, variable_length

NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0  # status bytes without the channel


class Note(NamedTuple):
    """A note. Its velocity is 1-127; parts are numbered as in the Score that `midi.read` returns."""

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    part: int


class _TrackEvent(NamedTuple):
    """An event to be written: `order` sorts the events of one tick, `data` has its bytes without the time."""

    tick: int
    order: tuple[int, int]
    data: bytes


def replace_notes(
    data: bytes, parts: Collection[int], first_tick: int, end_tick: int, notes: Collection[Note]
) -> bytes:
    """Return the file with `notes` in the place of those notes of `parts` whose onset is in the given ticks.

    The ticks are `first_tick` to `end_tick`, which is not included. Raises MidiError if the file cannot be
    read, or if a new note is of a part that it does not have.
    """
    chunks = split_file(data)
    tracks, part = [], 0
    for track in chunks.tracks:
        old = _Track(track, part, parts, range(first_tick, end_tick))
        tracks.append(_track_bytes(old.kept + old.events_of(notes)))
        part += len(old.channel)
    if unknown := [note for note in notes if note.part >= part]:
        raise MidiError(f"part {unknown[0].part}: must be 0-{part - 1}")
    return _with_tracks(data, chunks.starts, tracks)


class _Track:
    """A track: its events without those of the replaced notes (`kept`), and the `channel` of each part."""

    def __init__(self, track: bytes, first_part: int, parts: Collection[int], ticks: range) -> None:
        # of each note: onset tick, channel, program, note-on, note-off
        notes: list[tuple[int, int, int, _TrackEvent, _TrackEvent | None]] = []
        open_notes: dict[tuple[int, int], deque[int]] = defaultdict(deque)  # by channel and pitch
        program = [0] * 16  # by channel
        self.kept: list[_TrackEvent] = []
        running_status = 0
        for number, event in enumerate(events(track)):
            data = track[event.start : event.end]
            if event.kind == CHANNEL:
                running_status = data[0] if data[0] >= 0x80 else running_status
                data = data if data[0] >= 0x80 else bytes([running_status]) + data
            old = _TrackEvent(event.tick, (1, number), data)
            status, channel = 0, 0
            if event.kind == CHANNEL:
                status, channel = running_status & 0xF0, running_status & 0x0F
            if status == NOTE_ON and data[2]:
                open_notes[channel, data[1]].append(len(notes))
                notes.append((event.tick, channel, program[channel], old, None))
            elif status in (NOTE_ON, NOTE_OFF) and open_notes[channel, data[1]]:
                note = open_notes[channel, data[1]].popleft()
                notes[note] = (*notes[note][:4], old)
            else:
                self.kept.append(old)
                if status == PROGRAM:
                    program[channel] = data[1]
        sounds = sorted({(channel, sound) for _, channel, sound, _, off in notes if off})
        self.channel = {first_part + i: channel for i, (channel, _) in enumerate(sounds)}
        part_of = {sound: first_part + i for i, sound in enumerate(sounds)}
        for tick, channel, sound, on, off in notes:
            if off is None or not (tick in ticks and part_of[channel, sound] in parts):
                self.kept += [on] if off is None else [on, off]

    def events_of(self, notes: Collection[Note]) -> list[_TrackEvent]:
        """Return the events of the new notes of this track; at a tick note-offs come first, note-ons last."""
        found = []
        for note in notes:
            if note.part in self.channel:
                channel = self.channel[note.part]
                end = note.onset_ticks + note.duration_ticks
                off = bytes([NOTE_OFF | channel, note.pitch, 0])
                on = bytes([NOTE_ON | channel, note.pitch, note.velocity])
                found.append(_TrackEvent(end, (0, note.pitch), off))
                found.append(_TrackEvent(note.onset_ticks, (2, note.pitch), on))
        return found


def _track_bytes(unordered: list[_TrackEvent]) -> bytes:
    """Return the bytes of a track with these events; its end of track comes last."""
    ends = [event for event in unordered if event.data[:2] == bytes([0xFF, END_OF_TRACK])]
    ordered = sorted(event for event in unordered if event not in ends)
    last_tick = max([event.tick for event in unordered], default=0)
    pieces, now = [], 0
    for event in [*ordered, _TrackEvent(last_tick, (3, 0), ends[0].data if ends else b"\xff\x2f\x00")]:
        pieces += [variable_length(event.tick - now), event.data]
        now = event.tick
    return b"".join(pieces)


def _with_tracks(data: bytes, starts: list[int], tracks: list[bytes]) -> bytes:
    """Return the file with new `tracks` in the place of those that begin at the bytes `starts`."""
    pieces, at = [], 0
    for start, track in zip(starts, tracks, strict=True):
        (size,) = struct.unpack_from(">L", data, start + 4)
        pieces += [data[at:start], b"MTrk", struct.pack(">L", len(track)), track]
        at = start + 8 + size
    new = b"".join([*pieces, data[at:]])
    if new[:4] == b"RIFF":  # an .rmi file has its size and that of its MIDI file at bytes 4 and 16
        growth = len(new) - len(data)
        outer, inner = (struct.unpack_from("<L", new, byte)[0] + growth for byte in (4, 16))
        new = new[:4] + struct.pack("<L", outer) + new[8:16] + struct.pack("<L", inner) + new[20:]
    return new
