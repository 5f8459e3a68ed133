"""Modes, such as dorian or blues: their scales, the nearest major or minor key, and the chords that fit them.

A network only knows major and minor keys. A song in a mode is composed in the nearest key with the same
tonic; sampling rules keep its notes in the scale of the mode.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import NamedTuple

from ritornello.music import theory
from ritornello.music.theory import CHORDS, MAJOR, MINOR, key_name, key_tonic, parse_key

Key = tuple[int, bool]  # sharps, is_minor
BLUES_CHORDS = ((0, "7"), (5, "7"), (7, "7"))
TWELVE_BARS = "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 I7"  # one a bar, with the quick change


class Mode(NamedTuple):
    """A mode, with intervals in semitones above the tonic."""

    scale: tuple[int, ...]
    is_minor: bool = False
    """Whether the nearest key with the same tonic is minor."""
    sharps: int = 0
    """How many more sharps the key signature of the mode has than the nearest key."""
    chord_scale: tuple[int, ...] = ()
    """If `chords` is empty, those chords fit whose tones are all in this scale; () is `scale`."""
    chords: tuple[tuple[int, str], ...] = ()
    """The chords that fit, each a root above the tonic and a kind."""
    chart: str = ""
    """The chord chart of a song for which the user names no chords; "" leaves them open."""


MODES = {
    "ionian": Mode(MAJOR),
    "dorian": Mode((0, 2, 3, 5, 7, 9, 10), True, 1),
    "phrygian": Mode((0, 1, 3, 5, 7, 8, 10), True, -1),
    "lydian": Mode((0, 2, 4, 6, 7, 9, 11), sharps=1),
    "mixolydian": Mode((0, 2, 4, 5, 7, 9, 10), sharps=-1),
    "aeolian": Mode(MINOR, True),
    "locrian": Mode((0, 1, 3, 5, 6, 8, 10), True, -2),
    "harmonic minor": Mode((0, 2, 3, 5, 7, 8, 11), True),
    "melodic minor": Mode((0, 2, 3, 5, 7, 9, 11), True),
    "phrygian dominant": Mode((0, 1, 4, 5, 7, 8, 10), sharps=-4),
    "lydian dominant": Mode((0, 2, 4, 6, 7, 9, 10)),
    "whole tone": Mode((0, 2, 4, 6, 8, 10)),
    "major pentatonic": Mode((0, 2, 4, 7, 9), chord_scale=MAJOR),
    "minor pentatonic": Mode((0, 3, 5, 7, 10), True, chord_scale=MINOR),
    "blues": Mode((0, 3, 5, 6, 7, 10), chords=BLUES_CHORDS, chart=TWELVE_BARS),
    "major blues": Mode((0, 2, 3, 4, 7, 9), chords=BLUES_CHORDS, chart=TWELVE_BARS),
    "minor blues": Mode((0, 3, 5, 6, 7, 10), True, chord_scale=MINOR),
}
OTHER_NAMES = {"pentatonic": "major pentatonic", "mixolydic": "mixolydian", "mixo": "mixolydian"}
MOST_SHARPS = 7


def parse_key_or_mode(text: str) -> tuple[Key, str]:
    """Read a key such as "D minor" or a mode such as "D dorian": the nearest key, and the mode ("": none).

    Raises ValueError for any other text.

    >>> parse_key_or_mode("D minor"), parse_key_or_mode("D dorian"), parse_key_or_mode("A minor pentatonic")
    (((-1, True), ''), ((-1, True), 'dorian'), ((0, True), 'minor pentatonic'))
    """
    match = re.fullmatch(
        r"\s*([A-Ga-g](?:[#b♯♭]|[\s-]+(?:flat|sharp)\b)?)\s*(.*?)(?:\s+(?:mode|scale))?\s*", text
    )
    words = " ".join(match[2].lower().split()) if match else ""
    name = OTHER_NAMES.get(words, words)
    if match and name in MODES:
        tonic = match[1].replace("♯", "#").replace("♭", "b")
        return parse_key(f"{tonic} {'minor' if MODES[name].is_minor else 'major'}"), name
    try:
        return parse_key(text), ""
    except ValueError as error:
        near = get_close_matches(words, [*MODES, *OTHER_NAMES], n=1, cutoff=0.6) if words else []
        hint = f"; did you mean {near[0]!r}?" if near else f"; modes: {', '.join(MODES)}"
        raise ValueError(f"{error}{hint}") from None


def tonality_name(key: Key, mode: str = "") -> str:
    """Return the name of a key, or of a mode with the tonic of that key.

    >>> tonality_name((-1, True)), tonality_name((-1, True), "dorian")
    ('D minor', 'D dorian')
    """
    name = key_name(*key)
    return f"{name.split()[0]} {mode}" if mode else name


def signature(key: Key, mode: str = "") -> Key:
    """Return the key whose signature is written: that of the mode, with at most seven sharps or flats.

    >>> signature((-1, True), "dorian"), signature((7, False), "lydian")
    ((0, True), (-4, False))
    """
    sharps = key[0] + (MODES[mode].sharps if mode else 0)
    return sharps - 12 * (sharps > MOST_SHARPS) + 12 * (sharps < -MOST_SHARPS), key[1]


def tones(key: Key, mode: str = "") -> frozenset[int]:
    """Return the pitch classes of a key (with the raised seventh in minor) or mode."""
    if not mode:
        return theory.scale(*key)
    return frozenset((key_tonic(*key) + step) % 12 for step in MODES[mode].scale)


def degrees(key: Key, mode: str = "") -> tuple[int, ...]:
    """Return the seven degrees in semitones above the tonic; a mode without seven has those of its key."""
    scale = MODES[mode].scale if mode else ()
    return scale if len(scale) == len(MAJOR) else (MINOR if key[1] else MAJOR)


def fitting_chords(key: Key, mode: str) -> frozenset[tuple[int, str]]:
    """Return the chords (root, kind) that fit a mode."""
    properties, tonic = MODES[mode], key_tonic(*key)
    chords = properties.chords or _chords_in(properties.chord_scale or properties.scale)
    return frozenset(((tonic + root) % 12, kind) for root, kind in chords)


def _chords_in(scale: tuple[int, ...]) -> tuple[tuple[int, str], ...]:
    """The chords whose tones are all in a scale, as roots above its tonic and kinds."""
    return tuple(
        (root, kind)
        for root in scale
        for kind, (_, steps) in CHORDS.items()
        if kind != "other" and {(root + step) % 12 for step in steps} <= set(scale)
    )
