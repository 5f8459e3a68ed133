"""Tracks whose length is wrong are read up to their ends, with a warning."""

from __future__ import annotations

import pytest

from ritornello.errors import MidiError
from ritornello.midi import parse
from ritornello.midi.chunks import split_file
from ritornello.midi.patching import replace_notes
from tests.midi.both import ONE_NOTE, read_both
from tests.scores import midi_file, track

TRACKS = (track("00 FF 51 03 07 A1 20"), track("00 C0 05", ONE_NOTE), track("00 91 48 40  83 00 48 00"))
WHOLE = midi_file(*TRACKS)


def with_length(number: int, change: int | None) -> bytes:
    """The file with another length of one track: one that differs by `change`, or 0."""
    start = 14 + sum(len(content) for content in TRACKS[:number])
    size = len(TRACKS[number]) - 8
    wrong = 0 if change is None else size + change
    return WHOLE[: start + 4] + wrong.to_bytes(4, "big") + WHOLE[start + 8 :]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("change", [None, -7, -4, -3, -1, 1, 2, 4, 5, 9, 1000])
def test_a_wrong_length_changes_nothing_and_is_said(
    number: int, change: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    data = with_length(number, change)
    assert read_both(data) == parse(WHOLE).score
    assert parse(data).dropped["wrong track lengths"] == 1
    wrong = 0 if change is None else len(TRACKS[number]) - 8 + change
    parse(data, name=f"{number} {change}.mid")
    said = f"the length of track {number} is {wrong} bytes, but it ends after {len(TRACKS[number]) - 8}"
    assert said in caplog.messages[-1]
    mended = replace_notes(data, set(), 0, 0, [])
    assert split_file(mended).wrong_lengths == []
    assert parse(mended) == parse(WHOLE)


def test_right_lengths_are_not_wrong() -> None:
    padded = track("00 C0 05", ONE_NOTE, end=True)
    padded = b"MTrk" + (len(padded) - 8 + 3).to_bytes(4, "big") + padded[8:] + b"abc"
    for data in (
        WHOLE + b"rubbish",
        midi_file(b"XFIH\0\0\0\2ab", *TRACKS, count=4),
        midi_file(TRACKS[0], padded, TRACKS[2]),
        midi_file(TRACKS[0], track("00 C0 05", ONE_NOTE, end=False), TRACKS[2]),  # without its end
        midi_file(*TRACKS, count=5),
    ):
        assert parse(data).score == parse(WHOLE).score
        assert split_file(data).wrong_lengths == []


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_file_may_lack_its_last_bytes_if_all_notes_end(cut: int) -> None:
    assert read_both(WHOLE[:-cut]) == parse(WHOLE).score
    assert len(split_file(WHOLE[:-cut]).wrong_lengths) == 1


def test_a_wrong_length_beside_broken_events_is_an_error() -> None:
    broken = with_length(1, 5).replace(b"\x91\x48\x40", b"\x91\x48\xf4")
    with pytest.raises(MidiError):
        parse(broken)
    with pytest.raises(MidiError, match="track 2 of 12 bytes, but the file ends after 7"):
        parse(WHOLE[:-5])
