"""Training, from a corpus to a model folder.

folder      the folder of a run: one configuration, nobody else's files
machine     device, precision, threads, and the other processes of `torchrun`
start       the network that is to be taught, from chance or from another model
teachers    models whose predictions it learns beside the songs
songs       songs encoded when they are asked for
batches     windows of rows ("last"), crops of songs, varied ("all"): pure functions of (songs, seed, step)
loop        steps, held-out measurements, the best weights kept
watch       a few bars composed now and then, and whether they are music
checkpoint  one file with everything that a killed run needs to go on bit for bit
export      the model folder: weights, tables and plans for composing, card
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError
from ritornello.models import fingerprints, registry
from ritornello.models.model import Model
from ritornello.system.files import output_errors
from ritornello.system.lock import locked
from ritornello.training.batches import Progress, Windows, encode_songs
from ritornello.training.config import TrainConfig
from ritornello.training.crops import Augmentation, Crops
from ritornello.training.distillation import TeacherEnsemble
from ritornello.training.distributed import TrainingProcess
from ritornello.training.export import export
from ritornello.training.loop import Batches, SampleCheck, StepReport, TrainingRun
from ritornello.training.run_folder import check_folder, run_settings
from ritornello.training.sample_monitor import SampleMonitor
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSongs, SplitScores
from ritornello.training.start import TrainingStart

FEW = 5  # songs, below which none is held out


def run_training(
    corpus: Corpus, folder: Path, config: TrainConfig, progress: Progress | None, report: StepReport | None
) -> Model:
    """Teach a network and write its model folder, also when it stops early.

    Raises InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best state has been written.
    """
    start = TrainingStart.of(config, corpus.labels)
    config = start.config.resolved(start.network)
    machine = TrainingProcess.of(config.device, config.precision, start.threads, start.network.halves)
    teachers = TeacherEnsemble.of(config.teachers, start, machine.device) if config.teachers else None
    taught_by = teachers.hashes if teachers else None
    check_folder(folder, run_settings(config, corpus.hash, taught_by))  # before the songs are encoded
    learnt, heldout = (_batches(corpus, side, start, config, progress) for side in ("train", "valid"))
    if not len(learnt):
        raise InputError(start.nothing_to_learn(str(corpus.path)))
    data = _data(corpus, learnt, heldout)
    heldout = heldout if len(heldout) else learnt
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(machine.leave)
        if not machine.rank:
            stack.enter_context(locked(folder / "lock"))
        with machine.in_turn():
            run = TrainingRun(folder, config, start.network, corpus.hash, machine, teachers)
        try:
            run.train(learnt, heldout, report, _listener(learnt, start))
        finally:
            if run.state.best_step and not machine.rank:
                export(run, start, learnt, heldout, data, folder)
                fingerprints.write(folder, fingerprints.of_training_songs(corpus, config.models))
        if machine.world > 1:
            machine.total(0.0)  # nobody leaves before the model is there
    if run.stopped:
        model = "" if run.state.best_step else "no model yet, it comes with the first measurement; "
        at = f"stopped at step {run.state.step:,}"
        raise KeyboardInterrupt(f"{at}; {model}the same command goes on from there")
    return Model.open(folder)


def _data(corpus: Corpus, learnt: Batches, heldout: Batches) -> dict[str, Any]:
    """What a model is told to have learnt from; with a handful of files none is held out, which it says."""
    found = {"corpus": corpus.path.name, "hash": corpus.hash, "songs": len(corpus.songs())}
    found["train_songs"] = _songs(learnt)
    if len(heldout):
        return {**found, "heldout_songs": _songs(heldout), "heldout": "held-out songs"}
    return {**found, "heldout_songs": _songs(learnt), "heldout": "of the same songs (none is held out)"}


def _batches(
    corpus: Corpus, name: str, start: TrainingStart, config: TrainConfig, progress: Progress | None
) -> Batches:
    """The songs of a side of the corpus as the network learns from them."""
    side, representation = SplitScores(corpus, name), start.representation
    window = start.network.config.window
    if start.network.learns == "last":
        scores = (side[song] for song in range(len(side)))
        return Windows(encode_songs(scores, representation, len(side), progress), window, config.seed)
    songs = EncodedSongs(side, representation, side.labels, side.notes, config.memory_mb)
    if getattr(representation, "refuses", False):
        songs.only_readable()
    variation = Augmentation(**config.vary)
    if torch.cuda.is_available() and config.device != "cpu":  # which would wait for songs to be encoded
        songs.fill(GIVEN_VARIANTS if variation.given and name == "train" else 0, (os.cpu_count() or 1) - 1)
    return Crops(songs, start.plan_encoder, window, config.seed, variation, config.genre_power)


def _listener(learnt: Any, start: TrainingStart) -> SampleCheck | None:
    """Who listens to the network now and then; nobody to what composing cannot play."""
    built_in = start.config.network in registry.names("steps")
    built_in &= start.representation.name in registry.names("representations")
    if not isinstance(learnt, Crops) or not built_in:
        return None
    watch = SampleMonitor(learnt.songs, start.labels)
    return lambda network: watch(network, start.config.network, start.config.seed)


def _songs(batches: Any) -> int:
    """How many songs are behind batches."""
    return len(batches.songs if isinstance(batches, Crops) else batches.rows)
