"""Write a Score as a .mid file of format 1.

The first track has the tempi, meters, keys, chords and markers; the others follow in the order of the parts.
Parts that shared a track and channel in the file of the Score share a track again. At one tick, the events
that are only copied (FileDetails) come first, then note-offs, then the program and note-ons of each part.
"""

import struct
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from ritornello.errors import InputError
from ritornello.midi.assign_channels import assign_channels
from ritornello.midi.file_events import META, NOTE_OFF, NOTE_ON, PORT, PROGRAM, Channel
from ritornello.midi.raw_events import CHORD_PREFIX, DRUM_CHANNEL
from ritornello.midi.track_events import (
    END_OF_TRACK,
    KEY,
    MARKER,
    METER,
    SEQUENCE_NAME,
    TEMPO,
    variable_length,
)
from ritornello.music.chord_names import marker_name
from ritornello.music.file_details import DetailEvent
from ritornello.music.midi_song import MidiSong
from ritornello.music.score import Score
from ritornello.system.files import file_path, write_bytes

MIDI_ENDINGS = (".mid", ".midi")
MAX_DELTA_TICKS = (1 << 28) - 1  # the largest number in four bytes of seven bits
TEXT = 0x01
FIRST, COPIED, OFF, PLAYED = range(
    4
)  # the order of events at one tick; from PLAYED on two numbers for each part
CLOCKS_PER_CLICK, NOTES_32ND_PER_BEAT = 24, 8  # of a meter: the usual values
ANY_PORT = -1
END_OF_TRACK_EVENT = bytes([META, END_OF_TRACK, 0])

TrackKey = tuple[int, int, int]  # the track in the file of the Score, port and channel
CONDUCTOR: TrackKey = (-1, 0, 0)
NEW_TRACK = 1 << 16  # parts that the file of the Score does not have come after all others


def write(score: Score | MidiSong, path: str | Path, *, comment: str = "") -> tuple[str, ...]:
    """Write a .mid file atomically; `comment` becomes a text event in it.

    A song that was composed, performed or changed is written as its MIDI file, without a comment. Returns the
    names of parts that get the program of another part (see `to_bytes`; here always none). Raises InputError
    unless the path ends in .mid or .midi, OutputError if the system refuses to write.
    """
    target = midi_path(path)
    if isinstance(score, MidiSong):
        if comment:
            raise InputError(f"comment {comment!r:.60}: must be empty for a song that is not a Score")
        data, merged = score.to_bytes(), tuple[str, ...]()
    elif isinstance(score, Score):
        data, merged = to_bytes(score, comment=comment)
    else:
        raise InputError(
            f"song {score!r:.60}: must be a Score, or a song that was composed, performed or changed"
        )
    write_bytes(target, data)
    return merged


def midi_path(path: str | Path) -> Path:
    """Return the path of a MIDI file to write. Raises InputError unless it ends in .mid or .midi."""
    if (target := file_path(path)).suffix.lower() not in MIDI_ENDINGS:
        raise InputError(f"{str(path)!r} must end in {' or '.join(MIDI_ENDINGS)}")
    return target


def to_bytes(
    score: Score, *, comment: str = "", max_ports: int = 128, end_ticks: int = 0
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes that `write` writes, and the names of parts that get the program of another part.

    No track ends before `end_ticks`.

    A port has 15 channels besides the channel of drums. Parts that do not fit on one port share channels if
    they play one after another; then further ports are used. If `max_ports` are not enough, parts share
    programs.
    """
    channels, programs, merged = assign_channels(score, max_ports)
    tracks = _Tracks(score, channels)
    if comment:
        tracks.add(CONDUCTOR, 0, _meta(TEXT, _encoded(comment)))
    for event in score.details.events:
        tracks.copy(event)
    tracks.add_names(score)
    tracks.add_global_events(score)
    tracks.add_notes(score)
    tracks.add_programs(score, programs)
    chunks = [_track_bytes(items, end_ticks) for _, items in sorted(tracks.items.items())]
    header = struct.pack(">4sLHHH", b"MThd", 6, 1, len(chunks), score.ticks_per_beat)
    return header + b"".join(struct.pack(">4sL", b"MTrk", len(c)) + c for c in chunks), merged


def with_channels(score: Score) -> Score:
    """Return the song with the channel of each part in its details, so that events can be added to it."""
    keys = _keys_of_parts(score, assign_channels(score, 128)[0])
    return replace(score, details=score.details._replace(channels=tuple(keys)))


def _keys_of_parts(score: Score, channels: list[Channel]) -> list[TrackKey]:
    """The track of each part: its track in the file of the Score if its channel is the same, or a new one."""
    file_channels = score.details.channels
    return [
        file_channels[i]
        if i < len(file_channels) and file_channels[i][1:] == channel
        else (NEW_TRACK + i, *channel)
        for i, channel in enumerate(channels)
    ]


class _Tracks:
    """The events of each track to be written: tick, order at the tick, port, bytes."""

    def __init__(self, score: Score, channels: list[Channel]) -> None:
        self.channels = channels
        self.key_of_part = _keys_of_parts(score, channels)
        self.items: dict[TrackKey, list[tuple[int, int, int, bytes]]] = {CONDUCTOR: []}
        self.items |= {key: [] for key in self.key_of_part}
        # the first track to be written for each track of the file
        self.first_key = {0: CONDUCTOR} | {key[0]: key for key in sorted(self.key_of_part, reverse=True)}
        self.encoded = dict(score.details.encoded)
        self.copied_names: dict[TrackKey, bytes] = {}
        self.copied_programs: dict[Channel, list[tuple[int, TrackKey, int, int]]] = defaultdict(list)

    def add(self, key: TrackKey, tick: int, data: bytes, order: int = COPIED, port: int = ANY_PORT) -> None:
        """Add an event to a track."""
        self.items[key].append((tick, order, port, data))

    def copy(self, event: DetailEvent) -> None:
        """Add an event of the file to the track that has the notes of its track and channel, if any."""
        status = event.data[0]
        channel = event.port, status & 0x0F
        key: TrackKey = (event.track, *channel)
        if status >= 0xF0 or key not in self.items:
            key = self.first_key.setdefault(event.track, (event.track, -1, 0))
            self.items.setdefault(key, [])
        if status == META and event.data[1] == SEQUENCE_NAME:
            self.copied_names[key] = event.data
        if status & 0xF0 == PROGRAM:
            self.copied_programs[channel].append((event.onset_ticks, key, COPIED, event.data[1]))
        self.add(key, event.onset_ticks, event.data, port=ANY_PORT if status == META else event.port)

    def text(self, kind: int, text: str) -> bytes:
        """Return a meta event with a text, in the bytes that it has in the file of the Score."""
        return _meta(kind, self.encoded.get(text) or _encoded(text))

    def add_names(self, score: Score) -> None:
        """Add the title and the names of the parts, where they are not copied."""
        names = {CONDUCTOR: score.title}
        for key, part in zip(self.key_of_part, score.parts, strict=True):
            names.setdefault(key, part.name)
        for key, name in names.items():
            data = self.text(SEQUENCE_NAME, name)
            if self.copied_names.get(key) != data:
                self.add(key, 0, data, COPIED if key in self.copied_names else FIRST)

    def add_global_events(self, score: Score) -> None:
        """Add the tempi, meters, keys, chords and markers."""
        events = [(t.onset_ticks, _meta(TEMPO, t.us_per_beat.to_bytes(3, "big"))) for t in score.tempi]
        for tick, numerator, denominator in score.meters:
            power = denominator.bit_length() - 1
            values = numerator, power, CLOCKS_PER_CLICK, NOTES_32ND_PER_BEAT
            events.append((tick, _meta(METER, bytes(values))))
        events += [(k.onset_ticks, _meta(KEY, bytes([k.sharps & 0xFF, k.is_minor]))) for k in score.keys]
        for chord in score.chords:
            label = CHORD_PREFIX + marker_name(chord)
            events.append((chord.onset_ticks, self.text(MARKER, label)))
        events += [(m.onset_ticks, self.text(MARKER, m.text)) for m in score.markers]
        for tick, data in events:
            self.add(CONDUCTOR, tick, data)

    def add_notes(self, score: Score) -> None:
        """Add the notes: at one tick by part and pitch."""
        ends = score.onset_ticks.astype(np.int64) + score.duration_ticks
        columns = (score.onset_ticks, ends, score.pitch, score.velocity, score.part)
        offs: list[list[tuple[int, int, int]]] = [[] for _ in score.parts]
        for onset, end, pitch, velocity, part in zip(*(c.tolist() for c in columns), strict=True):
            port, channel = self.channels[part]
            note_on = bytes([NOTE_ON | channel, pitch, velocity])
            self.add(self.key_of_part[part], onset, note_on, PLAYED + 2 * part + 1, port)
            offs[part].append((end, pitch, channel))
        for part, ended in enumerate(offs):
            for end, pitch, channel in sorted(ended):
                data = bytes([NOTE_OFF | channel, pitch, 0])
                self.add(self.key_of_part[part], end, data, OFF, self.channels[part][0])

    def add_programs(self, score: Score, programs: list[int]) -> None:
        """Add programs so that each note has the program of its part, whatever events are copied."""
        owners: dict[Channel, list[int]] = defaultdict(list)
        for part, channel in enumerate(self.channels):
            owners[channel].append(part)
        for channel, parts in owners.items():
            is_of_file = all(self.key_of_part[part][0] < NEW_TRACK for part in parts)
            if channel[1] == DRUM_CHANNEL and is_of_file:
                continue  # its tracks may set different kits, of which players take the last
            strikes = [
                (onset, self.key_of_part[part], PLAYED + 2 * part, programs[part])
                for part in parts
                for onset in sorted({*score.onset_ticks[score.part == part].tolist()}) or [0]
            ]
            is_new = all(self.key_of_part[part][0] >= NEW_TRACK for part in parts)
            current, named = None if is_new else 0, set[TrackKey]()
            for tick, key, order, program in sorted([*strikes, *self.copied_programs[channel]]):
                is_first_of_new = key[0] >= NEW_TRACK and key not in named
                if order != COPIED and (program != current or is_first_of_new):
                    # at tick 0 if nothing, such as a reset by a system exclusive, may undo it
                    at = 0 if current is None and not score.details.events else tick
                    data = bytes([PROGRAM | channel[1], program])
                    self.add(key, at, data, order, channel[0])
                named.add(key)
                current = program


def _encoded(text: str) -> bytes:
    """Return the text in UTF-8, with a question mark for each lone surrogate (from the name of a file)."""
    return text.encode("utf-8", "replace")


def _meta(kind: int, data: bytes) -> bytes:
    """Return a meta event."""
    return bytes([META, kind]) + variable_length(len(data)) + data


def _track_bytes(items: list[tuple[int, int, int, bytes]], end_ticks: int) -> bytes:
    """Return the events of a track as bytes, with running status, and its end at `end_ticks` or later."""
    pieces: list[bytes] = []
    last_tick = port = running = 0
    last = (max([end_ticks, *(item[0] for item in items)]), len(items), ANY_PORT, END_OF_TRACK_EVENT)
    for tick, _, new_port, data in [*sorted(items, key=lambda item: item[:2]), last]:
        while tick - last_tick > MAX_DELTA_TICKS:  # empty texts divide a longer silence
            pieces += [variable_length(MAX_DELTA_TICKS), _meta(TEXT, b"")]
            last_tick, running = last_tick + MAX_DELTA_TICKS, 0
        pieces.append(variable_length(tick - last_tick))
        if new_port not in (ANY_PORT, port):
            port, running = new_port, 0
            pieces += [_meta(PORT, bytes([port])), b"\0"]
        pieces.append(data[1:] if data[0] == running else data)
        running = data[0] if data[0] < 0xF0 else 0
        last_tick = tick
    return b"".join(pieces)
