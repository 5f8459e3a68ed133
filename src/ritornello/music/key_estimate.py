"""Estimate the key of a song from its pitches, its last bass note and its key signature."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ritornello.music.theory import SIGNATURES, key_tonic

# How well each of the twelve pitch classes above the tonic fits a key: Krumhansl & Kessler (1982), as in
# Krumhansl, Cognitive Foundations of Musical Pitch (1990), table 2.1.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
# correlations that a key gains in `estimate_key`
LAST_BASS_BONUS, SIGNATURE_BONUS = 0.08, 0.1


def estimate_key(
    pitch_class_weights: Sequence[float] | npt.NDArray[np.float64],
    last_bass: int | None = None,
    sharps: int = 0,
) -> tuple[int, bool]:
    """Return the key (sharps, is_minor) whose profile correlates best with the pitch classes' weights (12,).

    This is the algorithm of Krumhansl and Schmuckler (Krumhansl 1990, chapter 4). Of equally good keys the
    one with the fewest accidentals is returned; C major if all weights are equal.

    A key gains LAST_BASS_BONUS if its tonic is `last_bass`, the pitch class of the lowest note at the end,
    and SIGNATURE_BONUS if it has the `sharps` of the key signature; 0 is ignored, because sequencers write it
    by default. With both, more keys agree with the signature (benchmarks/RESULTS.md, "Estimated keys").
    """
    weights = np.asarray(pitch_class_weights, dtype=np.float64)
    if np.ptp(weights) == 0:
        return 0, False
    centred = weights - weights.mean()
    keys, profiles = _key_profiles()
    fits = np.round(profiles @ (centred / np.linalg.norm(centred)), 9)  # (24,)
    if last_bass is not None:
        fits += LAST_BASS_BONUS * np.array([key_tonic(*key) == last_bass for key in keys])
    if sharps:
        fits += SIGNATURE_BONUS * np.array([key[0] == sharps for key in keys])
    return keys[int(np.argmax(fits))]


@lru_cache(maxsize=1)
def _key_profiles() -> tuple[list[tuple[int, bool]], npt.NDArray[np.float64]]:
    """Return the 24 keys, fewest accidentals first, and their profiles (24, 12) of mean 0 and norm 1."""
    keys = [(sharps, is_minor) for sharps in SIGNATURES for is_minor in (False, True)]
    rows = np.array([np.roll(MINOR_PROFILE if key[1] else MAJOR_PROFILE, key_tonic(*key)) for key in keys])
    rows = rows - rows.mean(axis=1, keepdims=True)
    return keys, np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
