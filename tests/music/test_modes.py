"""Modes: the nearest key, the scale, the signature."""

from __future__ import annotations

import pytest

from ritornello.music import modes, theory


@pytest.mark.parametrize(
    ("text", "key", "mode"),
    [
        ("D dorian", (-1, True), "dorian"),
        ("e flat Dorian", (-6, True), "dorian"),
        ("F# phrygian mode", (3, True), "phrygian"),
        ("G Mixolydian", (1, False), "mixolydian"),
        ("A pentatonic", (3, False), "major pentatonic"),
        ("A minor pentatonic", (0, True), "minor pentatonic"),
        ("C blues", (0, False), "blues"),
        ("D minor", (-1, True), ""),
        ("F#m", (3, True), ""),
    ],
)
def test_keys_and_modes(text: str, key: tuple[int, bool], mode: str) -> None:
    assert modes.parse_key_or_mode(text) == (key, mode)
    assert modes.parse_key_or_mode(modes.tonality_name(key, mode)) == (key, mode)


@pytest.mark.parametrize("name", list(modes.MODES)[:7])
def test_white_keys(name: str) -> None:
    # the seven modes of the white keys begin on C, D, E, F, G, A and B, and have no signature
    tonic = "CDEFGAB"[list(modes.MODES).index(name)]
    key, mode = modes.parse_key_or_mode(f"{tonic} {name}")
    assert modes.tones(key, mode) == {0, 2, 4, 5, 7, 9, 11}
    assert modes.signature(key, mode)[0] == 0
    assert theory.key_tonic(*key) == theory.pitch_class(tonic)


def test_chords_that_fit() -> None:
    fitting = modes.fitting_chords((-1, True), "dorian")
    assert {(2, "min7"), (7, "7"), (0, "maj7"), (5, "maj")} <= fitting
    assert not {(10, "maj"), (9, "7"), (7, "min")} & fitting
    assert modes.fitting_chords((0, False), "blues") == {(0, "7"), (5, "7"), (7, "7")}


def test_errors_help() -> None:
    with pytest.raises(ValueError, match=r"key 'D dorain': must be a note and a mode.* mean 'dorian'\?"):
        modes.parse_key_or_mode("D dorain")
    with pytest.raises(ValueError, match="modes: ionian, dorian"):
        modes.parse_key_or_mode("D zzz")
