"""Written music becomes a Score: notes, repeats, voices, key, meter and tempo, by hand-made files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello.errors import InputError, MidiError
from ritornello.notation import parse_notation
from ritornello.notation.formats import Format

# two voices; bar 1 and then bar 2 (first time) or bar 3 (second time)
ABC = b"""X:1
T:Try
M:6/8
L:1/8
Q:3/8=100
K:Gm
V:1
|: G>Bc def |1 "Gm" d3 B3 :|2 G6 |]
V:2
|: G,6 |1 G,6 :|2 D,6 |]
"""
KERN = b"""!!!OTL: Try
**kern\t**kern
*M2/4\t*M2/4
*k[f#]\t*k[f#]
=1\t=1
4G\t8g
.\t8a
4A\t4b
=:|!\t=:|!
2G\t2g
==\t==
*-\t*-
"""


def note(step: str, octave: int, quarters: int, more: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    written = {1: "<type>quarter</type>", 2: "<type>half</type>", 3: "<type>half</type><dot/>"}[quarters]
    return f"<note>{pitch}<duration>{quarters}</duration><voice>1</voice>{written}{more}</note>"


MUSICXML = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "">'
    '<score-partwise version="4.0"><work><work-title>Try &amp; hear</work-title></work><part-list>'
    '<score-part id="P1"><part-name>Flute</part-name><midi-instrument id="I"><midi-channel>1</midi-channel>'
    '<midi-program>74</midi-program></midi-instrument></score-part></part-list><part id="P1">'
    '<measure number="1"><attributes><divisions>1</divisions><key><fifths>-1</fifths><mode>minor</mode></key>'
    "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    '<direction><direction-type><words>Fast</words></direction-type><sound tempo="90"/></direction>'
    + note("D", 5, 1)
    + note("E", 5, 2, '<notations><tied type="start"/></notations>').replace(
        "</duration>", '</duration><tie type="start"/>', 1
    )
    + '<barline location="right"><repeat direction="backward"/></barline></measure><measure number="2">'
    + note("F", 5, 3)
    + "</measure></part></score-partwise>"
).encode()


def notes(data: bytes, format_name: Format) -> list[tuple[float, float, int, int]]:
    """Onset and duration in beats, pitch, part."""
    score = parse_notation(data, format_name).score
    beat = score.ticks_per_beat
    columns = (score.onset_ticks / beat, score.duration_ticks / beat, score.pitch, score.part)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_abc_has_its_repeats_voices_meter_key_and_tempo() -> None:
    score = parse_notation(ABC, "abc", name="try.abc").score
    assert score.title == "Try"
    assert score.meters[0][1:] == (6, 8)
    assert score.keys[0][1:] == (-2, True)
    assert score.tempi[0].us_per_beat == 400_000  # 100 dotted quarters a minute: a quarter has 0.4 s
    found = notes(ABC, "abc")
    bass = [row for row in found if row[3] == 1]
    assert bass == [(0, 3, 55, 1), (3, 3, 55, 1), (6, 3, 55, 1), (9, 3, 50, 1)]
    tune = [row[:3] for row in found if row[3] == 0]
    assert tune[:3] == [(0, 0.75, 67), (0.75, 0.25, 70), (1, 0.5, 72)]
    assert [row[0] for row in tune if row[2] == 67] == [
        0,
        6,
        9,
    ]  # the first bar twice, then the second ending
    assert len(found) == 19  # "Gm" is a chord symbol and adds no notes


def test_kern_has_its_spines_and_repeats() -> None:
    pytest.importorskip("verovio")
    score = parse_notation(KERN, "kern").score
    assert (score.title, score.meters[0][1:], score.keys[0].sharps) == ("Try", (2, 4), 1)
    once = [(0, 0.5, 67), (0.5, 0.5, 69), (1, 1, 71)]
    upper = [row[:3] for row in notes(KERN, "kern") if row[3] == 0]
    assert upper == [*once, *[(onset + 2, length, pitch) for onset, length, pitch in once], (4, 2, 67)]


def test_musicxml_has_its_repeats_program_key_meter_and_tempo() -> None:
    pytest.importorskip("verovio")
    score = parse_notation(MUSICXML, "musicxml").score
    assert score.title == "Try & hear"
    assert [(part.name, part.program) for part in score.parts] == [("Flute", 73)]
    assert score.meters[0][1:] == (3, 4)
    assert score.keys[0][1:] == (-1, True)
    assert score.tempi[0].us_per_beat == pytest.approx(60e6 / 90, abs=1)
    assert notes(MUSICXML, "musicxml") == [
        (0, 1, 74, 0), (1, 2, 76, 0), (3, 1, 74, 0), (4, 2, 76, 0), (6, 3, 77, 0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "format_name"),
    [
        (b"", "abc"),
        (b"hello", "abc"),
        (b"X:1\nK:C\n" + b"C" * 100_000, "abc"),  # abc2midi gives up
        (b"", "kern"),
        (b"hello", "kern"),
        (b"<html></html>", "musicxml"),
        (b"<score-partwise>", "musicxml"),
    ],
)
def test_damaged_files_are_named(data: bytes, format_name: Format, capfd: pytest.CaptureFixture[str]) -> None:
    if format_name != "abc":
        pytest.importorskip("verovio")
    with pytest.raises(MidiError, match=r"^'bad\.file'"):
        parse_notation(data, format_name, name="bad.file")
    assert capfd.readouterr() == ("", "")  # what the converters complain of is not shown


def test_a_missing_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ritornello.system.extras.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"ritornello\[sheet\]"):
        parse_notation(KERN, "kern")


def test_a_file_of_abc_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ritornello.system.extras.find_spec", lambda name: None)
    assert len(parse_notation(ABC, "abc").score) == 19
