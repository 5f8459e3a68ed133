"""`ritornello convert`: between a model folder and a Keras file."""

from __future__ import annotations

import click

from ritornello.cli.common import output_options, print_result


@click.command("convert")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option(
    "--like", type=click.Path(), help="From Keras: a model folder to take all but the weights from."
)
@output_options
def command(source: str, target: str, like: str | None, as_json: bool, quiet: bool) -> None:
    """Convert the network `original` between a model folder and a .keras file.

    \b
    ritornello convert model model.keras
    ritornello convert model.keras other-model --like model
    """
    from ritornello.legacy2018.convert import convert

    done = convert(source, target, like=like)
    print_result(done, f"{target}   {done['parameters']:,} parameters", as_json=as_json, quiet=quiet)
