"""How fast training is: notes a second beside its peers, share of the processor's peak, two processes.

    OMP_NUM_THREADS=1 python benchmarks/speed.py CORPUS --out DIR --peers PEERS/bin/python [--minutes 0.7]

CORPUS as in `benchmarks/pop.py`. All networks have about 4.3 million weights and one thread. Each is timed
on its own, one after another, and the better of its rounds counts; *busy* is processor time, which says more
on a machine that others use too. A note is 3.6 tokens of REMI, or one row.

Share of the peak: multiplications in the layers (forward and backward: 6 operations a weight and row, what is
looked up in tables not counted), over what a product of two square matrices reaches on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pop import export
from ritornello import Corpus, Model
from ritornello.training.train import train

HERE = Path(__file__).resolve()
WARM = 0.4  # share of a run that is not timed: songs are met for the first time
LSTM_WIDTH, WINDOW, CROPS, VOCABULARY = 496, 1024, 4, 608  # as in rivals.py


def peak(dtype: torch.dtype, size: int = 1536, seconds: float = 3.0) -> float:
    """Operations a second of processor time in a product of square matrices."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    rounds, busy = 0, time.process_time()
    while time.process_time() - busy < seconds:
        a @ b
        rounds += 1
    return rounds * 2 * size**3 / (time.process_time() - busy)


def own(corpus: Path, out: Path, network: str, minutes: float) -> dict[str, float]:
    """Notes a second of `ritornello train`, measurements and all, after the first songs were met."""
    shutil.rmtree(out, ignore_errors=True)
    times: list[tuple[int, float, float]] = []

    def report(state: Any, losses: dict[str, float]) -> None:
        times.append((state.step, time.perf_counter(), time.process_time()))

    train(corpus, out, network=network, minutes=minutes, threads=1, memory_mb=4096, report=report)
    model = Model.open(out)
    (first, began, busy), (last, ended, stopped) = times[int(WARM * len(times))], times[-1]
    rows = (last - first) * model.info["training"]["batch"] * model.info["network"]["config"]["window"]
    layers = sum(module.weight.numel() for module in matrices(model.network_in_torch()))
    per_row = rows_per_note(model, corpus)
    return {
        "notes_s": rows / per_row / (ended - began),
        "busy_notes_s": rows / per_row / (stopped - busy),
        "operations_s": 6 * layers * rows / (stopped - busy),
        "weights": model.info["parameters"],
    }


def matrices(network: nn.Module) -> list[Any]:
    """What each row is multiplied by: all Linear layers but the plan's, which is one row a crop."""
    return [
        module for name, module in network.named_modules() if isinstance(module, nn.Linear) and name != "plan"
    ]


def rows_per_note(model: Model, corpus: Path) -> float:
    """Rows (WAIT and END are such, too) for each note of some songs."""
    opened = Corpus.open(corpus)
    songs = [opened.score(int(song)) for song in opened.songs("train")[:40]]
    return sum(len(model.representation.encode(s).values) for s in songs) / sum(map(len, songs))


def rival(peers: str, songs: Path, out: Path, network: str, minutes: float) -> dict[str, float]:
    """Notes a second of a network of `benchmarks/rivals.py`."""
    command = [peers, str(HERE.with_name("rivals.py")), str(songs), "--network", network, "--judge", "none"]
    command += ["--minutes", str(minutes), "--threads", "1", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1] / "src")}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    found = json.loads(out.read_text())
    busy = found["tokens"] / found["studied_busy_s"] / found["tokens_a_note"]
    return {"notes_s": found["notes_a_second"], "busy_notes_s": busy, "weights": found["weights"]}


def keras(minutes: float, tokens_a_note: float) -> dict[str, float]:
    """Notes a second of the REMI LSTM of rivals.py written in Keras: a plain loop of train_on_batch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers

    net = keras.Sequential(
        [
            layers.Embedding(VOCABULARY, LSTM_WIDTH),
            layers.LSTM(LSTM_WIDTH, return_sequences=True),
            layers.LSTM(LSTM_WIDTH, return_sequences=True),
            layers.Dense(VOCABULARY),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.AdamW(1e-3), loss=loss)
    draw = np.random.default_rng(0)

    def step() -> None:
        ids = draw.integers(0, VOCABULARY, (CROPS, WINDOW + 1))
        net.train_on_batch(ids[:, :-1], ids[:, 1:])

    step()
    steps, began, busy = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < minutes * 60:
        step()
        steps += 1
    notes = steps * CROPS * WINDOW / tokens_a_note
    return {
        "notes_s": notes / (time.perf_counter() - began),
        "busy_notes_s": notes / (time.process_time() - busy),
        "weights": net.count_params(),
    }


def processes(corpus: Path, out: Path, count: int, steps: int) -> float:
    """Steps a second of the same global batch with `count` processes of one thread, after the first songs."""
    shutil.rmtree(out / "scaled", ignore_errors=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), str(HERE)]
    command += [str(corpus), "--out", str(out), "--steps", str(steps), "--as-process"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return float((out / "scaled.txt").read_text())


def as_process(corpus: Path, out: Path, steps: int) -> None:
    """What each process of `processes` does."""
    times: list[float] = []
    train(
        corpus,
        out / "scaled",
        network="lstm",
        steps=steps,
        threads=1,
        memory_mb=4096,
        report=lambda state, losses: times.append(time.perf_counter()),
    )
    if os.environ["RANK"] == "0":
        first = int(WARM * len(times))
        (out / "scaled.txt").write_text(str((len(times) - 1 - first) / (times[-1] - times[first])))


def best(rounds: int, work: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The fastest of some rounds by processor time."""
    return max((work() for _ in range(rounds)), key=lambda found: found["busy_notes_s"])


def main() -> None:
    """Time all; the table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peers", help="a Python that has miditok, torch and transformers")
    parser.add_argument("--minutes", type=float, default=0.7, help="of each run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=150, help="of the runs with one and two processes")
    parser.add_argument("--as-process", action="store_true", help="be one process of these runs")
    options = parser.parse_args()
    if options.as_process:
        as_process(options.corpus, options.out, options.steps)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    songs, answer = options.out / "songs.npz", options.out / "rival.json"
    if not songs.exists():
        export(Corpus.open(options.corpus), songs)
    torch.set_num_threads(1)
    report(options, songs, answer)
    one, two = (processes(options.corpus, options.out, count, options.steps) for count in (1, 2))
    print(f"{one:.3f} steps a second with one process, {two:.3f} with two: {two / one:.2f} times")
    print(f"load when it ended: {os.getloadavg()[0]:.1f}")


def report(options: argparse.Namespace, songs: Path, answer: Path) -> None:
    """Time the networks beside each other, and print the table."""
    rates = {str(dtype).split(".")[1]: peak(dtype) for dtype in (torch.float32, torch.bfloat16)}
    found: dict[str, dict[str, float]] = {}
    for network in ("lstm", "transformer"):
        run = lambda network=network: own(options.corpus, options.out / "model", network, options.minutes)  # noqa: E731
        found[f"`notes`, {network}"] = best(options.rounds, run)
    for network, name in (("gpt2", "REMI, Hugging Face GPT-2"), ("lstm", "REMI, nn.LSTM")):
        run = lambda network=network: rival(options.peers, songs, answer, network, options.minutes)  # noqa: E731
        found[name] = best(options.rounds, run)
    tokens_a_note = json.loads(answer.read_text())["tokens_a_note"]
    found["REMI, LSTM in Keras on torch"] = keras(options.minutes, tokens_a_note)
    print("| | weights, M | notes/s | notes/s busy | share of peak |\n|---|---|---|---|---|")
    top = max(rates.values())
    for name, speed in found.items():
        share = f"{speed['operations_s'] / top:.0%}" if "operations_s" in speed else ""
        print(
            f"| {name} | {speed['weights'] / 1e6:.1f} | {speed['notes_s']:,.0f} | "
            f"{speed['busy_notes_s']:,.0f} | {share} |"
        )
    print("\npeak of one thread: " + ", ".join(f"{n} {r / 1e9:.0f} GFLOP/s" for n, r in rates.items()))


if __name__ == "__main__":
    main()
