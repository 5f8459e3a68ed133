"""Copying: the longest runs that composed songs share with training songs, beside human ones and controls.

Human songs share runs too. Each human song is cut to as many notes as a composed one has, for a longer song
shares more by being longer. (How a run is found: `originality.py`.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ritornello.judging.ladder import copies
from ritornello.judging.originality import longest_runs, opening
from ritornello.score import Score

FEWEST = 10  # songs of each
BEYOND = 0.95  # of the human songs have shorter runs than a song that is said to copy
OVERLAP = 0.8  # of the notes of a human song's largest part in one run: it is a training song itself
CONTROLS = ("bars shuffled", "n-gram", "marginals")


def copying(
    human: Sequence[Score],
    composed: Sequence[Score],
    made: Mapping[str, Sequence[Score]],
    training: Iterable[Score],
    some_training: Sequence[Score],
    seed: int = 0,
) -> dict[str, Any]:
    """Runs in notes: medians, longest, and the share of songs beyond what 95% of the human songs share.

    `training` are all songs that were learnt from, `some_training` a few of them, for the control "copies".
    "in_training" are the human songs (numbers) that are training songs themselves; they are left out.
    """
    if min(len(human), len(composed)) < FEWEST:
        return {"too_few": f"originality needs {FEWEST} human and {FEWEST} composed songs"}
    sizes = np.sort([len(song) for song in composed])
    draw = np.random.default_rng(seed)
    cut = [opening(song, int(size)) for song, size in zip(human, draw.choice(sizes, len(human)), strict=True)]
    groups: dict[str, Sequence[Score]] = {"composed": composed, "human": cut}
    groups["copies"] = copies(some_training, draw)
    groups |= {name: made[name] for name in CONTROLS if name in made}
    runs = longest_runs([song for group in groups.values() for song in group], training)
    ends = np.cumsum([0, *(len(group) for group in groups.values())])
    by_name = {name: np.array(runs[a:b]) for name, a, b in zip(groups, ends[:-1], ends[1:], strict=True)}
    known = by_name["human"] >= OVERLAP * np.array([_longest_part(song) for song in cut])
    if (~known).sum() >= FEWEST:  # they would make any copy look human
        by_name["human"] = by_name["human"][~known]
    limit = int(np.quantile(by_name["human"], BEYOND, method="higher"))
    found = {name: _figures(of, limit) for name, of in by_name.items()}
    human_found = found.pop("human")
    ranked = found["copies"]["median"] > limit
    if "marginals" in found:
        ranked = ranked and found["marginals"]["median"] <= human_found["median"]
    return {
        **found.pop("composed"),
        "runs": by_name["composed"].tolist(),
        "human": human_found | {"runs": by_name["human"].tolist()},
        "limit": limit,
        "controls": found,
        "discriminates": ranked,
        "in_training": np.flatnonzero(known).tolist(),
    }


def _longest_part(song: Score) -> int:
    """The notes of the largest part; at least two."""
    return int(np.bincount(song.part[~song.of_drums], minlength=1).max(initial=2))


def _figures(runs: Any, limit: int) -> dict[str, Any]:
    """Median and longest run in notes, and the share of songs beyond the limit."""
    return {
        "median": float(np.median(runs)),
        "longest": int(runs.max()),
        "beyond": float((runs > limit).mean()),
    }
