"""Keys, chords and names, compared with tables written by hand."""

import doctest

import pytest

from ritornello.music import theory

# The circle of fifths: sharps, major key, minor key.
FIFTHS = [
    (-7, "Cb", "Ab"),
    (-6, "Gb", "Eb"),
    (-5, "Db", "Bb"),
    (-4, "Ab", "F"),
    (-3, "Eb", "C"),
    (-2, "Bb", "G"),
    (-1, "F", "D"),
    (0, "C", "A"),
    (1, "G", "E"),
    (2, "D", "B"),
    (3, "A", "F#"),
    (4, "E", "C#"),
    (5, "B", "G#"),
    (6, "F#", "D#"),
    (7, "C#", "A#"),
]


def test_the_examples_in_the_docstrings() -> None:
    failed, tried = doctest.testmod(theory)
    assert tried >= 8
    assert failed == 0


@pytest.mark.parametrize(("sharps", "major", "minor"), FIFTHS)
def test_keys_of_the_circle_of_fifths(sharps: int, major: str, minor: str) -> None:
    assert theory.key_name(sharps, False) == f"{major} major"
    assert theory.key_name(sharps, True) == f"{minor} minor"
    for text in (f"{major} major", major, f"{major}maj", f" {major.lower()}  major "):
        assert theory.parse_key(text) == (sharps, False), text
    for text in (f"{minor} minor", f"{minor}m", f"{minor} min"):
        assert theory.parse_key(text) == (sharps, True), text
    assert theory.key_tonic(sharps, False) == theory.pitch_class(major)
    assert theory.key_tonic(sharps, True) == theory.pitch_class(minor)


def test_keys_spelled_out_or_with_more_accidentals_than_seven() -> None:
    assert theory.parse_key("B flat minor") == (-5, True)
    assert theory.parse_key("F-sharp minor") == (3, True)
    assert theory.parse_key("G# major") == (-4, False)  # eight sharps: written as A flat, four flats
    assert theory.parse_key("Db minor") == (4, True)  # eight flats: written as C sharp minor


@pytest.mark.parametrize("text", ["", "H", "C dorian", "minor", "C##", "1"])
def test_invalid_keys(text: str) -> None:
    with pytest.raises(ValueError, match=r"key .*: must be a note and a mode"):
        theory.parse_key(text)


def test_pitch_names() -> None:
    # middle C is 60 and C4; 21 and 108 are the lowest and the highest key of a piano
    assert [theory.pitch_name(p) for p in (0, 21, 60, 61, 108, 127)] == ["C-1", "A0", "C4", "C#4", "C8", "G9"]


@pytest.mark.parametrize(
    ("name", "expected"), [("C", 0), ("c#", 1), ("Cb", 11), ("B#", 0), ("Ebb", 2), ("F##", 7), ("A", 9)]
)
def test_pitch_class(name: str, expected: int) -> None:
    assert theory.pitch_class(name) == expected


@pytest.mark.parametrize("name", ["", "H", "Cx", "C4", "#"])
def test_invalid_pitch_classes(name: str) -> None:
    with pytest.raises(ValueError, match=r"note .*: must be A-G with # or b"):
        theory.pitch_class(name)


def test_intervals_of_chords() -> None:
    # the dominant seventh: root, major third (4 semitones), fifth (7), minor seventh (10)
    assert theory.CHORDS["7"][1] == (0, 4, 7, 10)
    for kind, (_, intervals) in theory.CHORDS.items():
        assert intervals[0] == 0, kind
        assert list(intervals) == sorted(set(intervals)), kind
    assert len({suffix for suffix, _ in theory.CHORDS.values()}) == len(theory.CHORDS)


def test_families() -> None:
    # General MIDI counts programs from 1: 1-8 piano, 33-40 bass, 41-48 strings, 121-128 effects; here from 0
    assert [theory.family(p) for p in (0, 7, 8, 32, 40, 127)] == [
        "piano",
        "piano",
        "mallets",
        "bass",
        "strings",
        "effects",
    ]
    assert len(theory.FAMILIES) == 16
