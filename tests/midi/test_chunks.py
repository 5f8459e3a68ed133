"""The events of a track: skipping channel events finds and refuses the same as reading all."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ritornello.errors import MidiError
from ritornello.midi.track_events import CHANNEL, Event, events, without_unused_events

TIMES = st.sampled_from((b"\x00", b"\x7f", b"\x81\x00", b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x00"))
PLAYED = (b"\x90\x3c\x40", b"\x3c\x40", b"\xc0\x05", b"\x05", b"\xd1\x05", b"\xe1\x00\x40", b"\x90\x3c\x80")
OTHERS = (b"\xff\x01\x01a", b"\xff\x51\x03\x07\xa1\x20", b"\xf0\x01\xf7", b"\xf7\x01\x90", b"\xf8", b"\xf4")
END = b"\x00\xff\x2f\x00"
EVENTS = st.tuples(TIMES, st.sampled_from((*PLAYED, *PLAYED, *OTHERS, END[1:]))).map(b"".join)
TRACKS = st.one_of(st.lists(EVENTS, max_size=30).map(b"".join), st.binary(max_size=30))


def other_events(track: bytes, quick: bool) -> tuple[list[Event], str]:
    """Return the events that are not channel events, all at tick 0, and the error at the end, if any."""
    found = []
    try:
        for event in events(track, skip_channel_events=quick):
            if event.kind != CHANNEL:
                found.append(event._replace(tick=0))
    except MidiError as error:
        return found, str(error)
    return found, ""


@given(TRACKS)
@example(
    b"\x00\x90\x3c\x40"
    + b"\x00\x3c\x00" * 200
    + b"\x00\xc0\x01"
    + b"\x00\x02" * 200
    + b"\x00\xf8\x00\x03"
    + END
)
@example(b"\x00\x90\x3c\x40\x00\x3c")
@example(b"\x00\xc0\x01\x00\x90\x80")
def test_skipping_channel_events_finds_and_refuses_the_same(track: bytes) -> None:
    assert other_events(track, quick=True) == other_events(track, quick=False)


def test_a_track_without_unused_events_keeps_its_notes_up_to_its_end() -> None:
    """An empty text, FF 01 00, stands for the escape F7; without an end of track all the rest stays."""
    notes = b"\x00\x90\x3c\x40\x10\x3c\x00"
    assert (
        without_unused_events(notes + b"\x05\xf7\x02\x01\x02" + notes) == notes + b"\x05\xff\x01\x00" + notes
    )
    assert without_unused_events(notes + END + notes) == notes + END
