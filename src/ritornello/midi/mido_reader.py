"""The reader of reference: a track through mido, message by message."""

from __future__ import annotations

import io
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.chunks import one_track, without_unused_events
from ritornello.midi.raw_events import DRUM_CHANNEL, SUSTAIN, RawEvents, decode, one_line
from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo

LYRIC_CHANNEL = 15
SEQUENCER_SPECIFIC = 0x7F


@dataclass
class _Voice:
    """What mido's messages of one channel and program add up to."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)  # onset, duration, pitch, velocity
    pedal: list[tuple[int, int]] = field(default_factory=list)  # tick, value
    controllers: int = 0
    bends: int = 0


class _Voices:
    """The voices of one track, by channel and program."""

    def __init__(self) -> None:
        self.begun: dict[tuple[int, int], _Voice] = {}
        self.program = [0] * 16  # by channel
        self.early: dict[int, _Voice] = defaultdict(
            _Voice
        )  # by channel: what came before a voice's first note
        self.sounding: dict[tuple[int, int], deque[tuple[int, int, _Voice]]] = defaultdict(deque)

    def begin(self, channel: int) -> _Voice:
        """The voice that a note on this channel belongs to; its first note takes what came early."""
        key = (channel, self.program[channel])
        if key not in self.begun:
            self.begun[key] = self.early.pop(channel, _Voice())
        return self.begun[key]

    def take(self, message: Any, tick: int) -> None:
        """Count a channel message in."""
        channel, kind = message.channel, message.type
        if kind == "note_on" and message.velocity:
            self.sounding[channel, message.note].append((tick, message.velocity, self.begin(channel)))
        elif kind in ("note_on", "note_off"):
            if queue := self.sounding[channel, message.note]:
                onset, velocity, voice = queue.popleft()
                voice.notes.append((onset, tick - onset, message.note, velocity))
        elif kind == "program_change":
            self.program[channel] = message.program
        elif kind in ("control_change", "pitchwheel"):
            voice = self.begun.get((channel, self.program[channel])) or self.early[channel]
            if kind == "pitchwheel":
                voice.bends += 1
            elif message.control == SUSTAIN:
                voice.pedal.append((tick, message.value))
            else:
                voice.controllers += 1


def read_mido(track: bytes, ticks_per_beat: int) -> RawEvents:
    """A track's events through mido. Raises MidiError with mido's reason."""
    raw, voices = RawEvents(), _Voices()
    tick, name = 0, ""
    for message in _messages(without_unused_events(track, keys_as=SEQUENCER_SPECIFIC), ticks_per_beat):
        tick += message.time
        if message.type == "end_of_track":
            break
        if message.type == "track_name":
            name = decode(message.name.encode("latin-1"))
        elif message.type == "lyrics":
            voices.begin(LYRIC_CHANNEL)  # to symusic a lyric is played, on this channel
        elif message.is_meta:
            _read_event(raw, message, tick)
        elif hasattr(message, "channel"):
            voices.take(message, tick)
    for (channel, program), voice in sorted(voices.begun.items()):
        if voice.notes:
            columns = np.array(voice.notes, dtype=np.int64).T
            raw.add(Part(name, program, channel == DRUM_CHANNEL), tuple(columns), voice.pedal)
            raw.dropped["controllers"] += voice.controllers
            raw.dropped["pitch bends"] += voice.bends
    return raw


def _messages(track: bytes, ticks_per_beat: int) -> list[Any]:
    """The track as mido's messages."""
    import mido

    try:
        # latin-1 keeps every byte of a text; it is decoded properly afterwards
        file = mido.MidiFile(file=io.BytesIO(one_track(ticks_per_beat, track)), charset="latin-1")
    except Exception as error:  # mido raises OSError, EOFError, ValueError, IndexError, KeySignatureError ...
        raise MidiError(f"mido: {type(error).__name__} {one_line(error)}".rstrip()) from error
    return list(file.tracks[0])


def _read_event(raw: RawEvents, message: Any, tick: int) -> None:
    """Add a tempo, meter, key or marker to `raw`; other meta events say nothing that a Score has."""
    if message.type == "set_tempo":
        raw.tempi.append(Tempo(tick, message.tempo))
    elif message.type == "time_signature":
        raw.meters.append(Meter(tick, message.numerator, message.denominator))
    elif message.type == "sequencer_specific":  # a key as its two bytes; mido raises for one of eight sharps
        sharps, minor = message.data[:2]
        raw.keys.append(KeySignature(tick, sharps - 256 if sharps > 127 else sharps, bool(minor)))
    elif message.type == "marker":
        raw.markers.append(Marker(tick, decode(message.text.encode("latin-1"))))
