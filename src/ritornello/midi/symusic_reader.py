"""The fast reader: reads tracks with symusic into numpy arrays."""

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
    read_variable_length,
    without_unused_events,
)
from ritornello.midi.event_counts import count_events
from ritornello.midi.mido_reader import read_mido
from ritornello.midi.raw_events import CHORD_PREFIX, NO_PEDAL, SUSTAIN, RawEvents, decode
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo
from ritornello.music.score_limits import MAX_TICKS

# FF 03, a track name, or FF 06, a marker, then the size; the lookahead also finds matches that overlap.
TEXT_EVENT = re.compile(rb"(?=\xff[\x03\x06][\x80-\xff]?[\x00-\x7f])")
HUGE_METER = re.compile(rb"\xff\x58\x04.[\x20-\xff]", re.DOTALL)  # a denominator of 2**32 or more
UNSTABLE_SORT = 24  # from so many events on, symusic's sort changes the order of events at one tick
REPLACEMENT = "\ufffd"  # which symusic puts in the place of bytes that are not UTF-8


def read_symusic(track: bytes, ticks_per_beat: int) -> RawEvents:
    """Read the events of a track with symusic, or with mido if symusic refuses or loses something.

    Raises MidiError if mido cannot read it either.
    """
    import symusic

    scan = scan_tracks(track)
    track = without_unused_events(track) if scan.may_mislead else track
    try:
        score: Any = symusic.Score.from_midi(one_track(ticks_per_beat, track))
    except Exception:  # symusic raises plain RuntimeError and ValueError from C++
        return read_mido(track, ticks_per_beat)  # whose error says better what is wrong
    raw = _raw_events(score)
    is_lossy = not _restore_texts(raw, track) or (scan.may_wrap and _wraps(track))
    if is_lossy or (_order_is_lost(raw) and not _reorder(raw, track)):
        try:
            return read_mido(track, ticks_per_beat)
        except MidiError:  # then symusic's events are the best there are
            return raw
    return raw


def read_symusic_file(chunks: Chunks, scan: TrackScan) -> RawEvents | None:
    """Read all tracks of a file at once; return None if each must be read by itself with `read_symusic`.

    `scan` is that of all tracks one after another.
    """
    import symusic

    try:
        tracks = chunks.tracks
        if scan.may_mislead:
            tracks = [without_unused_events(t) if scan_tracks(t).may_mislead else t for t in tracks]
        data = all_tracks(chunks.ticks_per_beat, tracks)
        raw = _raw_events(symusic.Score.from_midi(data))
    except Exception:  # MidiError, and symusic's plain RuntimeError and ValueError from C++
        return None
    if scan.may_wrap and any(map(_wraps, tracks)):
        return None
    return None if _order_is_lost(raw) or not _restore_texts(raw, data) else raw


def _raw_events(score: Any) -> RawEvents:
    """Convert a Score of symusic."""
    raw = RawEvents()
    for track in score.tracks:
        _add_part(raw, track)
    if len(score.tempos):  # there may be thousands
        tempi = score.tempos.numpy()
        pairs = zip(tempi["time"].tolist(), tempi["mspq"].tolist(), strict=True)
        raw.tempi = list(map(tuple.__new__, repeat(Tempo), pairs))  # a third of the time of Tempo()
    raw.meters = [Meter(t.time, t.numerator, t.denominator) for t in score.time_signatures]
    raw.keys = [KeySignature(k.time, k.key, bool(k.tonality)) for k in score.key_signatures]
    raw.markers = [Marker(m.time, m.text) for m in score.markers]
    return raw


def _add_part(raw: RawEvents, track: Any) -> None:
    """Add a track of symusic, which is one channel and program of a track of the file, if it has notes."""
    if not len(track.notes):
        return
    notes = track.notes.numpy()
    controls, pedal = track.controls, NO_PEDAL
    raw.dropped["controllers"] += len(controls)
    raw.dropped["pitch bends"] += len(track.pitch_bends)
    if len(controls):
        columns = controls.numpy()
        sustain = (columns["number"] == SUSTAIN).nonzero()[0]
        if len(sustain):
            raw.dropped["controllers"] -= len(sustain)
            pedal = np.stack([columns["time"][sustain], columns["value"][sustain]], axis=1)
    note_columns = (notes["time"], notes["duration"], notes["pitch"], notes["velocity"])
    raw.add_part(Part(track.name, track.program, track.is_drum), note_columns, pedal)


def _order_is_lost(raw: RawEvents) -> bool:
    """Whether a list that symusic does not sort stably has different events at one tick."""
    lists: list[list[Any]] = [raw.tempi, raw.meters, raw.keys]
    long = [events for events in lists if len(events) >= UNSTABLE_SORT]
    if len(raw.markers) >= UNSTABLE_SORT:  # of which only the order of chord labels matters
        long.append([marker for marker in raw.markers if marker.text.startswith(CHORD_PREFIX)])
    return any(len(set(events)) > len({event.onset_ticks for event in events}) for events in long)


def _reorder(raw: RawEvents, track: bytes) -> bool:
    """Put the tempi, meters, keys and markers of a track into the order of the file.

    Returns False, and changes nothing, if the file's events are not those that symusic found.
    """
    in_file: dict[str, list[Any]] = {name: [] for name in ("tempi", "meters", "keys", "markers")}
    for _, _, end, kind, size in events(track, skip_channel_events=True):
        data = track[end - size : end]
        if kind == TEMPO:
            in_file["tempi"].append((Tempo, int.from_bytes(data[:3], "big")))
        elif kind == METER:
            in_file["meters"].append((Meter, data[0], 1 << data[1]))
        elif kind == KEY:
            in_file["keys"].append((KeySignature, (data[0] ^ 0x80) - 0x80, bool(data[1])))
        elif kind == MARKER:
            in_file["markers"].append((Marker, decode(data)))
    # the order of a track in the file is that of its ticks, which symusic reads correctly
    ordered: dict[str, list[Any]] = {}
    for name, changes in in_file.items():
        unordered = getattr(raw, name)
        if len(changes) != len(unordered):
            return False
        pairs = zip(unordered, changes, strict=True)
        ordered[name] = [kind(event.onset_ticks, *values) for event, (kind, *values) in pairs]
        if sorted(ordered[name]) != sorted(unordered):
            return False
    for name, events_in_order in ordered.items():
        setattr(raw, name, events_in_order)
    return True


def _wraps(track: bytes) -> bool:
    """Whether the track reaches tick 2**31 or a denominator of 2**32; symusic's integers wrap there."""
    if HUGE_METER.search(track):
        return True
    return scan_tracks(track).max_ticks > MAX_TICKS and count_events(track).ticks > MAX_TICKS


def _restore_texts(raw: RawEvents, track: bytes) -> bool:
    """Restore names and markers that are not UTF-8, in which symusic puts REPLACEMENT for each lost byte.

    Returns False if that is not possible because two texts of the track became equal.
    """
    damaged = {part.name for part in raw.parts if REPLACEMENT in part.name}
    damaged |= {marker.text for marker in raw.markers if REPLACEMENT in marker.text}
    if not damaged:
        return True
    originals: dict[str, set[str]] = {}
    for match in TEXT_EVENT.finditer(track):
        size, start = read_variable_length(track, match.end() + 2)
        text = track[start : start + size]
        originals.setdefault(_normalized(text.decode("utf-8", "replace")), set()).add(decode(text))
    candidates = {text: originals.get(_normalized(text), set()) for text in damaged}
    if any(len(texts) != 1 for texts in candidates.values()):
        return False
    original = {text: texts.pop() for text, texts in candidates.items()}
    raw.parts = [part._replace(name=original.get(part.name, part.name)) for part in raw.parts]
    raw.markers = [marker._replace(text=original.get(marker.text, marker.text)) for marker in raw.markers]
    return True


def _normalized(text: str) -> str:
    """Replace each run of REPLACEMENT by one: decoders differ in how many they put for one lost character."""
    return re.sub(f"{REPLACEMENT}+", REPLACEMENT, text)
