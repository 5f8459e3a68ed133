"""Replacement of notes in a file: every other event stays as it was."""

from __future__ import annotations

from ritornello import midi
from ritornello.midi.chunks import events, split_file
from ritornello.midi.patching import Note, replace_notes
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
