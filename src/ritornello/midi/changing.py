"""Transpose a MIDI file, scale its tempi or change its instruments; every other event keeps its bytes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ritornello.errors import MidiError
from ritornello.midi.chunks import split_file
from ritornello.midi.file_events import (
    KEY_PRESSURE,
    META,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    Channel,
    FileEvent,
    FileNote,
    Place,
    file_events,
)
from ritornello.midi.patching import TrackEvent, track_bytes, with_tracks
from ritornello.midi.raw_events import CHORD_PREFIX, DRUM_CHANNEL
from ritornello.midi.songs import song_starts
from ritornello.midi.track_events import KEY, MARKER, SEQUENCE_NAME, TEMPO, variable_length
from ritornello.music import theory
from ritornello.music.instrument_ranges import pitch_range
from ritornello.music.score import DEFAULT_TEMPO, KeySignature

OCTAVE, HIGHEST_PITCH = 12, 127  # an octave in semitones; the highest pitch of MIDI
MAX_US_PER_BEAT = (1 << 24) - 1


class ChangedFile(NamedTuple):
    """A changed MIDI file."""

    data: bytes
    left_out: int = 0  # notes that were left out because their pitch sounded already in their part


def change_file(
    data: bytes, *, semitones: int = 0, tempo_factor: float = 1.0, programs: Mapping[int, int] | None = None
) -> ChangedFile:
    """Transpose a file, scale its tempi (beats per minute), and give parts other programs (0-127).

    Parts are numbered as in the Score that `midi.read` returns. A part that gets a program is moved by
    octaves into the range of its instrument. Drums are not transposed. Raises MidiError if the file cannot be
    read, a pitch would leave 0-127, or parts cannot have different programs because they share a channel.
    """
    chunks = split_file(data)
    file = file_events(chunks)
    change = _Change(file.events, file.notes)
    change.transpose(semitones)
    if tempo_factor != 1:
        change.scale_tempi(tempo_factor)
    change.set_programs(programs or {})
    tracks = [track_bytes(change.track(n), start) for n, start in enumerate(song_starts(chunks))]
    return ChangedFile(with_tracks(data, chunks, tracks), change.left_out)


class _Change:
    """The events of a file and their changes: `changed` has the new bytes of an event by place, None if it is
    left out; `new` has added events by track."""

    def __init__(self, events: list[FileEvent], notes: list[FileNote]) -> None:
        self.events, self.notes, self.left_out = events, notes, 0
        self.changed: dict[Place, bytes | None] = {}
        self.new: dict[int, list[TrackEvent]] = defaultdict(list)  # by track
        self.keys = sorted({note.part_key for note in notes})

    def track(self, number: int) -> list[TrackEvent]:
        """The changed events of a track."""
        events = [event for event in self.events if event.track == number]
        datas = ((e, self.changed.get((e.track, e.number), e.data)) for e in events)
        return [*(TrackEvent(e.tick, (1, e.number), d) for e, d in datas if d is not None), *self.new[number]]

    def move(self, place: Place, data: bytes, semitones: int) -> None:
        """Move the pitch of an event (note-on, note-off or key pressure), `data` in the file."""
        data = self.changed.get(place) or data
        self.changed[place] = bytes([data[0], data[1] + semitones, *data[2:]])

    def transpose(self, semitones: int) -> None:
        """Transpose notes (not drums), key signatures and chord markers by semitones."""
        if not semitones:
            return
        for event in self.events:
            if event.kind in (NOTE_ON, NOTE_OFF, KEY_PRESSURE) and event.channel[1] != DRUM_CHANNEL:
                if not 0 <= event.data[1] + semitones <= HIGHEST_PITCH:
                    raise MidiError(
                        f"transposed by {semitones}, pitch {event.data[1]} of channel {event.channel[1] + 1} "
                        f"would be {event.data[1] + semitones}: must be 0-{HIGHEST_PITCH}"
                    )
                self.move((event.track, event.number), event.data, semitones)
            elif event.kind == META and event.data[1] in (KEY, MARKER):
                content = _transposed_text(event.data, semitones)
                if content is not None:
                    self.changed[event.track, event.number] = content

    def scale_tempi(self, factor: float) -> None:
        """Multiply all tempi (beats per minute) by a factor; the first one is set at tick 0."""
        tempi = [event for event in self.events if event.kind == META and event.data[1] == TEMPO]
        for event in tempi:
            us_per_beat = int.from_bytes(event.data[-3:], "big")
            self.changed[event.track, event.number] = _tempo(us_per_beat / factor)
        if not tempi or tempi[0].tick > 0:
            self.new[0].append(TrackEvent(0, (0, -1), _tempo(DEFAULT_TEMPO.us_per_beat / factor)))

    def set_programs(self, programs: Mapping[int, int]) -> None:
        """Change the program events of parts, and move their notes into the ranges of the instruments."""
        setting = self._setting_events()
        users: dict[tuple[Channel, Place | None], set[int]] = defaultdict(set)
        part_of = {key: part for part, key in enumerate(self.keys)}
        for note in self.notes:
            users[note.channel, setting[note.on]].add(part_of[note.part_key])
        for (channel, place), parts in users.items():
            new_programs = {programs.get(part) for part in parts}
            if new_programs == {None}:
                continue
            if len(new_programs) > 1:
                names = " and ".join(str(part + 1) for part in sorted(parts))
                raise MidiError(
                    f"parts {names} share channel {channel[1] + 1}: must have the same instrument"
                )
            program = programs[min(parts)]
            if place is not None:
                self.changed[place] = bytes([PROGRAM | channel[1], program])
                continue
            unset = [note for note in self.notes if note.channel == channel and setting[note.on] is None]
            first = min(unset, key=lambda note: (note.onset_ticks, note.on))
            order = (1, first.on[1] - 1)
            event = TrackEvent(first.onset_ticks, order, bytes([PROGRAM | channel[1], program]))
            self.new[first.on[0]].append(event)
        for part, program in programs.items():
            self._rename(self.keys[part], program)
            self._fit(self.keys[part], *pitch_range(program))

    def _setting_events(self) -> dict[Place, Place | None]:
        """For each note-on, the event that set the program of its channel, or None."""
        current: dict[Channel, Place] = {}
        settings: dict[Place, Place | None] = {}
        for event in self.events:
            if event.kind == PROGRAM:
                current[event.channel] = event.track, event.number
            elif event.kind == NOTE_ON:
                settings[event.track, event.number] = current.get(event.channel)
        return settings

    def _rename(self, key: tuple[int, int, int, int], program: int) -> None:
        """Rename the track of a part if its name is that of the instrument."""
        old = theory.INSTRUMENTS[key[3]]
        for event in self.events:
            if event.track == key[0] and event.kind == META and event.data[1] == SEQUENCE_NAME:
                name = _content(event.data).decode("utf-8", "replace")
                if name.startswith(old):
                    text = theory.INSTRUMENTS[program] + name[len(old) :]
                    self.changed[event.track, event.number] = _meta(SEQUENCE_NAME, text.encode())

    def _fit(self, key: tuple[int, int, int, int], lowest: int, highest: int) -> None:
        """Move the notes of a part by octaves into a range, all by the same number of octaves if possible.

        Notes that are still outside are moved one by one, and left out where they would overlap another note.
        """
        data_of = {(e.track, e.number): e.data for e in self.events if e.kind in (NOTE_ON, NOTE_OFF)}
        notes = [note for note in self.notes if note.part_key == key]
        pitches = [(self.changed.get(note.on) or data_of[note.on])[1] for note in notes]
        together = _best_octaves(pitches, lowest, highest)
        taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
        moves = [_octaves_into(pitch + together, lowest, highest) for pitch in pitches]
        order = sorted(range(len(notes)), key=lambda number: (moves[number] != 0, number))
        for number in order:
            note, pitch = notes[number], pitches[number] + together + moves[number]
            span = note.onset_ticks, max(note.end_ticks, note.onset_ticks + 1)
            places = [place for place in (note.on, note.off) if place is not None]
            if moves[number] and any(start < span[1] and span[0] < end for start, end in taken[pitch]):
                self.changed |= dict.fromkeys(places)
                self.left_out += 1
                continue
            taken[pitch].append(span)
            for place in places:
                self.move(place, data_of[place], together + moves[number])
            if note.off is None and moves[number]:
                off = bytes([NOTE_OFF | note.channel[1], pitch, 0])
                self.new[note.on[0]].append(TrackEvent(note.end_ticks, (0, pitch), off))


def _best_octaves(pitches: Iterable[int], lowest: int, highest: int) -> int:
    """The smallest shift by whole octaves, in semitones, that brings most pitches into a range."""
    pitches = list(pitches)
    low, high = -min(pitches), HIGHEST_PITCH - max(pitches)

    def outside(semitones: int) -> int:
        return sum(not lowest <= pitch + semitones <= highest for pitch in pitches)

    moves = [m for k in range(-10, 11) if low <= (m := OCTAVE * k) <= high]
    return min(moves, key=lambda semitones: (outside(semitones), abs(semitones), semitones))


def _octaves_into(pitch: int, lowest: int, highest: int) -> int:
    """The shift by whole octaves, in semitones, that brings a pitch into a range of at least an octave."""
    below, above = max(0, lowest - pitch), max(0, pitch - highest)
    return OCTAVE * (-(-below // OCTAVE) - -(-above // OCTAVE))


def _transposed_text(data: bytes, semitones: int) -> bytes | None:
    """A key signature or chord marker, transposed by semitones; None for any other marker."""
    content = _content(data)
    if data[1] == KEY:
        if len(content) != 2 or content[1] > 1:
            return None
        sharps = int.from_bytes(content[:1], "big", signed=True)
        key = theory.transposed_key(KeySignature(0, sharps, bool(content[1]))[1:], semitones)
        return _meta(KEY, bytes([key[0] & 0xFF, key[1]]))
    chord = re.fullmatch(
        rf"{CHORD_PREFIX}([A-G][#b]*)([^/]*)(/?)([A-G][#b]*)?", content.decode("utf-8", "replace")
    )
    if not chord:
        return None
    root, bass = ("" if note is None else _transposed_note(note, semitones) for note in (chord[1], chord[4]))
    return _meta(MARKER, f"{CHORD_PREFIX}{root}{chord[2]}{chord[3]}{bass}".encode())


def _transposed_note(name: str, semitones: int) -> str:
    return theory.PITCH_CLASS_NAMES[(theory.pitch_class(name) + semitones) % 12]


def _content(data: bytes) -> bytes:
    """The content of a meta event, which follows its length."""
    at = 2
    while data[at] & 0x80:
        at += 1
    return data[at + 1 :]


def _meta(kind: int, content: bytes) -> bytes:
    return bytes([META, kind]) + variable_length(len(content)) + content


def _tempo(us_per_beat: float) -> bytes:
    """A tempo event, from microseconds a beat."""
    return _meta(TEMPO, min(max(round(us_per_beat), 1), MAX_US_PER_BEAT).to_bytes(3, "big"))
