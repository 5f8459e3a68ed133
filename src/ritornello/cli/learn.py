"""`ritornello learn`: train a model on a folder of MIDI files and compose songs, in one command."""

from typing import Any

import click

from ritornello.cli.common import PATH, label_options, option, output_options, print_result, stage_output


@click.command("learn")
@click.argument("folder", type=PATH)
@option("--minutes", "The time for all of it, training and composing; by default 20.", float)
@option("--steps", "The number of training steps, instead of minutes.", int)
@option("--out", "The model folder; by default FOLDER-model, next to FOLDER.", PATH)
@option("--songs", "How many songs to compose.", default=3)
@option(
    "--start",
    "Start from the weights of the bundled model, or from random ones (nothing); auto tries both.",
    ["auto", "bundled", "nothing"],
    default="auto",
)
@option(
    "--size",
    "The size of a new network with random weights: 1, 5, 15 or 65 million parameters.",
    ["tiny", "small", "medium", "large"],
)
@option("--seed", "The seed of training (by default 0) and of the songs (by default a random one).", int)
@option("--workers", "Processes that read files; by default one per core.", int)
@label_options
@output_options
def command(folder: str, size: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a model on the MIDI files below FOLDER and compose songs like them. No file of yours is changed.

    The model is written to FOLDER-model, the songs to FOLDER-songs. After Ctrl-C the best model so far is
    kept. The same command continues the training; with more --minutes it trains longer, and new files in
    FOLDER are used too.

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
