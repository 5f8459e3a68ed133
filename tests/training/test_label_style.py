"""The style statistics of songs: repeated pitches, bars in which a part plays, notes struck at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ritornello.composing.style_stats import NO_LABEL
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.models.registry import find
from ritornello.music.score import Part, Score
from ritornello.training.config import INIT_SHARE
from ritornello.training.label_style import (
    broken_lines,
    far_notes,
    habits_of_drums,
    measure_style,
    most_notes_struck,
    notes_of_bars,
    notes_struck,
    played_shares,
    repeated_patterns,
    repeated_rhythms,
    repeated_share,
    style_of_corpus,
)
from ritornello.training.train import train
from tests.folders import write_songs


def song(*notes: tuple[int, int, int], parts: tuple[Part, ...] = (Part(), Part("", 33))) -> Score:
    """Notes of onset, pitch and part, each a tick long."""
    onset, pitch, part = zip(*notes, strict=True)
    return Score.of(24, onset, [1] * len(notes), pitch, [64] * len(notes), part, parts)


def test_a_repeat_is_within_its_part() -> None:
    # part 0 plays 60 60 62: one of its two steps repeats; part 1 plays 62 62: its one step does
    assert repeated_share(song((0, 60, 0), (1, 62, 1), (2, 60, 0), (3, 62, 1), (4, 62, 0))) == pytest.approx(
        2 / 3
    )


def test_drums_and_single_notes_repeat_nothing() -> None:
    assert repeated_share(song((0, 40, 0), (1, 40, 0), parts=(Part("", 0, True),))) == 0
    assert repeated_share(song((0, 40, 0), (1, 40, 1))) == 0


def test_nine_songs_of_ten_do_no_more_of_it() -> None:
    steady = song(*((tick, 60 + tick % 2, 0) for tick in range(11)))
    calm, drums = song((0, 60, 0), (1, 60, 0)), song((0, 40, 0), (1, 40, 0), parts=(Part("", 0, True),))
    found = measure_style([(steady, ("a", "b"))] * 9 + [(calm, ("a",)), (drums, ("c",))])
    # of ten shares, nine 0 and one 1, the 0.9 quantile lies at place 8.1: a tenth of the way to the last
    assert found["a"]["repeats"] == 0.1
    assert found["b"]["repeats"] == 0.0
    assert set(found) == {"a", "b"}


def test_a_part_plays_in_so_many_of_the_first_bars() -> None:
    # bars of 96 ticks: part 0 strikes in the first and the last of three, part 1 in one of them, twice
    assert played_shares(song((0, 60, 0), (96, 40, 1), (97, 41, 1), (192, 60, 0))) == [2 / 3, 1 / 3]
    # what comes after the sixteenth bar does not count
    assert played_shares(song((0, 60, 0), (16 * 96, 40, 1))) == [1 / 16, 0]


def test_nine_parts_of_ten_play_in_no_fewer_bars() -> None:
    one, two = song((0, 60, 0), (95, 61, 0)), song((0, 60, 0), (96, 40, 1))
    # ten shares: eight parts in each bar, two in one of two: the quantile is at place 0.9 of 0.5, 0.5, 1 ...
    assert measure_style([(one, ("a",))] * 8 + [(two, ("a",))])["a"]["plays"] == 0.5


def test_a_part_strikes_so_many_notes_at_once() -> None:
    # two at tick 0 in part 0; part 1 joins it with one, and strikes three one after the other
    notes = (0, 60, 0), (0, 64, 0), (0, 67, 1), (1, 68, 1), (2, 69, 1)
    assert most_notes_struck(song(*notes)) == 2
    assert (
        most_notes_struck(song(*((0, pitch, 0) for pitch in range(30, 40)), parts=(Part("", 0, True),))) == 0
    )


def test_of_a_hundred_songs_one_has_a_part_with_more_voices() -> None:
    one, three = song((0, 60, 0)), song((0, 60, 0), (0, 64, 0), (0, 67, 0))
    assert measure_style([(one, ("a",))] * 99 + [(three, ("a",))])["a"]["voices"] == 1
    assert (
        measure_style([(one, ("a",))] * 49 + [(three, ("a",))])["a"]["voices"] == 3
    )  # the last of fifty is 2%


def test_of_a_hundred_bars_one_has_more_notes_of_a_part() -> None:
    # part 0 strikes two in the first bar and one in the third, part 1 one in the first
    counted = notes_of_bars(song((0, 60, 0), (1, 61, 0), (2, 40, 1), (192, 60, 0)))
    assert sorted(counted) == [1, 1, 2]
    one, two = song((0, 60, 0)), song((0, 60, 0), (1, 60, 0))
    assert measure_style([(one, ("a",))] * 99 + [(two, ("a",))])["a"]["notes"] == 1
    assert measure_style([(one, ("a",))] * 49 + [(two, ("a",))])["a"]["notes"] == 2


def test_notes_struck_at_an_onset() -> None:
    # part 0 strikes two and one, part 1 one; drums do not count
    drums = (Part(), Part("", 33), Part("", 0, True))
    assert (
        notes_struck(song((0, 60, 0), (0, 64, 0), (0, 40, 1), (1, 60, 0), (0, 36, 2), parts=drums)) == 4 / 3
    )
    assert notes_struck(song((0, 36, 0), parts=(Part("", 0, True),))) == 1


def test_notes_far_from_the_mean_pitch_of_their_part_and_bar() -> None:
    # 50 and 80 are 15 from their mean; the other part and the other bar have means of their own
    assert far_notes(song((0, 50, 0), (1, 80, 0), (2, 30, 1), (96, 90, 0))) == 0.5
    assert far_notes(song((0, 36, 0), (1, 80, 0), parts=(Part("", 0, True),))) == 0


def test_statistics_that_differ_from_song_to_song_are_quantiles() -> None:
    still, moving = song((0, 60, 0), (1, 60, 0)), song((0, 60, 0), (1, 63, 0))
    found = measure_style([(still, ("a",))] * 10 + [(moving, ("a",))] * 11)["a"]
    # the quantile 0.45 of 21 songs is at place 9, the last of the songs that stay; 0.55 is at place 11
    assert found["skips"] == [0.0] * 5 + [1.0] * 5


def test_a_label_of_few_songs_has_the_statistics_of_all(tmp_path: Path) -> None:
    folder = write_songs(tmp_path / "songs", 30, notes=24)  # fifteen each of folk and game
    prepare(folder, tmp_path / "corpus", workers=1)
    corpus, representation = Corpus.open(tmp_path / "corpus"), find("representations", "notes")()
    own = style_of_corpus(corpus, representation, fewest=1)
    shared = style_of_corpus(corpus, representation)
    assert set(own) == set(shared) == {"folk", "game", NO_LABEL}
    assert shared["folk"] == shared["game"] == shared[NO_LABEL] == own[NO_LABEL]
    assert own["folk"] != own["game"]
    assert style_of_corpus(corpus, representation, most=4) != shared


def test_a_trained_model_has_the_statistics_of_its_songs(tmp_path: Path) -> None:
    prepare(write_songs(tmp_path / "songs", 12, notes=24), tmp_path / "corpus", workers=1)
    sizes = {"width": 16, "layers": 1, "embedding": 4, "window": 64}
    common: dict[str, Any] = {"network": "lstm", "steps": 1, "batch": 2, "sketch_steps": 0}
    first = train(tmp_path / "corpus", tmp_path / "first", network_config=sizes, **common)
    measured = style_of_corpus(Corpus.open(tmp_path / "corpus"), first.representation)
    assert first.info["usual"] == measured
    other = tmp_path / "first" / "model.json"
    info = json.loads(other.read_text())
    other.write_text(json.dumps({**info, "usual": {"waltz": {"notes": 7}}}))
    second = train(tmp_path / "corpus", tmp_path / "second", init=str(tmp_path / "first"), **common)
    assert second.info["usual"] == {"waltz": {"notes": 7}, **measured}  # those of the first model stay
    rates = [model.info["training"]["learning_rate"] for model in (first, second)]
    assert rates[1] == pytest.approx(INIT_SHARE * rates[0])


def test_lines_overlap_or_have_gaps() -> None:
    """Of the three onsets after the first, one comes while a note sounds on, and one after silence."""
    score = Score.of(24, [0, 24, 48, 96], [24, 48, 24, 24], [60, 62, 64, 65], [64] * 4, [0] * 4, (Part(),))
    assert broken_lines(score) == pytest.approx((1 / 3, 1 / 3))
    chord = Score.of(24, [0, 0, 24], [24, 12, 24], [60, 64, 62], [64] * 3, [0] * 3, (Part(),))
    assert broken_lines(chord) == (0, 0)


def test_habits_of_drums() -> None:
    """Bars 2 and 3 have the kick and snare of bar 1, bar 2 also its hat; bar 4 has others."""
    bars = [
        [(0, 36), (24, 38), (48, 42)],
        [(0, 36), (24, 38), (48, 42)],
        [(0, 36), (24, 38)],
        [(0, 36), (48, 38)],
    ]
    notes = [(96 * bar + tick, pitch, 0) for bar, own in enumerate(bars) for tick, pitch in own]
    found = habits_of_drums(song(*notes, parts=(Part("", 0, True),)))
    assert found == pytest.approx((2 / 3, 1 / 3, 0))
    backbeat = [(96 * bar + tick, 38, 0) for bar in range(4) for tick in (24, 72)]
    assert habits_of_drums(song(*backbeat, parts=(Part("", 0, True),))) == (1, 1, 1)
    assert habits_of_drums(song((0, 36, 0), parts=(Part("", 0, True),))) is None  # too few bars
    assert habits_of_drums(song((0, 60, 0))) is None


def test_bars_repeat_the_onsets_of_earlier_bars() -> None:
    """Bar 2 has the onsets of bar 1, with other pitches; bar 3 has others; drums do not count."""
    notes = [(0, 60, 0), (24, 62, 0), (96, 64, 0), (120, 65, 0), (192, 60, 0), (200, 40, 1)]
    assert repeated_rhythms(song(*notes, parts=(Part(), Part("", 0, True)))) == 0.5
    assert repeated_rhythms(song((0, 60, 0))) == 0


def test_parts_repeat_the_onsets_of_their_earlier_bars() -> None:
    """The piano repeats bar 1 in bar 2, not in bar 3; the flute bar 2 in bar 3; drums do not count."""
    piano = [(0, 60, 0), (24, 62, 0), (96, 64, 0), (120, 65, 0), (192, 60, 0)]
    notes = [*piano, (96, 72, 1), (192, 74, 1), (0, 36, 2), (96, 36, 2)]
    parts = (Part(), Part("", 73), Part("", 0, True))
    assert repeated_patterns(song(*sorted(notes), parts=parts)) == pytest.approx(2 / 3)
    assert repeated_patterns(song((0, 36, 0), parts=(Part("", 0, True),))) == 0


def test_only_labels_with_bands_have_patterns() -> None:
    piano = song((0, 60, 0), (96, 62, 0))
    band = song((0, 36, 1), (0, 60, 0), (96, 62, 0), parts=(Part(), Part("", 0, True)))
    found = measure_style([(piano, ["piano"])] * 5 + [(band, ["game"])] * 5 + [(band, ["rare"])] * 4)
    assert found["game"]["patterns"] == [1.0] * 10
    assert "patterns" not in found["piano"] | found["rare"]
