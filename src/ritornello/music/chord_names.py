"""Read and write the names of chords as musicians write them: G7/B, am, V7, 4/6, N.C.

A network knows ten kinds of chords (`theory.CHORDS`). A chord of another kind has the nearest of them, and
keeps its own suffix and bass, which the sampling rules use.
"""

from __future__ import annotations

import re

from ritornello.music.chord import NO_BASS, NO_CHORD_NAME, Chord
from ritornello.music.chord_suffix import parse_suffix
from ritornello.music.modes import Key, degrees
from ritornello.music.theory import CHORDS, MAJOR, chord_name, key_tonic, pitch_class

LETTERS = re.compile(r"([A-Ga-g](?:##?|bb?)?)(.*?)(?:/([A-Ga-g](?:##?|bb?)?))?")
DEGREE = r"[b#]?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i|[1-7])"
NUMERALS = re.compile(rf"({DEGREE})(?![ivIV])(.*?)(?:/({DEGREE}|[A-G][#b]?))?")
NO_CHORD = re.compile(r"[Nn]\.?[Cc]\.?")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
DIMINISHED = ("dim", "°", "o", "ø", "º", "Ø")
MINOR_THIRD = re.compile(r"dim|[°oøºØ-]|m(?!aj|a|M)")  # suffixes that state a minor third
DEFAULT_KEY = (0, False)
ALLOWED = (
    "must be a root A-G, # or b, and a kind (Am7, Csus4, G7b9/B), a numeral (ii, V7, bVII) or number (4, 6-, "
    "5/7) of the key, or N.C."
)


def parse_chord(text: str, key: Key | None = None, mode: str = "", *, has_numbers: bool = False) -> Chord:
    """Return the chord (at tick 0) of a name; numerals and numbers refer to the key, by default C major.

    "b7" is the flat seventh degree if `has_numbers`, that is if the other names of the song are numbers; else
    it is a B7 chord. Raises ValueError for a text that is not a chord.

    >>> parse_chord("G7/B")
    Chord(onset_ticks=0, root=7, kind='7', suffix='', bass=11, text='')
    >>> parse_chord("ii", (2, False))
    Chord(onset_ticks=0, root=4, kind='min', suffix='', bass=-1, text='ii')
    """
    name = text.strip().replace("♭", "b").replace("♯", "#")
    if NO_CHORD.fullmatch(name):
        return Chord(0, 0, "other", NO_CHORD_NAME, NO_BASS, "" if name == NO_CHORD_NAME else text.strip())
    readers = [_with_letters, _with_numerals]
    if has_numbers and re.match(r"b[1-7]", name):
        readers.reverse()
    problems = []
    for reader in readers:
        try:
            chord = reader(name, key or DEFAULT_KEY, mode)
        except ValueError as error:
            problems.append(str(error))
            continue
        if chord is not None:
            return chord if chord_label(chord, key) == text.strip() else chord._replace(text=text.strip())
    raise ValueError(f"chord {text!r:.40}: {problems[0] if problems else ALLOWED}")


def chord_label(chord: Chord, key: Key | None = None) -> str:
    """Return the name of a chord as the user wrote it, or else spelled in `key` (sharps, is_minor).

    >>> chord_label(Chord(0, 9, "min7")), chord_label(Chord(0, 2, "min", text="ii"))
    ('Am7', 'ii')
    """
    return chord.text or letter_name(chord, key)


def letter_name(chord: Chord, key: Key | None = None) -> str:
    """Return the name of a chord with letters, spelled in `key`, also where the user wrote a numeral."""
    if chord.is_silent:
        return NO_CHORD_NAME
    root = chord_name(chord.root, "maj", key)
    bass = "" if chord.bass == NO_BASS else f"/{chord_name(chord.bass, 'maj', key)}"
    return f"{root}{chord.suffix or CHORDS[chord.kind][0]}{bass}"


def marker_name(chord: Chord) -> str:
    """Return the name of a chord for other programs: as the user wrote it, but with letters for a numeral."""
    return chord.text if chord.text[:1] in set("ABCDEFG") else letter_name(chord)


def chord_tones(chord: Chord) -> frozenset[int]:
    """Return the pitch classes of a chord, with its bass; none if it is silent."""
    if chord.is_silent:
        return frozenset()
    intervals = parse_suffix(chord.suffix).intervals if chord.suffix else CHORDS[chord.kind][1]
    tones = frozenset((chord.root + interval) % 12 for interval in intervals)
    return tones if chord.bass == NO_BASS else tones | {chord.bass}


def _chord(root: int, suffix: str, bass: int | None) -> Chord:
    """Return a chord by root, suffix and pitch class of the bass. Raises ValueError for a wrong suffix."""
    kind, _, text = parse_suffix(suffix)
    return Chord(0, root, kind, text, NO_BASS if bass is None or bass == root else bass)


def _with_letters(name: str, _key: Key, _mode: str) -> Chord | None:
    """Read a name such as "F#m7/A"; None if it does not begin with a letter A-G."""
    match = LETTERS.fullmatch(name)
    if match is None:
        return None
    if bass := re.search(r"/(\D.*)", match[2]):
        raise ValueError(f"bass {bass[1]!r:.40}: must be a note A-G, # or b")
    return _chord(pitch_class(match[1]), match[2], pitch_class(match[3]) if match[3] else None)


def _with_numerals(name: str, key: Key, mode: str) -> Chord | None:
    """Read a name such as "ii7", "V7/V" (the dominant of the dominant) or "5/7"; None if it has no degree."""
    match = NUMERALS.fullmatch(name)
    if match is None:
        return None
    degree, suffix, after_slash = match[1], match[2], match[3]
    number, is_roman = degree.lstrip("b#"), not degree[-1].isdigit()
    place = ROMAN.index(number.upper()) if is_roman else int(number) - 1
    is_diminished = suffix.startswith(DIMINISHED) or (number == "vii" and not suffix)
    # in minor the roots of diminished chords on the sixth and seventh degree are raised: G# dim in A minor
    root = _degree(degree, key, mode, raised=key[1] and not mode and place > 4 and is_diminished)
    if not is_roman and not suffix:
        suffix = _triad(root, key, mode)
    elif number == "vii" and not suffix:
        suffix = "dim"
    elif number.islower() and not MINOR_THIRD.match(suffix):
        suffix = f"m{suffix}"
    if not after_slash:
        return _chord(root, suffix, None)
    if after_slash[0] in "ABCDEFG":
        return _chord(root, suffix, pitch_class(after_slash))
    target = _degree(after_slash, key, mode)
    # V or vii over a numeral other than the tonic is the dominant of that degree, else a slash chord
    is_dominant_of = is_roman and place in (4, 6) and not after_slash[-1].isdigit()
    if is_dominant_of and target != key_tonic(*key):
        return _chord((target + MAJOR[place]) % 12, suffix, None)
    return _chord(root, suffix, target)


def _degree(text: str, key: Key, mode: str, *, raised: bool = False) -> int:
    """Return the pitch class of a degree such as "bVII" or "4".

    A flat degree is one below that of the major scale, any other is a degree of the key; `raised` takes the
    degree of the major scale.
    """
    number = text.lstrip("b#")
    place = int(number) - 1 if number.isdigit() else ROMAN.index(number.upper())
    scale = MAJOR if text.startswith("b") else degrees(key, mode)
    step = scale[place] - text.startswith("b") + text.startswith("#")
    return (key_tonic(*key) + (MAJOR[place] if raised else step)) % 12


def _triad(root: int, key: Key, mode: str) -> str:
    """Return the suffix ("", "m" or "dim") of the triad on a root that is in the key; "" if none is in it."""
    scale = {(key_tonic(*key) + step) % 12 for step in degrees(key, mode)}
    for kind in ("maj", "min", "dim"):
        if {(root + step) % 12 for step in CHORDS[kind][1]} <= scale:
            return CHORDS[kind][0]
    return ""
