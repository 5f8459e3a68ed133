"""`ritornello pack`: pack a model folder into one file."""

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result


@click.command("pack")
@click.argument("model", type=PATH, required=False)
@option("-o --out", "The packed model; by default MODEL.ritornello.", PATH)
@option("--hub", "Write a folder for the Hugging Face Hub instead, with the card as its README.md.", PATH)
@overwrite_option
@output_options
def command(
    model: str | None, out: str | None, hub: str | None, overwrite: bool, as_json: bool, quiet: bool
) -> None:
    """Pack MODEL, or the bundled model, into one file. Every command opens it in place of a folder.

    A model on the Hugging Face Hub has a name such as hub:USER/MODEL. Commands download it when you write
    such a name; this needs the extra [hub].

    \b
    ritornello pack model -o model.ritornello
    ritornello compose model.ritornello --bars 8 -o song.mid
    ritornello pack model --hub upload
    ritornello compose hub:someone/their-model -o song.mid
    """
    from ritornello.composing import compose
    from ritornello.models.packing import pack, packed_files
    from ritornello.system.made_files import writing

    folder = model if model is not None else compose.BUNDLED
    out = out if out is not None or hub is not None or model is not None else "bundled.ritornello"
    with writing(packed_files(folder, out, hub), overwrite):
        result = pack(folder, out, hub=hub)
    print_result(result, f"{result['file']}   {result['bytes']:,} bytes", as_json=as_json, quiet=quiet)
