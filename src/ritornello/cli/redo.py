"""`ritornello redo`: recompose some bars of a song."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ritornello.cli.common import (
    PATH,
    STANDARD_OUTPUT,
    check_midi_ending,
    code_options,
    midi_target,
    open_model,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
)
from ritornello.cli.compose import files_of, song_paths, write_song
from ritornello.composing.options import RedoOptions
from ritornello.errors import InputError

if TYPE_CHECKING:
    from ritornello.composing.song import Song
from ritornello.system.made_files import writing


@click.command("redo")
@click.argument("song", type=PATH)
@options_of(RedoOptions)
@option("--model", "The model folder; by default the bundled model.", PATH)
@option("-o --out", "The .mid to write, by default SONG-take.mid; each of several takes gets a number.", PATH)
@code_options
@overwrite_option
@output_options
def command(
    song: str, bars: str | None, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **settings: Any
) -> None:
    """Recompose some bars of SONG, a MIDI file, or all bars and parts that are not locked; the rest stays.

    \b
    ritornello redo song.mid --bars 9-12
    ritornello redo song.mid --bars 9-12 --parts bass --takes 2
    ritornello redo song.mid --lock drums,1-4 --takes 8
    ritornello redo song.mid --bars 9-12 --chords "Dm7 | G7/B | C | N.C."
    """
    from ritornello.composing.compose import redo

    target = midi_target(song, out, "take")
    if target == STANDARD_OUTPUT:
        if settings["takes"] != 1 or as_json:
            raise InputError("-o -: standard output holds one MIDI file, so --takes 1 and no --json")
        quiet = True
    else:
        check_midi_ending(target)
    start_s = time.perf_counter()
    settings["model"] = open_model(settings["model"], settings)
    possible = [*song_paths(target, 1), *song_paths(target, settings["takes"])]
    with writing([file for path in possible for file in files_of(path)], overwrite):
        takes = redo(song, bars, **settings)
        paths = song_paths(target, len(takes))
        files = [write_song(take, path) for take, path in zip(takes, paths, strict=True)]
    took_s = time.perf_counter() - start_s
    lines: list[Any] = [f"{takes[0].plan}, new bars: {bars or 'all'}, seed {takes[0].recipe.seed}"]
    lines += [f"{file}   {len(take.score)} notes" for take, file in zip(takes, files, strict=True)]
    if settings["chords"] or settings["chords_from"]:
        lines.insert(1, f"| {' | '.join(_new_chords(takes[0]))} |")
    if len(takes) < settings["takes"]:
        lines.append(f"{len(takes)} of {settings['takes']} takes: no more different ones were found")
    lines.append(f"composed in {took_s:.1f} s")
    result = {"files": files, "seed": takes[0].recipe.seed, "composed_in_s": took_s}
    print_result(result, *lines, as_json=as_json, quiet=quiet)


def _new_chords(take: Song) -> list[str]:
    """The chords of the bars that were recomposed."""
    from ritornello.music.chord_symbols import bar_symbols
    from ritornello.music.plan import GRID

    assert take.recipe.given is not None
    assert take.recipe.given.bars is not None
    return bar_symbols(take.plan.timeline(GRID), take.plan.key)[slice(*take.recipe.given.bars)]
