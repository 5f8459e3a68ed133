"""The network of 2018 compared with simple baselines, on the next message of held-out songs."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.shared import (
    CORPUS,
    OUT,
    argument,
    benchmark,
    mean_of_seeds,
    stored,
    table,
    time_in_turns,
)
from ritornello import Corpus, Model, Score, Timeline, compose
from ritornello.legacy2018.loss import SEMITONES_PER_UNIT, SHARE
from ritornello.legacy2018.loss import OriginalLoss as Loss
from ritornello.legacy2018.messages import BEATS, DELTA, NOTE, SCALE, VELOCITY, Messages
from ritornello.models import registry
from ritornello.models.losses.curve import AMPLITUDE, Curve, CurvePoints
from ritornello.training.batches import SongRows, Windows, encode_songs
from ritornello.training.train import train

Floats = npt.NDArray[np.float32]  # rows of messages: note, velocity, delta, each from 0 to 1
Predict = Callable[[Floats], Floats]  # windows (B, T, 3) -> the next row (B, 3)


def predict_mean(train: SongRows) -> Predict:
    """Predict the mean message of the training songs."""
    row = train.values.mean(axis=0, dtype=np.float64).astype(np.float32)
    return lambda windows: np.tile(row, (len(windows), 1))


def predict_last(train: SongRows) -> Predict:
    """Predict the last message."""
    return lambda windows: windows[:, -1]


def predict_bigram(train: SongRows) -> Predict:
    """Predict what follows a message of the same pitch and kind (on, off) in the training songs.

    The note is the one that follows most often; velocity and delta are means.
    """
    state = np.rint(train.values[:, NOTE] * SCALE).astype(np.int64) * 2 + (train.values[:, VELOCITY] > 0)
    inside = np.ones(len(state) - 1, bool)
    inside[train.offsets[1:-1] - 1] = False  # the last message of a song is followed by none
    before, after = state[:-1][inside], train.values[1:][inside]
    pairs = np.zeros((256, 128), np.int64)
    np.add.at(pairs, (before, np.rint(after[:, NOTE] * SCALE).astype(np.int64)), 1)
    count = np.maximum(pairs.sum(axis=1), 1)
    next_rows = np.empty((256, 3), np.float32)
    next_rows[:, NOTE] = pairs.argmax(axis=1) / SCALE
    for column in (VELOCITY, DELTA):
        next_rows[:, column] = np.bincount(before, after[:, column], minlength=256) / count

    def predict(windows: Floats) -> Floats:
        last = windows[:, -1]
        found: Floats = next_rows[
            np.rint(last[:, NOTE] * SCALE).astype(np.int64) * 2 + (last[:, VELOCITY] > 0)
        ]
        return found

    return predict


def predict_by_network(model: Model) -> Predict:
    """Predict by the trained network."""
    net = registry.find("networks", model.network)(model.info["network"]["config"])
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in model.weights.items()})
    net.eval()

    def predict(windows: Floats) -> Floats:
        with torch.no_grad():
            found: Floats = net.dense_1(net.dense(net.lstm(torch.from_numpy(windows))[:, -1])).numpy()
        return found

    return predict


def errors(predicted: Floats, true: Floats, curve: Curve) -> dict[str, float]:
    """All figures of one predictor, from its predictions and the true rows, (N, 3) each."""
    semitones = (predicted[:, NOTE] - true[:, NOTE]) * SCALE
    squares = ((predicted - true) ** 2).mean(axis=0)
    note_loss = float(np.mean(curve(semitones)))
    wrong = np.rint(semitones).astype(np.int64)
    return {
        "loss": note_loss + SHARE * AMPLITUDE * float(squares[VELOCITY] + squares[DELTA]),
        "note loss": note_loss,
        "note error, semitones": float(np.abs(semitones).mean()),
        "note right": float((wrong == 0).mean()),
        "right or chord tone": float(np.isin(wrong % 12, (0, 4, 7)).mean()),
        "velocity error": float(np.abs(predicted - true)[:, VELOCITY].mean() * SCALE),
        "delta error, beats": float(np.abs(predicted - true)[:, DELTA].mean() * BEATS),
        "spread of notes, semitones": float(predicted[:, NOTE].std() * SCALE),
    }


def rows_of(corpus: Corpus, side: str) -> SongRows:
    """The messages of all songs of a side of the corpus."""
    songs = corpus.songs(side)
    return encode_songs((corpus.score(int(i)) for i in songs), Messages(), len(songs))


def predict_held_out(
    predictors: Mapping[str, Predict], heldout: Windows, most: int
) -> tuple[dict[str, Floats], Floats]:
    """The predictions (N, 3) of each predictor on the same held-out windows, and the true rows (N, 3)."""
    numbers = heldout.evenly_spaced(most)
    pieces: dict[str, list[Floats]] = {name: [] for name in predictors}
    true: list[Floats] = []
    for some in np.array_split(numbers, max(1, len(numbers) // 4096)):
        windows = heldout.take(some)  # (B, T+1, 3)
        true.append(windows[:, -1])
        for name, predict in predictors.items():
            pieces[name].append(predict(windows[:, :-1]))
    return {name: np.concatenate(found) for name, found in pieces.items()}, np.concatenate(true)


def compare_predictors(corpus: Corpus, model: Model, most: int) -> dict[str, dict[str, float]]:
    """The figures of each predictor on the same held-out windows."""
    train = rows_of(corpus, "train")
    heldout = Windows(rows_of(corpus, "test"), model.info["network"]["config"]["window"], 0)
    curve = Curve.from_dict(model.info["network"]["config"]["curve"])
    predictors: dict[str, Predict] = {
        "original (LSTM 48)": predict_by_network(model),
        "repeat the last message": predict_last(train),
        "mean message": predict_mean(train),
        "bigram": predict_bigram(train),
    }
    predictions, answers = predict_held_out(predictors, heldout, most)
    figures = {name: errors(predicted, answers, curve) for name, predicted in predictions.items()}
    figures["(the music itself)"] = errors(answers, answers, curve)
    return figures


def compare_songs(model: Model, corpus: Corpus, count: int = 20) -> dict[str, dict[str, Any]]:
    """Figures of 16-bar songs of `count` seeds, by spread, and of the openings of held-out songs."""
    composed = {
        f"spread {spread:g}": [compose(model, seed=seed, spread=spread).score for seed in range(count)]
        for spread in (0.0, 0.5, 1.0)
    }
    messages = Messages()
    long = [int(i) for i in corpus.songs("test") if len(Timeline.of(corpus.score(int(i)))) >= 16]
    heldout = [messages.canonical(corpus.score(i))[0] for i in long[:: max(1, len(long) // count)]]
    return {name: describe(found) for name, found in (composed | {"held-out songs": heldout}).items()}


def describe(found: list[Score]) -> dict[str, float]:
    """Means of some figures over the first 16 bars (64 beats) of songs."""
    facts: dict[str, list[float]] = defaultdict(list)
    for song in found:
        pitch = song.pitch[song.onset_ticks < 64 * song.ticks_per_beat].astype(int)
        changes = np.flatnonzero(np.diff(pitch, prepend=-1))
        facts["notes"].append(len(pitch))
        facts["different pitches"].append(len(set(pitch.tolist())))
        facts["longest run of one pitch"].append(int(np.diff(changes, append=len(pitch)).max()))
        facts["bars that have a note"].append(len(set((song.onset_ticks // 1920).tolist()) & set(range(16))))
    return {name: float(np.mean(values)) for name, values in facts.items()}


def messages_per_second(model: Model, windows: Floats, rounds: int = 5) -> dict[str, float]:
    """Messages per second of one song: the numpy step and the network in torch, in turns."""
    net, step, messages = predict_by_network(model), model.step(), len(windows)

    def in_numpy() -> None:
        step.start([None])
        for row in windows[:, -1]:
            step.logits("note")
            for name, value in zip(("note", "velocity", "delta"), row, strict=True):
                step.put(name, value)
            step.advance()

    def in_torch() -> None:
        for window in windows:
            net(window[None, :-1])

    seconds = time_in_turns({"numpy": in_numpy, "torch": in_torch}, rounds, time.perf_counter)
    return {name: messages / float(np.median(taken)) for name, taken in seconds.items()}


def as_table(figures: Mapping[str, Mapping[str, float]], digits: int, percent: tuple[str, ...] = ()) -> str:
    """A table with a column for each predictor or kind of song."""
    names = list(figures)
    lines = []
    for figure in figures[names[0]]:
        form = ".1%" if figure in percent else f".{digits}f"
        lines.append([figure, *(format(figures[name][figure], form) for name in names)])
    return table(["", *names], lines)


class SquaredErrors(Loss):
    """The loss with plain squared errors of the note; an octave costs 1."""

    def __init__(self, fields: Sequence[Any] = ()) -> None:
        super().__init__()

    def _note_costs(self, error: torch.Tensor) -> torch.Tensor:
        return (error * SEMITONES_PER_UNIT / 12) ** 2


def curve_of_wide_minima() -> Curve:
    """The default curve up to 2026-11-29, which `Curve.fit` now refuses: a semitone off costs least."""
    points = CurvePoints(pull=0.3, width_semitones=1.0, reach_semitones=24, degree=52)
    nodes = np.cos(np.pi * (np.arange(106) + 0.5) / 106)
    coefficients = np.polynomial.chebyshev.chebfit(nodes, points.target(24 * nodes), 52)
    return Curve(points, tuple(coefficients.tolist()), 0.03)


def settings_by_loss() -> dict[str, dict[str, Any]]:
    """The settings of training with each of the losses that are compared."""
    return {
        "curve": {},
        "curve, velocity and time by variance": {"network_config": {"weighting": "variance"}},
        "curve of minima a semitone wide": {"network_config": {"curve": curve_of_wide_minima().to_dict()}},
        "squared errors": {"loss": f"{Path(__file__).resolve()}:SquaredErrors"},
    }


def figures_of_loss(
    out: Path, seed: int, settings: Mapping[str, Any], heldout: Windows, options: argparse.Namespace
) -> dict[str, float]:
    """Train with the settings of a loss; the figures on held-out windows, by the default curve."""
    steps = options.steps
    settings = {"network": "original", "steps": steps, "measure_every": steps, "threads": 1, **settings}
    model = train(options.corpus, out, seed=seed, **settings)
    predictions, true = predict_held_out({"": predict_by_network(model)}, heldout, options.windows)
    return errors(predictions[""], true, Curve.fit())


@benchmark(
    CORPUS,
    OUT,
    argument("--steps", type=int, default=1200, help="of training (default: %(default)s)"),
    argument("--seeds", type=int, default=3),
    argument("--windows", type=int, default=50_000, help="held-out windows (default: %(default)s)"),
)
def original_losses(options: argparse.Namespace) -> None:
    """Train the network of 2018 with several losses for the same number of steps, with several seeds.

    Each cell has the mean over seeds and the value of each seed, on held-out windows: the ablation of
    docs/original.md.
    """
    torch.set_num_threads(1)
    heldout = Windows(rows_of(Corpus.open(options.corpus), "test"), 50, 0)
    names = ["note right", "right or chord tone", "note error, semitones"]
    names += ["velocity error", "delta error, beats", "spread of notes, semitones"]
    lines = []
    for loss, settings in settings_by_loss().items():
        runs = [(options.out / f"{loss.replace(' ', '-')}-{seed}", seed) for seed in range(options.seeds)]
        found = [
            stored(out.with_suffix(".json"), partial(figures_of_loss, out, seed, settings, heldout, options))
            for out, seed in runs
        ]
        lines.append([loss, *(mean_of_seeds([one[name] for one in found]) for name in names)])
    print(table(["loss", *names], lines))


@benchmark(
    CORPUS,
    argument("model", type=Path, help="a model folder of the network `original`"),
    argument("--windows", type=int, default=100_000, help="held-out windows (default: %(default)s)"),
)
def original(options: argparse.Namespace) -> None:
    """Compare the network of 2018 with simple baselines, and its songs with held-out songs.

    The tables are those of docs/original.md: the loss it was trained on, errors in plain units, how often the
    note is right or a chord tone of the right one, and how much the predictions vary; then figures of
    composed songs, and how many messages are composed in a second.
    """
    torch.set_num_threads(1)
    corpus, model = Corpus.open(options.corpus), Model.open(options.model)
    percent = ("note right", "right or chord tone")
    print(as_table(compare_predictors(corpus, model, options.windows), 3, percent))
    print("\n" + as_table(compare_songs(model, corpus), 1))
    draw = np.random.default_rng(0).uniform(0, 1, (400, 51, 3)).astype(np.float32)
    speeds = messages_per_second(model, draw)
    shown = ", ".join(f"{count:,.0f} in {name}" for name, count in speeds.items())
    print(f"\nmessages per second of one song, one thread: {shown}")
