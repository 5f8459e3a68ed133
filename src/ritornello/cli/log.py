"""`ritornello log`: show the losses of a training run."""

from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result


@click.command("log")
@click.argument("run", type=PATH)
@option("--png", "Also draw the curves into this file.", PATH)
@overwrite_option
@output_options
def command(run: str, png: str | None, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Show the losses of RUN, the model folder of a finished or running training.

    \b
    ritornello log model
    ritornello log model --png curves.png
    """
    from ritornello.rendering import charts
    from ritornello.system.made_files import writing
    from ritornello.training.history import History

    history = History(run)
    last, best = history.lines[-1], history.best()
    lines = [
        charts.Line(*history.column(name), label)
        for name, label in (("loss", "training batch"), ("heldout_loss", "held out"))
    ]
    chart = charts.Chart(lines, title=f"the loss of {run}", x_label="step", y_label="loss")
    if png:
        with writing([png], overwrite):
            charts.png(chart, png)
    text: list[Any] = [charts.terminal(chart)]
    where = f"step {last['step']:,} after {last.get('seconds', 0) / 60:.1f} minutes"
    lowest = f"best {best['heldout_loss']:.4f} at step {best['step']:,}"
    text.append(f"{where}: held out {last['heldout_loss']:.4f}; {lowest}")
    text.append("of which " + ", ".join(f"{name} {last['heldout_' + name]:.3f}" for name in history.parts))
    if last.get("sounds"):
        text.append(f"the network {last['sounds']}")
    if png:
        text.append(f"{png}   the curves")
    print_result({"run": run, "lines": history.lines}, *text, as_json=as_json, quiet=quiet)
