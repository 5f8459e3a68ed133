"""Train a network on a corpus and write its model folder: the steps of training in order.

start           the network: with random weights, or with those of another model
distributed     device, precision, threads, and the other processes of `torchrun`
distillation    models whose predictions the network learns besides the songs
songs           encoded songs: from the cache on disk (song_cache, pack), or encoded when needed
sketch_batches, sketch_training  the sketch network of the model, from the same songs
batches, crops  windows of rows; crops of songs with augmentation; both pure functions of (songs, seed, step)
schedule        the number of steps, also the number that fits into the minutes; the learning rate of each
loop            training steps, held-out measurements, the best weights
sample_monitor  composes a few bars at each measurement, and detects whether they have collapsed
checkpoint      the folder of a run: its configuration, and the file from which it continues bit for bit
export          the model folder: weights, tables and plans for composing, card

Plans and fingerprints of the songs are collected, and the sketch network is trained, before the first step,
so that little time passes after the last step. The setting `minutes` limits the time from the call of `train`
to the written model folder.
"""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError
from ritornello.models import fingerprints, registry
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.system.files import output_errors, write_bytes
from ritornello.system.lock import locked
from ritornello.system.progress import Progress, no_progress
from ritornello.training.batches import Windows, encode_songs
from ritornello.training.checkpoint import check_folder, run_settings
from ritornello.training.config import TrainConfig
from ritornello.training.crops import Augmentation, Crops
from ritornello.training.distillation import TeacherEnsemble
from ritornello.training.distributed import TrainingProcess
from ritornello.training.export import export, stored_plans, writing_seconds
from ritornello.training.label_style import style_of_corpus
from ritornello.training.loop import Batches, SampleCheck, StepReport, TrainingRun
from ritornello.training.sample_monitor import SampleMonitor
from ritornello.training.sketch_training import SketchTraining, sketch_of_run
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSongs, SplitScores
from ritornello.training.start import TrainingStart, open_model

MAX_STYLE_SONGS = 500  # the style of so many songs is measured, which takes 2 to 3 seconds
PLANS_SHARE = 0.05  # the largest share of the minutes for collecting plans of the songs


def run_training(
    corpus: Corpus,
    folder: Path,
    config: TrainConfig,
    progress: Progress | None,
    report: StepReport | None,
    began: float,
) -> Model:
    """Train a network and write its model folder, also if training stops early.

    `began` is the reading of schedule.CLOCK from which minutes count. Raises InputError, FailedError;
    KeyboardInterrupt after Ctrl-C, once the best state has been written.
    """
    start = TrainingStart.of(_with_recorded_curve(config, folder), corpus.labels)
    config = replace(start.config, network_config=config.network_config).resolved(start.network)
    loss = start.loss
    process = TrainingProcess.of(config.device, config.precision, start.threads, start.network.halves)
    teachers = TeacherEnsemble.of(config.teachers, start, process.device) if config.teachers else None
    settings = run_settings(config, corpus.hash, teachers.hashes if teachers else None)
    check_folder(folder, settings)  # before the songs are encoded
    learnt, heldout = (_batches(corpus, split, start, config, progress) for split in ("train", "valid"))
    if not len(learnt):
        raise InputError(start.no_songs(str(corpus.path)))
    data = _data(corpus, learnt, heldout)
    heldout = heldout if len(heldout) else learnt
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(process.leave)
        material: _ComposingMaterial | None = None
        sketch: SketchTraining | None = None
        if not process.rank:
            stack.enter_context(locked(folder / "lock"))
            material = _ComposingMaterial.of(corpus, learnt, config, start, progress or no_progress)
            sketch = sketch_of_run(corpus, folder, start, config, len(learnt) / (config.batch or 1))
        with process.in_turn():
            run = TrainingRun(
                folder,
                config,
                start.network,
                corpus.hash,
                process,
                teachers,
                loss,
                began=began,
                after_s=material.writing_s if material else 0.0,
            )
        try:
            run.train(learnt, heldout, report, _sample_check(learnt, start))
        finally:
            if run.state.best_step and material:
                (progress or no_progress)(0, 1, "writing the model")
                export(run, start, heldout, material.plans, data, folder, sketch, material.style)
                write_bytes(folder / fingerprints.FILE, material.fingerprints)
                (progress or no_progress)(1, 1, "writing the model")
        if process.world > 1:
            process.total(0.0)  # wait until the first process has written the model
    if run.stopped:
        model = "" if run.state.best_step else "no model yet, the first measurement writes one; "
        where = f"stopped at step {run.state.step:,}"
        raise KeyboardInterrupt(f"{where}; {model}the same command continues from there")
    return open_model(folder, config)


@dataclass(frozen=True)
class _ComposingMaterial:
    """The plans, fingerprints and style of the songs for the model folder; writing takes about `writing_s`.

    `style` has the style statistics by label, and those of the model of --init.
    """

    plans: list[Plan]
    fingerprints: bytes
    style: dict[str, dict[str, float]]
    writing_s: float

    @classmethod
    def of(
        cls, corpus: Corpus, learnt: Batches, config: TrainConfig, start: TrainingStart, progress: Progress
    ) -> _ComposingMaterial:
        """Collect them; a run of some minutes spends at most PLANS_SHARE on plans. Raises ModelError."""
        limit_s = math.inf if config.minutes is None else PLANS_SHARE * config.minutes * 60
        plans = stored_plans(learnt.songs, progress, limit_s) if isinstance(learnt, Crops) else []
        songs = fingerprints.of_training_songs(corpus, config.models)
        style = dict(open_model(config.init, config).info.get("usual", {})) if config.init else {}
        if start.representation_name == "notes":
            style |= style_of_corpus(corpus, start.representation, MAX_STYLE_SONGS)
        return cls(plans, fingerprints.to_bytes(songs), style, writing_seconds(plans))


def _with_recorded_curve(config: TrainConfig, folder: Path) -> TrainConfig:
    """Give a continued run the curve of its model.json, because the default curve may have changed."""
    try:
        curve = json.loads((folder / "model.json").read_bytes())["network"]["config"]["curve"]
    except (OSError, ValueError, KeyError, TypeError):
        return config
    return replace(config, network_config={"curve": curve, **config.network_config}) if curve else config


def _data(corpus: Corpus, learnt: Batches, heldout: Batches) -> dict[str, Any]:
    """The entry of model.json about the training data; a small corpus may have no held-out songs."""
    data = {"corpus": corpus.path.name, "hash": corpus.hash, "songs": len(corpus.songs())}
    data["train_songs"] = _song_count(learnt)
    if len(heldout):
        return {**data, "heldout_songs": _song_count(heldout), "heldout": "held-out songs"}
    return {**data, "heldout_songs": _song_count(learnt), "heldout": "of the same songs (none is held out)"}


def _batches(
    corpus: Corpus, split: str, start: TrainingStart, config: TrainConfig, progress: Progress | None
) -> Batches:
    """The batches of a split of the corpus, as the network reads them."""
    scores, representation = SplitScores(corpus, split), start.representation
    window = start.network.config.window
    if start.network.learns == "last":
        songs_in_order = (scores[song] for song in range(len(scores)))
        rows = encode_songs(songs_in_order, representation, len(scores), progress)
        return Windows(rows, window, config.seed)
    augmentation = Augmentation(**config.vary)
    variants = GIVEN_VARIANTS if augmentation.given and split == "train" else 0
    songs = EncodedSongs.of_split(scores, representation, config.memory_mb, variants, progress)
    if getattr(representation, "refuses", False):
        songs.drop_unreadable()
    return Crops(
        songs,
        start.plan_encoder,
        window,
        config.seed,
        augmentation,
        config.genre_power,
        start.has_key_frame,
        config.label_weights,
    )


def _sample_check(learnt: Any, start: TrainingStart) -> SampleCheck | None:
    """The check of composed samples during training; None for a user's own code, which may be slow."""
    network, representation = start.config.network, start.representation_name
    installed = network in registry.names("steps") and representation in registry.names("representations")
    if not isinstance(learnt, Crops) or not installed:
        return None
    monitor = SampleMonitor(learnt.songs, start.labels, start.has_key_frame)
    return lambda trained: monitor(trained, network, start.config.seed)


def _song_count(batches: Any) -> int:
    """The number of songs behind batches."""
    return len(batches.songs if isinstance(batches, Crops) else batches.rows)
