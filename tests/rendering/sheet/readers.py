"""Readers of MusicXML that return Counters of (onset, length, pitch), in units of 24 a beat."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest

from ritornello import midi
from ritornello.music.score import Score
from ritornello.rendering.sheet.percussion import drum_notation

Notes = Counter[tuple[int, int, object]]


def expected(score: Score) -> Notes:
    """The quantised notes of a song; drums have no length."""
    unit, drums = 24 / score.ticks_per_beat, score.of_drums.tolist()
    columns = (score.onset_ticks.tolist(), score.duration_ticks.tolist(), score.pitch.tolist(), drums)
    return Counter(
        (round(onset * unit), 0 if is_drum else round(length * unit), pitch)
        for onset, length, pitch, is_drum in zip(*columns, strict=True)
    )


def places_of_drums(notes: Notes) -> Notes:
    """Drums by their position on the staff and notehead, for readers that ignore their instruments."""
    return Counter(
        {(on, length, drum_notation(p)[1:] if not length else p): n for (on, length, p), n in notes.items()}
    )


def by_ourselves(text: str) -> Notes:
    """A minimal reader: durations, chords, voices, ties, unpitched notes."""
    found: list[list[Any]] = []
    root = ElementTree.fromstring(text.split("\n", 2)[2])
    for part in root.iter("part"):
        bar_start, sounding = 0, {}
        for measure in part.iter("measure"):
            now = latest = onset = bar_start
            for element in measure:
                length = int(element.findtext("duration", "0"))
                if element.tag == "backup":
                    now -= length
                if element.tag != "note":
                    continue
                if element.find("chord") is None:
                    onset, now = now, now + length
                    latest = max(latest, now)
                ties = {tie.get("type") for tie in element.findall("tie")}
                instrument = element.find("instrument")
                if (pitch := element.find("pitch")) is not None:
                    key = _pitch(pitch)
                    if "stop" in ties:
                        note = sounding[key, onset]
                        note[1] += length
                    else:
                        found.append(note := [onset, length, key])
                    if "start" in ties:
                        sounding[key, now] = note
                elif instrument is not None:
                    found.append([onset, 0, int(str(instrument.get("id")).split("I")[1])])
            bar_start = latest
    return Counter((on, length, pitch) for on, length, pitch in found)


def _pitch(element: ElementTree.Element) -> int:
    step, alter, octave = (element.findtext(tag, "0") for tag in ("step", "alter", "octave"))
    return (
        {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[step] + int(alter) + 12 * int(octave) + 12
    )


def by_verovio(text: str) -> Notes:
    """The notes that Verovio plays."""
    verovio = pytest.importorskip("verovio", reason="the extra sheet is not installed")
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(text)
    return expected(midi.parse(base64.b64decode(toolkit.renderToMIDI())).score)


def by_music21(text: str) -> Notes:
    """The notes that music21 reads, ties joined; drums by their position on the staff."""
    music21 = pytest.importorskip("music21", reason="music21 is not installed (the extra demo brings it)")
    found: list[list[Any]] = []
    for part in music21.converter.parse(text, format="musicxml").parts:
        sounding: dict[tuple[int, int], list[Any]] = {}
        for element in sorted(part.flatten().notes, key=lambda element: element.offset):
            if isinstance(element, music21.harmony.Harmony):
                continue
            onset, length = round(float(element.offset) * 24), round(float(element.quarterLength) * 24)
            for note in getattr(element, "notes", [element]):
                if isinstance(note, music21.note.Unpitched):
                    head = note.notehead.replace(" ", "-")
                    found.append([onset, 0, (note.displayStep, note.displayOctave, head)])
                    continue
                tie, key = note.tie.type if note.tie else "", note.pitch.midi
                if tie in ("stop", "continue"):
                    read = sounding[onset, key]
                    read[1] += length
                else:
                    found.append(read := [onset, length, key])
                if tie in ("start", "continue"):
                    sounding[onset + length, key] = read
    return Counter((on, length, pitch) for on, length, pitch in found)
