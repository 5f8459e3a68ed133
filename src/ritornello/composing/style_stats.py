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
    """The share of onsets of a part at which an earlier note of it sounds on; 90% of songs have no more."""
    gaps: float = 1.0
    """The share of onsets of a part before which none of its notes sounds; 90% of songs have no more."""
    top_repeats: float = 1.0
    """The share of onsets of a part with the highest pitch of the one before; 75% of songs have no more."""
    rhythms: float = 0.0
    """The share of bars, but the first, that have the onsets of an earlier one, without drums: the mean."""
    parallels: float = inf
    """Parallel fifths and octaves per beat: the mean."""
    clashes: float = inf
    """Pairs of notes a second apart that sound together, per beat: the median."""
    grooves: float = 0.0
    """The share of bars with a kick or snare, but the first, that have those of an earlier one: the mean."""
    loops: float = 0.0
    """The share of bars with drums, but the first, that have all drum notes of an earlier one: the mean."""
    backbeats: float = 0.0
    """The share of bars of 4/4 with a kick or snare that have a snare on 2 and on 4: the mean."""


def style_of_plan(info: Mapping[str, Any], plan: Plan) -> StyleStats:
    """Return the statistics in model.json for the labels of a plan.

    For a blend they are the least strict ones, and those of drums the highest: a label may have no drums.
    """
    stored = info.get("usual", {})
    labels = [label for label, _ in plan.genres] or [NO_LABEL]
    statistics = [StyleStats(**stored.get(label, {})) for label in labels]
    repeats, plays, *others = zip(*statistics, strict=True)
    return StyleStats(max(repeats), min(plays), *map(max, others))
