"""Style: by feature, how far composed songs are from human ones, over how far those are from each other.

The human songs are split at random into two halves, again and again. The distance of the halves is what
chance and taste do; the distance of as many composed songs from one half, over it, is the *ratio*: 1.0 is
human. A control is always compared with the half that it was not made from. A ratio grows with the number
of songs where there is a difference to be seen: compare ratios of equally many songs only, distances
always.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import Floats
from ritornello.evaluation.controls import NOISE
from ritornello.evaluation.features import FEATURES, Feature, Table

FEWEST_HUMAN, FEWEST_COMPOSED = 20, 10  # songs
SPLITS = 400
SHARE = 0.95  # of an interval
Ints = npt.NDArray[np.int64]


class Splits(NamedTuple):
    """Which songs each of R rounds compares: `half` and `other` (R, m) of human songs, `composed` (R, m)."""

    half: Ints
    other: Ints
    composed: Ints


def wasserstein(one: Floats, other: Floats, step: float) -> Floats:
    """The Wasserstein-1 distance of distributions over bins `step` apart, (..., B) each, to (...).

    On a line it is the area between the cumulated distributions (Vallender 1974).
    """
    area = np.abs(np.cumsum(one - other, axis=-1)).sum(axis=-1) * step
    return np.asarray(np.round(area, 12))  # what rounding leaves of equal ones is no distance


def splits(human: int, composed: int, draw: np.random.Generator) -> Splits:
    """Random halves of the human songs, and as many composed ones, without repetition."""
    size = min(human // 2, composed)
    halves = draw.permuted(np.tile(np.arange(human), (SPLITS, 1)), axis=1)[:, : 2 * size]
    ours = draw.permuted(np.tile(np.arange(composed), (SPLITS, 1)), axis=1)[:, :size]
    return Splits(halves[:, :size], halves[:, size:], ours)


def resampled(chosen: Splits, draw: np.random.Generator) -> Splits:
    """The bootstrap by song: as many songs of each, with repetition."""
    rounds, size = chosen.half.shape
    return Splits(*(np.take_along_axis(c, draw.integers(size, size=(rounds, size)), 1) for c in chosen))


def _means(shares: Floats, songs: Ints) -> Floats:
    """The mean distribution (R, B) of the songs (R, m) of each round."""
    rounds, size = songs.shape
    weights = np.zeros((rounds, len(shares)))
    np.add.at(weights, (np.arange(rounds)[:, None], songs), 1 / size)
    return np.asarray(weights @ shares)


def distances(
    human: Floats, composed: Floats, made: Mapping[str, Floats], chosen: Splits, step: float
) -> Any:
    """By name ("human", "composed", controls) the distances (R,) from the human half."""
    half = _means(human, chosen.half)
    found = {"human": wasserstein(_means(human, chosen.other), half, step)}
    found["composed"] = wasserstein(_means(composed, chosen.composed), half, step)
    for name, shares in made.items():
        found[name] = wasserstein(_means(shares, chosen.other), half, step)
    return found


def compare(feature: Feature, human: Table, composed: Table, made: Mapping[str, Table], seed: int) -> Any:
    """One feature: ratios and intervals of the composed songs and of the controls; what it can tell apart.

    Songs in which the feature has no value are left out. None where too few are left.
    """
    ours = composed.shares[feature.name]
    theirs = {"human": human.shares[feature.name]} | {n: t.shares[feature.name] for n, t in made.items()}
    heard = np.all([np.isfinite(rows[:, 0]) for rows in theirs.values()], axis=0)
    ours, theirs = ours[np.isfinite(ours[:, 0])], {name: rows[heard] for name, rows in theirs.items()}
    if len(theirs["human"]) < FEWEST_HUMAN or len(ours) < FEWEST_COMPOSED:
        return None
    reference = theirs.pop("human")
    draw = np.random.default_rng(seed)
    chosen = splits(len(reference), len(ours), draw)
    plain = distances(reference, ours, theirs, chosen, feature.step)
    spread = distances(reference, ours, theirs, resampled(chosen, draw), feature.step)
    unit = float(plain["human"].mean())
    found = {name: _ratio(plain[name], spread[name], unit) for name in ("composed", *theirs)}
    low, high = np.quantile(plain["human"], [(1 - SHARE) / 2, (1 + SHARE) / 2]) / (unit or 1.0)
    found_ratio = found["composed"]["ratio"]
    apart = [name for name in theirs if unit and found[name]["interval"][0] > high]
    return {
        "name": feature.name,
        "unit": feature.unit,
        "songs_a_side": chosen.half.shape[1],
        **found.pop("composed"),
        "human_interval": [float(low), float(high)] if unit else None,
        "human_distance": unit,
        "mean": float(ours.mean(axis=0) @ feature.bins),
        "human_mean": float(reference.mean(axis=0) @ feature.bins),
        "rounds": _around(spread["composed"]) * found_ratio if found_ratio else None,
        "controls": found,
        "tells_apart": apart,
        "discriminates": ranks(found, apart),
    }


def _ratio(plain: Floats, spread: Floats, unit: float) -> dict[str, Any]:
    """Distance, ratio to the `unit` and its interval: the bootstrap's spread, laid around the estimate.

    The bootstrap itself lies too high: drawing with repetition adds to every distance. Where human songs do
    not differ at all there is no ratio.
    """
    distance = float(plain.mean())
    if not unit:
        return {"distance": distance, "ratio": None, "interval": None}
    around = np.quantile(_around(spread), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return {
        "distance": distance,
        "ratio": distance / unit,
        "interval": [float(end) for end in around * distance / unit],
    }


def _around(spread: Floats) -> Floats:
    """The rounds (R,) of the bootstrap over their mean."""
    return np.asarray(spread / (spread.mean() or 1.0))


def ranks(found: Mapping[str, Any], apart: list[str]) -> bool:
    """Whether a feature tells noise from human songs, and not as much what the codec does to them."""
    noise = [found[name]["ratio"] for name in NOISE if name in apart]
    return bool(noise) and found["codec"]["ratio"] < max(noise)


def style(human: Table, composed: Table, made: Mapping[str, Table], seed: int = 0) -> dict[str, Any]:
    """All features, and their ratios in one figure, the geometric mean, beside those of the controls.

    With too few songs it says so in "too_few". `made` may be empty: then nothing is said of the ladder.
    """
    if len(human) < FEWEST_HUMAN or len(composed) < FEWEST_COMPOSED:
        return {"too_few": f"style needs {FEWEST_HUMAN} human and {FEWEST_COMPOSED} composed songs"}
    compared = [compare(feature, human, composed, made, seed) for feature in FEATURES]
    found = [each for each in compared if each]
    rounds = [each.pop("rounds") for each in found]
    ladder = {name: _geometric([each["controls"][name]["ratio"] for each in found]) for name in made}
    return {
        "ratio": _geometric([each["ratio"] for each in found]),
        "interval": _interval_of_geometric([ratios for ratios in rounds if ratios is not None]),
        "within_1.5": sum(each["ratio"] is not None and each["ratio"] <= 1.5 for each in found),
        "features": found,
        "without_values": [f.name for f, each in zip(FEATURES, compared, strict=True) if not each],
        "ladder": ladder,
        "discriminates": in_order([ladder[name] for name in ("codec", *NOISE)]) if made else None,
    }


def _geometric(ratios: list[float | None]) -> float | None:
    """The geometric mean of the ratios that there are; None of none."""
    logs = [np.log(max(ratio, 1e-9)) for ratio in ratios if ratio is not None]
    return float(np.exp(np.mean(logs))) if logs else None


def _interval_of_geometric(rounds: list[Floats]) -> list[float] | None:
    """The interval of the geometric mean, of the ratios (R,) of each feature in the same rounds."""
    if not rounds:
        return None
    means = np.log(np.maximum(rounds, 1e-9)).mean(axis=0)
    return [float(end) for end in np.exp(np.quantile(means, [(1 - SHARE) / 2, (1 + SHARE) / 2]))]


def in_order(rungs: list[float | None], slack: float = 0.0) -> bool:
    """Whether a metric's figures rise along the ladder, each at least to `slack` below the one before."""
    known = [rung for rung in rungs if rung is not None]
    rises = all(after >= before - slack for before, after in pairwise(known))
    return len(known) == len(rungs) > 1 and rises and known[-1] > known[0] + slack
