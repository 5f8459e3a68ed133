"""Style, detector and variety of songs whose figures are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from ritornello.evaluation import detector as detecting
from ritornello.evaluation import style as styling
from ritornello.evaluation.detector import auc, detector
from ritornello.evaluation.features import FEATURES, Feature, SongTable, number_names
from ritornello.evaluation.style import compare_feature, draw_halves, ranks_in_order, style, wasserstein
from ritornello.evaluation.variety import ONE_SONG, variety

NAMES = ("codec", "bars shuffled", "n-gram", "marginals", "copies")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detecting, "TREES", 20)
    monkeypatch.setattr(styling, "ROUNDS", 100)


def songs(count: int, seed: int, shift: float = 0.0, spread: float = 1.0) -> SongTable:
    """Songs whose every feature is a bell somewhere on its grid, `shift` from the middle on average."""
    draw = np.random.default_rng(seed)
    shares = {}
    for feature in FEATURES:
        where, bins = draw.normal(shift, spread, count), np.linspace(-4, 4, len(feature.bins))
        rows = np.exp(-((bins - where[:, None]) ** 2))
        shares[feature.name] = rows / rows.sum(axis=1, keepdims=True)
    numbers = draw.normal(shift, 1, (count, len(number_names())))
    return SongTable(shares, numbers)


def ladder(**shifts: float) -> dict[str, SongTable]:
    return {name: songs(60, 7, shift) for name, shift in zip(NAMES, shifts.values(), strict=True)}


RISING = ladder(codec=0.0, shuffled=1.0, ngram=2.0, marginals=3.0, copies=0.0)
FLAT = ladder(codec=0.0, shuffled=0.0, ngram=0.0, marginals=0.0, copies=0.0)


def test_the_distance_is_scipys() -> None:
    draw = np.random.default_rng(0)
    one, other = draw.dirichlet(np.ones(9), 2)
    bins = np.arange(9) * 0.25
    assert wasserstein(one, other, 0.25) == pytest.approx(wasserstein_distance(bins, bins, one, other))


def test_halves_share_no_song_and_all_have_equal_size() -> None:
    chosen = draw_halves(21, 8, np.random.default_rng(0))
    assert chosen.half.shape == chosen.other_half.shape == chosen.composed.shape == (100, 8)
    for half, other in zip(chosen.half.tolist(), chosen.other_half.tolist(), strict=True):
        assert len({*half, *other}) == 16
    assert draw_halves(21, 50, np.random.default_rng(0)).composed.shape == (100, 10)


def test_human_songs_have_ratio_one() -> None:
    found = style(songs(60, 1), songs(60, 2), RISING)
    assert found["ratio"] == pytest.approx(1, abs=0.5)
    assert found["discriminates"]
    assert found["ladder"]["codec"] < found["ladder"]["bars shuffled"] < found["ladder"]["marginals"]
    for feature in found["features"]:
        assert feature["interval"][0] < feature["ratio"] < feature["interval"][1]
        assert {"n-gram", "marginals"} <= set(feature["tells_apart"]) <= {*NAMES[1:4]}
        assert feature["discriminates"]


def test_other_songs_have_a_higher_ratio() -> None:
    found = style(songs(60, 1), songs(60, 2, shift=1.5), RISING)
    assert found["ratio"] > 3
    assert found["within_1.5"] == 0


def test_equal_controls_do_not_discriminate() -> None:
    found = style(songs(60, 1), songs(60, 2), FLAT)
    assert not any(feature["discriminates"] for feature in found["features"])
    assert not detector(songs(60, 1), songs(60, 2), FLAT)["discriminates"]


def test_a_feature_that_the_codec_changes_most_does_not_discriminate() -> None:
    """Of such a feature nobody knows whether a high ratio comes from the song or from encoding it."""
    made = ladder(codec=3.0, shuffled=0.0, ngram=1.0, marginals=2.0, copies=0.0)
    found = style(songs(60, 1), songs(60, 2), made)
    assert not found["discriminates"]
    assert not any(feature["discriminates"] for feature in found["features"])


def test_human_songs_that_do_not_differ_give_no_ratio() -> None:
    flat = np.tile([0.0, 1.0, 0.0], (40, 1))
    feature = Feature("x", "y", 0, 2, 1, lambda song: np.zeros(0))
    human, other = (
        SongTable({"x": flat}, np.zeros((40, 1))),
        SongTable({"x": flat[:, ::-1]}, np.zeros((40, 1))),
    )
    found = compare_feature(feature, human, other, {}, 0)
    assert (found["ratio"], found["distance"]) == (None, 0.0)
    moved = SongTable({"x": np.roll(flat, 1, axis=1)}, np.zeros((40, 1)))
    assert compare_feature(feature, human, moved, {}, 0)["distance"] == pytest.approx(1.0)


def test_songs_without_values_are_left_out() -> None:
    human, ours = songs(60, 1), songs(60, 2)
    human.histograms["range"][:50] = np.nan
    ours.histograms["intervals"][:45] = np.nan
    found = style(human, ours, {})
    assert found["without_values"] == ["range"]
    (one,) = (feature for feature in found["features"] if feature["name"] == "intervals")
    assert one["songs_a_side"] == 15


@pytest.mark.parametrize("metric", [style, detector, variety])
def test_too_few_songs_give_the_least_number(metric: Any) -> None:
    found = metric(songs(9, 1), songs(60, 2), {})
    assert list(found) == ["too_few"]
    assert ("20 human" if metric is not variety else "10 human") in found["too_few"]


def test_ranks_in_order() -> None:
    assert ranks_in_order([1.0, 1.0, 2.0])
    assert not ranks_in_order([1.0, 3.0, 2.0])
    assert ranks_in_order([0.5, 0.99, 0.97], tolerance=0.05)
    assert not ranks_in_order([1.0, 1.0, 1.0])
    assert not ranks_in_order([1.0, None, 2.0])


def test_the_detector_finds_what_differs_and_nothing_else() -> None:
    same = detector(songs(60, 1), songs(60, 2), RISING)
    assert 0.3 < same["auc"] < 0.7
    assert same["interval"][0] < same["auc"] < same["interval"][1]
    assert same["discriminates"]
    apart = detector(songs(60, 1), songs(60, 2, shift=4), RISING)
    assert apart["auc"] > 0.95
    first = apart["gives_away"][0]
    assert first["auc"] > 0.9
    assert first["composed"] > first["human"]


def test_the_auc_by_hand() -> None:
    """Of 2 x 2 pairs: 3 > 2, 3 > 1, 1 < 2, 1 = 1: 2.5 of 4."""
    found = detecting._auc_of_scores(np.array([3.0, 1.0]), np.array([2.0, 1.0]), 0)
    assert found["auc"] == pytest.approx(2.5 / 4)


def test_a_missing_number_reveals_songs_too() -> None:
    draw = np.random.default_rng(0)
    ours, theirs = draw.normal(size=(2, 40, 3))
    ours[:, 1] = np.nan
    assert auc(ours, theirs, 0)["auc"] > 0.95


def test_a_copy_and_its_song_are_in_one_fold() -> None:
    """Equal rows: if one were trained on and the other tested, the forest would be wrong, not undecided."""
    rows = np.random.default_rng(0).normal(size=(60, 5))
    assert auc(rows, rows, 0, paired=True)["auc"] == pytest.approx(0.5)


def test_variety() -> None:
    human = songs(60, 1)
    one = songs(60, 2).select(np.zeros(60, np.int64))
    found = variety(human, songs(60, 3), {ONE_SONG: one})
    assert found["interval"][0] < 1 < found["interval"][1]
    assert found["controls"][ONE_SONG]["ratio"] == pytest.approx(0)
    assert found["discriminates"]
    assert variety(human, songs(60, 2, spread=0.3), {})["interval"][1] < 0.6
    assert variety(human, songs(60, 2, spread=0.3), {})["discriminates"] is None


def test_the_same_seed_gives_the_same_figures() -> None:
    for metric in (style, detector, variety):
        run = [metric(songs(60, 1), songs(40, 2), {}, seed) for seed in (3, 3, 4)]  # type: ignore[operator]
        assert run[0] == run[1]
        assert run[0] != run[2]
