"""Replace notes in a MIDI file; every other event keeps its bytes and its tick."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.chunks import Chunks, split_file
from ritornello.midi.file_events import (
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    Channel,
    FileEvents,
    FileNote,
    file_events,
)
from ritornello.midi.raw_events import CHORD_PREFIX, DRUM_CHANNEL
from ritornello.midi.songs import song_starts
from ritornello.midi.track_events import END_OF_TRACK, variable_length

META, MARKER = 0xFF, 6
PartKey = tuple[int, int, int, int]  # track, port, channel, program
PitchKey = tuple[int, Channel, int]  # track, channel, pitch


class Note(NamedTuple):
    """A note. Its velocity is 1-127; parts are numbered as in the Score that `midi.read` returns."""

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    part: int


class TrackEvent(NamedTuple):
    """An event to be written; `data` has its bytes without the time.

    `order` sorts the events of one tick: note-offs, then events of the file, then new notes.
    """

    tick: int
    order: tuple[int, int]
    data: bytes


def replace_notes(
    data: bytes,
    parts: Collection[int],
    first_tick: int,
    end_tick: int,
    notes: Collection[Note],
    kept: Collection[tuple[int, int]] = (),
) -> bytes:
    """Replace the notes of `parts` whose onset is from `first_tick` to before `end_tick` by `notes`.

    Notes whose (onset in ticks, part) is in `kept` stay. Returns the new file. Raises MidiError if the file
    cannot be read, has no such part, or has no free channel for the program of a part.
    """
    chunks = split_file(data)
    file = file_events(chunks)
    keys = file.part_keys
    if unknown := [note for note in notes if note.part >= len(keys)]:
        raise MidiError(f"part {unknown[0].part}: must be 0-{len(keys) - 1}")
    part_of = {key: part for part, key in enumerate(keys)}
    gone = [
        note
        for note in file.notes
        if first_tick <= note.onset_ticks < end_tick
        and (part := part_of[note.part_key]) in parts
        and (note.onset_ticks, part) not in kept
    ]
    patch = _Patch(file, gone, chunks.are_songs)
    for note in sorted(notes):
        patch.add(note, keys[note.part])
    tracks = [track_bytes(patch.events[n], start) for n, start in enumerate(song_starts(chunks))]
    return with_tracks(data, chunks, tracks)


def replace_chord_markers(
    data: bytes, first_tick: int, end_tick: int, chords: Sequence[tuple[int, str]]
) -> bytes:
    """Replace the chord markers from `first_tick` to before `end_tick` by `chords` (tick, name).

    Returns the new file. A chord at `end_tick` is added if the file has none there. A file without any chord
    marker stays as it is. Raises MidiError if it cannot be read.
    """
    chunks = split_file(data)
    file_events_in_order = file_events(chunks).events
    old = [event for event in file_events_in_order if _is_chord(event.data)]
    if not old:
        return data
    gone = {(event.track, event.number) for event in old if first_tick <= event.tick < end_tick}
    events: dict[int, list[TrackEvent]] = defaultdict(list)
    for event in file_events_in_order:
        if (event.track, event.number) not in gone:
            events[event.track].append(TrackEvent(event.tick, (1, event.number), event.data))
    has_end = any(event.tick == end_tick for event in old)
    for tick, name in chords:
        if first_tick <= tick < end_tick or (tick == end_tick and not has_end):
            text = f"{CHORD_PREFIX}{name}".encode()
            marker = bytes([META, MARKER]) + variable_length(len(text)) + text
            events[old[0].track].append(TrackEvent(tick, (1, -1), marker))
    tracks = [track_bytes(events[number], start) for number, start in enumerate(song_starts(chunks))]
    return with_tracks(data, chunks, tracks)


def _is_chord(data: bytes) -> bool:
    """Whether an event is a marker of a chord."""
    return data[:2] == bytes([META, MARKER]) and CHORD_PREFIX.encode() in data[3 : 5 + len(CHORD_PREFIX)]


class _Patch:
    """The events of each track: the events of the file without the notes `gone`, and added events."""

    def __init__(self, file: FileEvents, gone: Collection[FileNote], are_songs: bool) -> None:
        self.are_songs = are_songs
        removed = {place for note in gone for place in (note.on, note.off)}
        self.events: dict[int, list[TrackEvent]] = defaultdict(list)
        for event in file.events:
            if (event.track, event.number) not in removed:
                self.events[event.track].append(TrackEvent(event.tick, (1, event.number), event.data))
        # onset and end of the notes that stay; the ends that have no note-off
        self.kept: dict[PitchKey, list[tuple[int, int]]] = defaultdict(list)
        self.unended: dict[PitchKey, list[int]] = defaultdict(list)
        lost_ends = {(note.on[0], note.channel, note.pitch, note.onset_ticks) for note in gone}
        for note in file.notes:
            key = note.on[0], note.channel, note.pitch
            if note.on not in removed:
                self.kept[key].append((note.onset_ticks, note.end_ticks))
                if note.off is None and (*key, note.end_ticks) in lost_ends:
                    self._end(*key, note.end_ticks)
                elif note.off is None:
                    self.unended[key].append(note.end_ticks)
        self.open: dict[PitchKey, int] = {}  # onsets of notes that never end
        with_ends = {note.on for note in file.notes}
        self.changes: dict[Channel, list[tuple[int, int, int, int]]] = defaultdict(list)
        for event in file.events:
            if event.kind == PROGRAM:  # tick, track and number in it, program
                self.changes[event.channel].append((event.tick, event.track, event.number, event.data[1]))
            elif event.kind == NOTE_ON and event.data[2] and (event.track, event.number) not in with_ends:
                key = event.track, event.channel, event.data[1]  # it sounds on until a note is added
                self.kept[key].append((event.tick, event.tick))
                self.open[key] = event.tick
        self.borrowed: dict[PartKey, int] = {}  # the channel of the port that a part also plays on
        self.used = {event.channel for event in file.events if event.kind < 0xF0}

    def add(self, note: Note, key: PartKey) -> None:
        """Add a note of a part. Raises MidiError if its channel has another program and none is free."""
        track, port, number, program = key
        channel, onset, end = (port, number), note.onset_ticks, note.onset_ticks + note.duration_ticks
        if number != DRUM_CHANNEL and self._program(channel, onset, track) != program:
            channel = (port, self._borrow(key, onset))
        pitch_key = track, channel, note.pitch
        for stop in self.unended.pop(pitch_key, []):  # else the new note would end there
            self._end(*pitch_key, stop)
        if onset > self.open.get(pitch_key, onset):
            del self.open[pitch_key]
            self._end(*pitch_key, onset)
        others = self.kept[pitch_key]
        end = max([end, *(stop for start, stop in others if start <= onset < stop)])  # in order
        end = min([end, *(start for start, _ in others if start > onset)])
        on = bytes([NOTE_ON | channel[1], note.pitch, note.velocity])
        self.events[track].append(TrackEvent(onset, (2, note.pitch), on))
        self._end(*pitch_key, end)

    def _end(self, track: int, channel: Channel, pitch: int, tick: int) -> None:
        """Add a note-off."""
        self.events[track].append(TrackEvent(tick, (0, pitch), bytes([NOTE_OFF | channel[1], pitch, 0])))

    def _program(self, channel: Channel, tick: int, track: int) -> int:
        """The program of a channel after all events of a track at a tick."""
        changes = [c for c in self.changes.get(channel, []) if c[1] == track or not self.are_songs]
        return max([(0, 0, 0, 0), *(c for c in changes if c[:2] <= (tick, track))])[3]

    def _borrow(self, key: PartKey, tick: int) -> int:
        """A channel of the port that has no events, for notes of a part from a tick on. Raises MidiError."""
        track, port, number, program = key
        if key not in self.borrowed:
            free = [c for c in range(16) if c != DRUM_CHANNEL and (port, c) not in self.used]
            if not free:
                raise MidiError(
                    f"a note at tick {tick} cannot have program {program}: channel {number + 1} has another "
                    "one there, and no channel of its port is free"
                )
            self.borrowed[key] = free[0]
            self.used.add((port, free[0]))
            change = TrackEvent(tick, (2, -1), bytes([PROGRAM | free[0], program]))
            self.events[track].append(change)
        return self.borrowed[key]


def track_bytes(unordered: list[TrackEvent], start: int) -> bytes:
    """Return the bytes of a track with these events; its end of track comes last."""
    ends = [event for event in unordered if event.data[:2] == bytes([0xFF, END_OF_TRACK])]
    ordered = sorted(event for event in unordered if event not in ends)
    last_tick = max([event.tick for event in unordered], default=start)
    pieces, tick = [], start
    for event in [*ordered, TrackEvent(last_tick, (3, 0), ends[0].data if ends else b"\xff\x2f\x00")]:
        pieces += [variable_length(event.tick - tick), event.data]
        tick = event.tick
    return b"".join(pieces)


def with_tracks(data: bytes, chunks: Chunks, tracks: list[bytes]) -> bytes:
    """Return the file with its tracks replaced by `tracks`."""
    pieces, at = [], 0
    for start, end, track in zip(chunks.starts, chunks.ends, tracks, strict=True):
        pieces += [data[at:start], b"MTrk", struct.pack(">L", len(track)), track]
        at = end
    new = b"".join([*pieces, data[at:]])
    if new[:4] == b"RIFF":  # an .rmi file has its size and that of its MIDI file at bytes 4 and 16
        growth = len(new) - len(data)
        outer, inner = (struct.unpack_from("<L", new, byte)[0] + growth for byte in (4, 16))
        new = new[:4] + struct.pack("<L", outer) + new[8:16] + struct.pack("<L", inner) + new[20:]
    return new
