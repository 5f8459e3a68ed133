"""The critic: a song that keeps its plan agrees with it, and the best of several songs agrees most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.composing import compose as composer
from ritornello.composing import critic
from ritornello.composing.critic import Agreement, agreement, best_of
from ritornello.composing.given_music import GivenMusic, read_melody, read_prompt
from ritornello.composing.options import MAX_SONGS
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.composing.song import Song
from ritornello.errors import PlanError
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part, Score
from ritornello.music.sketch import CLOSED, NO_CADENCE, UNKNOWN, Sketch
from ritornello.representations.notes import Notes
from tests.composing.models import LABELS, write_model
from tests.sketching.sketchers import random_sketcher

NOTES = Notes()
BAR = 96
TUNE = (  # onset and pitch of each note of eight bars of 4/4: A B A C, of two bars each
    [(0, 60), (24, 64), (48, 67), (72, 64)], [(0, 65), (24, 69), (48, 72)],
    [(0, 67), (12, 71), (24, 74), (72, 71)], [(0, 67)],
    [(0, 60), (24, 64), (48, 67), (72, 64)], [(0, 65), (24, 69), (48, 72)],
    [(0, 62), (36, 67), (60, 71), (84, 74)], [(0, 60), (48, 64)],
)  # fmt: skip
BASS = (48, 53, 43, 43, 48, 53, 43, 48)


def tune() -> Score:
    """A flute and a bass in C major."""
    notes = [(bar * BAR + at, 24, pitch, 0) for bar, played in enumerate(TUNE) for at, pitch in played]
    notes += [(bar * BAR, BAR, pitch, 1) for bar, pitch in enumerate(BASS)]
    onset, duration, pitch, part = zip(*notes, strict=True)
    return NOTES.canonical(
        Score.of(24, onset, duration, pitch, [80] * len(notes), part, [Part("", 73), Part("", 33)])
    )[0]


def plan_of(score: Score) -> Plan:
    """The plan that a song keeps in all."""
    timeline = NOTES.timeline(score)
    returns = tuple(zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True))
    return replace(Plan.of(score), chords=timeline.chords, returns=returns, sketch=timeline.sketch)


def song_of(score: Score, plan: Plan, given: GivenMusic | None = None) -> Song:
    rows = NOTES.encode_canonical(score).values
    model = {"network": "chain", "representation": "notes", "sha256": ""}
    return build_song(Recipe(model, plan, 0, 0, {"creativity": 0.5}, rows, given))


def with_sketch(plan: Plan, **changes: Any) -> Plan:
    assert plan.sketch
    return replace(plan, sketch=replace(plan.sketch, **changes))


def textures(plan: Plan, notes: int, pitch: int, part: int = 0) -> Plan:
    """The plan with `notes` times as many notes of a part, `pitch` semitones higher."""
    assert plan.sketch
    moved = list(plan.sketch.textures)
    moved[part] = tuple((n * notes, at + pitch if at >= 0 else at) for n, at in moved[part])
    return with_sketch(plan, textures=tuple(moved))


def test_a_song_keeps_the_plan_that_is_read_off_it() -> None:
    score = tune()
    plan = plan_of(score)
    assert plan.returns and plan.returns[4:6] == ((0, 3), (1, 3))
    assert agreement(song_of(score, plan)) == Agreement(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (lambda plan: replace(plan, chords=()), Agreement(None, 1, 1, 1)),
        (lambda plan: replace(plan, chords=(Chord(0, 1, "maj"),)), Agreement(0, 1, 1, 1)),
        (lambda plan: replace(plan, returns=None), Agreement(1, None, 1, 1)),
        # bar 2 does not repeat bar 1, and bars 5 and 6 should be new: 4 of the 7 bars after the first
        (lambda plan: replace(plan, returns=((-1, 0), (0, 1), *[(-1, 0)] * 6)), Agreement(1, 4 / 7, 1, 1)),
        (lambda plan: replace(plan, sketch=None), Agreement(1, 1, None, None)),
        (lambda plan: with_sketch(plan, cadences=(UNKNOWN,) * 8), Agreement(1, 1, None, 1)),
        (lambda plan: textures(plan, 1, 12), Agreement(1, 1, 1, 0.5)),
        (lambda plan: textures(plan, 1, 3), Agreement(1, 1, 1, 0.875)),
        (lambda plan: textures(plan, 2, 0), Agreement(1, 1, 1, 0.75)),
        (lambda plan: textures(plan, 0, 0), Agreement(1, 1, 1, 0.5)),
        (lambda plan: with_sketch(plan, parts=(), textures=()), Agreement(1, 1, 1, None)),
    ],
)
def test_each_thing_that_is_not_as_planned_counts(changed: Any, expected: Agreement) -> None:
    score = tune()
    assert agreement(song_of(score, changed(plan_of(score)))) == expected


def test_a_phrase_counts_where_it_ends_not_how() -> None:
    score = tune()
    plan = plan_of(score)
    assert plan.sketch
    ends = [cadence > NO_CADENCE for cadence in plan.sketch.cadences]
    closed = tuple(CLOSED if end else NO_CADENCE for end in ends)
    assert agreement(song_of(score, with_sketch(plan, cadences=closed))).phrases == 1
    never = agreement(song_of(score, with_sketch(plan, cadences=(NO_CADENCE,) * 8)))
    assert never.phrases == 0
    everywhere = agreement(song_of(score, with_sketch(plan, cadences=(CLOSED,) * 8)))
    assert everywhere.phrases == pytest.approx(2 * sum(ends) / (8 + sum(ends)))


def test_a_song_that_ends_early_lacks_what_is_planned_after_it() -> None:
    score = tune()
    whole, half = plan_of(score), score.select(score.onset_ticks < 4 * BAR)
    found = agreement(song_of(half, whole))
    assert found.chords and found.chords < 1 and found.textures == 0.5
    assert found.returns == pytest.approx(5 / 7)  # bars 5 and 6 do not return
    assert agreement(song_of(score.select(score.onset_ticks < 0), whole)).textures == 0


def test_the_bars_of_a_prompt_count_for_nothing() -> None:
    score = tune()
    plan = plan_of(score)
    prompt = read_prompt(score.select(score.onset_ticks < 4 * BAR))
    changed = replace(plan, returns=((-1, 0), (0, 3), *(plan.returns or ())[2:]))
    assert plan.sketch
    rests = tuple(((0, UNKNOWN),) * 4 + bars[4:] for bars in plan.sketch.textures)
    changed = with_sketch(changed, textures=rests, cadences=(CLOSED,) * 4 + plan.sketch.cadences[4:])
    changed = replace(changed, chords=(Chord(0, 1, "min"), *(c for c in plan.chords if c.onset_ticks >= 384)))
    assert agreement(song_of(score, changed, prompt)) == Agreement(1, 1, 1, 1)
    assert min(agreement(song_of(score, changed))) < 1


def test_the_texture_of_a_melody_counts_for_nothing() -> None:
    score = tune()
    melody = read_melody(score.select(score.part == 0))
    flute = [part.program for part in score.parts].index(73)
    changed = textures(plan_of(score), 9, 20, flute)
    changed = replace(changed, parts=(Part("", 73), Part("", 33)))  # first those of the melody
    assert agreement(song_of(score, changed, melody)).textures == 1
    assert agreement(song_of(score, changed)).textures != 1


def song_that_agrees(monkeypatch: pytest.MonkeyPatch, found: dict[int, Agreement]) -> list[Song]:
    score = tune()
    songs = [song_of(score, plan_of(score)) for _ in found]
    by_song = {id(song): found[number] for number, song in enumerate(songs)}
    monkeypatch.setattr(critic, "agreement", lambda song: by_song[id(song)])
    return songs


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([Agreement(0.5, 0.5, 0.5, 0.5), Agreement(0.9, 0.5, 0.5, 0.5), Agreement(0.9, 0.4, 0.5, 0.5)], 1),
        ([Agreement(0.5, 0.5), Agreement(0.6, 0.4), Agreement(0.3, 0.7)], 0),  # the first of equals
        ([Agreement(0.5, None, 0.5), Agreement(0.6, 1, 0.5)], 1),
        ([Agreement(0.7, None, 0.5), Agreement(0.6, 1, 0.5)], 0),  # what one plan leaves open is not compared
        ([Agreement(), Agreement(1, 1, 1, 1)], 0),
        ([Agreement(None, 0.1), Agreement(1)], 0),
    ],
)
def test_the_best_agrees_most_in_what_all_plans_say(
    monkeypatch: pytest.MonkeyPatch, found: list[Agreement], best: int
) -> None:
    songs = song_that_agrees(monkeypatch, dict(enumerate(found)))
    assert best_of(songs) is songs[best]


# Composing


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    sketcher = replace(random_sketcher(), labels=LABELS[:2])
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model", sketcher=sketcher))


def candidates(model: Model, monkeypatch: pytest.MonkeyPatch, songs: int = 1) -> list[list[Song]]:
    """The four candidates of each song, of which the last one is chosen."""
    seen: list[list[Song]] = []
    with monkeypatch.context() as patched:
        patched.setattr(critic, "best_of", lambda rivals: seen.append(rivals) or rivals[-1])
        composer.compose_many(model, songs, candidates=4, genre="fiddle", bars=4, seed=2)
    return sorted(seen, key=lambda rivals: rivals[0].recipe.song)


def test_the_first_candidate_is_the_song_without_the_option(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = candidates(model, monkeypatch, songs=2)
    alone = composer.compose_many(model, 2, genre="fiddle", bars=4, seed=2)
    for number, rivals in enumerate(found):
        assert rivals[0].recipe.to_dict() == alone[number].recipe.to_dict()
        assert [song.recipe.song for song in rivals] == [number + k * MAX_SONGS for k in range(4)]
        assert len({song.recipe.rows.tobytes() for song in rivals}) == 4
        assert len({str(song.plan.to_dict()) for song in rivals}) == 4  # each has a sketch of its own


def test_the_recipe_of_the_chosen_song_replays_without_the_option(
    model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = composer.compose(model, candidates=4, genre="fiddle", bars=4, seed=2)
    rivals = candidates(model, monkeypatch)[0]
    means = [float(np.mean([*agreement(song)])) for song in rivals]
    assert chosen.recipe.song == int(np.argmax(means)) * MAX_SONGS
    chosen.write(tmp_path / "s.json")
    assert composer.replay(tmp_path / "s.json").to_bytes() == chosen.to_bytes()


def test_songs_are_passed_on_when_they_are_chosen_also_with_best(model: Model) -> None:
    passed: dict[int, Song] = {}
    songs = composer.compose_many(model, 3, candidates=2, bars=2, seed=1, on_song=passed.__setitem__)
    assert [passed[number] for number in range(3)] == songs
    best = composer.compose_many(model, 3, 1, candidates=2, bars=2, seed=1)
    assert len(best) == 1 and best[0].recipe.song in [song.recipe.song for song in songs]


def test_given_music_stays_and_the_option_has_a_range(model: Model) -> None:
    song = composer.compose(model, melody=tune(), parts="bass", candidates=3, seed=1)
    assert {p.program for p in song.score.parts} >= {73, 33}
    longer = composer.compose(model, prompt=tune(), bars=10, candidates=2, seed=1)
    assert longer.bars == 10
    for wrong in (0, 101):
        with pytest.raises(PlanError, match=f"candidates {wrong}: must be 1-100"):
            composer.compose(model, candidates=wrong)


def test_a_plan_without_anything_to_keep_gives_the_first_song(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", plans=())
    song = composer.compose(model, candidates=3, bars=2, seed=4)
    assert song.recipe.song == 0 and agreement(song) == Agreement()
    empty = Score.of(24, [], [], [], [], [], [Part()])
    assert agreement(song_of(empty, Plan(2, sketch=Sketch()))) == Agreement()
