"""The fast reader: reads tracks with symusic into numpy arrays."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import repeat
from typing import Any

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.channel_state import PROGRAM, sounding_programs
from ritornello.midi.chunks import Chunks, all_tracks
from ritornello.midi.event_counts import count_events
from ritornello.midi.mido_reader import read_mido
from ritornello.midi.raw_events import CHORD_PREFIX, DRUM_CHANNEL, NO_PEDAL, SUSTAIN, RawEvents, decode
from ritornello.midi.symusic_tails import TAIL_TICKS, place_in_bend, with_tails
from ritornello.midi.track_events import (
    KEY,
    MARKER,
    METER,
    TEMPO,
    events,
    read_variable_length,
    without_unused_events,
)
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo
from ritornello.music.score_limits import MAX_TICKS

# FF 03 (a track name) or FF 06 (a marker), then the size; the lookahead also finds overlapping matches
TEXT_EVENT = re.compile(rb"(?=\xff[\x03\x06][\x80-\xff]?[\x00-\x7f])")
HUGE_METER = re.compile(rb"\xff\x58\x04.[\x20-\xff]", re.DOTALL)  # a denominator of 2**32 or more
UNSTABLE_SORT = 24  # with this many events, symusic's sort may change the order of events at one tick
UNKNOWN_PLACE = (-1, -1)  # of a part whose program is not the last one of its channel
MAX_OPEN_NOTES = 100  # of one pitch
REPLACEMENT = "\ufffd"  # symusic puts this in place of bytes that are not UTF-8


def read_symusic(track: bytes, ticks_per_beat: int, number: int = 0) -> RawEvents:
    """Read the events of track `number` with symusic, or with mido if symusic refuses or loses something.

    Raises MidiError if mido cannot read it either.
    """
    scan = scan_tracks(track)
    track = without_unused_events(track) if scan.may_mislead else track
    try:
        raw, is_sure = _read_tracks(ticks_per_beat, [track], scan)
    except Exception:  # symusic raises plain RuntimeError and ValueError from C++
        return read_mido(track, ticks_per_beat, number)  # its error is clearer
    raw.places = [(number, max(channel, 0)) for _, channel in raw.places]
    raw.silent = {(number, max(channel, 0)): state for (_, channel), state in raw.silent.items()}
    is_lossy = not is_sure or not _restore_texts(raw, track) or (scan.may_wrap and _wraps(track))
    if is_lossy or (_order_is_lost(raw) and not _reorder(raw, track)):
        try:
            return read_mido(track, ticks_per_beat, number)
        except MidiError:  # then use what symusic has read
            return raw
    return raw


def read_symusic_file(chunks: Chunks, scan: TrackScan) -> RawEvents | None:
    """Read all tracks of a file at once; return None if each must be read by itself with `read_symusic`.

    `scan` is the scan of all tracks joined.
    """
    try:
        tracks = chunks.tracks
        if scan.may_mislead:
            tracks = [without_unused_events(t) if scan_tracks(t).may_mislead else t for t in tracks]
        raw, is_sure = _read_tracks(chunks.ticks_per_beat, tracks, scan)
    except Exception:  # MidiError, and symusic's plain RuntimeError and ValueError from C++
        return None
    if not is_sure or (scan.may_wrap and any(map(_wraps, tracks))):
        return None
    return None if _order_is_lost(raw) or not _restore_texts(raw, b"".join(tracks)) else raw


def _read_tracks(ticks_per_beat: int, tracks: list[bytes], scan: TrackScan) -> tuple[RawEvents, bool]:
    """Read tracks with symusic; also return whether all channels of parts and ends of notes are certain.

    Raises RuntimeError or ValueError if symusic refuses them, MidiError if they are too many or too long.
    """
    import symusic

    def read(note_offs: int) -> tuple[RawEvents, list[int]]:
        score: Any = symusic.Score.from_midi(all_tracks(ticks_per_beat, with_tails(tracks, scan, note_offs)))
        return _raw_events(score)

    raw, unended = read(1)
    if unended:  # there may be several of one pitch
        raw, unended = read(MAX_OPEN_NOTES)
    is_sure = _find_places(raw, tracks)
    for number in unended:
        is_sure &= _end_open_notes(raw, number) and raw.places.count(raw.places[number]) == 1
    return raw, is_sure


def _raw_events(score: Any) -> tuple[RawEvents, list[int]]:
    """Convert a Score of symusic; also return the parts with notes whose end is missing."""
    raw = RawEvents()
    unended = [len(raw.parts) - 1 for track in score.tracks if len(track.notes) and _add_part(raw, track)]
    if len(score.tempos):  # there may be thousands
        tempi = score.tempos.numpy()
        pairs = zip(tempi["time"].tolist(), tempi["mspq"].tolist(), strict=True)
        raw.tempi = list(map(tuple.__new__, repeat(Tempo), pairs))  # a third of the time of Tempo()
    raw.meters = [Meter(t.time, t.numerator, t.denominator) for t in score.time_signatures]
    raw.keys = [KeySignature(k.time, k.key, bool(k.tonality)) for k in score.key_signatures]
    raw.markers = [Marker(m.time, m.text) for m in score.markers]
    return raw, unended


def _add_part(raw: RawEvents, track: Any) -> bool:
    """Add a track of symusic, which is one channel and program of a track of the file.

    Its place is UNKNOWN_PLACE if its program is not the last one of its channel. Returns whether a note
    has no end.
    """
    notes = track.notes.numpy()
    columns = [notes["time"], notes["duration"], notes["pitch"], notes["velocity"]]
    controls, pedal, place = track.controls, NO_PEDAL, UNKNOWN_PLACE
    bends = track.pitch_bends
    bend_count, count = len(bends), len(controls)
    if columns[0][-1] >= TAIL_TICKS:
        place = place_in_bend(bends[-1].value)
        bend_count -= 1
        columns = [column[:-1] for column in columns]
    sustain_count = 0
    if count:
        values = controls.numpy()
        sustain = (values["number"] == SUSTAIN).nonzero()[0]
        if sustain_count := len(sustain):
            pedal = np.stack([values["time"][sustain], values["value"][sustain]], axis=1)
    if not len(columns[0]):
        raw.silent[place] = (track.program, pedal)
        return False
    raw.dropped["controllers"] += count - sustain_count
    raw.dropped["pitch bends"] += bend_count
    raw.add_part(Part(track.name, track.program, track.is_drum), columns, pedal, place)
    return bool(np.maximum.reduce(columns[1]) >= TAIL_TICKS)


def _find_places(raw: RawEvents, tracks: list[bytes]) -> bool:
    """Find track and channel of the parts whose program is not the last one of a channel.

    The parts of a track are in order of channel and program. Returns False if a place cannot be found.
    """
    places = raw.places
    unknown = [number for number, place in enumerate(places) if place == UNKNOWN_PLACE]
    known_places = sorted({*places, *raw.silent} - {UNKNOWN_PLACE}) if unknown else []
    for number in unknown:
        possible = _possible_places(raw, number, known_places, tracks)
        if len(possible) > 1:
            program = raw.parts[number].program
            others = {(place, part.program) for place, part in zip(places, raw.parts, strict=True)}
            possible = [place for place in possible if (place, program) not in others]
            possible = [(t, c) for t, c in possible if (c, program) in sounding_programs(tracks[t])]
        if not possible:
            return False
        places[number] = min(possible)
    return True


def _possible_places(
    raw: RawEvents, number: int, known: list[tuple[int, int]], tracks: list[bytes]
) -> list[tuple[int, int]]:
    """The possible tracks and channels of part `number`; `known` are the places with a last program."""
    part, places = raw.parts[number], raw.places
    after = next((n for n in range(number, len(places)) if places[n] != UNKNOWN_PLACE), len(places))
    is_next = number > 0 and part.program > raw.parts[number - 1].program
    first = bisect_right(known, places[number - 1]) if number else 0
    most = places[after] if after < len(places) else known[-1]
    possible = [place for place in known[first:] if place <= most] + places[number - 1 : number] * is_next
    if after < len(places) and part.program >= raw.parts[after].program:
        possible = [place for place in possible if place != most]
    return [
        (track, channel)
        for track, channel in possible
        if part.is_drum == (channel == DRUM_CHANNEL)
        and (not part.program or bytes([PROGRAM | channel, part.program]) in tracks[track])
    ]


def _end_open_notes(raw: RawEvents, number: int) -> bool:
    """If a note of a pitch was never ended, let each note of that pitch end at the next event of the pitch.

    This event is a note-off or another note. A note with no such event is left out. Returns False if more
    notes of a pitch may be open, or if no note is left.
    """
    onset, duration, pitch, velocity = raw.notes[number]
    is_open = duration >= TAIL_TICKS
    end = onset + duration
    keep = np.ones(len(onset), bool)
    for value in np.unique(pitch[is_open]):
        rows = (pitch == value).nonzero()[0]
        ends = np.sort(np.concatenate([onset[rows], end[rows[~is_open[rows]]]]))
        after = np.searchsorted(ends, onset[rows], side="right")
        keep[rows[after == len(ends)]] = False
        end[rows] = ends[np.minimum(after, len(ends) - 1)]
    raw.notes[number] = [column[keep] for column in (onset, end - onset, pitch, velocity)]
    return bool(keep.any()) and np.bincount(pitch[is_open]).max() < MAX_OPEN_NOTES


def _order_is_lost(raw: RawEvents) -> bool:
    """Whether a list that symusic does not sort stably has different events at one tick."""
    lists: list[list[Any]] = [raw.tempi, raw.meters, raw.keys]
    long = [events for events in lists if len(events) >= UNSTABLE_SORT]
    if len(raw.markers) >= UNSTABLE_SORT:  # of which only the order of chord labels matters
        long.append([marker for marker in raw.markers if marker.text.startswith(CHORD_PREFIX)])
    return any(len(set(events)) > len({event.onset_ticks for event in events}) for events in long)


def _reorder(raw: RawEvents, track: bytes) -> bool:
    """Put the tempi, meters, keys and markers of a track into the order of the file.

    Returns False, and changes nothing, if symusic found other events than the file has.
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
    """Restore names and markers that are not UTF-8; symusic puts REPLACEMENT in place of each such byte.

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
    """Replace each run of REPLACEMENT by one; decoders put different numbers of them for a lost character."""
    return re.sub(f"{REPLACEMENT}+", REPLACEMENT, text)
