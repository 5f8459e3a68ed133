"""Keys, scales, chords, intervals and instrument names: pure functions on pitches.

A *pitch class* is a pitch modulo 12, C = 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

import numpy as np
import numpy.typing as npt

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
SIGNATURES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6)  # sharps, those with few accidentals first

# Kind of chord -> how it is written after its root, and its intervals above the root.
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

# Weights of the twelve degrees in a key: Krumhansl & Kessler (1982), as in Krumhansl,
# Cognitive Foundations of Musical Pitch (1990), table 2.1.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

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


def pitch_name(pitch: int) -> str:
    """Name of a pitch with its octave, middle C (60) being C4.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'Bb4')
    """
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def pitch_class(name: str) -> int:
    """Pitch class of a note's name such as "F#", "Bb" or "Cbb". Raises ValueError.

    >>> pitch_class("Bb")
    10
    """
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in LETTERS or accidentals.strip("#b"):
        raise ValueError(f"no note is named {name!r}; names are A-G with # or b")
    return (LETTERS[letter] + accidentals.count("#") - accidentals.count("b")) % 12


def key_name(sharps: int, is_minor: bool) -> str:
    """Name of a key by its signature: seven flats (-7) to seven sharps (7).

    >>> key_name(-1, True), key_name(7, False)
    ('D minor', 'C# major')
    """
    fifths = "FCGDAEB"  # the line of fifths; sharps move along it
    place = sharps + (4 if is_minor else 1)
    letter, accidental = fifths[place % 7], place // 7
    return (
        letter
        + ("#" * accidental if accidental > 0 else "b" * -accidental)
        + (" minor" if is_minor else " major")
    )


def key_tonic(sharps: int, is_minor: bool) -> int:
    """Pitch class of the tonic of a key signature.

    >>> key_tonic(2, False), key_tonic(0, True)
    (2, 9)
    """
    return (7 * sharps + (9 if is_minor else 0)) % 12


def scale(sharps: int, is_minor: bool) -> frozenset[int]:
    """The pitch classes of a key: seven, and in minor the raised seventh too, which leads to the tonic.

    >>> sorted(scale(0, True))
    [0, 2, 4, 5, 7, 8, 9, 11]
    """
    tonic = key_tonic(sharps, is_minor)
    steps = (*MINOR, 11) if is_minor else MAJOR
    return frozenset((tonic + step) % 12 for step in steps)


def transposed_key(key: tuple[int, bool], semitones: int) -> tuple[int, bool]:
    """The key (sharps, is_minor) that many semitones higher, spelled with few accidentals.

    >>> transposed_key((0, False), 2), transposed_key((0, True), -2)
    ((2, False), (-2, True))
    """
    tonic = (key_tonic(*key) + semitones) % 12
    return next((s, key[1]) for s in SIGNATURES if key_tonic(s, key[1]) == tonic)


def parse_key(text: str) -> tuple[int, bool]:
    """A key such as "D minor", "Bb major", "F#m" or "C" as (sharps, is_minor). Raises ValueError.

    >>> parse_key("F#m"), parse_key("E flat major"), parse_key("Db")
    ((3, True), (-3, False), (-5, False))
    """
    spelled = re.sub(
        r"[\s-]+flat\b", "b", re.sub(r"[\s-]+sharp\b", "#", text.strip(), flags=re.I), flags=re.I
    )
    match = re.fullmatch(r"([A-Ga-g][#b]?)\s*(m|min|minor|maj|major|)", spelled)
    if not match:
        raise ValueError(f"no key is named {text!r}; keys are such as 'D minor', 'Bb major', 'F#m'")
    is_minor = match[2].startswith("m") and not match[2].startswith("maj")
    for sharps in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7):
        if key_name(sharps, is_minor).split()[0] == match[1].capitalize():
            return sharps, is_minor
    tonic = pitch_class(match[1])  # G# major and the like: the same sound, spelled with fewer accidentals
    return transposed_key((0, is_minor), tonic - key_tonic(0, is_minor))


def estimate_key(pitch_class_weights: Sequence[float] | npt.NDArray[np.float64]) -> tuple[int, bool]:
    """The key whose profile correlates best with the weights (12,) of the pitch classes: (sharps, is_minor).

    Krumhansl & Schmuckler's algorithm (Krumhansl 1990, chapter 4). Ties go to fewer accidentals.
    """
    weights = np.asarray(pitch_class_weights, dtype=np.float64)
    if np.ptp(weights) == 0:
        return 0, False
    centred = weights - weights.mean()
    keys, profiles = _key_profiles()
    fits = profiles @ (centred / np.linalg.norm(centred))  # (24,) correlations
    return keys[int(np.argmax(np.round(fits, 9)))]


@lru_cache(maxsize=1)
def _key_profiles() -> tuple[list[tuple[int, bool]], npt.NDArray[np.float64]]:
    """The 24 keys, those with few accidentals first, and their profiles, centred, of length 1: (24, 12)."""
    keys = [(sharps, is_minor) for sharps in SIGNATURES for is_minor in (False, True)]
    rows = np.array([np.roll(MINOR_PROFILE if key[1] else MAJOR_PROFILE, key_tonic(*key)) for key in keys])
    rows = rows - rows.mean(axis=1, keepdims=True)
    return keys, np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def chord_name(root: int, kind: str) -> str:
    """How a chord is written.

    >>> chord_name(9, "min7")
    'Am7'
    """
    return NAMES[root] + CHORDS[kind][0]


def parse_chord(text: str) -> tuple[int, str]:
    """A chord such as "Am7", "F#", "Bbmaj7" or "Bm7b5" as (root, kind). Raises ValueError.

    >>> parse_chord("Bbmaj7")
    (10, 'maj7')
    """
    match = re.fullmatch(r"([A-G][#b]?)(.*)", text.strip())
    kinds = {suffix: kind for kind, (suffix, _) in CHORDS.items()}
    if not match or match[2] not in kinds:
        known = ", ".join(repr(s) for s in kinds if s)
        raise ValueError(
            f"no chord is written {text!r}; a chord is a root A-G, # or b, then nothing or {known}"
        )
    return pitch_class(match[1]), kinds[match[2]]


# What a pitch class counts for a chord that has it as root, third, fifth, seventh; what one that it lacks.
# These and the next four were fitted on every 16th song of POP909-CL (benchmarks/chords.py).
TONES = (1.0, 1.0, 1.1, 0.6)
FOREIGN = -0.6
RARER = -0.2  # for every kind but major and minor
ROOT_IN_BASS = 0.3
CHANGE = -0.6  # from one beat to the next; half of it at a bar line


def estimate_chords(
    weights: npt.NDArray[np.float64], lowest: npt.NDArray[np.int64], starts_bar: npt.NDArray[np.bool_]
) -> list[tuple[int, str]]:
    """The likeliest chord, root and kind, of each of T beats: templates, and the best path through all beats.

    `weights` (T, 12) says how long each pitch class sounds, `lowest` (T,) the lowest pitch of a beat (-1:
    none), `starts_bar` (T,) which beats start a bar. A beat without notes keeps its chord.
    """
    if not len(weights):
        return []
    states, templates, rarer = _chord_templates()
    total = weights.sum(axis=1, keepdims=True)
    fits = (weights / np.maximum(total, 1e-9)) @ templates.T + np.where(total > 0, rarer, 0)  # (T, S)
    roots = np.array([root for root, _ in states])
    fits += ROOT_IN_BASS * ((lowest[:, None] % 12 == roots) & (lowest >= 0)[:, None])
    best, stay = fits[0], np.arange(len(states))
    came_from = np.empty((len(weights), len(states)), np.int64)
    for beat in range(1, len(weights)):  # Viterbi
        leader = int(best.argmax())
        moved = best[leader] + CHANGE * (0.5 if starts_bar[beat] else 1)
        came_from[beat] = np.where(best >= moved, stay, leader)
        best = np.maximum(best, moved) + fits[beat]
    path = [int(best.argmax())]
    for beat in range(len(weights) - 1, 0, -1):
        path.append(int(came_from[beat, path[-1]]))
    return [states[state] for state in reversed(path)]


@lru_cache(maxsize=1)
def _chord_templates() -> tuple[list[tuple[int, str]], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """All chords that are estimated, their templates (S, 12), and what is added for their kind (S,)."""
    kinds = [kind for kind in CHORDS if kind != "other"]
    states = [(root, kind) for root in range(12) for kind in kinds]
    templates = np.full((len(states), 12), FOREIGN)
    for row, (root, kind) in zip(templates, states, strict=True):
        for step, weight in zip(CHORDS[kind][1], TONES, strict=False):
            row[(root + step) % 12] = weight
    return states, templates, np.array([0.0 if kind in ("maj", "min") else RARER for _, kind in states])


def family(program: int) -> str:
    """The General MIDI family of a program (0-127).

    >>> family(33)
    'bass'
    """
    return FAMILIES[program // 8]


def parse_instrument(text: str) -> tuple[int, ...]:
    """The programs (0-127) that a name stands for: an instrument, a family, a word of either, or a number.

    Raises ValueError.

    >>> parse_instrument("violin"), parse_instrument("bass")[:2], parse_instrument("73")
    ((40,), (32, 33), (73,))
    """
    name = " ".join(text.lower().split())
    if name.isdecimal() and int(name) < len(INSTRUMENTS):
        return (int(name),)
    if name in INSTRUMENTS:
        return (INSTRUMENTS.index(name),)
    singular = {name, name.removesuffix("s")} - {""}
    for kind, names in ((8, FAMILIES), (1, INSTRUMENTS)):
        if found := [i for i, known in enumerate(names) if singular & {known, known.removesuffix("s")}]:
            return tuple(range(kind * found[0], kind * found[0] + kind))
    found = [i for i, known in enumerate(INSTRUMENTS) if singular & set(known.split())]
    if not found:
        near = get_close_matches(name, [*INSTRUMENTS, *FAMILIES, "drums"], n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = f"drums, a family ({', '.join(FAMILIES)}), an instrument such as 'violin', or a program 0-127"
        raise ValueError(f"no part is named {text!r}, must be of General MIDI: {known}{hint}")
    return tuple(found)
