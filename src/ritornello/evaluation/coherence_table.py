"""The table of coherence: the measures of composed and of human songs, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong, Floats
from ritornello.evaluation.coherence import (
    DRUMS,
    MEASURES,
    NOTHING,
    Amount,
    Measure,
    PartNumbers,
    Seam,
    bar_start,
    part_numbers,
    seam,
    sounds_after_end,
)
from ritornello.evaluation.part_bars import PART_MEASURES
from ritornello.evaluation.style import quantile_interval
from ritornello.evaluation.summary import FEWEST_SONGS, ROUNDS, SEED, bootstrap_interval
from ritornello.music.score import Score

USUAL = (0.05, 0.95)  # a part is usual if it lies between these quantiles of human parts
FEWEST_PARTS = 20  # with fewer human parts of a kind, the quantiles of all pitched parts are used
Range: TypeAlias = "tuple[float, float]"


def coherence(
    composed: Sequence[Score],
    human: Sequence[Score],
    *,
    bars: int | None = None,
    requested_bars: int | None = None,
    seam_bar: int | None = None,
) -> dict[str, Any]:
    """Return the figures of both sets by the name of the measure, as JSON can hold them.

    Measures that depend on the length use the first `bars` bars. `requested_bars` is the length that the
    composed songs should have; without it, a song ends with the bar of its last onset. With `seam_bar`, the
    bars before and after the beginning of this bar (from 0) are compared as well.
    """
    sides = {
        name: [AnalysedSong(score, keep_silence=True) for score in scores]
        for name, scores in (("composed", composed), ("human", human))
    }
    openings = {name: [first_bars(song, bars) for song in songs] for name, songs in sides.items()}
    usual = [UsualParts(openings["human"], column) for column in ("density", "variety")]
    measures = [*MEASURES, *PART_MEASURES]
    measures += [Measure(each.name, each.count, is_of_opening=True) for each in usual]
    if seam_bar is not None:
        measures += seam_measures(seam_bar)
    table: dict[str, Any] = {}
    for measure in measures:
        figures = {}
        for name, songs in (openings if measure.is_of_opening else sides).items():
            count = measure.amount
            if count is sounds_after_end and name == "composed":
                count = partial(sounds_after_end, bars=requested_bars)
            figures[name] = figure([count(song) for song in songs], measure.is_median)
        if any(each["songs"] for each in figures.values()):
            table[measure.name] = {**figures, "is_share": measure.is_share}
    return table


def figure(amounts: Sequence[Amount], is_median: bool = False) -> dict[str, Any]:
    """Return the figure of some songs with its interval, and the number of songs to which it applies.

    The figure is the sum of the amounts divided by the sum of their `of`, or the median of the songs. The
    interval comes from the bootstrap over songs (Efron 1979); it is None for fewer than FEWEST_SONGS.
    """
    amount, of = np.array([each for each in amounts if each.of], np.float64).reshape(-1, 2).T
    ends = None
    if len(of) >= FEWEST_SONGS:
        ends = _median_interval(amount / of) if is_median else list(bootstrap_interval(amount, of))
    value = float(np.median(amount / of) if is_median else amount.sum() / of.sum()) if len(of) else None
    return {"value": value, "interval": ends, "songs": len(of)}


def _median_interval(values: Floats) -> list[float]:
    """Return the interval of the median of values (S,), by the bootstrap."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(ROUNDS, len(values)))
    return [float(end) for end in quantile_interval(np.median(values[draws], axis=1))]


def first_bars(song: AnalysedSong, bars: int | None) -> AnalysedSong:
    """Return the notes of the first `bars` bars and of a pickup before them."""
    if bars is None or bar_start(song.timeline, bars) >= song.timeline.end_ticks:
        return song
    is_early = song.score.onset_ticks < bar_start(song.timeline, bars)
    return AnalysedSong(song.score.select(is_early), keep_silence=True) if is_early.any() else song


class UsualParts:
    """Counts the parts whose density, or variety of pitch, lies between the USUAL quantiles of human parts.

    A part is compared with human parts of its kind, a family of instruments or the drums; if there are fewer
    than FEWEST_PARTS human parts of a pitched kind, with all pitched human parts.
    """

    def __init__(self, human: Sequence[AnalysedSong], column: str) -> None:
        self.name = f"parts of usual {'density' if column == 'density' else 'variety of pitch'}"
        self.column = column
        parts = [part for song in human for part in part_numbers(song)]
        self.ranges: dict[int, Range | None] = {DRUMS: None}
        self.pitched_range = self._range([part for part in parts if part.kind != DRUMS])
        for kind in range(DRUMS + 1):
            if usual_range := self._range([part for part in parts if part.kind == kind]):
                self.ranges[kind] = usual_range

    def _range(self, parts: Sequence[PartNumbers]) -> Range | None:
        if len(parts) < FEWEST_PARTS:
            return None
        low, high = np.quantile([getattr(part, self.column) for part in parts], USUAL)
        return float(low), float(high)

    def count(self, song: AnalysedSong) -> Amount:
        """Return how many parts of a song are usual, of all parts that can be compared."""
        is_usual = []
        for part in part_numbers(song):
            if ends := self.ranges.get(part.kind, self.pitched_range):
                is_usual.append(ends[0] <= getattr(part, self.column) <= ends[1])
        return Amount(float(sum(is_usual)), len(is_usual)) if is_usual else NOTHING


def seam_measures(bar: int) -> list[Measure]:
    """Return the measures of the seam before a bar (from 0)."""

    def of_seam(name: str) -> Callable[[AnalysedSong], Amount]:
        return lambda song: Amount(*getattr(seam(song, bar), name))

    names = {
        "parts": "seam: parts that play on both sides",
        "register": "seam: semitones between registers",
        "density": "seam: notes of the sparser side",
        "key": "seam: same key heard",
    }
    assert set(names) == set(Seam._fields)
    return [Measure(text, of_seam(name), is_share=name != "register") for name, text in names.items()]
