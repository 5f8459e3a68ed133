"""Usual: what people do in songs of a label, against which rules hold what is composed.

    repeats   the share of notes that repeat the pitch before in their part: nine songs of ten have no more
    plays     the share of the first bars in which a part plays: nine parts of ten play in no fewer

model.json may have it, as the model that ships does: {"usual": {label: {"repeats": share, "plays": share}}}.
Where it says nothing of a label, nothing is held back or called for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ritornello.plan import Plan
from ritornello.score import Score
from ritornello.timeline import Timeline

MOST = 0.9
BARS = 16


class Usual(NamedTuple):
    """Two shares; of a label of which nothing is said they hold nothing back and call for nothing."""

    repeats: float = 1.0
    plays: float = 0.0


def repeats(song: Score) -> float:
    """The share of notes of pitched parts that repeat the pitch before; in chords from the lowest up."""
    order = np.lexsort((song.pitch, song.onset_ticks, song.part))
    order = order[~song.of_drums[order]]
    same = np.diff(song.part[order].astype(np.int64)) == 0
    again = np.diff(song.pitch[order].astype(np.int64))[same] == 0
    return float(again.mean()) if len(again) else 0.0


def plays(song: Score) -> list[float]:
    """For each part of a song with notes the share of the first bars in which it strikes one."""
    timeline = Timeline.of(song)
    bar, bars = timeline.bar_of(song.onset_ticks), min(BARS, len(timeline))
    early = bar < bars
    parts = np.unique(song.part).tolist()
    return [len(np.unique(bar[early & (song.part == part)])) / bars for part in parts]


def measured(songs: Iterable[tuple[Score, Iterable[str]]]) -> dict[str, dict[str, float]]:
    """What is usual for each label, from songs (with notes) and their labels; of drums alone nothing is."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for song, labels in songs:
        for label in labels if (~song.of_drums).any() else ():
            again, shares = found.setdefault(label, ([], []))
            again.append(repeats(song))
            shares += plays(song)
    return {
        label: {
            "repeats": round(float(np.quantile(again, MOST)), 4),
            "plays": round(float(np.quantile(shares, 1 - MOST)), 4),
        }
        for label, (again, shares) in sorted(found.items())
    }


def usual(info: Mapping[str, Any], plan: Plan) -> Usual:
    """What is usual for a plan by model.json: of a blend, what its labels all bear."""
    said = info.get("usual", {})
    labels = [Usual(**said.get(label, {})) for label, _ in plan.genres] or [Usual()]
    return Usual(max(label.repeats for label in labels), min(label.plays for label in labels))
