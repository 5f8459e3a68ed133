"""The reader of reference: a MIDI file through mido, message by message."""

from __future__ import annotations

import io
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from ritornello import theory
from ritornello.errors import MidiError
from ritornello.midi.raw import DRUM_CHANNEL, SUSTAIN, Raw, decode, one_line
from ritornello.score import MAX_TICKS, KeySignature, Marker, Meter, Part, Tempo


@dataclass
class _Voice:
    """What mido's messages of one channel and program add up to."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    pedal: list[tuple[int, int]] = field(default_factory=list)
    controllers: int = 0
    bends: int = 0


def read_mido(data: bytes) -> Raw:
    """The file through mido, the reader of reference."""
    import mido

    try:
        # latin-1 keeps every byte of a text; it is decoded properly afterwards
        file = mido.MidiFile(file=io.BytesIO(data), charset="latin-1")
    except Exception as error:  # mido raises OSError, EOFError, ValueError, IndexError, KeySignatureError ...
        raise MidiError(f"mido: {one_line(error) or type(error).__name__}") from error
    raw = Raw()
    for number, track in enumerate(file.tracks):
        _read_track(raw, track, number)
    return raw


def _read_track(raw: Raw, track: Any, number: int) -> None:
    """Add a mido track's parts and events to `raw`."""
    tick, name = 0, ""
    program: dict[int, int] = defaultdict(int)
    voices: dict[tuple[int, int], _Voice] = {}  # by channel and program
    early: dict[int, _Voice] = defaultdict(_Voice)  # by channel: controllers of a part that has no note yet
    sounding: dict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    for message in track:
        tick += message.time
        kind = message.type
        if kind == "note_on" and message.velocity:
            sounding[message.channel, message.note].append((tick, message.velocity, program[message.channel]))
        elif kind in ("note_on", "note_off"):
            if queue := sounding[message.channel, message.note]:
                onset, velocity, instrument = queue.popleft()
                if (message.channel, instrument) not in voices:
                    voices[message.channel, instrument] = early.pop(message.channel, _Voice())
                note = (onset, tick - onset, message.note, velocity)
                voices[message.channel, instrument].notes.append(note)
        elif kind == "program_change":
            program[message.channel] = message.program
        elif kind in ("control_change", "pitchwheel"):
            voice = voices.get((message.channel, program[message.channel])) or early[message.channel]
            if kind == "pitchwheel":
                voice.bends += 1
            elif message.control == SUSTAIN:
                voice.pedal.append((tick, message.value))
            else:
                voice.controllers += 1
        elif kind == "track_name":
            name = message.name
        elif kind == "set_tempo":
            raw.tempi.append(Tempo(tick, message.tempo))
        elif kind == "time_signature":
            raw.meters.append(Meter(tick, message.numerator, message.denominator))
        elif kind == "key_signature":
            raw.keys.append(KeySignature(tick, *theory.parse_key(message.key)))
        elif kind == "marker":
            raw.markers.append(Marker(tick, decode(message.text.encode("latin-1"))))
    if tick > MAX_TICKS:
        raise MidiError(f"track {number}: lasts {tick} ticks, must be at most {MAX_TICKS}")
    for (channel, instrument), voice in sorted(voices.items()):
        part = Part(decode(name.encode("latin-1")), instrument, channel == DRUM_CHANNEL)
        raw.add(part, voice.notes, voice.pedal)
        raw.dropped["controllers"] += voice.controllers
        raw.dropped["pitch bends"] += voice.bends
