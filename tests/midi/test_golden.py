"""Files written by hand in hex, and the Scores that they are: headers, notes and parts, one rule per test.

Every file is read with symusic and with mido. The events follow the Standard MIDI Files 1.0 specification:
a time in ticks since the event before, then the event. A time of 60 hex is 96 ticks, one beat here.
9n: note on, 8n: note off, Cn: program change, Bn: controller (40 hex is the sustain pedal), FF: meta event.
"""

import pytest

from ritornello.music.score import Part, Tempo
from tests.midi.both import ONE_NOTE, notes, one, parse_both, read_both
from tests.scores import from_hex, midi_file, track

# Formats and forms.


def test_format_0() -> None:
    data = from_hex(
        "4D 54 68 64  00 00 00 06  # MThd, 6 bytes of header",
        "00 00  00 01  00 60       # format 0, 1 track, 96 ticks a beat",
        "4D 54 72 6B  00 00 00 0C  # MTrk, 12 bytes of events",
        ONE_NOTE,
        "00 FF 2F 00               # end of track",
    )
    score = read_both(data)
    assert score.ticks_per_beat == 96
    assert notes(score) == [(0, 96, 60, 64, 0)]
    assert score.parts == (Part("", 0, False),)
    assert data == one(ONE_NOTE)  # the helper of the other tests writes the same bytes


def test_format_1_joins_its_tracks_in_time() -> None:
    conductor = track("00 FF 51 03 09 27 C0", "60 FF 51 03 07 A1 20")  # 600,000 us at 0, 500,000 at 96
    flute = track("00 C0 49", "60 90 48 50", "60 80 48 00")  # program 73; C5 from 96 to 192
    cello = track("00 C1 2A", "00 91 30 46", "81 40 81 30 00")  # program 42; C3 from 0 to 192 (81 40)
    score = read_both(midi_file(conductor, flute, cello))
    assert score.tempi == (Tempo(0, 600_000), Tempo(96, 500_000))
    assert notes(score) == [(0, 192, 48, 70, 1), (96, 96, 72, 80, 0)]
    assert [part.program for part in score.parts] == [73, 42]


def test_the_songs_of_format_2_come_one_after_the_other() -> None:
    first = track("00 C0 05  00 FF 51 03 01 00 00", ONE_NOTE)  # the second begins at the next bar of 4/4
    score = read_both(midi_file(first, track("00 90 40 40", "60 80 40 00"), kind=2))
    assert notes(score) == [(0, 96, 60, 64, 0), (384, 96, 64, 64, 1)]
    assert [part.program for part in score.parts] == [5, 0]
    assert [tempo[:2] for tempo in score.tempi] == [(0, 65536), (384, 500000)]


def test_chunks_that_are_not_tracks_are_skipped() -> None:
    stranger = b"XFIH" + (4).to_bytes(4, "big") + b"abcd"
    data = midi_file(stranger, track(ONE_NOTE), stranger, track("00 90 40 40", "60 80 40 00"), count=2)
    assert len(read_both(data)) == 2


def test_bytes_after_the_last_track_do_not_count() -> None:
    assert len(read_both(one(ONE_NOTE) + b"\0\0 and more")) == 1
    assert len(read_both(midi_file(track(ONE_NOTE), track(ONE_NOTE), count=1))) == 1


def test_a_header_with_more_tracks_than_the_file() -> None:
    assert len(read_both(midi_file(track(ONE_NOTE), count=3))) == 1


def test_a_longer_header() -> None:
    data = one(ONE_NOTE)
    longer = data[:7] + b"\x08" + data[8:14] + b"\0\0" + data[14:]  # the standard allows more bytes there
    assert read_both(longer) == read_both(data)


def test_riff() -> None:
    inside = one(ONE_NOTE)
    chunk = b"data" + len(inside).to_bytes(4, "little") + inside
    data = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"RMID" + chunk
    assert read_both(data) == read_both(inside)


def test_a_track_without_its_end_and_one_with_events_after_it() -> None:
    assert len(read_both(midi_file(track(ONE_NOTE, end=False)))) == 1
    after = track(ONE_NOTE, "00 FF 2F 00", "00 90 40 40", "60 80 40 00")
    assert notes(read_both(midi_file(after))) == [(0, 96, 60, 64, 0)]


def test_running_status() -> None:
    # A status byte that is left out is the last one; a meta event between does not change it.
    data = one(
        "00 90 3C 40    # note on C4",
        "00    40 41    # note on E4, status left out",
        "60    3C 00    # C4 with velocity 0: off at 96",
        "00 FF 01 01 61 # a text",
        "60    40 00    # E4 off at 192, still by the status before the text",
    )
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0), (0, 192, 64, 65, 0)]


def test_events_that_a_score_cannot_hold_are_skipped() -> None:
    data = one(
        "00 F0 03 43 12 F7       # system exclusive, 3 bytes",
        "00 FF 00 02 00 01       # sequence number",
        "00 FF 02 01 63          # copyright",
        "00 FF 20 01 03          # channel prefix",
        "00 FF 21 01 00          # port",
        "00 FF 54 05 60 00 00 00 00  # SMPTE offset",
        "00 FF 7F 02 00 41       # of a maker",
        "00 FF 60 01 41          # unknown",
        "00 A0 3C 10             # pressure of a key",
        "00 D0 10                # pressure of a channel",
        ONE_NOTE,
    )
    assert parse_both(data) == parse_both(one(ONE_NOTE))


def test_times_of_several_bytes() -> None:
    # 81 00 = 128; FF 7F = 16,383; 81 80 00 = 16,384; FF FF FF 7F = 2^28 - 1 = 268,435,455
    data = one("81 00 90 3C 40", "FF 7F 80 3C 00", "81 80 00 90 3C 40", "FF FF FF 7F 80 3C 00")
    start = 128 + 16_383 + 16_384
    assert notes(read_both(data)) == [(128, 16_383, 60, 64, 0), (start, 268_435_455, 60, 64, 0)]


# What readers stumble over: the times after it must be right.


@pytest.mark.parametrize(
    "event",
    [
        "30 F0 04 12 34 56 F7     # a system exclusive",
        "30 F0 03 12 90 F7        # one with a byte that is none of data",
        "30 F0 02 12 34 00 F7 02 56 F7   # one in two packets: the second begins with F7",
        "30 F7 03 F3 01 F7        # an escape: any bytes",
        "30 F7 01 F8              # an escape: a clock",
        "30 FF 08 01 41           # a meta event that is in no table of readers (a program's name)",
        "30 FF 4B 00              # one that is in no table at all",
        "30 FF 54 05 FF 00 00 00 00   # an SMPTE offset of an unknown rate",
        "30 FF 21 02 00 01        # a port of two bytes",
        "30 FF 51 02 07 A1        # a tempo of two bytes",
        "30 FF 58 01 03           # a meter without its denominator",
        "30 FF 59 00              # no key",
        "30 FF 01 03 F7 F0 FF     # a text of bytes that look like events",
    ],
)
def test_events_without_a_note(event: str) -> None:
    # C4 on at 0; the event, of which nothing is kept, at 48; E4 on at 96; both off at 192
    for status in ("90", ""):  # written again after the event, or left out
        data = midi_file(track("00 90 3C 40", event, f"30 {status} 40 40", "60 90 3C 00", "00 40 00"))
        score = read_both(data)
        assert notes(score) == [(0, 192, 60, 64, 0), (96, 96, 64, 64, 0)]
        assert score.tempi == score.meters == score.keys == ()


@pytest.mark.parametrize("event", ["30 F8", "30 F1 03", "30 F2 03 7F", "30 F6"])
def test_system_messages_are_skipped(event: str) -> None:
    # As above; but only symusic misreads a status left out after them, so it is written again.
    data = midi_file(track("00 90 3C 40", event, "30 90 40 40", "60 90 3C 00", "00 40 00"))
    assert notes(read_both(data)) == [(0, 192, 60, 64, 0), (96, 96, 64, 64, 0)]


# Notes.


def test_note_on_with_velocity_0_is_a_note_off() -> None:
    assert notes(read_both(one("00 90 3C 40", "60 90 3C 00"))) == [(0, 96, 60, 64, 0)]


def test_an_off_closes_the_oldest_open_note_of_its_pitch() -> None:
    # On at 0 (velocity 64) and at 96 (80), off at 192 and at 288: the first lasts 0-192, the second 96-288.
    # Then the pitch struck again at 96 cuts the first: 0-96.
    data = one("00 90 3C 40", "60 90 3C 50", "60 80 3C 00", "60 80 3C 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0), (96, 192, 60, 80, 0)]


def test_an_off_of_another_channel_or_track_closes_nothing() -> None:
    other_channel = one("00 90 3C 40", "30 81 3C 00", "30 80 3C 00")  # off on channel 2 at 48, on 1 at 96
    assert notes(read_both(other_channel)) == [(0, 96, 60, 64, 0)]
    other_track = midi_file(track("00 90 3C 40", "60 80 3C 00"), track("30 80 3C 00"))
    assert notes(read_both(other_track)) == [(0, 96, 60, 64, 0)]


def test_an_off_without_an_on_has_no_effect() -> None:
    assert notes(read_both(one("00 80 3C 00", "30 90 3C 40", "60 80 3C 00"))) == [(48, 96, 60, 64, 0)]


def test_a_note_without_an_end_ends_at_the_next_of_its_pitch() -> None:
    # E4 at 0 is never ended. C4 at 0 is struck again at 96, and only one off comes.
    data = one("00 90 40 40", "00 90 3C 40", "60 90 3C 50", "60 80 3C 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0), (96, 96, 60, 80, 0)]


def test_missing_ends_leave_all_other_notes_their_lengths() -> None:
    on, off = "90 3C 40", "80 3C 00"
    # C4 at 0 and 32 has no end, at 48 it has, at 96 it has none; D4 is struck twice at once.
    data = one(
        f"00 {on}  20 {on}  10 {on}  08 {off}  28 {on}  10 {on}  08 {off}",
        "00 90 3E 40  10 90 3E 40  10 80 3E 00  10 80 3E 00",
    )
    assert [note[:3] for note in notes(read_both(data))] == [
        (0, 32, 60), (32, 16, 60), (48, 8, 60), (96, 16, 60), (112, 8, 60), (120, 16, 62), (136, 32, 62),
    ]  # fmt: skip


def test_hundreds_of_missing_ends() -> None:
    data = one("00 90 3C 40", *["01 90 3C 40"] * 300, "01 80 3C 00")
    assert [note[:2] for note in notes(read_both(data))] == [(tick, 1) for tick in range(301)]


def test_a_part_without_complete_notes_is_left_out() -> None:
    data = midi_file(track("00 C0 05", "00 90 40 40", "00 B0 07 40"), track("00 C0 00", ONE_NOTE))
    parsed = parse_both(data)
    assert parsed.score.parts == (Part("", 0, False),)
    assert parsed.dropped == {}  # its controller goes with it, uncounted


def test_zero_length_becomes_one_tick() -> None:
    assert notes(read_both(one("60 90 3C 40", "00 80 3C 00"))) == [(96, 1, 60, 64, 0)]


def test_a_note_that_sounds_twice_at_once_counts_once() -> None:
    # Struck twice at 0, off at 96 and at 192: the longer stays.
    parsed = parse_both(one("00 90 3C 40", "00 90 3C 50", "60 80 3C 00", "60 80 3C 00"))
    assert notes(parsed.score) == [(0, 192, 60, 80, 0)]
    assert parsed.dropped == {"doubled notes": 1}


# Parts.


def test_a_part_is_a_track_and_a_channel_and_a_program() -> None:
    # Two tracks on channel 1 are two parts; two channels in a track are two parts, lower channel first.
    first = track("00 FF 03 01 61", "00 91 3C 40", "00 90 40 40", "60 81 3C 00", "00 80 40 00")
    second = track("00 FF 03 01 62", "00 90 43 40", "60 80 43 00")
    score = read_both(midi_file(first, second))
    assert [part.name for part in score.parts] == ["a", "a", "b"]
    assert notes(score) == [(0, 96, 64, 64, 0), (0, 96, 60, 64, 1), (0, 96, 67, 64, 2)]


def test_a_program_change_while_a_note_sounds() -> None:
    # C4 starts with program 5 and goes on at 48 when the channel turns to program 2: it stays with 5.
    # Parts are ordered by program, not by time.
    data = one("00 C0 05", "00 90 3C 40", "30 C0 02", "00 90 40 40", "30 80 3C 00", "00 80 40 00")
    score = read_both(data)
    assert score.parts == (Part("", 2, False), Part("", 5, False))
    assert notes(score) == [(0, 96, 60, 64, 1), (48, 48, 64, 64, 0)]


PORT_1, PORT_2 = "00 FF 21 01 00", "00 FF 21 01 01"
HIGH = "00 91 3C 40  60 3C 00"


def test_a_program_belongs_to_its_channel_in_all_tracks() -> None:
    first, drums = track("00 C0 05  00 C1 06  00 C9 10", ONE_NOTE), track("00 99 24 40  60 24 00")
    # the second sets none, the third its own at 0, the fourth is on another port, the fifth elsewhere
    others = (
        track(ONE_NOTE),
        track("00 C0 07", ONE_NOTE),
        track(PORT_2, ONE_NOTE),
        track("00 91 3C 40  60 3C 00"),
    )
    score = read_both(midi_file(first, others[0], *others[2:], drums))
    assert [part.program for part in score.parts] == [5, 5, 0, 6, 16]
    score = read_both(midi_file(first, *others))  # at 0 the third track comes after the second
    assert [part.program for part in score.parts] == [5, 5, 7, 0, 6]


def test_programs_in_the_midst_of_another_track_split_a_part() -> None:
    changes = track(PORT_1, "00 C2 13  60 C2 49  60 C2 13")
    data = midi_file(changes, track("00 92 3C 40  30 3C 00  30 3C 40  30 3C 00  30 3C 40  30 3C 00"))
    score = read_both(data)
    assert [part.program for part in score.parts] == [0x13, 0x49]
    assert [note[0::4] for note in notes(score)] == [(0, 0), (96, 1), (192, 0)]


def test_a_change_in_another_track_counts_until_the_own_track_changes() -> None:
    changes = track("60 C2 49")
    player = track("00 C2 05  00 92 3C 40  30 3C 00  30 3C 40  30 3C 00  30 C2 06  00 92 3C 40  30 3C 00")
    assert [part.program for part in read_both(midi_file(changes, player)).parts] == [5, 6, 0x49]


def test_the_pedal_belongs_to_its_channel_in_all_tracks() -> None:
    pedal = track("00 B2 40 7F  81 40 B2 40 00")  # from 0 to 192
    players = track("00 92 3C 40  10 3C 00"), track("60 92 3C 40  10 3C 00"), track("00 93 3C 40  10 3C 00")
    assert notes(read_both(midi_file(pedal, *players))) == [
        (0, 96, 60, 64, 0), (0, 16, 60, 64, 2), (96, 96, 60, 64, 1),
    ]  # fmt: skip


def test_a_pedal_holds_over_a_change_of_program() -> None:
    data = one("00 B0 40 7F  00 90 3C 40  10 3C 00  10 C0 05  00 90 3E 40  10 3E 00  30 B0 40 00")
    assert [note[:3] for note in notes(read_both(data))] == [(0, 96, 60), (32, 64, 62)]


def test_drums_are_on_channel_10() -> None:
    score = read_both(one("00 99 24 64", "00 90 3C 40", "30 89 24 00", "30 80 3C 00"))
    assert score.parts == (Part("", 0, False), Part("", 0, True))
    assert notes(score) == [(0, 96, 60, 64, 0), (0, 48, 36, 100, 1)]
