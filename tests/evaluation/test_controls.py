"""Each control changes what its description says, and nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.controls import CONTROLS, DESCRIPTIONS, control_songs, one_song_repeated
from ritornello.music.score import Part, Score
from ritornello.representations.grid.canonical import canonical
from tests.folders import wandering
from tests.scores import scores, tune

SONGS = [wandering(seed) for seed in range(6)]


def bar_contents(song: Score) -> Counter[bytes]:
    """The bars, each as its places and pitches."""
    bar, place = AnalysedSong(song).positions
    voices = song.part.astype(int) * 128 + song.pitch
    whole = np.stack([place, voices], axis=1)
    return Counter(whole[bar == number].tobytes() for number in range(bar.max() + 1))


def test_all_controls_have_a_description() -> None:
    assert set(DESCRIPTIONS) == set(CONTROLS)


def test_the_codec_is_the_canonical_song() -> None:
    assert CONTROLS["codec"](SONGS, np.random.default_rng(0)) == [canonical(song)[0] for song in SONGS]


def test_shuffling_keeps_the_bars_and_loses_their_order() -> None:
    made = CONTROLS["bars shuffled"]([tune()], np.random.default_rng(0))[0]
    assert bar_contents(made) == bar_contents(tune())
    assert not np.array_equal(made.pitch, tune().pitch)


def test_copies_are_the_songs_in_another_key() -> None:
    made = CONTROLS["copies"](SONGS, np.random.default_rng(0))
    for song, copy in zip(SONGS, made, strict=True):
        steps = copy.pitch.astype(int) - song.pitch
        assert len(set(steps.tolist())) == 1
        assert 1 <= abs(int(steps[0])) <= 6
        assert np.array_equal(copy.onset_ticks, song.onset_ticks)


def test_a_song_over_the_whole_keyboard_is_copied_as_it_is() -> None:
    song = Score.of(24, [0, 24], [24, 24], [0, 127], [64, 64])
    assert CONTROLS["copies"]([song], np.random.default_rng(0)) == [song]


def test_drums_are_copied_as_they_are() -> None:
    song = Score.of(24, [0, 24], [24, 24], [36, 38], [64, 64], parts=[Part("", 0, True)])
    assert CONTROLS["copies"]([song], np.random.default_rng(0)) == [song]


def test_an_ngram_of_one_song_without_repeated_pairs_is_that_song() -> None:
    """Growing steps: each two notes have one successor only, and the chain is the song."""
    pitch = np.cumsum([60, 1, 2, 3, 4, 5])
    song = Score.of(24, 24 * np.cumsum([0, 1, 2, 3, 4, 5]), [24] * 6, pitch, [66] * 6)
    made = CONTROLS["n-gram"]([song], np.random.default_rng(0))[0]
    assert made.pitch.tolist() == pitch.tolist()
    assert made.onset_ticks.tolist() == song.onset_ticks.tolist()


def test_marginals_keep_the_values_of_each_column_but_not_their_combinations() -> None:
    made = CONTROLS["marginals"](SONGS, np.random.default_rng(0))
    theirs = {int(p) for song in SONGS for p in song.pitch}
    assert {int(p) for song in made for p in song.pitch} <= theirs
    human = np.concatenate([AnalysedSong(song).intervals for song in SONGS])
    drawn = np.concatenate([AnalysedSong(song).intervals for song in made])
    assert np.abs(drawn).mean() > 3 * np.abs(human).mean()


def test_one_song_repeated() -> None:
    made = one_song_repeated(SONGS, 0)
    assert len(made) == len(SONGS)
    assert len({tuple(sorted(bar_contents(song).items())) for song in made}) == 1


def test_the_same_seed_gives_the_same_controls() -> None:
    one, same, other = (control_songs(SONGS, seed) for seed in (1, 1, 2))
    assert one == same
    assert one["marginals"] != other["marginals"]
    assert list(one) == list(CONTROLS)


@given(st.lists(scores(min_notes=1), min_size=1, max_size=3))
def test_any_songs_have_controls(songs: list[Score]) -> None:
    for name, made in control_songs(songs, 0).items():
        assert len(made) == len(songs), name
        assert all(len(song) for song in made), name


@pytest.mark.parametrize("name", ["n-gram", "marginals"])
def test_noise_has_about_as_many_notes(name: str) -> None:
    made = CONTROLS[name](SONGS, np.random.default_rng(0))
    for song, noise in zip(SONGS, made, strict=True):
        assert len(song) / 2 < len(noise) <= len(song)
