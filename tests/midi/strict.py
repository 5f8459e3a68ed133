"""A strict reader of MIDI bytes, written from the Standard MIDI Files 1.0 specification only.

It shares no code with symusic, mido or us, and accepts only what the specification lays down: every chunk of
its stated length, every track ended by its end, every data byte below 128, no event that is unknown.
"""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """An event at a tick: a status byte (FF for a meta event, then its kind) and the data."""

    tick: int
    status: int
    kind: int
    data: bytes


class Strict(NamedTuple):
    """A file: its format, its division, and the events of each track."""

    format: int
    division: int
    tracks: list[list[Event]]


DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
UNKNOWN = 0x7F  # a meta event that each sequencer may use for itself
META_LENGTHS = {0x21: 1, 0x2F: 0, 0x51: 3, 0x58: 4, 0x59: 2}
TEXTS = range(0x01, 0x08)


def read_strictly(data: bytes) -> Strict:
    """Return the events of a file; raises AssertionError for anything that the specification forbids."""
    assert data[:8] == b"MThd\0\0\0\6"
    form, count, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    assert form in (0, 1)
    assert 1 <= division <= 0x7FFF
    at, tracks = 14, []
    for _ in range(count):
        assert data[at : at + 4] == b"MTrk"
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 8 : at + 8 + size]
        assert len(body) == size
        tracks.append(_events(body))
        at += 8 + size
    assert at == len(data), "bytes after the last track"
    assert form == 1 or count == 1
    return Strict(form, division, tracks)


def _events(body: bytes) -> list[Event]:
    """The events of one track, the end not among them."""
    at, tick, running = 0, 0, 0
    events: list[Event] = []
    while True:
        delta, at = _number(body, at)
        tick += delta
        status = body[at]
        if status == 0xFF:
            kind = body[at + 1]
            length, at = _number(body, at + 2)
            data, at, running = body[at : at + length], at + length, 0
            assert len(data) == length
            assert kind in (*TEXTS, UNKNOWN) or META_LENGTHS[kind] == length
            if kind == 0x2F:
                assert at == len(body), "events after the end of a track"
                return events
        elif status == 0xF0:
            kind, running = 0, 0
            length, at = _number(body, at + 1)
            data, at = body[at : at + length], at + length
            assert data[-1] == 0xF7
        else:
            if status >= 0x80:
                running, at = status, at + 1
            assert running, "running status after a meta event or at the start"
            status, kind, length = running, 0, DATA_BYTES[running & 0xF0]
            data, at = body[at : at + length], at + length
            assert len(data) == length
            assert max(data) < 0x80
        events.append(Event(tick, status, kind, data))


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A number of at most four bytes, and where it ends."""
    value = 0
    for end in range(at, at + 4):
        value = value << 7 | body[end] & 0x7F
        if body[end] < 0x80:
            return value, end + 1
    raise AssertionError("a number of more than four bytes")
