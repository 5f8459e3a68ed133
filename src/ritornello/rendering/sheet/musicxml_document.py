"""A Score as MusicXML 4.0: parts, bars, keys, meters, clefs, tempi, chord symbols, markers, and the notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, indent, tostring

from ritornello.music.score import DEFAULT_TEMPO, KeySignature, Score
from ritornello.music.theory import CHORDS, family
from ritornello.rendering import roll_contents
from ritornello.rendering.sheet.grid import UNITS, Bars, written
from ritornello.rendering.sheet.measures import Place, add, in_bar, notes
from ritornello.rendering.sheet.percussion import stroke
from ritornello.rendering.sheet.spelling import Accidentals, keys, spell
from ritornello.rendering.sheet.staves import Clef, Staff, staves
from ritornello.system.version import __version__

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
KINDS = {
    "maj": "major", "min": "minor", "dim": "diminished", "aug": "augmented", "7": "dominant",
    "maj7": "major-seventh", "min7": "minor-seventh", "hdim": "half-diminished", "sus": "suspended-fourth",
    "other": "other",
}  # fmt: skip
NEW_TEMPO = 0.05  # a tempo that is nearer to the last one that stands there is not written


class Sheet(NamedTuple):
    """What is common to all parts: the song, its bars, the key of each."""

    score: Score
    bars: Bars
    keys: list[KeySignature]


def document(score: Score) -> str:
    """The text of a MusicXML file. The notes stand on a grid: see sheet/grid.py."""
    bars = Bars.of(score)
    sheet = Sheet(score, bars, keys(score, bars))
    root = Element("score-partwise", version="4.0")
    if title := roll_contents.printable(score.title):
        add(add(root, "work"), "work-title", title)
    add(add(add(root, "identification"), "encoding"), "software", f"Ritornello {__version__}")
    listed = add(root, "part-list")
    heard = [voice.part for voice in roll_contents.shown_parts(score)]
    for number, part in enumerate(heard, start=1):
        _list_part(listed, f"P{number}", score, part, min(number + (number > 9), 16))
    for number, part in enumerate(heard, start=1):
        element = add(root, "part", id=f"P{number}")
        found = staves(score.parts[part], written(score, part, bars), bars)
        for bar in range(len(bars)):
            element.append(_measure(sheet, bar, found, f"P{number}", score.parts[part].is_drum, number == 1))
    indent(root, " ")
    return HEAD + tostring(root, encoding="unicode") + "\n"


def _list_part(listed: Element, name: str, score: Score, part: int, channel: int) -> None:
    """A part's name and its instruments: one, or every drum that it plays."""
    player = score.parts[part]
    element = add(listed, "score-part", id=name)
    label = roll_contents.printable(player.name) or (
        "Drums" if player.is_drum else family(player.program).capitalize()
    )
    add(element, "part-name", label)
    if not player.is_drum:
        add(add(element, "score-instrument", id=f"{name}-I1"), "instrument-name", label)
        midi = add(element, "midi-instrument", id=f"{name}-I1")
        add(midi, "midi-channel", channel)
        add(midi, "midi-program", player.program + 1)
        return
    pitches = sorted(set(score.pitch[score.part == part].tolist()))
    for pitch in pitches:
        add(add(element, "score-instrument", id=f"{name}-I{pitch}"), "instrument-name", stroke(pitch).name)
    for pitch in pitches:
        midi = add(element, "midi-instrument", id=f"{name}-I{pitch}")
        add(midi, "midi-channel", 10)
        add(midi, "midi-unpitched", pitch + 1)


def _measure(
    sheet: Sheet, bar: int, found: list[Staff], part: str, is_drum: bool, is_first_part: bool
) -> Element:
    """A bar of a part."""
    measure = Element("measure", number=str(bar + 1))
    start, end = sheet.bars.edges[bar : bar + 2].tolist()
    _attributes(measure, sheet, bar, [staff.clef for staff in found], is_drum)
    if is_first_part:
        for direction in _directions(sheet, bar):
            measure.append(direction)
    first = True
    for number, staff in enumerate(found, start=1):
        accidentals = Accidentals(sheet.keys[bar].sharps)
        for voice, chords in enumerate(staff.voices):
            sounding = in_bar(chords, start, end)
            if voice and not sounding:
                continue
            if not first:
                add(add(measure, "backup"), "duration", end - start)
            first = False
            where = number if len(found) > 1 else 0
            place = Place(start, sheet.bars.meters[bar], sheet.keys[bar].sharps, part, is_drum, where,
                          4 * (number - 1) + voice + 1, voice == 0)  # fmt: skip
            measure.extend(notes(sounding, place, accidentals))
    if bar == len(sheet.bars) - 1:
        add(add(measure, "barline", location="right"), "bar-style", "light-heavy")
    return measure


def _attributes(measure: Element, sheet: Sheet, bar: int, clefs: list[Clef], is_drum: bool) -> None:
    """Key, meter, and in the first bar the clefs; where nothing changes, nothing."""
    meters = sheet.bars.meters
    new_key = bar == 0 or sheet.keys[bar][1:] != sheet.keys[bar - 1][1:]
    new_meter = bar == 0 or meters[bar].signature != meters[bar - 1].signature
    if not (new_key or new_meter):
        return
    attributes = add(measure, "attributes")
    if bar == 0:
        add(attributes, "divisions", UNITS)
    if new_key:
        key = add(attributes, "key")
        add(key, "fifths", 0 if is_drum else sheet.keys[bar].sharps)
        add(key, "mode", "minor" if sheet.keys[bar].is_minor else "major")
    if new_meter:
        time = add(attributes, "time")
        add(time, "beats", meters[bar].signature[0])
        add(time, "beat-type", meters[bar].signature[1])
    if bar == 0:
        if len(clefs) > 1:
            add(attributes, "staves", len(clefs))
        for number, clef in enumerate(clefs, start=1):
            element = add(attributes, "clef", number=str(number))
            add(element, "sign", clef.sign)
            if clef.line:
                add(element, "line", clef.line)
            if clef.octave:
                add(element, "clef-octave-change", clef.octave)


def _directions(sheet: Sheet, bar: int) -> Iterator[Element]:
    """Tempi, markers and chord symbols of a bar, each with its distance from the bar's start."""
    start = int(sheet.bars.edges[bar])
    for unit, bpm in _tempi(sheet)[bar]:
        direction = _direction(unit - start)
        mark = add(add(direction, "direction-type"), "metronome")
        add(mark, "beat-unit", "quarter")
        add(mark, "per-minute", f"{bpm:g}")
        _offset(direction, unit - start)
        add(direction, "sound", tempo=f"{bpm:g}")
        yield direction
    for marker in sheet.score.markers:
        text = roll_contents.printable(marker.text)
        if text and _bar_of(sheet, marker.onset_ticks) == bar:
            direction = _direction(0)
            add(add(direction, "direction-type"), "words", text)
            _offset(direction, sheet.bars.unit(marker.onset_ticks) - start)
            yield direction
    for chord in sheet.score.chords:
        if _bar_of(sheet, chord.onset_ticks) == bar:
            spelled = spell(chord.root + 60, sheet.keys[bar].sharps)
            harmony = Element("harmony")
            root = add(harmony, "root")
            add(root, "root-step", spelled.step)
            add(root, "root-alter", spelled.alter)
            add(harmony, "kind", KINDS[chord.kind]).set("text", CHORDS[chord.kind][0])
            _offset(harmony, sheet.bars.unit(chord.onset_ticks) - start)
            yield harmony


def _tempi(sheet: Sheet) -> dict[int, list[tuple[int, float]]]:
    """For each bar the tempi that are written in it: unit and beats per minute."""
    tempi, last, found = sheet.score.tempi, 0.0, defaultdict(list)
    if not tempi or tempi[0].onset_ticks:
        tempi = (DEFAULT_TEMPO, *tempi)
    for tempo in tempi:
        bar, bpm = _bar_of(sheet, tempo.onset_ticks), round(tempo.bpm, 1)
        if bar >= 0 and abs(bpm - last) > NEW_TEMPO * last:
            found[bar].append((sheet.bars.unit(tempo.onset_ticks), bpm))
            last = bpm
    return found


def _direction(offset: int) -> Element:
    return Element("direction", placement="above")


def _offset(element: Element, units: int) -> None:
    if units:
        add(element, "offset", units)


def _bar_of(sheet: Sheet, tick: int) -> int:
    """The bar of a tick; -1 beyond the last."""
    timeline = sheet.bars.timeline
    return int(timeline.bar_of(tick)) if tick < timeline.end_ticks else -1
