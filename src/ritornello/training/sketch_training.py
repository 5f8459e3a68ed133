"""Train a sketch network on the songs of a corpus, which takes a few minutes on one core."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ritornello.corpus.corpus import Corpus
from ritornello.models.plan_vector import infer_plan
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.representations.sketch import compute_sketch
from ritornello.sketching.forward import Network
from ritornello.sketching.inputs import MAX_DISTANCE
from ritornello.sketching.profile import Profiles
from ritornello.sketching.shapes import SketchConfig, weight_shapes
from ritornello.sketching.sketcher import Sketcher
from ritornello.sketching.variables import CLOSINGS, SIMILARITIES
from ritornello.training.config import TrainConfig
from ritornello.training.sketch_batches import (
    IGNORED,
    MAX_PARTS_LEARNT,
    SketchBatch,
    SketchSong,
    make_batch,
    sketch_songs,
)
from ritornello.training.sketch_loss import losses, torch_operations
from ritornello.training.songs import SplitScores
from ritornello.training.start import TrainingStart, open_model

MAX_SONGS = 4096  # the most songs of a corpus that are learnt, evenly spaced
MAX_HELD_OUT = 128
BATCH, CHUNK = 16, 128  # songs; the songs of a chunk are sorted by size, so that little is padded
MAX_BATCH_SIZE = 3000  # the most songs * bars * (parts + 2) of a batch; with long songs it has fewer songs
LEARNING_RATE, WARMUP_STEPS, WEIGHT_DECAY = 2e-3, 100, 0.05
# From another sketch network: with the whole rate, 100 rock songs are learnt by heart after 40 steps
RATE_FROM_START = 4e-4
DROPOUT = 0.1
LABEL_POWER = 0.5  # labels are drawn by their number of songs to this power
AVERAGE = 0.998  # the weight of the past in the running average of the weights
MEASURED_EVERY = 250
# A run trains its sketch network for this share of its minutes, or this many steps for each of its own
SHARE_OF_MINUTES, MOST_MINUTES = 0.15, 20.0
SHARE_OF_STEPS, MOST_STEPS = 0.75, 4000
# Heads of attention look this far at first, the last one at the origin: what they would learn slowly
FIRST_DISTANCES, FIRST_BIAS = (4, 8), 0.4
# Pointers, chords and textures have most of the bits; an even sum learns cadences and origins too slowly
LOSS_WEIGHTS = {"origin": 1.0, "similarity": 0.5, "cadence": 1.0, "chord": 1.5, "motif": 0.5}
LOSS_WEIGHTS |= {"closing_onset": 0.7, "closing_pitch": 1.0}
LOSS_WEIGHTS |= {"presence": 0.2, "notes": 1.0, "pitch": 0.7}


@dataclass
class SketchTraining:
    """A trained sketch network, and the measurements on held-out songs during training."""

    sketcher: Sketcher
    log: list[dict[str, float]] = field(default_factory=list)


def corpus_plans(corpus: Corpus, split: str, representation: Any, most: int) -> list[Plan]:
    """Return the complete plans of at most `most` songs of a split, evenly spaced."""
    scores = SplitScores(corpus, split)
    labels, count = scores.labels, len(scores)
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64)).tolist()
    return [song_plan(scores[song], labels[song], representation) for song in chosen]


def train_sketch(
    corpus: Corpus,
    labels: Sequence[str],
    representation: Any,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    start: Sketcher | None = None,
    most_songs: int = MAX_SONGS,
    dropout: float = DROPOUT,
    report: Callable[[int, dict[str, float]], None] | None = None,
) -> SketchTraining | None:
    """Train for some `minutes` or `steps`, from `start` if it is given; None if no song can be learnt.

    The minutes include the reading of the songs. Labels that `start` lacks begin with the mean of the others.
    At most `most_songs` are learnt, evenly spaced. `dropout` is the share of numbers set to 0.
    """
    began = time.perf_counter()
    learnt = sketch_songs(corpus_plans(corpus, "train", representation, most_songs), labels)
    if not learnt:
        return None
    held_out = sketch_songs(corpus_plans(corpus, "valid", representation, MAX_HELD_OUT), labels)
    left = None if minutes is None else minutes * 60 - (time.perf_counter() - began)
    trainer = SketchTrainer(labels, seed, start, dropout)
    return trainer.train(learnt, held_out or learnt[:BATCH], left, steps, report)


class SketchTrainer:
    """The weights, their mean over steps, and the optimizer."""

    def __init__(
        self, labels: Sequence[str], seed: int, start: Sketcher | None = None, dropout: float = DROPOUT
    ) -> None:
        self.labels, self.seed, self.dropout = tuple(labels), seed, dropout
        config = start.config if start else SketchConfig()
        self.config = config._replace(labels=len(labels))
        self.start = start
        self.learning_rate = RATE_FROM_START if start else LEARNING_RATE
        self.weights = start_weights(self.config, seed, start, self.labels)
        self.average = {name: weight.detach().clone() for name, weight in self.weights.items()}
        decayed = [w for w in self.weights.values() if w.dim() > 1]
        others = [w for w in self.weights.values() if w.dim() == 1]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=self.learning_rate)

    def train(
        self,
        learnt: Sequence[SketchSong],
        held_out: Sequence[SketchSong],
        seconds: float | None,
        steps: int | None,
        report: Callable[[int, dict[str, float]], None] | None = None,
    ) -> SketchTraining:
        """Train for some seconds or steps; the weights with the best measurement are kept."""
        began, step, log = time.perf_counter(), 0, list[dict[str, float]]()
        best, lowest = dict[str, Tensor](), math.inf
        batches = _batches(learnt, np.random.default_rng(self.seed))
        measured = _held_out_batches(held_out)
        done = 0.0
        while done < 1:
            self._step(next(batches), step, done)
            step += 1
            done = step / steps if steps else (time.perf_counter() - began) / max(seconds or 0, 1e-9)
            if step % MEASURED_EVERY == 0 or done >= 1:
                nats = self.measure(measured)
                loss = sum(LOSS_WEIGHTS[name] * value for name, value in nats.items())
                log.append({"step": step, "loss": loss, **nats})
                if not loss >= lowest:
                    best = {name: weight.clone() for name, weight in self.average.items()}
                    lowest = loss
                if report:
                    report(step, log[-1])
        weights = {name: weight.numpy() for name, weight in best.items()}
        profiles = self._profiles(learnt)
        config = self.config._replace(profiles=len(profiles))
        return SketchTraining(Sketcher(config, self.labels, weights, profiles), log)

    def _profiles(self, learnt: Sequence[SketchSong]) -> Profiles:
        """Return the profiles of the songs learnt, and those of the start of labels without any."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        songs = [(numbers.get(s.label, len(numbers)), s.plan_numbers, s.variables) for s in learnt]
        found = Profiles.of(songs)
        if self.start:
            found = found.joined(self.start.profiles, [*map(numbers.get, self.start.labels), None])
        return found

    def measure(self, batches: Sequence[SketchBatch]) -> dict[str, float]:
        """Return the loss of each kind of variable, in nats a variable, of the mean weights."""
        sums: dict[str, float] = defaultdict(float)
        counts = Counter[str]()
        with torch.no_grad():
            for batch in batches:
                for name, loss in losses(self._network(self.average, training=False), batch).items():
                    count = int((batch.targets[name] != IGNORED).sum())
                    sums[name] += float(loss) * count
                    counts[name] += count
        return {name: sums[name] / max(counts[name], 1) for name in sums}

    def _step(self, batch: SketchBatch, step: int, done: float) -> None:
        """Take one step; the learning rate rises for WARMUP_STEPS and falls to zero as a cosine."""
        falling = 0.5 * (1 + math.cos(math.pi * min(done, 1)))
        rate = self.learning_rate * min(1, (step + 1) / WARMUP_STEPS) * falling
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(self.seed * 1_000_003 + step)
        losses_of_kinds = losses(self._network(self.weights, training=True), batch)
        if not losses_of_kinds:  # in a batch of one song it happens that nothing is hidden
            return
        loss = torch.stack([LOSS_WEIGHTS[name] * value for name, value in losses_of_kinds.items()]).sum()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(list(self.weights.values()), 1.0)
        self.optimizer.step()
        past = min(AVERAGE, (1 + step) / (10 + step))
        with torch.no_grad():
            averages = [self.average[name] for name in self.weights]
            torch._foreach_lerp_(averages, [w.detach() for w in self.weights.values()], 1 - past)

    def _network(self, weights: Mapping[str, Tensor], training: bool) -> Network:
        return Network(weights, self.config, torch_operations(self.dropout if training else 0.0))


def song_plan(score: Any, labels: tuple[str, ...], representation: Any) -> Plan:
    """Return the complete plan of a song: the plan of `infer_plan` with chords, returns and sketch."""
    song = representation.canonical(without_leading_silence(score))[0]
    timeline = representation.timeline(song)
    sketch = timeline.sketch or compute_sketch(song, timeline)
    returns = tuple(zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True))
    plan = infer_plan(song, labels)
    return replace(plan, chords=timeline.chords, returns=returns, sketch=sketch)


def start_weights(
    config: SketchConfig, seed: int, start: Sketcher | None, labels: Sequence[str]
) -> dict[str, Tensor]:
    """Return random weights of the shapes `weight_shapes` (...,), or those of `start` for the labels."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in weight_shapes(config).items():
        last = name.rpartition(".")[2]
        if len(shape) == 1:
            weight = torch.ones(shape) if last.endswith("norm") else torch.zeros(shape)
        elif (
            last in ("mix", "out", "profile", "part_distance", "chord_counts", *CLOSINGS)
            or last.endswith(("_near", "_step", "_by_relation"))
            or last.startswith(("distance", "relation"))
            or "_relation" in last
        ):
            weight = torch.zeros(shape)
        else:
            weight = torch.randn(shape, generator=generator) * min(0.1, max(shape[0], 1) ** -0.5)
        if last.endswith("_steps"):  # the classes next to a near one
            weight = torch.ones(shape).tril(1).triu(-1) - torch.eye(shape[0])
        weights[name] = weight
        if last == "distance" and config.heads >= len(FIRST_DISTANCES):
            for head, distance in enumerate(FIRST_DISTANCES):
                weight[[MAX_DISTANCE - distance, MAX_DISTANCE + distance], head] = FIRST_BIAS
        elif last in ("relation", "origin_relation_before", "origin_relation_after"):
            weight[1 : SIMILARITIES + 1, -1] = FIRST_BIAS  # a bar that returns, and its origin
    if start:
        weights |= {name: torch.tensor(array) for name, array in start.weights.items()}
        rows = weights["label"]
        mean = rows.mean(0) if len(rows) else torch.zeros(config.width)
        start_rows = {label: rows[row] for row, label in enumerate(start.labels)}
        weights["label"] = torch.stack([start_rows.get(label, mean) for label in labels] or [mean])
    return {name: weight.clone().requires_grad_() for name, weight in weights.items()}


def _size(song: SketchSong) -> int:
    """The approximate cost of learning from a song."""
    return len(song.length_ticks) * (2 + min(len(song.variables.notes), MAX_PARTS_LEARNT))


def _batches(songs: Sequence[SketchSong], generator: np.random.Generator) -> Any:
    """Yield batches without end; labels are drawn by their number of songs to LABEL_POWER."""
    counts = Counter(song.label for song in songs)
    weights = np.array([counts[song.label] ** (LABEL_POWER - 1) for song in songs])
    weights /= weights.sum()
    while True:
        drawn = [songs[number] for number in generator.choice(len(songs), CHUNK, p=weights)]
        batches: list[list[SketchSong]] = [[]]
        for song in sorted(drawn, key=_size):
            if len(batches[-1]) == BATCH or (len(batches[-1]) + 1) * _size(song) > MAX_BATCH_SIZE:
                batches.append([])
            batches[-1].append(song)
        for place in generator.permutation(len(batches)).tolist():
            if batches[place]:
                yield make_batch(batches[place], generator)


def _held_out_batches(songs: Sequence[SketchSong]) -> list[SketchBatch]:
    """The held-out songs in fixed batches."""
    generator = np.random.default_rng(0)
    ordered = sorted(songs, key=lambda song: len(song.length_ticks))
    return [make_batch(ordered[first : first + BATCH], generator) for first in range(0, len(ordered), BATCH)]


def sketch_of_run(
    corpus: Corpus, folder: Path, start: TrainingStart, config: TrainConfig, epoch_steps: float
) -> SketchTraining | None:
    """Return the sketch network of a training run of notes, trained before its first step.

    It takes a share of the minutes or steps, starts from the sketch network of the model of --init, and is
    not trained again when a run is continued. `epoch_steps` is the number of steps of a pass over the corpus.
    Returns None for representations without sketches, and if `sketch_steps` is 0. Raises ModelError.
    """
    if not getattr(start.representation, "has_sketches", False) or config.sketch_steps == 0:
        return None
    if (folder / "model.json").is_file() and (before := Sketcher.of(open_model(folder, config))):
        return SketchTraining(before)
    first = Sketcher.of(open_model(config.init, config)) if config.init else None
    steps = config.pace[-1][1] if config.pace else config.steps
    steps = math.ceil(config.epochs * epoch_steps) if config.epochs else steps
    minutes = None
    if config.sketch_steps or steps:
        steps = config.sketch_steps or max(1, min(round(SHARE_OF_STEPS * (steps or 0)), MOST_STEPS))
    else:
        minutes = min(SHARE_OF_MINUTES * (config.minutes or 0), MOST_MINUTES)
    train = partial(train_sketch, corpus, start.labels, start.representation, seed=config.seed, start=first)
    return train(minutes=minutes, steps=steps)
