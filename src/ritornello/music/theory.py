"""Keys, scales, chords, intervals and instrument names: pure functions on pitches.

A *pitch class* is a pitch modulo 12, C = 0.
"""

import re
from difflib import get_close_matches

PITCH_CLASS_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
SIGNATURES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6)  # sharps (negative: flats), fewest accidentals first

# Each kind of chord: its suffix after the name of the root, and its intervals above the root in semitones.
CHORDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "maj": ("", (0, 4, 7)),
    "min": ("m", (0, 3, 7)),
    "dim": ("dim", (0, 3, 6)),
    "aug": ("aug", (0, 4, 8)),
    "7": ("7", (0, 4, 7, 10)),
    "maj7": ("maj7", (0, 4, 7, 11)),
    "min7": ("m7", (0, 3, 7, 10)),
    "hdim": ("m7b5", (0, 3, 6, 10)),
    "sus": ("sus", (0, 5, 7)),
    "other": ("?", (0,)),
}
CHORD_KINDS = tuple(CHORDS)

# General MIDI level 1: sixteen families of eight programs.
FAMILIES = (
    "piano", "mallets", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "pipe", "synth lead", "synth pad", "synth effects", "world", "percussive", "effects",
)  # fmt: skip
INSTRUMENTS = (
    "grand piano", "bright piano", "electric grand", "honky-tonk", "electric piano", "chorus piano",
    "harpsichord", "clavinet", "celesta", "glockenspiel", "music box", "vibraphone", "marimba", "xylophone",
    "tubular bells", "dulcimer", "drawbar organ", "percussive organ", "rock organ", "church organ",
    "reed organ", "accordion", "harmonica", "tango accordion", "nylon guitar", "steel guitar", "jazz guitar",
    "clean guitar", "muted guitar", "overdriven guitar", "distortion guitar", "guitar harmonics",
    "acoustic bass", "fingered bass", "picked bass", "fretless bass", "slap bass", "slap bass 2",
    "synth bass", "synth bass 2", "violin", "viola", "cello", "contrabass", "tremolo strings",
    "pizzicato strings", "harp", "timpani", "string ensemble", "slow strings", "synth strings",
    "synth strings 2", "choir", "voice oohs", "synth voice", "orchestra hit", "trumpet", "trombone", "tuba",
    "muted trumpet", "french horn", "brass section", "synth brass", "synth brass 2", "soprano sax",
    "alto sax", "tenor sax", "baritone sax", "oboe", "english horn", "bassoon", "clarinet", "piccolo",
    "flute", "recorder", "pan flute", "blown bottle", "shakuhachi", "whistle", "ocarina", "square lead",
    "saw lead", "calliope lead", "chiff lead", "charang lead", "voice lead", "fifths lead", "bass and lead",
    "new age pad", "warm pad", "polysynth pad", "choir pad", "bowed pad", "metallic pad", "halo pad",
    "sweep pad", "rain", "soundtrack", "crystal", "atmosphere", "brightness", "goblins", "echoes", "sci-fi",
    "sitar", "banjo", "shamisen", "koto", "kalimba", "bagpipe", "fiddle", "shanai", "tinkle bell", "agogo",
    "steel drums", "woodblock", "taiko", "melodic tom", "synth drum", "reverse cymbal", "fret noise",
    "breath", "seashore", "bird", "telephone", "helicopter", "applause", "gunshot",
)  # fmt: skip


def pitch_name(pitch: int, key: tuple[int, bool] | None = None) -> str:
    """Return the name of a pitch (0-127) with its octave, spelled in `key`; middle C (60) is C4.

    >>> pitch_name(60), pitch_name(70), pitch_name(70, (6, False)), pitch_name(71, (-6, False))
    ('C4', 'Bb4', 'A#4', 'Cb5')
    """
    name = chord_name(pitch % 12, "maj", key)
    return f"{name}{(pitch - name.count('#') + name.count('b')) // 12 - 1}"


def parse_pitch(text: str) -> int:
    """Return the pitch (0-127) of a name with its octave, such as "C4" or "Bb-1". Raises ValueError.

    >>> parse_pitch("C4"), parse_pitch("Cb5")
    (60, 71)
    """
    match = re.fullmatch(r"([A-Ga-g])([#b]{0,2})(-?\d{1,2})", text.strip())
    if match:
        pitch = (
            LETTERS[match[1].upper()] + match[2].count("#") - match[2].count("b") + 12 * (int(match[3]) + 1)
        )
        if 0 <= pitch <= 127:
            return pitch
    raise ValueError(f"pitch {text!r}: must be a note and its octave, C-1 to G9, such as C4 or Bb3")


def pitch_class(name: str) -> int:
    """Return the pitch class of a name such as "F#", "Bb" or "Cbb". Raises ValueError for any other text.

    >>> pitch_class("Bb")
    10
    """
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in LETTERS or accidentals.strip("#b"):
        raise ValueError(f"note {name!r}: must be A-G with # or b")
    return (LETTERS[letter] + accidentals.count("#") - accidentals.count("b")) % 12


def key_name(sharps: int, is_minor: bool) -> str:
    """Return the name of the key with a signature of seven flats (-7) to seven sharps (7).

    >>> key_name(-1, True), key_name(7, False)
    ('D minor', 'C# major')
    """
    return fifths_name(sharps + (3 if is_minor else 0)) + (" minor" if is_minor else " major")


def fifths_name(place: int) -> str:
    """Return the name of the note at a place on the line of fifths: C at 0, F at -1, F# at 6.

    >>> fifths_name(-2), fifths_name(13)
    ('Bb', 'F##')
    """
    letter, accidentals = "FCGDAEB"[(place + 1) % 7], (place + 1) // 7
    return letter + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)


def key_tonic(sharps: int, is_minor: bool) -> int:
    """Return the pitch class of the tonic of a key.

    >>> key_tonic(2, False), key_tonic(0, True)
    (2, 9)
    """
    return (7 * sharps + (9 if is_minor else 0)) % 12


def scale(sharps: int, is_minor: bool) -> frozenset[int]:
    """Return the pitch classes of a key: seven, and in minor also the raised seventh.

    >>> sorted(scale(0, True))
    [0, 2, 4, 5, 7, 8, 9, 11]
    """
    tonic = key_tonic(sharps, is_minor)
    steps = (*MINOR, 11) if is_minor else MAJOR
    return frozenset((tonic + step) % 12 for step in steps)


def transposed_key(key: tuple[int, bool], semitones: int) -> tuple[int, bool]:
    """Return the key (sharps, is_minor) some semitones higher, spelled with the fewest accidentals.

    >>> transposed_key((0, False), 2), transposed_key((0, True), -2)
    ((2, False), (-2, True))
    """
    tonic = (key_tonic(*key) + semitones) % 12
    return next((s, key[1]) for s in SIGNATURES if key_tonic(s, key[1]) == tonic)


def parse_key(text: str) -> tuple[int, bool]:
    """Read a key such as "D minor", "Bb major", "F#m" or "C" as (sharps, is_minor).

    Raises ValueError for any other text.

    >>> parse_key("F#m"), parse_key("E flat major"), parse_key("Db")
    ((3, True), (-3, False), (-5, False))
    """
    spelled = text.strip().replace("♭", "b").replace("♯", "#")
    spelled = re.sub(r"[\s-]+sharp\b", "#", spelled, flags=re.I)
    spelled = re.sub(r"[\s-]+flat\b", "b", spelled, flags=re.I)
    match = re.fullmatch(r"([A-Ga-g][#b]?)\s*(m|min|minor|maj|major|)", spelled)
    if not match:
        raise ValueError(f"key {text!r}: must be a note and a mode, such as 'D minor', 'Bb major' or 'F#m'")
    is_minor = match[2].startswith("m") and not match[2].startswith("maj")
    for sharps in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7):
        if key_name(sharps, is_minor).split()[0] == match[1].capitalize():
            return sharps, is_minor
    tonic = pitch_class(match[1])  # such as G# major: spelled with fewer accidentals
    return transposed_key((0, is_minor), tonic - key_tonic(0, is_minor))


def chord_name(root: int, kind: str, key: tuple[int, bool] | None = None) -> str:
    """Return the symbol of a chord with the root's pitch class and a kind of CHORD_KINDS.

    The root is spelled in `key` (sharps, is_minor): in C major from A flat to C sharp on the line of fifths,
    in A minor from E flat to G sharp, in other keys moved along the line.

    >>> chord_name(9, "min7"), chord_name(8, "dim", (0, True)), chord_name(1, "maj", (-4, False))
    ('Am7', 'G#dim', 'Db')
    """
    if key is None:
        return PITCH_CLASS_NAMES[root] + CHORDS[kind][0]
    sharps, is_minor = key
    lowest = sharps - 3 if is_minor else sharps - 4  # on the line of fifths, where C is 0 and F is -1
    return fifths_name(lowest + (7 * root - lowest) % 12) + CHORDS[kind][0]


def family(program: int) -> str:
    """Return the General MIDI family of a program (0-127).

    >>> family(33)
    'bass'
    """
    return FAMILIES[program // 8]


def parse_instrument(text: str) -> tuple[int, ...]:
    """Return the programs (0-127) of an instrument, a family, a word of either, or a number, given as text.

    Raises ValueError for any other text.

    >>> parse_instrument("violin"), parse_instrument("bass")[:2], parse_instrument("73")
    ((40,), (32, 33), (73,))
    """
    name = " ".join(text.lower().split())
    if name.isdecimal() and int(name) < len(INSTRUMENTS):
        return (int(name),)
    if name in INSTRUMENTS:
        return (INSTRUMENTS.index(name),)
    singular = {name, name.removesuffix("s")} - {""}
    for programs_per_name, names in ((8, FAMILIES), (1, INSTRUMENTS)):
        if matches := [i for i, known in enumerate(names) if singular & {known, known.removesuffix("s")}]:
            first = programs_per_name * matches[0]
            return tuple(range(first, first + programs_per_name))
    matches = [i for i, known in enumerate(INSTRUMENTS) if singular & set(known.split())]
    if not matches:
        near = get_close_matches(name, [*INSTRUMENTS, *FAMILIES, "drums"], n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = f"drums, a family ({', '.join(FAMILIES)}), an instrument such as 'violin', or a program 0-127"
        raise ValueError(f"part {text!r}: must be an instrument of General MIDI ({known}){hint}")
    return tuple(matches)
