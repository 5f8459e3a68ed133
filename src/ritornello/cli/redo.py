"""`ritornello redo`: recompose some bars of a song."""

import time
from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    code_options,
    open_model,
    option,
    options_of,
    output_options,
    print_result,
)
from ritornello.cli.compose import write_all
from ritornello.composing.options import RedoOptions
from ritornello.errors import InputError


@click.command("redo")
@click.argument("song", type=click.Path())
@options_of(RedoOptions)
@option("--model", "The model folder; by default the bundled model.", PATH)
@option("-o --out", "The .mid to write, by default SONG-take.mid; each of several takes gets a number.", PATH)
@code_options
@output_options
def command(song: str, bars: str, out: str | None, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Recompose some bars of SONG, a MIDI file; nothing else in it changes.

    \b
    ritornello redo song.mid --bars 9-12
    ritornello redo song.mid --bars 9-12 --parts bass --takes 2
    """
    from ritornello.composing.compose import redo

    target = Path(out or f"{Path(song).stem}-take.mid")
    if target.suffix.lower() not in (".mid", ".midi"):
        raise InputError(f"-o {str(target)!r} must end in .mid or .midi")
    start_s = time.perf_counter()
    settings["model"] = open_model(settings["model"], settings)
    takes = redo(song, bars, **settings)
    files = write_all(takes, str(target))
    took_s = time.perf_counter() - start_s
    lines: list[Any] = [f"{takes[0].plan}, new bars {bars}, seed {takes[0].recipe.seed}"]
    lines += [f"{file}   {len(take.score)} notes" for take, file in zip(takes, files, strict=True)]
    if len(takes) < settings["takes"]:
        lines.append(f"{len(takes)} of {settings['takes']} takes: no more different ones were found")
    lines.append(f"composed in {took_s:.1f} s")
    result = {"files": files, "seed": takes[0].recipe.seed, "composed_in_s": took_s}
    print_result(result, *lines, as_json=as_json, quiet=quiet)
