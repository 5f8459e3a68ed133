"""Compose the openings of held-out songs with several models, and compare them with the songs themselves.

    held-out songs > openings of up to BARS bars, each with its plan > a sketch for each plan, which the model
    draws as for `compose` > songs that the model composes with these and one seed > the table of their
    features > the distance of their style from that of the openings

All models compose the same plans with the same seed, so they are compared in pairs: the bootstrap draws plans
(Efron 1979), and what is difficult for all of them cancels out. The distances are those of the metric *style*
(`evaluation/style.py`), but each is at least the mean distance between two random halves of the openings: a
smaller one is chance, and the logarithm of a distance near 0 would outweigh all other features.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ritornello.composing.draw_sketch import drawn_plan
from ritornello.composing.generate import generate_songs
from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling import song_generator
from ritornello.errors import PlanError, ScoreError
from ritornello.evaluation.analysed_song import AnalysedSong, Floats
from ritornello.evaluation.features import FEATURES, SongTable, number_names, song_table
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.style import quantile_interval, wasserstein
from ritornello.models.model import Model
from ritornello.models.plan_vector import infer_plan
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.sketching.sketcher import Sketcher
from ritornello.system.processes import available_cores, in_processes
from ritornello.system.progress import Progress

BARS = 16  # of an opening: the length that `compose` has by default
MIN_NOTES, MAX_NOTES = 16, 1500  # of an opening; more would take too long to compose
SONGS = 40  # that each model composes at least; fewer than SONGS plans are used several times
MAX_TAKES = 4  # songs of one plan
ROUNDS = 1000  # of the bootstrap
HALVINGS = 200  # of the openings
FEWEST_TO_HALVE = 4  # openings with values of a feature; with fewer the feature does not count
SONGS_PER_PROCESS = 8  # that are composed in one batch
SMALLEST = 1e-9  # songs of a weighted mean, so that it is finite
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
            if plan.bars:
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
    the first. All cores compose, in batches of SONGS_PER_PROCESS songs.
    """
    takes = min(MAX_TAKES, -(-SONGS // len(songs)))
    sketcher = Sketcher.of(model)

    def request(number: int) -> Request:
        plan = songs[number % len(songs)].plan
        if sketcher is not None:
            generator = song_generator(seed, number)
            plan = drawn_plan(replace(plan, returns=None), sketcher, generator, DEFAULT_CREATIVITY)
        return request_for(plan, seed, number, parts_are_optional=True)

    def table(numbers: Sequence[int]) -> SongTable:
        composed = generate_songs(model, [request(number) for number in numbers], DIALS)
        return _table([song.score for song in composed])

    count = takes * len(songs)
    batches = [
        range(first, min(first + SONGS_PER_PROCESS, count)) for first in range(0, count, SONGS_PER_PROCESS)
    ]
    tables: list[SongTable] = []
    for batch in in_processes(table, batches, available_cores(), table, items_at_once=1):
        tables.append(batch)
        if progress:
            progress(sum(map(len, tables)), count, "composing")
    composed = joined(tables)
    by_take = [composed.select(np.arange(len(songs)) + take * len(songs)) for take in range(takes)]
    histograms = {
        feature.name: _mean_without_nan(np.stack([each.histograms[feature.name] for each in by_take]))
        for feature in FEATURES
    }
    return SongTable(histograms, by_take[0].numbers)


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

    It is the geometric mean over the features of the ratios of their Wasserstein distances, each of which is
    at least the distance between halves of `human`.
    """
    count = len(human)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=ROUNDS)
    weights = np.concatenate([np.ones((1, count)), draws])  # (1 + ROUNDS, S)
    logs = []
    for feature in FEATURES:
        least = _distance_of_halves(human.histograms[feature.name], feature.step)
        if not least:
            continue
        means = [_weighted_mean(table.histograms[feature.name], weights) for table in (human, ours, theirs)]
        to_ours, to_theirs = (
            np.maximum(wasserstein(mean, means[0], feature.step), least) for mean in means[1:]
        )
        logs.append(np.log(to_ours) - np.log(to_theirs))
    ratios = np.exp(np.mean(logs, axis=0)) if logs else np.ones(1 + ROUNDS)  # (1 + ROUNDS,)
    low, high = quantile_interval(ratios[1:]).tolist()
    return StyleDifference(float(ratios[0]), (low, high))


def _distance_of_halves(histograms: Floats, step: float) -> float:
    """The mean distance between two random halves of songs (S, B); 0 if too few have values."""
    histograms = histograms[np.isfinite(histograms[:, 0])]
    count = len(histograms)
    if count < FEWEST_TO_HALVE:
        return 0.0
    order = np.random.default_rng(0).permuted(np.tile(np.arange(count), (HALVINGS, 1)), axis=1)
    one, other = (
        histograms[half].mean(axis=1) for half in (order[:, : count // 2], order[:, -(count // 2) :])
    )
    return float(wasserstein(one, other, step).mean())


def _weighted_mean(histograms: Floats, weights: Floats) -> Floats:
    """The mean histograms (R, B) of songs (S, B) with weights (R, S); songs without values do not count."""
    used = weights * np.isfinite(histograms[:, 0])
    total = used @ np.nan_to_num(histograms)
    return np.asarray(total / np.maximum(used.sum(axis=1), SMALLEST)[:, None])
