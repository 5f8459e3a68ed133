"""The outcome of a file by its bytes: each outcome once, each limit at the limit and one beyond it."""

from dataclasses import replace

import pytest

from ritornello.corpus.checks.check import CheckSettings, check
from ritornello.corpus.outcomes import OUTCOMES
from ritornello.midi import to_bytes
from ritornello.music.score import Part, Score
from tests.corpus.folders import song
from tests.scores import from_hex, midi_file, track

CHECKS = CheckSettings()


def outcome(data: bytes, **changes: object) -> str:
    checked = check(data, replace(CHECKS, **changes))  # type: ignore[arg-type]
    assert checked.outcome in OUTCOMES
    assert (checked.score is None) == (checked.outcome != "kept") == bool(checked.reason)
    return checked.outcome


def notes(count: int, pitches: tuple[int, ...] = (60, 64), step: int = 48, part: Part | None = None) -> bytes:
    columns = [range(0, count * step, step), [24] * count, [pitches[i % len(pitches)] for i in range(count)]]
    return to_bytes(Score.of(96, *columns, [80] * count, parts=(part or Part(),)))[0]  # type: ignore[arg-type]


def test_kept() -> None:
    assert outcome(song(0)) == "kept"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>", "not MIDI"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not MIDI"),
        (b"RIFF\0\0\0\0RMIDdata", "unreadable"),
        (b"MThd", "unreadable"),
        (song(0)[:60], "unreadable"),
        (midi_file(track()), "empty"),
        (midi_file(track("00 90 3C 40 # a note that never ends")), "empty"),
        (midi_file(track(), ticks=0), "unreadable"),  # no ticks a beat
        (notes(16, (60,)), "one repeated note"),
    ],
    ids=["empty", "html", "wave", "riff", "head", "cut", "no notes", "no end", "no resolution", "one pitch"],
)
def test_outcomes(data: bytes, expected: str) -> None:
    assert outcome(data) == expected


def test_min_notes() -> None:
    assert (outcome(notes(16)), outcome(notes(15))) == ("kept", "too short")


def test_max_file_bytes() -> None:
    data = song(0)
    assert outcome(data, max_file_bytes=len(data)) == "kept"
    assert outcome(data, max_file_bytes=len(data) - 1) == "too large"
    assert CHECKS.max_file_bytes == 16 << 20
    assert outcome(bytes((16 << 20) + 1)) == "too large"
    assert outcome(bytes(16 << 20)) == "not MIDI"


def test_max_notes() -> None:
    assert outcome(notes(30), max_notes=30) == "kept"
    assert outcome(notes(30), max_notes=29) == "too many notes"


@pytest.mark.slow
def test_a_million_notes_and_one() -> None:
    # each note 8 bytes: on after 1 tick, off after 1 tick; two pitches in turn
    pair = from_hex("01 90 3C 40", "01 80 3C 00", "01 90 3D 40", "01 80 3D 00")
    one = from_hex("01 90 3E 40", "01 80 3E 00")
    million = midi_file(_chunk(pair * 500_000), ticks=32767)
    beyond = midi_file(_chunk(pair * 500_000 + one), ticks=32767)
    assert (outcome(million), outcome(beyond)) == ("kept", "too many notes")


def _chunk(body: bytes) -> bytes:
    return track(body.hex())


def test_max_beats() -> None:
    # 16 notes on each of the first beats, and one on the last beat that is allowed
    def lasting(beats: int) -> bytes:
        onset = [96 * beat for beat in range(16)] + [96 * beats]
        return to_bytes(Score.of(96, onset, [24] * 17, [60, 62] * 8 + [64], [80] * 17))[0]

    assert (outcome(lasting(32_768)), outcome(lasting(32_769))) == ("kept", "too long")


def test_drums_only() -> None:
    drums = notes(20, (36, 38), part=Part("", 0, True))
    assert outcome(drums) == "kept"
    assert outcome(drums, drums_only=False) == "drums only"
    assert outcome(notes(20), drums_only=False) == "kept"


def test_impossible_events_are_dropped() -> None:
    # tempo of 0 microseconds a beat, meter of 4 / 2^255, key of 100 sharps: left out, the notes stay
    odd = track("00 FF 51 03 00 00 00", "00 FF 58 04 04 FF 18 08", "00 FF 59 02 64 00")
    whole = song(1)
    body = whole[14:]
    data = whole[:10] + (3).to_bytes(2, "big") + whole[12:14] + odd + body
    checked = check(data, CHECKS)
    assert checked.outcome == "kept"
    assert checked.score is not None
    assert (checked.score.meters, checked.score.keys) == ((), ())


def test_every_outcome_has_a_reason_and_a_remedy() -> None:
    for name, (reason, remedy) in OUTCOMES.items():
        assert reason
        assert remedy or name in ("kept", "archive", "read again")
