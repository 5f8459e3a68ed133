"""Replacement of notes in a file: every other event stays as it was."""

from __future__ import annotations

import pytest

from ritornello import midi
from ritornello.errors import MidiError
from ritornello.midi.chunks import split_file
from ritornello.midi.patching import Note, replace_chord_markers, replace_notes
from ritornello.midi.track_events import events
from ritornello.music.chord_names import letter_name, parse_chord
from ritornello.music.score import Score
from tests.scores import midi_file, track

# a tempo, a controller and a bend and a system exclusive between notes
FILE = midi_file(
    track("00 FF 51 03 07 A1 20", "00 FF 58 04 03 02 18 08"),
    track(
        "00 C0 21 # fingered bass",
        "00 90 30 50 # C3 at 0",
        "30 B0 07 64 # volume at 48",
        "30 80 30 00 # off at 96",
        "00 90 34 50 # E3 at 96",
        "10 E0 00 50 # bend at 112",
        "00 F0 03 01 02 F7",
        "50 80 34 40 # off at 192",
        "00 90 37 50 # G3 at 192",
        "60 90 37 00 # off at 288, as velocity 0",
    ),
    ticks=96,
)


def others(data: bytes) -> list[list[tuple[int, bytes]]]:
    """All events of all tracks that are no note on or off, with their ticks; channel events with a status."""
    found = []
    for content in split_file(data).tracks:
        running, kept = 0, []
        for event in events(content):
            raw = content[event.start : event.end]
            if event.kind == 0x100:
                running = raw[0] if raw[0] >= 0x80 else running
                raw = raw if raw[0] >= 0x80 else bytes([running]) + raw
                if running & 0xF0 in (0x80, 0x90):
                    continue
            kept.append((event.tick, raw))
        found.append(kept)
    return found


def test_only_the_notes_in_the_range_change() -> None:
    changed = replace_notes(FILE, {0}, 96, 192, [Note(100, 40, 60, 90, 0), Note(100, 92, 57, 91, 0)])
    song, before = midi.parse(changed).score, midi.parse(FILE).score
    found = list(
        zip(song.onset_ticks.tolist(), song.duration_ticks.tolist(), song.pitch.tolist(), strict=True)
    )
    assert found == [(0, 96, 48), (100, 92, 57), (100, 40, 60), (192, 96, 55)]
    assert others(changed) == others(FILE)
    assert (song.tempi, song.meters, song.parts) == (before.tempi, before.meters, before.parts)


def test_nothing_to_change_changes_nothing() -> None:
    same = replace_notes(FILE, {0}, 0, 0, [])
    assert midi.parse(same).score == midi.parse(FILE).score
    assert others(same) == others(FILE)
    assert replace_notes(same, {0}, 0, 0, []) == same


def test_other_parts_stay() -> None:
    assert midi.parse(replace_notes(FILE, {1}, 0, 999, [])).score == midi.parse(FILE).score


def test_a_note_that_is_never_closed_stays() -> None:
    data = midi_file(track("00 90 30 50", "60 90 34 50", "60 80 34 00"), ticks=96)
    changed = replace_notes(data, {0}, 0, 999, [])
    assert b"\x90\x30\x50" in changed
    assert b"\x90\x34\x50" not in changed


def test_an_rmi_keeps_its_frame() -> None:
    size = len(FILE)
    framed = b"RIFF" + (size + 12).to_bytes(4, "little") + b"RMIDdata" + size.to_bytes(4, "little") + FILE
    changed = replace_notes(framed, {0}, 96, 192, [Note(96, 10, 60, 90, 0)])
    inner = int.from_bytes(changed[16:20], "little")
    assert len(changed) == 20 + inner
    assert int.from_bytes(changed[4:8], "little") == inner + 12
    assert 60 in midi.parse(changed).score.pitch


def sounds(data: bytes) -> list[tuple[int, int, int, int]]:
    """Onset, duration, pitch and program of every note."""
    song = midi.parse(data).score
    columns = (song.onset_ticks, song.duration_ticks, song.pitch)
    programs = [song.parts[part].program for part in song.part.tolist()]
    return list(zip(*(column.tolist() for column in columns), programs, strict=True))


PIANO_THEN_FLUTE = midi_file(
    track("00 C2 00  60 C2 49"),  # in another track than the notes
    track("00 92 30 50  60 30 00  00 34 50  60 34 00", "00 93 28 50  30 28 00"),
    ticks=96,
)


def test_a_new_note_after_a_change_of_program_goes_to_a_free_channel() -> None:
    """Parts: the piano, the flute from 96 on, and another piano on channel 4."""
    changed = replace_notes(PIANO_THEN_FLUTE, {0}, 0, 192, [Note(0, 40, 50, 90, 0), Note(120, 40, 52, 90, 0)])
    assert sounds(changed) == [(0, 40, 50, 0), (96, 96, 52, 73), (120, 40, 52, 0), (192, 48, 40, 0)]
    before, after = others(PIANO_THEN_FLUTE), others(changed)
    assert after[0] == before[0]
    assert [event for event in after[1] if event not in before[1]] == [(120, b"\xc0\x00")]


def test_a_program_that_no_channel_can_have_is_refused() -> None:
    full = track(*[f"00 9{c:X} 20 40  01 20 00" for c in range(16)])
    changes, notes = track("00 C2 00  60 C2 49"), track("00 92 30 50  60 30 00  00 34 50  60 34 00")
    data = midi_file(changes, notes, full, ticks=96)
    with pytest.raises(
        MidiError, match="a note at tick 120 cannot have program 0: channel 3 has another one"
    ):
        replace_notes(data, {0}, 0, 192, [Note(120, 40, 52, 90, 0)])


def test_a_missing_end_before_the_range_changes_no_other_note() -> None:
    # C3 at 0 has no end; the one at 96 is replaced by others of the same pitch.
    data = midi_file(track("00 90 30 50  60 30 50  20 30 00  40 30 50  30 30 00"), ticks=96)
    changed = replace_notes(data, {0}, 96, 192, [Note(100, 10, 48, 90, 0), Note(120, 10, 48, 90, 0)])
    assert sounds(changed) == [(0, 96, 48, 0), (100, 10, 48, 0), (120, 10, 48, 0), (192, 48, 48, 0)]
    assert sounds(replace_notes(data, {0}, 96, 192, [])) == [(0, 96, 48, 0), (192, 48, 48, 0)]
    # between a note without an end and the note that ends it
    changed = replace_notes(data, {0}, 48, 90, [Note(60, 10, 48, 90, 0)])
    assert sounds(changed) == [(0, 60, 48, 0), (60, 36, 48, 0), (96, 32, 48, 0), (192, 48, 48, 0)]


def test_a_new_note_does_not_end_one_of_the_same_pitch_that_stays() -> None:
    data = midi_file(
        track("00 90 30 50  81 40 30 00"), track("00 91 30 50  10 91 30 00"), ticks=96
    )  # 0 to 192
    changed = replace_notes(data, {0}, 48, 96, [Note(48, 10, 48, 90, 0)])
    assert [event.tick for event in events(split_file(changed).tracks[0])] == [0, 48, 192, 192, 192]


def test_songs_of_format_2_keep_their_places() -> None:
    data = midi_file(
        track("00 C0 05  00 90 30 50  60 30 00"), track("00 90 34 50  60 34 00"), kind=2, ticks=96
    )
    changed = replace_notes(data, {1}, 384, 480, [Note(400, 10, 50, 90, 1)])
    assert sounds(changed) == [(0, 96, 48, 5), (400, 10, 50, 0)]
    assert [[event.tick for event in events(one)] for one in split_file(changed).tracks] == [
        [0, 0, 96, 96], [16, 26, 96],
    ]  # fmt: skip


def test_chord_markers_are_replaced_up_to_the_end_where_the_held_chord_is_resumed() -> None:
    """C, F and G a beat of 480 ticks each; the second half of C and F become Am, and F lasts from 800 on."""
    chords = [parse_chord(name)._replace(onset_ticks=480 * place) for place, name in enumerate("CFG")]
    song = Score.of(480, [0, 1400], [480, 40], [60, 62], [80, 80], chords=chords)
    file = replace_chord_markers(
        midi.to_bytes(song)[0], 240, 800, [(0, "D"), (240, "Am"), (800, "F"), (960, "E")]
    )
    found = midi.parse(file).score
    assert [(chord.onset_ticks, letter_name(chord)) for chord in found.chords] == [
        (0, "C"), (240, "Am"), (800, "F"), (960, "G"),
    ]  # fmt: skip
    assert found.pitch.tolist() == [60, 62]
    assert replace_chord_markers(FILE, 0, 800, [(0, "D")]) == FILE
