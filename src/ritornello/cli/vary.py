"""`ritornello vary`: compose a variation of a song."""

import time
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    check_midi_ending,
    code_options,
    is_stdout,
    midi_target,
    open_model,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
)
from ritornello.cli.compose import files_of, write_song
from ritornello.composing.options import VaryOptions
from ritornello.system.made_files import writing


@click.command("vary")
@click.argument("song", type=PATH)
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

    target = midi_target(song, out, "varied")
    if is_stdout(target, as_json):
        quiet = True
    else:
        check_midi_ending(target)
    start_s = time.perf_counter()
    settings["model"] = open_model(settings["model"], settings)
    with writing(files_of(target), overwrite):
        varied = vary(song, **settings)
        file = write_song(varied, target)
    took_s = time.perf_counter() - start_s
    line = f"{file}   {len(varied.score)} notes, seed {varied.recipe.seed}, composed in {took_s:.1f} s"
    result = {"file": file, "seed": varied.recipe.seed, "composed_in_s": took_s}
    print_result(result, line, as_json=as_json, quiet=quiet)
