"""Songs in packed files and from standard input; note values that MusicXML leaves out."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.errors import MidiError
from ritornello.midi.limits import MAX_FILE_BYTES
from ritornello.notation import open_song, read
from ritornello.notation.note_types import with_note_types
from tests.scores import tune

MIDI = midi.to_bytes(tune())[0]
ABC = b"X:1\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|\n"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


def mac_binary(data: bytes) -> bytes:
    header = bytearray(128)
    header[1:6] = b"\4song"
    header[65:69] = b"Midi"
    header[83:87] = len(data).to_bytes(4, "big")
    return bytes(header) + data + bytes(-len(data) % 128)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("song.mid", MIDI),
        ("song.mid.gz", gzip.compress(MIDI)),
        ("song.zip", zipped(song_mid=MIDI, readme_txt=b"hello")),
        ("song.zip", zipped(song_mid=mac_binary(MIDI))),
        ("song", mac_binary(MIDI)),
    ],
)
def test_packed_midi(name: str, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name) == tune()
    assert open_song(tmp_path / name).data == MIDI
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read("-") == tune()


def test_abc_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"% a comment\n" + ABC)))
    assert read("-").pitch.tolist() == [60, 62, 64, 65]


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.zip", zipped(a_mid=MIDI, b_mid=MIDI), "holds 2 songs: must be one, take one of 'a.mid', 'b.mid'"),
        ("a.zip", zipped(readme_txt=b""), "'a.zip' has no song file"),
        ("a.zip", zipped(a_mid=MIDI)[:-30], "'a.zip' is a damaged or encrypted .zip"),
        ("a.mid.gz", gzip.compress(MIDI)[:-20], "'a.mid.gz' is a damaged .gz file: it ends too early"),
        ("a.mid.gz", gzip.compress(bytes(MAX_FILE_BYTES + 1)), "too large: over 16777216 bytes unpacked"),
        ("a.mid", bytes(MAX_FILE_BYTES + 2), "'a.mid': too large: 16777218 bytes, at most 16777216"),
        ("a.abc", ABC + b"\n" + ABC.replace(b"One", b"Two"), "'a.abc' holds 2 songs: .*'One', 'Two'"),
        ("a.musicxml", b"<score-partwise>", "'a.musicxml': it is not MusicXML"),
    ],
)
def test_what_is_refused(name: str, data: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MidiError, match=problem):
        read(tmp_path / name)


def xml(notes: str) -> bytes:
    return (
        "<score-partwise><part id='P1'><measure><attributes><divisions>2</divisions></attributes>"
        f"{notes}</measure></part></score-partwise>"
    ).encode()


@pytest.mark.parametrize(
    ("note", "filled"),
    [
        ("<duration>4</duration><voice>1</voice><staff>1</staff>", "<type>half</type><staff>"),
        ("<duration>3</duration><voice>1</voice>", "<type>quarter</type><dot />"),
        ("<rest /><duration>10</duration>", '<rest measure="yes" />'),
        (
            "<duration>2</duration><time-modification><actual-notes>3</actual-notes>"
            "<normal-notes>2</normal-notes></time-modification>",
            "<type>quarter</type><dot /><time-modification>",
        ),
    ],
)
def test_note_values_are_filled_in(note: str, filled: str) -> None:
    assert filled in with_note_types(xml(f"<note>{note}</note>")).decode()


def test_notes_that_have_a_value_stay() -> None:
    document = xml("<note><duration>4</duration><type>half</type></note><note><grace/></note>")
    assert with_note_types(document) is document


def test_a_note_of_no_value_is_refused() -> None:
    with pytest.raises(MidiError, match="a note without <type> lasts 5 quarters"):
        with_note_types(xml("<note><duration>10</duration></note>"))


def test_missing_values_are_played(tmp_path: Path) -> None:
    pytest.importorskip("verovio")
    pitch = "<pitch><step>C</step><octave>5</octave></pitch>"
    notes = f"<note>{pitch}<duration>4</duration></note><note>{pitch}<duration>2</duration></note>"
    parts = "<part-list><score-part id='P1'><part-name>A</part-name></score-part></part-list>"
    document = xml(notes).replace(b"<part id", parts.encode() + b"<part id")
    (tmp_path / "a.musicxml").write_bytes(document)
    score = read(tmp_path / "a.musicxml")
    assert (score.duration_ticks / score.ticks_per_beat).tolist() == [2, 1]
