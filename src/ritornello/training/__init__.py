"""Training, from a corpus to a model folder.

folder      the folder of a run: one configuration, nobody else's files
batches     rows of songs, and the batch of every step as a pure function of (corpus, seed, step)
loop        steps, held-out measurements, the best weights kept
checkpoint  one file with everything that a killed run needs to go on bit for bit
export      the model folder: weights, tables for composing, card
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ritornello import registry
from ritornello.corpus import Corpus
from ritornello.errors import InputError
from ritornello.files import output_errors
from ritornello.lock import locked
from ritornello.model import Model
from ritornello.score import Score
from ritornello.training.batches import Progress, Windows, encode_songs
from ritornello.training.export import export
from ritornello.training.folder import check
from ritornello.training.loop import Report, Run, TrainConfig


def train(
    corpus: Corpus, folder: Path, config: TrainConfig, progress: Progress | None, report: Report | None
) -> Model:
    """Teach a network and write its model folder, also when it stops early.

    Raises InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best state has been written.
    """
    network = new_network(config)
    check(folder, {**asdict(config), "data": corpus.hash})  # before the songs are encoded
    learnt = windows(corpus, "train", network, config.seed, progress)
    heldout = windows(corpus, "valid", network, config.seed, progress)
    data = {"corpus": corpus.path.name, "hash": corpus.hash, "train_songs": len(learnt.rows)}
    data |= {"heldout_songs": len(heldout.rows), "heldout": "held-out songs"}
    if not len(learnt):
        name, rows = str(corpus.path), network.config.window
        raise InputError(f"no song of {name!r} to train on has more than {rows} rows, the network's window")
    if not len(heldout):  # a handful of files: say so rather than refuse
        heldout = learnt
        data |= {"heldout_songs": len(learnt.rows), "heldout": "of the same songs (none is held out)"}
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        run = Run(folder, config, network, corpus.hash)
        try:
            run.train(learnt, heldout, report)
        finally:
            if run.state.best_step:
                export(run, representation_of(network), heldout, data, folder)
    if run.stopped:
        model = "" if run.state.best_step else "no model yet, it comes with the first measurement; "
        at = f"stopped at step {run.state.step:,}"
        raise KeyboardInterrupt(f"{at}; {model}the same command goes on from there")
    return Model.open(folder)


def new_network(config: TrainConfig) -> Any:
    """The network that is to be taught, with its first weights drawn. Raises InputError."""
    kind = registry.find("networks", config.network)
    if getattr(kind, "learns", None) != "last":
        raise InputError(
            f"network {config.network!r} stands, but training cannot teach it yet; take 'original'"
        )
    torch.manual_seed(config.seed)
    return kind(config.network_config)


def representation_of(network: Any) -> Any:
    """The representation that a network reads."""
    return registry.find("representations", network.representation)()


def windows(corpus: Corpus, side: str, network: Any, seed: int, progress: Progress | None) -> Windows:
    """The songs of a side of the corpus as the network reads them."""
    songs = corpus.songs(side)
    scores: Iterator[Score] = (corpus.score(int(song)) for song in songs)
    rows = encode_songs(scores, representation_of(network), len(songs), progress)
    return Windows(rows, network.config.window, seed)
