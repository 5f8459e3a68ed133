"""The reference reader: reads a track with mido, one message at a time."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.chunks import one_track
from ritornello.midi.raw_events import DRUM_CHANNEL, SUSTAIN, RawEvents, decode
from ritornello.midi.track_events import without_unused_events
from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo

LYRIC_CHANNEL = 15  # symusic puts lyrics on this channel
SEQUENCER_SPECIFIC = 0x7F  # a type of meta event


@dataclass
class _PartEvents:
    """The events of one channel and program of a track."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)  # onset, duration, pitch, velocity
    pedal: list[tuple[int, int]] = field(default_factory=list)  # tick, value
    controllers: int = 0
    bends: int = 0


class _Track:
    """The channel events of one track, sorted into parts by channel and program."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, int], _PartEvents] = {}  # by channel and program
        self.program = [0] * 16  # by channel
        # events of each channel that come before the first note of the part to which they belong
        self.early: dict[int, _PartEvents] = defaultdict(_PartEvents)
        # by channel and pitch: onset, velocity and part of the notes that have not ended
        self.open_notes: dict[tuple[int, int], deque[tuple[int, int, _PartEvents]]] = defaultdict(deque)
        # by channel and pitch: ticks of the note-offs that ended a note
        self.note_offs: dict[tuple[int, int], list[int]] = defaultdict(list)

    def part_of(self, channel: int) -> _PartEvents:
        """Return the part of a note on this channel; a new part gets the channel's early events."""
        key = (channel, self.program[channel])
        if key not in self.parts:
            self.parts[key] = self.early.pop(channel, _PartEvents())
        return self.parts[key]

    def add(self, message: Any, tick: int) -> None:
        """Add a channel message of mido."""
        channel, kind = message.channel, message.type
        if kind == "note_on" and message.velocity:
            self.open_notes[channel, message.note].append((tick, message.velocity, self.part_of(channel)))
        elif kind in ("note_on", "note_off"):
            if queue := self.open_notes[channel, message.note]:
                onset, velocity, part = queue.popleft()
                part.notes.append((onset, tick - onset, message.note, velocity))
                self.note_offs[channel, message.note].append(tick)
        elif kind == "program_change":
            self.program[channel] = message.program
        elif kind in ("control_change", "pitchwheel"):
            part = self.parts.get((channel, self.program[channel])) or self.early[channel]
            if kind == "pitchwheel":
                part.bends += 1
            elif message.control == SUSTAIN:
                part.pedal.append((tick, message.value))
            else:
                part.controllers += 1

    def end_open_notes(self) -> None:
        """If a note of a pitch never ended, let each note of that pitch end at the next event of the pitch.

        This event is a note-off or another note. A note with no such event is left out.
        """
        for (channel, pitch), queue in self.open_notes.items():
            if not queue:
                continue
            struck = list(queue)
            for part in [part for key, part in self.parts.items() if key[0] == channel]:
                struck += [(note[0], note[3], part) for note in part.notes if note[2] == pitch]
                part.notes = [note for note in part.notes if note[2] != pitch]
            ends = sorted([*self.note_offs[channel, pitch], *(onset for onset, *_ in struck)])
            for onset, velocity, part in struck:
                for end in ends[bisect_right(ends, onset) :][:1]:
                    part.notes.append((onset, end - onset, pitch, velocity))


def read_mido(track: bytes, ticks_per_beat: int, number: int = 0) -> RawEvents:
    """Read the events of track `number` with mido. Raises MidiError with mido's reason if it cannot."""
    raw, channel_events = RawEvents(), _Track()
    tick, name = 0, ""
    for message in _messages(without_unused_events(track, keys_as=SEQUENCER_SPECIFIC), ticks_per_beat):
        tick += message.time
        if message.type == "end_of_track":
            break
        if message.type == "track_name":
            name = decode(message.name.encode("latin-1"))
        elif message.type == "lyrics":
            channel_events.part_of(LYRIC_CHANNEL)  # as symusic does
        elif message.is_meta:
            _add_meta_event(raw, message, tick)
        elif hasattr(message, "channel"):
            channel_events.add(message, tick)
    channel_events.end_open_notes()
    for (channel, program), part in sorted(channel_events.parts.items()):
        if part.notes:
            columns = np.array(part.notes, dtype=np.int64).T
            sound = Part(name, program, channel == DRUM_CHANNEL)
            raw.add_part(sound, tuple(columns), part.pedal, (number, channel))
            raw.dropped["controllers"] += part.controllers
            raw.dropped["pitch bends"] += part.bends
    for channel, program in enumerate(channel_events.program):
        last = channel_events.parts.get((channel, program), channel_events.early[channel])
        if not last.notes:
            raw.silent[number, channel] = (program, np.array(last.pedal, np.int64).reshape(-1, 2))
    return raw


def _messages(track: bytes, ticks_per_beat: int) -> list[Any]:
    """Return the messages of a track. Raises MidiError."""
    import mido

    try:
        # latin-1 keeps every byte of a text, so that `decode` can decode it properly
        file = mido.MidiFile(file=io.BytesIO(one_track(ticks_per_beat, track)), charset="latin-1")
    except Exception as error:  # mido raises OSError, EOFError, ValueError, IndexError, KeySignatureError ...
        reason = " ".join(str(error).split())  # on one line
        raise MidiError(f"mido: {type(error).__name__} {reason}".rstrip()) from error
    return list(file.tracks[0])


def _add_meta_event(raw: RawEvents, message: Any, tick: int) -> None:
    """Add a tempo, meter, key or marker to `raw`; a Score cannot hold other meta events."""
    if message.type == "set_tempo":
        raw.tempi.append(Tempo(tick, message.tempo))
    elif message.type == "time_signature":
        raw.meters.append(Meter(tick, message.numerator, message.denominator))
    elif message.type == "sequencer_specific":  # a key as its two bytes; mido refuses one of eight sharps
        sharps, minor = message.data[:2]
        raw.keys.append(KeySignature(tick, sharps - 256 if sharps > 127 else sharps, bool(minor)))
    elif message.type == "marker":
        raw.markers.append(Marker(tick, decode(message.text.encode("latin-1"))))
