"""The choice of the model that `learn` keeps, without training."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.features import SongTable, song_table
from ritornello.evaluation.summary import SongNats
from ritornello.learning.cross_validation import FOLDS, CandidateMeasurement, SelectionPlan, fold_splits
from ritornello.learning.model_selection import (
    START,
    Candidate,
    Comparison,
    best_candidate,
    is_eligible,
    reason,
)
from ritornello.learning.resource_estimate import TimeBudget
from ritornello.learning.song_comparison import style_difference
from tests.folders import wandering


def figures(
    share: float, better_by: float, ratio: float, high: float = 1.04, temperature: float = 1.0
) -> dict[str, Any]:
    found: dict[str, Any] = Candidate(share, temperature)._asdict()
    found |= {"nats_per_note": 3 - better_by, "better_by": better_by}
    found |= {"interval": (better_by - 0.5, better_by + 0.5), "style_ratio": ratio}
    found["style_interval"] = [0.5, high]
    return found | {"eligible": is_eligible(found)}


FULL = Candidate(1.0)
OF_START: dict[str, Any] = {**START._asdict(), "nats_per_note": 3.0}
CASES: dict[str, tuple[list[dict[str, Any]], float]] = {
    "better in both": ([figures(1, 0.6, 0.8)], 1),
    "further in style": ([figures(1, 2.0, 1.01)], 0),
    "as close in style": ([figures(1, 2.0, 1.0)], 0),
    "style may be further": ([figures(1, 2.0, 0.9, high=1.2)], 0),
    "style may be a little further": ([figures(0.5, 0.8, 0.98, high=1.08)], 0),
    "worse in nats": ([figures(1, -0.1, 0.5)], 0),
    "nats may be worse": ([figures(1, 0.4, 0.5)], 0),
    "best by both ranks": ([figures(0.25, 0.6, 0.9), figures(0.5, 0.9, 0.8), figures(1, 0.8, 0.85)], 0.5),
    "equal ranks": ([figures(0.5, 0.6, 0.8), figures(1, 0.8, 0.9)], 0.5),
    "only one eligible": ([figures(0.5, 0.6, 0.9), figures(1, 0.8, 1.1)], 0.5),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule(case: str) -> None:
    candidates, share = CASES[case]
    kept = best_candidate([OF_START, *candidates])
    assert kept["share"] == share


def test_trained_sketches_need_only_compose_better() -> None:
    """The notes are those of the start model, so the nats are equal."""
    sketches = figures(0, 0.0, 0.9)
    assert best_candidate([OF_START, sketches]) is sketches
    assert best_candidate([OF_START, figures(0, 0.0, 0.9, high=1.2)]) is OF_START


def test_the_reason_is_a_sentence() -> None:
    trained, judged = figures(1, 2.0, 1.25, high=1.5), "on 30 songs that it did not learn from"
    nats = "needs 2.00 nats per note less (95% interval 1.50 to 2.50)"
    assert reason([OF_START, trained], OF_START, "the bundled model", 30) == (
        f"the bundled model is kept: {judged}, the trained model {nats}, and composes 25% further in style "
        "(95% interval -50% to 50%) than the bundled model"
    )
    half = figures(0.5, 2.0, 0.8, temperature=0.8)
    assert reason([OF_START, half], half, "the bundled model", 30) == (
        "the model halfway from the bundled model to the trained one, at 0.8 of the temperature, is kept: "
        f"{judged}, it {nats}, and composes 20% closer in style (95% interval -4% to 50%) than the bundled "
        "model"
    )
    sketches = figures(0, 0.0, 0.8)
    assert reason([OF_START, sketches], sketches, "the bundled model", 30) == (
        f"the bundled model with the trained sketches is kept: {judged}, it composes 20% closer in style "
        "(95% interval -4% to 50%) than the bundled model"
    )
    assert reason([OF_START], OF_START, "the bundled model", 30).startswith(
        "the bundled model is kept: there"
    )


def test_each_song_is_judged_in_one_fold_and_trained_on_in_no_such() -> None:
    hashes = [f"{number * 7919 % 1000:04}" for number in range(50)]
    folds = [fold_splits(hashes, fold) for fold in range(FOLDS)]
    for song in zip(*folds, strict=True):
        assert song.count("test") == 1
    assert all(set(fold) == {"train", "valid", "test"} for fold in folds)
    assert fold_splits(hashes[::-1], 0) == folds[0][::-1]
    assert "valid" not in fold_splits(hashes[:6], 0)  # all of so few are trained on


def table(seeds: range, pitch: int | None = None) -> SongTable:
    """The table of songs of 40 notes, or of as many repetitions of one pitch."""
    songs = [wandering(seed, 40) for seed in seeds]
    if pitch is not None:
        songs = [replace(song, pitch=np.full(len(song), pitch, np.uint8)) for song in songs]
    return song_table([AnalysedSong(song) for song in songs])


def test_the_difference_in_style_is_paired() -> None:
    human, like, unlike = table(range(20)), table(range(20, 40)), table(range(20, 40), pitch=60)
    found = style_difference(human, like, unlike)
    assert found.interval[0] <= found.ratio <= found.interval[1] < 1
    assert style_difference(human, unlike, like).ratio == pytest.approx(1 / found.ratio)
    same = style_difference(human, like, like)
    assert (same.ratio, same.interval) == (1, (1, 1))


def test_candidates_are_compared_with_what_the_extra_train_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scikit-learn comes with the extra `judge`; with 20 songs or more `learn` once ended without it."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    nats = [SongNats(str(song), 50, 50, {"pitch": 100.0 + song}, 0.0, None) for song in range(24)]
    tables = {candidate: [table(range(start, start + 24))] for candidate, start in ((START, 30), (FULL, 60))}
    found = Comparison({0.0: nats, 1.0: nats}, tables, [table(range(24))]).figures()
    assert [each["share"] for each in found] == [0.0, 1.0]
    assert all(each["style"] > 0 for each in found) and found[1]["style_ratio"] > 0


def test_a_distance_of_nothing_counts_as_that_of_human_halves() -> None:
    """Without that limit the logarithm of a distance near 0 would decide: this ratio would be below 1e-6."""
    human, others = table(range(40)), table(range(40, 80))
    assert 0.5 < style_difference(human, human, others).ratio <= 1


@pytest.mark.parametrize(
    ("total_s", "fold", "expected"),
    [
        (None, 0, {"steps": 50}),
        (400.0, 0, {"minutes": (400 / 3 - 20) / 60}),  # an equal share, less 20 s beside training
        (400.0, 2, {"minutes": 380 / 60}),
        (60.0, 0, {"minutes": 1 / 60}),  # the first fold is trained in any case
        (100.0, 1, {"minutes": 80 / 60}),  # two folds would have 30 s each, one has 80 s of 100 s
        (70.0, 1, None),  # even one would have less than MIN_FOLD_SHARE of the 100 s
    ],
)
def test_folds_share_the_time_that_is_left(
    total_s: float | None, fold: int, expected: dict[str, float] | None
) -> None:
    budget, plan = TimeBudget(total_s, clock=lambda: 0.0), SelectionPlan(3, {"minutes": 2.0})
    trained: Any = SimpleNamespace(info={"training": {"steps": 50, "seconds": 100.0}})
    nothing: Any = None
    measurement = CandidateMeasurement(nothing, plan, nothing, budget, nothing)
    found = measurement._duration_of_fold(trained, fold, other_s=20.0)
    assert found == (None if expected is None else pytest.approx(expected))
