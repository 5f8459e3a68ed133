"""The length and the changes of tracks: exact counts, and bounds that are never too low."""

from hypothesis import given
from hypothesis import strategies as st

from ritornello.midi.event_counts import EventCounts, count_events
from ritornello.midi.track_scan import scan_tracks
from tests.scores import from_hex


def variable(number: int) -> bytes:
    """A number as a time is written: seven bits a byte, all but the last with the highest bit set."""
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, number & 127 | 128)
    return bytes(digits)


EVENTS = [
    ("90 3C 40", 0), ("3D 40", 0), ("C0 07", 0), ("B0 07 64", 0), ("D0 01", 0), ("E0 00 40", 0),
    ("FF 51 03 07 A1 20", 1), ("FF 06 02 FF 51", 1), ("FF 01 81 00" + " C3" * 128, 0), ("F0 03 7E 7F F7", 0),
]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 2**28 - 1), st.sampled_from(EVENTS)), max_size=40))
def test_counting_is_exact_and_the_bound_is_never_too_low(drawn: list[tuple[int, tuple[str, int]]]) -> None:
    body, status = b"\x00\x90\x3c\x40", 0x90
    for ticks, (event, _) in drawn:
        data = from_hex(event)
        if data[0] < 0x80:  # running status, with two bytes of data or, after these, one
            data = data[:1] if 0xC0 <= status < 0xE0 else data
        elif data[0] < 0xF0:
            status = data[0]
        body += variable(ticks) + data
    total = sum(ticks for ticks, _ in drawn)
    assert count_events(body + b"\x00\xff\x2f\x00") == EventCounts(
        total, sum(change for _, (_, change) in drawn)
    )
    assert scan_tracks(body).max_ticks >= total


def test_a_track_that_is_cut_off_is_counted_up_to_the_cut() -> None:
    whole = from_hex("60 90 3C 40", "60 80 3C 00", "00 FF 51 03 07 A1 20")
    for length in range(len(whole)):
        assert count_events(whole[:length]).ticks in (0, 0x60, 0xC0)
