"""Limits of ticks and events before a file is read: exactly at the limit and one beyond it."""

import random

import pytest

from ritornello.errors import MidiError
from ritornello.midi import limits, parse
from ritornello.midi.chunks import split_file
from ritornello.midi.track_scan import scan_tracks
from ritornello.music.score_limits import MAX_TICKS
from tests.scores import from_hex, midi_file, track

LONGEST = "FF FF FF 7F FF 01 00  # 2^28 - 1 ticks, the longest time, then an empty text"


def variable(number: int) -> bytes:
    """A variable-length quantity of MIDI: seven bits per byte, all but the last with the highest bit set."""
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, number & 127 | 128)
    return bytes(digits)


def over_limit(data: bytes, max_events: int) -> tuple[str, str] | None:
    """Outcome and reason of a file that is beyond a limit."""
    chunks = split_file(data)
    return limits.check_events(chunks, scan_tracks(b"".join(chunks.tracks)), max_events)


def lasting(ticks: int) -> bytes:
    """A MIDI file with one track that lasts `ticks`."""
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
def test_max_events(event: str, is_change: bool) -> None:
    body = from_hex(event)
    at_limit, beyond = (midi_file(track((body * count).hex())) for count in (10_000, 10_001))
    assert over_limit(at_limit, 10_000) is None
    expected = ("too many events", "10001 changes and markers, at most 10000") if is_change else None
    assert over_limit(beyond, 10_000) == expected


def test_a_small_file_with_a_note_far_away() -> None:
    onset = variable(96 * (limits.MAX_BEATS + 1)).hex()
    data = midi_file(track("00 90 3C 40", "60 80 3C 00", f"{onset} 90 3E 40", "60 80 3E 00"))
    assert len(data) < 100
    with pytest.raises(MidiError, match=r"'far.mid': too long: .* begins at beat 32770, at most 32768"):
        parse(data, name="far.mid")


def test_max_file_bytes() -> None:
    with pytest.raises(MidiError, match="too large: 16777217 bytes, at most 16777216"):
        parse(bytes(limits.MAX_FILE_BYTES + 1))


def test_max_notes() -> None:
    three = midi_file(track(*(f"00 90 {pitch} 40 60 80 {pitch} 00" for pitch in ("3C", "3D", "3E"))))
    score = parse(three).score
    assert limits.check_score(score, max_notes=3) is None
    assert limits.check_score(score, max_notes=2) == ("too many notes", "3 notes, at most 2")


def test_max_events_of_parse() -> None:
    with pytest.raises(MidiError, match="too many events: 10001 changes and markers, at most 10000"):
        parse(midi_file(track("00 FF 51 03 07 A1 20 " * 10_001)))


def test_noise_is_survived() -> None:
    draw = random.Random(0)
    for _ in range(200):
        data = midi_file(b"MTrk\0\0\4\0" + draw.randbytes(1024))
        over_limit(data, 0)
