"""The MusicXML elements of one voice in one bar: note values, ties, triplets, beams, accidentals."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from ritornello.rendering.sheet.grid import BarMeter
from ritornello.rendering.sheet.note_values import FLAGS, NoteValue, beams, note_values, triplet_windows
from ritornello.rendering.sheet.percussion import drum_notation
from ritornello.rendering.sheet.played_note import Mark
from ritornello.rendering.sheet.spelling import Accidentals, SpelledPitch, spell
from ritornello.rendering.sheet.staves import StaffChord

TREMOLO_STROKES = 3  # on a note without flags: repeated in 32nds, or as fast as possible


class BarContext(NamedTuple):
    """The bar, part, staff and voice to which elements belong."""

    start: int  # of the bar, in units
    meter: BarMeter
    sharps: int
    part: str  # id of the part
    is_drum: bool
    staff: int  # from 1; 0 if the part has only one
    voice: int
    shows_rests: bool


class TiedValue(NamedTuple):
    """A note value with its pitches (none: a rest), and its ties to the values before and after it.

    The first value of a chord has its grace notes; `mark` is that of the chord.
    """

    value: NoteValue
    pitches: tuple[int, ...] = ()
    tied_before: bool = False
    tied_after: bool = False
    graces: tuple[tuple[int, ...], ...] = ()
    mark: Mark = ""


def add_element(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    """Append a new element to `parent` and return it."""
    element = SubElement(parent, tag, attributes)
    if text is not None:
        element.text = str(text)
    return element


def chords_in_bar(voice: list[StaffChord], start: int, end: int) -> list[StaffChord]:
    """The chords of a voice that sound between `start` and `end`, in units."""
    first = bisect_left(voice, start, key=lambda chord: chord.start)
    if first and voice[first - 1].end > start:
        first -= 1
    return voice[first : bisect_left(voice, end, key=lambda chord: chord.start)]


def voice_elements(
    chords: list[StaffChord], context: BarContext, accidentals: Accidentals
) -> Iterator[Element]:
    """The notes and rests of a voice, which fill the bar."""
    if not chords:
        yield _whole_rest(context)
        return
    tied_values = list(_tied_values(chords, context))
    beams_of = beams([tied.value if tied.pitches else None for tied in tied_values], context.meter.beat)
    for index, tied in enumerate(tied_values):
        yield from _grace_notes(tied.graces, context, accidentals)
        for number, pitch in enumerate(tied.pitches or (None,)):
            note = _note(tied, pitch, context, in_chord=number > 0)
            accidental = None
            if pitch is not None and not context.is_drum and not tied.tied_before:
                accidental = accidentals.needed(spell(pitch, context.sharps))
            _add_value(note, tied.value, accidental)
            if pitch is not None and context.is_drum and drum_notation(pitch).head != "normal":
                add_element(note, "notehead", drum_notation(pitch).head)
            if context.staff:
                add_element(note, "staff", context.staff)
            for level, beam_type in enumerate(beams_of[index] if number == 0 else [], start=1):
                add_element(note, "beam", beam_type, number=str(level))
            bracket = "" if number else _bracket(tied_values, index, context.meter.window)
            _add_notations(note, tied, number, bracket)
            yield note


def _tied_values(chords: list[StaffChord], context: BarContext) -> Iterator[TiedValue]:
    """The note values of the chords and of the rests between them; their starts are relative to the bar."""
    length = context.meter.length
    spans: list[tuple[int, int, StaffChord | None]] = []
    position = 0
    for chord in chords:
        start, end = max(chord.start - context.start, 0), min(chord.end - context.start, length)
        if start > position:
            spans.append((position, start, None))
        spans.append((start, end, chord))
        position = end
    if position < length:
        spans.append((position, length, None))
    triplets = triplet_windows([edge for span in spans for edge in span[:2]], context.meter.window)
    for start, end, sounding in spans:
        for value in note_values(start, end, context.meter, triplets):
            if sounding is None:
                yield TiedValue(value)
            else:
                onset = context.start + value.start
                before, after = onset > sounding.start, onset + value.length < sounding.end
                if context.is_drum:  # is not tied: further values are rests
                    yield TiedValue(value, () if before else sounding.pitches)
                else:
                    graces = () if before else sounding.graces
                    yield TiedValue(value, sounding.pitches, before, after, graces, sounding.mark)


def _note(tied: TiedValue, pitch: int | None, context: BarContext, in_chord: bool) -> Element:
    """A note or rest with its elements up to "voice", in the order of the MusicXML schema."""
    note = Element("note", {"print-object": "no"} if pitch is None and not context.shows_rests else {})
    if in_chord:
        add_element(note, "chord")
    if pitch is None:
        add_element(note, "rest")
    elif context.is_drum:
        unpitched = add_element(note, "unpitched")
        add_element(unpitched, "display-step", drum_notation(pitch).step)
        add_element(unpitched, "display-octave", drum_notation(pitch).octave)
    else:
        _add_pitch(note, spell(pitch, context.sharps))
    add_element(note, "duration", tied.value.length)
    if pitch is not None and tied.tied_before:
        add_element(note, "tie", type="stop")
    if pitch is not None and tied.tied_after:
        add_element(note, "tie", type="start")
    if pitch is not None and context.is_drum:
        add_element(note, "instrument", id=f"{context.part}-I{pitch}")
    add_element(note, "voice", context.voice)
    return note


def _add_pitch(note: Element, spelled: SpelledPitch) -> None:
    """Add a pitch to a note."""
    pitch = add_element(note, "pitch")
    add_element(pitch, "step", spelled.step)
    if spelled.alter:
        add_element(pitch, "alter", spelled.alter)
    add_element(pitch, "octave", spelled.octave)


def _grace_notes(
    chords: tuple[tuple[int, ...], ...], context: BarContext, accidentals: Accidentals
) -> Iterator[Element]:
    """The grace notes before a chord: a slashed eighth, or beamed 16ths. They have no duration."""
    name, levels = ("eighth", 0) if len(chords) == 1 else ("16th", 2)
    for index, pitches in enumerate(chords):
        for number, pitch in enumerate(pitches):
            note, spelled = Element("note"), spell(pitch, context.sharps)
            add_element(note, "grace", slash="yes" if len(chords) == 1 else "no")
            if number:
                add_element(note, "chord")
            _add_pitch(note, spelled)
            add_element(note, "voice", context.voice)
            add_element(note, "type", name)
            if accidental := accidentals.needed(spelled):
                add_element(note, "accidental", accidental)
            if context.staff:
                add_element(note, "staff", context.staff)
            beam_type = "begin" if index == 0 else "end" if index == len(chords) - 1 else "continue"
            for level in range(1, levels + 1) if number == 0 else ():
                add_element(note, "beam", beam_type, number=str(level))
            yield note


def _add_value(note: Element, value: NoteValue, accidental: str | None) -> None:
    """Add the name of the note value, its dots, its accidental, and the ratio of a triplet."""
    add_element(note, "type", value.name)
    for _ in range(value.dots):
        add_element(note, "dot")
    if accidental:
        add_element(note, "accidental", accidental)
    if value.triplet:
        ratio = add_element(note, "time-modification")
        add_element(ratio, "actual-notes", 3)
        add_element(ratio, "normal-notes", 2)


def _add_notations(note: Element, tied: TiedValue, number: int, bracket: str) -> None:
    """Add ties, the start or stop of the bracket of a triplet, and marks to note `number` of a chord."""
    ties = (["stop"] * tied.tied_before + ["start"] * tied.tied_after) if tied.pitches else []
    is_marked = tied.mark and (number == 0 or tied.mark.startswith("arpeggio"))
    if not (bracket or ties or is_marked):
        return
    notations = Element("notations")
    for kind in ties:
        add_element(notations, "tied", type=kind)
    if bracket:
        add_element(notations, "tuplet", type=bracket, number="1")
    if is_marked:
        _add_mark(notations, tied)
    if len(notations):
        note.append(notations)


def _add_mark(notations: Element, tied: TiedValue) -> None:
    """Add the sign of an arpeggio or trill to the first value of a chord, that of a tremolo to each."""
    if tied.mark == "tremolo":
        strokes = max(1, TREMOLO_STROKES - FLAGS.get(tied.value.name, 0))
        add_element(add_element(notations, "ornaments"), "tremolo", strokes, type="single")
    elif not tied.tied_before:
        if tied.mark == "trill":
            add_element(add_element(notations, "ornaments"), "trill-mark")
        else:
            arrow = {"direction": "down"} if tied.mark == "arpeggio down" else {}
            add_element(notations, "arpeggiate", **arrow)


def _bracket(tied_values: list[TiedValue], index: int, window: int) -> str:
    """Whether a triplet starts or stops at a value: "start", "stop" or ""."""
    here = tied_values[index].value

    def joins(other: int) -> bool:
        if not 0 <= other < len(tied_values):
            return False
        value = tied_values[other].value
        return value.triplet and value.start // window == here.start // window

    if not here.triplet or joins(index - 1) == joins(index + 1):
        return ""
    return "start" if joins(index + 1) else "stop"


def _whole_rest(context: BarContext) -> Element:
    """A rest for the whole bar."""
    note = Element("note", {} if context.shows_rests else {"print-object": "no"})
    add_element(note, "rest", measure="yes")
    add_element(note, "duration", context.meter.length)
    add_element(note, "voice", context.voice)
    if context.staff:
        add_element(note, "staff", context.staff)
    return note
