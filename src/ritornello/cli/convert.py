"""`ritornello convert`: convert a model folder to a Keras file, or back."""

from pathlib import Path

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result


@click.command("convert")
@click.argument("source", type=PATH)
@click.argument("target", type=PATH)
@option("--like", "From Keras: the model folder from which everything except the weights is copied.", PATH)
@overwrite_option
@output_options
def command(source: str, target: str, like: str | None, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Convert a model with the network `original` to a .keras file, or back.

    \b
    ritornello convert model model.keras
    ritornello convert model.keras other-model --like model
    """
    from ritornello.legacy2018.convert import convert
    from ritornello.system.made_files import writing

    names = ("model.json", "weights.safetensors", "tables.safetensors", "plans.json", "card.md")
    files = [target] if target.endswith(".keras") else [str(Path(target) / name) for name in names]
    with writing(files, overwrite):
        converted = convert(source, target, like=like)
    print_result(
        converted, f"{target}   {converted['parameters']:,} parameters", as_json=as_json, quiet=quiet
    )
