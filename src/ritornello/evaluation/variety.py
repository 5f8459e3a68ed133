"""Variety: how far the composed songs are from each other, over how far human ones are: 1.0 is human.

Two songs' distance is the mean over the features of the Wasserstein distance of their values, each in units
of the mean distance of two human songs. *nearest* is the same for each song's nearest neighbour among as
many: one song repeated with small changes has neighbours too near even where the rest is far apart. Noise
may be as varied as it likes: this figure says nothing of quality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import Floats
from ritornello.evaluation.features import FEATURES, Table
from ritornello.evaluation.style import SHARE

FEWEST = 10  # songs of each
ROUNDS = 200
SAME = "one song, its bars shuffled"
Ints = npt.NDArray[np.int64]


def _apart(table: Table, units: Mapping[str, float]) -> Floats:
    """The distance of each song from each, (S, S); a feature counts where both songs have values."""
    total = np.zeros((len(table), len(table)))
    counted = np.zeros_like(total)
    for feature in FEATURES:
        if unit := units.get(feature.name):
            shares = table.shares[feature.name]
            gap = _area_between(shares) * feature.step / unit
            total += np.nan_to_num(gap)
            counted += np.isfinite(gap)
    return np.asarray(total / np.maximum(counted, 1))


def _area_between(shares: Floats) -> Floats:
    """The area between the cumulated distributions of each two songs, (S, S), in bins; NaN without values."""
    from scipy.spatial.distance import cdist

    cumulated = np.cumsum(shares, axis=1)
    return np.asarray(cdist(cumulated, cumulated, "cityblock"))


def _units(human: Table) -> dict[str, float]:
    """By feature the mean distance of two human songs; those in which they do not differ are left out."""
    found = {}
    for feature in FEATURES:
        gaps = _area_between(human.shares[feature.name])[np.triu_indices(len(human), 1)] * feature.step
        if np.isfinite(gaps).any() and (mean := float(np.nanmean(gaps))) > 0:
            found[feature.name] = mean
    return found


def _spread(apart: Floats, drawn: Ints) -> tuple[float, float]:
    """The mean distance of two songs, and of a song from its nearest, of songs drawn with repetition.

    Two drawings of one song are no pair.
    """
    songs, times = np.unique(drawn, return_counts=True)
    gaps = apart[np.ix_(songs, songs)]
    pairs = np.outer(times, times) * (1 - np.eye(len(songs)))
    nearest = (gaps + np.where(np.eye(len(songs), dtype=bool), np.inf, 0)).min(axis=1)
    return float((gaps * pairs).sum() / max(pairs.sum(), 1)), float((nearest * times).sum() / times.sum())


def variety(human: Table, composed: Table, made: Mapping[str, Table], seed: int = 0) -> dict[str, Any]:
    """Both figures of equally many songs, with intervals by the bootstrap over songs, and of the controls.

    `made` may hold SAME, a single song over and over; the metric discriminates if that comes out less varied.
    """
    count = min([len(human), len(composed), *(len(table) for table in made.values())])
    if count < FEWEST:
        return {"too_few": f"variety needs {FEWEST} human and {FEWEST} composed songs"}
    units = _units(human)
    draw = np.random.default_rng(seed)
    plain, rounds = {}, {}
    for name, table in {"human": human, "composed": composed, **made}.items():
        apart = _apart(table, units)
        plain[name] = _spread(apart, draw.permutation(len(apart))[:count])
        rounds[name] = np.array(
            [_spread(apart, draw.integers(len(apart), size=count)) for _ in range(ROUNDS)]
        )
    if not all(plain["human"]):
        return {"too_few": "variety needs human songs that differ from each other"}
    found = {name: _figures(name, plain, rounds) for name in plain}
    human_interval = found.pop("human")["interval"]
    return {
        **found.pop("composed"),
        "human_interval": human_interval,
        "songs_a_side": count,
        "controls": found,
        "discriminates": found[SAME]["interval"][1] < human_interval[0] if SAME in found else None,
    }


def _figures(
    name: str, plain: Mapping[str, tuple[float, float]], rounds: Mapping[str, Floats]
) -> dict[str, Any]:
    """The distance of all, and of the nearest, over the human ones; the intervals have both sides' chance."""
    ratio, nearest = np.array(plain[name]) / plain["human"]
    own = rounds[name] / np.maximum(rounds[name].mean(axis=0), 1e-12)  # of one song repeated it is 0
    human = 1.0 if name == "human" else rounds["human"] / rounds["human"].mean(axis=0)
    ends = np.quantile(own / human, [(1 - SHARE) / 2, (1 + SHARE) / 2], axis=0)
    return {
        "ratio": float(ratio),
        "interval": (ends[:, 0] * ratio).tolist(),
        "nearest": float(nearest),
        "nearest_interval": (ends[:, 1] * nearest).tolist(),
    }
