"""Convert string quartets in MusicXML to Scores: notes, ties, meters, key, tempo; repeats are played once.

It uses the standard library, because music21 needs half a minute a movement.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from bach import Measure, Note, joined, meters

from ritornello.errors import InputError
from ritornello.music.score import KeySignature, Part, Score, Tempo

TICKS_PER_BEAT = 480
QUARTET = (Part("Violin 1", 40), Part("Violin 2", 40), Part("Viola", 41), Part("Cello", 42))
STEP_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
DYNAMICS_VELOCITY = {
    "pp": 48,
    "p": 62,
    "mp": 72,
    "mf": 82,
    "f": 96,
    "ff": 110,
    "fp": 80,
    "sf": 100,
    "sfz": 100,
}
TEMPO_BPM = {"largo": 48, "adagio": 56, "larghetto": 62, "andantino": 84, "andante": 76, "grazioso": 92}
TEMPO_BPM |= {
    "allegretto": 108,
    "moderato": 108,
    "presto": 160,
    "allegro": 132,
    "vivace": 144,
    "scherzo": 160,
}
TEMPO_BPM |= {"menu": 120, "minue": 120, "lento": 52, "grave": 48, "poco": 72}
DEFAULT_BPM = 108
DEFAULT_VELOCITY = 80


def xml_of(path: Path) -> bytes:
    """The MusicXML of a file; an .mxl is a zip archive of one and a folder META-INF."""
    if path.suffix == ".xml":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.startswith("META-INF")]
        return archive.read(next(name for name in names if name.endswith("xml")))


def parse(path: Path) -> Any:
    """The root element of a MusicXML file. Raises InputError."""
    try:
        root = ElementTree.fromstring(xml_of(path))
    except ElementTree.ParseError as error:
        raise InputError(f"{path.name!r} is not a MusicXML file: {error}") from error
    if root.tag != "score-partwise":
        raise InputError(f"{path.name!r} is a {root.tag}: must be a score-partwise")
    return root


class PartReader:
    """The content of one part, by measure; onsets of `notes` and `dynamics` are relative to their measure."""

    def __init__(self, part: Any) -> None:
        self.notes: list[list[Note]] = []
        self.measures: list[Measure] = []
        self.dynamics: list[tuple[int, Fraction, int]] = []  # measure, onset, velocity
        self.key: tuple[int, bool] | None = None
        self.bpm = 0.0
        self.words: list[str] = []
        divisions, meter = 1, (4, 4)
        for measure in part.iter("measure"):
            at = end = last = Fraction(0)
            self.notes.append([])
            for element in measure:
                if element.tag == "attributes":
                    divisions = int(element.findtext("divisions") or divisions)
                    meter = self._attributes(element, meter)
                elif element.tag in ("backup", "forward"):
                    step = Fraction(int(element.findtext("duration")), divisions)
                    at += -step if element.tag == "backup" else step
                elif element.tag in ("direction", "sound"):
                    self._direction(element, at)
                elif element.tag == "note" and element.find("grace") is None:
                    length = Fraction(int(element.findtext("duration")), divisions)
                    onset = last if element.find("chord") is not None else at
                    self._note(element, onset, length)
                    last, at = onset, max(at, onset + length)
                end = max(end, at)
            self.measures.append(Measure(end, *meter))

    def _attributes(self, element: Any, meter: tuple[int, int]) -> tuple[int, int]:
        """The meter from here on; stores the first key."""
        key, time = element.find("key"), element.find("time")
        if key is not None and self.key is None and key.findtext("fifths"):
            self.key = int(key.findtext("fifths")), key.findtext("mode") == "minor"
        if time is None or not time.findtext("beats"):
            return meter
        return int(time.findtext("beats")), int(time.findtext("beat-type"))

    def _direction(self, element: Any, at: Fraction) -> None:
        for dynamics in element.iter("dynamics"):
            for mark in dynamics:
                if mark.tag in DYNAMICS_VELOCITY:
                    self.dynamics.append((len(self.measures), at, DYNAMICS_VELOCITY[mark.tag]))
        self.words += [words.text for words in element.iter("words") if words.text]
        tempi = [sound.get("tempo") for sound in element.iter("sound")]
        tempi += [per.text for per in element.iter("per-minute")]
        for text in filter(None, tempi):
            if not self.bpm and re.fullmatch(r"\s*[0-9.]+\s*", text):
                self.bpm = float(text)

    def _note(self, element: Any, onset: Fraction, length: Fraction) -> None:
        pitch = element.find("pitch")
        if pitch is None or not length:
            return
        semitones = STEP_SEMITONES[pitch.findtext("step")] + int(float(pitch.findtext("alter") or 0))
        ties = {tie.get("type") for tie in element.iter("tie")}
        tie = "continue" if len(ties) == 2 else next(iter(ties), "")
        self.notes[-1].append(Note(onset, length, 12 * (int(pitch.findtext("octave")) + 1) + semitones, tie))


def to_score(path: Path, title: str) -> Score:
    """The Score of a quartet. Raises InputError unless the file has four parts with the same measures."""
    parts = [PartReader(part) for part in parse(path).iter("part")]
    if len(parts) != len(QUARTET):
        raise InputError(f"{len(parts)} parts: must be four")
    if len({len(part.measures) for part in parts}) > 1:
        raise InputError("the parts have different numbers of measures")
    measures = [_agreed(same) for same in zip(*(part.measures for part in parts), strict=True)]
    if upbeat := max(Fraction(0), measures[0].full - measures[0].length):
        measures[0] = measures[0]._replace(length=measures[0].full)
    begins = [sum((m.length for m in measures[:number]), Fraction(0)) for number in range(len(measures))]
    begins[0] = upbeat  # a rest before the upbeat fills the first measure
    rows = [row for number, part in enumerate(parts) for row in _rows(part, number, begins, measures)]
    if not rows:
        raise InputError("no notes")
    columns: Any = (*np.array(rows).T, QUARTET)
    key = parts[0].key
    return Score.of(
        TICKS_PER_BEAT,
        *columns,
        meters=meters(measures),
        keys=(KeySignature(0, *key),) if key else (),
        tempi=(Tempo(0, round(60e6 / _bpm(parts[0], title))),),
        title=title,
    )


def _agreed(same: tuple[Measure, ...]) -> Measure:
    """The measure that most parts agree on: in some files a rest is too long or missing."""
    return max(same, key=lambda measure: (same.count(measure), measure.length))


def _rows(
    part: PartReader, number: int, begins: list[Fraction], measures: list[Measure]
) -> Iterator[tuple[int, int, int, int, int]]:
    """Onset and duration in ticks, pitch, velocity and part of each note; tied notes are joined."""
    written: list[Note] = []
    for notes, begin, measure in zip(part.notes, begins, measures, strict=True):
        if any(note.onset + note.length > measure.length for note in notes):
            raise InputError(f"part {number + 1} has notes beyond the end of a measure")
        written += [note._replace(onset=begin + note.onset) for note in notes]
    marks = [(begins[measure] + at, level) for measure, at, level in part.dynamics]
    velocity, index = DEFAULT_VELOCITY, 0
    for note in joined(written):
        while index < len(marks) and marks[index][0] <= note.onset:
            velocity, index = marks[index][1], index + 1
        onset, end = (round(at * TICKS_PER_BEAT) for at in (note.onset, note.onset + note.length))
        yield onset, max(1, end - onset), note.pitch, velocity, number


def _bpm(part: PartReader, title: str) -> float:
    """The tempo of a file, from a number or from words such as "Allegro"."""
    if 20 <= part.bpm <= 300:
        return part.bpm
    text = " ".join([*part.words[:6], title]).lower()
    return next((bpm for word, bpm in TEMPO_BPM.items() if word in text), DEFAULT_BPM)
