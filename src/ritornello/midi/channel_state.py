"""Give parts the programs and pedals that their channel gets in other tracks.

A channel belongs to a port (meta event 0x21, the first of a track). Its program and pedal hold for its notes
in all tracks, in order of time, at one tick in the order of the tracks. But the readers read each track by
itself. Nearly all files need no change, which a quick look at their bytes shows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import MidiError
from ritornello.midi.raw_events import DRUM_CHANNEL, Columns, RawEvents
from ritornello.midi.track_events import CHANNEL, events
from ritornello.music.score import Part

NOTE_ON, CONTROLLER, PROGRAM, BEND = 0x90, 0xB0, 0xC0, 0xE0  # status bytes without the channel
PORT_EVENT = re.compile(rb"\xff\x21\x01([\0-\x7f])")
Channel = tuple[int, int]  # port, channel 0-15
Ticks = npt.NDArray[np.int64]


class _TrackPart(NamedTuple):
    """Some notes of a part: track, channel and program, the number of the part as it was read, its rows."""

    track: int
    channel: int
    program: int
    number: int
    rows: Any


def apply_channel_state(raw: RawEvents, tracks: Sequence[bytes], are_songs: bool) -> None:
    """Give each part of `raw` the programs and the pedal that its channel has in the whole file, in place.

    A part whose program changes in another track becomes several parts. `are_songs`: the tracks are songs of
    their own (format 2), which share no channel.
    """
    parts_of: dict[Channel, list[int]] = defaultdict(list)
    ports = list(range(len(tracks))) if are_songs else _ports(tracks)
    for number, (track, channel) in enumerate(raw.places):
        parts_of[ports[track], channel].append(number)
    programs: dict[int, Ticks] = {}  # by part: the program of each of its notes
    for (port, channel), numbers in parts_of.items():
        if len(numbers) > 1 or len(tracks) > 1:
            same_port = [number for number, other in enumerate(ports) if other == port]
            _join_pedals(raw, channel, numbers, same_port)
            programs |= _programs(raw, tracks, channel, numbers, same_port)
    if programs:
        _split_parts(raw, programs)


def program_changes(track: bytes, channel: int) -> list[tuple[int, int]]:
    """Return tick and program of each program change on a channel, up to the end or a broken event."""
    status = PROGRAM | channel
    last = track.rfind(status)
    changes: list[tuple[int, int]] = []
    running = 0
    try:
        for event in events(track, skip_long_events=True):
            if event.kind == CHANNEL:
                if event.size == 2 or track[event.start] >= 0x80:  # no run came before
                    running = track[event.start]
                if running == status:
                    changes.append((event.tick, track[event.end - 1]))
            if event.start > last and running != status:
                break
    except MidiError:  # the reader has used the events before the broken one
        pass
    return changes


@lru_cache(maxsize=16)
def sounding_programs(track: bytes) -> set[tuple[int, int]]:
    """Return the channels and programs with which notes of a track begin. Raises MidiError."""
    programs = [0] * 16
    sounding: set[tuple[int, int]] = set()
    status = 0
    for event in events(track):
        if event.kind == CHANNEL:
            status = track[event.start] if track[event.start] >= 0x80 else status
            last = track[event.end - 1]
            if status & 0xF0 == PROGRAM:
                programs[status & 15] = last
            elif status & 0xF0 == NOTE_ON and last:
                sounding.add((status & 15, programs[status & 15]))
    return sounding


def _ports(tracks: Iterable[bytes]) -> list[int]:
    """The port of each track."""
    return [
        event[1][0] if b"\xff\x21" in track and (event := PORT_EVENT.search(track)) else 0 for track in tracks
    ]


def _join_pedals(raw: RawEvents, channel: int, numbers: list[int], same_port: list[int]) -> None:
    """Give the parts `numbers` of a channel the pedal events of all of them and of the tracks `same_port`."""
    moves = [(raw.places[number][0], raw.pedals[number]) for number in numbers if len(raw.pedals[number])]
    silent = [(track, raw.silent[track, channel][1]) for track in same_port if (track, channel) in raw.silent]
    silent = [(track, pedal) for track, pedal in silent if len(pedal)]
    moves += silent
    if not moves or (len(numbers) == 1 and not silent):
        return
    joined = np.concatenate([pedal for _, pedal in sorted(moves, key=lambda move: move[0])])
    joined = joined[np.argsort(joined[:, 0], kind="stable")]
    for number in numbers:
        raw.pedals[number] = joined
    if len(numbers) > 1:
        raw.one_pedal.append(numbers)


def _programs(
    raw: RawEvents, tracks: Sequence[bytes], channel: int, numbers: list[int], same_port: list[int]
) -> dict[int, Ticks]:
    """The programs of the notes of those parts of a channel for which changes in other tracks count."""
    status = PROGRAM | channel
    with_notes = {raw.places[number][0] for number in numbers}
    setters = [
        track
        for track in same_port
        if status in tracks[track] and (track in with_notes or _may_set(raw, tracks[track], track, channel))
    ]
    if not setters or (len(with_notes) == 1 and with_notes.issuperset(setters)):
        return {}
    is_one_program = len({raw.parts[number].program for number in numbers}) == 1
    is_set_once = with_notes.issuperset(setters) and all(tracks[t].count(status) == 1 for t in setters)
    if is_one_program and is_set_once:
        return {}
    changes = {track: program_changes(tracks[track], channel) for track in setters}
    of_notes = {}
    for number in numbers:
        if channel == DRUM_CHANNEL and changes.get(raw.places[number][0]):
            continue  # a Score may have several kits at once, and each is written with its track
        programs_of_notes = _programs_of_part(raw, number, changes, len(tracks))
        if (programs_of_notes != raw.parts[number].program).any():
            of_notes[number] = programs_of_notes
    return of_notes


def _programs_of_part(
    raw: RawEvents, number: int, changes: dict[int, list[tuple[int, int]]], track_count: int
) -> Ticks:
    """The program of each note of a part (N,), set by the last change in any track of its port.

    `changes` has tick and program by track.
    """
    track, program = raw.places[number][0], raw.parts[number].program
    others = sorted(
        (tick * track_count + other, value)
        for other, of_track in changes.items()
        for tick, value in of_track
        if other != track
    )
    own_changes = [tick * track_count + track for tick, value in changes.get(track, []) if value == program]
    at = np.asarray(raw.notes[number][0], np.int64) * track_count + track
    own_at = np.array([-1, *own_changes])[np.searchsorted(own_changes, at, side="right")]
    place = np.searchsorted([other_at for other_at, _ in others], at)
    other_at = np.array([-1, *(other_at for other_at, _ in others)])[place]
    return np.where(other_at > own_at, np.array([program, *(value for _, value in others)])[place], program)


def _may_set(raw: RawEvents, track: bytes, number: int, channel: int) -> bool:
    """Whether a track without notes of a channel may set its program; `number` is that of the track."""
    last_program = raw.silent[number, channel][0] if (number, channel) in raw.silent else 0
    return last_program > 0 or bytes([PROGRAM | channel, 0]) in track


def _split_parts(raw: RawEvents, programs: dict[int, Ticks]) -> None:
    """Make one part of the notes of each track, channel and program; `programs` are new ones by part."""
    pieces: list[_TrackPart] = []
    for number, (part, place) in enumerate(zip(raw.parts, raw.places, strict=True)):
        of_notes = programs.get(number, np.full(len(raw.notes[number][0]), part.program))
        for program in np.unique(of_notes).tolist():
            pieces.append(_TrackPart(*place, program, number, of_notes == program))
    old_parts, old_notes, old_pedals = raw.parts, raw.notes, raw.pedals
    raw.parts, raw.notes, raw.pedals, raw.places = [], [], [], []
    became: dict[int, list[int]] = defaultdict(list)  # old part: its new parts
    for piece in sorted(pieces, key=lambda piece: piece[:4]):
        notes: Columns = [column[piece.rows] for column in old_notes[piece.number]]
        part = old_parts[piece.number]._replace(program=piece.program)
        place = piece[:2]
        if raw.places and raw.places[-1] == place and raw.parts[-1].program == piece.program:
            raw.notes[-1] = [np.concatenate(pair) for pair in zip(raw.notes[-1], notes, strict=True)]
        else:
            raw.add_part(Part(*part), notes, old_pedals[piece.number], place)
        became[piece.number].append(len(raw.parts) - 1)
    raw.one_pedal = [sorted({new for old in group for new in became[old]}) for group in raw.one_pedal]
