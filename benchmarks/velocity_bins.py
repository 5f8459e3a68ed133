"""Does a coarser table gain by the reference? `notes` with 32 and with 16 bins of velocity, trained alike.

    OMP_NUM_THREADS=1 python benchmarks/velocity_bins.py CORPUS --out DIR [--steps 270] [--seeds 1]

CORPUS is a prepared folder (POP909-CL in RESULTS.md, whose chord track `prepare` turns into chords). Both
models take the same steps over the same crops and are measured on the same held-out songs. Beside them stands
the finer model with its bins merged in pairs afterwards: what the halves of a bin tell, training left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello import Corpus
from ritornello.evaluation.inputs import Side
from ritornello.evaluation.likelihood import Nats, likelihood
from ritornello.evaluation.summary import interval, summary
from ritornello.models import registry
from ritornello.models.model import Model
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from ritornello.representations.table import Rows
from ritornello.training.train import train


class Sixteen(Notes):
    """`notes` with velocities in 16 bins of eight steps, in what is played and what is guessed."""

    name = "sixteen"
    columns = tuple(i for i, field in enumerate(Notes.fields) if field.name.endswith("velocity"))
    fields = tuple(
        field._replace(
            size=16 + (field.kind == "known"), unknown=16 if field.unknown else None, unit="steps of 8"
        )
        if field.name.endswith("velocity")
        else field
        for field in Notes.fields
    )

    def encode(
        self, score: Score, timeline: Timeline | None = None, given: npt.NDArray[np.bool_] | None = None
    ) -> Rows:
        """The rows of `notes`; half of void, 32, is void here."""
        values, learn = super().encode(score, timeline, given)
        values[:, self.columns] //= 2
        return Rows(values, learn)

    def bin_widths(self) -> dict[str, npt.NDArray[np.int64]]:
        """As those of `notes`, but for velocities."""
        return super().bin_widths() | {"velocity": np.full(16, 8)}


class Merged:
    """A network that says of both bins of a pair what their mean is: it tells the pair, and no more.

    Charged as `notes`, it has the reference of a table of the pairs; its nats are log 2 a note above those of
    that table.
    """

    def __init__(self, network: Any) -> None:
        self.network, self.parameters = network, network.parameters

    def predict(self, values: Any, plan: Any, state: Any) -> tuple[dict[str, Any], Any]:
        """The network's predictions, their velocities merged."""
        predictions, state = self.network.predict(values, plan, state)
        pairs = predictions["velocity"].unflatten(-1, (-1, 2)).logsumexp(-1, keepdim=True)
        return {**predictions, "velocity": pairs.expand(*pairs.shape[:-1], 2).flatten(-2)}, state


def learnt(corpus: Corpus, representation: str, out: Path, steps: int, seed: int) -> Model:
    """Train one of the two."""
    return train(
        corpus.path,
        out,
        network="lstm",
        representation=representation,
        steps=steps,
        seed=seed,
        measure_every=max(1, steps // 4),
        vary={"louder": 0},  # which moves by the bins of `notes`
        threads=1,
    )


def measure(corpus: Corpus, network: Any, table: Any, model: Model) -> dict[str, list[Nats]]:
    """What each held-out song cost, in the order of their names."""
    accounts = list(likelihood(network, table, Side(corpus, "valid"), conditions=model.conditions))
    accounts.sort(key=lambda account: account["none"].song)
    return {given: [account[given] for account in accounts] for given in ("plan", "none")}


def moved(before: list[Nats], after: list[Nats], what: str) -> dict[str, Any]:
    """How far nats per note moved, and its interval, the songs being paired."""
    notes = np.array([song.notes for song in before], np.float64)
    change = np.array([getattr(b, what) - getattr(a, what) for a, b in zip(before, after, strict=True)])
    return {"moved": float(change.sum() / notes.sum()), "interval": interval(change, notes)}


def main() -> None:
    """Train and measure both, for each seed; a line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=270)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    corpus = Corpus.open(asked.corpus)
    for seed in range(asked.seeds):
        names = {"32": "notes", "16": f"{__file__}:Sixteen"}
        found = {}
        for bins, name in names.items():
            model = learnt(corpus, name, asked.out / f"{bins}-{seed}", asked.steps, seed)
            network, table = model.network_in_torch(), registry.find("representations", name)()
            found[bins] = measure(corpus, network, table, model)
            if bins == "32":
                found["32 merged"] = measure(corpus, Merged(network), table, model)
        for given in ("none", "plan"):
            for bins, accounts in found.items():
                print(json.dumps({"seed": seed, "given": given, "bins": bins, **summary(accounts[given])}))
            for bins in ("16", "32 merged"):
                for what in ("total", "reference"):
                    change = moved(found["32"][given], found[bins][given], what)
                    print(json.dumps({"seed": seed, "given": given, "to": bins, "of": what, **change}))


if __name__ == "__main__":
    main()
