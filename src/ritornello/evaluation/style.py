"""The metric *style*: the distance of composed songs from human ones, relative to that among human songs.

Input: the histograms of each feature (`features.SongTable`) of human songs, composed songs and controls.
Validation: at least FEWEST_HUMAN human and FEWEST_COMPOSED composed songs with values of a feature.
Metric: the human songs are split at random into two halves, ROUNDS times. The Wasserstein distance of as
  many composed songs from one half, divided by the distance of the two halves, is the *ratio* of a feature:
  1.0 is human. The style ratio is the geometric mean over the features. A control is compared with the half
  from which it was not made. Ratios grow with the number of songs, so compare only those of equally many
  songs.
Source: our own. The distance of binned distributions: Vallender, Calculation of the Wasserstein distance
  between probability distributions on the line (1974). Intervals: the bootstrap over songs (Efron 1979).
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import Floats
from ritornello.evaluation.controls import NOISE
from ritornello.evaluation.features import FEATURES, Feature, SongTable

FEWEST_HUMAN, FEWEST_COMPOSED = 20, 10  # songs
ROUNDS = 400
COVERAGE = 0.95  # of all intervals of the metrics
Ints = npt.NDArray[np.int64]  # (R, m)


class Draws(NamedTuple):
    """The indices (R, m) of the songs that each of R rounds compares: two human halves, composed songs."""

    half: Ints
    other_half: Ints
    composed: Ints


def quantile_interval(values: Floats) -> Floats:
    """Return the lower and upper ends (2, K) between which the middle COVERAGE of values (R, K) lie."""
    return np.asarray(np.quantile(values, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0))


def wasserstein(one: Floats, other: Floats, step: float) -> Floats:
    """Return the Wasserstein-1 distances (...) of distributions (..., B) over bins that are `step` apart.

    It is the area between the cumulative distributions (Vallender 1974).
    """
    area = np.abs(np.cumsum(one - other, axis=-1)).sum(axis=-1) * step
    return np.asarray(np.round(area, 12))  # equal distributions have distance 0 despite rounding errors


def draw_halves(human: int, composed: int, draw: np.random.Generator) -> Draws:
    """Draw in each round two disjoint sets of human songs, and composed ones, all of one size."""
    size = min(human // 2, composed)
    halves = draw.permuted(np.tile(np.arange(human), (ROUNDS, 1)), axis=1)[:, : 2 * size]
    ours = draw.permuted(np.tile(np.arange(composed), (ROUNDS, 1)), axis=1)[:, :size]
    return Draws(halves[:, :size], halves[:, size:], ours)


def resample(draws: Draws, draw: np.random.Generator) -> Draws:
    """Draw the bootstrap: as many songs from each round's songs, with repetition."""
    rounds, size = draws.half.shape
    return Draws(*(np.take_along_axis(d, draw.integers(size, size=(rounds, size)), 1) for d in draws))


def _mean_histograms(histograms: Floats, songs: Ints) -> Floats:
    """Return the mean histogram (R, B) of the songs (R, m) of each round."""
    rounds, size = songs.shape
    weights = np.zeros((rounds, len(histograms)))
    np.add.at(weights, (np.arange(rounds)[:, None], songs), 1 / size)
    return np.asarray(weights @ histograms)


def distances(
    human: Floats, composed: Floats, controls: Mapping[str, Floats], draws: Draws, step: float
) -> dict[str, Floats]:
    """Return the distances (R,) from the first human half of "human", "composed" and each control.

    All songs are given as histograms (S, B).
    """
    half = _mean_histograms(human, draws.half)
    found = {"human": wasserstein(_mean_histograms(human, draws.other_half), half, step)}
    found["composed"] = wasserstein(_mean_histograms(composed, draws.composed), half, step)
    for name, histograms in controls.items():
        found[name] = wasserstein(_mean_histograms(histograms, draws.other_half), half, step)
    return found


def compare_feature(
    feature: Feature, human: SongTable, composed: SongTable, controls: Mapping[str, SongTable], seed: int
) -> Any:
    """Return the ratios and intervals of a feature for the composed songs and the controls.

    Songs without values are left out. None is returned if too few songs are left.
    """
    ours = composed.histograms[feature.name]
    others = {"human": human, **controls}
    theirs = {name: table.histograms[feature.name] for name, table in others.items()}
    has_values = np.all([np.isfinite(rows[:, 0]) for rows in theirs.values()], axis=0)
    ours = ours[np.isfinite(ours[:, 0])]
    theirs = {name: rows[has_values] for name, rows in theirs.items()}
    if len(theirs["human"]) < FEWEST_HUMAN or len(ours) < FEWEST_COMPOSED:
        return None
    reference = theirs.pop("human")
    draw = np.random.default_rng(seed)
    draws = draw_halves(len(reference), len(ours), draw)
    plain = distances(reference, ours, theirs, draws, feature.step)
    bootstrap = distances(reference, ours, theirs, resample(draws, draw), feature.step)
    unit = float(plain["human"].mean())
    found = {name: _ratio(plain[name], bootstrap[name], unit) for name in ("composed", *theirs)}
    low, high = quantile_interval(plain["human"]) / (unit or 1.0)
    ratio = found["composed"]["ratio"]
    told_apart = [name for name in theirs if unit and found[name]["interval"][0] > high]
    return {
        "name": feature.name,
        "unit": feature.unit,
        "songs_a_side": draws.half.shape[1],
        **found.pop("composed"),
        "human_interval": [float(low), float(high)] if unit else None,
        "human_distance": unit,
        "mean": float(ours.mean(axis=0) @ feature.bins),
        "human_mean": float(reference.mean(axis=0) @ feature.bins),
        "rounds": _relative(bootstrap["composed"]) * ratio if ratio else None,
        "controls": found,
        "tells_apart": told_apart,
        "discriminates": discriminates(found, told_apart),
    }


def _ratio(plain: Floats, bootstrap: Floats, unit: float) -> dict[str, Any]:
    """Return the mean distance, its ratio to `unit`, and the ratio's interval, of rounds (R,).

    The interval has the relative width of the bootstrap around the plain ratio: the bootstrap itself is
    biased upwards, because repeated songs add to every distance. Without differences between human songs
    there is no ratio.
    """
    distance = float(plain.mean())
    if not unit:
        return {"distance": distance, "ratio": None, "interval": None}
    ends = quantile_interval(_relative(bootstrap)) * distance / unit
    return {"distance": distance, "ratio": distance / unit, "interval": [float(end) for end in ends]}


def _relative(bootstrap: Floats) -> Floats:
    """Return the rounds (R,) of the bootstrap divided by their mean."""
    return np.asarray(bootstrap / (bootstrap.mean() or 1.0))


def discriminates(ratios: Mapping[str, Any], told_apart: list[str]) -> bool:
    """Whether a feature separates a noise control from human songs, and by more than the control "codec"."""
    noise = [ratios[name]["ratio"] for name in NOISE if name in told_apart]
    return bool(noise) and ratios["codec"]["ratio"] < max(noise)


def style(
    human: SongTable, composed: SongTable, controls: Mapping[str, SongTable], seed: int = 0
) -> dict[str, Any]:
    """Return the style ratio with its interval, the features, and the style ratios of the controls.

    Without enough songs it returns {"too_few": reason}. `controls` may be empty.
    """
    if len(human) < FEWEST_HUMAN or len(composed) < FEWEST_COMPOSED:
        return {"too_few": f"style needs {FEWEST_HUMAN} human and {FEWEST_COMPOSED} composed songs"}
    compared = [compare_feature(feature, human, composed, controls, seed) for feature in FEATURES]
    found = [each for each in compared if each]
    rounds = [each.pop("rounds") for each in found]
    ratios = {name: [each["controls"][name]["ratio"] for each in found] for name in controls}
    of_controls = {name: _geometric_mean(own) for name, own in ratios.items()}
    return {
        "ratio": _geometric_mean([each["ratio"] for each in found]),
        "interval": _interval_of_geometric_mean([ratios for ratios in rounds if ratios is not None]),
        "within_1.5": sum(each["ratio"] is not None and each["ratio"] <= 1.5 for each in found),
        "features": found,
        "without_values": [f.name for f, each in zip(FEATURES, compared, strict=True) if not each],
        "ladder": of_controls,
        "discriminates": ranks_in_order([of_controls[n] for n in ("codec", *NOISE)]) if controls else None,
    }


def _geometric_mean(ratios: list[float | None]) -> float | None:
    """Return the geometric mean of the ratios that are not None; None if all are."""
    logs = [np.log(max(ratio, 1e-9)) for ratio in ratios if ratio is not None]
    return float(np.exp(np.mean(logs))) if logs else None


def _interval_of_geometric_mean(rounds: list[Floats]) -> list[float] | None:
    """Return the interval of the geometric mean over features, from the ratios (R,) of each in all rounds."""
    if not rounds:
        return None
    means = np.log(np.maximum(rounds, 1e-9)).mean(axis=0)
    return [float(end) for end in np.exp(quantile_interval(means))]


def ranks_in_order(figures: list[float | None], tolerance: float = 0.0) -> bool:
    """Whether the figures of the controls rise from the best to the worst, within `tolerance`."""
    known = [figure for figure in figures if figure is not None]
    rises = all(after >= before - tolerance for before, after in pairwise(known))
    return len(known) == len(figures) > 1 and rises and known[-1] > known[0] + tolerance
