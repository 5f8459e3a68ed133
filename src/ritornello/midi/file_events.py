"""Read all events of a MIDI file in the order in which a player takes them, and its notes.

A channel belongs to a port (meta event 0x21, which holds for its track from there on). Its program,
controllers and bends hold for its notes in all tracks. Players take events by tick, then by track, then in
the order of the track. This is a hundred times slower than symusic.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ritornello.midi.chunks import Chunks
from ritornello.midi.raw_events import DRUM_CHANNEL
from ritornello.midi.songs import song_starts
from ritornello.midi.track_events import CHANNEL, events

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROLLER, PROGRAM, CHANNEL_PRESSURE, BEND = range(0x80, 0xF0, 0x10)
META, PORT = 0xFF, 0x21

Channel = tuple[int, int]  # port, channel 0-15
Place = tuple[int, int]  # track, number of an event in it


class FileEvent(NamedTuple):
    """An event, in order of tick, track and number in the track; `data` are its bytes with a status byte."""

    tick: int
    track: int
    number: int
    port: int
    data: bytes

    @property
    def kind(self) -> int:
        """The status byte, without the channel if it has one: NOTE_ON ... BEND, 0xF0 to 0xFF."""
        return self.data[0] & 0xF0 if self.data[0] < 0xF0 else self.data[0]

    @property
    def channel(self) -> Channel:
        """The port and the channel of an event that has a channel."""
        return self.port, self.data[0] & 0x0F


class FileNote(NamedTuple):
    """A note of a file: velocity 1-127; `program` (0-127) is that of its channel when it begins.

    `on` and `off` are the places of its two events; `off` is None if its end is missing, so that it ends at
    the next note of its pitch.
    """

    onset_ticks: int
    end_ticks: int
    pitch: int
    velocity: int
    channel: Channel
    program: int
    on: Place
    off: Place | None

    @property
    def part_key(self) -> tuple[int, int, int, int]:
        """The key by which notes are grouped into parts and sorted: track, port, channel, program."""
        return (self.on[0], *self.channel, self.program)


class FileEvents(NamedTuple):
    """The events of all tracks in the order of players, the notes, and each channel's changes of program."""

    events: list[FileEvent]
    notes: list[FileNote]
    programs: dict[Channel, list[tuple[int, int]]]  # tick, program

    @property
    def part_keys(self) -> list[tuple[int, int, int, int]]:
        """The parts of the file in their order: track, port, channel, program at a note's start."""
        return sorted({note.part_key for note in self.notes})

    def program(self, channel: Channel, tick: int) -> int:
        """The program of a channel at a tick, with the changes at that tick; 0 before the first."""
        changes = [program for at, program in self.programs.get(channel, ()) if at <= tick]
        return changes[-1] if changes else 0


def file_events(chunks: Chunks) -> FileEvents:
    """Return all events of a file. Raises MidiError where a track breaks the format."""
    starts = song_starts(chunks)
    all_events = sorted(e for n, track in enumerate(chunks.tracks) for e in _of_track(n, track, starts[n]))
    programs: dict[Channel, list[tuple[int, int]]] = defaultdict(list)
    current: dict[Channel, int] = {}
    program_at: dict[Place, int] = {}  # of each note-on
    strikes: dict[tuple[int, Channel, int], list[FileEvent]] = defaultdict(list)  # by track, channel, pitch
    # tracks of drums that set their kit themselves: the readers make parts of their own of these
    kits = {
        event.track: 0 for event in all_events if event.kind == PROGRAM and event.channel[1] == DRUM_CHANNEL
    }
    for event in all_events:
        kind = event.kind
        if chunks.are_songs and event.number == 0:
            current.clear()  # the songs have nothing in common
        if kind == PROGRAM:
            current[event.channel] = event.data[1]
            if event.channel[1] == DRUM_CHANNEL:
                kits[event.track] = event.data[1]
            programs[event.channel].append((event.tick, event.data[1]))
        elif kind in (NOTE_ON, NOTE_OFF):
            strikes[event.track, event.channel, event.data[1]].append(event)
            program = current.get(event.channel, 0)
            is_drum = event.channel[1] == DRUM_CHANNEL
            program_at[event.track, event.number] = kits.get(event.track, program) if is_drum else program
    notes = [
        FileNote(
            on.tick,
            off.tick,
            on.data[1],
            on.data[2],
            on.channel,
            program_at[on.track, on.number],
            (on.track, on.number),
            (off.track, off.number) if not _is_note_on(off) else None,
        )
        for group in strikes.values()
        for on, off in pair_notes(group)
    ]
    return FileEvents(all_events, sorted(notes), dict(programs))


def pair_notes(strikes: Sequence[FileEvent]) -> list[tuple[FileEvent, FileEvent]]:
    """Pair the note-ons of one pitch, channel and track with the events that end them, (on, end).

    A note-off ends the oldest open note. If a note-off is missing (a note is open at the end), this rule
    would give each later note the end of the note before; in this case a note ends at the next event of its
    pitch. A note that nothing ends is left out.
    """
    pairs: list[tuple[FileEvent, FileEvent]] = []
    open_notes: deque[FileEvent] = deque()
    for event in strikes:
        if _is_note_on(event):
            open_notes.append(event)
        elif open_notes:
            pairs.append((open_notes.popleft(), event))
    return pairs if not open_notes else _pairs_with_missing_ends(strikes)


def _pairs_with_missing_ends(strikes: Iterable[FileEvent]) -> list[tuple[FileEvent, FileEvent]]:
    """The pairs if each note ends at the next event of its pitch, whether a note-off or another note-on."""
    pairs: list[tuple[FileEvent, FileEvent]] = []
    sounding: FileEvent | None = None
    for event in strikes:
        if sounding is not None:
            pairs.append((sounding, event))
        sounding = event if _is_note_on(event) else None
    return pairs


def _is_note_on(event: FileEvent) -> bool:
    """Whether an event begins a note; a note-on of velocity 0 is a note-off (MIDI 1.0 specification)."""
    return event.kind == NOTE_ON and event.data[2] > 0


def _of_track(number: int, track: bytes, start: int) -> list[FileEvent]:
    """The events of a track up to its end; it begins at the tick `start`."""
    track_events = []
    running, port = 0, 0
    for index, event in enumerate(events(track)):
        data = track[event.start : event.end]
        if event.kind == CHANNEL:
            if data[0] >= 0x80:
                running = data[0]
            else:
                data = bytes([running]) + data
        elif event.kind == PORT and event.size:
            port = track[event.end - event.size]
        track_events.append(FileEvent(start + event.tick, number, index, port, data))
    return track_events
