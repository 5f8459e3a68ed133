"""ABC files cut into tunes: the fields that say key, meter and kind, and the lines of music."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ritornello.errors import InputError

FIFTHS = "FCGDAEB"  # a key's place in it, less one, is its sharps
MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "min": -3,
    "aeo": -3,
    "mix": -1,
    "dor": -2,
    "phr": -4,
    "lyd": 1,
    "loc": -5,
}


@dataclass
class Tune:
    """A tune as it stands in a file: fields by their letter (the first of each), and the lines of music."""

    fields: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What N: and R: say."""
    body: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Its first title."""
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
            letter, said = found[1], found[2].strip()
            if tune.body and letter in "KML":
                tune.body.append(f"[{letter}:{said.partition('%')[0]}]")
            elif letter in "NR":
                tune.notes.append(said)
            tune.fields.setdefault(letter, said.partition("%")[0].strip() if letter in "KML" else said)
            if letter == "K" and not tune.body:
                tune.body.append("")
        elif line and tune.body:
            line = line.partition("%")[0].removesuffix("=20")  # of a letter that was sent as a mail
            tune.body.append(line.replace("[|]|]", "|]").replace("[|]:|", ":|").replace("[|]", "|"))
    if tune and tune.body:
        yield tune


def key_of(text: str) -> tuple[int, bool]:
    """Sharps, and whether it is minor, of a K: field such as "F#m" or "Ador". Raises InputError."""
    found = re.match(r"([A-Ga-g])([#b]?)\s*([A-Za-z]*)", text.strip())
    mode = {"m": "min", "M": "maj"}.get(found[3], found[3].lower()[:3]) if found else ""
    if not found or mode not in MODES:
        raise InputError(f"key {text!r}")
    sharps = FIFTHS.index(found[1].upper()) - 1 + 7 * ((found[2] == "#") - (found[2] == "b")) + MODES[mode]
    if not -7 <= sharps <= 7:
        raise InputError(f"key {text!r} of {sharps} sharps, must be -7 to 7")
    return sharps, mode in ("min", "aeo")


def meter_of(text: str) -> tuple[int, int]:
    """The meter of an M: field; cut time is taken for 4/4, as players do. Raises InputError."""
    text = text.strip()
    if text in ("C", "C|"):
        return 4, 4
    if not (found := re.fullmatch(r"(\d+)/(\d+)", text)):
        raise InputError(f"meter {text!r}")
    return int(found[1]), int(found[2])
