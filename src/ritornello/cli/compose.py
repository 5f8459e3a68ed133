"""`ritornello compose`: compose songs with a model."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ritornello.cli.common import (
    PATH,
    code_options,
    open_model,
    option,
    options_of,
    output_options,
    print_result,
    progress_bars,
    unused_name,
)
from ritornello.composing.options import BatchOptions, ComposeOptions
from ritornello.errors import InputError

if TYPE_CHECKING:
    from ritornello.composing.song import Song


@click.command("compose")
@click.argument("model", type=click.Path(), required=False)
@option(
    "-o --out",
    "The file to write, by its ending (.mid, sound, picture, .musicxml), or folder/ for all; by default "
    "song.mid, or song-2.mid if it exists.",
    PATH,
)
@options_of(ComposeOptions)
@options_of(BatchOptions)
@option("--recipe", "Build the song of a recipe (.json) again, without the model.", PATH)
@option("--redraw", "With --recipe: compose another song by the same plan.", is_flag=True)
@code_options
@output_options
def command(
    model: str | None,
    out: str | None,
    n: int,
    recipe: str | None,
    redraw: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compose a song with the folder MODEL, or the bundled model.

    What you do not set is taken from the plan of a training song.

    \b
    ritornello compose
    ritornello compose model --bars 32 --key "D minor" --tempo 96 --seed 7 -o song.mid
    ritornello compose model --genre game --parts piano,bass,drums --form "A8 A8 B8 A8"
    ritornello compose model --melody tune.mid --parts bass
    ritornello compose --recipe song.json
    """
    from ritornello.composing import compose

    out = out or unused_name("song.mid")
    start_s = time.perf_counter()
    _check_ending(out)
    if recipe is not None:
        seed, creativity = options["seed"], _if_typed("creativity", options["creativity"])
        again: dict[str, Any] = {"seed": seed, "creativity": creativity}
        again["representation"] = options["representation"]
        again["model"] = open_model(model, options) if redraw else None
        songs = [compose.replay(recipe, redraw=redraw, **again)]
    else:
        if redraw:
            raise InputError("--redraw needs --recipe")
        opened = open_model(model, options)
        with progress_bars(n > 1 and not (quiet or as_json)) as update:
            songs = compose.compose_many(opened, n, progress=update, **options)
    took_s = time.perf_counter() - start_s
    files = write_all(songs, out)
    lines = [] if quiet or as_json else _lines(songs, files, out, took_s)
    print_result({**_result(songs, files), "composed_in_s": took_s}, *lines, as_json=as_json, quiet=quiet)


def write_all(songs: list[Song], out: str) -> list[str]:
    """Write songs, each with its recipe next to it; several get numbers. Returns the files."""
    from ritornello.rendering.render import is_folder

    files, folder = [], is_folder(out)
    for number, song in enumerate(songs, start=1):
        path = Path(out)
        if len(songs) > 1:
            path = path / str(number) if folder else path.with_stem(f"{path.stem}-{number}")
        song.write(f"{path}/" if folder else path)
        if not folder and path.suffix.lower() != ".json":
            song.write(path.with_suffix(".json"))
        files.append(str(path / "song.mid") if folder else str(path))
    return files


def _check_ending(out: str) -> None:
    """Raise InputError if the format of -o is unknown, before anything is composed."""
    from ritornello.rendering.render import ENDINGS, is_folder

    known = (*ENDINGS, ".json")
    if not is_folder(out) and Path(out).suffix.lower() not in known:
        raise InputError(f"-o {out!r} must end in {', '.join(known)}, or be a folder/")


def _if_typed(name: str, value: Any) -> Any:
    """The value of an option if the user typed it, else None."""
    source = click.get_current_context().get_parameter_source(name)
    return value if source and source.name == "COMMANDLINE" else None


def _result(songs: list[Song], files: list[str]) -> dict[str, Any]:
    """The songs as JSON."""
    found = [
        {"file": file, "bars": song.bars, "notes": len(song.score), "seconds": song.score.duration_s}
        | {"recipe": song.recipe.to_dict()}
        for song, file in zip(songs, files, strict=True)
    ]
    return found[0] if len(songs) == 1 else {"songs": found}


def _lines(songs: list[Song], files: list[str], out: str, took_s: float) -> list[Any]:
    """The lines to print: each song, and the command that builds the first one again."""
    lines: list[Any] = []
    for song, file in zip(songs, files, strict=True):
        lines += _lines_of_song(song, file, took_s, alone=len(songs) == 1)
    return [*lines, f"again: {_command_to_repeat(songs[0], files[0], out)}"]


def _lines_of_song(song: Song, file: str, took_s: float, alone: bool) -> list[Any]:
    """The plan of a song, its piano roll (of a single song), its file."""
    seed = f"seed {song.recipe.seed}" + (f", song {song.recipe.song + 1}" if song.recipe.song else "")
    bars = song.plan.bars or song.bars
    lines: list[Any] = [f"{song.plan}, {seed}"]
    if alone:
        lines.append(song.roll())
    if song.bars < bars:
        lines.append(f"the music ends in bar {song.bars} of {bars}: the network composed no later note")
    parts = len(song.score.parts)
    played = f"{len(song.score)} notes, {parts} part{'s' * (parts > 1)}"
    facts = f"{song.bars} bars, {song.score.duration_s:.0f} s, {played}"
    return [*lines, f"{file}   {facts}" + (f", composed in {took_s:.1f} s" if alone else "")]


def _command_to_repeat(song: Song, file: str, out: str) -> str:
    """The command that builds the song again from the recipe in the same folder."""
    from ritornello.rendering.render import is_folder

    recipe = Path(file).with_name("recipe.json") if is_folder(out) else Path(file).with_suffix(".json")
    code = f" --representation {shlex.quote(song.recipe.code)}" if song.recipe.code else ""
    return f"ritornello compose --recipe {shlex.quote(str(recipe))}{code} -o {shlex.quote(file)}"
