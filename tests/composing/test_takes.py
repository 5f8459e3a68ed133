"""Takes differ from each other where a network alone would play the same again."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from ritornello.composing import compose as composer
from ritornello.composing.sampling_rules import form
from ritornello.composing.song import Song
from ritornello.composing.takes import LEAST_DIFFERENCE
from ritornello.models.model import Model
from ritornello.music.score import Chord, Part, Score
from tests.composing.models import LABELS, write_model
from tests.composing.test_rules import BASS, song
from tests.sketching.sketchers import random_sketcher


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model"))


def tune() -> Score:
    """Four bars of 4/4 for piano and drums."""
    onset = [tick for tick in range(0, 384, 24) for _ in range(2)]
    pitch = [60, 36, 64, 36, 67, 36, 64, 36] * 4
    return Score.of(24, onset, [24] * 32, pitch, [64] * 32, [0, 1] * 16, [Part(), Part("", 0, True)])


def notes_from(score: Score, tick: int) -> set[tuple[int, int, int]]:
    columns = (score.onset_ticks.tolist(), score.pitch.tolist(), score.part.tolist())
    return {note for note in zip(*columns, strict=True) if note[0] >= tick}


@pytest.mark.parametrize("parts", [None, "drums"])
def test_the_likeliest_notes_give_several_takes(model: Model, parts: str | None) -> None:
    def redo() -> list[Song]:
        return composer.redo(tune(), "3-4", parts=parts, takes=3, creativity=0, model=model, seed=1)

    takes = redo()
    assert len(takes) == 3
    composed = [notes_from(score, 192) for score in (tune(), *(take.score for take in takes))]
    for one, other in combinations(composed, 2):
        assert len(one ^ other) > LEAST_DIFFERENCE * len(one | other) / 2
    assert [str(take.recipe) for take in redo()] == [str(take.recipe) for take in takes]


def test_chords_of_new_bars_replace_the_symbols_of_the_file(tmp_path: Path) -> None:
    model = Model.open(
        write_model(tmp_path / "model", sketcher=replace(random_sketcher(), labels=LABELS[:2]))
    )
    chords = tuple(Chord(96 * bar, root, "maj") for bar, root in enumerate((0, 5, 7, 0)))
    named = replace(tune(), chords=chords)
    for take in composer.redo(named, "3-4", takes=2, model=model, seed=1):
        expected = [chord for chord in take.plan.chords if chord[0] >= 192]
        written = take.score.chords
        assert written[:2] == chords[:2]
        assert [(c.onset_ticks, c.root, c.kind) for c in written[2:]] == [tuple(c)[:3] for c in expected]
        assert composer.replay(take.recipe).to_bytes() == take.to_bytes()
    for take in composer.redo(named, "3-4", parts="drums", takes=2, model=model, seed=1):
        assert take.score.chords == chords  # those of the part that stays


def test_what_another_take_plays_is_less_likely_here() -> None:
    begun = song(avoided=frozenset({(12, 0, 60), (12, 0, 64), (12, BASS, 40)}), avoid_nats=2.0)
    bias = form.penalize_copies(begun.put(shift=12, part=0).state)
    assert bias is not None
    assert {p: float(bias[p]) for p in bias.nonzero()[0].tolist()} == {60: -2.0, 64: -2.0}
    assert form.penalize_copies(begun.put(shift=13, part=0).state) is None
    assert form.penalize_copies(song().put(shift=12, part=0).state) is None
