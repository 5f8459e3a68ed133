"""Write the model folder of a finished or interrupted run: weights, plans, tables and a card."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ritornello.models import model, registry
from ritornello.music.plan import MAX_BARS, Plan
from ritornello.system.progress import Progress, no_progress
from ritornello.system.templates import fill_template
from ritornello.system.version import __version__
from ritornello.training import schedule
from ritornello.training.batches import Windows
from ritornello.training.loop import Batches, TrainingRun
from ritornello.training.sketch_training import SketchTraining
from ritornello.training.songs import EncodedSongs
from ritornello.training.start import TrainingStart

MAX_RESIDUALS, MAX_OPENINGS = 2048, 64
MAX_STORED_PLANS, FEWEST_PLANS = 4096, 64


def export(
    run: TrainingRun,
    start: TrainingStart,
    heldout: Batches,
    plans: Sequence[Plan],
    data: dict[str, Any],
    folder: Path,
    sketch: SketchTraining | None = None,
    style: dict[str, dict[str, float]] | None = None,
) -> None:
    """Write the model folder from the run's best averaged weights, with the sketch network if any.

    `plans` are those of `stored_plans`; `data` describes the training songs; `style` are the style statistics
    by label (`composing.style_stats`). Raises OutputError.
    """
    network = run.network
    network.load_state_dict(run.best)
    network.eval()
    weights = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    tables: dict[str, np.ndarray] = {}
    measured: dict[str, float] = {}
    if isinstance(heldout, Windows):
        tables, measured = tables_of_reals(network, heldout, start.representation)
    loss = {"loss": registry.identity(run.config.loss)} if run.config.loss else {}
    info = {
        "ritornello": __version__,
        "representation": registry.identity(start.representation_name),
        "network": {**registry.identity(run.config.network), "config": network.settings()},
        "labels": list(start.labels),
        "key_frame": start.has_key_frame,
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": data,
        "training": {
            "steps": run.state.step,
            "best_step": run.state.best_step,
            "seconds": round(run.state.seconds, 1),
            "pace": run.state.pace,
            "batch": run.config.batch,
            "learning_rate": run.config.learning_rate,
            "seed": run.config.seed,
            "machine": str(run.process),
            "init": start.init,
            "teachers": run.teachers.hashes if run.teachers else [],
            "sketch": sketch.log[-1] if sketch and sketch.log else None,
            **loss,
        },
        "measured": {"heldout_loss": run.state.best_loss, **measured},
    }
    if style:
        info["usual"] = style
    if sketch:
        info["sketch"] = sketch.sketcher.settings
    model.write(folder, info, weights, tables, card(info), plans, sketch.sketcher.arrays if sketch else None)


def stored_plans(
    songs: EncodedSongs, progress: Progress = no_progress, limit_s: float = math.inf
) -> list[Plan]:
    """Return the plans of at most MAX_STORED_PLANS training songs, evenly spaced, without too long songs.

    If this takes more than `limit_s` seconds, they are the plans of fewer, randomly selected songs, but at
    least FEWEST_PLANS.
    """
    chosen = np.unique(np.linspace(0, len(songs) - 1, min(MAX_STORED_PLANS, len(songs))).astype(np.int64))
    order = np.random.default_rng(0).permutation(chosen) if limit_s < math.inf else chosen
    plans: dict[int, Plan] = {}
    began = schedule.CLOCK()
    for song in order.tolist():
        plans[song] = songs.plan(songs.usable(song))
        progress(len(plans), len(chosen), "collecting plans")
        if len(plans) >= FEWEST_PLANS and schedule.CLOCK() - began > limit_s:
            progress(len(plans), len(plans), "collecting plans")
            break
    return [plan for _, plan in sorted(plans.items()) if plan.bars and plan.bars <= MAX_BARS]


def writing_seconds(plans: Sequence[Plan]) -> float:
    """Estimate the time to write and read plans, in seconds, from some of them."""
    some, began = plans[:FEWEST_PLANS], schedule.CLOCK()
    for plan in json.loads(json.dumps([plan.to_dict() for plan in some])):
        Plan.from_dict(plan)
    return (schedule.CLOCK() - began) * len(plans) / max(1, len(some))


def tables_of_reals(
    network: Any, heldout: Windows, representation: Any
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return the tables for composing with a network of reals, and measurements of its predictions.

    The tables are "residuals" (R, F), true minus predicted values over held-out windows, which sampling
    adds to a prediction, and "seeds" (S, T, F), openings of held-out songs, which composing continues.
    """
    windows = heldout.take(heldout.evenly_spaced(MAX_RESIDUALS))  # (R, T+1, F)
    with torch.no_grad():
        predictions = network.cpu()(torch.from_numpy(windows))
    names = [f.name for f in representation.fields]
    predicted = np.stack([predictions[name][:, -1].numpy() for name in names], axis=1)  # (R, F)
    residuals = windows[:, -1] - predicted
    long_enough = np.flatnonzero(heldout.counts)[:MAX_OPENINGS]
    seeds = [heldout.rows.song(int(song))[: heldout.window] for song in long_enough]
    spread = {f"spread_{name}": float(residuals[:, i].std()) for i, name in enumerate(names)}
    errors = {f"mean_error_{name}": float(np.abs(residuals[:, i]).mean()) for i, name in enumerate(names)}
    tables = {"residuals": residuals.astype(np.float32), "seeds": np.stack(seeds).astype(np.float32)}
    return tables, {**errors, **spread}


def card(info: dict[str, Any]) -> str:
    """Return the model's description for people, as Markdown."""
    return fill_template("card.md", **info)
