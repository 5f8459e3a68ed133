"""The original network of 2018 against simple baselines, on the next message of held-out songs.

    python benchmarks/original.py CORPUS MODEL [--windows 100000]

Prints the table of docs/original.md: the loss it was trained on, errors in plain units, how often the note
is right or a chord tone of the right one, and how much of the music's variety the predictions keep; then what
composed songs are like.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ritornello import Corpus, Model, Score, Timeline, compose
from ritornello.legacy2018.loss import SHARE
from ritornello.legacy2018.messages import BEATS, DELTA, NOTE, PITCHES, VELOCITY, Messages
from ritornello.models import registry
from ritornello.models.losses.curve import AMPLITUDE, Curve
from ritornello.training.batches import SongRows, Windows, encode_songs

Rows = npt.NDArray[np.float32]
Predict = Callable[[Rows], Rows]  # windows (B, T, 3) -> the next row (B, 3)


def mean(train: SongRows) -> Predict:
    """The mean message of the training songs, always."""
    row = train.values.mean(axis=0, dtype=np.float64).astype(np.float32)
    return lambda windows: np.tile(row, (len(windows), 1))


def repeat(train: SongRows) -> Predict:
    """The last message again."""
    return lambda windows: windows[:, -1]


def bigram(train: SongRows) -> Predict:
    """What follows a message of this pitch and kind (on, off) in the training songs.

    The note is the one that follows most often; velocity and delta are means.
    """
    state = np.rint(train.values[:, NOTE] * PITCHES).astype(np.int64) * 2 + (train.values[:, VELOCITY] > 0)
    inside = np.ones(len(state) - 1, bool)
    inside[train.offsets[1:-1] - 1] = False  # the last message of a song is followed by none
    before, after = state[:-1][inside], train.values[1:][inside]
    pairs = np.zeros((256, 128), np.int64)
    np.add.at(pairs, (before, np.rint(after[:, NOTE] * PITCHES).astype(np.int64)), 1)
    count = np.maximum(pairs.sum(axis=1), 1)
    table = np.empty((256, 3), np.float32)
    table[:, NOTE] = pairs.argmax(axis=1) / PITCHES
    for column in (VELOCITY, DELTA):
        table[:, column] = np.bincount(before, after[:, column], minlength=256) / count

    def predict(windows: Rows) -> Rows:
        last = windows[:, -1]
        found: Rows = table[np.rint(last[:, NOTE] * PITCHES).astype(np.int64) * 2 + (last[:, VELOCITY] > 0)]
        return found

    return predict


def network(model: Model) -> Predict:
    """The trained network."""
    net = registry.find("networks", model.network)(model.info["network"]["config"])
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in model.weights.items()})
    net.eval()

    def predict(windows: Rows) -> Rows:
        with torch.no_grad():
            found: Rows = net.predict_next(torch.from_numpy(windows)).numpy()
        return found

    return predict


def score(predicted: Rows, true: Rows, curve: Curve) -> dict[str, float]:
    """All figures of one predictor over rows (N, 3)."""
    semitones = (predicted[:, NOTE] - true[:, NOTE]) * PITCHES
    squares = ((predicted - true) ** 2).mean(axis=0)
    note_loss = float(np.mean(curve(semitones)))
    wrong = np.rint(semitones).astype(np.int64)
    return {
        "loss": note_loss + SHARE * AMPLITUDE * float(squares[VELOCITY] + squares[DELTA]),
        "note loss": note_loss,
        "note error, semitones": float(np.abs(semitones).mean()),
        "note right": float((wrong == 0).mean()),
        "right or chord tone": float(np.isin(wrong % 12, (0, 4, 7)).mean()),
        "velocity error": float(np.abs(predicted - true)[:, VELOCITY].mean() * PITCHES),
        "delta error, beats": float(np.abs(predicted - true)[:, DELTA].mean() * BEATS),
        "spread of notes, semitones": float(predicted[:, NOTE].std() * PITCHES),
    }


def measure(corpus: Corpus, model: Model, most: int) -> dict[str, dict[str, float]]:
    """The figures of every predictor on the same held-out windows."""
    representation = registry.find("representations", "messages")()

    def rows(side: str) -> SongRows:
        songs = corpus.songs(side)
        return encode_songs((corpus.score(int(i)) for i in songs), representation, len(songs))

    train, heldout = rows("train"), Windows(rows("test"), model.info["network"]["config"]["window"], 0)
    curve = Curve.of(model.info["network"]["config"]["curve"])
    numbers = heldout.spread(most)
    predictors: dict[str, Predict] = {
        "original (LSTM 48)": network(model),
        "repeat the last message": repeat(train),
        "mean message": mean(train),
        "bigram": bigram(train),
    }
    pieces: dict[str, list[Rows]] = {name: [] for name in predictors}
    true: list[Rows] = []
    for some in np.array_split(numbers, max(1, len(numbers) // 4096)):
        windows = heldout.take(some)  # (B, T+1, 3)
        true.append(windows[:, -1])
        for name, predict in predictors.items():
            pieces[name].append(predict(windows[:, :-1]))
    answers = np.concatenate(true)
    table = {name: score(np.concatenate(found), answers, curve) for name, found in pieces.items()}
    table["(the music itself)"] = score(answers, answers, curve)
    return table


def songs(model: Model, corpus: Corpus, count: int = 20) -> dict[str, dict[str, Any]]:
    """What 16-bar songs of `count` seeds are like, by spread, beside the openings of held-out songs."""
    composed = {
        f"spread {spread:g}": [compose(model, seed=seed, spread=spread).score for seed in range(count)]
        for spread in (0.0, 0.5, 1.0)
    }
    messages = Messages()
    long = [int(i) for i in corpus.songs("test") if len(Timeline.of(corpus.score(int(i)))) >= 16]
    heldout = [messages.canonical(corpus.score(i))[0] for i in long[:: max(1, len(long) // count)]]
    return {name: describe(found) for name, found in (composed | {"held-out songs": heldout}).items()}


def describe(found: list[Score]) -> dict[str, float]:
    """Means over the first 16 bars (64 beats) of some songs."""
    facts: dict[str, list[float]] = defaultdict(list)
    for song in found:
        pitch = song.pitch[song.onset_ticks < 64 * song.ticks_per_beat].astype(int)
        changes = np.flatnonzero(np.diff(pitch, prepend=-1))
        facts["notes"].append(len(pitch))
        facts["different pitches"].append(len(set(pitch.tolist())))
        facts["longest run of one pitch"].append(int(np.diff(changes, append=len(pitch)).max()))
        facts["bars that have a note"].append(len(set((song.onset_ticks // 1920).tolist()) & set(range(16))))
    return {name: float(np.mean(values)) for name, values in facts.items()}


def speed(model: Model, windows: Rows, rounds: int = 5) -> str:
    """Messages a second composing alone: our step in numpy beside the network in torch, in turn."""
    net, step = network(model), model.step()
    rows = windows[:, -1][:400]
    times: dict[str, list[float]] = {"numpy": [], "torch": []}
    for _ in range(rounds):
        began = perf_counter()
        step.start([None])
        for row in rows:
            step.logits("note")
            for name, value in zip(("note", "velocity", "delta"), row, strict=True):
                step.put(name, value)
            step.advance()
        middle = perf_counter()
        for window in windows[:400]:
            net(window[None, :-1])
        times["numpy"].append(middle - began)
        times["torch"].append(perf_counter() - middle)
    ours, theirs = (400 / float(np.median(times[name])) for name in ("numpy", "torch"))
    return f"{ours:,.0f} messages a second in numpy, {theirs:,.0f} in torch (one song, one thread)"


def as_markdown(table: dict[str, dict[str, Any]]) -> str:
    """The table with predictors (or kinds of songs) as columns."""
    names = list(table)
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for figure in table[names[0]]:
        share = figure in ("note right", "right or chord tone")
        digits = 1 if "different pitches" in table[names[0]] else 3
        values = (f"{table[n][figure]:.1%}" if share else f"{table[n][figure]:.{digits}f}" for n in names)
        lines.append(f"| {figure} | " + " | ".join(values) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("corpus")
    parser.add_argument("model")
    parser.add_argument("--windows", type=int, default=100_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    opened, trained = Corpus.open(given.corpus), Model.open(given.model)
    print(as_markdown(measure(opened, trained, given.windows)))
    print("\n" + as_markdown(songs(trained, opened)))
    draw = np.random.default_rng(0).uniform(0, 1, (400, 51, 3)).astype(np.float32)
    print("\n" + speed(trained, draw))
