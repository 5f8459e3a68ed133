"""`ritornello learn`: train a model on a folder of MIDI files and compose songs, in one command."""

from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, print_result, stage_output


@click.command("learn")
@click.argument("folder", type=click.Path())
@option("--minutes", "How long to train; 20 by default.", float)
@option("--steps", "How many training steps, instead of minutes.", int)
@option("--out", "The model folder; by default NAME-model beside FOLDER, NAME being its name.", PATH)
@option("--songs", "How many songs to compose.", default=3)
@option(
    "--start",
    "The weights to start from: of the bundled model, or random; auto tries both.",
    ["auto", "bundled", "nothing"],
    default="auto",
)
@option(
    "--size",
    "0.8, 4, 15 or 60 million parameters, with random initial weights.",
    ["tiny", "small", "medium", "large"],
)
@option("--seed", "The seed of training (by default 0) and of the songs (by default a random one).", int)
@option("--workers", "Processes that read files; by default one per core.", int)
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
