"""Bach's chorales on a 16th grid: nats per note token, a measure that other work has used for years.

    python benchmarks/jsb.py Jsb16thSeparated.json --out DIR [--minutes 30] [--threads 2] [--test FILE]

The file has the usual split as lists of songs, a song as frames of four pitches (soprano, alto, tenor, bass;
-1 a rest). Trained on `train` alone (`valid` says which step's weights are kept), judged on `valid`: all
tokens count, held and repeated ones and rests too, hard targets, whole songs, the state carried from the
first frame. `--test FILE` judges another file of such songs (a list, or an object with "test").

What is judged is a mixture: of the network's predictions under all 24 orders of the voices, of the song in
other keys (shifted by -n ... n semitones, always the same, and the prediction shifted back), and of networks
(`--members`) that share the minutes. A mixture of distributions is one, so its nats are as honest as any;
what one order in one key gives is printed beside it. `--recall` says where candidates for the next frame come
from (chorale_returns.py): the song alone, or the training songs as well.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

import chorale_returns as returns
from any_order import CANDIDATE, HEARD, NONE, VOICES, AnyOrder, Config
from ritornello.representations.chorale import Chorale
from ritornello.training import loop
from ritornello.training.batches import Batch, generator
from ritornello.training.config import TrainConfig
from ritornello.training.distributed import Machine

Ints = npt.NDArray[np.int64]

MOST = 6  # semitones that training transposes by, either way
ORDERS = tuple(permutations(range(VOICES)))
REFERENCES = "Music Transformer 0.335, Coconet 0.436, TonicNet 0.396 (valid or as published)"


class Chorales:
    """Songs as rows (N, F), and batches of crops as `training.loop.Run` asks for them."""

    def __init__(self, songs: Sequence[Ints], window: int, seed: int) -> None:
        self.songs, self.window, self.seed = songs, window, seed
        lengths = np.array([len(song) for song in songs], np.float64)
        self.ends = np.cumsum(lengths / lengths.sum())
        voices = np.concatenate([song[:, HEARD] for song in songs])
        self.lowest = np.array([voice[voice > 0].min() for voice in voices.T])
        self.highest = voices.max(axis=0)

    def __len__(self) -> int:
        """Crops that fill the songs."""
        return sum(len(song) for song in self.songs) // self.window

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step: crops anywhere, transposed within the range of each voice."""
        pieces = []
        for crop in range(rank, size, world):
            draw, half = generator(self.seed, step, crop), self.window // 2
            number = min(int(np.searchsorted(self.ends, draw.random(), side="right")), len(self.songs) - 1)
            song = self.songs[number]
            at = draw.integers(-half, max(len(song) - half, 1 - half))
            start = int(np.clip(at, 0, max(0, len(song) - self.window)))
            low, high = self.room(song)
            moved = transposed(song, int(draw.integers(low, high + 1)))
            pieces.append((moved[max(0, start - 1) : start + self.window], start > 0))
        return together(pieces)

    def sample(self, most: int) -> Batch:
        """All songs whole, whatever `most` says."""
        return together([(song, False) for song in sorted(self.songs, key=len)])

    def room(self, song: Ints) -> tuple[int, int]:
        """By how much a song may go down (at most 0) and up within what each voice sings in some song."""
        low, high = -MOST, MOST
        for voice, column in enumerate(song[:, HEARD].T):
            sung = column[column > 0]
            if len(sung):
                low = max(low, int(self.lowest[voice] - sung.min()))
                high = min(high, int(self.highest[voice] - sung.max()))
        return min(low, 0), max(high, 0)


def encoded(songs: Sequence[Any], recall: str, memory: returns.Memory | None, learnt: bool) -> list[Ints]:
    """Songs (lists of frames of pitches) as rows (N, F): see any_order.py for the columns."""
    found = []
    for number, song in enumerate(songs):
        values = Chorale().rows(np.array(song)).values.astype(np.int64)
        frames = values[:, HEARD]
        age = np.zeros_like(frames)
        for now in range(1, len(frames)):
            age[now] = np.where(frames[now] == frames[now - 1], np.minimum(age[now - 1] + 1, 16), 0)
        nothing = np.tile(np.array([NONE] * VOICES + [0, 0]), (len(frames), 1))
        echo = nothing if recall == "none" else returns.echo(frames)
        recalled = memory.candidates(frames, number if learnt else None) if memory else nothing
        found.append(np.concatenate([values, age, echo, recalled], axis=1))
    return found


def transposed(song: Ints, semitones: int) -> Ints:
    """The rows with every pitch moved, rests left alone; and what candidates guess."""
    moved: Ints = song.copy()
    moved[:, HEARD] += np.where(song[:, HEARD] > 0, semitones, 0)
    candidates = song[:, CANDIDATE].reshape(-1, returns.COLUMNS)
    moved[:, CANDIDATE] = returns.transposed(candidates, semitones).reshape(len(song), -1)
    return moved


def together(pieces: Sequence[tuple[Ints, bool]]) -> Batch:
    """Pieces of songs as one batch; each says whether its first row is the predecessor, not to be learnt."""
    longest = max(len(piece) + (not has) for piece, has in pieces)
    empty = np.zeros(CANDIDATE.stop, np.int64)
    empty[HEARD] = NONE
    values = np.tile(empty, (len(pieces), longest, 1))
    learn = np.zeros(values.shape, bool)
    for number, (piece, has) in enumerate(pieces):
        first = 0 if has else 1
        values[number, first : first + len(piece)] = piece
        learn[number, 1 : first + len(piece), HEARD] = True
    return Batch(values, learn)


class Judge:
    """The nats of songs under a mixture of networks, orders and keys."""

    def __init__(self, networks: Sequence[AnyOrder], songs: Sequence[Ints]) -> None:
        self.networks = networks
        self.songs = sorted(songs, key=len)

    def nats(self, shifts: Sequence[int], orders: Sequence[tuple[int, ...]] = ORDERS) -> float:
        """Nats a token: within an order networks and keys are mixed token by token, then orders by frame."""
        total, tokens = 0.0, 0
        for start in range(0, len(self.songs), 16):
            some = self.songs[start : start + 16]
            logs, learn = self._logs(some, shifts)
            mixed = []
            for order in orders:
                frame, known = torch.zeros(()), 0
                for voice in order:
                    frame, known = frame + logs[voice, known], known | 1 << voice
                mixed.append(frame)
            frames = torch.logsumexp(torch.stack(mixed), dim=0) - math.log(len(mixed))
            total -= float(frames[learn].double().sum())
            tokens += VOICES * int(learn.sum())
        return total / tokens

    @torch.no_grad()
    def _logs(
        self, songs: Sequence[Ints], shifts: Sequence[int]
    ) -> tuple[dict[tuple[int, int], Tensor], Tensor]:
        """The log of each voice's chance (B, T) by which others are known (bits), and which frames are."""
        found: dict[tuple[int, int], list[Tensor]] = {}
        for semitones in shifts:
            batch = together([(transposed(song, semitones), False) for song in songs])
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
        learn = torch.from_numpy(batch.learn)[:, 1:, HEARD.start]
        return {
            key: torch.logsumexp(torch.stack(logs), dim=0) - math.log(len(logs))
            for key, logs in found.items()
        }, learn


def trained(options: argparse.Namespace, songs: dict[str, list[Ints]], member: int) -> AnyOrder:
    """A network of the ensemble; one that DIR has is taken up, or gone on with."""
    torch.manual_seed(options.seed + member)
    given = {name: getattr(options, name) for name in ("width", "dropout", "unheard", "weight_decay")}
    network = AnyOrder(Config(**given))
    config = TrainConfig(
        network="any_order",
        network_config={**network.settings(), "recall": options.recall},
        minutes=options.minutes / options.members,
        measure_every=options.measure_every,
        seed=options.seed + member,
        threads=options.threads,
    )
    machine = Machine.of("cpu", "auto", options.threads, network.halves)
    run = loop.Run(options.out / f"member{member}", config, network, "jsb", machine)
    window = network.config.window
    train, valid = (Chorales(songs[side], window, config.seed) for side in ("train", "valid"))

    def report(state: Any, losses: dict[str, float]) -> None:
        if "heldout_loss" in losses:
            shown = f"{losses['loss']:.3f}, valid {losses['heldout_loss']:.4f} in one order and key"
            print(f"{state.seconds:6.0f} s  step {state.step} of {state.total_steps}  {shown}", flush=True)

    run.train(train, valid, report)
    network.load_state_dict(run.best)
    return network.eval()


def main() -> None:
    """Train and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="Jsb16thSeparated.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--clock", choices=("wall", "processor"), default="wall", help="what the minutes are of"
    )
    parser.add_argument("--members", type=int, default=1, help="networks that share the minutes")
    parser.add_argument("--recall", choices=("corpus", "song", "none"), default="corpus")
    for name in ("width", "dropout", "unheard", "weight_decay"):
        default = getattr(Config(), name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--shifts", type=int, default=3, help="semitones either way that are mixed")
    parser.add_argument("--measure-every", type=int, default=200, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", type=Path, help="songs to judge, too")
    options = parser.parse_args()
    if options.clock == "processor":
        loop.CLOCK = time.process_time
    data = json.loads(options.data.read_text())
    if options.test:
        loaded = json.loads(options.test.read_text())
        data["test"] = loaded["test"] if isinstance(loaded, dict) else loaded
    plain = encoded(data["train"], "none", None, True)
    memory = returns.Memory([song[:, HEARD] for song in plain]) if options.recall == "corpus" else None
    songs = {side: encoded(data[side], options.recall, memory, side == "train") for side in data}
    began, busy = time.perf_counter(), time.process_time()
    networks = [trained(options, songs, member) for member in range(options.members)]
    weights = sum(weight.numel() for weight in networks[0].parameters())
    print(
        f"{options.members} x {weights / 1e6:.2f} million weights, {time.perf_counter() - began:.0f} s",
        end="",
    )
    print(f", {time.process_time() - busy:.0f} s of processors, {options.threads} thread(s)")
    print(f"published: {REFERENCES}\n\n| nats a token | one order and key | all orders | and keys |")
    print("|---" * 4 + "|")
    keys = range(-options.shifts, options.shifts + 1)
    for side in [side for side in ("valid", "test") if side in songs]:
        judge = Judge(networks, songs[side])
        figures = judge.nats((0,), ORDERS[:1]), judge.nats((0,)), judge.nats(keys)
        print(f"| {side}, {len(songs[side])} songs | " + " | ".join(f"{nats:.4f}" for nats in figures) + " |")


if __name__ == "__main__":
    main()
