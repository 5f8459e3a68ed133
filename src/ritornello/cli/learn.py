"""`ritornello learn`: train a model on a folder of MIDI files and compose songs, in one command."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, stage_output


@click.command("learn")
@click.argument("folder", type=click.Path())
@click.option("--minutes", type=float, help="How long to train; 20 by default.")
@click.option("--steps", type=int, help="How many training steps, instead of minutes.")
@click.option(
    "--out",
    type=click.Path(),
    help="The model folder; by default NAME-model beside FOLDER, NAME being its name.",
)
@click.option("--songs", type=int, default=3, show_default=True, help="How many songs to compose.")
@click.option(
    "--start",
    type=click.Choice(["auto", "bundled", "nothing"]),
    default="auto",
    show_default=True,
    help="The weights to start from: of the bundled model, or random; auto tries both.",
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "small", "medium", "large"]),
    help="0.8, 4, 15 or 60 million parameters, with random initial weights.",
)
@click.option(
    "--seed", type=int, help="The seed of training (by default 0) and of the songs (by default a random one)."
)
@click.option("--workers", type=int, help="Processes that read files; by default one per core.")
@output_options
def command(folder: str, size: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a model on the MIDI files below FOLDER and compose songs like them. No file of yours is changed.

    The model is written to NAME-model, the songs to NAME-songs, beside FOLDER. After Ctrl-C the best model so
    far is kept; the same command continues from there, for longer with more --minutes, and with new files.

    \b
    ritornello learn ~/Music/midi
    ritornello learn ~/Music/midi --minutes 60 --songs 10
    ritornello learn ~/Music/midi --minutes 60 --size medium --out big-model
    """
    from ritornello.learning.learn import learn

    settings: dict[str, Any] = {"network_config": {"size": size}} if size else {}
    with stage_output(not (quiet or as_json)) as (print_stage, update):
        learned = learn(folder, say=print_stage, progress=update, **options, **settings)
    print_result(learned.report, as_json=as_json, quiet=quiet)
