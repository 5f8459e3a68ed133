"""The fast reader: a track through symusic, straight to numpy."""

from __future__ import annotations

import re
from itertools import repeat
from typing import Any

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.chunks import (
    KEY,
    MARKER,
    METER,
    TEMPO,
    Chunks,
    all_tracks,
    events,
    one_track,
    variable_length,
    without_unused_events,
)
from ritornello.midi.event_counts import count_events
from ritornello.midi.mido_reader import read_mido
from ritornello.midi.raw_events import CHORD_PREFIX, NO_PEDAL, SUSTAIN, RawEvents, decode
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo
from ritornello.music.score_limits import MAX_TICKS

# FF 03: track name, FF 06: marker; then the length, then the text. Overlapping places are all found.
TEXT_EVENT = re.compile(rb"(?=\xff[\x03\x06][\x80-\xff]?[\x00-\x7f])")
HUGE_METER = re.compile(rb"\xff\x58\x04.[\x20-\xff]", re.DOTALL)
UNSTABLE = 24  # events, of which symusic's sort changes the order of equals
LOST = "\ufffd"


def read_symusic(track: bytes, ticks_per_beat: int) -> RawEvents:
    """A track's events through symusic; through mido where symusic refuses it or would lose something."""
    import symusic

    seen = scan_tracks(track)
    track = without_unused_events(track) if seen.misleads else track
    try:
        found: Any = symusic.Score.from_midi(one_track(ticks_per_beat, track))
    except Exception:  # symusic raises plain RuntimeError and ValueError from C++
        return read_mido(track, ticks_per_beat)  # which says better what is wrong
    raw = _raw(found)
    lost = not _restore_texts(raw, track) or (seen.wraps and _wraps(track))
    if lost or (_order_lost(raw) and not _reorder(raw, track)):
        try:
            return read_mido(track, ticks_per_beat)
        except MidiError:  # then what symusic made of it is the best there is
            return raw
    return raw


def read_whole(chunks: Chunks, seen: TrackScan) -> RawEvents | None:
    """All tracks of a file at once; None where each must be looked at by itself, as `read_symusic` does.

    `seen` is what all of them side by side show.
    """
    import symusic

    try:
        tracks = chunks.tracks
        if seen.misleads:
            tracks = [
                without_unused_events(track) if scan_tracks(track).misleads else track for track in tracks
            ]
        data = all_tracks(chunks.ticks_per_beat, tracks)
        raw = _raw(symusic.Score.from_midi(data))
    except Exception:  # MidiError, and symusic's plain RuntimeError and ValueError from C++
        return None
    if seen.wraps and any(map(_wraps, tracks)):
        return None
    return None if _order_lost(raw) or not _restore_texts(raw, data) else raw


def _raw(found: Any) -> RawEvents:
    """What symusic found in one track or in several."""
    raw = RawEvents()
    for voice in found.tracks:
        _add_voice(raw, voice)
    if len(found.tempos):  # there may be thousands
        tempi = found.tempos.numpy()
        pairs = zip(tempi["time"].tolist(), tempi["mspq"].tolist(), strict=True)
        raw.tempi = list(map(tuple.__new__, repeat(Tempo), pairs))  # a third of the time of Tempo()
    raw.meters = [Meter(t.time, t.numerator, t.denominator) for t in found.time_signatures]
    raw.keys = [KeySignature(k.time, k.key, bool(k.tonality)) for k in found.key_signatures]
    raw.markers = [Marker(m.time, m.text) for m in found.markers]
    return raw


def _add_voice(raw: RawEvents, voice: Any) -> None:
    """Add symusic's track, which is a channel and program of the file's, if it has notes."""
    if not len(voice.notes):
        return
    notes = voice.notes.numpy()
    controls, pedal = voice.controls, NO_PEDAL
    raw.dropped["controllers"] += len(controls)
    raw.dropped["pitch bends"] += len(voice.pitch_bends)
    if len(controls):
        moved = controls.numpy()
        sustain = (moved["number"] == SUSTAIN).nonzero()[0]
        if len(sustain):
            raw.dropped["controllers"] -= len(sustain)
            pedal = np.stack([moved["time"][sustain], moved["value"][sustain]], axis=1)
    columns = (notes["time"], notes["duration"], notes["pitch"], notes["velocity"])
    raw.add(Part(voice.name, voice.program, voice.is_drum), columns, pedal)


def _order_lost(raw: RawEvents) -> bool:
    """Whether events of one tick contradict each other in a list too long for symusic to sort stably."""
    long = [events for events in (raw.tempi, raw.meters, raw.keys, raw.markers) if len(events) >= UNSTABLE]
    if len(raw.markers) >= UNSTABLE:  # of which only the order of chord labels matters
        long[-1] = [marker for marker in raw.markers if marker.text.startswith(CHORD_PREFIX)]
    return any(len(set(events)) > len({e.onset_ticks for e in events}) for events in long)


def _reorder(raw: RawEvents, track: bytes) -> bool:
    """Put the changes of tempo, meter and key and the markers of a track in the order of the file.

    Returns False where a walk through the file does not find the same ones.
    """
    said: dict[str, list[Any]] = {name: [] for name in ("tempi", "meters", "keys", "markers")}
    for _, _, end, kind, size in events(track, unplayed=True):
        data = track[end - size : end]
        if kind == TEMPO:
            said["tempi"].append((Tempo, int.from_bytes(data[:3], "big")))
        elif kind == METER:
            said["meters"].append((Meter, data[0], 1 << data[1]))
        elif kind == KEY:
            said["keys"].append((KeySignature, (data[0] ^ 0x80) - 0x80, bool(data[1])))
        elif kind == MARKER:
            said["markers"].append((Marker, decode(data)))
    # in one track the order of the file is that of the ticks, which symusic has right
    found: dict[str, list[Any]] = {}
    for name, changes in said.items():
        sorted_badly = getattr(raw, name)
        if len(changes) != len(sorted_badly):
            return False
        pairs = zip(sorted_badly, changes, strict=True)
        found[name] = [kind(event.onset_ticks, *rest) for event, (kind, *rest) in pairs]
        if sorted(found[name]) != sorted(sorted_badly):
            return False
    for name, events_in_order in found.items():
        setattr(raw, name, events_in_order)
    return True


def _wraps(track: bytes) -> bool:
    """Whether the track reaches tick 2**31, or a meter over 2**32: there symusic's numbers wrap."""
    if HUGE_METER.search(track):
        return True
    return scan_tracks(track).ticks > MAX_TICKS and count_events(track).ticks > MAX_TICKS


def _restore_texts(raw: RawEvents, track: bytes) -> bool:
    """Put back names and markers that are not UTF-8, in which symusic leaves U+FFFD for each lost byte.

    Returns False where that cannot be told, because two texts of the track are alike to symusic.
    """
    lost = {part.name for part in raw.parts if LOST in part.name}
    lost |= {marker.text for marker in raw.markers if LOST in marker.text}
    if not lost:
        return True
    found: dict[str, set[str]] = {}
    for match in TEXT_EVENT.finditer(track):
        length, start = variable_length(track, match.end() + 2)
        text = track[start : start + length]
        found.setdefault(_blurred(text.decode("utf-8", "replace")), set()).add(decode(text))
    candidates = {text: found.get(_blurred(text), set()) for text in lost}
    if any(len(originals) != 1 for originals in candidates.values()):
        return False
    original = {text: originals.pop() for text, originals in candidates.items()}
    raw.parts = [part._replace(name=original.get(part.name, part.name)) for part in raw.parts]
    raw.markers = [marker._replace(text=original.get(marker.text, marker.text)) for marker in raw.markers]
    return True


def _blurred(text: str) -> str:
    return re.sub(f"{LOST}+", LOST, text)
