"""Speed of training: notes per second compared with other tools, share of the peak, and batches alone."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.pop.pop import export_songs, run_rival
from benchmarks.shared import CORPUS, ROOT, argument, benchmark, load, peak_memory_mb, table
from ritornello import Corpus, Model
from ritornello.models.plan_vector import PlanEncoder
from ritornello.representations.notes import Notes
from ritornello.system.files import sha256_file, write_json
from ritornello.training.crops import Crops
from ritornello.training.songs import EncodedSongs, SplitScores

WARM_UP = 0.4  # share of a run that is not timed: in it songs are encoded for the first time
LSTM_WIDTH, WINDOW_TOKENS, CROPS_PER_STEP, VOCABULARY = 496, 1024, 4, 608  # as in `rivals`
BATCH, WINDOW_ROWS = 32, 256  # of `loader`
Speed = dict[str, float]


def peak_operations_s(dtype: Any, size: int = 1536, seconds: float = 3.0) -> float:
    """Floating-point operations per second of processor time in a product of square matrices."""
    import torch

    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    rounds, busy = 0, time.process_time()
    while time.process_time() - busy < seconds:
        a @ b
        rounds += 1
    return rounds * 2 * size**3 / (time.process_time() - busy)


def measure_training(corpus: Path, out: Path, network: str, minutes: float) -> Speed:
    """Notes per second of `ritornello train`, its measurements included, after the warm-up."""
    from torch import nn

    from ritornello.training.train import train

    shutil.rmtree(out, ignore_errors=True)
    times: list[tuple[int, float, float]] = []

    def report(state: Any, losses: dict[str, float]) -> None:
        times.append((state.step, time.perf_counter(), time.process_time()))

    train(corpus, out, network=network, minutes=minutes, threads=1, memory_mb=4096, report=report)
    model = Model.open(out)
    (first, began, busy), (last, ended, stopped) = times[int(WARM_UP * len(times))], times[-1]
    rows = (last - first) * model.info["training"]["batch"] * model.info["network"]["config"]["window"]
    # each row is multiplied by all Linear layers but the plan's, which has one row per crop
    modules = dict(model.network_in_torch().named_modules())
    linear = {name: part for name, part in modules.items() if isinstance(part, nn.Linear) and name != "plan"}
    weights = sum(part.weight.numel() for part in linear.values())
    notes = rows / rows_per_note(model, corpus)
    return {
        "notes_s": notes / (ended - began),
        "busy_notes_s": notes / (stopped - busy),
        "operations_s": 6 * weights * rows / (stopped - busy),
        "weights": model.info["parameters"],
    }


def rows_per_note(model: Model, corpus: Path) -> float:
    """Rows (WAIT and END are rows as well) per note, over some songs."""
    opened = Corpus.open(corpus)
    songs = [opened.score(int(song)) for song in opened.songs("train")[:40]]
    return sum(len(model.representation.encode(s).values) for s in songs) / sum(map(len, songs))


def measure_rival(peers: str, songs: Path, answer: Path, network: str, minutes: float) -> Speed:
    """Notes per second of a network of the benchmark `rivals`."""
    run_rival(
        peers,
        songs,
        {"network": network, "judge": "none", "minutes": minutes, "threads": 1, "out": answer},
    )
    found = json.loads(answer.read_text())
    busy = found["tokens"] / found["step_busy_s"] / found["tokens_a_note"]
    return {"notes_s": found["notes_a_second"], "busy_notes_s": busy, "weights": found["weights"]}


def measure_keras(minutes: float, tokens_per_note: float) -> Speed:
    """Notes per second of the LSTM of `rivals` written in Keras, in a loop of train_on_batch."""
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
        ids = draw.integers(0, VOCABULARY, (CROPS_PER_STEP, WINDOW_TOKENS + 1))
        net.train_on_batch(ids[:, :-1], ids[:, 1:])

    step()
    steps, began, busy = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < minutes * 60:
        step()
        steps += 1
    notes = steps * CROPS_PER_STEP * WINDOW_TOKENS / tokens_per_note
    return {
        "notes_s": notes / (time.perf_counter() - began),
        "busy_notes_s": notes / (time.process_time() - busy),
        "weights": net.count_params(),
    }


def steps_per_second(corpus: Path, out: Path, processes: int, steps: int) -> float:
    """Steps per second of the same global batch in several processes of one thread, after the warm-up."""
    shutil.rmtree(out / "scaled", ignore_errors=True)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    words = [str(corpus.resolve()), "--out", str(out.resolve()), "--steps", str(steps), "--as-process"]
    command = [*launcher, "-m", "benchmarks", "speed", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    return float((out / "scaled.txt").read_text())


def train_as_process(corpus: Path, out: Path, steps: int) -> None:
    """Train as one of the processes that `steps_per_second` starts."""
    from ritornello.training.train import train

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
        first = int(WARM_UP * len(times))
        (out / "scaled.txt").write_text(str((len(times) - 1 - first) / (times[-1] - times[first])))


def fastest(rounds: int, measure: Callable[[], Speed]) -> Speed:
    """The fastest of some rounds by processor time."""
    return max((measure() for _ in range(rounds)), key=lambda found: found["busy_notes_s"])


def print_speeds(options: argparse.Namespace, songs: Path, answer: Path) -> None:
    """Time the networks one after another, and print the table."""
    import torch

    minutes, rounds = options.minutes, options.rounds
    rates = {str(dtype).split(".")[1]: peak_operations_s(dtype) for dtype in (torch.float32, torch.bfloat16)}
    found: dict[str, Speed] = {}
    for network in ("lstm", "transformer"):
        run = partial(measure_training, options.corpus, options.out / "model", network, minutes)
        found[f"`notes`, {network}"] = fastest(rounds, run)
    if options.peers:
        for network, name in (("gpt2", "REMI, Hugging Face GPT-2"), ("lstm", "REMI, nn.LSTM")):
            run = partial(measure_rival, options.peers, songs, answer, network, minutes)
            found[name] = fastest(rounds, run)
        tokens_per_note = json.loads(answer.read_text())["tokens_a_note"]
        found["REMI, LSTM in Keras on torch"] = measure_keras(minutes, tokens_per_note)
    top = max(rates.values())
    lines = []
    for name, speed_ in found.items():
        of_peak = f"{speed_['operations_s'] / top:.0%}" if "operations_s" in speed_ else ""
        notes = [f"{speed_[key]:,.0f}" for key in ("notes_s", "busy_notes_s")]
        lines.append([name, f"{speed_['weights'] / 1e6:.1f}", *notes, of_peak])
    print(table(["", "weights, M", "notes/s", "notes/s busy", "share of peak"], lines))
    print("\npeak of one thread: " + ", ".join(f"{n} {r / 1e9:.0f} GFLOP/s" for n, r in rates.items()))


@benchmark(
    CORPUS,
    argument("--out", type=Path, required=True, help="a folder for models and exported songs"),
    argument("--peers", metavar="PYTHON", help="an interpreter that has miditok, torch and transformers"),
    argument("--minutes", type=float, default=0.7, help="of each run (default: %(default)s)"),
    argument("--rounds", type=int, default=2),
    argument("--steps", type=int, default=150, help="of the runs with one and with two processes"),
    argument("--as-process", action="store_true", help=argparse.SUPPRESS),
    one_thread=True,
)
def speed(options: argparse.Namespace) -> None:
    """Time the training of networks of about 4.3 million weights, each on one thread.

    CORPUS as in `pop`. The networks are timed one after another, and the best of their rounds counts. *busy*
    is by processor time, which says more on a machine that others use too. A note is 3.6 tokens of REMI, or
    about one row. Without --peers only Ritornello's networks are timed.

    Share of the peak: the multiplications in the layers (6 operations per weight and row for forward and
    backward; embeddings not counted), divided by what a product of two square matrices reaches on this
    machine. In the end the same training runs with one and with two processes.
    """
    import torch

    if options.as_process:
        train_as_process(options.corpus, options.out, options.steps)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    songs, answer = options.out / "songs.npz", options.out / "rival.json"
    if not songs.exists():
        export_songs(Corpus.open(options.corpus), songs)
    torch.set_num_threads(1)
    print_speeds(options, songs, answer)
    one, two = (steps_per_second(options.corpus, options.out, count, options.steps) for count in (1, 2))
    print(f"{one:.3f} steps per second with one process, {two:.3f} with two: {two / one:.2f} times")
    print(f"load at the end: {load():.1f}")


def write_repeated(corpus: Path, out: Path, songs: int) -> None:
    """Write a corpus of `songs` songs to train: the index of `corpus`, repeated; the rest are links to it."""
    opened = Corpus.open(corpus)
    out.mkdir()
    (corpus / "encoded").mkdir(exist_ok=True)
    for name in ("shards", "encoded"):
        (out / name).symlink_to((corpus / name).resolve())
    times = -(-songs // len(opened.songs("train")))
    pq.write_table(pa.concat_tables([opened.index] * times), out / "index.parquet")
    index = {"index.parquet": ((out / "index.parquet").stat().st_size, sha256_file(out / "index.parquet"))}
    files = {"index": index, "files": times * len(opened), "kept": times * len(opened.songs())}
    write_json(out / "manifest.json", {**opened.manifest, **files})


def print_batches(name: str, songs: EncodedSongs, steps: int) -> None:
    """Make the batches of some steps, and print how fast."""
    labels = sorted({one for some in songs.labels for one in some})
    crops = Crops(songs, PlanEncoder(labels), WINDOW_ROWS, 0)
    busy = time.process_time()
    for step in range(steps):
        crops.batch(step, BATCH)
    seconds = time.process_time() - busy
    print(f"{name}: {steps * BATCH * WINDOW_ROWS / seconds:,.0f} rows per second of processor time,", end=" ")
    print(f"{1000 * seconds / steps:.1f} ms a batch, at most {peak_memory_mb():.0f} MB", flush=True)


def print_waiting(corpus: Path, out: Path, size: str, steps: int) -> None:
    """Train some steps, and print which share of their time they waited for a batch."""
    from ritornello.training.batches import PrefetchedBatches
    from ritornello.training.train import train

    waited: list[float] = []
    ends: list[float] = []
    batch = PrefetchedBatches.batch

    def timed(self: Any, *place: int) -> Any:
        began = time.perf_counter()
        found = batch(self, *place)
        waited.append(time.perf_counter() - began)
        return found

    PrefetchedBatches.batch = timed  # type: ignore[method-assign, assignment]
    try:
        train(
            corpus,
            out,
            steps=steps,
            threads=1,
            network_config={"size": size},
            report=lambda *_: ends.append(time.perf_counter()),
        )
    finally:
        PrefetchedBatches.batch = batch  # type: ignore[method-assign]
    first = 3  # steps that are not timed
    step_s, wait_s = np.median(np.diff(ends[:-1])[first:]), np.median(waited[first:])
    print(f"{size}: a step takes {step_s:.2f} s and waits {wait_s / step_s:.1%} of it;", end=" ")
    print(f"at most {peak_memory_mb():.0f} MB", flush=True)


@benchmark(
    CORPUS,
    argument("--songs", type=int, default=100_000, help="of the repeated corpus (default: %(default)s)"),
    argument("--steps", type=int, default=300, help="batches (default: %(default)s)"),
    argument("--memory", type=int, default=256, help="MB of songs that are kept without the cache"),
    argument("--sizes", nargs="*", default=["tiny", "small"], help="networks that are trained"),
    argument("--train-steps", type=int, default=30, help="of each network (default: %(default)s)"),
)
def loader(options: argparse.Namespace) -> None:
    """Make the batches of a corpus of --songs songs, without and with the cache of encoded songs.

    The index of CORPUS is repeated until its train side has --songs songs; its encoded songs are written
    into CORPUS, as `train` does. Networks are trained for some steps, with one thread. Without the cache each
    song is encoded when it is drawn, unless it is one of those that are kept; repeated songs are as new.
    Memory is the most that this process had until then; the first line says how much of it torch and other
    libraries take.
    """
    import torch

    imported = peak_memory_mb()
    with tempfile.TemporaryDirectory() as folder:
        repeated = Path(folder) / "corpus"
        write_repeated(options.corpus, repeated, options.songs)
        side = SplitScores(Corpus.open(repeated), "train")
        print(f"{len(side):,} songs, {side.notes.sum() / 1e6:.0f} million notes;", end=" ")
        print(f"{imported:.0f} MB after imports, torch {torch.__version__}", flush=True)
        began = time.perf_counter()
        cached = EncodedSongs.of_split(side, Notes())
        notes = side.notes[np.unique(side.draws)].sum()
        print(f"cache: {notes:,} notes in {time.perf_counter() - began:.1f} s;", end=" ")
        packs = Path(cached.cache.folder).glob("*.pack") if cached.cache else []
        print(f"{sum(path.stat().st_size for path in packs) / notes:.1f} bytes a note on disk", flush=True)
        print_batches("with the cache", cached, options.steps)
        for size in options.sizes:
            print_waiting(repeated, Path(folder) / size, size, options.train_steps)
        plain = EncodedSongs(side, Notes(), side.labels, side.notes, options.memory)
        print_batches("without", plain, max(1, options.steps // 10))
