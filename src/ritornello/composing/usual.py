"""Usual: what people do in songs of a label, against which a rule may hold what is composed.

model.json may have it, as the model that ships does: {"usual": {label: {"repeats": share}}}. Of a label, or a
model, that says nothing nothing is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ritornello.plan import Plan
from ritornello.score import Score

MOST = 0.9  # of a label's songs do no more of it than what is called usual
ANY = 1.0


def repeats(song: Score) -> float:
    """The share of notes of pitched parts that repeat the pitch before; in chords from the lowest up."""
    order = np.lexsort((song.pitch, song.onset_ticks, song.part))
    order = order[~song.of_drums[order]]
    same = np.diff(song.part[order].astype(np.int64)) == 0
    again = np.diff(song.pitch[order].astype(np.int64))[same] == 0
    return float(again.mean()) if len(again) else 0.0


def measured(songs: Iterable[tuple[Score, Iterable[str]]]) -> dict[str, dict[str, float]]:
    """What is usual for each label, from songs and their labels; drums say nothing."""
    found: dict[str, list[float]] = {}
    for song, labels in songs:
        for label in labels if (~song.of_drums).any() else ():
            found.setdefault(label, []).append(repeats(song))
    return {label: {"repeats": round(float(np.quantile(found[label], MOST)), 4)} for label in sorted(found)}


def usual_repeats(info: Mapping[str, Any], plan: Plan) -> float:
    """How often pitches may be repeated in a song of a plan: as in that of its labels that does so most."""
    said = info.get("usual", {})
    shares = [said.get(label, {}).get("repeats", ANY) for label, _ in plan.genres]
    return max((float(share) for share in shares), default=ANY)
