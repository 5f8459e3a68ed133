"""Ticks and events counted before a reader sees them: exact, at the limit and one beyond it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.preparing.limits import Counted, count, most_ticks, over_limit
from ritornello.score import MAX_TICKS
from tests.scores import from_hex, midi_file, track

LONGEST = "FF FF FF 7F FF 01 00  # 2^28 - 1 ticks, the longest time, then an empty text"


def variable(number: int) -> bytes:
    """A number as a time is written: seven bits a byte, all but the last with the highest bit set."""
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, number & 127 | 128)
    return bytes(digits)


def lasting(ticks: int) -> bytes:
    """A file of one track that lasts so many ticks."""
    lines, left = [], ticks
    while left:
        step = min(left, 2**28 - 1)
        lines.append((variable(step) + from_hex("FF 01 00")).hex())
        left -= step
    return midi_file(track(*lines))


def test_the_longest_track_and_one_tick_more() -> None:
    assert over_limit(lasting(MAX_TICKS), 10_000) is None
    assert over_limit(lasting(MAX_TICKS + 1), 10_000) == (
        "absurd ticks",
        "track 0 lasts 2147483648 ticks, at most 2147483647",
    )


def test_a_small_file_whose_ticks_wrap() -> None:
    # 16 times the longest time is 2^32 - 16 ticks, which a 32-bit reader takes for -16
    data = midi_file(track(*[LONGEST] * 16, "00 90 3C 40", "60 80 3C 00"))
    assert len(data) < 160
    assert (over_limit(data, 10_000) or ("",))[0] == "absurd ticks"


@pytest.mark.parametrize(
    ("event", "is_change"),
    [
        ("00 FF 51 03 07 A1 20 # tempo", True),
        ("00 FF 58 04 04 02 18 08 # meter", True),
        ("00 FF 59 02 00 00 # key", True),
        ("00 FF 06 01 41 # marker", True),
        ("00 FF 01 03 FF 51 03 # a text that looks like a tempo", False),
    ],
)
def test_most_events(event: str, is_change: bool) -> None:
    body = from_hex(event)
    at_limit, beyond = (midi_file(track((body * count).hex())) for count in (10_000, 10_001))
    assert over_limit(at_limit, 10_000) is None
    expected = ("too many events", "10001 changes and markers, at most 10000") if is_change else None
    assert over_limit(beyond, 10_000) == expected


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
    assert count(body + b"\x00\xff\x2f\x00") == Counted(total, sum(change for _, (_, change) in drawn))
    assert most_ticks(body) >= total


def test_what_breaks_off_is_counted_as_far_as_it_goes() -> None:
    whole = from_hex("60 90 3C 40", "60 80 3C 00", "00 FF 51 03 07 A1 20")
    for length in range(len(whole)):
        assert count(whole[:length]).ticks in (0, 0x60, 0xC0)


def test_noise_is_survived() -> None:
    draw = random.Random(0)
    for _ in range(200):
        data = midi_file(b"MTrk\0\0\4\0" + draw.randbytes(1024))
        over_limit(data, 0)
