"""Drum maps: notes of kits to General MIDI and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import InputError
from ritornello.music.drum_maps import DRUM_MAPS, find_drum_map, from_drum_map, to_drum_map
from ritornello.music.score import Part, Score

DRUMS = (Part("Drums", 0, True),)


def hits(*pitches: int, parts: tuple[Part, ...] = DRUMS) -> Score:
    """Hits of six ticks, one each beat."""
    count = len(pitches)
    return Score.of(24, [24 * i for i in range(count)], [6] * count, pitches, [90] * count, parts=parts)


# the head, rim and cross stick of the snare, both hi-hats by bow and edge, its pedal, three toms by head and
# rim, and bow and edge of the cymbals, in the order of Roland's table
ROLAND = (36, 38, 40, 37, 46, 26, 42, 22, 44, 48, 50, 45, 47, 43, 58, 49, 55, 57, 52, 51, 59, 53)
ROLAND_IN_GM = (36, 38, 40, 37, 46, 46, 42, 42, 44, 48, 48, 45, 45, 43, 43, 49, 49, 57, 57, 51, 59, 53)


def test_a_roland_kit_is_read_pad_by_pad() -> None:
    assert from_drum_map(hits(*ROLAND), "roland").pitch.tolist() == list(ROLAND_IN_GM)


@pytest.mark.parametrize(
    ("kit", "notes"),
    [
        ("gm", (36, 38, 42, 46, 50, 41, 49, 51)),
        ("roland", (36, 38, 42, 46, 48, 43, 49, 51)),
        ("toontrack", (36, 38, 42, 46, 48, 41, 49, 51)),  # 50 would silence a cymbal
        ("addictive", (36, 38, 51, 56, 71, 65, 77, 60)),
    ],
)
def test_kick_snare_hats_toms_crash_and_ride_are_written(kit: str, notes: tuple[int, ...]) -> None:
    song, lost = to_drum_map(hits(36, 38, 42, 46, 50, 41, 49, 51), kit)
    assert (song.pitch.tolist(), lost) == (list(notes), 0)


@pytest.mark.parametrize("kit", DRUM_MAPS)
def test_no_note_means_two_sounds_or_a_sound_and_silence(kit: str) -> None:
    notes = [note for row in DRUM_MAPS[kit].notes.values() for note in row] + list(DRUM_MAPS[kit].chokes)
    assert len(notes) == len(set(notes)) and all(0 <= note < 128 for note in notes)


@pytest.mark.parametrize("kit", DRUM_MAPS)
@given(pitches=st.lists(st.integers(0, 127), min_size=1, max_size=20))
def test_what_is_written_is_read_and_written_again_the_same(kit: str, pitches: list[int]) -> None:
    written = to_drum_map(hits(*pitches), kit)[0]
    again = to_drum_map(from_drum_map(written, kit), kit)[0]
    assert again.pitch.tolist() == written.pitch.tolist()


def test_what_a_kit_has_not_is_counted_and_what_is_not_drums_stays() -> None:
    parts = (Part("Drums", 0, True), Part("Piano"))
    song = Score.of(24, [0, 0, 24], [6] * 3, [54, 54, 36], [90] * 3, part=[0, 1, 0], parts=parts, title="x")
    mapped, lost = to_drum_map(song, "toontrack")  # 54, a tambourine, would silence a cymbal
    assert lost == 1 and mapped.title == "x"
    assert list(zip(mapped.part.tolist(), mapped.pitch.tolist(), strict=True)) == [(1, 54), (0, 36)]


def test_hits_that_become_one_are_one() -> None:
    song = Score.of(24, [0, 0], [6, 6], [42, 22], [90, 60], parts=DRUMS)
    assert len(from_drum_map(song, "roland")) == 1
    np.testing.assert_array_equal(to_drum_map(song, "roland")[0].pitch, [42])


def test_chokes_are_left_out() -> None:
    assert from_drum_map(hits(77, 78, 36), "addictive").pitch.tolist() == [49, 36]


def test_a_lone_part_is_taken_for_the_drums() -> None:
    song = from_drum_map(hits(71, parts=(Part("AD2"),)), "ad2")
    assert song.parts[0].is_drum and song.pitch.tolist() == [50]
    with pytest.raises(InputError, match="the song has no drums, which are on channel 10"):
        from_drum_map(hits(71, parts=(Part("a"), Part("b"))), "addictive")


def test_names_are_found_and_suggested() -> None:
    assert find_drum_map(" TD-17 ").kit.startswith("Roland")
    with pytest.raises(
        InputError, match=r"drum map 'ezdrumer': must be one of gm, .*did you mean 'ezdrummer'"
    ):
        find_drum_map("ezdrumer")
