"""Bach's chorales on a grid of sixteenths: nats per token, by which many networks have been measured."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from benchmarks.chorales import candidates as cand
from benchmarks.chorales.network import CANDIDATE, NONE, PITCH, VOICES, AnyOrder, Config
from benchmarks.shared import CLOCK, OUT, argument, benchmark, set_training_clock, table
from ritornello.evaluation.summary import bootstrap_interval
from ritornello.representations.chorale import Chorale
from ritornello.training import loop
from ritornello.training.batches import Batch, step_generator
from ritornello.training.config import TrainConfig
from ritornello.training.distributed import TrainingProcess

Ints = npt.NDArray[np.int64]

MAX_TRANSPOSITION = 6  # semitones down or up, in training
SETTINGS = ("width", "dropout", "past_dropout", "weight_decay")  # of the network that are options
ORDERS = tuple(permutations(range(VOICES)))
MEASURED = ("valid", "test")


class Chorales:
    """Songs as rows (N, F), and batches of crops as `training.loop.TrainingRun` expects them."""

    def __init__(self, songs: Sequence[Ints], window: int, seed: int) -> None:
        self.songs, self.window, self.seed = songs, window, seed
        lengths = np.array([len(song) for song in songs], np.float64)
        self.ends = np.cumsum(lengths / lengths.sum())
        voices = np.concatenate([song[:, PITCH] for song in songs])
        self.lowest = np.array([voice[voice > 0].min() for voice in voices.T])
        self.highest = voices.max(axis=0)

    def __len__(self) -> int:
        """How many crops the songs fill."""
        return sum(len(song) for song in self.songs) // self.window

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step: crops at random places, transposed within the range of each voice."""
        pieces = []
        for crop in range(rank, size, world):
            draw, half = step_generator(self.seed, step, crop), self.window // 2
            number = min(int(np.searchsorted(self.ends, draw.random(), side="right")), len(self.songs) - 1)
            song = self.songs[number]
            at = draw.integers(-half, max(len(song) - half, 1 - half))
            start = int(np.clip(at, 0, max(0, len(song) - self.window)))
            low, high = self.room(song)
            moved = transpose_rows(song, int(draw.integers(low, high + 1)))
            pieces.append((moved[max(0, start - 1) : start + self.window], start > 0))
        return make_batch(pieces)

    def sample(self, most: int) -> Batch:
        """All songs, whole; `most` is not used."""
        return make_batch([(song, False) for song in sorted(self.songs, key=len)])

    def room(self, song: Ints) -> tuple[int, int]:
        """Semitones by which a song can go down (at most 0) and up within the range of each voice."""
        low, high = -MAX_TRANSPOSITION, MAX_TRANSPOSITION
        for voice, column in enumerate(song[:, PITCH].T):
            sung = column[column > 0]
            if len(sung):
                low = max(low, int(self.lowest[voice] - sung.min()))
                high = min(high, int(self.highest[voice] - sung.max()))
        return min(low, 0), max(high, 0)


def encode_songs(songs: Sequence[Any], recall: str, memory: cand.Memory | None, learnt: bool) -> list[Ints]:
    """Encode songs (lists of frames of pitches) as rows (N, F); network.py names the columns."""
    found = []
    for number, song in enumerate(songs):
        values = Chorale().rows(np.array(song)).values.astype(np.int64)
        frames = values[:, PITCH]
        age = np.zeros_like(frames)
        for now in range(1, len(frames)):
            age[now] = np.where(frames[now] == frames[now - 1], np.minimum(age[now - 1] + 1, 16), 0)
        nothing = np.tile(np.array([NONE] * VOICES + [0, 0]), (len(frames), 1))
        echo = nothing if recall == "none" else cand.echo(frames)
        recalled = memory.candidates(frames, number if learnt else None) if memory else nothing
        found.append(np.concatenate([values, age, echo, recalled], axis=1))
    return found


def transpose_rows(song: Ints, semitones: int) -> Ints:
    """Move every pitch by semitones, also those that candidates predict; rests stay."""
    moved: Ints = song.copy()
    moved[:, PITCH] += np.where(song[:, PITCH] > 0, semitones, 0)
    candidates = song[:, CANDIDATE].reshape(-1, cand.COLUMNS)
    moved[:, CANDIDATE] = cand.transpose_candidates(candidates, semitones).reshape(len(song), -1)
    return moved


def make_batch(pieces: Sequence[tuple[Ints, bool]]) -> Batch:
    """Make one batch of pieces of songs; of each, whether its first row is the predecessor (not learnt)."""
    longest = max(len(piece) + (not has) for piece, has in pieces)
    empty = np.zeros(CANDIDATE.stop, np.int64)
    empty[PITCH] = NONE
    values = np.tile(empty, (len(pieces), longest, 1))
    learn = np.zeros(values.shape, bool)
    for number, (piece, has) in enumerate(pieces):
        first = 0 if has else 1
        values[number, first : first + len(piece)] = piece
        learn[number, 1 : first + len(piece), PITCH] = True
    return Batch(values, learn)


class Mixture:
    """A mixture of networks, orders of the voices, and keys, and the songs that it predicts."""

    def __init__(self, networks: Sequence[AnyOrder], songs: Sequence[Ints]) -> None:
        self.networks = networks
        self.songs = sorted(songs, key=len)

    def song_nats(
        self, shifts: Sequence[int], orders: Sequence[tuple[int, ...]] = ORDERS
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The nats (S,) of whole songs, and how many tokens (S,) each has.

        Networks and keys are mixed by token within an order of the voices, then orders by frame.
        """
        nats, tokens = [], []
        for start in range(0, len(self.songs), 16):
            some = self.songs[start : start + 16]
            logs, learn = self.log_probabilities(some, shifts)
            mixed = []
            for order in orders:
                frame, known = torch.zeros(()), 0
                for voice in order:
                    frame, known = frame + logs[voice, known], known | 1 << voice
                mixed.append(frame)
            frames = torch.logsumexp(torch.stack(mixed), dim=0) - math.log(len(mixed))
            nats.append(-(frames.double() * learn).sum(-1).numpy())
            tokens.append(VOICES * learn.sum(-1).double().numpy())
        return np.concatenate(nats), np.concatenate(tokens)

    def figures(self, shifts: Sequence[int], orders: Sequence[tuple[int, ...]] = ORDERS) -> str:
        """Nats per token with the interval by song, and the median of the songs, as text."""
        nats, tokens = self.song_nats(shifts, orders)
        low, high = bootstrap_interval(nats, tokens)
        median = float(np.median(nats / tokens))
        return f"{nats.sum() / tokens.sum():.4f} ({low:.3f} to {high:.3f}); {median:.4f}"

    @torch.no_grad()
    def log_probabilities(
        self, songs: Sequence[Ints], shifts: Sequence[int]
    ) -> tuple[dict[tuple[int, int], Tensor], Tensor]:
        """Log probabilities (B, T) by voice and by which others are known (bits), and which frames count."""
        found: dict[tuple[int, int], list[Tensor]] = {}
        for semitones in shifts:
            batch = make_batch([(transpose_rows(song, semitones), False) for song in songs])
            values = torch.from_numpy(batch.values)
            for network in self.networks:
                context = network.context(values)
                for voice in range(VOICES):
                    target = values[:, 1:, 1 + voice].clamp(max=NONE - 1)
                    for bits in (bits for bits in range(1 << VOICES) if not bits >> voice & 1):
                        known = torch.tensor([bool(bits >> other & 1) for other in range(VOICES)])
                        logits = network.voice(voice, context, values, known.expand(*target.shape, VOICES))
                        nats = functional.cross_entropy(logits.transpose(1, 2), target, reduction="none")
                        found.setdefault((voice, bits), []).append(-nats)
        learn = torch.from_numpy(batch.learn)[:, 1:, PITCH.start]
        return {
            key: torch.logsumexp(torch.stack(logs), dim=0) - math.log(len(logs))
            for key, logs in found.items()
        }, learn


def train_member(options: argparse.Namespace, songs: dict[str, list[Ints]], member: int) -> AnyOrder:
    """Train a network of the mixture, or go on from its checkpoint in --out."""
    torch.manual_seed(options.seed + member)
    given = {name: getattr(options, name) for name in SETTINGS}
    network = AnyOrder(Config(**given))
    config = TrainConfig(
        network="any_order",
        network_config={**network.settings(), "recall": options.recall},
        minutes=options.minutes / options.members,
        measure_every=options.measure_every,
        seed=options.seed + member,
        threads=options.threads,
    )
    machine = TrainingProcess.of("cpu", "auto", options.threads, network.halves)
    run = loop.TrainingRun(options.out / f"member{member}", config, network, "jsb", machine)
    window = network.config.window
    train, valid = (Chorales(songs[side], window, config.seed) for side in ("train", "valid"))

    def report(state: Any, losses: dict[str, float]) -> None:
        if "heldout_loss" in losses:
            shown = f"{losses['loss']:.3f}, valid {losses['heldout_loss']:.4f} with one order and key"
            print(f"{state.seconds:6.0f} s  step {state.step} of {state.total_steps}  {shown}", flush=True)

    run.train(train, valid, report)
    network.load_state_dict(run.best)
    return network.eval()


@benchmark(
    argument("data", type=Path, help="Jsb16thSeparated.json"),
    OUT,
    argument("--minutes", type=float, default=30.0, help="of training, of all members together"),
    argument("--threads", type=int, default=2),
    CLOCK,
    argument("--members", type=int, default=1, help="networks of the mixture"),
    argument(
        "--recall", choices=("corpus", "song", "none"), default="corpus", help="where candidates are found"
    ),
    *(
        argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
        for name, default in asdict(Config()).items()
        if name in SETTINGS
    ),
    argument("--shifts", type=int, default=0, help="keys of the mixture, in semitones down and up"),
    argument("--measure-every", type=int, default=200, help="steps"),
    argument("--seed", type=int, default=0),
    argument("--test", type=Path, help="other songs to measure: a list, or an object with `test`"),
)
def jsb(options: argparse.Namespace) -> None:
    """Train on Bach's chorales and print nats per token.

    The file has the usual split as lists of songs; a song is a list of frames of four pitches (soprano, alto,
    tenor, bass; -1 is a rest). The network learns from `train` alone; `valid` chooses the step whose weights
    are kept, and is measured. All tokens count, also held and repeated ones and rests; songs are whole, and
    the state is carried from the first frame to the last.

    Each row of the table is a distribution: one network and one order of the voices, or a mixture of all 24
    orders, of --members networks, and of the song in other keys (always the same ones, shifted by -n ... n
    semitones and back). A mixture costs that many times the evaluations, so compare like with like. Each
    figure is nats per token of all songs, with its interval by song, and then the median song.
    """
    set_training_clock(options.clock)
    data = json.loads(options.data.read_text())
    if options.test:
        loaded = json.loads(options.test.read_text())
        data["test"] = loaded["test"] if isinstance(loaded, dict) else loaded
    plain = encode_songs(data["train"], "none", None, True)
    memory = cand.Memory([song[:, PITCH] for song in plain]) if options.recall == "corpus" else None
    songs = {side: encode_songs(data[side], options.recall, memory, side == "train") for side in data}
    began, busy = time.perf_counter(), time.process_time()
    networks = [train_member(options, songs, member) for member in range(options.members)]
    weights = sum(weight.numel() for weight in networks[0].parameters())
    print(
        f"{options.members} x {weights / 1e6:.2f} million weights, {time.perf_counter() - began:.0f} s",
        end="",
    )
    print(f", {time.process_time() - busy:.0f} s of processor time, {options.threads} thread(s)")
    print("published figures, their units and splits: docs/results.md\n")
    print(
        table(
            ["", *(f"{side}, {len(songs[side])} songs" for side in MEASURED if side in songs)],
            figure_rows(networks, songs, options.shifts),
        )
    )


def figure_rows(
    networks: Sequence[AnyOrder], songs: dict[str, list[Ints]], shifts: int
) -> Iterator[list[str]]:
    """The rows of the table: from one network and one order of the voices to all of everything."""
    keys = range(-shifts, shifts + 1)
    sides = [side for side in MEASURED if side in songs]
    for count in sorted({1, len(networks)}):
        mixtures = [Mixture(networks[:count], songs[side]) for side in sides]
        name = "one network" if count == 1 else f"{count} networks"
        yield [f"{name}, one order", *(each.figures((0,), ORDERS[:1]) for each in mixtures)]
        yield [f"{name}, all orders", *(each.figures((0,)) for each in mixtures)]
    if shifts:
        yield [f"{name}, all orders, {len(keys)} keys", *(each.figures(keys) for each in mixtures)]
