"""Files written by hand in hex, and what they mean: the semantics of reading, one rule a test.

Every file is read with symusic and with mido. The events follow the Standard MIDI Files 1.0 specification:
a time in ticks since the event before, then the event. A time of 60 hex is 96 ticks, one beat here.
9n: note on, 8n: note off, Cn: program change, Bn: controller (40 hex is the sustain pedal), FF: meta event.
"""

import pytest
from tests.midi.both import notes, parse_both, read_both
from tests.scores import from_hex, midi_file, track

from ritornello.score import Chord, KeySignature, Marker, Meter, Part, Tempo

ONE_NOTE = """
    00 90 3C 40    # at 0 on channel 1: C4 (3C = 60), velocity 64
    60 80 3C 00    # at 96: off
"""


def one(*lines: str) -> bytes:
    """A file of format 0 with these events."""
    return midi_file(track(*lines), kind=0)


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


def test_format_2_lays_its_songs_one_over_the_other() -> None:
    # The standard lets each track be a song of its own; we read them as one, like format 1, and lose nothing.
    first, second = track(ONE_NOTE), track("00 90 40 40", "60 80 40 00")
    assert notes(read_both(midi_file(first, second, kind=2))) == [(0, 96, 60, 64, 0), (0, 96, 64, 64, 1)]


def test_chunks_that_are_not_tracks_are_passed_over() -> None:
    stranger = b"XFIH" + (4).to_bytes(4, "big") + b"abcd"
    data = midi_file(stranger, track(ONE_NOTE), stranger, track("00 90 40 40", "60 80 40 00"), count=2)
    assert len(read_both(data)) == 2


def test_bytes_after_the_last_track_do_not_count() -> None:
    assert len(read_both(one(ONE_NOTE) + b"\0\0 and more")) == 1
    assert len(read_both(midi_file(track(ONE_NOTE), track(ONE_NOTE), count=1))) == 1


def test_a_header_that_promises_more_tracks_than_there_are() -> None:
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


def test_what_a_score_does_not_hold_is_passed_over() -> None:
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


def test_an_off_without_an_on_is_nothing() -> None:
    assert notes(read_both(one("00 80 3C 00", "30 90 3C 40", "60 80 3C 00"))) == [(48, 96, 60, 64, 0)]


def test_a_note_that_is_never_closed_is_dropped() -> None:
    # E4 at 0 is never closed. C4 at 0 is struck again at 96 and only one off comes: the older note gets it.
    data = one("00 90 40 40", "00 90 3C 40", "60 90 3C 50", "60 80 3C 00")
    assert notes(read_both(data)) == [(0, 192, 60, 64, 0)]


def test_a_part_all_of_whose_notes_are_dropped_is_none() -> None:
    data = midi_file(track("00 C0 05", "00 90 40 40", "00 B0 07 40"), track(ONE_NOTE))
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


def test_a_program_belongs_to_its_track() -> None:
    # The second track plays on the same channel but sets no program: 0.
    data = midi_file(track("00 C0 05", ONE_NOTE), track(ONE_NOTE))
    assert [part.program for part in read_both(data).parts] == [5, 0]


def test_drums_are_on_channel_10() -> None:
    score = read_both(one("00 99 24 64", "00 90 3C 40", "30 89 24 00", "30 80 3C 00"))
    assert score.parts == (Part("", 0, False), Part("", 0, True))
    assert notes(score) == [(0, 96, 60, 64, 0), (0, 48, 36, 100, 1)]


# Tempo, meter, key.


def test_tempi_meters_and_keys() -> None:
    data = one(
        "00 FF 51 03 07 A1 20        # 07A120 = 500,000 us a beat",
        "00 FF 58 04 06 03 18 08     # 6 over 2^3",
        "00 FF 59 02 FD 01           # FD = -3: three flats, minor",
        ONE_NOTE,
        "00 FF 51 03 0F 42 40        # 96: 0F4240 = 1,000,000",
        "60 FF 58 04 07 04 18 08     # 192: 7 over 2^4",
        "00 FF 59 02 02 00           # two sharps, major",
    )
    score = read_both(data)
    assert score.tempi == (Tempo(0, 500_000), Tempo(96, 1_000_000))
    assert score.meters == (Meter(0, 6, 8), Meter(192, 7, 16))
    assert score.keys == (KeySignature(0, -3, True), KeySignature(192, 2, False))


def test_of_two_at_one_tick_the_last_counts_and_a_repetition_goes() -> None:
    # Track 1: 500,000 at 0. Track 2: 600,000 at 0, again 600,000 at 96.
    data = midi_file(
        track("00 FF 51 03 07 A1 20", ONE_NOTE),
        track("00 FF 51 03 09 27 C0", "60 FF 51 03 09 27 C0"),
    )
    assert read_both(data).tempi == (Tempo(0, 600_000),)


def test_many_changes_at_one_tick_keep_their_order() -> None:
    # 30 tempi at tick 0, 1 to 30 us a beat: more than symusic can sort stably. The last counts.
    tempi = [f"00 FF 51 03 00 00 {number:02X}" for number in range(1, 31)]
    assert read_both(one(*tempi, ONE_NOTE)).tempi == (Tempo(0, 30),)
    labels = [f"00 FF 06 08 63 68 6F 72 64 3A 20 {letter:02X}" for letter in b"ABCDEFG" * 5]  # "chord: A" ...
    assert read_both(one(*labels, ONE_NOTE)).chords == (Chord(0, 7, "maj"),)  # G, the last


def test_what_is_impossible_is_dropped_and_counted() -> None:
    data = one(
        "00 FF 51 03 00 00 00        # no time at all",
        "00 FF 58 04 00 02 18 08     # no beats",
        "00 FF 58 04 04 07 18 08     # 4/128",
        ONE_NOTE,
    )
    parsed = parse_both(data)
    assert parsed.score.tempi == parsed.score.meters == ()
    assert parsed.dropped == {"impossible tempi": 1, "impossible meters": 2}


@pytest.mark.parametrize(
    ("division", "ticks_per_beat", "us_per_beat"),
    [
        (0xE728, 1000, 1_000_000),  # E7 = -25 frames a second of 28 hex = 40 ticks: 1000 ticks a second
        (0xE850, 1920, 1_000_000),  # E8 = -24, 80 ticks
        (0xE204, 120, 1_000_000),  # E2 = -30, 4 ticks
        (0xE304, 120, 1_001_000),  # E3 = -29 is 30 drop frame: 30 frames last 1.001 s
    ],
)
def test_smpte_counts_real_time(division: int, ticks_per_beat: int, us_per_beat: int) -> None:
    # A beat is a second; the tempo in the file (500,000 us) does not count.
    data = midi_file(track("00 FF 51 03 07 A1 20", ONE_NOTE), ticks=division)
    parsed = parse_both(data)
    assert parsed.score.ticks_per_beat == ticks_per_beat
    assert parsed.score.tempi == (Tempo(0, us_per_beat),)
    assert parsed.score.duration_s == pytest.approx(96 / ticks_per_beat * us_per_beat / 1e6)
    assert parsed.dropped == {"tempi under SMPTE": 1}


# The pedal, controllers and bends.

PEDAL = """
    00 B0 40 7F    # at 0 on channel 1: pedal down (127)
    00 90 3C 40    # C4
    30 80 3C 00    # off at 48, but the pedal holds it
    30 B0 40 00    # at 96: pedal up
"""


def test_the_pedal_holds_a_note_until_it_is_released() -> None:
    assert notes(read_both(one(PEDAL))) == [(0, 96, 60, 64, 0)]
    assert notes(read_both(one(PEDAL), pedal="ignore")) == [(0, 48, 60, 64, 0)]


def test_a_note_that_ends_after_the_release_keeps_its_length() -> None:
    data = one("00 B0 40 7F", "00 90 3C 40", "30 B0 40 00", "30 80 3C 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_note_that_ends_as_the_pedal_goes_down_is_held() -> None:
    # Off and pedal down both at 48; up at 96.
    data = one("00 90 3C 40", "30 80 3C 00", "00 B0 40 7F", "30 B0 40 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_pedal_that_is_never_released_holds_nothing() -> None:
    assert notes(read_both(one("00 B0 40 7F", ONE_NOTE))) == [(0, 96, 60, 64, 0)]
    # pressed and released, then pressed for good: only the first counts
    data = one(PEDAL, "00 B0 40 7F", "00 90 40 40", "30 80 40 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0), (96, 48, 64, 64, 0)]


def test_the_pedal_is_down_from_64_on() -> None:
    half = one("00 B0 40 3F", "00 90 3C 40", "30 80 3C 00", "30 B0 40 00")  # 3F = 63: up
    assert notes(read_both(half)) == [(0, 48, 60, 64, 0)]
    down = one("00 B0 40 40", "00 90 3C 40", "30 80 3C 00", "18 B0 40 50", "18 B0 40 3F")  # 64, 80, then 63
    assert notes(read_both(down)) == [(0, 96, 60, 64, 0)]


def test_a_pitch_struck_again_under_the_pedal_cuts_the_earlier() -> None:
    # C4 at 0 and at 48, each off after 24 ticks; the pedal goes up at 96.
    data = one("00 B0 40 7F", "00 90 3C 40", "18 80 3C 00", "18 90 3C 50", "18 80 3C 00", "18 B0 40 00")
    assert notes(read_both(data)) == [(0, 48, 60, 64, 0), (48, 48, 60, 80, 0)]


def test_the_pedal_is_of_its_channel() -> None:
    data = one("00 B1 40 7F", "00 90 3C 40", "30 80 3C 00", "30 B1 40 00")
    assert notes(read_both(data)) == [(0, 48, 60, 64, 0)]


def test_a_pedal_before_the_first_note_is_of_the_next_part() -> None:
    # The pedal goes down while program 5 is set, but nothing plays; then program 2 plays and has it.
    data = one("00 C0 05", "00 B0 40 7F", "00 C0 02", "00 90 3C 40", "30 80 3C 00", "30 B0 40 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_pedal_is_of_the_part_that_plays_even_if_its_note_never_ends() -> None:
    # Program 5 strikes E4 and never lets go, so that its pedal belongs to it and not to program 2.
    data = one(
        "00 C0 05", "00 90 40 40", "00 B0 40 7F", "00 C0 02", "00 90 3C 40", "30 80 3C 00", "30 B0 40 00"
    )
    assert notes(read_both(data)) == [(0, 48, 60, 64, 0)]


def test_bends_and_controllers_are_counted() -> None:
    data = one(
        "00 B0 07 64", "00 B0 0A 40", "00 E0 00 40", ONE_NOTE, "00 B0 07 50", "00 E0 00 20", "00 E0 00 40"
    )
    assert parse_both(data).dropped == {"controllers": 3, "pitch bends": 3}


# Texts.


@pytest.mark.parametrize(
    ("in_hex", "name"),
    [
        ("46 6C C3 B6 74 65", "Flöte"),  # UTF-8
        ("46 6C F6 74 65", "Flöte"),  # Latin-1
        ("93 41 94", "“A”"),  # Windows-1252
        ("E6 9B B2", "曲"),  # UTF-8
        ("83 73 83 41 83 6D", "ƒsƒAƒm"),  # Shift-JIS (piano): which encoding cannot be told, no byte is lost
        ("81", "\ufffd"),  # in none of them
        ("", ""),
        ("00", "\0"),
    ],
)
def test_names_in_any_encoding(in_hex: str, name: str) -> None:
    length = len(bytes.fromhex(in_hex))
    score = read_both(one(f"00 FF 03 {length:02X} {in_hex}", f"00 FF 06 {length:02X} {in_hex}", ONE_NOTE))
    assert score.parts[0].name == name
    assert score.title == name
    assert score.markers == ((Marker(0, name),) if name else ())


def test_names_that_differ_only_in_lost_bytes() -> None:
    # e with an acute and with a grave accent: to symusic both are one byte that is no UTF-8.
    acute, grave = "00 FF 03 01 E9", "00 FF 03 01 E8"
    both_tracks = read_both(midi_file(track(acute, ONE_NOTE), track(grave, ONE_NOTE)))
    assert [part.name for part in both_tracks.parts] == ["é", "è"]
    one_track = read_both(one(acute, "00 FF 06 01 E8", ONE_NOTE))
    assert one_track.parts[0].name == "é"
    assert one_track.markers == (Marker(0, "è"),)
    twice = read_both(one(acute, ONE_NOTE, grave))
    assert twice.parts[0].name == "è"  # the last name of a track is its name
    assert twice.title == "é"  # the last before time passes is the song's


def test_a_long_name() -> None:
    # 81 48: 1 x 128 + 72 = 200 bytes
    score = read_both(one("00 FF 03 81 48" + "F6" * 200, ONE_NOTE))
    assert score.title == score.parts[0].name == "ö" * 200


def test_the_title_is_the_name_before_time_passes() -> None:
    first = track(
        "00 FF 58 04 04 02 18 08", "00 F0 01 F7", "00 FF 03 01 54", "01 FF 03 01 55"
    )  # T, then U at 1
    score = read_both(midi_file(first, track("00 FF 03 01 56", ONE_NOTE)))
    assert score.title == "T"
    assert score.parts[0].name == "V"


def test_karaoke_lyrics_are_passed_over() -> None:
    data = one("00 FF 03 01 61", "00 FF 05 02 6C 61", "00 90 3C 40", "30 FF 05 01 E9", "30 80 3C 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_lyric_counts_as_played_on_channel_16() -> None:
    # symusic lets a lyric begin a part on channel 16, which then takes the early pedal from program 2.
    data = one("00 BF 40 7F", "00 FF 05 02 6C 61", "00 CF 02", "00 9F 3C 40", "30 8F 3C 00", "30 BF 40 00")
    assert notes(read_both(data)) == [(0, 48, 60, 64, 0)]


def test_markers_and_chords() -> None:
    data = one(
        "00 FF 06 05 56 65 72 73 65              # marker 'Verse'",
        "00 FF 06 0A 63 68 6F 72 64 3A 20 41 6D 37   # marker 'chord: Am7'",
        "60 FF 06 08 63 68 6F 72 64 3A 20 48         # marker 'chord: H': no chord, so it stays a marker",
        "00 FF 06 01 43                              # marker 'C': no label, a marker",
        ONE_NOTE,
    )
    score = read_both(data)
    assert score.chords == (Chord(0, 9, "min7"),)
    assert score.markers == (Marker(0, "Verse"), Marker(96, "C"), Marker(96, "chord: H"))
