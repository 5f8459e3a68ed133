"""`ritornello learn`: from a folder of MIDI files to a model and songs, in one go."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, stage_output


@click.command("learn")
@click.argument("folder", type=click.Path())
@click.option("--minutes", type=float, help="How long to learn; 20 when nothing is said.")
@click.option("--steps", type=int, help="How many steps of training, instead.")
@click.option("--out", type=click.Path(), help="The model folder; NAME-model beside FOLDER when not given.")
@click.option("--songs", type=int, default=3, show_default=True, help="How many songs to compose.")
@click.option(
    "--start",
    type=click.Choice(["auto", "bundled", "nothing"]),
    default="auto",
    show_default=True,
    help="What to begin from: auto tries both; nothing leaves the bundled model out altogether.",
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "small", "medium", "large"]),
    help="0.8, 4, 15 or 60 million parameters, where it begins from nothing.",
)
@click.option("--seed", type=int, help="Of training (0) and of the songs, which are others each time else.")
@click.option("--workers", type=int, help="Processes that read; as many as the machine has cores by default.")
@output_options
def command(folder: str, size: str | None, as_json: bool, quiet: bool, **wishes: Any) -> None:
    """Learn from the MIDI files below FOLDER and compose songs like them. No file of yours is changed.

    The model goes into NAME-model, the songs into NAME-songs, beside FOLDER. Ctrl-C keeps the best so far;
    the same command goes on from there, with more minutes for longer, and with new files where there are any.

    \b
    ritornello learn ~/Music/midi
    ritornello learn ~/Music/midi --minutes 60 --songs 10
    ritornello learn ~/Music/midi --minutes 60 --size medium --out big-model
    """
    from ritornello.learning.learn import learn

    settings: dict[str, Any] = {"network_config": {"size": size}} if size else {}
    with stage_output(not (quiet or as_json)) as (say, update):
        made = learn(folder, say=say, progress=update, **wishes, **settings)
    print_result(made.report, as_json=as_json, quiet=quiet)
