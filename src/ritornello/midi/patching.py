"""Notes of a MIDI file changed in place: every other event stays, to the byte and to the tick."""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from collections.abc import Collection
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.chunks import CHANNEL, END_OF_TRACK, events, split_file

NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0


class Note(NamedTuple):
    """A note of a part, numbered as `midi.read` numbers them."""

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    part: int


class _Event(NamedTuple):
    """What a track holds: `order` sorts events of one tick, `data` is all but the time."""

    tick: int
    order: tuple[int, int]
    data: bytes


def replace_notes(
    data: bytes, parts: Collection[int], first_tick: int, end_tick: int, notes: Collection[Note]
) -> bytes:
    """The file with other notes in some parts from a tick up to another: what began there goes, `notes` come.

    New notes are of parts that the file has. Raises MidiError.
    """
    chunks = split_file(data)
    tracks, part = [], 0
    for track in chunks.tracks:
        read = _Track(track, part, parts, range(first_tick, end_tick))
        tracks.append(_bytes(read.kept + read.added(notes)))
        part += len(read.channel)
    if strange := [note for note in notes if note.part >= part]:
        raise MidiError(f"part {strange[0].part}, must be 0-{part - 1}")
    return _with_tracks(data, chunks.starts, tracks)


class _Track:
    """The events of a track but for those of notes that go; and the channel of each of its parts."""

    def __init__(self, track: bytes, first_part: int, parts: Collection[int], ticks: range) -> None:
        ons: list[tuple[int, int, int, _Event, _Event | None]] = []  # tick, channel, program, on, off
        open_notes: dict[tuple[int, int], deque[int]] = defaultdict(deque)
        program, others = [0] * 16, []
        sounds: set[tuple[int, int]] = set()
        running = 0
        for number, event in enumerate(events(track)):
            raw = track[event.place : event.end]
            if event.kind == CHANNEL:
                running = raw[0] if raw[0] >= 0x80 else running
                raw = raw if raw[0] >= 0x80 else bytes([running]) + raw
            kept = _Event(event.tick, (1, number), raw)
            kind, channel = (running & 0xF0, running & 0x0F) if event.kind == CHANNEL else (0, 0)
            if kind == NOTE_ON and raw[2]:
                open_notes[channel, raw[1]].append(len(ons))
                ons.append((event.tick, channel, program[channel], kept, None))
            elif kind in (NOTE_ON, NOTE_OFF) and open_notes[channel, raw[1]]:
                note = open_notes[channel, raw[1]].popleft()
                ons[note] = (*ons[note][:4], kept)
                sounds.add(ons[note][1:3])
            else:
                others.append(kept)
                if kind == PROGRAM:
                    program[channel] = raw[1]
        self.channel = {first_part + i: key[0] for i, key in enumerate(sorted(sounds))}
        number_of = {key: first_part + i for i, key in enumerate(sorted(sounds))}
        self.kept = others
        for tick, channel, sound, on, off in ons:
            if off is None or not (tick in ticks and number_of[channel, sound] in parts):
                self.kept += [on] if off is None else [on, off]

    def added(self, notes: Collection[Note]) -> list[_Event]:
        """The events of new notes of this track: ends before all else at a tick, beginnings after."""
        found = []
        for note in notes:
            if note.part in self.channel:
                channel = self.channel[note.part]
                end = note.onset_ticks + note.duration_ticks
                found.append(_Event(end, (0, note.pitch), bytes([NOTE_OFF | channel, note.pitch, 0])))
                begin = bytes([NOTE_ON | channel, note.pitch, note.velocity])
                found.append(_Event(note.onset_ticks, (2, note.pitch), begin))
        return found


def _bytes(found: list[_Event]) -> bytes:
    """A track of events in any order; its end comes last."""
    ending = [event for event in found if event.data[:2] == bytes([0xFF, END_OF_TRACK])]
    ordered = sorted(event for event in found if event not in ending)
    last = max([event.tick for event in found], default=0)
    pieces, now = [], 0
    for event in [*ordered, _Event(last, (3, 0), ending[0].data if ending else b"\xff\x2f\x00")]:
        pieces += [_variable_length(event.tick - now), event.data]
        now = event.tick
    return b"".join(pieces)


def _variable_length(value: int) -> bytes:
    """A number as at most four bytes of seven bits."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(0x80 | value & 0x7F)
    return bytes(reversed(found))


def _with_tracks(data: bytes, starts: list[int], tracks: list[bytes]) -> bytes:
    """The file with other tracks in the place of its own."""
    pieces, at = [], 0
    for start, track in zip(starts, tracks, strict=True):
        (size,) = struct.unpack_from(">L", data, start + 4)
        pieces += [data[at:start], b"MTrk", struct.pack(">L", len(track)), track]
        at = start + 8 + size
    found = b"".join([*pieces, data[at:]])
    if found[:4] == b"RIFF":  # an .rmi says in front how long it is, twice
        grown = len(found) - len(data)
        outer, inner = (struct.unpack_from("<L", found, place)[0] + grown for place in (4, 16))
        found = found[:4] + struct.pack("<L", outer) + found[8:16] + struct.pack("<L", inner) + found[20:]
    return found
