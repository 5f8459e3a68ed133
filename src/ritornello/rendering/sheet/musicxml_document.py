"""Write a Score as MusicXML 4.0: parts, bars, keys, meters, clefs, tempi, chord symbols, markers, notes.

This file computes the values; templates/score.musicxml has the elements.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from ritornello.music.chord import Chord
from ritornello.music.chord_names import LETTERS, chord_label
from ritornello.music.score import DEFAULT_TEMPO, KeySignature, Score
from ritornello.music.theory import chord_name, family
from ritornello.rendering import roll_contents
from ritornello.rendering.sheet.grid import UNITS, SheetBars, written_notes
from ritornello.rendering.sheet.measures import BarContext, SheetNote, SheetVoice, chords_in_bar, voice_notes
from ritornello.rendering.sheet.percussion import drum_notation
from ritornello.rendering.sheet.spelling import Accidentals, SpelledPitch, bar_keys
from ritornello.rendering.sheet.staves import MAX_VOICES, Clef, Staff, staves
from ritornello.system.templates import fill_template
from ritornello.system.version import __version__

CHORD_KINDS = {
    "maj": "major", "min": "minor", "dim": "diminished", "aug": "augmented", "7": "dominant",
    "maj7": "major-seventh", "min7": "minor-seventh", "hdim": "half-diminished", "sus": "suspended-fourth",
    "other": "other",
}  # fmt: skip
MORE_KINDS = {  # kinds of chords that networks do not know, by suffix
    "6": "major-sixth", "m6": "minor-sixth", "dim7": "diminished-seventh", "m(maj7)": "major-minor",
    "9": "dominant-ninth", "maj9": "major-ninth", "m9": "minor-ninth", "11": "dominant-11th",
    "maj11": "major-11th", "m11": "minor-11th", "13": "dominant-13th", "maj13": "major-13th",
    "m13": "minor-13th", "sus2": "suspended-second", "5": "power", "7#5": "augmented-seventh",
}  # fmt: skip
SECTION = re.compile(r"[A-Z]\d*'*")  # a marker of this form is a rehearsal mark
MIN_TEMPO_CHANGE = 0.05  # relative to the last tempo written; smaller changes are not written


class SheetContext(NamedTuple):
    """The song, its bars, and the key of each bar, which all parts share."""

    score: Score
    bars: SheetBars
    keys: list[KeySignature]


class SheetChord(NamedTuple):
    """A chord symbol above a bar, at an offset in units; `shown` replaces the name of its root."""

    offset: int
    root: SpelledPitch
    shown: str | None
    kind: str  # in MusicXML
    suffix: str
    bass: SpelledPitch | None


class Directions(NamedTuple):
    """The texts above a bar, each with its offset from the start of the bar in units."""

    tempi: list[tuple[int, str]]  # beats per minute
    markers: list[tuple[int, str, bool]]  # the text, and whether it is a section's letter at a bar line
    chords: list[SheetChord]


class SheetBar(NamedTuple):
    """A bar of a part: its key and meter where they change, and in the first bar the clefs.

    The pickup is bar 0; it has the meter of the bars after it.
    """

    number: int
    length: int  # in units
    key: KeySignature | None
    signature: tuple[int, int] | None
    clefs: Sequence[Clef]
    voices: list[tuple[SheetVoice, list[SheetNote]]]


class SheetPart(NamedTuple):
    """A part; an instrument has the end of its id, its name, and its program or percussion key from 1."""

    id: str
    label: str
    is_drum: bool
    channel: int
    instruments: list[tuple[int, str, int]]
    bars: list[SheetBar]


def to_musicxml(score: Score) -> str:
    """The text of a MusicXML file; notes are quantised by `sheet.grid`."""
    bars = SheetBars.of(score)
    sheet = SheetContext(score, bars, bar_keys(score, bars))
    shown = roll_contents.shown_parts(score)
    text = fill_template(
        "score.musicxml",
        title=roll_contents.printable(score.title),
        parts=[_part(sheet, number, part.part) for number, part in enumerate(shown, start=1)],
        directions=_directions(sheet),
        version=__version__,
        UNITS=UNITS,
        text=escape,
    )
    return text + "\n"


def _part(sheet: SheetContext, number: int, part: int) -> SheetPart:
    """A part with its instruments: one, or each percussion instrument that it plays."""
    score, player = sheet.score, sheet.score.parts[part]
    usual = "Drums" if player.is_drum else family(player.program).capitalize()
    label = roll_contents.printable(player.name) or usual
    instruments, channel = [(1, label, player.program + 1)], min(number + (number > 9), 16)
    if player.is_drum:
        pitches, channel = sorted(set(score.pitch[score.part == part].tolist())), 10
        instruments = [(pitch, drum_notation(pitch).name, pitch + 1) for pitch in pitches]
    part_staves = staves(player, written_notes(score, part, sheet.bars), sheet.bars)
    bars = [_bar(sheet, bar, part_staves, f"P{number}", player.is_drum) for bar in range(len(sheet.bars))]
    return SheetPart(f"P{number}", label, player.is_drum, channel, instruments, bars)


def _bar(sheet: SheetContext, bar: int, part_staves: list[Staff], part: str, is_drum: bool) -> SheetBar:
    """One bar of a part."""
    (start, end), meters, keys = sheet.bars.edges[bar : bar + 2].tolist(), sheet.bars.meters, sheet.keys
    signatures = [meter.signature for meter in meters]
    if sheet.bars.timeline.pickup_bars:
        signatures[0] = signatures[1]
    is_pickup = bar < sheet.bars.timeline.pickup_bars
    context, voices = BarContext(start, meters[bar], keys[bar].sharps, is_pickup), []
    for number, staff in enumerate(part_staves):
        accidentals = Accidentals(keys[bar].sharps)
        for place, chords in enumerate(staff.voices):
            sounding = chords_in_bar(chords, start, end)
            if sounding or not place:
                staff_number = number + 1 if len(part_staves) > 1 else 0
                voice = SheetVoice(part, is_drum, staff_number, MAX_VOICES * number + place + 1, place == 0)
                voices.append((voice, list(voice_notes(sounding, context, is_drum, accidentals))))
    return SheetBar(
        sheet.bars.timeline.number(bar),
        end - start,
        keys[bar] if bar == 0 or keys[bar][1:] != keys[bar - 1][1:] else None,
        signatures[bar] if bar == 0 or signatures[bar] != signatures[bar - 1] else None,
        () if bar else [staff.clef for staff in part_staves],
        voices,
    )


def _directions(sheet: SheetContext) -> list[Directions]:
    """The tempi, markers and chord symbols of each bar."""
    score, tempi = sheet.score, _tempi(sheet)
    directions = [Directions(tempi[bar], [], []) for bar in range(len(sheet.bars))]
    for marker in score.markers:
        bar, text = _bar_of(sheet, marker.onset_ticks), roll_contents.printable(marker.text)
        if bar >= 0 and text:
            offset = _offset(sheet, bar, marker.onset_ticks)
            directions[bar].markers.append((offset, text, not offset and bool(SECTION.fullmatch(text))))
    for chord in score.chords:
        bar = _bar_of(sheet, chord.onset_ticks)
        if bar >= 0:
            offset = _offset(sheet, bar, chord.onset_ticks)
            directions[bar].chords.append(_sheet_chord(chord, offset, sheet.keys[bar][1:]))
    return directions


def _sheet_chord(chord: Chord, offset: int, key: tuple[int, bool]) -> SheetChord:
    """A chord as it is written: with the user's spelling; a numeral or N.C. replaces the root."""
    parts = LETTERS.fullmatch(chord_label(chord, key))
    kind = MORE_KINDS.get(chord.suffix, CHORD_KINDS[chord.kind])
    if parts is None or chord.is_silent:
        root, kind = _spelled(chord_name(chord.root, "maj", key)), "none" if chord.is_silent else kind
        return SheetChord(offset, root, chord_label(chord, key), kind, "", None)
    root, bass = _spelled(parts[1]), _spelled(parts[3]) if parts[3] else None
    return SheetChord(offset, root, None, kind, parts[2], bass)


def _spelled(name: str) -> SpelledPitch:
    """The step and the accidentals of the name of a note."""
    return SpelledPitch(name[0].upper(), name.count("#") - name[1:].count("b"), 0)


def _tempi(sheet: SheetContext) -> dict[int, list[tuple[int, str]]]:
    """For each bar the tempi to write in it: offset in units and beats per minute."""
    tempi, last, by_bar = sheet.score.tempi, 0.0, defaultdict(list)
    if not tempi or tempi[0].onset_ticks:
        tempi = (DEFAULT_TEMPO, *tempi)
    for tempo in tempi:
        bar, bpm = _bar_of(sheet, tempo.onset_ticks), round(tempo.bpm, 1)
        if bar >= 0 and abs(bpm - last) > MIN_TEMPO_CHANGE * last:
            by_bar[bar].append((_offset(sheet, bar, tempo.onset_ticks), f"{bpm:g}"))
            last = bpm
    return by_bar


def _offset(sheet: SheetContext, bar: int, tick: int) -> int:
    """The offset of a tick from the start of its bar, in units."""
    return int(sheet.bars.unit(tick) - sheet.bars.edges[bar])


def _bar_of(sheet: SheetContext, tick: int) -> int:
    """The bar that contains a tick; -1 after the last bar."""
    timeline = sheet.bars.timeline
    return int(timeline.bar_of(tick)) if tick < timeline.end_ticks else -1
