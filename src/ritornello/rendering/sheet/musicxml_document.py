"""Write a Score as MusicXML 4.0: parts, bars, keys, meters, clefs, tempi, chord symbols, markers, notes."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, indent, tostring

from ritornello.music.score import DEFAULT_TEMPO, KeySignature, Score
from ritornello.music.theory import CHORDS, family
from ritornello.rendering import roll_contents
from ritornello.rendering.sheet.grid import UNITS, SheetBars, written_notes
from ritornello.rendering.sheet.measures import BarContext, add_element, chords_in_bar, voice_elements
from ritornello.rendering.sheet.percussion import drum_notation
from ritornello.rendering.sheet.spelling import Accidentals, bar_keys, spell
from ritornello.rendering.sheet.staves import MAX_VOICES, Clef, Staff, staves
from ritornello.system.version import __version__

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
CHORD_KINDS = {
    "maj": "major", "min": "minor", "dim": "diminished", "aug": "augmented", "7": "dominant",
    "maj7": "major-seventh", "min7": "minor-seventh", "hdim": "half-diminished", "sus": "suspended-fourth",
    "other": "other",
}  # fmt: skip
MIN_TEMPO_CHANGE = 0.05  # relative to the last tempo written; smaller changes are not written


class SheetContext(NamedTuple):
    """What all parts share: the song, its bars, and the key of each bar."""

    score: Score
    bars: SheetBars
    keys: list[KeySignature]


def to_musicxml(score: Score) -> str:
    """The text of a MusicXML file; notes are quantised by `sheet.grid`."""
    bars = SheetBars.of(score)
    sheet = SheetContext(score, bars, bar_keys(score, bars))
    root = Element("score-partwise", version="4.0")
    if title := roll_contents.printable(score.title):
        add_element(add_element(root, "work"), "work-title", title)
    add_element(
        add_element(add_element(root, "identification"), "encoding"), "software", f"Ritornello {__version__}"
    )
    part_list = add_element(root, "part-list")
    parts = [part.part for part in roll_contents.shown_parts(score)]
    for number, part in enumerate(parts, start=1):
        _list_part(part_list, f"P{number}", score, part, min(number + (number > 9), 16))
    for number, part in enumerate(parts, start=1):
        element = add_element(root, "part", id=f"P{number}")
        part_staves = staves(score.parts[part], written_notes(score, part, bars), bars)
        for bar in range(len(bars)):
            element.append(
                _measure(sheet, bar, part_staves, f"P{number}", score.parts[part].is_drum, number == 1)
            )
    indent(root, " ")
    return HEAD + tostring(root, encoding="unicode") + "\n"


def _list_part(part_list: Element, name: str, score: Score, part: int, channel: int) -> None:
    """Add the name of a part and its instruments: one, or each percussion instrument that it plays."""
    player = score.parts[part]
    element = add_element(part_list, "score-part", id=name)
    label = roll_contents.printable(player.name) or (
        "Drums" if player.is_drum else family(player.program).capitalize()
    )
    add_element(element, "part-name", label)
    if not player.is_drum:
        add_element(add_element(element, "score-instrument", id=f"{name}-I1"), "instrument-name", label)
        midi = add_element(element, "midi-instrument", id=f"{name}-I1")
        add_element(midi, "midi-channel", channel)
        add_element(midi, "midi-program", player.program + 1)
        return
    pitches = sorted(set(score.pitch[score.part == part].tolist()))
    for pitch in pitches:
        add_element(
            add_element(element, "score-instrument", id=f"{name}-I{pitch}"),
            "instrument-name",
            drum_notation(pitch).name,
        )
    for pitch in pitches:
        midi = add_element(element, "midi-instrument", id=f"{name}-I{pitch}")
        add_element(midi, "midi-channel", 10)
        add_element(midi, "midi-unpitched", pitch + 1)


def _measure(
    sheet: SheetContext, bar: int, part_staves: list[Staff], part: str, is_drum: bool, is_first_part: bool
) -> Element:
    """The element of one bar of a part."""
    measure = Element("measure", number=str(bar + 1))
    start, end = sheet.bars.edges[bar : bar + 2].tolist()
    _attributes(measure, sheet, bar, [staff.clef for staff in part_staves], is_drum)
    if is_first_part:
        for direction in _directions(sheet, bar):
            measure.append(direction)
    first = True
    for number, staff in enumerate(part_staves, start=1):
        accidentals = Accidentals(sheet.keys[bar].sharps)
        for voice, chords in enumerate(staff.voices):
            sounding = chords_in_bar(chords, start, end)
            if voice and not sounding:
                continue
            if not first:
                add_element(add_element(measure, "backup"), "duration", end - start)
            first = False
            staff_number = number if len(part_staves) > 1 else 0
            meter, sharps = sheet.bars.meters[bar], sheet.keys[bar].sharps
            voice_number = MAX_VOICES * (number - 1) + voice + 1
            context = BarContext(
                start, meter, sharps, part, is_drum, staff_number, voice_number, shows_rests=voice == 0
            )
            measure.extend(voice_elements(sounding, context, accidentals))
    if bar == len(sheet.bars) - 1:
        add_element(add_element(measure, "barline", location="right"), "bar-style", "light-heavy")
    return measure


def _attributes(measure: Element, sheet: SheetContext, bar: int, clefs: list[Clef], is_drum: bool) -> None:
    """Add key and meter if they change, and the clefs in the first bar."""
    meters = sheet.bars.meters
    new_key = bar == 0 or sheet.keys[bar][1:] != sheet.keys[bar - 1][1:]
    new_meter = bar == 0 or meters[bar].signature != meters[bar - 1].signature
    if not (new_key or new_meter):
        return
    attributes = add_element(measure, "attributes")
    if bar == 0:
        add_element(attributes, "divisions", UNITS)
    if new_key:
        key = add_element(attributes, "key")
        add_element(key, "fifths", 0 if is_drum else sheet.keys[bar].sharps)
        add_element(key, "mode", "minor" if sheet.keys[bar].is_minor else "major")
    if new_meter:
        time = add_element(attributes, "time")
        add_element(time, "beats", meters[bar].signature[0])
        add_element(time, "beat-type", meters[bar].signature[1])
    if bar == 0:
        if len(clefs) > 1:
            add_element(attributes, "staves", len(clefs))
        for number, clef in enumerate(clefs, start=1):
            element = add_element(attributes, "clef", number=str(number))
            add_element(element, "sign", clef.sign)
            if clef.line:
                add_element(element, "line", clef.line)
            if clef.octave:
                add_element(element, "clef-octave-change", clef.octave)


def _directions(sheet: SheetContext, bar: int) -> Iterator[Element]:
    """The tempi, markers and chord symbols of a bar, with their offset from its start in units."""
    start = int(sheet.bars.edges[bar])
    for unit, bpm in _tempi(sheet)[bar]:
        direction = Element("direction", placement="above")
        mark = add_element(add_element(direction, "direction-type"), "metronome")
        add_element(mark, "beat-unit", "quarter")
        add_element(mark, "per-minute", f"{bpm:g}")
        _add_offset(direction, unit - start)
        add_element(direction, "sound", tempo=f"{bpm:g}")
        yield direction
    for marker in sheet.score.markers:
        text = roll_contents.printable(marker.text)
        if text and _bar_of(sheet, marker.onset_ticks) == bar:
            direction = Element("direction", placement="above")
            add_element(add_element(direction, "direction-type"), "words", text)
            _add_offset(direction, sheet.bars.unit(marker.onset_ticks) - start)
            yield direction
    for chord in sheet.score.chords:
        if _bar_of(sheet, chord.onset_ticks) == bar:
            spelled = spell(chord.root + 60, sheet.keys[bar].sharps)
            harmony = Element("harmony")
            root = add_element(harmony, "root")
            add_element(root, "root-step", spelled.step)
            add_element(root, "root-alter", spelled.alter)
            add_element(harmony, "kind", CHORD_KINDS[chord.kind]).set("text", CHORDS[chord.kind][0])
            _add_offset(harmony, sheet.bars.unit(chord.onset_ticks) - start)
            yield harmony


def _tempi(sheet: SheetContext) -> dict[int, list[tuple[int, float]]]:
    """For each bar the tempi to write in it: unit and beats per minute."""
    tempi, last, by_bar = sheet.score.tempi, 0.0, defaultdict(list)
    if not tempi or tempi[0].onset_ticks:
        tempi = (DEFAULT_TEMPO, *tempi)
    for tempo in tempi:
        bar, bpm = _bar_of(sheet, tempo.onset_ticks), round(tempo.bpm, 1)
        if bar >= 0 and abs(bpm - last) > MIN_TEMPO_CHANGE * last:
            by_bar[bar].append((sheet.bars.unit(tempo.onset_ticks), bpm))
            last = bpm
    return by_bar


def _add_offset(element: Element, units: int) -> None:
    if units:
        add_element(element, "offset", units)


def _bar_of(sheet: SheetContext, tick: int) -> int:
    """The bar that contains a tick; -1 after the last bar."""
    timeline = sheet.bars.timeline
    return int(timeline.bar_of(tick)) if tick < timeline.end_ticks else -1
