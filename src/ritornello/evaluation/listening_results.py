"""Evaluate the ratings of a listening test: means and medians by system, and which systems differ.

The ratings that one listener gave to the songs of a system are averaged first, so that many ratings of few
listeners do not count as many listeners. Systems are compared in pairs by Wilcoxon's
signed-rank test (1945) on the differences of the same listeners, with its exact distribution, and the
p-values of the pairs of a question are corrected by Holm's method (1979).
"""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError
from ritornello.evaluation.listening_test import ANCHOR, QUESTIONS, SCALE
from ritornello.evaluation.summary import bootstrap_interval
from ritornello.system.templates import aligned

Floats = npt.NDArray[np.float64]
OVERALL = "overall"  # the mean of the four questions
FEWEST_LISTENERS = 6  # with 5, even equal signs of all differences have p = 2 / 2**5 = 0.0625


def listening_results(key: str | Path, paths: Sequence[str | Path]) -> dict[str, Any]:
    """Return the figures of a test from its key file and the listeners' files of ratings, or folders of them.

    A listener who saved several files counts once, with the file that has most ratings. Raises InputError if
    a file is damaged or belongs to another test.
    """
    content = _read(Path(key), {"test": str, "items": dict, "systems": list})
    files = [file for path in paths for file in _files(Path(path))]
    listeners: dict[str, dict[str, Any]] = {}
    for file in files:
        ratings = _ratings(file, content)
        before = listeners.get(ratings["listener"])
        if before is None or len(ratings["ratings"]) > len(before["ratings"]):
            listeners[ratings["listener"]] = ratings
    if not listeners:
        raise InputError(f"no file of ratings in {', '.join(map(str, paths))}: must be one at least")
    systems: list[str] = content["systems"]
    means = {
        question: np.array([_means(each, content, systems, question) for each in listeners.values()])
        for question in (*QUESTIONS, OVERALL)
    }
    return {
        "test": content["test"],
        "listeners": len(listeners),
        "files": len(files),
        "ratings": sum(len(each["ratings"]) for each in listeners.values()),
        "questions": {
            name: {"systems": _by_system(table, systems), "pairs": _pairs(table, systems)}
            for name, table in means.items()
        },
        "fooled": _fooled(means[OVERALL], systems),
    }


def _files(path: Path) -> list[Path]:
    """The files of ratings in a folder, or the file itself."""
    if path.is_dir():
        return sorted(path.glob("*.json"))
    return [path]


def _read(path: Path, types: Mapping[str, type]) -> dict[str, Any]:
    """Read a JSON object with keys of these types. Raises InputError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r}: must be a JSON file of a listening test ({error})") from error
    for name, kind in types.items():
        if not isinstance(content, dict) or not isinstance(content.get(name), kind):
            raise InputError(f"{str(path)!r}: must have a key {name!r} of type {kind.__name__}")
    return dict(content)


def _ratings(path: Path, key: Mapping[str, Any]) -> dict[str, Any]:
    """Read a listener's file. Raises InputError if it is of another test or has a rating out of range."""
    content = _read(path, {"test": str, "listener": str, "ratings": list})
    if content["test"] != key["test"]:
        raise InputError(f"{str(path)!r} is of test {content['test']}: must be of {key['test']}")
    low, high = SCALE
    for each in content["ratings"]:
        if not isinstance(each, dict) or each.get("item") not in key["items"]:
            raise InputError(f"{str(path)!r}: each rating must name an item of the test")
        for question in QUESTIONS:
            value = each.get(question)
            if type(value) is not int or not low <= value <= high:
                raise InputError(
                    f"{str(path)!r}: {question} {value!r} of item {each['item']}: must be {low}-{high}"
                )
    return content


def _means(listener: Mapping[str, Any], key: Mapping[str, Any], systems: list[str], question: str) -> Floats:
    """The mean rating (S,) that a listener gave to each system, NaN if none of its songs was rated."""
    ratings: dict[str, list[float]] = {system: [] for system in systems}
    for each in listener["ratings"]:
        names = list(QUESTIONS) if question == OVERALL else [question]
        value = sum(each[name] for name in names) / len(names)
        ratings[key["items"][each["item"]]["system"]].append(value)
    return np.array([sum(values) / len(values) if values else math.nan for values in ratings.values()])


def _by_system(table: Floats, systems: list[str]) -> dict[str, dict[str, Any]]:
    """Mean with its interval over listeners, and median, of each column of a table (L, S)."""
    figures = {}
    for system, column in zip(systems, table.T, strict=True):
        rated = column[~np.isnan(column)]
        figures[system] = {
            "mean": float(rated.mean()) if len(rated) else None,
            "interval": bootstrap_interval(rated, np.ones_like(rated)) if len(rated) > 1 else None,
            "median": float(np.median(rated)) if len(rated) else None,
            "listeners": len(rated),
        }
    return figures


def _pairs(table: Floats, systems: list[str]) -> list[dict[str, Any]]:
    """Compare all pairs of systems (columns of a table (L, S)), without the anchor."""
    pairs: list[dict[str, Any]] = []
    for one, other in combinations([name for name in systems if name != ANCHOR], 2):
        differences = table[:, systems.index(one)] - table[:, systems.index(other)]
        differences = differences[~np.isnan(differences)]
        pairs.append(
            {
                "systems": (one, other),
                "listeners": len(differences),
                "difference": float(differences.mean()) if len(differences) else None,
                "p": signed_rank_p(differences),
            }
        )
    for each, corrected in zip(pairs, holm([each["p"] for each in pairs]), strict=True):
        each["p_holm"] = corrected
    return pairs


def _fooled(table: Floats, systems: list[str]) -> int | None:
    """How many listeners (rows of a table (L, S)) rated the anchor as high as the best system or higher."""
    if ANCHOR not in systems:
        return None
    anchor, others = table[:, systems.index(ANCHOR)], np.delete(table, systems.index(ANCHOR), axis=1)
    return int((anchor >= np.fmax.reduce(others, axis=1)).sum())


def signed_rank_p(differences: npt.NDArray[Any]) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for differences (N,) of pairs.

    Zeros are left out and equal sizes share their mean rank, as in Wilcoxon's paper. The distribution of the
    sum of ranks is counted over all 2**N signs, so it is exact even with ties. Without differences p is 1.

    >>> signed_rank_p(np.array([1, 2, 3, 4, 5]))
    0.0625
    """
    sizes = np.abs(differences := differences[differences != 0])
    ranks = np.array([2 * (sizes < size).sum() + (sizes == size).sum() + 1 for size in sizes], np.int64)
    ways = np.ones(1)  # the probability of each sum of doubled ranks
    for rank in ranks.tolist():
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    positive = int(ranks[differences > 0].sum())
    lesser = min(positive, int(ranks.sum()) - positive)
    return float(min(1.0, 2 * ways[: lesser + 1].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple tests by Holm's step-down method.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda number: p_values[number])
    corrected, highest = [0.0] * len(p_values), 0.0
    for done, number in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[number]))
        corrected[number] = highest
    return corrected


def results_text(results: Mapping[str, Any]) -> str:
    """Return the figures as text: a table of systems, one of pairs, and remarks."""
    questions = results["questions"]
    systems = list(questions[OVERALL]["systems"])
    rows = [["mean (95%); median", *questions]]
    for system in systems:
        rows.append([system, *(_cell(each["systems"][system]) for each in questions.values())])
    pairs = [["difference, p after Holm", *questions]]
    for number, pair in enumerate(questions[OVERALL]["pairs"]):
        figures_of_pair = [each["pairs"][number] for each in questions.values()]
        pairs.append([" - ".join(pair["systems"]), *map(_pair_cell, figures_of_pair)])
    lines = [f"{results['listeners']} listeners, {results['ratings']} ratings", "", aligned(rows)]
    lines += ["", aligned(pairs)] if len(pairs) > 1 else []
    if results["fooled"] is not None:
        lines += ["", f"{results['fooled']} listeners rated the noise at least as high as the best system"]
    if results["listeners"] < FEWEST_LISTENERS:
        lines += ["", f"fewer than {FEWEST_LISTENERS} listeners: no difference can have p below 0.05"]
    return "\n".join(lines)


def _cell(figures: Mapping[str, Any]) -> str:
    if figures["mean"] is None:
        return "-"
    ends = "" if figures["interval"] is None else " ({:.1f}-{:.1f})".format(*figures["interval"])
    return f"{figures['mean']:.2f}{ends}; {figures['median']:.2f}"


def _pair_cell(pair: Mapping[str, Any]) -> str:
    if pair["difference"] is None:
        return "-"
    return f"{pair['difference']:+.2f}, {pair['p_holm']:.3f}"
