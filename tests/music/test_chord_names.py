"""Names of chords: letters, numerals and numbers, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.music.chord import NO_BASS, Chord
from ritornello.music.chord_names import chord_label, chord_tones, letter_name, marker_name, parse_chord
from ritornello.music.theory import CHORD_KINDS, chord_name

C_MAJOR, D_MAJOR, A_MINOR = (0, False), (2, False), (0, True)


@pytest.mark.parametrize("kind", CHORD_KINDS)
def test_the_chords_of_networks_are_as_before(kind: str) -> None:
    for root in range(12):
        assert parse_chord(chord_name(root, kind)) == Chord(0, root, kind)


@pytest.mark.parametrize(
    ("text", "key", "name"),
    [
        ("c", C_MAJOR, "C"),
        ("am", C_MAJOR, "Am"),
        ("F♯m7/A", D_MAJOR, "F#m7/A"),
        ("bb7", C_MAJOR, "Bb7"),
        ("ii", D_MAJOR, "Em"),
        ("V7", D_MAJOR, "A7"),
        ("bVII", D_MAJOR, "C"),
        ("VII", A_MINOR, "G"),  # the degrees of minor are those of its natural scale
        ("bVII", A_MINOR, "G"),  # a flat counts from the degree of major, as in pop
        ("vii°7", A_MINOR, "G#dim7"),  # the leading tone
        ("viiø7", C_MAJOR, "Bm7b5"),
        ("#iv°", C_MAJOR, "F#dim"),
        ("V7/V", C_MAJOR, "D7"),  # the dominant of the dominant
        ("vii°/ii", C_MAJOR, "C#dim"),
        ("IV/V", C_MAJOR, "F/G"),  # any other numeral below is the bass
        ("I/3", C_MAJOR, "C/E"),
        ("2", C_MAJOR, "Dm"),  # a number alone is the triad of the key
        ("2", A_MINOR, "Bdim"),
        ("27", C_MAJOR, "D7"),
        ("6-", C_MAJOR, "Am"),
        ("5/7", D_MAJOR, "A/C#"),
        ("4maj7/6", C_MAJOR, "Fmaj7/A"),
    ],
)
def test_numerals_and_numbers(text: str, key: tuple[int, bool], name: str) -> None:
    chord = parse_chord(text, key)
    assert letter_name(chord, key) == name
    assert chord_label(chord, key) == text


def test_modes_have_degrees_of_their_own() -> None:
    assert letter_name(parse_chord("2", (-1, True), "dorian")) == "Em"  # D dorian
    assert letter_name(parse_chord("VII", (1, False), "mixolydian")) == "F"  # G mixolydian


def test_a_flat_seventh_degree_or_the_note_b() -> None:
    assert letter_name(parse_chord("b7", C_MAJOR)) == "B7"
    assert letter_name(parse_chord("b7", C_MAJOR, has_numbers=True)) == "Bb"


def test_no_chord() -> None:
    for text in ("N.C.", "NC", "n.c."):
        chord = parse_chord(text)
        assert chord.is_silent
        assert chord_label(chord) == text
        assert marker_name(chord) == "N.C."
        assert chord_tones(chord) == frozenset()


def test_tones_have_the_bass() -> None:
    assert chord_tones(parse_chord("C6")) == {0, 4, 7, 9}
    assert chord_tones(parse_chord("Dm/C")) == {0, 2, 5, 9}
    assert parse_chord("C/C").bass == NO_BASS


def test_transposed_names() -> None:
    assert chord_label(parse_chord("G7b9/B").transposed(2)) == "A7b9/C#"
    assert chord_label(parse_chord("ii", C_MAJOR).transposed(2)) == "ii"
    assert parse_chord("N.C.").transposed(5) == parse_chord("N.C.")


@given(
    st.integers(-7, 7),
    st.booleans(),
    st.sampled_from(["", "m7", "6/9", "m(maj7)", "7(b9,#11)", "sus2", "dim7", "13"]),
    st.integers(0, 11),
    st.integers(NO_BASS, 11),
)
def test_there_and_back(sharps: int, is_minor: bool, suffix: str, root: int, bass: int) -> None:
    key = (sharps, is_minor)
    chord = parse_chord(chord_name(root, "maj", key) + suffix, key)
    chord = chord._replace(bass=NO_BASS if bass == root else bass)
    assert parse_chord(chord_label(chord, key), key) == chord


@pytest.mark.parametrize("text", ["", "H7", "m7", "Cfoo", "G7/H", "8", "-", "/B"])
def test_invalid_names(text: str) -> None:
    allowed = r"must be a root A-G|.* is not a kind of chord|bass .* must be a note A-G"
    with pytest.raises(ValueError, match=rf"chord .*: ({allowed})"):
        parse_chord(text)
