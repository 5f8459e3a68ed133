"""`ritornello train`: from a corpus to a model folder."""

from __future__ import annotations

import time
from typing import Any

import click

from ritornello.cli.common import output_options, progress, show


@click.command("train")
@click.argument("corpus", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="The model folder to write (or to go on with).")
@click.option("--network", default="original", show_default=True, help="A network, or FILE.py:CLASS.")
@click.option("--minutes", type=float, help="How long to train.")
@click.option("--steps", type=int, help="How many steps to train, instead of --minutes.")
@click.option("--batch", type=int, default=256, show_default=True, help="Windows in a step.")
@click.option("--learning-rate", type=float, default=2e-3, show_default=True, help="At its highest.")
@click.option("--curve", type=click.Path(), help="A TOML file with the points of the note's loss.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of initial weights and batches.")
@click.option("--threads", type=int, default=1, show_default=True, help="Of the CPU.")
@output_options
def command(corpus: str, out: str, curve: str | None, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Train a network on CORPUS. The same command again goes on where it stopped.

    \b
    ritornello train corpus --out model --minutes 10
    ritornello train corpus --out model --steps 2000 --seed 1
    """
    from ritornello import workflow

    if settings["minutes"] is None and settings["steps"] is None:
        settings["minutes"] = 10.0
    if curve:
        from ritornello.losses.curve import Curve

        settings["network_config"] = {"curve": Curve.read(curve).to_dict()}
    began = time.monotonic()
    last: dict[str, float] = {}
    with progress(not (quiet or as_json)) as update:

        def report(state: Any, losses: dict[str, float]) -> None:
            last.update(losses)
            heldout = f"  held-out {last['heldout_loss']:.4f}" if "heldout_loss" in last else ""
            update(state.step, state.total_steps or 0, f"learning  loss {last['loss']:.4f}{heldout}")

        model = workflow.train(corpus, out, progress=update, report=report, **settings)
    info = model.info
    text = (
        f"{out}   {info['training']['steps']:,} steps in {time.monotonic() - began:.0f} s, "
        f"held-out loss {info['measured']['heldout_loss']:.4f} (step {info['training']['best_step']:,})\n"
        f"compose with it: ritornello compose {out}"
    )
    show({"model": out, **info}, text, as_json=as_json, quiet=quiet)
