"""Parse the music of an ABC tune into written bars: the part of ABC 2.1 that O'Neill's and Ryan's tunes use.

It reads notes, chords, rests, tuplets, ties, broken rhythm, bar lines, repeats, endings, and changes of key,
meter and unit length. It ignores grace notes, ornaments, slurs, fingerings and annotations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from bundle.abc_text import Tune, key_of, meter_of
from ritornello.errors import InputError

NATURAL_SEMITONES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
TUPLETS = {
    2: 3,
    3: 2,
    4: 3,
    6: 2,
    8: 3,
}  # notes: the number of notes whose time they take; for 5, 7 and 9 see `_tuplet`
TOKEN = re.compile(
    r"""(?P<skip>"[^"]*"|![^!|]*!|\{[^}]*\}|\\)
    |(?P<inline>\[[A-Za-z]:[^\]]*\])
    |(?P<bar>(?::*\|+\]?:*|:+\|*:*|\[\||\|\])(?:\s*\[?(?P<end>[1-9](?:[,-][1-9])*)(?![0-9/]))?
        |\[(?P<alone>[1-9](?:[,-][1-9])*))
    |\((?P<tuplet>[2-9])(?::(?P<time>[1-9])?(?::(?P<count>[1-9])?)?)?
    |(?P<chord>\[[^\]]*\])(?P<chord_length>[0-9]*/*[0-9]*)
    |(?P<note>(?:\^\^|\^|__|_|=)?[A-Ga-g][,']*)(?P<length>[0-9]*/*[0-9]*)
    |(?P<rest>[zxZ])(?P<rest_length>[0-9]*/*[0-9]*)
    |(?P<broken>>+|<+)
    |(?P<tie>-)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
NOTE = re.compile(r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)([0-9]*/*[0-9]*)")
IGNORED = set(" \t\n().~*$`'\"&;") | set("HIJKLMNOPQRSTUVWhijklmnopqrstuvwy")


class Note(NamedTuple):
    """A note: onset in its bar and length in whole notes, MIDI pitch, and if it is tied to the next note."""

    onset: Fraction
    length: Fraction
    pitch: int
    tied: bool = False


@dataclass
class Bar:
    """A written bar; `opens` and `closes` are about a repeat that begins before or ends after it."""

    meter: tuple[int, int]
    notes: list[Note] = field(default_factory=list)
    length: Fraction = Fraction(0)
    opens: str = ""  # ":" a repeat, "|" a double bar line, "" nothing
    closes: bool = False
    ending: str = ""  # "1" on the first bar of a first ending

    @property
    def is_second(self) -> bool:
        """Whether a second or later ending begins here."""
        return bool(self.ending) and not self.ending.startswith("1")

    @property
    def full(self) -> Fraction:
        """The length of its meter in whole notes."""
        return Fraction(*self.meter)


class Parser:
    """Parses the body of a tune, token by token, into bars."""

    def __init__(self, tune: Tune) -> None:
        self.meter = meter_of(tune.fields.get("M", "C"))
        default = Fraction(1, 16) if Fraction(*self.meter) < Fraction(3, 4) else Fraction(1, 8)
        self.unit = Fraction(tune.fields["L"].strip()) if tune.fields.get("L") else default
        self.text = "\n".join(tune.body)
        self.signature = _signature(tune.fields.get("K", "C"))
        self.accidentals: dict[str, int] = {}
        self.done: list[Bar] = []
        self.bar = Bar(self.meter)
        self.tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # ratio, number of notes still to come
        self.broken = Fraction(1)  # factor of the next length, after > or <
        self.last: list[int] = []  # indices of the last notes of the bar

    def bars(self) -> list[Bar]:
        """All bars. Raises InputError."""
        for token in TOKEN.finditer(self.text):
            if token["bar"] is not None:
                self._bar_line(token["bar"], token["end"] or token["alone"] or "")
            elif token["inline"]:
                self._field(token["inline"][1], token["inline"][3:-1])
            elif token["tuplet"]:
                self._tuplet(int(token["tuplet"]), token["time"], token["count"])
            elif token["note"]:
                self._add_notes([self._pitch(token["note"])], _length(token["length"]))
            elif token["chord"]:
                self._chord(token["chord"], token["chord_length"])
            elif token["rest"]:
                self._rest(token["rest"], token["rest_length"])
            elif token["broken"]:
                self._broken(token["broken"])
            elif token["tie"]:
                self._tie()
            elif token["other"] and token["other"] not in IGNORED:
                raise InputError(f"unknown character {token['other']!r} in the music")
        self._bar_line("|", "")
        return self.done

    def _bar_line(self, line: str, ending: str) -> None:
        """End the current bar, if it is not empty, and begin the next one."""
        line = line.rstrip("123456789,-[ \n")
        if self.bar.length:
            self.done.append(self.bar)
            self.bar = Bar(self.meter)
        if line.startswith(":") and self.done:
            self.done[-1].closes = True
        if line.endswith(":"):
            self.bar.opens = ":"
        elif "||" in line or "]" in line or "[|" in line or line.startswith(":"):
            self.bar.opens = self.bar.opens or "|"
        if ending:
            self.bar.ending = ending
        self.accidentals, self.last = {}, []

    def _field(self, letter: str, value: str) -> None:
        if letter == "K":
            self.signature = _signature(value)
        elif letter == "L":
            self.unit = Fraction(value.strip())
        elif letter == "M":
            self.meter = meter_of(value)
            if not self.bar.length:
                self.bar.meter = self.meter

    def _tuplet(self, count: int, time: str | None, notes: str | None) -> None:
        compound = self.meter[1] == 8 and self.meter[0] % 3 == 0
        into = int(time) if time else TUPLETS.get(count, 3 if compound else 2)
        self.tuplet = Fraction(into, count), int(notes) if notes else count

    def _pitch(self, text: str) -> int:
        """The MIDI pitch of a note, given the key signature and the accidentals of the bar."""
        found = NOTE.match(text)
        assert found, "the token was a note"
        letter = found[2].upper()
        if found[1]:
            self.accidentals[letter] = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}[found[1]]
        alter = self.accidentals.get(letter, self.signature.get(letter, 0))
        octave = (found[2].islower()) + found[3].count("'") - found[3].count(",")
        return 60 + 12 * octave + NATURAL_SEMITONES[letter] + alter

    def _add_notes(self, pitches: list[int], units: Fraction) -> None:
        """Add simultaneous notes of a length in units."""
        length = self._whole_notes(units)
        start = len(self.bar.notes)
        self.bar.notes += [Note(self.bar.length, length, pitch) for pitch in pitches]
        self.last = list(range(start, len(self.bar.notes)))
        self.bar.length += length

    def _whole_notes(self, units: Fraction) -> Fraction:
        """A length in units converted to whole notes, given the current tuplet and broken rhythm."""
        ratio, left = self.tuplet
        if left:
            self.tuplet = ratio, left - 1
        length = units * self.unit * (ratio if left else 1) * self.broken
        self.broken = Fraction(1)
        return length

    def _chord(self, text: str, length: str) -> None:
        found = list(NOTE.finditer(text[1:-1]))
        if not found:
            return
        pitches = [self._pitch(note[0]) for note in found]
        self._add_notes(list(dict.fromkeys(pitches)), _length(found[0][4]) * _length(length))

    def _rest(self, letter: str, length: str) -> None:
        if letter == "Z":
            raise InputError("rests of whole bars (Z) are not supported")
        self.bar.length += self._whole_notes(_length(length))
        self.last = []

    def _broken(self, marks: str) -> None:
        """`a>b`: the first note is longer by a half and the second shorter; `a<b`: the reverse."""
        part = Fraction(1, 2 ** len(marks))
        before, self.broken = (2 - part, part) if marks[0] == ">" else (part, 2 - part)
        if not self.last:
            self.broken = Fraction(1)
            return
        for number in self.last:
            note = self.bar.notes[number]
            self.bar.notes[number] = note._replace(length=note.length * before)
        self.bar.length += note.length * (before - 1)

    def _tie(self) -> None:
        """Tie the last notes to the next notes of the same pitch; with others it is a slur, and ignored."""
        for number in self.last:
            self.bar.notes[number] = self.bar.notes[number]._replace(tied=True)


def _signature(text: str) -> dict[str, int]:
    """The alteration of each letter in a key."""
    sharps, _ = key_of(text)
    letters = "FCGDAEB"[:sharps] if sharps > 0 else "BEADGCF"[:-sharps] if sharps < 0 else ""
    return dict.fromkeys(letters, 1 if sharps > 0 else -1)


def _length(text: str) -> Fraction:
    """The length in units of `3/2`, `/` (1/2), `//` (1/4), `2` or an empty text (1)."""
    numerator, slash, denominator = text.partition("/")
    if not slash:
        return Fraction(int(numerator or 1))
    slashes = 1 + len(denominator) - len(denominator.lstrip("/"))
    denominator = denominator.lstrip("/")
    return Fraction(int(numerator or 1), int(denominator) if denominator else 2**slashes)
