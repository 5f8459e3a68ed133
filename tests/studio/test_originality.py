"""The longest shared run is the one that the search over all training songs finds."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.evaluation.originality import closest_passages
from ritornello.models.fingerprints import SongFingerprint
from ritornello.music.score import Score
from ritornello.studio.originality_work import TrainingSongs
from tests.folders import wandering

TRAINING = [SongFingerprint.of(wandering(seed, 200), f"{seed}.mid") for seed in range(12)]


def excerpt(seed: int, first: int, last: int) -> Score:
    """Notes of the melody of a training song, a fourth higher."""
    song = wandering(seed, 200)
    return song.select(np.flatnonzero(song.part == 0)[first:last]).transposed(5)


SONGS = {f"new {seed}": wandering(seed, 80) for seed in (20, 21, 22)}
SONGS |= {"copy of 30": excerpt(3, 50, 80), "copy of 9": excerpt(7, 120, 129), "few notes": excerpt(1, 0, 3)}


@pytest.mark.parametrize("name", SONGS)
def test_the_longest_run_is_that_of_the_search_over_all_songs(name: str) -> None:
    song = SongFingerprint.of(SONGS[name])
    found, (expected,) = TrainingSongs.of(TRAINING).closest(song), closest_passages([song], TRAINING)
    assert (found is None) == (expected is None)
    if found and expected:
        assert found.notes == expected.notes
    if name == "copy of 30":
        assert found and expected
        assert (found.notes, found.name) == (30, expected.name)
        assert (found.bars, found.there) == (expected.bars, expected.there)
    if name == "few notes":
        assert found is None
