"""The report of small sets of songs, as text and as a page, and the search in the training songs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from ritornello.evaluation import compare as comparison
from ritornello.evaluation import detector, style
from ritornello.evaluation.compare import SongSet, compare
from ritornello.evaluation.copying import copying
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.pages import comparison_page, place_among
from ritornello.evaluation.report import report_text
from ritornello.models.fingerprints import SongFingerprint
from tests.folders import wandering


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "TREES", 10)
    monkeypatch.setattr(style, "ROUNDS", 50)


def group(name: str, seeds: range, notes: int = 48) -> SongSet:
    """Songs of two labels by turns; one file could not be read."""
    songs = [
        LabelledScore(f"{seed}.mid", wandering(seed, notes), (("folk", "game")[seed % 2],)) for seed in seeds
    ]
    return SongSet(name, f"hash of {name}", len(songs) + 5, songs, {"<b>.mid": "not MIDI"})


class MelodyList(list[SongFingerprint]):
    """Training songs as a list."""

    where, hash = "corpus", "hash of corpus"


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "TREES", 10)
        patch.setattr(style, "ROUNDS", 50)
        patch.setattr(comparison, "FEWEST_OF_LABEL", 12)
        learnt = MelodyList([SongFingerprint.of(wandering(seed), f"{seed}") for seed in range(200, 230)])
        steps: list[tuple[int, int, str]] = []
        found = compare(
            group("<i>ours", range(24)),
            group("theirs", range(100, 124)),
            learnt,
            progress=lambda *step: steps.append(step),
        )
        assert [done for done, _, _ in steps] == list(range(1, len(steps) + 1))
        assert steps[-1][0] == steps[-1][1]
        return found


def test_songs_of_one_source_are_human(whole: dict[str, Any]) -> None:
    assert whole["style"]["ratio"] == pytest.approx(1, abs=0.5)
    assert 0.2 < whole["detector"]["auc"] < 0.8
    assert whole["variety"]["ratio"] == pytest.approx(1, abs=0.3)
    assert whole["human"] | {"skipped": 0} == {
        "where": "theirs",
        "hash": "hash of theirs",
        "found": 29,
        "used": 24,
        "notes": sum(len(wandering(seed)) for seed in range(100, 124)),
        "median_bars": whole["human"]["median_bars"],
        "skipped": 0,
    }
    assert whole["evaluator"] == comparison.EVALUATOR


def test_the_controls_are_in_every_metric(whole: dict[str, Any]) -> None:
    assert whole["style"]["ladder"]["marginals"] > 1.5 * whole["style"]["ladder"]["codec"]
    assert set(whole["detector"]["controls"]) == {"human", *comparison.CONTROLS}
    assert set(whole["variety"]["controls"]) == {comparison.ONE_SONG, *comparison.CONTROLS}
    assert whole["originality"]["controls"]["copies"]["median"] >= 40
    assert whole["originality"]["discriminates"]
    assert whole["originality"]["hash"] == "hash of corpus"


def test_labels_have_figures_and_a_warning_for_few_songs(whole: dict[str, Any]) -> None:
    assert set(whole["labels"]) == {"folk", "game"}
    folk = whole["labels"]["folk"]
    assert folk["coherence"]["parts with fewer than 6 notes"]["human"]["songs"] == 12
    assert (folk["human"], folk["few"]) == (12, False)
    assert "too_few" in folk["style"]  # 12 are too few for style
    assert folk["variety"]["interval"][0] < folk["variety"]["ratio"] < folk["variety"]["interval"][1]
    few = compare(group("a", range(48)), group("b", range(50, 98)))
    game = few["labels"]["game"]
    assert game["few"]
    assert game["style"]["interval"][0] < game["style"]["ratio"] < game["style"]["interval"][1]
    warning = "few human songs of folk, game (fewer than 40): their figures are uncertain"
    assert warning in few["remarks"]
    text = report_text(few)
    assert re.search(r"^game +24 +24 +\d\.\d\d \(\d\.\d\d-\d\.\d\d\) .* few songs$", text, re.M)


def test_a_report_is_json_text_and_a_page(whole: dict[str, Any]) -> None:
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    text = report_text(whole)
    assert "<i>ours (24 songs of 29) against theirs (24 songs of 29)" in text
    assert re.search(r"^style ratio +\d", text, re.M)
    assert "1 of theirs could not be judged" in text
    html = comparison_page(whole)
    assert "<i>ours" not in html
    assert "&lt;i&gt;ours" in html
    assert "<b>.mid" not in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("<svg") > 20
    assert "nan" not in html.lower().replace("nance", "")


def test_a_report_of_few_songs_has_the_reasons() -> None:
    found = compare(group("a", range(2)), group("b", range(10, 14)))
    for metric in ("style", "detector", "variety"):
        assert found[metric]["too_few"] in found["remarks"]
    assert "style needs 20 human and 10 composed songs" in comparison_page(found)
    assert report_text(found)


def test_warnings() -> None:
    one = group("a", range(24))
    found = compare(one, one._replace(songs=[s._replace(score=wandering(3, 200)) for s in one.songs]))
    assert "both sets are the same files: the figures mean nothing" in found["remarks"]
    assert any(warning.startswith("1 composed songs could not be judged") for warning in found["remarks"])
    assert any("pitches depend on the length" in warning for warning in found["remarks"])
    assert "variety needs human songs that differ from each other" in found["remarks"]
    assert found["originality"] is None


def test_copies_are_found_and_human_training_songs_left_out() -> None:
    old = [wandering(seed) for seed in range(40)]
    learnt = [SongFingerprint.of(song, f"{number}.mid") for number, song in enumerate(old)]
    new = [wandering(seed) for seed in range(100, 120)]
    copied = copying(new, [LabelledScore(f"copy {n}", old[n]) for n in range(20)], {}, learnt)
    assert copied["median"] >= 40
    assert copied["beyond"] == 1.0
    assert copied["in_training"] == []
    assert {(each["of"], each["name"]) for each in copied["passages"]} == {
        (f"copy {n}", f"Wandering {n} ({n}.mid)") for n in range(20)
    }
    runs = [each["notes"] for each in copied["passages"]]
    assert runs == sorted(runs, reverse=True)
    own = copying(
        [*new, *old[:5]], [LabelledScore("", wandering(seed)) for seed in range(60, 80)], {}, learnt
    )
    assert own["beyond"] < 0.5
    assert own["interval"][0] <= own["median"] <= own["interval"][1]
    assert own["in_training"] == [20, 21, 22, 23, 24]
    assert own["discriminates"]
    assert len(own["human"]["runs"]) == 20
    few = copying(new[:3], [LabelledScore("a", old[7])], {}, learnt)
    assert few["passages"][0]["name"] == "Wandering 7 (7.mid)"
    needs = "originality needs 10 human and 10 composed songs with a melody (drums are not compared)"
    assert few["too_few"] == needs
    beats = [replace(song, parts=[part._replace(is_drum=True) for part in song.parts]) for song in new]
    assert copying(new, [LabelledScore("", song) for song in beats], {}, learnt)["too_few"] == needs


def test_place_among() -> None:
    ladder = {"codec": 1.0, "n-gram": 5.0}
    assert place_among(0.9, ladder) == "below codec (1.00)"
    assert place_among(2.0, ladder) == "between codec (1.00) and n-gram (5.00)"
    assert place_among(9.0, ladder) == "beyond n-gram (5.00)"
