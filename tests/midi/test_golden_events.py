"""Files written by hand in hex: tempo, meter, key, pedal and texts; see test_golden."""

import pytest

from ritornello.music.score import Chord, KeySignature, Marker, Meter, Tempo
from tests.midi.both import ONE_NOTE, notes, one, parse_both, read_both
from tests.scores import midi_file, track

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


def test_a_mode_that_is_neither_major_nor_minor_is_minor() -> None:
    assert read_both(one("00 FF 59 02 02 07", ONE_NOTE)).keys == (KeySignature(0, 2, True),)


def test_only_the_last_event_at_a_tick_and_no_repetition_is_kept() -> None:
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


def test_impossible_events_are_dropped_and_counted() -> None:
    data = one(
        "00 FF 51 03 00 00 00        # no time at all",
        "00 FF 58 04 00 02 18 08     # no beats",
        "00 FF 58 04 04 07 18 08     # 4/128",
        "00 FF 58 04 04 21 18 08     # 4 over 2^33",
        "00 FF 59 02 08 00           # eight sharps",
        "00 FF 59 02 F8 01           # eight flats",
        ONE_NOTE,
    )
    parsed = parse_both(data)
    assert parsed.score.tempi == parsed.score.meters == parsed.score.keys == ()
    assert parsed.dropped == {"impossible tempi": 1, "impossible meters": 3, "impossible keys": 2}


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


def test_the_pedal_prolongs_a_note_until_its_release() -> None:
    assert notes(read_both(one(PEDAL))) == [(0, 96, 60, 64, 0)]
    assert notes(read_both(one(PEDAL), pedal="ignore")) == [(0, 48, 60, 64, 0)]


def test_a_note_that_ends_after_the_release_keeps_its_length() -> None:
    data = one("00 B0 40 7F", "00 90 3C 40", "30 B0 40 00", "30 80 3C 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_note_that_ends_as_the_pedal_goes_down_is_held() -> None:
    # Off and pedal down both at 48; up at 96.
    data = one("00 90 3C 40", "30 80 3C 00", "00 B0 40 7F", "30 B0 40 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_pedal_that_is_never_released_has_no_effect() -> None:
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


def test_the_pedal_affects_its_channel_only() -> None:
    data = one("00 B1 40 7F", "00 90 3C 40", "30 80 3C 00", "30 B1 40 00")
    assert notes(read_both(data)) == [(0, 48, 60, 64, 0)]


def test_a_pedal_before_the_first_note_belongs_to_the_next_part() -> None:
    # The pedal goes down while program 5 is set, but nothing plays; then program 2 plays and has it.
    data = one("00 C0 05", "00 B0 40 7F", "00 C0 02", "00 90 3C 40", "30 80 3C 00", "30 B0 40 00")
    assert notes(read_both(data)) == [(0, 96, 60, 64, 0)]


def test_a_pedal_belongs_to_the_part_whose_note_never_ends() -> None:
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
        ("83 73 83 41 83 6D", "ピアノ"),  # Shift-JIS
        ("D6 F7 D0 FD C2 C9", "主旋律"),  # GBK
        ("C3 E8 F2 E0 F0 E0", "Гитара"),  # Windows-1251
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
    score = read_both(one("00 FF 03 81 48" + "46 F6" * 100, ONE_NOTE))
    assert score.title == score.parts[0].name == "Fö" * 100


def test_the_title_is_the_name_before_time_passes() -> None:
    first = track(
        "00 FF 58 04 04 02 18 08", "00 F0 01 F7", "00 FF 03 01 54", "01 FF 03 01 55"
    )  # T, then U at 1
    score = read_both(midi_file(first, track("00 FF 03 01 56", ONE_NOTE)))
    assert score.title == "T"
    assert score.parts[0].name == "V"


def test_karaoke_lyrics_are_skipped() -> None:
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
