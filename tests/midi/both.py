"""Reading with both readers at once, and the smallest song."""

from __future__ import annotations

from ritornello.errors import MidiError
from ritornello.midi import Parsed, Pedal, parse
from ritornello.music.score import Score
from tests.scores import midi_file, track

ONE_NOTE = """
    00 90 3C 40    # at 0 on channel 1: C4 (3C = 60), velocity 64
    60 80 3C 00    # at 96: off
"""
Note = tuple[int, int, int, int, int]


def parse_both(data: bytes, pedal: Pedal = "extend") -> Parsed:
    """Read a file with symusic and mido, which must agree, also on what was dropped."""
    fast = parse(data, reader="symusic", pedal=pedal)
    reference = parse(data, reader="mido", pedal=pedal)
    assert fast.score == reference.score, (notes(fast.score), notes(reference.score))
    assert fast.dropped == reference.dropped
    return fast


def read_both(data: bytes, pedal: Pedal = "extend") -> Score:
    """The Score on which both readers agree."""
    return parse_both(data, pedal).score


def refusal(data: bytes, reader: str) -> str:
    """The message with which a reader refuses a file named 'lead.mid'."""
    try:
        found = parse(data, name="lead.mid", reader=reader)  # type: ignore[arg-type]
    except MidiError as error:
        return str(error)
    raise AssertionError(f"{reader} read {found}")


def notes(score: Score) -> list[Note]:
    """(onset_ticks, duration_ticks, pitch, velocity, part) of every note."""
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity, score.part)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def one(*lines: str) -> bytes:
    """A file of format 0 with these events in hex."""
    return midi_file(track(*lines), kind=0)
