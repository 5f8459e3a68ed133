"""Statistics of human songs by label, within which sampling rules keep composed songs.

They are stored in model.json: {"usual": {label: {NAME: number}}} with the names of `StyleStats`. Where songs
of a label differ, as in how often their melodies leap, a statistic has QUANTILES numbers in ascending order
instead, and each composed song draws its own. For `far_notes` and `notes_struck`, which only limit what is
far too much, they come from the upper half of the songs. Rules that use a statistic do nothing for labels
without it. `training/label_style.py` measures them.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

import numpy as np

from ritornello.models.model_folder import DRAWN_STYLE_STATS, STYLE_QUANTILES
from ritornello.music.plan import Plan

QUANTILES = (np.arange(STYLE_QUANTILES) + 0.5) / STYLE_QUANTILES
NO_LABEL = ""  # the key of the statistics for plans without a label


class StyleStats(NamedTuple):
    """The statistics of a label. The names are those in model.json; the defaults limit nothing."""

    repeats: float = 1.0
    """The share of notes that repeat the previous pitch of their part. In 90% of songs it is at most this."""
    plays: float = 0.0
    """The share of the song's first 16 bars in which a part plays. For 90% of parts it is at least this."""
    voices: float = inf
    """The most notes that a part strikes at one onset. In 99% of songs it is at most this."""
    notes: float = inf
    """The notes of a part in a bar. In 99% of the bars in which parts play they are at most this."""
    overlaps: float = 1.0
    """The share of a part's onsets at which a note of it still sounds. In 90% of songs it is at most this."""
    gaps: float = 1.0
    """The share of a part's onsets just before which it is silent. In 90% of songs it is at most this."""
    top_repeats: float = 1.0
    """The share of a part's onsets that keep the highest pitch of the last one."""
    skips: float = 1.0
    """The share of a part's onsets whose highest pitch is more than a whole tone from the last one."""
    leaps: float = 1.0
    """The share of a part's onsets whose highest pitch is more than a fifth from the last one."""
    far_notes: float = 1.0
    """The share of notes more than an octave from the mean pitch of their part in their bar."""
    notes_struck: float = inf
    """The mean number of notes that a pitched part strikes at an onset."""
    rhythms: float = 0.0
    """The share of the first 16 bars that have the onsets of an earlier one, of pitched parts.

    The first bar with notes, which has no earlier one, does not count; nor does it below."""
    patterns: float = 0.0
    """The share of the first 16 bars of pitched parts that have the onsets of an earlier one of the part."""
    parallels: float = inf
    """The mean number of parallel fifths and octaves per beat."""
    clashes: float = inf
    """The number of pairs of notes per beat that sound together and are a second apart."""
    grooves: float = 0.0
    """The mean share of the first 16 bars that have the kicks and snares of an earlier one."""
    loops: float = 0.0
    """The mean share of the first 16 bars that have all drum notes of an earlier one."""
    backbeats: float = 0.0
    """The mean share of bars of 4/4 that have a snare on 2 and on 4, of those with a kick or snare."""


def style_of_plan(info: Mapping[str, Any], plan: Plan, generator: np.random.Generator) -> StyleStats:
    """Return the statistics in model.json for the labels of a plan; those with quantiles are drawn.

    For a blend of labels each limit is the least strict one. Each statistic of drums or rhythms is the
    highest one, because a label without drums has 0.
    """
    stored = info.get("usual", {})
    labels = [label for label, _ in plan.genres] or [NO_LABEL]
    drawn = generator.random(len(DRAWN_STYLE_STATS))  # the same for all labels
    ranks = dict(zip(DRAWN_STYLE_STATS, drawn, strict=True))

    def of_song(name: str, value: Any) -> float:
        return float(np.interp(ranks[name], QUANTILES, value)) if isinstance(value, list) else value

    statistics = [
        StyleStats(**{name: of_song(name, value) for name, value in stored.get(label, {}).items()})
        for label in labels
    ]
    repeats, plays, *others = zip(*statistics, strict=True)
    return StyleStats(max(repeats), min(plays), *map(max, others))
