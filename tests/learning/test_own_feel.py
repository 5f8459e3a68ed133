"""Feel of the user's own: performances are found in a folder, learned, kept, and used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ritornello import midi
from ritornello.composing.performed_files import perform
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import ModelError
from ritornello.learning import own_feel
from ritornello.learning.own_feel import (
    MOST_NOTES_OF_A_PART,
    excerpts,
    find_performances,
    learn_feel,
    performed_drums,
    performed_others,
)
from ritornello.music.score import Part, Score
from ritornello.performing.feel_network import of_model
from ritornello.training import feel_training


def beat(seed: int, is_played: bool = True) -> Score:
    """16 bars of a bass in eighths, and of hi-hat, kick and snare in one of many patterns.

    If they are played, both are late and have accents, and every other note of the bass is short.
    """
    draw = np.random.default_rng(seed)
    onset, pitch, part = (
        [np.arange(128) * 240],
        [40 + draw.integers(0, 8, 16)[np.arange(128) // 8]],
        [np.zeros(128, int)],
    )
    for drum in (36, 38, 42):
        pattern = np.flatnonzero(draw.random(16) < 0.4)
        steps = (np.arange(16)[:, None] * 16 + pattern).ravel()
        onset.append(steps * 120)
        pitch.append(np.full(len(steps), drum))
        part.append(np.ones(len(steps), int))
    ticks, pitches, parts = np.concatenate(onset), np.concatenate(pitch), np.concatenate(part)
    velocity, length = np.full(len(ticks), 90), np.where(parts, 40, 240)
    if is_played:
        velocity = np.where(ticks % 480 == 0, 110, 40) + draw.integers(-9, 10, len(ticks))
        length = np.where((parts == 0) & (ticks % 480 > 0), 140, length)
        ticks = ticks + 30 + draw.integers(-6, 7, len(ticks))
    return Score.of(480, ticks, length, pitches, velocity, parts, [Part("Bass", 33), Part("Drums", 0, True)])


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Corpus]:
    """A corpus of played songs, and one of quantised songs."""
    found = {}
    for name in ("played", "quantised"):
        folder = tmp_path_factory.mktemp(name)
        for seed in range(28):
            midi.write(beat(seed, name == "played"), folder / "midi" / f"{seed}.mid")
        prepare(folder / "midi", folder / "corpus", workers=1)
        found[name] = Corpus.open(folder / "corpus")
    return found


def test_performances_are_learned_and_kept_if_they_are_better(
    corpora: dict[str, Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drums beat those that ship, and the bass the shares of its values."""
    monkeypatch.setattr(own_feel, "MOST_NOTES_SEEN", 20_000)
    monkeypatch.setattr(own_feel, "FEWEST_NOTES", 2000)
    said: list[str] = []
    report = learn_feel(
        find_performances(corpora["played"]), tmp_path, lambda stage, text: said.append(f"{stage} {text}")
    )
    for plays, line in zip(("drums", "parts"), said, strict=True):
        assert report[plays]["kept"], line
        assert report[plays]["performed"] == len(corpora["played"].songs())
        own, other = report[plays]["nats_per_note"].values()
        assert own < other
        assert f"own {plays} of --feel are kept" in line
    networks = of_model(tmp_path)
    midi.write(beat(99, is_played=False), tmp_path / "song.mid")
    played = perform(tmp_path / "song.mid", feel=1, model=tmp_path)
    performance = played.performance
    assert networks.hashes == {"drums": performance.drums, "parts": performance.parts}
    on_beat = (played.score.onset_ticks + 60) % 480 < 120
    bass = played.score.part == 0
    for chosen in (bass, ~bass):
        loud = played.score.velocity[chosen & on_beat].mean()
        assert loud > played.score.velocity[chosen & ~on_beat].mean() + 2
    lengths = played.score.duration_ticks
    assert lengths[bass & on_beat].mean() > lengths[bass & ~on_beat].mean() + 40
    (tmp_path / "drums.safetensors").write_bytes(b"none")
    with pytest.raises(ModelError, match="is not a network of the feel of drums"):
        of_model(tmp_path)


def test_the_time_is_estimated_and_divided_by_kind(
    corpora: dict[str, Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 3,000,000 notes seen in training, 50,000 a second, each kind takes at most 60 seconds."""
    monkeypatch.setattr(own_feel, "FEWEST_NOTES", 10)
    found = find_performances(corpora["played"])
    for songs in found:
        notes = songs.train.notes
        assert songs.expected_s == min(3_000_000 // notes, 40) * notes / 50_000
    assert sum(songs.expected_s for songs in find_performances(corpora["quantised"])) == 0
    limits: list[float] = []

    def train_feel_network(*_: object, seconds: float, **__: object) -> dict[str, object]:
        limits.append(seconds)
        return {}

    monkeypatch.setattr(feel_training, "train_feel_network", train_feel_network)
    monkeypatch.setattr(feel_training, "nats_per_note", lambda *_: {"velocity": 9.0})
    monkeypatch.setattr(own_feel, "FeelNetwork", lambda *_: None)
    learn_feel(found, tmp_path, lambda stage, text: None, seconds=10.0)
    assert sum(limits) == pytest.approx(10)
    assert limits[0] / limits[1] == pytest.approx(found[0].expected_s / found[1].expected_s)


def test_quantised_songs_are_not_learned(corpora: dict[str, Corpus], tmp_path: Path) -> None:
    assert performed_drums(corpora["quantised"], "train").songs == []
    report = learn_feel(find_performances(corpora["quantised"]), tmp_path, lambda stage, text: None)
    none = {"performed": 0, "without_grid": 0, "notes": 0, "kept": False}
    assert report == {"drums": none, "parts": none}
    with pytest.raises(ModelError, match="has no network of feel"):
        perform(beat(1), model=tmp_path)


def test_songs_in_a_wrong_tempo_are_counted_and_said(tmp_path: Path) -> None:
    """The beats of the songs are those of their files divided by 0.937."""
    for seed in range(6):
        song = beat(seed)
        onset = (song.onset_ticks * 0.937).astype(np.int64)
        free = Score.of(480, onset, song.duration_ticks, song.pitch, song.velocity, song.part, song.parts)
        midi.write(free, tmp_path / "midi" / f"{seed}.mid")
    prepare(tmp_path / "midi", tmp_path / "corpus", workers=1)
    said: list[str] = []
    report = learn_feel(
        find_performances(Corpus.open(tmp_path / "corpus")), tmp_path, lambda stage, text: said.append(text)
    )
    assert report["parts"]["without_grid"] == 6
    assert "6 follow no grid" in said[-1]


def test_an_excerpt_is_taken_from_the_beginning_the_middle_or_the_end(
    corpora: dict[str, Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    (song, *_) = performed_others(corpora["played"], "train").songs
    (whole,) = song
    assert len(whole.notes.place) < MOST_NOTES_OF_A_PART
    assert excerpts(song, 1)[0].notes.place.tolist() == whole.notes.place.tolist()
    part = whole.excerpt(100, 120)
    assert part.notes.earlier[0].max() == -1
    assert part.notes.earlier[5, 0] == 4
    assert part.values["velocity"].tolist() == whole.values["velocity"][100:120].tolist()
    monkeypatch.setattr(own_feel, "MOST_NOTES_OF_A_PART", 20)
    spare = len(whole.notes.place) - 20
    for number, start in enumerate((0, spare // 2, spare)):
        found = excerpts(song, number)[0].notes.place.tolist()
        assert found == whole.notes.place[start : start + 20].tolist()
