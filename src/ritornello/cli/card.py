"""`ritornello card`: show the card of a model."""

import json
from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, print_result


@click.command("card")
@click.argument("model", type=PATH, required=False)
@option("--sources", "Only the training data, as in model.json.", is_flag=True)
@output_options
def command(model: str | None, sources: bool, as_json: bool, quiet: bool) -> None:
    """Show the card of MODEL, or of the bundled model: training data and rights, measurements, limits.

    \b
    ritornello card
    ritornello card model --sources
    """
    from ritornello.composing import compose

    opened = compose.opened_model(model)
    text = (
        json.dumps(opened.info.get("data", {}), indent=1, ensure_ascii=False)
        if sources
        else compose.card(opened)
    )
    result: dict[str, Any] = opened.info.get("data", {}) if sources else opened.info
    print_result(result, text.rstrip(), as_json=as_json, quiet=quiet)
