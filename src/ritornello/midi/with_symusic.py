"""The fast reader: a MIDI file through symusic, straight to numpy, about a hundred times as fast as mido."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.raw import SUSTAIN, Raw, decode, one_line
from ritornello.midi.with_mido import read_mido
from ritornello.score import KeySignature, Marker, Meter, Part, Tempo


def read_symusic(data: bytes) -> Raw:
    """The file through symusic; through mido where symusic refuses it."""
    import symusic

    try:
        found: Any = symusic.Score.from_midi(data)
    except Exception as refusal:  # symusic raises plain RuntimeError and ValueError from C++
        try:
            return read_mido(data)
        except MidiError as error:
            raise MidiError(f"{one_line(refusal)}; and {error}") from error
    raw = Raw()
    for track in found.tracks:
        notes = track.notes.numpy()
        if not len(notes["time"]):
            continue
        controls = track.controls.numpy()
        sustain = controls["number"] == SUSTAIN
        raw.dropped["controllers"] += int((~sustain).sum())
        raw.dropped["pitch bends"] += len(track.pitch_bends)
        columns = [notes[key].astype(np.int64) for key in ("time", "duration", "pitch", "velocity")]
        pedal = (
            np.stack([controls["time"][sustain], controls["value"][sustain]], axis=1) if sustain.any() else ()
        )
        raw.add(Part(track.name, track.program, track.is_drum), np.stack(columns, axis=1), pedal)
    raw.tempi = [Tempo(t.time, t.mspq) for t in found.tempos]
    raw.meters = [Meter(t.time, t.numerator, t.denominator) for t in found.time_signatures]
    raw.keys = [KeySignature(k.time, k.key, bool(k.tonality)) for k in found.key_signatures]
    raw.markers = [Marker(m.time, m.text) for m in found.markers]
    if any(_order_lost(events) for events in (raw.tempi, raw.meters, raw.keys)):
        return read_mido(data)
    _restore_texts(raw, data)
    return raw


def _order_lost(events: list[Any]) -> bool:
    """Whether events of one tick contradict each other in a list too long for symusic to sort stably."""
    return len(events) >= 24 and len(set(events)) > len({event.onset_ticks for event in events})


def _restore_texts(raw: Raw, data: bytes) -> None:
    """Put back names and markers that are not UTF-8, in which symusic leaves U+FFFD for each lost byte."""
    texts = [part.name for part in raw.parts] + [marker.text for marker in raw.markers]
    if not any("\ufffd" in text for text in texts):
        return
    # FF 03: track name, FF 06: marker; a match counts only where it reads as symusic read it
    found = {}
    for match in re.finditer(rb"\xff[\x03\x06]([\x00-\x7f])", data):
        text = data[match.end() : match.end() + match[1][0]]
        found[_blurred(text.decode("utf-8", "replace"))] = decode(text)
    raw.parts = [part._replace(name=found.get(_blurred(part.name), part.name)) for part in raw.parts]
    raw.markers = [
        marker._replace(text=found.get(_blurred(marker.text), marker.text)) for marker in raw.markers
    ]


def _blurred(text: str) -> str:
    return re.sub("\ufffd+", "\ufffd", text)
