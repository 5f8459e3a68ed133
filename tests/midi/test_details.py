"""Details: what a Score does not describe is written again, byte for byte, where it was."""

from collections import Counter

from hypothesis import given

from ritornello.midi import parse, to_bytes
from ritornello.midi.chunks import all_tracks
from ritornello.midi.details import first_details, with_neutral_channels
from ritornello.music.file_details import DetailEvent, FileDetails
from ritornello.music.score import Score
from tests.midi.strict import read_strictly
from tests.scores import from_hex, scores

# Track 0: lyrics, a system exclusive, and controllers of channel 1, whose notes are in track 1.
# Track 1: two notes with pressure, a bend, a bank and a program between them, and a pedal.
TRACKS = (
    """00 FF 03 01 54   00 F0 05 7E 7F 09 01 F7   00 B0 07 50   00 B0 65 00  00 64 00  00 06 0C
    00 FF 05 02 4C 61   30 FF 05 01 2D   00 FF 7F 02 7D 01   00 FF 2F 00""",
    """00 FF 03 01 61   00 C0 05   00 B0 40 7F   00 90 3C 40   30 A0 3C 22   00 E0 00 50   30 80 3C 00
    00 B0 00 01   00 C0 06   00 90 3E 40   30 80 3E 00  00 D0 11   60 B0 40 00   00 FF 2F 00""",
)
SONG = all_tracks(96, [from_hex(track) for track in TRACKS])


def read(data: bytes) -> Score:
    """The song with its details."""
    return parse(data, pedal="ignore", with_details=True).score


def events(data: bytes) -> Counter[tuple[int, int, int, bytes]]:
    """All events of a file but notes."""
    found = [event for track in read_strictly(data).tracks for event in track]
    return Counter((*event,) for event in found if event.status & 0xE0 != 0x80)


def test_all_events_come_back_at_their_ticks() -> None:
    written = to_bytes(read(SONG))[0]
    assert events(written) == events(SONG)
    assert to_bytes(read(written))[0] == written
    # the order in which a synthesizer needs them
    assert [e.data[0] for e in read_strictly(written).tracks[0] if e.status == 0xB0] == [7, 0x65, 0x64, 6]
    kinds = [e.status for e in read_strictly(written).tracks[1] if e.tick == 96]
    assert kinds == [0xB0, 0xC0, 0x80, 0x90]


def test_a_song_sounds_as_long_as_before() -> None:
    assert parse(to_bytes(read(SONG))[0]).score == parse(SONG).score


def test_details_move_with_the_ticks() -> None:
    song = read(SONG)
    assert {event.onset_ticks for event in song.rescaled(48).details.events} == {0, 24, 48, 72, 120}
    assert song.rescaled(192).rescaled(96) == song


def test_a_new_part_takes_no_channel_that_is_used() -> None:
    song = read(SONG)
    columns = ([0, 96, 0], [48, 48, 9], [60, 62, 40], [64, 64, 9], [0, 1, 2])
    more = Score.of(96, *columns, [*song.parts, song.parts[0]._replace(program=40)], details=song.details)
    last = read_strictly(to_bytes(more)[0]).tracks[-1]
    assert [event.status for event in last if event.status < 0xF0] == [0xC1, 0x91, 0x81]


def test_the_first_bars_have_the_release_of_their_pedal() -> None:
    first = first_details(read(SONG).details, 60)
    assert [e[::3] for e in first.events if e.onset_ticks >= 60] == [(60, bytes([0xB0, 0x40, 0]))]


def test_channels_are_neutral_after_a_prompt() -> None:
    fade = [DetailEvent(t, 0, 0, bytes([0xB0, 7, v])) for t, v in ((0, 100), (10, 60), (20, 0))]
    others = [
        DetailEvent(20, 0, 0, bytes(data))
        for data in ([0xE0, 1, 2], [0xD0, 9], [0xB0, 64, 127], [0xB0, 10, 3])
    ]
    later = DetailEvent(40, 0, 0, bytes([0xB0, 7, 1]))
    after = with_neutral_channels(FileDetails(events=(*fade, *others, later)), 30).events[7:]
    neutral = {bytes(d) for d in ([0xB0, 7, 100], [0xE0, 0, 64], [0xD0, 0], [0xB0, 64, 0])}
    assert {event.data for event in after} == neutral
    assert {event.onset_ticks for event in after} == {30}


def test_kits_of_drums_stay_as_they_are() -> None:
    # players hear kit 8 in both tracks
    drums = [from_hex(f"00 C9 {kit:02X} 00 99 24 40 30 89 24 00 00 FF 2F 00") for kit in (27, 8)]
    data = all_tracks(96, [from_hex(TRACKS[0]), *drums])
    written = to_bytes(read(data))[0]
    assert events(written) == events(data) + Counter([(0, 0xFF, 3, b"")] * 2)
    assert parse(written).score == parse(data).score


@given(scores(max_parts=20))
def test_any_song_is_the_same_with_details(song: Score) -> None:
    data = to_bytes(song)[0]
    again = to_bytes(read(data))[0]
    # between drum kits, which share a channel, the program change may then come before a note-off of its tick
    if sum(part.is_drum for part in song.parts) < 2:
        assert again == data
    assert parse(again).score == parse(data).score
