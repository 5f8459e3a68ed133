"""Sketches that are drawn, written, edited and composed from, with networks of random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing.compose import compose, compose_many, replay, sketch
from ritornello.composing.draw_sketch import FEWEST_NOTES, DrawnSketch
from ritornello.errors import InputError, ModelError, PlanError
from ritornello.music.form import parse_form
from ritornello.music.score import Chord
from ritornello.music.sketch import END, UNKNOWN
from tests.composing.models import LABELS, write_model
from tests.sketching.sketchers import random_sketcher


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a sketch network."""
    sketcher = replace(random_sketcher(), labels=LABELS[:2])
    return write_model(tmp_path_factory.mktemp("model") / "model", sketcher=sketcher)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a sketch network."""
    return write_model(tmp_path_factory.mktemp("without") / "model")


def write_sketch(path: Path, *bars: dict[str, Any], **header: Any) -> Path:
    path.write_text(json.dumps({**header, "bars": bars}))
    return path


def test_a_sketch_has_nothing_open_and_the_song_is_composed_by_it(model: Path, tmp_path: Path) -> None:
    drawn = sketch(model, genre="game", bars=8, key="D minor", seed=3)
    plan = drawn.plan
    assert plan.bars == 8 and plan.key == (-1, True) and plan.chords and plan.returns and plan.sketch
    assert len(plan.returns) == 8 and plan.sketch.cadences[-1] == END
    assert UNKNOWN not in (*plan.sketch.cadences, *plan.sketch.motifs)
    song = compose(model, genre="game", bars=8, key="D minor", seed=3)
    assert song.plan == plan  # the same seed, the same sketch
    drawn.write(tmp_path / "s.json")
    again = compose(model, sketch=tmp_path / "s.json", seed=3)
    assert again.plan.chords == plan.chords and again.plan.returns == plan.returns
    assert again.plan.sketch == plan.sketch
    assert np.array_equal(again.recipe.rows, song.recipe.rows)
    assert np.array_equal(compose(model, sketch=drawn, seed=3).recipe.rows, song.recipe.rows)
    again.write(tmp_path / "song.json")
    assert replay(tmp_path / "song.json").to_bytes() == again.to_bytes()
    drawn.write(tmp_path / "s.txt")
    assert (tmp_path / "s.txt").read_text() == f"{drawn}\n"
    with pytest.raises(InputError, match=r"must end in \.json or \.txt"):
        drawn.write(tmp_path / "s.mid")


def test_what_a_file_leaves_open_is_drawn_and_what_it_has_is_kept(model: Path, tmp_path: Path) -> None:
    bars: list[dict[str, Any]] = [{} for _ in range(8)]
    bars[0] = {"section": "A", "chords": "Bb / F7"}
    bars[4] = {"section": "A"}
    bars[3] = {"cadence": "open", "texture": {"grand piano": "rests"}}
    path = write_sketch(tmp_path / "s.json", *bars, meter="3/4", parts=["grand piano"], key="Bb")
    songs = compose_many(model, 2, sketch=path, seed=1)
    for song in songs:
        plan = song.plan
        assert plan.bars == 8 and plan.meters == ((0, 3, 4),) and plan.sketch
        assert plan.returns == parse_form("A4 A4")
        assert plan.chords[:2] == (Chord(0, 10, "maj"), Chord(48, 5, "7"))
        assert all(chord.root >= 0 for chord in plan.chords)
        assert plan.sketch.cadences[3] == 1
        assert plan.sketch.textures[0][3] == (0, UNKNOWN)
        assert min(plan.sketch.cadences) > UNKNOWN


def test_options_hold_with_a_network(model: Path) -> None:
    drawn = sketch(model, genre="game", form="A2 B2 A2", chords="Am F", seed=0)
    assert drawn.plan.returns == parse_form("A2 B2 A2")
    assert [chord.root for chord in drawn.plan.chords] == [9, 5] * 3


def test_without_a_network_all_but_the_form_stays_open(without: Path, tmp_path: Path) -> None:
    drawn = sketch(without, genre="fiddle", seed=5)
    assert drawn.plan.returns and not drawn.plan.chords and drawn.plan.sketch is None
    assert "| ? " in str(drawn) and drawn._repr_html_().startswith("<pre>")
    path = write_sketch(tmp_path / "s.json", {"chords": "C"}, {"chords": "G"}, genre="game")
    assert len(compose(without, sketch=path, seed=1).plan.chords) == 2
    path = write_sketch(tmp_path / "s.json", {"chords": "C"}, {}, genre="game")
    with pytest.raises(PlanError, match="bar 2: its chords are open, and the model has no sketch network"):
        compose(without, sketch=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bars": 3}, "bars 3: the sketch has 2; leave it out or change the sketch"),
        ({"key": "D"}, "key 'D': the sketch has 'C major'"),
        ({"meter": "3/4"}, "meter '3/4': the sketch has '4/4'"),
        ({"tempo": 90}, "tempo 90: the sketch has 100"),
        ({"parts": "bass"}, r"parts 'bass': the sketch has \['grand piano'\]"),
        ({"genre": "fiddle"}, "genre 'fiddle': the sketch has 'game'"),
        ({"form": "A1 A1"}, "form 'A1 A1': leave it out, the sketch has a form"),
        ({"chords": "C"}, "chords 'C': leave them out, the sketch has chords"),
        ({"seconds": 9}, "seconds and a sketch are given"),
        ({"prompt": "x.mid"}, "prompt and a sketch are given"),
    ],
)
def test_options_that_contradict_a_sketch_are_errors(
    without: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    header = {"genre": "game", "key": "C major", "meter": "4/4", "tempo": 100, "parts": ["grand piano"]}
    path = write_sketch(tmp_path / "s.json", {"section": "A", "chords": "C"}, {"chords": "G"}, **header)
    if "prompt" in options:
        options = {"prompt": compose(without, genre="game", bars=1, seed=1).score}
    with pytest.raises(PlanError, match=message):
        compose(without, sketch=path, **options)


def test_options_that_say_the_same_hold(without: Path, tmp_path: Path) -> None:
    path = write_sketch(tmp_path / "s.json", {}, {}, genre="game", key="C major", tempo=100)
    plan = compose(without, sketch=path, bars=2, key="C", chords="Am F", tempo=100, seed=1).plan
    assert [chord.root for chord in plan.chords] == [9, 5]
    drawn = DrawnSketch(plan, 1)
    assert compose(without, sketch=drawn, seed=1).plan.chords == plan.chords


def test_a_model_that_draws_its_plans_itself_has_no_sketches(
    without: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ritornello.composing.compose.SamplesItself", object)
    with pytest.raises(ModelError, match="must have notes for a sketch"):
        sketch(without)


def test_a_part_with_next_to_no_notes_is_left_out_unless_it_is_asked_for(model: Path) -> None:
    few = {"genre": "game", "bars": 12, "seed": 5}
    for song in compose_many(model, 4, **few):
        drawn = song.plan.sketch
        assert drawn is not None and len(drawn.parts) == len(drawn.textures)
        notes = [sum(planned for planned, _ in bars) for bars in drawn.textures]
        assert len(notes) == 1 or min(notes) >= FEWEST_NOTES
    asked = compose(model, parts="piano,bass,drums", **few).plan
    assert len(asked.parts) == 3


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("verse4 chorus2 verse4", [(0, "verse"), (4, "chorus"), (6, "verse")]),
        ("intro2 A3 A3~ A'3 B1", [(0, "intro"), (2, "A"), (5, "A'"), (8, "A'"), (11, "B")]),
    ],
)
def test_sections_keep_the_names_and_bars_of_the_form(
    model: Path, tmp_path: Path, form: str, named: list[tuple[int, str]]
) -> None:
    song = compose(model, form=form, genre="game", meter="4/4", seed=1)
    assert [(m.onset_ticks // 96, m.text) for m in song.score.markers] == named
    assert replay(song.recipe).to_bytes() == song.to_bytes()
    drawn = sketch(model, form=form, genre="game", meter="4/4", seed=1)
    drawn.write(tmp_path / "s.json")
    again = compose(model, sketch=tmp_path / "s.json", seed=1)
    assert again.score.markers == song.score.markers and again.plan.returns == song.plan.returns
    framed = compose(model, form=form, genre="game", meter="4/4", seed=1, intro=2)
    assert [(m.onset_ticks // 96, m.text) for m in framed.score.markers] == [
        (0, "intro"), *((bar + 2, name) for bar, name in named)
    ]  # fmt: skip


def test_parts_of_a_file_play_but_where_they_rest(model: Path, tmp_path: Path) -> None:
    rests, header = {"texture": {"grand piano": "rests"}}, {"genre": "game", "meter": "4/4"}
    alone = write_sketch(tmp_path / "a.json", rests, {}, rests, {}, parts=["piano"], **header)
    first = {"texture": {"grand piano": "rests", "fingered bass": {"notes": 2}}}
    two = write_sketch(tmp_path / "b.json", first, {}, {}, {}, parts=["piano", "bass"], **header)
    for seed in range(4):
        bars = [onset // 96 for onset in compose(model, sketch=alone, seed=seed).score.onset_ticks.tolist()]
        assert bars and not {0, 2} & set(bars)
        score = compose(model, sketch=two, seed=seed).score
        assert set(score.part.tolist()) == {0, 1}
        assert 0 not in score.onset_ticks[score.part == 0] // 96
    silent = write_sketch(tmp_path / "c.json", rests, rests, parts=["piano"], **header)
    with pytest.raises(PlanError, match="all parts rest in all bars"):
        compose(model, sketch=silent)


def test_parts_rest_where_the_sketch_says_so(model: Path) -> None:
    for song in compose_many(model, 4, genre="game", bars=8, seed=2, parts="piano,bass"):
        plan, score = song.plan, song.score
        assert plan.sketch is not None
        bars = plan.timeline(score.ticks_per_beat).bar_of(score.onset_ticks.astype(np.int64))
        for number, textures in enumerate(plan.sketch.textures):
            played = set(bars[score.part == number].tolist())
            resting = {bar for bar, (notes, _) in enumerate(textures) if notes == 0}
            others = plan.sketch.textures[1 - number]
            assert not played & {bar for bar in resting if others[bar][0] and bar < 7}
