"""Writing: what stands in the bytes, by a strict reader, and that a file is written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ritornello.errors import OutputError
from ritornello.midi import parse, read, to_bytes, write
from ritornello.music.score import Chord, KeySignature, Marker, Meter, Part, Score, Tempo
from tests.midi.both import notes, read_both
from tests.midi.strict import Event, read_strictly
from tests.scores import from_hex, scores, tune


def band(programs: list[int], note_counts: list[int] | None = None, drums: int = 0) -> Score:
    """A part for each program, named P0, P1 ..., of one note or as many as said; then `drums` drum parts."""
    parts = [Part(f"P{index}", program) for index, program in enumerate(programs)]
    parts += [Part(f"D{index}", index, True) for index in range(drums)]
    counts = (note_counts or [1] * len(programs)) + [1] * drums
    owner = [index for index, count in enumerate(counts) for _ in range(count)]
    onset = [24 * place for count in counts for place in range(count)]
    return Score.of(24, onset, [24] * len(owner), [60] * len(owner), [64] * len(owner), owner, parts)


def channels(data: bytes) -> list[int]:
    """The channel, from 1, of every track but the first."""
    return [
        next(e.status & 15 for e in track if e.status < 0xF0) + 1 for track in read_strictly(data).tracks[1:]
    ]


def programs_heard(data: bytes) -> list[int]:
    """The program of each note, by onset and track, as players have it: state of a port's channel by time."""
    events = []
    for number, track in enumerate(read_strictly(data).tracks):
        port = 0
        for place, event in enumerate(track):
            port = event.data[0] if event.kind == 0x21 else port
            events.append((event.tick, number, place, port, event))
    current: dict[tuple[int, int], int] = {}
    heard = []
    for tick, number, _, port, event in sorted(events, key=lambda item: item[:3]):
        channel = (port, event.status & 0x0F)
        if event.status & 0xF0 == 0xC0:
            current[channel] = event.data[0]
        elif event.status & 0xF0 == 0x90:
            heard.append((tick, number, event.data[0], current[channel]))
    return [program for *_, program in sorted(heard)]


# The bytes.


def test_a_small_song_byte_by_byte() -> None:
    song = Score.of(
        96,
        [0, 96],
        [96, 48],
        [60, 60],
        [64, 80],
        parts=[Part("a", 5)],
        tempi=(Tempo(0, 500_000),),
        meters=(Meter(0, 6, 8),),
        keys=(KeySignature(0, -3, True),),
        chords=(Chord(48, 9, "min7"),),
        markers=(Marker(96, "B"),),
        title="T",
    )
    data, merged = to_bytes(song, comment="c")
    assert merged == ()
    assert data == from_hex(
        """4D 54 68 64  00 00 00 06  00 01  00 02  00 60   # MThd: format 1, 2 tracks, 96 ticks a beat
        4D 54 72 6B  00 00 00 36         # MTrk of 54 bytes
        00 FF 03 01 54                   # the song's name T
        00 FF 01 01 63                   # the comment c
        00 FF 51 03 07 A1 20             # 500,000 us a beat
        00 FF 58 04 06 03 18 08          # 6 over 2^3; 24 clocks a click and 8 32nds a beat, as usual
        00 FF 59 02 FD 01                # three flats, minor
        30 FF 06 0A 63 68 6F 72 64 3A 20 41 6D 37   # at 48 marker 'chord: Am7'
        30 FF 06 01 42                   # at 96 marker B
        00 FF 2F 00
        4D 54 72 6B  00 00 00 1C         # MTrk of 28 bytes
        00 FF 03 01 61                   # the part's name a
        00 C0 05                         # program 5 on channel 1
        00 90 3C 40                      # C4 on
        60 80 3C 00                      # at 96: off, before it is struck again
        00 90 3C 50
        30 80 3C 00
        00 FF 2F 00"""
    )


@given(scores(max_parts=20), st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
@example(tune(), "")
def test_what_we_write_is_strictly_a_midi_file(song: Score, comment: str) -> None:
    data, _ = to_bytes(song, comment=comment)
    file = read_strictly(data)
    assert (file.format, file.division) == (1, song.ticks_per_beat)
    assert len(file.tracks) == 1 + len(song.parts)
    conductor, *players = file.tracks
    assert {event.status for event in conductor} <= {0xFF}
    texts = [event.data for event in conductor if event.kind == 0x01]
    assert texts == ([comment.encode()] if comment else [])
    for index, (part, track) in enumerate(zip(song.parts, players, strict=True)):
        assert track[0] == Event(0, 0xFF, 0x03, part.name.encode())
        sounding: dict[int, tuple[int, int]] = {}
        played = []
        for event in (event for event in track if event.status & 0xE0 == 0x80):  # the notes
            assert (event.status & 0x0F == 9) == part.is_drum
            pitch, velocity = event.data
            if event.status & 0xF0 == 0x90 and velocity:
                assert pitch not in sounding  # never struck while it sounds
                sounding[pitch] = (event.tick, velocity)
            else:
                onset, loud = sounding.pop(pitch)
                played.append((onset, event.tick - onset, pitch, loud, index))
        assert not sounding  # every note is closed
        assert sorted(played) == sorted(note for note in notes(song) if note[4] == index)


def test_the_same_song_gives_the_same_bytes() -> None:
    assert to_bytes(tune(), comment="x") == to_bytes(tune(), comment="x")


def test_a_song_without_notes_and_one_without_parts() -> None:
    assert read_both(to_bytes(Score.of(24, [], [], [], [], title="Silence"))[0]).title == "Silence"
    assert len(read_both(to_bytes(Score.of(24, [], [], [], [], parts=[]))[0])) == 0


def test_silences_longer_than_four_bytes_can_say() -> None:
    # a time has 4 x 7 bits: at most 268,435,455 ticks
    late = Score.of(32767, [0, 2**29], [2**30, 1], [60, 62], [64, 64], tempi=(Tempo(2**31 - 1, 9),))
    data, _ = to_bytes(late)
    assert [e.tick for e in read_strictly(data).tracks[1] if e.status == 0x80] == [2**29 + 1, 2**30]
    assert read_both(data) == late


@pytest.mark.parametrize("name", ["Flöte", "曲", "🎹", "a\nb", "\0", "x" * 300, "ö" * 200])
def test_any_name(name: str) -> None:
    song = Score.of(24, [0], [24], [60], [64], parts=[Part(name)], title=name, markers=(Marker(0, name),))
    assert read_both(to_bytes(song, comment=name)[0]) == song


def test_a_name_with_half_a_character() -> None:
    # as the system hands over a file name that it cannot decode
    song = Score.of(24, [0], [24], [60], [64], parts=[Part("a\udcff")], title="\udcff")
    back = read_both(to_bytes(song, comment="\udcff")[0])
    assert (back.title, back.parts[0].name) == ("?", "a?")


# Channels.


def test_one_part() -> None:
    assert channels(to_bytes(band([40]))[0]) == [1]


def test_fifteen_parts_have_a_channel_each_and_none_the_drums() -> None:
    data, merged = to_bytes(band([0] * 15))
    assert channels(data) == [*range(1, 10), *range(11, 17)]
    assert merged == ()


def test_drum_parts_share_channel_10_and_take_no_other() -> None:
    song = band([0] * 15, drums=2)
    data, merged = to_bytes(song)
    assert channels(data) == [*range(1, 10), *range(11, 17), 10, 10]
    assert merged == ()
    assert read_both(data) == song


def test_parts_that_play_one_after_another_share_a_channel() -> None:
    # the 16th part begins when the first has ended, the 17th when the second has
    onset = [0] * 15 + [24, 48]
    columns = ([24] + [48] * 14 + [96, 24], [60] * 17, [64] * 17, range(17))
    song = Score.of(24, onset, *columns, parts=[Part(f"P{program}", program) for program in range(17)])
    data, merged = to_bytes(song)
    assert channels(data) == [*range(1, 10), *range(11, 17), 1, 2]
    assert merged == ()
    assert programs_heard(data) == list(range(17))


def test_parts_that_play_at_once_use_more_ports() -> None:
    song = band([*range(40)])
    data, merged = to_bytes(song)
    own = [*range(1, 10), *range(11, 17)]
    assert channels(data) == [*own, *own, *own[:10]]
    assert [e.data[0] for t in read_strictly(data).tracks for e in t if e.kind == 0x21] == [1] * 15 + [2] * 10
    assert merged == ()
    assert programs_heard(data) == list(range(40))
    assert read_both(data) == song


def test_twenty_programs_on_one_port_are_merged_into_the_nearest_of_the_same_family() -> None:
    # Programs 0, 8, 16 ... 112: a family each, 2 notes each. Then 5 more with one note each, which give way:
    # 3 and 7 are pianos like 0, 20 an organ like 16, 119 percussive like 112; 127 has no relative, and 112 is
    # the nearest.
    programs = [*range(0, 120, 8), 3, 7, 20, 119, 127]
    song = band(programs, [2] * 15 + [1] * 5)
    data, merged = to_bytes(song, max_ports=1)
    assert merged == ("P15", "P16", "P17", "P18", "P19")
    assert channels(data)[15:] == [1, 1, 3, 16, 16]
    back = read_both(data)
    assert [part.program for part in back.parts] == [*range(0, 120, 8), 0, 0, 16, 112, 112]
    assert [part.name for part in back.parts] == [part.name for part in song.parts]
    assert notes(back) == notes(song)  # no note is lost


def test_the_nearest_of_a_family_is_by_number() -> None:
    # 32 and 39 are basses, 3 notes each; 38 is one with a single note: 39 is nearer
    programs = [32, 39, *range(64, 90, 2), 38]
    data, merged = to_bytes(band(programs, [3] * 15 + [1]), max_ports=1)
    assert merged == ("P15",)
    assert read_both(data).parts[15].program == 39


def test_a_merged_part_without_a_name_has_the_name_of_its_family() -> None:
    song = band([*range(0, 120, 8), 127], [2] * 15 + [1])
    nameless = Score(**{**vars(song), "parts": tuple(part._replace(name="") for part in song.parts)})
    assert to_bytes(nameless, max_ports=1)[1] == ("effects",)


@given(scores(max_parts=40, max_notes=60))
def test_each_note_has_the_program_of_its_part(song: Score) -> None:
    data, merged = to_bytes(song)
    assert merged == ()
    assert programs_heard(data) == [song.parts[part].program for part in song.part.tolist()]
    back = parse(data).score
    played = sorted(set(song.part.tolist()))
    assert [part[::2] for part in back.parts] == [song.parts[index][::2] for index in played]
    assert [note[:4] for note in notes(back)] == [note[:4] for note in notes(song)]


# The file.


def test_write_gives_the_bytes(tmp_path: Path) -> None:
    song = band([*range(0, 120, 8), 127], [2] * 15 + [1])
    path = tmp_path / "new" / "ñ 曲.mid"
    assert write(song, path, comment="made by a test") == ()
    assert path.read_bytes() == to_bytes(song, comment="made by a test")[0]
    assert len(read(path)) == len(song)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_failing_half_way_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path = tmp_path / "song.mid"
    write(tune(), path)

    def fail(target: Path, content: object) -> None:
        if step == "write_bytes":
            with target.open("wb") as file:
                file.write(b"MThd, and no room for more")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(OutputError) as caught:
        write(band([1]), path)
    monkeypatch.undo()
    assert str(caught.value) == f"cannot write {str(path)!r}: {os.strerror(number)}"
    assert read(path) == tune()
    assert list(tmp_path.iterdir()) == [path]


def test_an_impossible_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot write '.*song\.mid': "):
        write(tune(), tmp_path / "file" / "song.mid")
