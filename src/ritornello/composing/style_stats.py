"""Usual: what people do in songs of a label, against which rules hold what is composed.

    repeats   the share of notes that repeat the pitch before in their part: nine songs of ten have no more
    plays     the share of the first bars in which a part plays: nine parts of ten play in no fewer
    voices    the most notes that a part strikes at one onset: of 100 songs one has a part with more

model.json may have it, as the model that ships does: {"usual": {label: {"repeats": share, "plays": share,
"voices": notes}}}. Where it says nothing of a label, nothing is held back or called for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, NamedTuple

import numpy as np

from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

MOST, NEARLY_ALL = 0.9, 0.99
BARS = 16


class Usual(NamedTuple):
    """As above; of a label of which nothing is said they hold nothing back and call for nothing."""

    repeats: float = 1.0
    plays: float = 0.0
    voices: float = inf


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


def voices(song: Score) -> int:
    """The most notes that a pitched part strikes at one onset; without any, 0.

    Not those that sound together: a pedal, or values rounded to the grid, hold many a note over the next.
    """
    pitched = ~song.of_drums
    struck = np.stack([song.part[pitched], song.onset_ticks[pitched]])
    _, together = np.unique(struck, axis=1, return_counts=True)
    return int(together.max(initial=0))


def measured(songs: Iterable[tuple[Score, Iterable[str]]]) -> dict[str, dict[str, float]]:
    """What is usual for each label, from songs (with notes) and their labels; of drums alone nothing is."""
    found: dict[str, tuple[list[float], list[float], list[int]]] = {}
    for song, labels in songs:
        for label in labels if (~song.of_drums).any() else ():
            again, shares, together = found.setdefault(label, ([], [], []))
            again.append(repeats(song))
            shares += plays(song)
            together.append(voices(song))
    return {
        label: {
            "repeats": round(float(np.quantile(again, MOST)), 4),
            "plays": round(float(np.quantile(shares, 1 - MOST)), 4),
            "voices": int(np.quantile(together, NEARLY_ALL, method="inverted_cdf")),
        }
        for label, (again, shares, together) in sorted(found.items())
    }


def usual(info: Mapping[str, Any], plan: Plan) -> Usual:
    """What is usual for a plan by model.json: of a blend, what its labels all bear."""
    said = info.get("usual", {})
    labels = [Usual(**said.get(label, {})) for label, _ in plan.genres] or [Usual()]
    repeated, plays, voices = zip(*labels, strict=True)
    return Usual(max(repeated), min(plays), max(voices))
