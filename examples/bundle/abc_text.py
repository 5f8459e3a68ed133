"""Split ABC files into tunes, and parse their key and meter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ritornello.errors import InputError

FIFTHS = "FCGDAEB"  # the index of a major key, minus 1, is its number of sharps
MODE_SHARPS = {"": 0, "maj": 0, "ion": 0, "min": -3, "aeo": -3, "mix": -1, "dor": -2, "phr": -4}
MODE_SHARPS |= {"lyd": 1, "loc": -5}


@dataclass
class Tune:
    """A tune: its fields by letter (the first of each), and its lines of music."""

    fields: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """The fields N: (notes) and R: (rhythm)."""
    body: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The first title."""
        return self.fields.get("T", "").strip().strip('"')


def tunes(text: str) -> Iterator[Tune]:
    """The tunes of an ABC file."""
    tune: Tune | None = None
    for line in text.replace("\r", "\n").split("\n"):
        line = line.strip()
        if re.match(r"X:", line):
            if tune and tune.body:
                yield tune
            tune = Tune()
        if tune is None or line.startswith("%"):
            continue
        if found := re.match(r"([A-Za-z]):(?!\|)(.*)", line):
            letter, value = found[1], found[2].strip()
            without_comment = value.partition("%")[0]
            if tune.body and letter in "KML":
                tune.body.append(f"[{letter}:{without_comment}]")
            elif letter in "NR":
                tune.notes.append(value)
            tune.fields.setdefault(letter, without_comment.strip() if letter in "KML" else value)
            if letter == "K" and not tune.body:
                tune.body.append("")
        elif line and tune.body:
            line = line.partition("%")[0].removesuffix("=20")  # a remnant of e-mail encoding
            tune.body.append(line.replace("[|]|]", "|]").replace("[|]:|", ":|").replace("[|]", "|"))
    if tune and tune.body:
        yield tune


def key_of(text: str) -> tuple[int, bool]:
    """Sharps (negative: flats), if it is minor, of a K: field such as "F#m", "Ador". Raises InputError."""
    found = re.match(r"([A-Ga-g])([#b]?)\s*([A-Za-z]*)", text.strip())
    mode = {"m": "min", "M": "maj"}.get(found[3], found[3].lower()[:3]) if found else ""
    if not found or mode not in MODE_SHARPS:
        raise InputError(f"key {text!r}: must be a tonic and a mode, such as G, F#m or Ador")
    sharps = (
        FIFTHS.index(found[1].upper()) - 1 + 7 * ((found[2] == "#") - (found[2] == "b")) + MODE_SHARPS[mode]
    )
    if not -7 <= sharps <= 7:
        raise InputError(f"key {text!r} has {sharps} sharps: must have -7 to 7")
    return sharps, mode in ("min", "aeo")


def meter_of(text: str) -> tuple[int, int]:
    """The meter of an M: field; cut time (C|) becomes 4/4. Raises InputError."""
    text = text.strip()
    if text in ("C", "C|"):
        return 4, 4
    if not (found := re.fullmatch(r"(\d+)/(\d+)", text)):
        raise InputError(f"meter {text!r}: must be a time signature, such as 6/8 or C")
    return int(found[1]), int(found[2])
