"""Statistics of human songs by label, within which sampling rules keep composed songs.

They are stored in model.json: {"usual": {label: {NAME: number}}} with the names of `StyleStats`.
Rules that use a statistic do nothing for labels without it. `training/label_style.py` measures them.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

from ritornello.music.plan import Plan

NO_LABEL = ""  # the key of the statistics for plans without a label


class StyleStats(NamedTuple):
    """The statistics of a label. The names are those in model.json; the defaults limit nothing."""

    repeats: float = 1.0
    """The share of notes that repeat the previous pitch of their part; 90% of songs have no more."""
    plays: float = 0.0
    """The share of the first bars in which a part plays; 90% of parts play in no fewer."""
    voices: float = inf
    """The most notes that a part strikes at one onset; 99% of songs have no more."""
    notes: float = inf
    """The most notes of a part in a bar; 99% of the bars in which parts play have no more."""
    overlaps: float = 1.0
    """The share of a part's onsets at which its earlier notes still sound; 90% of songs have no more."""
    gaps: float = 1.0
    """The share of a part's onsets just before which it is silent; 90% of songs have no more."""
    top_repeats: float = 1.0
    """The share of a part's onsets that keep the highest pitch of the last one; half of songs have less."""
    leaps: float = 1.0
    """The mean share of a part's onsets whose highest pitch is more than a fifth from the last one."""
    rhythms: float = 0.0
    """The mean share of bars that have the onsets of an earlier bar. Drums and first bars do not count."""
    parallels: float = inf
    """The mean number of parallel fifths and octaves per beat."""
    clashes: float = inf
    """The median number of pairs of notes per beat that sound together and are a second apart."""
    grooves: float = 0.0
    """The mean share of bars that have the kicks and snares of an earlier bar. First bars do not count."""
    loops: float = 0.0
    """The mean share of bars that have all drum notes of an earlier bar. First bars do not count."""
    backbeats: float = 0.0
    """The mean share of bars of 4/4 that have a snare on 2 and on 4, of those with a kick or snare."""


def style_of_plan(info: Mapping[str, Any], plan: Plan) -> StyleStats:
    """Return the statistics in model.json for the labels of a plan.

    For a blend of labels each limit is the least strict one. Each statistic of drums or rhythms is the
    highest one, because a label without drums has 0.
    """
    stored = info.get("usual", {})
    labels = [label for label, _ in plan.genres] or [NO_LABEL]
    statistics = [StyleStats(**stored.get(label, {})) for label in labels]
    repeats, plays, *others = zip(*statistics, strict=True)
    return StyleStats(max(repeats), min(plays), *map(max, others))
