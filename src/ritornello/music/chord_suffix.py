"""Read the suffix of a chord symbol, which follows the root: its tones, and the nearest kind of CHORDS."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ritornello.music.theory import CHORDS

# The tokens of a suffix without brackets and commas, in the order in which they are tried
TOKEN = re.compile(
    r"(?P<add>add)(?P<add_sign>[b#]?)(?P<added>2|4|6|9|11|13)"
    r"|(?P<omitted>(?:no|omit)(?:3|5)(?:rd|th)?)"
    r"|(?P<sus>[sS]us(?:24|2|4)?)"
    r"|(?P<altered>alt)"
    r"|(?P<major>[mM]aj|MAJ|[mM]a|M)"
    r"|(?P<minor>[mM]in|[mM]i|m|^-)"
    r"|(?P<diminished>dim|°|o)"
    r"|(?P<half_diminished>ø)"
    r"|(?P<augmented>aug|^\+)"
    r"|(?P<sign>[b#+-])(?P<degree>5|6|9|11|13)"
    r"|(?P<number>6/9|69|13|11|[245679])"
)
SAME_SIGNS = str.maketrans(
    {"♭": "b", "♯": "#", "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "△": "Δ", "Ø": "ø", "º": "°"}
)
BRACKETS = str.maketrans(dict.fromkeys("(), "))
DEGREES = {2: 2, 4: 5, 5: 7, 6: 9, 9: 2, 11: 5, 13: 9}  # semitones above the root, within an octave
STACKED = {"7": (), "9": (2,), "11": (2, 5), "13": (2, 9)}  # the tones above the seventh
ALTERED = (1, 3, 8)  # tones of 7alt besides third, diminished fifth and seventh
POWER = "5"
UNNAMED = CHORDS["other"][0]


class Suffix(NamedTuple):
    """The meaning of the suffix of a chord's name."""

    kind: str
    """The nearest kind of theory.CHORD_KINDS."""
    intervals: tuple[int, ...]
    """The tones in semitones above the root, ascending."""
    text: str
    """The suffix in its normal spelling; "" if the kind has the same tones, so that it says all."""


@lru_cache(maxsize=1024)
def parse_suffix(text: str) -> Suffix:
    """Return what a suffix such as "m7b5", "6/9" or "7(b9,#11)" means. Raises ValueError for any other text.

    >>> parse_suffix("6/9")
    Suffix(kind='maj', intervals=(0, 2, 4, 7, 9), text='6/9')
    >>> parse_suffix("-7b5")
    Suffix(kind='hdim', intervals=(0, 3, 6, 10), text='')
    """
    if text == UNNAMED:
        return Suffix("other", CHORDS["other"][1], "")
    spelled = re.sub(r"Δ(?=\d)", "maj", text.translate(SAME_SIGNS)).replace("Δ", "maj7")
    plain = spelled.translate(BRACKETS)
    tones = _Tones()
    place = 0
    while place < len(plain):
        match = TOKEN.match(plain, place)
        if match is None or not tones.take(match, place == 0):
            raise ValueError(
                f"{text!r} is not a kind of chord: must be such as m7, maj9, sus4, dim7, 7b9 or add9"
            )
        place = match.end()
    kind, intervals = tones.kind, tones.intervals
    spelled = spelled.replace("°", "dim").replace("ø7", "ø").replace("ø", "m7b5")
    return Suffix(kind, intervals, "" if set(CHORDS[kind][1]) == set(intervals) else spelled)


class _Tones:
    """The tones of a chord, in semitones above the root, while its suffix is read from left to right."""

    def __init__(self) -> None:
        self.third: int | None = 4
        self.fifth: int | None = 7
        self.seventh: int | None = None
        self.others: set[int] = set()
        self.default_seventh = 10  # which a number such as 7 or 9 adds

    @property
    def intervals(self) -> tuple[int, ...]:
        """The tones, ascending."""
        tones = {0, self.third, self.fifth, self.seventh, *self.others}
        return tuple(sorted(tone for tone in tones if tone is not None))

    @property
    def kind(self) -> str:
        """The nearest kind of chord: it shares the third, then the seventh, then the fifth."""
        if self.third is None:
            return "maj"
        if self.third in (2, 5):
            return "sus"
        if self.third == 3:
            kinds = ("hdim", "dim") if self.fifth == 6 else ("min7", "min")
            return kinds[self.seventh != 10]
        if self.seventh in (10, 11):
            return "7" if self.seventh == 10 else "maj7"
        return "aug" if self.fifth == 8 else "maj"

    def take(self, match: re.Match[str], is_first: bool) -> bool:
        """Read a token; return whether it is allowed at this position."""
        name = str(match.lastgroup)
        if name == "added":
            self.others.add((DEGREES[int(match[name])] + "b #".index(match["add_sign"] or " ") - 1) % 12)
        elif name == "degree":
            self._alter(int(match[name]), -1 if match["sign"] in "b-" else 1)
        elif name == "number":
            return self._number(match[name], is_first)
        elif name == "omitted":
            setattr(self, "third" if "3" in match[name] else "fifth", None)
        elif name == "sus":
            self.third = 2 if match[name].endswith("sus2") else 5
            self.others |= {2} if match[name].endswith("24") else set()
        elif name == "altered":
            self.seventh, self.fifth = self.seventh or 10, 6
            self.others |= set(ALTERED)
        else:
            return self._quality(name, is_first)
        return True

    def _quality(self, name: str, is_first: bool) -> bool:
        """Read the kind of the triad (first token only), or that the seventh is major."""
        if name == "major":
            self.default_seventh = 11
            return True
        self.third = 4 if name == "augmented" else 3
        self.fifth = {"minor": 7, "augmented": 8}.get(name, 6)
        self.default_seventh = 9 if name == "diminished" else 10
        self.seventh = 10 if name == "half_diminished" else None
        return is_first

    def _number(self, number: str, is_first: bool) -> bool:
        """Read a number: a seventh with the tones above it, an added tone, or the power chord."""
        if number in STACKED:
            self.seventh = self.seventh or self.default_seventh
            self.others |= set(STACKED[number])
        elif number == POWER:
            self.third = None
            return is_first
        elif number == "4":
            self.third = 5
        else:
            self.others |= {2} if number == "2" else {9, 2} if "9" in number else {9}
        return True

    def _alter(self, degree: int, by: int) -> None:
        """Raise or lower the fifth, or a tone above the seventh."""
        tone = DEGREES[degree]
        if degree == 5:
            self.fifth = tone + by
            return
        self.others.discard(tone)
        self.others.add(tone + by)
