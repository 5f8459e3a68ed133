"""Songs that models compose with the plans of other songs, for the comparison of `learn`."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.inputs import LabelledScore
from ritornello.learning import song_comparison
from ritornello.models.model import Model
from ritornello.sketching.sketcher import Sketcher
from tests.composing.models import write_model
from tests.folders import wandering
from tests.sketching.sketchers import random_sketcher


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    return Model.open(write_model(folder / "model", sketcher=random_sketcher()))


def test_the_table_is_the_same_in_one_process_and_in_several(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = [LabelledScore(f"{seed}", wandering(seed, 24), ("game",)) for seed in range(4)]
    openings = song_comparison.openings(songs, model.representation)
    assert len(openings) == 4
    monkeypatch.setattr(song_comparison, "SONGS", 10)  # three takes of four plans, in two batches
    tables = []
    for cores in (1, 2):
        monkeypatch.setattr(song_comparison, "available_cores", lambda cores=cores: cores)
        tables.append(song_comparison.composed_table(model, openings, 1))
    one, two = tables
    assert len(one) == 4
    assert np.array_equal(one.numbers, two.numbers, equal_nan=True)
    for feature in FEATURES:
        assert np.array_equal(one.histograms[feature.name], two.histograms[feature.name], equal_nan=True)


def test_models_compose_with_sketches_that_they_draw(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `compose` does: each plan gets chords, returns and textures of the model's sketch network."""
    songs = [LabelledScore("a", wandering(1, 24), ("game",))]
    openings = song_comparison.openings(songs, model.representation)
    seen = []
    generate = song_comparison.generate_songs
    monkeypatch.setattr(song_comparison, "SONGS", 2)
    monkeypatch.setattr(song_comparison, "available_cores", lambda: 1)
    monkeypatch.setattr(
        song_comparison,
        "generate_songs",
        lambda model, requests, dials: seen.extend(requests) or generate(model, requests, dials),
    )
    song_comparison.composed_table(model, openings, 1)
    assert len(seen) == 2
    assert Sketcher.of(model) is not None
    assert all(request.plan.sketch and request.plan.chords for request in seen)
    assert seen[0].plan.sketch != seen[1].plan.sketch  # each take has its own
