"""A voice in a bar as MusicXML's notes: values, ties, triplets, beams, accidentals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from ritornello.rendering.sheet.grid import Meter
from ritornello.rendering.sheet.note_values import Value, beams, triplet_windows, values
from ritornello.rendering.sheet.percussion import stroke
from ritornello.rendering.sheet.spelling import Accidentals, spell
from ritornello.rendering.sheet.staves import Chord


class Place(NamedTuple):
    """Where a voice stands in a bar: the bar's start in units, its meter and key; part, staff and voice."""

    start: int
    meter: Meter
    sharps: int
    part: str
    is_drum: bool
    staff: int  # 0: the part has only one
    voice: int
    shows_rests: bool


class Piece(NamedTuple):
    """A value with what sounds (nothing: a rest), and whether it is tied to what is before and after it."""

    value: Value
    pitches: tuple[int, ...] = ()
    from_before: bool = False
    to_next: bool = False


def add(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    """A new element in `parent`, with its text."""
    element = SubElement(parent, tag, attributes)
    if text is not None:
        element.text = str(text)
    return element


def in_bar(voice: list[Chord], start: int, end: int) -> list[Chord]:
    """The chords of a voice that sound between two units, whole."""
    first = bisect_left(voice, start, key=lambda chord: chord.start)
    if first and voice[first - 1].end > start:
        first -= 1
    return voice[first : bisect_left(voice, end, key=lambda chord: chord.start)]


def notes(chords: list[Chord], place: Place, accidentals: Accidentals) -> Iterator[Element]:
    """The elements of a voice in a bar, which they fill."""
    if not chords:
        yield _whole_rest(place)
        return
    pieces = list(_pieces(chords, place))
    joined = beams([piece.value if piece.pitches else None for piece in pieces], place.meter.beat)
    for index, piece in enumerate(pieces):
        for number, pitch in enumerate(piece.pitches or (None,)):
            note = _begun(piece, pitch, place, in_chord=number > 0)
            accidental = None
            if pitch is not None and not place.is_drum and not piece.from_before:
                accidental = accidentals.needed(spell(pitch, place.sharps))
            _look(note, piece.value, accidental)
            if pitch is not None and place.is_drum and stroke(pitch).head != "normal":
                add(note, "notehead", stroke(pitch).head)
            if place.staff:
                add(note, "staff", place.staff)
            for level, how in enumerate(joined[index] if number == 0 else [], start=1):
                add(note, "beam", how, number=str(level))
            _notations(note, piece, pitch, "" if number else _bracket(pieces, index, place.meter.window))
            yield note


def _pieces(chords: list[Chord], place: Place) -> Iterator[Piece]:
    """The voice in values, with the rests between its chords; places are in units from the bar's start."""
    length = place.meter.length
    spans: list[tuple[int, int, Chord | None]] = []
    now = 0
    for chord in chords:
        start, end = max(chord.start - place.start, 0), min(chord.end - place.start, length)
        if start > now:
            spans.append((now, start, None))
        spans.append((start, end, chord))
        now = end
    if now < length:
        spans.append((now, length, None))
    triplets = triplet_windows([edge for span in spans for edge in span[:2]], place.meter.window)
    for start, end, sounding in spans:
        for value in values(start, end, place.meter, triplets):
            if sounding is None:
                yield Piece(value)
            else:
                at = place.start + value.start
                goes_on = at + value.length < sounding.end
                if not place.is_drum:
                    yield Piece(value, sounding.pitches, at > sounding.start, goes_on)
                else:  # a stroke has no length: what one value cannot fill is silent
                    yield Piece(value, sounding.pitches if at == sounding.start else ())


def _begun(piece: Piece, pitch: int | None, place: Place, in_chord: bool) -> Element:
    """A note or rest up to its voice: the elements stand in the order that MusicXML's schema asks for."""
    note = Element("note")
    if pitch is None and not place.shows_rests:
        note.set("print-object", "no")
    if in_chord:
        add(note, "chord")
    if pitch is None:
        add(note, "rest")
    elif place.is_drum:
        unpitched = add(note, "unpitched")
        add(unpitched, "display-step", stroke(pitch).step)
        add(unpitched, "display-octave", stroke(pitch).octave)
    else:
        spelled, sounding = spell(pitch, place.sharps), add(note, "pitch")
        add(sounding, "step", spelled.step)
        if spelled.alter:
            add(sounding, "alter", spelled.alter)
        add(sounding, "octave", spelled.octave)
    add(note, "duration", piece.value.length)
    if pitch is not None and piece.from_before:
        add(note, "tie", type="stop")
    if pitch is not None and piece.to_next:
        add(note, "tie", type="start")
    if pitch is not None and place.is_drum:
        add(note, "instrument", id=f"{place.part}-I{pitch}")
    add(note, "voice", place.voice)
    return note


def _look(note: Element, value: Value, accidental: str | None) -> None:
    """The value, its dots, its accidental, and that three take the time of two."""
    add(note, "type", value.name)
    for _ in range(value.dots):
        add(note, "dot")
    if accidental:
        add(note, "accidental", accidental)
    if value.triplet:
        ratio = add(note, "time-modification")
        add(ratio, "actual-notes", 3)
        add(ratio, "normal-notes", 2)


def _notations(note: Element, piece: Piece, pitch: int | None, bracket: str) -> None:
    """The ties that are seen, and where a triplet starts or stops."""
    ties = [how for how, is_so in (("stop", piece.from_before), ("start", piece.to_next)) if is_so]
    if not (bracket or (ties and pitch is not None)):
        return
    notations = add(note, "notations")
    for how in ties:
        add(notations, "tied", type=how)
    if bracket:
        add(notations, "tuplet", type=bracket, number="1")


def _bracket(pieces: list[Piece], index: int, window: int) -> str:
    """Whether a triplet starts or stops with a piece: "start", "stop" or neither."""
    here = pieces[index].value

    def joins(other: int) -> bool:
        if not 0 <= other < len(pieces):
            return False
        value = pieces[other].value
        return value.triplet and value.start // window == here.start // window

    if not here.triplet or joins(index - 1) == joins(index + 1):
        return ""
    return "start" if joins(index + 1) else "stop"


def _whole_rest(place: Place) -> Element:
    note = Element("note")
    if not place.shows_rests:
        note.set("print-object", "no")
    add(note, "rest", measure="yes")
    add(note, "duration", place.meter.length)
    add(note, "voice", place.voice)
    if place.staff:
        add(note, "staff", place.staff)
    return note
