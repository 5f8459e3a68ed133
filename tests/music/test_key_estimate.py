"""Estimated keys: of scales, profiles and transposed songs; what the last note and the signature decide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.music import theory
from ritornello.music.key_estimate import MAJOR_PROFILE, MINOR_PROFILE, estimate_key


@pytest.mark.parametrize("is_minor", [False, True])
@pytest.mark.parametrize("sharps", range(-5, 7))
def test_a_scale_is_in_its_key(sharps: int, is_minor: bool) -> None:
    scale = theory.MINOR if is_minor else theory.MAJOR
    weights = np.zeros(12)
    weights[[(theory.key_tonic(sharps, is_minor) + step) % 12 for step in scale]] = 1
    weights[theory.key_tonic(sharps, is_minor)] = 2  # the tonic most often
    assert estimate_key(weights) == (sharps, is_minor)


def test_a_profile_is_its_own_key() -> None:
    assert estimate_key(MAJOR_PROFILE) == (0, False)  # given from C
    assert estimate_key(np.roll(MINOR_PROFILE, 9)) == (0, True)  # moved up to A


def test_the_last_bass_note_and_the_signature_decide_between_keys_that_fit_alike() -> None:
    weights = np.zeros(12)
    weights[[0, 2, 4, 5, 7, 9, 11]] = 1.0  # all notes of C major and of A minor
    assert estimate_key(weights, last_bass=9) == (0, True)
    assert estimate_key(weights, last_bass=0) == (0, False)
    weights[[0, 5, 6]] = 1.2, 0.7, 0.3  # C major, but not far from G major
    assert estimate_key(weights)[0] == estimate_key(weights, sharps=0)[0] == 0
    assert estimate_key(weights, sharps=1)[0] == 1


def test_a_single_last_note_does_not_overrule_a_clear_key() -> None:
    for last_bass in range(12):
        assert estimate_key(MAJOR_PROFILE, last_bass) == (0, False)


def test_equal_weights_are_c_major() -> None:
    assert estimate_key([0] * 12) == (0, False)
    assert estimate_key([5] * 12) == (0, False)


@given(
    st.lists(st.integers(0, 50), min_size=12, max_size=12).filter(lambda w: len(set(w)) > 3),
    st.integers(0, 11),
)
def test_a_transposed_song_has_a_transposed_key(weights: list[int], semitones: int) -> None:
    before = estimate_key(weights)
    after = estimate_key(np.roll(weights, semitones))
    fits = sorted(_fit(weights, tonic, minor) for tonic in range(12) for minor in (False, True))
    if fits[-1] - fits[-2] > 1e-9:  # no tie
        assert after[1] == before[1]
        assert theory.key_tonic(*after) == (theory.key_tonic(*before) + semitones) % 12


def _fit(weights: list[int], tonic: int, is_minor: bool) -> float:
    profile = np.roll(MINOR_PROFILE if is_minor else MAJOR_PROFILE, tonic)
    return float(np.corrcoef(weights, profile)[0, 1])
