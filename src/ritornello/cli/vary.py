"""`ritornello vary`: compose a variation of a song."""

import time
from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    STANDARD_OUTPUT,
    code_options,
    open_model,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
)
from ritornello.cli.compose import files_of, write_song
from ritornello.composing.options import VaryOptions
from ritornello.errors import InputError
from ritornello.system.made_files import writing


@click.command("vary")
@click.argument("song", type=click.Path())
@options_of(VaryOptions)
@option("--model", "The model folder; by default the bundled model.", PATH)
@option("-o --out", "The .mid to write, by default SONG-varied.mid, or - for standard output.", PATH)
@code_options
@overwrite_option
@output_options
def command(song: str, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Compose a variation of SONG, a MIDI file: some bars of some parts are composed again, the rest stays.

    \b
    ritornello vary song.mid
    ritornello vary song.mid --amount 0.6 --lock drums --seed 7
    """
    from ritornello.composing.compose import vary

    target = out or f"{'song' if song == STANDARD_OUTPUT else Path(song).stem}-varied.mid"
    if target == STANDARD_OUTPUT:
        if as_json:
            raise InputError("-o -: standard output holds one MIDI file, so no --json")
        quiet = True
    elif Path(target).suffix.lower() not in (".mid", ".midi"):
        raise InputError(f"-o {target!r} must end in .mid or .midi")
    start_s = time.perf_counter()
    settings["model"] = open_model(settings["model"], settings)
    with writing(files_of(target), overwrite):
        varied = vary(song, **settings)
        file = write_song(varied, target)
    took_s = time.perf_counter() - start_s
    line = f"{file}   {len(varied.score)} notes, seed {varied.recipe.seed}, composed in {took_s:.1f} s"
    result = {"file": file, "seed": varied.recipe.seed, "composed_in_s": took_s}
    print_result(result, line, as_json=as_json, quiet=quiet)
