"""Fill in the note values that a MusicXML document leaves out.

The element <type> (quarter, half ...) is optional where <duration> gives the length, but Verovio reads a note
without it as a quarter.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ritornello.errors import MidiError

TYPE_BEATS = {"long": Fraction(16), "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2)}
TYPE_BEATS |= {"quarter": Fraction(1), "eighth": Fraction(1, 2), "32nd": Fraction(1, 8)}
TYPE_BEATS |= {f"{4 * n}th": Fraction(1, n) for n in (4, 16, 32, 64, 128, 256)}
MAX_DOTS = 3
BEFORE_TYPE = ("duration", "tie", "instrument", "footnote", "level", "voice")  # the order of the standard


def with_note_types(document: bytes) -> bytes:
    """Return a MusicXML document in which each note has its <type>; unchanged if all have.

    Raises MidiError if it is not XML, or if a note without <type> has a length that no note value has.
    """
    try:
        root = ElementTree.fromstring(document)  # entities were refused before
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MidiError(f"it is not MusicXML: {error}") from error
    divisions: dict[str | None, Fraction] = {}
    changed = False
    for part in root.iter("part"):
        for element in part.iter():
            if element.tag == "divisions":
                divisions[part.get("id")] = _number(element.text)
            elif element.tag == "note" and element.find("type") is None:
                changed |= _fill_in(element, divisions.get(part.get("id"), Fraction(1)))
    return ElementTree.tostring(root, encoding="utf-8") if changed else document


def _fill_in(note: Element, divisions: Fraction) -> bool:
    """Add the type and the dots of a note; return whether it needs any."""
    rest = note.find("rest")
    if note.find("grace") is not None or note.find("duration") is None:
        return False
    if rest is not None and rest.get("measure") == "yes":
        return False
    beats = _number(note.findtext("duration")) / divisions
    ratio = note.find("time-modification")
    if ratio is not None:
        beats *= _number(ratio.findtext("actual-notes")) / _number(ratio.findtext("normal-notes"))
    for dots in range(MAX_DOTS + 1):
        for name, plain in TYPE_BEATS.items():
            if beats == plain * (2 - Fraction(1, 2**dots)):
                _insert(note, name, dots)
                return True
    if rest is None:
        raise MidiError(f"a note without <type> lasts {beats} quarters, which no note value does")
    rest.set("measure", "yes")  # a rest of a whole bar, such as 5/4
    return True


def _insert(note: Element, name: str, dots: int) -> None:
    """Insert <type> and its dots in their place among the children of a note."""
    place = max(n for n, child in enumerate(note) if child.tag in BEFORE_TYPE) + 1
    for old in note.findall("dot"):
        note.remove(old)
    kind = Element("type")
    kind.text = name
    for number, child in enumerate([kind, *(Element("dot") for _ in range(dots))]):
        note.insert(place + number, child)


def _number(text: str | None) -> Fraction:
    """A positive number of the document. Raises MidiError."""
    try:
        value = Fraction((text or "").strip())
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0:
        raise MidiError(f"the MusicXML has the number {text!r:.20}: must be above 0")
    return value
