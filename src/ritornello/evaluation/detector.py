"""Detector: can a classifier tell composed songs from human ones by simple numbers of each song?

The figure is the AUC: how often it finds a composed song more composed than a human one; 0.5 is human, 1.0
told apart every time. The forest is trained on four fifths of the songs and asked about the last, five
times. A control and the song it was made of are always in the same fifth. (The idea of a classifier as a
two-sample test: Lopez-Paz & Oquab, Revisiting Classifier Two-Sample Tests, 2017.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import Floats
from ritornello.evaluation.controls import NOISE
from ritornello.evaluation.features import Table, summary_names
from ritornello.evaluation.style import SHARE, in_order

FEWEST = 20  # songs of each
FOLDS, TREES, ROUNDS = 5, 200, 1000
NAMED = 8  # what gives the songs away
SLACK = 0.05  # by which an AUC may go down the ladder: where all are told apart every time, chance decides
Ints = npt.NDArray[np.int64]


def detector(human: Table, composed: Table, made: Mapping[str, Table], seed: int = 0) -> dict[str, Any]:
    """AUC and interval of equally many composed and human songs, of the controls, and of human from human.

    With too few songs it says so in "too_few". `made` may be empty: then nothing is said of the ladder.
    """
    count = min(len(human), len(composed))
    if count < FEWEST:
        return {"too_few": f"the detector needs {FEWEST} human and {FEWEST} composed songs"}
    draw = np.random.default_rng(seed)
    theirs = human.numbers[draw.permutation(len(human))[:count]]
    ours = composed.numbers[draw.permutation(len(composed))[:count]]
    halves = draw.permutation(len(human))
    middle = len(halves) // 2
    found = {"human": auc(human.numbers[halves[:middle]], human.numbers[halves[middle : 2 * middle]], seed)}
    for name, table in made.items():
        found[name] = auc(table.numbers, human.numbers, seed, paired=True)
    rungs = [found[name]["auc"] for name in ("codec", *NOISE)] if made else []
    return {
        **auc(ours, theirs, seed),
        "songs_a_side": count,
        "controls": found,
        "discriminates": in_order(rungs, SLACK) and rungs[-1] > 0.75 if made else None,
        "gives_away": given_away(ours, theirs),
    }


def auc(ours: Floats, theirs: Floats, seed: int, *, paired: bool = False) -> dict[str, Any]:
    """The cross-validated AUC of two tables of numbers (S, K), with an interval by song.

    `paired`: row i of the one was made of row i of the other.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    values = _filled(np.concatenate([ours, theirs]))
    is_ours = np.arange(len(values)) < len(ours)
    groups = np.concatenate([np.arange(len(ours)), np.arange(len(theirs)) + (0 if paired else len(ours))])
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    found = np.zeros(len(values))
    for known, asked in folds.split(values, is_ours, groups):
        forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        forest.fit(values[known], is_ours[known])
        found[asked] = forest.predict_proba(values[asked])[:, 1]
    return _area(found[is_ours], found[~is_ours], seed)


def _filled(values: Floats) -> Floats:
    """What a song has no value of becomes less than any song's, for a tree to cut off."""
    least = np.nan_to_num(np.where(np.isnan(values), np.inf, values).min(axis=0), posinf=0.0)
    return np.where(np.isnan(values), least - 1, values)


def _area(ours: Floats, theirs: Floats, seed: int) -> dict[str, Any]:
    """How often a score of ours is above one of theirs, ties half; the interval by bootstrap over songs."""
    above = (ours[:, None] > theirs) + 0.5 * (ours[:, None] == theirs)
    draw = np.random.default_rng(seed)
    rows, columns = (
        draw.multinomial(n, np.full(n, 1 / n), size=ROUNDS) / n for n in (len(ours), len(theirs))
    )
    areas = np.einsum("ri,ij,rj->r", rows, above, columns, optimize=True)
    ends = np.quantile(areas, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return {"auc": float(above.mean()), "interval": [min(1.0, float(end)) for end in ends]}


def given_away(ours: Floats, theirs: Floats) -> list[dict[str, Any]]:
    """The numbers that alone tell most: name, AUC (of the larger or the smaller value), both medians."""
    told: list[dict[str, Any]] = []
    for name, one, other in zip(summary_names(), ours.T, theirs.T, strict=True):
        one, other = one[np.isfinite(one)], other[np.isfinite(other)]
        if len(one) and len(other):
            above = float(((one[:, None] > other) + 0.5 * (one[:, None] == other)).mean())
            medians = {"composed": float(np.median(one)), "human": float(np.median(other))}
            told.append({"name": name, "auc": max(above, 1 - above)} | medians)
    return sorted(told, key=lambda each: each["auc"], reverse=True)[:NAMED]
