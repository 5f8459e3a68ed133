"""Compose the openings of held-out songs with several models, and compare them with the songs themselves.

    held-out songs > openings of up to BARS bars, each with its plan > songs that a model composes with these
    plans and one seed > the table of their features > the distance of their style from that of the openings

All models compose the same plans with the same seed, so they are compared in pairs: the bootstrap draws plans
(Efron 1979), and what is difficult for all of them cancels out. The distances are those of the metric *style*
(`evaluation/style.py`). A ratio of two models' distances needs no unit, so that it can be computed from fewer
songs than the style ratio.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ritornello.composing.generate import generate_songs
from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.composing.request import request_for
from ritornello.errors import PlanError, ScoreError
from ritornello.evaluation.analysed_song import AnalysedSong, Floats
from ritornello.evaluation.detector import FEWEST, detector
from ritornello.evaluation.features import FEATURES, SongTable, number_names, song_table
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.style import quantile_interval, style, wasserstein
from ritornello.models.model import Model
from ritornello.models.plan_vector import infer_plan
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.system.progress import Progress

BARS = 16  # of an opening: the length that `compose` has by default
MIN_NOTES, MAX_NOTES = 16, 1500  # of an opening; more would take too long to compose
SONGS = 40  # that each model composes at least; fewer than SONGS plans are used several times
MAX_TAKES = 4  # songs of one plan
ROUNDS = 1000  # of the bootstrap
SMALLEST = 1e-9  # a distance, so that its logarithm is finite
DIALS = {"creativity": DEFAULT_CREATIVITY, "spread": 1.0}


class Opening(NamedTuple):
    """The first bars of a held-out song, and their plan, by which models compose."""

    song: LabelledScore
    plan: Plan


class StyleDifference(NamedTuple):
    """The distance of a model's songs from human ones divided by that of another's: below 1 is closer.

    `interval` is its 95% interval over plans.
    """

    ratio: float
    interval: tuple[float, float]


def openings(songs: Iterable[LabelledScore], representation: Any) -> list[Opening]:
    """Return the openings of those songs that the representation can encode and that are long enough."""
    found = []
    for song in songs:
        try:
            score = representation.canonical(_first_bars(song.score))[0]
            timeline = representation.timeline(score)
            plan = infer_plan(score, song.labels)
            returns = tuple(zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True))
            plan = replace(plan, returns=returns, chords=(), title="")
            plan.timeline(GRID)
        except (ScoreError, PlanError):
            continue
        if plan.bars and MIN_NOTES <= len(score) <= MAX_NOTES:
            found.append(Opening(song._replace(score=score), plan))
    return found


def _first_bars(score: Score) -> Score:
    """The notes that begin in the first BARS bars of a song."""
    timeline = Timeline.of(score)
    if len(timeline) <= BARS:
        return score
    return score.select(score.onset_ticks < timeline.start_ticks[BARS])


def human_table(songs: Sequence[Opening]) -> SongTable:
    """Return the features of the openings."""
    return song_table([AnalysedSong(opening.song.score) for opening in songs])


def composed_table(
    model: Model, songs: Sequence[Opening], seed: int, progress: Progress | None = None
) -> SongTable:
    """Return the features of songs that a model composes with the plans of openings, a row for each plan.

    Each plan is composed `takes` times; its row has the mean histograms of these songs, and the numbers of
    the first.
    """
    takes = min(MAX_TAKES, -(-SONGS // len(songs)))
    requests = [
        request_for(songs[number % len(songs)].plan, seed, number, parts_are_optional=True)
        for number in range(takes * len(songs))
    ]
    composed = [song.score for song in generate_songs(model, requests, DIALS, progress=progress)]
    tables = [_table(composed[take * len(songs) :][: len(songs)]) for take in range(takes)]
    histograms = {
        feature.name: _mean_without_nan(np.stack([table.histograms[feature.name] for table in tables]))
        for feature in FEATURES
    }
    return SongTable(histograms, tables[0].numbers)


def _table(songs: Sequence[Score]) -> SongTable:
    """The features of songs; a silent song has the lowest value of each feature, as it is worth nothing."""
    rows = [song_table([AnalysedSong(song)]) if len(song) else _silent_row() for song in songs]
    return joined(rows)


def _silent_row() -> SongTable:
    """The table of a song without notes."""
    histograms = {feature.name: np.eye(1, len(feature.bins)) for feature in FEATURES}
    return SongTable(histograms, np.zeros((1, len(number_names()))))


def joined(tables: Sequence[SongTable]) -> SongTable:
    """Return the table of the songs of several tables."""
    names = [feature.name for feature in FEATURES]
    histograms = {name: np.concatenate([table.histograms[name] for table in tables]) for name in names}
    return SongTable(histograms, np.concatenate([table.numbers for table in tables]))


def _mean_without_nan(values: Floats) -> Floats:
    """The mean over the first axis of (T, S, B), without rows of NaN; NaN where there is nothing else."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count, total / np.maximum(count, 1), np.nan))


def style_difference(human: SongTable, ours: SongTable, theirs: SongTable) -> StyleDifference:
    """Return how far `ours` is from `human` relative to `theirs`; row i of each table is of plan i.

    It is the geometric mean over the features of the ratios of their Wasserstein distances.
    """
    count = len(human)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=ROUNDS)
    weights = np.concatenate([np.ones((1, count)), draws])  # (1 + ROUNDS, S)
    logs = []
    for feature in FEATURES:
        means = [_weighted_mean(table.histograms[feature.name], weights) for table in (human, ours, theirs)]
        to_ours, to_theirs = (wasserstein(mean, means[0], feature.step) for mean in means[1:])
        logs.append(np.log(np.maximum(to_ours, SMALLEST)) - np.log(np.maximum(to_theirs, SMALLEST)))
    ratios = np.exp(np.mean(logs, axis=0))  # (1 + ROUNDS,)
    low, high = quantile_interval(ratios[1:]).tolist()
    return StyleDifference(float(ratios[0]), (low, high))


def _weighted_mean(histograms: Floats, weights: Floats) -> Floats:
    """The mean histograms (R, B) of songs (S, B) with weights (R, S); songs without values do not count."""
    used = weights * np.isfinite(histograms[:, 0])
    total = used @ np.nan_to_num(histograms)
    return np.asarray(total / np.maximum(used.sum(axis=1), SMALLEST)[:, None])


def judge_figures(human: SongTable, composed: SongTable) -> dict[str, float | None]:
    """Return the style ratio and the detector's AUC, as `judge` defines them; None with too few songs."""
    found = {"style": style(human, composed, {}).get("ratio"), "auc": None}
    if min(len(human), len(composed)) >= FEWEST:
        found["auc"] = detector(human, composed, {})["auc"]
    return found
