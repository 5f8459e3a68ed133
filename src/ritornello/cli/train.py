"""`ritornello train`: train a model on a corpus."""

import os
import time
from dataclasses import fields
from typing import Any

import click

from ritornello.cli.common import PATH, option, options_of, output_options, print_result, progress_bars
from ritornello.training.config import NetworkOptions, TrainConfig


@click.command("train")
@click.argument("corpus", type=PATH)
@option("--out", "The model folder to write, or to continue.", PATH, required=True)
@options_of(TrainConfig)
@options_of(NetworkOptions)
@option(
    "--curve",
    "A TOML file with the points of the curve of the interval loss, or of the loss of `original`.",
    PATH,
)
@output_options
def command(corpus: str, out: str, curve: str | None, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Train a network on CORPUS. If it is interrupted, the same command continues where it stopped.

    \b
    ritornello train corpus --out model --minutes 10
    ritornello train corpus --out model --network transformer --size tiny --steps 2000 --seed 1
    ritornello train mine --out model2 --init model --minutes 10
    ritornello train corpus --out small --teacher model1 --teacher model2
    ritornello train corpus --out model --network my_net.py:MyNet
    torchrun --nproc-per-node 4 -m ritornello train corpus --out model --size large --epochs 3
    """
    from ritornello.training.train import train

    if all(settings[duration] is None for duration in ("minutes", "steps", "epochs")):
        settings["minutes"] = 10.0
    network = {option.name: settings.pop(option.name) for option in fields(NetworkOptions)}
    settings["network_config"] = {name: value for name, value in network.items() if value is not None}
    if curve:
        from ritornello.models.losses.curve import Curve

        settings["network_config"]["curve"] = Curve.read(curve).to_dict()
    quiet = quiet or os.environ.get("RANK", "0") != "0"  # of the processes of torchrun, the first one prints
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
    code = "".join(f" --{kind} {settings[kind]}" for kind in model.code_options)
    text = (
        f"{out}   {training['steps']:,} steps in {time.monotonic() - began:.0f} s {training['machine']}, "
        f"held-out loss {heldout:.4f} (step {training['best_step']:,})\n"
        f"compose with it: ritornello compose {out}{code}"
    )
    print_result({"model": out, **model.info}, text, as_json=as_json, quiet=quiet)
