"""The metric *detector*: can a classifier tell composed songs from human ones by simple numbers of each song?

Input: the numbers of each song (`features.song_numbers`) of human songs, composed songs and controls.
Validation: at least FEWEST human and FEWEST composed songs; the same number of both is used.
Metric: the AUC of a forest of extremely randomized trees, cross-validated in FOLDS: the probability that a
  composed song gets a higher score than a human one. At 0.5 composed songs cannot be told from human ones, at
  1.0 always. A control and the song from which it was made are always in the same fold.
Source: Lopez-Paz & Oquab, Revisiting Classifier Two-Sample Tests (2017). Intervals: the bootstrap over
  songs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ritornello.evaluation.analysed_song import Floats
from ritornello.evaluation.controls import NOISE
from ritornello.evaluation.features import SongTable, number_names
from ritornello.evaluation.style import quantile_interval, ranks_in_order

FEWEST = 20  # human songs, and composed songs
FOLDS, TREES, ROUNDS = 5, 200, 1000
REVEALING_NUMBERS = 8  # how many of the most revealing numbers are reported
TOLERANCE = 0.05  # the AUC of a worse control may be lower by this; near 1.0 chance decides


def detector(
    human: SongTable, composed: SongTable, controls: Mapping[str, SongTable], seed: int = 0
) -> dict[str, Any]:
    """Return the AUC, with its interval, of composed songs, of the controls, and of halves of human songs.

    Without enough songs it returns {"too_few": reason}. `controls` may be empty.
    """
    count = min(len(human), len(composed))
    if count < FEWEST:
        return {"too_few": f"the detector needs {FEWEST} human and {FEWEST} composed songs"}
    draw = np.random.default_rng(seed)
    theirs = human.numbers[draw.permutation(len(human))[:count]]
    ours = composed.numbers[draw.permutation(len(composed))[:count]]
    order = draw.permutation(len(human))
    middle = len(order) // 2
    aucs = {"human": auc(human.numbers[order[:middle]], human.numbers[order[middle : 2 * middle]], seed)}
    for name, table in controls.items():
        aucs[name] = auc(table.numbers, human.numbers, seed, paired=True)
    figures = [aucs[name]["auc"] for name in ("codec", *NOISE)] if controls else []
    return {
        **auc(ours, theirs, seed),
        "songs_a_side": count,
        "controls": aucs,
        "discriminates": ranks_in_order(figures, TOLERANCE) and figures[-1] > 0.75 if controls else None,
        "gives_away": revealing_numbers(ours, theirs),
    }


def auc(ours: Floats, theirs: Floats, seed: int, *, paired: bool = False) -> dict[str, Any]:
    """Return the cross-validated AUC of two tables of numbers (S, K), and its interval over songs.

    `paired` says that row i of `ours` was made from row i of `theirs`.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    values = _without_nan(np.concatenate([ours, theirs]))
    is_ours = np.arange(len(values)) < len(ours)
    groups = np.concatenate([np.arange(len(ours)), np.arange(len(theirs)) + (0 if paired else len(ours))])
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    scores = np.zeros(len(values))
    for training, held_out in folds.split(values, is_ours, groups):
        forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        forest.fit(values[training], is_ours[training])
        scores[held_out] = forest.predict_proba(values[held_out])[:, 1]
    return _auc_of_scores(scores[is_ours], scores[~is_ours], seed)


def _without_nan(values: Floats) -> Floats:
    """Replace NaN in a table (S, K) by a number below all others of its column; trees can split it off."""
    least = np.nan_to_num(np.where(np.isnan(values), np.inf, values).min(axis=0), posinf=0.0)
    return np.where(np.isnan(values), least - 1, values)


def _above(ours: Floats, theirs: Floats) -> Floats:
    """Return for each pair (n, m) whether ours is above theirs: 1.0, 0.5 if they are equal, or 0.0."""
    return np.asarray((ours[:, None] > theirs) + 0.5 * (ours[:, None] == theirs))


def _auc_of_scores(ours: Floats, theirs: Floats, seed: int) -> dict[str, Any]:
    """Return the AUC of two sets of scores (n,) and (m,), and its interval by the bootstrap over songs."""
    above = _above(ours, theirs)
    draw = np.random.default_rng(seed)
    rows, columns = (draw.multinomial(n, np.full(n, 1 / n), size=ROUNDS) / n for n in above.shape)
    ends = quantile_interval(np.einsum("ri,ij,rj->r", rows, above, columns, optimize=True))
    return {"auc": float(above.mean()), "interval": [min(1.0, float(end)) for end in ends]}


def revealing_numbers(
    ours: Floats, theirs: Floats, names: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return the columns of two tables (S, K) with the highest AUC if used alone: name, AUC, both medians.

    An AUC below 0.5 counts as 1 - AUC. The columns have these K names, or by default those of songs.
    """
    columns: list[dict[str, Any]] = []
    for name, one, other in zip(names or number_names(), ours.T, theirs.T, strict=True):
        one, other = one[np.isfinite(one)], other[np.isfinite(other)]
        if len(one) and len(other):
            above = float(_above(one, other).mean())
            medians = {"composed": float(np.median(one)), "human": float(np.median(other))}
            columns.append({"name": name, "auc": max(above, 1 - above)} | medians)
    return sorted(columns, key=lambda each: each["auc"], reverse=True)[:REVEALING_NUMBERS]
