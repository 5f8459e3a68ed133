"""`ritornello train`: from a corpus to a model folder."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from ritornello.cli.common import output_options, print_result, progress_bars

OF_THE_NETWORK = ("size", "window", "dropout", "interval")  # settings that go to the network


@click.command("train")
@click.argument("corpus", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="The model folder to write (or to go on with).")
@click.option(
    "--network", default="lstm", show_default=True, help="lstm, transformer, original, or FILE.py:CLASS."
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "small", "medium", "large"]),
    help="0.8, 4, 15 or 60 million parameters.",
)
@click.option("--representation", help="What it reads, such as chorale; the network's own when not given.")
@click.option("--init", type=click.Path(), help="A model folder to begin from.")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=click.Path(),
    help="A model folder whose predictions are learnt beside the songs; several are averaged.",
)
@click.option("--minutes", type=float, help="How long to train; 10 when nothing is said.")
@click.option("--steps", type=int, help="How many steps to train, instead.")
@click.option("--epochs", type=float, help="How many times through as many rows as there are, instead.")
@click.option("--patience", type=int, default=0, help="Stop after so many measurements without progress.")
@click.option("--batch", type=int, help="Windows in a step; 32, of original 256.")
@click.option("--window", type=int, help="Rows in a window; 256, of original 50.")
@click.option("--dropout", type=float, help="Share of the network left out in training, 0-0.9.")
@click.option("--interval", type=float, help="Weight of the music-aware loss beside the cross-entropy.")
@click.option("--learning-rate", type=float, help="At its highest; 0.004, of original 0.002.")
@click.option("--curve", type=click.Path(), help="A TOML file with the points of the note's loss.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of initial weights and batches.")
@click.option("--threads", type=int, help="Of the CPU; 1, for large networks all but one.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="auto takes a GPU where there is one.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="auto takes bfloat16 where the hardware has it.",
)
@click.option(
    "--compile", is_flag=True, help="With torch.compile; on a core of a CPU it compiles for 13 minutes first."
)
@click.option(
    "--memory", "memory_mb", type=int, default=1024, show_default=True, help="MB for encoded songs."
)
@output_options
def command(corpus: str, out: str, curve: str | None, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Train a network on CORPUS. The same command again goes on where it stopped.

    \b
    ritornello train corpus --out model --minutes 10
    ritornello train corpus --out model --network transformer --size tiny --steps 2000 --seed 1
    ritornello train mine --out model2 --init model --minutes 10
    ritornello train corpus --out small --teacher model1 --teacher model2
    torchrun --nproc-per-node 4 -m ritornello train corpus --out model --size large --epochs 3
    """
    from ritornello.training.train import train

    if all(settings[how_long] is None for how_long in ("minutes", "steps", "epochs")):
        settings["minutes"] = 10.0
    network = {name: settings.pop(name) for name in OF_THE_NETWORK}
    settings["network_config"] = {name: value for name, value in network.items() if value is not None}
    if curve:
        from ritornello.models.losses.curve import Curve

        settings["network_config"]["curve"] = Curve.read(curve).to_dict()
    settings["teachers"] = list(settings["teachers"]) or None
    quiet = quiet or os.environ.get("RANK", "0") != "0"  # of all processes of torchrun, the first speaks
    began = time.monotonic()
    last: dict[str, float] = {}
    with progress_bars(not (quiet or as_json)) as update:

        def report(state: Any, losses: dict[str, float]) -> None:
            last.update(losses)
            heldout = f"  held-out {last['heldout_loss']:.4f}" if "heldout_loss" in last else ""
            sounds = f"  {state.sounds}" if state.sounds else ""
            update(state.step, state.total_steps or 0, f"learning  loss {last['loss']:.4f}{heldout}{sounds}")

        model = train(corpus, out, progress=update, report=report, **settings)
    training, heldout = model.info["training"], model.info["measured"]["heldout_loss"]
    text = (
        f"{out}   {training['steps']:,} steps in {time.monotonic() - began:.0f} s {training['machine']}, "
        f"held-out loss {heldout:.4f} (step {training['best_step']:,})\n"
        f"compose with it: ritornello compose {out}"
    )
    print_result({"model": out, **model.info}, text, as_json=as_json, quiet=quiet)
