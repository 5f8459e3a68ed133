"""`ritornello sketch`: draw the sketch of a song."""

from __future__ import annotations

import json
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    code_options,
    open_model,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
)
from ritornello.composing.options import SketchOptions


@click.command("sketch")
@click.argument("model", type=PATH, required=False)
@option(
    "-o --out",
    "Also write the sketch: as .json, to edit it and compose from it, or as .txt, as it is printed.",
    PATH,
)
@options_of(SketchOptions)
@code_options
@overwrite_option
@output_options
def command(
    model: str | None, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Draw a sketch with the folder MODEL, or the bundled model, and print it as a lead sheet.

    A sketch plans a song bar by bar: chords, form, ends of phrases, motifs, and how much each part plays.

    \b
    ritornello sketch
    ritornello sketch --genre fiddle --key "D major" --bars 32 -o tune.json
    ritornello compose --sketch tune.json
    """
    from ritornello.composing import compose
    from ritornello.system.made_files import writing

    drawn = compose.sketch(open_model(model, options), **options)
    if out:
        with writing([out], overwrite):
            drawn.write(out)
    lines = [str(drawn), f"seed {drawn.seed}" + (f", {out}" if out else "")]
    print_result(
        {"seed": drawn.seed, "sketch": json.loads(drawn.to_json())}, *lines, as_json=as_json, quiet=quiet
    )
