"""Is the candidate echo more than a cache? Networks without candidates, mixed with caches of their song.

A cache predicts that a row continues as earlier rows of the song did. Each earlier row i gets a weight for
each row t, from the rows before both:

- `suffix`: exp(a m), where m is how many rows directly before t and i are equal in shift, part and pitch. It
  is PPM (Cleary and Witten 1984) with soft instead of longest contexts.
- `neural`: exp(a s), where s is the cosine of the contexts of the network at t and i, which is the neural
  cache (Grave, Joulin and Usunier 2017, arXiv 1612.04426), close to a kNN-LM (arXiv 1911.00172).
- `both`: the product of the two.

A field is predicted from the earlier rows that are equal in all fields before it, so that the fields of a row
come from the same rows. The share of the cache is a number for each field and each length of the longest
match, as PPM has its probability of escape for each length. Shares and `a` are fitted to held-out songs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from benchmarks.pop.pop import nats_by_song
from benchmarks.shared import (
    CLOCK,
    CORPUS,
    OUT,
    argument,
    benchmark,
    mean_of_seeds,
    reduction,
    set_training_clock,
    stored,
    table,
)
from ritornello import Corpus, Model
from ritornello.evaluation.inputs import CorpusSongs, LabelledScore
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, likelihood
from ritornello.evaluation.summary import SongNats, summarize
from ritornello.models import registry
from ritornello.representations.table import Field, fields_read
from ritornello.training.train import train

ABLATIONS = Path(__file__).resolve().with_name("ablations.py")
REPRESENTATIONS = {"plain": f"{ABLATIONS}:Plain", "echo": f"{ABLATIONS}:WithEcho", "notes": "notes"}
TITLES = {
    "plain": "LSTM without candidates",
    "echo": "LSTM with echo",
    "notes": "LSTM with echo, alone and form",
    "suffix": "the same with the suffix cache",
    "neural": "the same with the neural cache",
    "both": "the same with both caches",
}
MATCHED = ("shift", "part", "pitch")  # rows that are equal in these match
LONGEST = 16  # longer matches count as this long
LENGTHS = (0, 1, 2, 4, 8)  # a class of matches for each length up to the next; class 0: no row can be copied
SHARPNESS = {  # the factors that are tried, of the length of the match and of the cosine
    "suffix": ((0.5, 0.0), (1.0, 0.0), (2.0, 0.0)),
    "neural": ((0.0, 5.0), (0.0, 10.0), (0.0, 20.0)),
    "both": ((0.5, 5.0), (1.0, 5.0), (1.0, 10.0), (0.5, 10.0)),
}
ROUNDS = 30  # of expectation and maximisation
Floats = npt.NDArray[np.float64]


class Cells:
    """Probabilities of the right classes by network and cache, of each field and class of matches."""

    def __init__(self) -> None:
        self.found: dict[str, list[npt.NDArray[np.float32]]] = {}

    def add(self, field: str, of_network: Tensor, of_cache: Tensor, match: Tensor) -> None:
        """Add N cells."""
        self.found.setdefault(field, []).append(torch.stack([of_network, of_cache, match.float()]).numpy())

    def shares(self) -> tuple[dict[str, Tensor], float]:
        """Return the best share (classes of matches,) of the cache for each field, and the nats of all."""
        shares, nats = {}, 0.0
        for field, pieces in self.found.items():
            network, cache, match = np.concatenate(pieces, axis=1).astype(np.float64)
            of_field = np.zeros(len(LENGTHS) + 1)
            for number in range(len(of_field)):
                of_class = match == number
                if of_class.any():
                    share = best_share(network[of_class], cache[of_class]) if number else 0.0
                    mixed = share * cache[of_class] + (1 - share) * network[of_class]
                    of_field[number], nats = share, nats - float(np.log(mixed).sum())
            shares[field] = torch.from_numpy(of_field).float()
        return shares, nats


def best_share(network: Floats, cache: Floats) -> float:
    """The share (0-1) of the second probabilities (N,) with which the mixture has the highest likelihood."""
    share = 0.5
    for _ in range(ROUNDS):
        mixed = share * cache + (1 - share) * network
        share = float(np.mean(share * cache / mixed))
    return min(share, 0.999)


class CachedNetwork:
    """A network that `likelihood` measures: its predictions are mixed with those of a cache.

    Without `shares`, the predictions are the network's own, and `cells` collects what `shares` are fitted to.
    """

    def __init__(
        self,
        network: Any,
        fields: tuple[Field, ...],
        sharpness: tuple[float, float],
        shares: dict[str, Tensor] | None = None,
    ) -> None:
        self.network, self.parameters, self.layout = network, network.parameters, network.layout
        self.fields = fields_read(network, fields)
        self.sharpness, self.shares, self.cells = sharpness, shares, Cells()
        columns = [(number, field) for number, field in enumerate(self.fields) if field.kind == "choice"]
        self.choices = [field for _, field in columns]
        self.columns = [number for number, _ in columns]

    def predict(self, values: Tensor, plan: Tensor | None, state: Any) -> tuple[dict[str, Tensor], Any]:
        """As the network; the state also has the contexts, the rows and their matches so far."""
        inner, keys, rows, before = state or (None, None, None, None)
        values = values.int()
        context, inner = self.network.trunk(self.network.inputs(values, plan), inner)  # (B, T, W)
        logits = self.network.chain(functional.pad(context, (0, 0, 1, 0)), values)
        new = values[:, 1:, self.columns]  # (B, T, C)
        context = functional.normalize(context, dim=-1)
        keys = context if keys is None else torch.cat([keys, context], dim=1)  # (B, N, W)
        rows = new if rows is None else torch.cat([rows, new], dim=1)  # (B, N, C)
        length, before = self._match_lengths(rows, new.shape[1], before)
        count, total = new.shape[1], rows.shape[1]
        late = torch.arange(total - count, total)[:, None]
        can_copy = (torch.arange(total) < late).expand(len(rows), -1, -1)  # (B, T, N)
        of_length, of_cosine = self.sharpness
        score = of_length * length
        if of_cosine:
            score = score + of_cosine * (context @ keys.transpose(1, 2))
        weight = torch.exp(
            score - score.masked_fill(~can_copy, -torch.inf).amax(-1, keepdim=True).clamp_min(0)
        )
        mixed = {}
        for number, field in enumerate(self.choices):
            mixed[field.name] = self._mix(
                field, logits[field.name], new[..., number], rows[..., number], weight, length, can_copy
            )
            can_copy = can_copy & (new[:, :, None, number] == rows[:, None, :, number])
        return mixed, (inner, keys, rows, before)

    def _match_lengths(self, rows: Tensor, count: int, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return how many rows directly before two rows are equal, (B, T, N), for the last `count` rows.

        `before` (B, N) has the lengths of the row before these; the second result has them for later rows.
        """
        names = [field.name for field in self.choices]
        kept = rows[..., [names.index(name) for name in MATCHED]]
        late, total = kept[:, -count:], kept.shape[1]
        is_equal = (late[:, :, None] == kept[:, None]).all(-1)  # (B, T, N)
        lengths = torch.zeros(is_equal.shape)
        last = torch.zeros(len(rows), total)
        if before is not None:
            last[:, : before.shape[1]] = before
        for row in range(count):
            lengths[:, row] = last
            ended = torch.where(is_equal[:, row], last + 1, 0).clamp_max(LONGEST)
            last = functional.pad(ended[:, :-1], (1, 0))
        return lengths, last

    def _mix(
        self,
        field: Field,
        logits: Tensor,
        target: Tensor,
        earlier: Tensor,
        weight: Tensor,
        length: Tensor,
        can_copy: Tensor,
    ) -> Tensor:
        """Return the mixed logits (B, T+1, size) of a field; row 0 is not used."""
        weight = weight * can_copy
        total = weight.sum(-1, keepdim=True)
        earlier = earlier.long()
        classes = functional.one_hot(earlier.clamp_max(field.size), field.size + 1)[..., :-1].float()
        cache = weight @ classes / total.clamp_min(1e-30)  # (B, T, size)
        longest = length.masked_fill(~can_copy, -1).amax(-1)  # (B, T)
        match = torch.zeros_like(longest, dtype=torch.long)
        for least in LENGTHS:
            match += longest >= least
        match[cache.sum(-1) < 0.5] = 0  # nothing to copy, or only rows without a value
        own = torch.softmax(logits[:, 1:].float(), -1)
        if self.shares is None:
            counted = target < field.size
            right = target[counted].long()[:, None]
            chosen = [p[counted].gather(1, right)[:, 0] for p in (own, cache)]
            self.cells.add(field.name, chosen[0], chosen[1], match[counted])
            return logits
        share = self.shares[field.name][match][..., None]
        mixed = share * cache / cache.sum(-1, keepdim=True).clamp_min(1e-30) + (1 - share) * own
        return functional.pad(torch.log(mixed.clamp_min(1e-30)), (0, 0, 1, 0))


def nats_of(
    network: Any, representation: Any, songs: Iterable[LabelledScore], model: Model, threads: int
) -> list[SongNats]:
    """The nats of songs of which only the meter is known, in the order of their names."""
    found = likelihood(
        network,
        representation,
        songs,
        plan_encoder=model.plan_encoder,
        has_key_frame=model.has_key_frame,
        given={"none": HIDDEN_BY_GIVEN["none"]},
        threads=threads,
    )
    return sorted((nats["none"] for nats in found), key=lambda song: song.song)


def measured(
    model: Model, corpus: Corpus, name: str, kinds: Iterable[str], options: argparse.Namespace
) -> dict[str, Any]:
    """Measure a trained network on the test side, alone and with caches that are fitted to the valid side."""
    threads: int = options.threads
    representation = registry.find("representations", name)()
    network, fields = model.network_in_torch(), representation.fields
    valid = list(islice(CorpusSongs(corpus, "valid"), options.fitted))
    test = list(CorpusSongs(corpus, "test"))
    found: dict[str, Any] = {"": nats_of(network, representation, test, model, threads)}
    chosen: dict[str, Any] = {}
    for kind in kinds:
        fits = []
        for sharpness in SHARPNESS[kind]:
            cached = CachedNetwork(network, fields, sharpness)
            nats_of(cached, representation, valid, model, threads)
            shares, nats = cached.cells.shares()
            fits.append((nats, sharpness, shares))
        _, sharpness, shares = min(fits, key=lambda fit: fit[0])
        cached = CachedNetwork(network, fields, sharpness, shares)
        found[kind] = nats_of(cached, representation, test, model, threads)
        chosen[kind] = {
            "sharpness": sharpness,
            "shares": {field: [round(float(x), 3) for x in values] for field, values in shares.items()},
        }
    return {
        "training": {**model.info["training"], "parameters": model.info["parameters"]},
        "chosen": chosen,
        "nats": {kind: {**summarize(nats), **nats_by_song(nats)} for kind, nats in found.items()},
    }


@benchmark(
    CORPUS,
    OUT,
    argument("--arms", default="plain,notes", help=f"of {', '.join(REPRESENTATIONS)}, separated by commas"),
    argument("--caches", default="suffix,neural,both", help="of the first arm; of the others, the last one"),
    argument("--minutes", type=float, default=15.0, help="of training (default: %(default)s)"),
    argument("--seeds", type=int, default=2),
    argument("--rate", type=float, default=0.004, help="the learning rate (default: %(default)s)"),
    argument("--fitted", type=int, default=100, help="songs to which caches are fitted (default: 100)"),
    argument("--threads", type=int, default=1),
    CLOCK,
)
def cache(options: argparse.Namespace) -> None:
    """Train LSTMs without and with candidates for the same time, and mix them with caches of their song.

    The question is whether the candidate echo is more than a cache. All are measured on the test side in
    reference nats per source note (ritornello.evaluation.reference), with nothing given but the meter. The
    shares of the caches are fitted to the valid side. Interrupted, it continues where it stopped.
    """
    set_training_clock(options.clock)
    caches, results = options.caches.split(","), dict[str, list[dict[str, Any]]]()
    for arm in options.arms.split(","):
        kinds = caches[-1:] if results else caches
        results[arm] = [result(options, arm, kinds, seed) for seed in range(options.seeds)]
    print(comparison(results))


def result(options: argparse.Namespace, arm: str, kinds: Sequence[str], seed: int) -> dict[str, Any]:
    """Train and measure a network, unless that was done before."""
    folder = options.out / f"{arm}-seed{seed}"

    def compute() -> dict[str, Any]:
        settings = {"minutes": options.minutes, "learning_rate": options.rate, "seed": seed}
        name = REPRESENTATIONS[arm]
        train(options.corpus, folder, representation=name, threads=options.threads, **settings)
        return measured(Model.open(folder), Corpus.open(options.corpus), name, kinds, options)

    found = stored(folder.with_suffix(".json"), compute)
    nats = {kind or "alone": round(of_kind["reference"], 3) for kind, of_kind in found["nats"].items()}
    print(folder.name, nats, flush=True)
    return found


def comparison(results: dict[str, list[dict[str, Any]]]) -> str:
    """The table: a row for each network, and for each with a cache; intervals are of seed 0."""
    (first, *_), lines = results, []
    others = {kind: results[first][0]["nats"][kind] for kind in list(results[first][0]["nats"])[:2]}
    for arm, found in results.items():
        for kind, of_seed in found[0]["nats"].items():
            of_songs = np.array(of_seed["songs"]) / np.array(of_seed["notes"])
            nats = [one["nats"][kind]["reference"] for one in found]
            below = [
                "" if (arm, kind) == (first, other) else reduction(of_seed["songs"], compared["songs"])
                for other, compared in others.items()
            ]
            lines.append([TITLES[kind or arm], mean_of_seeds(nats), f"{np.median(of_songs):.3f}", *below])
    columns = [f"below {TITLES[first]}{kind and f' and the {kind} cache'}" for kind in others]
    return table(["", "nats per note (seeds)", "median of songs", *columns], lines)
