"""Estimate the chord of each beat of a song from its notes."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ritornello.music.theory import CHORDS, key_tonic, scale

Floats = npt.NDArray[np.float64]
# Scores by which `estimate_chords` compares chords; fitted on every 16th song of POP909-CL
# (`python -m benchmarks chords`). The first two are for the share of a beat in which a pitch class sounds.
CHORD_TONE_SCORES = (1.0, 1.0, 1.1, 0.6)  # if it is the root, third, fifth or seventh of the chord
OTHER_TONE_SCORE = -0.6  # if it is none of them
RARE_KIND_SCORE = -0.2  # for every kind of chord but major and minor
ROOT_IN_BASS_SCORE = 0.3  # if the lowest note is the root
CHANGE_SCORE = -0.6  # for another chord than in the beat before; half of it at a bar line
# The same for beats in which one note sounds at a time: its pitch says little of the bass and the chord, so
# the key counts too. Fitted on the melodies of 158 songs of the Nottingham data set, whose chords are given.
LINE_RARE_KIND_SCORE, LINE_ROOT_IN_BASS_SCORE, LINE_CHANGE_SCORE = -0.4, 0.1, -0.8
DIATONIC_SCORE, PRIMARY_SCORE = 0.2, 0.2  # if the key has all tones of the chord; more for I, IV and V
PRIMARY_DEGREES = (0, 5, 7)  # semitones above the tonic


def estimate_chords(
    weights: Floats,
    lowest: npt.NDArray[np.int64],
    starts_bar: npt.NDArray[np.bool_],
    is_line: npt.NDArray[np.bool_] | None = None,
    key: tuple[int, bool] | None = None,
) -> list[tuple[int, str]]:
    """Return the chord (root, kind) of each of T beats, as the sequence of the highest total score.

    The sequence is found by the Viterbi algorithm. `weights` (T, 12) says how long each pitch class sounds in
    a beat, `lowest` (T,) is the lowest pitch (-1: none), `starts_bar` (T,) says which beats start a bar,
    `is_line` (T,) in which beats at most one note sounds at a time. A beat without notes keeps the chord.
    """
    if not len(weights):
        return []
    line = np.zeros(len(weights), bool) if is_line is None else is_line
    chords = _chord_templates()[0]
    scores = _scores(weights, lowest, line, key)
    changes = np.where(line, LINE_CHANGE_SCORE, CHANGE_SCORE) * np.where(starts_bar, 0.5, 1.0)
    best, same = scores[0], np.arange(len(chords))  # the best sum of a sequence that ends with each chord
    predecessor = np.empty((len(weights), len(chords)), np.int64)
    for beat in range(1, len(weights)):
        leader = int(best.argmax())
        changed = best[leader] + changes[beat]
        predecessor[beat] = np.where(best >= changed, same, leader)
        best = np.maximum(best, changed) + scores[beat]
    path = [int(best.argmax())]
    for beat in range(len(weights) - 1, 0, -1):
        path.append(int(predecessor[beat, path[-1]]))
    return [chords[chord] for chord in reversed(path)]


def _scores(
    weights: Floats,
    lowest: npt.NDArray[np.int64],
    is_line: npt.NDArray[np.bool_],
    key: tuple[int, bool] | None,
) -> Floats:
    """The score of each of the C chords at each beat, (T, C)."""
    chords, templates, is_rare = _chord_templates()
    total = weights.sum(axis=1, keepdims=True)
    rare = np.where(is_line, LINE_RARE_KIND_SCORE, RARE_KIND_SCORE)[:, None] * is_rare
    scores = (weights / np.maximum(total, 1e-9)) @ templates.T + np.where(total > 0, rare, 0)
    roots = np.array([root for root, _ in chords])
    is_root = (lowest[:, None] % 12 == roots) & (lowest >= 0)[:, None]
    scores += np.where(is_line, LINE_ROOT_IN_BASS_SCORE, ROOT_IN_BASS_SCORE)[:, None] * is_root
    if key is not None:
        scores[is_line] += _key_scores(key)
    return np.asarray(scores)


@lru_cache(maxsize=64)
def _key_scores(key: tuple[int, bool]) -> Floats:
    """The scores (C,) that a key adds to each of the C chords."""
    tones, tonic = scale(*key), key_tonic(*key)
    gains = []
    for root, kind in _chord_templates()[0]:
        is_diatonic = {(root + interval) % 12 for interval in CHORDS[kind][1]} <= tones
        is_primary = (root - tonic) % 12 in PRIMARY_DEGREES
        gains.append(is_diatonic * (DIATONIC_SCORE + is_primary * PRIMARY_SCORE))
    return np.array(gains)


@lru_cache(maxsize=1)
def _chord_templates() -> tuple[list[tuple[int, str]], Floats, npt.NDArray[np.bool_]]:
    """Return the C chords, the scores (C, 12) of pitch classes, and whether each is rare (C,)."""
    kinds = [kind for kind in CHORDS if kind != "other"]
    chords = [(root, kind) for root in range(12) for kind in kinds]
    templates = np.full((len(chords), 12), OTHER_TONE_SCORE)
    for row, (root, kind) in zip(templates, chords, strict=True):
        for interval, score in zip(CHORDS[kind][1], CHORD_TONE_SCORES, strict=False):
            row[(root + interval) % 12] = score
    return chords, templates, np.array([kind not in ("maj", "min") for _, kind in chords])
