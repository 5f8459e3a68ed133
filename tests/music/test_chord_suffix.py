"""Suffixes of chords: tones by hand from the usual books (a 13th leaves the 11th out, dim7 has a sixth)."""

from __future__ import annotations

import pytest

from ritornello.music.chord_suffix import parse_suffix
from ritornello.music.theory import CHORD_KINDS, CHORDS

TONES = {
    "6": ("maj", (0, 4, 7, 9)),
    "6/9": ("maj", (0, 2, 4, 7, 9)),
    "9": ("7", (0, 2, 4, 7, 10)),
    "m11": ("min7", (0, 2, 3, 5, 7, 10)),
    "13": ("7", (0, 2, 4, 7, 9, 10)),
    "maj9": ("maj7", (0, 2, 4, 7, 11)),
    "sus2": ("sus", (0, 2, 7)),
    "7sus4": ("sus", (0, 5, 7, 10)),
    "add9": ("maj", (0, 2, 4, 7)),
    "m(maj7)": ("min", (0, 3, 7, 11)),
    "dim7": ("dim", (0, 3, 6, 9)),
    "7b9": ("7", (0, 1, 4, 7, 10)),
    "7(b9,#11)": ("7", (0, 1, 4, 6, 7, 10)),
    "13b9": ("7", (0, 1, 4, 7, 9, 10)),
    "7#5": ("7", (0, 4, 8, 10)),
    "maj7#11": ("maj7", (0, 4, 6, 7, 11)),
    "7alt": ("7", (0, 1, 3, 4, 6, 8, 10)),
    "5": ("maj", (0, 7)),
    "m7add11": ("min7", (0, 3, 5, 7, 10)),
    "7no5": ("7", (0, 4, 10)),
}
SAME = {
    "": ["maj", "M"],
    "m": ["min", "mi", "-"],
    "m7": ["min7", "-7"],
    "maj7": ["M7", "Δ", "Δ7", "Maj7", "ma7"],
    "m7b5": ["ø", "ø7", "-7b5", "min7(b5)", "m7-5"],
    "dim": ["°", "o"],
    "aug": ["+"],
    "sus": ["sus4", "4"],
    "dim7": ["°7", "o7"],
    "m(maj7)": ["mM7", "mmaj7", "-Δ7"],
    "7#5": ["+7", "aug7", "7+5"],
}


@pytest.mark.parametrize("suffix", TONES)
def test_tones_and_nearest_kind(suffix: str) -> None:
    found = parse_suffix(suffix)
    assert (found.kind, found.intervals) == TONES[suffix]
    assert parse_suffix(found.text).intervals == found.intervals


@pytest.mark.parametrize("suffix", SAME)
def test_other_spellings(suffix: str) -> None:
    wanted = parse_suffix(suffix)
    for other in SAME[suffix]:
        assert parse_suffix(other)[:2] == wanted[:2], other


@pytest.mark.parametrize("kind", CHORD_KINDS)
def test_the_kinds_of_networks_need_no_suffix_of_their_own(kind: str) -> None:
    assert parse_suffix(CHORDS[kind][0]) == (kind, CHORDS[kind][1], "")


@pytest.mark.parametrize("suffix", ["x", "7m", "-5", "m77q", "b", "add", "8"])
def test_no_suffix(suffix: str) -> None:
    with pytest.raises(ValueError, match=r"is not a kind of chord: must be such as m7, maj9"):
        parse_suffix(suffix)
