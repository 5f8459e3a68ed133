"""Notes per second of the numpy steps alone, compared with the memory's speed, torch and midigpt."""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.shared import argument, benchmark
from ritornello.models import registry
from ritornello.models.plan_vector import PlanEncoder
from ritornello.representations.notes import Notes
from ritornello.representations.table import start_row

FIELDS = Notes.fields
FIRST = next(column for column, field in enumerate(FIELDS) if field.kind == "choice")
STRETCH_ROWS = 25  # timed together
LABELS = 8
COLUMN = {field.name: column for column, field in enumerate(FIELDS)}

MIDIGPT = """
import json, sys, time
import torch
from midigpt import Bar, Score, Track, _core
from midigpt.attributes.base import AttributeAnalyzer
from midigpt.inference import GenerationRequest, InferenceConfig, InferenceEngine, TrackPrompt
from midigpt.inference.model.gpt2 import GPT2Config, GPT2LMHeadModel
from midigpt.tokenizer.tokenizer import Tokenizer
torch.set_num_threads(1)
torch.manual_seed(0)
sizes = dict(PieceStart=1, NumBars=2, Track=2, TrackEnd=1, Bar=1, BarEnd=1, TimeSig=1, Instrument=128,
             VelocityLevel=32, TimeAbsolutePos=48, NoteOnset=128, NoteDuration=96)
config = _core.EncoderConfig.from_json(json.dumps(dict(
    resolution=12, decode_resolution=480, num_bars_map=[4, 8], time_signatures=["4/4"], velocity_levels=32,
    note_duration_max_beats=8, token_domains=[dict(type=t, domain_size=n) for t, n in sizes.items()])))
analyzer = AttributeAnalyzer.from_config(config)
tokenizer = Tokenizer(config, analyzer)
onsets = range(*tokenizer._vocab.range(_core.TokenType.NoteOnset))
model = GPT2LMHeadModel(GPT2Config(vocab_size=tokenizer._vocab.size())).eval()
engine = InferenceEngine(model, tokenizer, analyzer)
engine.warmup()
tokens = notes = 0
def count(module, inputs, kwargs=None):
    global tokens, notes
    ids = inputs[0] if inputs else kwargs["input_ids"]
    tokens += 1
    notes += int(ids[0, -1]) in onsets
model.register_forward_pre_hook(count, with_kwargs=True)
began, seed = time.process_time(), 0
while notes < int(sys.argv[1]):
    seed += 1
    config = InferenceConfig(model_dim=4, bars_per_step=4, seed=seed)
    prompt = TrackPrompt(id=0, bars=[0, 1, 2, 3], autoregressive=True)
    request = GenerationRequest(tracks=[prompt], config=config)
    engine.session(Score(tracks=[Track(bars=[Bar() for _ in range(4)])]), request).run()
spent = time.process_time() - began
print(json.dumps([sum(p.numel() for p in model.parameters()), tokens / notes, notes / spent]))
"""


def random_rows(songs: int, length: int) -> np.ndarray:
    """Random classes (B, T, F) of every field."""
    draw = np.random.default_rng(0)
    sizes = [field.size + (field.kind == "choice") for field in FIELDS]
    return np.stack([draw.integers(size, size=(songs, length)) for size in sizes], axis=-1)


def put_row(step: Any, row: np.ndarray, ask: bool) -> None:
    """Put one row (B, F) into a step; with `ask`, ask for all its logits."""
    step.begin({field.name: row[:, column] for column, field in enumerate(FIELDS[:FIRST])})
    for column, field in enumerate(FIELDS[FIRST:], FIRST):
        if ask and field.kind == "choice":
            step.logits(field.name)
        step.put(field.name, row[:, column])
    step.advance()


def time_stretches(work: Callable[[], object], stretches: int) -> tuple[float, float]:
    """Seconds of processor time of `work`: the median and the best."""
    spent = []
    for _ in range(stretches):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return median(spent), min(spent)


def speed(step: Any, plans: np.ndarray, stretches: int, ask: bool = True) -> tuple[float, float]:
    """Notes per second: of the median stretch and of the best one."""
    values = random_rows(len(plans), STRETCH_ROWS)
    step.start(plans)
    for row in values.swapaxes(0, 1):
        put_row(step, row, ask)

    def stretch() -> None:
        for row in values.swapaxes(0, 1):
            put_row(step, row, ask)

    middle, best = time_stretches(stretch, stretches)
    return len(plans) * STRETCH_ROWS / middle, len(plans) * STRETCH_ROWS / best


def read_time(weights: dict[str, np.ndarray]) -> tuple[int, float, float]:
    """Bytes that one row of one song reads, and the seconds to read them: median and best.

    These are the matrices of the layers and of the head; of the other weights a row reads a few vectors.
    """
    left_out = ("tables", "reads", "plan")
    read = [a for n, a in weights.items() if not n.startswith(left_out) and not n.endswith("adds.weight")]
    size = sum(array.nbytes for array in read)
    matrix, vector = np.ones((512, size // 2048), np.float32), np.ones(512, np.float32)
    return size, *time_stretches(lambda: np.dot(vector, matrix) is None, 400)


class InTorch:
    """A step in torch that does what the numpy step does: tables multiplied once, links one by one."""

    def __init__(self, network: Any) -> None:
        import torch

        self.network, self.torch = network, torch
        self.links = dict(
            zip([f.name for f in FIELDS if f.kind == "choice"], network.head.values(), strict=True)
        )
        for part in [network.reads, *(link.adds for link in network.head.values())]:
            uses = zip(part.tables, part.weight.unbind(), strict=True)
            part.vectors = torch.cat([network.tables[name] @ matrix for name, matrix in uses]).detach()
            part.forward = partial(self.summed, part)

    def summed(self, part: Any, classes: Any, _: Any, fork: Any = None) -> Any:
        """The result of the network's column sum, from the products."""
        row = classes + part.start + (0 if fork is None else part.count * fork)
        found = self.torch.nn.functional.embedding_bag(row.flatten(0, 1), part.vectors, mode="sum")
        return found.view(*row.shape[:2], -1)

    def start(self, plans: np.ndarray) -> None:
        """Begin songs by their plans (B, P)."""
        self.plan, self.state = self.torch.from_numpy(plans).float(), None
        start = self.torch.tensor(start_row(FIELDS), dtype=self.torch.int32)
        self.rows = start.repeat(len(plans), 2, 1)  # (B, 2, F): the row before and the present one

    def begin(self, known_first: dict[str, np.ndarray]) -> None:
        """Put the fields that are known first, and run the trunk."""
        for field, values in known_first.items():
            self.put(field, values)
        inputs = self.network.inputs(self.rows, self.plan)
        self.context, self.state = self.network.trunk(inputs, self.state)

    def logits(self, field: str) -> Any:
        """The logits of a field, by one link of the chain."""
        link, now = self.links[field], self.rows[:, 1:]
        agreed = self.network.layout.agreed(now)
        self.context = link.add(self.context, now, agreed, self.network.tables)
        return link(self.context)[:, 0].numpy()

    def put(self, field: str, values: np.ndarray) -> None:
        """Put the values (B,) of a field."""
        self.rows[:, 1, COLUMN[field]] = self.torch.from_numpy(values)

    def advance(self) -> None:
        """Go on to the next row."""
        self.rows[:, 0] = self.rows[:, 1]


def print_speeds(name: str, size: str) -> float:
    """Print the speed of a network's step; returns notes per second of one song."""
    import torch

    settings: dict[str, Any] = {"fields": [field._asdict() for field in FIELDS], "size": size}
    settings["plan_size"] = PlanEncoder([str(label) for label in range(LABELS)]).size
    torch.manual_seed(0)
    network = registry.find("networks", name)(settings).eval()
    weights = {key: array.numpy() for key, array in network.state_dict().items()}
    make = partial(registry.find("steps", name), weights, network.settings())
    step, (start_s, _) = make(), time_stretches(make, 9)
    count = sum(array.size for array in weights.values()) / 1e6
    print(f"\n{name} {size}, {count:.1f} million weights; ready in {1e3 * start_s:.0f} ms")
    alone = {}
    for songs in (1, 2, 6, 20):
        plans = np.random.default_rng(0).random((songs, settings["plan_size"]))
        alone[songs] = middle, best = speed(step, plans, 60)
        given, _ = speed(step, plans, 20, ask=False)
        print(
            f"  numpy, {songs:2} songs  {middle:8,.0f} notes/s, best {best:8,.0f}; given rows {given:8,.0f}"
        )
    read, middle_s, best_s = read_time(weights)
    shares = f"one song reaches {alone[1][0] * middle_s:.0%} of that speed (best {alone[1][1] * best_s:.0%})"
    print(f"  weights: {read / 1e6:.1f} MB per row, read at {read / best_s / 1e9:.0f} GB/s; {shares}")
    with torch.inference_mode():
        in_torch = InTorch(network)
        for songs in (1, 20):
            plans = np.random.default_rng(0).random((songs, settings["plan_size"]))
            middle, best = speed(in_torch, plans, 12)
            print(f"  torch, {songs:2} songs  {middle:8,.0f} notes/s, best {best:8,.0f}")
    return alone[1][0]


@benchmark(
    argument("--size", default="small", help="of the networks"),
    argument("--peers", type=Path, metavar="PYTHON", help="an interpreter that has midigpt 0.4.2 and torch"),
    one_thread=True,
)
def steps(options: argparse.Namespace) -> None:
    """Time the steps of networks with random weights: a note per row, all logits asked for.

    The networks read the fields of `notes`; rows are random as well, so that no vector stays in a cache.
    Times are processor time of one thread: the median and the best of many stretches. They are compared with
    the time in which a product of one matrix and one vector reads as many bytes of weights; with the same
    step in torch; and, with --peers, with midigpt: about 20 million random weights, one thread, four bars of
    one track again and again, all drawn notes counted.
    """
    import torch

    torch.set_num_threads(1)
    ours = {name: print_speeds(name, options.size) for name in ("lstm", "transformer")}
    if options.peers:
        command = [str(options.peers), "-c", MIDIGPT, "200"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        count, tokens, notes = json.loads(out.splitlines()[-1])
        print(
            f"\nmidigpt, {count / 1e6:.1f} million weights, {tokens:.1f} tokens per note: {notes:.1f} notes/s"
        )
        for name, speed_ in ours.items():
            print(f"  {name}, one song: {speed_ / notes:.0f} times as many")
