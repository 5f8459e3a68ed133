"""The metric *variety*: how far composed songs are from each other, relative to human songs; 1.0 is human.

Input: the histograms of each feature (`features.SongTable`) of human songs, composed songs and controls.
Validation: at least FEWEST human and FEWEST composed songs, and human songs that differ from each other.
Metric: the distance of two songs is the mean over the features of the Wasserstein distance of their
  histograms, in units of its mean over pairs of human songs. *variety* is the mean distance of two composed
  songs divided by the mean distance of two human songs; *nearest* is the same for the distance of each song
  from its nearest neighbour, which reveals songs that are one song with small changes. Noise may be as varied
  as human songs.
Source: our own. Intervals: the bootstrap over songs (Efron 1979).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ritornello.evaluation.analysed_song import Floats, Ints
from ritornello.evaluation.features import FEATURES, SongTable
from ritornello.evaluation.style import quantile_interval

FEWEST = 10  # human songs, and composed songs
ROUNDS = 200
ONE_SONG = "one song, its bars shuffled"  # the control of `controls.one_song_repeated`


def _distances(table: SongTable, units: Mapping[str, float]) -> Floats:
    """Return the distances of each two songs, (S, S), over the features for which both have values."""
    total = np.zeros((len(table), len(table)))
    features = np.zeros_like(total)
    for feature in FEATURES:
        if unit := units.get(feature.name):
            distance = _wasserstein(table.histograms[feature.name]) * feature.step / unit
            total += np.nan_to_num(distance)
            features += np.isfinite(distance)
    return np.asarray(total / np.maximum(features, 1))


def _wasserstein(histograms: Floats) -> Floats:
    """Return the Wasserstein distances (S, S) in bins of each two histograms (S, B); NaN without values."""
    from scipy.spatial.distance import cdist

    cumulative = np.cumsum(histograms, axis=1)
    return np.asarray(cdist(cumulative, cumulative, "cityblock"))


def _units(human: SongTable) -> dict[str, float]:
    """Return the mean distance of two human songs for each feature in which they differ."""
    units = {}
    for feature in FEATURES:
        pairs = np.triu_indices(len(human), 1)
        distances = _wasserstein(human.histograms[feature.name])[pairs] * feature.step
        if np.isfinite(distances).any() and (mean := float(np.nanmean(distances))) > 0:
            units[feature.name] = mean
    return units


def _mean_distances(distances: Floats, songs: Ints) -> tuple[float, float]:
    """Return the mean distance of two of `songs` (n,), and of a song from its nearest; all have (S, S).

    A song that was drawn more than once is not paired with itself.
    """
    songs, times = np.unique(songs, return_counts=True)
    chosen = distances[np.ix_(songs, songs)]
    pairs = np.outer(times, times) * (1 - np.eye(len(songs)))
    nearest = (chosen + np.where(np.eye(len(songs), dtype=bool), np.inf, 0)).min(axis=1)
    return float((chosen * pairs).sum() / max(pairs.sum(), 1)), float((nearest * times).sum() / times.sum())


def variety(
    human: SongTable, composed: SongTable, controls: Mapping[str, SongTable], seed: int = 0
) -> dict[str, Any]:
    """Return both ratios with their intervals, of composed songs and of the controls, for equally many songs.

    Without enough songs it returns {"too_few": reason}. `controls` may have ONE_SONG; the metric
    discriminates if ONE_SONG is less varied than human songs.
    """
    count = min([len(human), len(composed), *(len(table) for table in controls.values())])
    if count < FEWEST:
        return {"too_few": f"variety needs {FEWEST} human and {FEWEST} composed songs"}
    units = _units(human)
    draw = np.random.default_rng(seed)
    plain, bootstrap = {}, {}
    for name, table in {"human": human, "composed": composed, **controls}.items():
        distances = _distances(table, units)
        plain[name] = _mean_distances(distances, draw.permutation(len(distances))[:count])
        bootstrap[name] = np.array(
            [_mean_distances(distances, draw.integers(len(distances), size=count)) for _ in range(ROUNDS)]
        )
    if not all(plain["human"]):
        return {"too_few": "variety needs human songs that differ from each other"}
    ratios = {name: _ratios(name, plain, bootstrap) for name in plain}
    human_interval = ratios.pop("human")["interval"]
    return {
        **ratios.pop("composed"),
        "human_interval": human_interval,
        "songs_a_side": count,
        "controls": ratios,
        "discriminates": ratios[ONE_SONG]["interval"][1] < human_interval[0] if ONE_SONG in ratios else None,
    }


def _ratios(
    name: str, plain: Mapping[str, tuple[float, float]], bootstrap: Mapping[str, Floats]
) -> dict[str, Any]:
    """Return both ratios of the songs `name` to human songs, with the intervals of the bootstrap of both."""
    ratio, nearest = np.array(plain[name]) / plain["human"]
    distances = bootstrap[name] / np.maximum(bootstrap[name].mean(axis=0), 1e-12)  # 0 for one song repeated
    human = 1.0 if name == "human" else bootstrap["human"] / bootstrap["human"].mean(axis=0)
    ends = quantile_interval(distances / human)
    return {
        "ratio": float(ratio),
        "interval": (ends[:, 0] * ratio).tolist(),
        "nearest": float(nearest),
        "nearest_interval": (ends[:, 1] * nearest).tolist(),
    }
