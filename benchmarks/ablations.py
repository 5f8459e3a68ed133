"""Ablations: `notes` without some of its candidates, fewer velocity bins, and the interval loss of 2018."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared import (
    CLOCK,
    CORPUS,
    OUT,
    argument,
    benchmark,
    mean_of_seeds,
    set_training_clock,
    share_in_scale,
    stored,
    table,
)
from ritornello import Corpus, Model, Score, compose_many
from ritornello.evaluation.inputs import CorpusSongs
from ritornello.evaluation.likelihood import likelihood
from ritornello.evaluation.measure import measure
from ritornello.evaluation.summary import SongNats, bootstrap_interval, summarize
from ritornello.models import registry
from ritornello.models.plan_vector import infer_plan
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from ritornello.representations.table import Rows, start_row
from ritornello.training.train import train

# Representations without candidates, for `pop` and `groups`


class Plain(Notes):
    """`notes` without the candidates echo, alone and form."""

    name = "plain"
    left_out: tuple[str, ...] = ("echo.", "alone.", "form.")

    def __init__(self) -> None:
        kept = [i for i, field in enumerate(Notes.fields) if not field.name.startswith(self.left_out)]
        self.kept = np.array(kept)
        self.fields = tuple(Notes.fields[i] for i in kept)  # type: ignore[misc]

    def encode(
        self, score: Score, timeline: Timeline | None = None, given: npt.NDArray[np.bool_] | None = None
    ) -> Rows:
        """The rows of `notes` without the columns that are left out."""
        values, learn = super().encode(score, timeline, given)
        return Rows(values[:, self.kept], learn[:, self.kept])

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """As `notes`."""
        return super().transposition_range(self._all_columns(values))

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int) -> npt.NDArray[Any]:
        """As `notes`."""
        return super().augmented(self._all_columns(values), semitones, bins)[:, self.kept]

    def _all_columns(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        whole = np.tile(np.array(start_row(Notes.fields), values.dtype), (len(values), 1))
        whole[:, self.kept] = values
        return whole


class WithEcho(Plain):
    """`notes` with the candidate echo only."""

    name = "with echo"
    left_out = ("alone.", "form.")


class WithForm(Plain):
    """`notes` with the candidate form only."""

    name = "with form"
    left_out = ("echo.", "alone.")


class WithoutAlone(Plain):
    """`notes` without the candidate alone."""

    name = "without alone"
    left_out = ("alone.",)


# Velocity bins


class Sixteen(Notes):
    """`notes` with 16 bins of 8 velocities, in the notes and in the candidates."""

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
        """The rows of `notes` with velocities halved; the class for no velocity, 32, becomes 16."""
        values, learn = super().encode(score, timeline, given)
        values[:, self.columns] //= 2
        return Rows(values, learn)

    def bin_widths(self) -> dict[str, npt.NDArray[np.int64]]:
        """As `notes`, except for velocities."""
        return super().bin_widths() | {"velocity": np.full(16, 8)}


class Merged:
    """A network whose velocity bins are merged in pairs: it predicts the mean of both bins of a pair.

    Measured as `notes`, its reference nats are those of a table of 16 bins; its nats are log 2 per note above
    those of that table.
    """

    def __init__(self, network: Any) -> None:
        self.network, self.parameters = network, network.parameters

    def predict(self, values: Any, plan: Any, state: Any) -> tuple[dict[str, Any], Any]:
        """The predictions of the network with the logits of velocities merged."""
        predictions, state = self.network.predict(values, plan, state)
        pairs = predictions["velocity"].unflatten(-1, (-1, 2)).logsumexp(-1, keepdim=True)
        return {**predictions, "velocity": pairs.expand(*pairs.shape[:-1], 2).flatten(-2)}, state


def nats_of_songs(
    corpus: Corpus, network: Any, representation: Any, model: Model
) -> dict[str, list[SongNats]]:
    """The nats of each held-out song in the order of their names, by what is given: plan or nothing."""
    accounts = list(
        likelihood(
            network,
            representation,
            CorpusSongs(corpus, "valid"),
            plan_encoder=model.plan_encoder,
            has_key_frame=model.has_key_frame,
        )
    )
    accounts.sort(key=lambda account: account["none"].song)
    return {given: [account[given] for account in accounts] for given in ("plan", "none")}


def change_of_nats(before: list[SongNats], after: list[SongNats], what: str) -> dict[str, Any]:
    """How far nats per note moved, with the interval; songs are paired."""
    notes = np.array([song.notes for song in before], np.float64)
    change = np.array([getattr(b, what) - getattr(a, what) for a, b in zip(before, after, strict=True)])
    return {"moved": float(change.sum() / notes.sum()), "interval": bootstrap_interval(change, notes)}


@benchmark(
    CORPUS,
    OUT,
    argument("--steps", type=int, default=270, help="of training (default: %(default)s)"),
    argument("--seeds", type=int, default=1),
    one_thread=True,
)
def velocity_bins(options: argparse.Namespace) -> None:
    """Train `notes` with 32 and with 16 velocity bins alike, and measure both on the same held-out songs.

    The question is whether a coarser table gains by the reference nats. A third row is the finer model with
    its bins merged in pairs afterwards: what a coarser table costs apart from training. Each line of the
    result is a JSON object. The corpus of RESULTS.md is POP909-CL.
    """
    corpus = Corpus.open(options.corpus)
    for seed in range(options.seeds):
        found = {}
        for bins, name in {"32": "notes", "16": f"{Path(__file__).resolve()}:Sixteen"}.items():
            model = train(
                corpus.path,
                options.out / f"{bins}-{seed}",
                network="lstm",
                representation=name,
                steps=options.steps,
                seed=seed,
                measure_every=max(1, options.steps // 4),
                vary={"louder": 0},  # it would move velocities by bins of `notes`
                threads=1,
            )
            network, representation = model.network_in_torch(), registry.find("representations", name)()
            found[bins] = nats_of_songs(corpus, network, representation, model)
            if bins == "32":
                found["32 merged"] = nats_of_songs(corpus, Merged(network), representation, model)
        for given in ("none", "plan"):
            for bins, accounts in found.items():
                print(json.dumps({"seed": seed, "given": given, "bins": bins, **summarize(accounts[given])}))
            for bins in ("16", "32 merged"):
                for what in ("total", "reference"):
                    change = change_of_nats(found["32"][given], found[bins][given], what)
                    print(json.dumps({"seed": seed, "given": given, "to": bins, "of": what, **change}))


# Interval loss


def share_in_key(song: Score) -> float:
    """The share of pitched notes in the scale of the key that is estimated from the song."""
    key = infer_plan(song).key
    return float("nan") if key is None else share_in_scale(song, key)


def with_interval_loss(weight: float, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train with a weight of the interval loss, measure and compose, unless that was done before."""
    file = options.out / f"weight{weight:g}-seed{seed}.json"

    def compute() -> dict[str, Any]:
        settings: dict[str, Any] = {"minutes": options.minutes, "seed": seed, "threads": options.threads}
        settings["learning_rate"] = options.rate
        config = {"interval": weight, "size": options.size}
        train(options.corpus, file.with_suffix(""), network_config=config, memory_mb=4096, **settings)
        model = Model.open(file.with_suffix(""))
        nats = measure(model, options.corpus, split="test")["given"]["none"]["nats_per_note"]
        shares = [share_in_key(song.score) for song in compose_many(model, options.songs, seed=0, bars=16)]
        return {"nats": nats, "in_key": shares, "steps": model.info["training"]["steps"]}

    return stored(file, compute)


@benchmark(
    CORPUS,
    OUT,
    argument("--minutes", type=float, default=6.0, help="of training (default: %(default)s)"),
    argument("--seeds", type=int, default=3),
    argument("--weights", type=float, nargs="+", default=[0.0, 0.03, 0.1], help="of the interval loss"),
    argument("--songs", type=int, default=40, help="composed with each model"),
    argument("--size", default="small", help="of the network"),
    argument("--threads", type=int, default=1),
    argument("--rate", type=float, help="the learning rate, if not the network's own"),
    CLOCK,
)
def interval_loss(options: argparse.Namespace) -> None:
    """Train the same network with several weights of the interval loss of 2018, for the same time.

    All are measured on the test side: nats per note with nothing given, and the share of the pitches of
    composed songs that lie in the song's estimated key, compared with the same share of the held-out songs.
    """
    set_training_clock(options.clock)
    human = [share_in_key(song.score) for song in CorpusSongs(Corpus.open(options.corpus), "test")]
    lines = []
    for weight in options.weights:
        found = [with_interval_loss(weight, seed, options) for seed in range(options.seeds)]
        nats, keys = [one["nats"] for one in found], [float(np.nanmean(one["in_key"])) for one in found]
        steps = ", ".join(str(one["steps"]) for one in found)
        lines.append([f"{weight:g}", mean_of_seeds(nats), mean_of_seeds(keys), steps])
    print(table(["weight", "nats per note (seeds)", "composed pitches in key (seeds)", "steps"], lines))
    print(f"\nheld-out songs: {np.nanmean(human):.3f} of the pitches in key")
