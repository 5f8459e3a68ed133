"""Training of sketch networks: the same computation in numpy and torch, hidden variables, starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.composing.compose import compose
from ritornello.corpus.prepare import prepare
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord
from ritornello.music.sketch import Sketch
from ritornello.sketching.forward import Network
from ritornello.sketching.inputs import context_inputs, pair_inputs, variable_inputs
from ritornello.sketching.profile import NUMBERS, profile_inputs
from ritornello.sketching.sketcher import Sketcher
from ritornello.sketching.variables import OPEN, Variables
from ritornello.training.sketch_batches import IGNORED, SketchSong, hide, make_batch, sketch_songs
from ritornello.training.sketch_loss import torch_operations
from ritornello.training.sketch_training import SketchTrainer
from ritornello.training.train import train
from tests.folders import write_songs
from tests.sketching.sketchers import LABELS, PIANO, WHOLE_PLAN, random_sketcher


def songs(count: int = 8) -> list[Plan]:
    """Songs of 8 and 12 bars that end with dominant and tonic; the label decides the first chord."""
    found = []
    for number in range(count):
        bars = 8 + 4 * (number % 2)
        label = LABELS[number // 2 % 2]
        first = Chord(0, 0 if label == "hymn" else 5, "maj")
        chords = (first, Chord((bars - 2) * 96, 7, "maj"), Chord((bars - 1) * 96, 0, "maj"))
        returns = tuple((bar - 4, 3) if 4 <= bar < bars - 2 else (-1, 0) for bar in range(bars))
        cadences = tuple(3 if bar == bars - 1 else int(bar % 4 == 3) for bar in range(bars))
        texture = tuple((4, 60) if bar % 2 else (0, -1) for bar in range(bars))
        sketch = Sketch(cadences, (-2,) * bars, (PIANO,), (texture,))
        plan = Plan(bars=bars, key=(0, False), parts=(PIANO,), genres=((label, 1.0),))
        found.append(replace(plan, chords=chords, returns=returns, sketch=sketch))
    return found


def test_numpy_and_torch_compute_the_same() -> None:
    sketcher, timeline = random_sketcher(), WHOLE_PLAN.timeline(GRID)
    x = context_inputs(WHOLE_PLAN, timeline, LABELS) | pair_inputs(8, 2)
    x["profile"] = profile_inputs(np.linspace(0, 1, len(NUMBERS)))
    x |= variable_inputs(Variables.of(WHOLE_PLAN, timeline))
    tensors = {name: torch.from_numpy(np.stack([array] * 2)) for name, array in x.items()}
    tensors |= {name: torch.from_numpy(array) for name, array in pair_inputs(8, 2).items()}
    weights = {name: torch.from_numpy(array) for name, array in sketcher.weights.items()}
    networks = sketcher.network, Network(weights, sketcher.config, torch_operations(0.0))
    outputs = []
    for network, inputs in zip(networks, (x, tensors), strict=True):
        inputs = inputs | network.biases(inputs)
        part, part_bars = network.read_parts(inputs)
        bars = network.read_bars(inputs, part_bars)
        written = network.write_parts(inputs, part, part_bars, bars)
        pointers = network.pointer_logits("origin", inputs, bars)
        textures = [network.part_logits(name, inputs, written) for name in ("notes", "pitch")]
        outputs.append([*pointers, *textures, written, bars, network.presence_logits(inputs, written)])
    for ours, theirs in zip(*outputs, strict=True):
        for song in theirs:
            np.testing.assert_allclose(ours, song.numpy(), rtol=1e-4, atol=1e-4)


def test_what_pads_a_batch_changes_nothing() -> None:
    learnt = sketch_songs(songs(4), LABELS)
    trainer = SketchTrainer(LABELS, 0, random_sketcher())
    for weight in trainer.average.values():
        weight += 0.02
    alone = [trainer.measure([_unhidden_batch([song])]) for song in learnt]
    together = trainer.measure([_unhidden_batch(learnt)])
    counts = np.array([int((_unhidden_batch([s]).targets["cadence"] != IGNORED).sum()) for s in learnt])
    for name in ("cadence", "origin"):
        mean = float((np.array([one[name] for one in alone]) * counts).sum() / counts.sum())
        assert together[name] == pytest.approx(mean, rel=1e-4)


def _unhidden_batch(batch: list[SketchSong]) -> object:
    """A batch in which cadences and origins are hidden, and nothing else."""

    class Fixed:
        """A generator whose numbers hide all of the stages of origin and cadence."""

        def random(self, size: object = None) -> object:
            return 0.5 if size is None else np.full(size, 0.5)  # type: ignore[call-overload]

        def standard_normal(self, size: int) -> object:
            return np.zeros(size)

        def choice(self, *_: object, **__: object) -> int:
            return 0

        def integers(self, *_: object) -> int:
            return 1

    return make_batch(batch, Fixed())  # type: ignore[arg-type]


def test_what_is_hidden_is_learnt_and_the_rest_not() -> None:
    draw = np.random.default_rng(0)
    song = SketchSong.of(WHOLE_PLAN, LABELS)
    seen = dict.fromkeys(vars(song.variables), 0)
    for _ in range(60):
        shown = hide(song.variables, draw)
        for name, true in vars(song.variables).items():
            hidden = getattr(shown, name) == OPEN
            seen[name] += int(hidden.sum())
            assert (getattr(shown, name)[~hidden] == true[~hidden]).all()
        assert (shown.similarity[shown.origin == OPEN] == OPEN).all()
    assert min(seen.values()) > 0
    batch = make_batch([song] * 40, draw)
    for name, target in batch.targets.items():
        assert (target != IGNORED).any(), name
        assert target.max() > IGNORED


def test_long_songs_are_learnt_from_their_end() -> None:
    bars = 150
    returns = tuple((bar - 30, 2) if bar >= 30 else (-1, 0) for bar in range(bars))
    sketch = Sketch((0,) * 149 + (3,), (), (PIANO,), (((1, 60),) * bars,))
    plan = Plan(bars=bars, key=(0, False), parts=(PIANO,), chords=(Chord(0, 0, "maj"),), returns=returns)
    song = SketchSong.of(replace(plan, sketch=sketch), LABELS)
    v = song.variables
    assert len(v.cadence) == 128
    assert v.cadence[-1] == 3
    assert v.origin[:30].tolist() == [-1] * 8 + [OPEN] * 22  # the bars 22-29 return to nothing
    assert v.origin[127] == 97
    assert song.context["start"][0] == 22


def test_a_batch_in_which_nothing_is_hidden_changes_nothing() -> None:
    trainer = SketchTrainer(LABELS, 0, random_sketcher())
    before = {name: weight.detach().clone() for name, weight in trainer.weights.items()}
    batch = make_batch(sketch_songs(songs(1), LABELS), np.random.default_rng(0))
    for target in batch.targets.values():
        target[:] = IGNORED
    trainer._step(batch, 0, 0.0)
    assert all(torch.equal(weight, before[name]) for name, weight in trainer.weights.items())


def test_the_network_learns_to_end() -> None:
    learnt = sketch_songs(songs(), LABELS)
    trained = SketchTrainer(LABELS, 0).train(learnt, learnt, None, 150)
    assert trained.log[-1]["chord"] < 1.5
    plan = replace(songs()[0], chords=(), returns=None, sketch=None)
    filled = trained.sketcher.fill(plan, np.random.default_rng(0))
    assert filled.chords[-1].root == 0
    assert trained.sketcher.settings["labels"] == list(LABELS)


def test_the_seed_decides() -> None:
    learnt = sketch_songs(songs(), LABELS)
    start = random_sketcher()
    first, second = (SketchTrainer(LABELS, 1, start).train(learnt, learnt, None, 3) for _ in range(2))
    for name, weight in first.sketcher.weights.items():
        assert np.array_equal(weight, second.sketcher.weights[name]), name


def test_a_start_keeps_its_labels_and_new_ones_get_their_mean() -> None:
    start = random_sketcher()
    trainer = SketchTrainer(("reel", "tango"), 0, start)
    label = trainer.weights["label"].detach().numpy()
    assert np.array_equal(label[0], start.weights["label"][1])
    np.testing.assert_allclose(label[1], start.weights["label"].mean(axis=0), rtol=1e-6)
    assert trainer.config.width == start.config.width


def test_a_run_gives_its_model_a_sketch_network(tmp_path: Path) -> None:
    corpus = prepare(write_songs(tmp_path / "midi", 12), tmp_path / "corpus").path
    settings: dict[str, Any] = {"network_config": {"size": "tiny"}, "batch": 2, "steps": 2}
    first = train(corpus, tmp_path / "b", sketch_steps=2, **settings)
    sketcher = Sketcher.of(first)
    assert sketcher is not None
    assert sketcher.labels == first.labels
    assert first.info["training"]["sketch"]["step"] == 2
    assert compose(first, bars=4, seed=1).plan.sketch is not None
    longer = Sketcher.of(train(corpus, tmp_path / "b", **{**settings, "steps": 3}))
    assert longer is not None  # a run that is continued keeps its sketch network
    assert all(np.array_equal(longer.weights[name], weight) for name, weight in sketcher.weights.items())
    assert Sketcher.of(train(corpus, tmp_path / "c", init=str(first.path), steps=1, sketch_steps=0)) is None
