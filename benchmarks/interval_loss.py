"""The music-aware loss of 2018 beside the cross-entropy: does it pay? Its ablation.

    python benchmarks/interval_loss.py CORPUS --out DIR [--minutes 6] [--seeds 3] [--weights 0 0.03 0.1]

`lstm` on `notes`, the same but for the weight of `losses/interval.py`; the clock counts, so what the loss
costs in time counts too. Judged on the test side: nats a note on hard targets, with nothing told, and how
many of the pitches of composed songs are in the key that is heard in them, beside the same of the held-
out songs. What DIR holds already is not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from ritornello import Corpus, Model, Score, compose_many
from ritornello.evaluation.inputs import Side
from ritornello.evaluation.measure import measure
from ritornello.models.plan_vector import heard
from ritornello.music.theory import scale
from ritornello.training import loop
from ritornello.training.train import train


def in_key(song: Score) -> float:
    """The share of pitched notes in the scale of the key that is heard; a minor one has both sevenths."""
    key = heard(song).key
    if key is None:
        return float("nan")
    return float(np.isin(song.pitch[~song.of_drums] % 12, list(scale(*key))).mean())


def run(corpus: Path, out: Path, weight: float, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train, measure and compose once."""
    file = out / f"weight{weight:g}-seed{seed}.json"
    if not file.exists():
        settings: dict[str, Any] = {"minutes": options.minutes, "seed": seed, "threads": options.threads}
        settings["learning_rate"] = options.rate
        config = {"interval": weight, "size": options.size}
        train(corpus, file.with_suffix(""), network_config=config, memory_mb=4096, **settings)
        model = Model.open(file.with_suffix(""))
        found = measure(model, corpus, split="test")
        songs = compose_many(model, options.songs, seed=0, bars=16)
        shares = [in_key(song.score) for song in songs]
        nats = found["given"]["none"]["nats_per_note"]
        file.write_text(
            json.dumps({"nats": nats, "in_key": shares, "steps": model.info["training"]["steps"]})
        )
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def main() -> None:
    """All runs, and the table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.03, 0.1])
    parser.add_argument("--songs", type=int, default=40, help="composed with each model")
    parser.add_argument("--size", default="small")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, help="the learning rate, if not the network's own")
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall", help="as in pop.py")
    options = parser.parse_args()
    if options.clock == "processor":
        loop.CLOCK = time.process_time
    options.out.mkdir(parents=True, exist_ok=True)
    human = [in_key(song.score) for song in Side(Corpus.open(options.corpus), "test")]
    print("| weight | nats a note (seeds) | composed pitches in key (seeds) | steps |\n|---|---|---|---|")
    for weight in options.weights:
        found = [run(options.corpus, options.out, weight, seed, options) for seed in range(options.seeds)]
        nats, keys = [one["nats"] for one in found], [float(np.nanmean(one["in_key"])) for one in found]
        cells = [
            f"**{np.mean(nats):.3f}** ({', '.join(f'{n:.3f}' for n in nats)})",
            f"**{np.mean(keys):.3f}** ({', '.join(f'{k:.3f}' for k in keys)})",
            ", ".join(str(one["steps"]) for one in found),
        ]
        print(f"| {weight:g} | " + " | ".join(cells) + " |")
    print(f"\nheld-out songs: {np.nanmean(human):.3f} of the pitches in key")


if __name__ == "__main__":
    main()
