"""Drums of the user's own: found in a folder, learned, kept, and used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ritornello import midi
from ritornello.composing.performed_files import perform
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import ModelError
from ritornello.learning import drum_feel
from ritornello.learning.drum_feel import learn_drum_feel, performed_drums
from ritornello.music.score import Part, Score
from ritornello.performing.drum_network import of_model


def beat(seed: int, is_played: bool = True) -> Score:
    """16 bars of hi-hat, kick and snare in one of many patterns; if played, late and with accents."""
    draw = np.random.default_rng(seed)
    onset, pitch = [], []
    for drum in (36, 38, 42):
        pattern = np.flatnonzero(draw.random(16) < 0.4)
        steps = (np.arange(16)[:, None] * 16 + pattern).ravel()
        onset.append(steps * 120)
        pitch.append(np.full(len(steps), drum))
    ticks, drums = np.concatenate(onset), np.concatenate(pitch)
    velocity = np.full(len(ticks), 90)
    if is_played:
        velocity = np.where(ticks % 480 == 0, 110, 40) + draw.integers(-9, 10, len(ticks))
        ticks = ticks + 30 + draw.integers(-6, 7, len(ticks))
    parts = [Part("Drums", 0, True)]
    return Score.of(480, ticks, ticks * 0 + 40, drums, velocity, ticks * 0, parts)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Corpus]:
    """A corpus of played drums, and one of quantised drums."""
    found = {}
    for name in ("played", "quantised"):
        folder = tmp_path_factory.mktemp(name)
        for seed in range(24):
            midi.write(beat(seed, name == "played"), folder / "midi" / f"{seed}.mid")
        prepare(folder / "midi", folder / "corpus", workers=1)
        found[name] = Corpus.open(folder / "corpus")
    return found


def test_performed_drums_are_learned_and_kept_if_they_are_better(
    corpora: dict[str, Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drum_feel, "MOST_HITS_SEEN", 20_000)
    said: list[str] = []
    report = learn_drum_feel(corpora["played"], tmp_path, lambda stage, text: said.append(f"{stage} {text}"))
    assert report["kept"] and report["performed"] == len(corpora["played"].songs())
    assert report["nats_per_hit"]["own"] < report["nats_per_hit"]["bundled"]
    assert "own drums of --feel are kept" in said[0]
    network = of_model(tmp_path)
    assert network is not None
    midi.write(beat(99, is_played=False), tmp_path / "song.mid")
    played = perform(tmp_path / "song.mid", feel=1, model=tmp_path)
    assert played.performance.drums == network.hash
    on_beat = played.score.onset_ticks % 480 < 60
    assert played.score.velocity[on_beat].mean() > played.score.velocity[~on_beat].mean() + 2
    (tmp_path / "drums.safetensors").write_bytes(b"none")
    with pytest.raises(ModelError, match="is not a network of drum feel"):
        of_model(tmp_path)


def test_quantised_drums_are_not_learned(corpora: dict[str, Corpus], tmp_path: Path) -> None:
    assert performed_drums(corpora["quantised"], "train") == []
    report = learn_drum_feel(corpora["quantised"], tmp_path, lambda stage, text: None)
    assert report == {"performed": 0, "hits": 0, "kept": False}
    with pytest.raises(ModelError, match="has no network of drum feel"):
        perform(beat(1), model=tmp_path)
