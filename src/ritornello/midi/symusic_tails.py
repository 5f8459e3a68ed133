"""Add events long after the end of each track, so that symusic returns what it would leave out.

symusic leaves out notes that never end, and does not return the channel of a part. So each track gets, on
each of its channels: note-offs of all pitches; a pitch bend whose value encodes the track and the channel;
and a note, which is in the part with the last program of the channel.
"""

from __future__ import annotations

import re

from ritornello.errors import MidiError
from ritornello.midi.channel_state import BEND, CONTROLLER, NOTE_ON, PROGRAM
from ritornello.midi.event_counts import count_events
from ritornello.midi.track_scan import TrackScan, scan_tracks

TAIL_TICKS = 1 << 30  # the added events are at least so much later than the end
MAX_TRACKS = 1 << 10  # the most tracks that a bend can encode
_END = b"\xff\x2f\x00"
_TAIL_START = b"\xff\x01\x00" + b"\xff\xff\xff\x7f\xff\x01\x00" * 4 + b"\x04\xff\x01\x00"
_NOTE_OFFS = [
    bytes([0, 0x80 | c, 0, 64]) + b"".join(bytes([0, p, 64]) for p in range(1, 128)) for c in range(16)
]
_NOTE_ON, _CONTROLLER, _PROGRAM = (
    [bytes([kind | c]) for c in range(16)] for kind in (NOTE_ON, CONTROLLER, PROGRAM)
)
_WITH_DATA = {status: re.compile(status + rb"[\0-\x7f]{2}") for status in (*_NOTE_ON, *_CONTROLLER)}


def with_tails(tracks: list[bytes], scan: TrackScan, note_offs: int) -> list[bytes]:
    """Return the tracks with the added events, of which `note_offs` are note-offs of each pitch.

    Raises MidiError if the tracks are too many or too long.
    """
    ticks = scan.max_ticks
    if ticks >= TAIL_TICKS:
        ticks = max(map(_exact_ticks, tracks))
    if ticks >= TAIL_TICKS or len(tracks) > MAX_TRACKS:
        raise MidiError("too long for symusic")
    longer = []
    for number, track in enumerate(tracks):
        tail = []
        for channel in range(16):
            has_notes = _may_have(track, _NOTE_ON[channel])
            if has_notes or _PROGRAM[channel] in track or _may_have(track, _CONTROLLER[channel]):
                tail += [_NOTE_OFFS[channel] * note_offs] if has_notes else []
                bend = (0, BEND | channel, (number << 4 | channel) & 127, number >> 3)
                tail.append(bytes([*bend, 0, NOTE_ON | channel, 0, 1, 0, 0, 0]))
        if tail:
            body = track.removesuffix(_END)
            start = _TAIL_START if len(body) < len(track) else b"\0" + _TAIL_START
            track = b"".join([body, start, *tail, b"\0", _END])
        longer.append(track)
    return longer


def _may_have(track: bytes, status: bytes) -> bool:
    """Whether the track has this status before two data bytes; these may also be part of another event."""
    return status in track and _WITH_DATA[status].search(track) is not None


def _exact_ticks(track: bytes) -> int:
    """The length of a track in ticks, counted only if it may be long."""
    bound = scan_tracks(track).max_ticks
    return bound if bound < TAIL_TICKS else count_events(track).ticks


def place_in_bend(value: int) -> tuple[int, int]:
    """Return the track and the channel that the value (-8192 to 8191) of an added bend encodes."""
    return divmod(value + (1 << 13), 16)
