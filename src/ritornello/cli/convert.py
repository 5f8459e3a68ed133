"""`ritornello convert`: convert a model folder to a Keras file, or back."""

import click

from ritornello.cli.common import PATH, option, output_options, print_result


@click.command("convert")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@option("--like", "From Keras: the model folder from which all but the weights is copied.", PATH)
@output_options
def command(source: str, target: str, like: str | None, as_json: bool, quiet: bool) -> None:
    """Convert a model with the network `original` to a .keras file, or back.

    \b
    ritornello convert model model.keras
    ritornello convert model.keras other-model --like model
    """
    from ritornello.legacy2018.convert import convert

    converted = convert(source, target, like=like)
    print_result(
        converted, f"{target}   {converted['parameters']:,} parameters", as_json=as_json, quiet=quiet
    )
