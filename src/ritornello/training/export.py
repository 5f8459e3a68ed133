"""From a finished (or interrupted) run to a model folder: weights, what composing needs, a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ritornello import __version__, model, registry
from ritornello.training.batches import Windows
from ritornello.training.loop import Run

RESIDUALS, SEEDS = 2048, 64


def export(run: Run, representation: Any, heldout: Windows, data: dict[str, Any], folder: Path) -> None:
    """Write the model folder from the run's best averaged weights.

    `data` says what it was trained on. Raises OutputError.
    """
    network = run.network
    network.load_state_dict(run.best)
    network.eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    tables, measured = reals_tables(network, heldout, representation)
    info = {
        "ritornello": __version__,
        "representation": registry.identity(representation.name),
        "network": {**registry.identity(run.config.network), "config": network.settings()},
        "parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "data": data,
        "training": {
            "steps": run.state.step,
            "best_step": run.state.best_step,
            "seconds": round(run.state.seconds, 1),
            "batch": run.config.batch,
            "seed": run.config.seed,
        },
        "measured": {"heldout_loss": run.state.best_loss, **measured},
    }
    model.write(folder, info, weights, tables, card(info))


def reals_tables(
    network: Any, heldout: Windows, representation: Any
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """What composing with reals needs, and how well the network predicts.

    tables: "residuals" (R, F), true minus predicted over held-out windows, to draw around a prediction;
    "seeds" (S, T, F), the openings of held-out songs, to begin from.
    """
    windows = heldout.take(heldout.spread(RESIDUALS))  # (R, T+1, F)
    with torch.no_grad():
        predictions = network(torch.from_numpy(windows))
    names = [f.name for f in representation.fields]
    predicted = np.stack([predictions[name][:, -1].numpy() for name in names], axis=1)  # (R, F)
    residuals = windows[:, -1] - predicted
    long_enough = np.flatnonzero(heldout.counts)[:SEEDS]
    seeds = [heldout.rows.song(int(song))[: heldout.window] for song in long_enough]
    spread = {f"spread_{name}": float(residuals[:, i].std()) for i, name in enumerate(names)}
    errors = {f"mean_error_{name}": float(np.abs(residuals[:, i]).mean()) for i, name in enumerate(names)}
    tables = {"residuals": residuals.astype(np.float32), "seeds": np.stack(seeds).astype(np.float32)}
    return tables, {**errors, **spread}


def card(info: dict[str, Any]) -> str:
    """The model in words, for people."""
    data, training = info["data"], info["training"]
    measured = "\n".join(f"| {name} | {value:.4f} |" for name, value in info["measured"].items())
    return f"""# A model of Ritornello {info["ritornello"]}

Network `{info["network"]["name"]}` ({info["parameters"]:,} parameters) on representation
`{info["representation"]["name"]}`.

Trained on {data["train_songs"]:,} songs of the corpus `{data["corpus"]}` ({data["hash"][:12]}), measured on
{data["heldout_songs"]:,} {data["heldout"]}. {training["steps"]:,} steps of {training["batch"]} windows in
{training["seconds"] / 60:.1f} minutes, seed {training["seed"]}; the weights are those of step
{training["best_step"]:,}.

| measured on held-out windows | |
|---|---|
{measured}

Errors and spreads are in the units of the representation (`ritornello explain messages`).
Limits: a regression predicts the mean of what may follow; see docs/original.md.
"""
