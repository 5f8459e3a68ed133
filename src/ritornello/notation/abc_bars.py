"""Compute the length of the first bar of an ABC tune, because abc2midi does not say that it is a pickup.

The notation is that of the ABC standard 2.1 (abcnotation.com/wiki/abc:standard:v2.1).
"""

from __future__ import annotations

import re
from fractions import Fraction

NO_MUSIC = re.compile(
    r'"[^"]*"|![^!\n]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|%.*'
)  # chords, signs, grace notes, fields
BAR_LINES = re.compile(r"[:\[]*\|[\]|:]*|::")
LENGTH = r"(\d*)(/*)(\d*)"
# A tuplet (3 groups), a chord (its notes, and the 3 groups of LENGTH), or a note or rest (those of LENGTH)
TOKENS = re.compile(rf"\((\d)(?::(\d?))?(?::(\d?))?|\[([^\]|]*)\]{LENGTH}|[_^=]*[A-Ga-gxz][,']*{LENGTH}")
NOTES_IN_TIME_OF = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}  # tuplets without their second number


def first_bar_beats(text: str) -> Fraction:
    """Return the length in beats of the first bar of a tune; 0 if it cannot be told.

    The first bar is the music of the first voice up to the first bar line that follows a note.
    """
    header, _, body = text.partition("\nK:")
    fields = dict(re.findall(r"(?m)^([ML]):\s*(\S+)", header))
    unit = _fraction(fields.get("L", "")) or _usual_length(fields.get("M", ""))
    lines = [NO_MUSIC.sub("", line) for line in body.splitlines()[1:]]
    music = " ".join(line for line in lines if not re.match(r"[A-Za-z+]:", line))
    bars = BAR_LINES.split(music)
    lengths = (_length(bar.partition("&")[0]) for bar in bars[:-1])  # no bar line follows the last
    return 4 * unit * next((length for length in lengths if length), Fraction(0))


def _usual_length(meter: str) -> Fraction:
    """Return the unit of length of a tune without the field L: a 16th in meters below 3/4, else an eighth."""
    value = _fraction(meter)
    return Fraction(1, 16) if value and value < Fraction(3, 4) else Fraction(1, 8)


def _length(bar: str) -> Fraction:
    """The length of the notes and rests of a bar in units of length."""
    total, ratio, tuplet_notes_left = Fraction(0), Fraction(1), 0
    for tuplet, time_of, count, chord, *lengths in TOKENS.findall(bar):
        if tuplet:
            notes = int(tuplet)
            ratio = Fraction(int(time_of or NOTES_IN_TIME_OF.get(notes, notes)), max(notes, 1))
            tuplet_notes_left = int(count or notes)
            continue
        length = _times(*lengths[:3]) * (_first_length(chord) if chord else _times(*lengths[3:]))
        total += length * (ratio if tuplet_notes_left > 0 else 1)
        tuplet_notes_left -= 1
    return total


def _first_length(chord: str) -> Fraction:
    """The length of the first note of a chord."""
    return next((_times(*groups[-3:]) for groups in TOKENS.findall(chord)), Fraction(0))


def _times(number: str, slashes: str, divisor: str) -> Fraction:
    """Return the factor of a length such as "3/2", "/" or "//", given as the groups of LENGTH."""
    return Fraction(int(number or 1), int(divisor or 1) * (1 if divisor else 2 ** len(slashes)) or 1)


def _fraction(text: str) -> Fraction:
    """A fraction such as "6/8"; 0 for another text."""
    match = re.match(r"(\d+)/(\d+)", text)
    return Fraction(int(match[1]), int(match[2]) or 1) if match else Fraction(0)
