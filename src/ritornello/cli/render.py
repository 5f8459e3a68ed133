"""`ritornello render`: write a song as sound, pictures and sheet music."""

from __future__ import annotations

import time
from typing import Any

import click

from ritornello.cli.common import output_options, print_result


@click.command("render")
@click.argument("song", type=click.Path())
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    multiple=True,
    required=True,
    help="The file to write, by its ending: .wav .ogg .flac .mp3 .png .svg .musicxml, or a folder for all.",
)
@click.option(
    "--as",
    "picture",
    type=click.Choice(["roll", "sheet"]),
    default="roll",
    show_default=True,
    help="What a .png or .svg shows: the piano roll or the engraved score.",
)
@click.option(
    "--soundfont", type=click.Path(), help="The soundfont (.sf2 or .sf3); by default one that is installed."
)
@click.option(
    "--synth",
    type=click.Choice(["own", "fluidsynth"]),
    default="own",
    show_default=True,
    help="The synthesizer: Ritornello's own, or the program fluidsynth if it is installed.",
)
@click.option(
    "--rate", type=int, default=44_100, show_default=True, help="Samples per second, 44100 or 48000."
)
@click.option(
    "--max-minutes",
    type=float,
    default=60.0,
    show_default=True,
    help="Longer songs are not played; at most 1440.",
)
@click.option(
    "--max-bars",
    type=int,
    default=2000,
    show_default=True,
    help="Longer songs are not written as sheet music.",
)
@click.option(
    "--recipe", type=click.Path(), help="The recipe of the song, to be copied into the folder as recipe.json."
)
@output_options
def command(
    song: str,
    out: tuple[str, ...],
    picture: Any,
    recipe: str | None,
    as_json: bool,
    quiet: bool,
    **sound: Any,
) -> None:
    """Write SONG, a .mid file, as sound, piano roll or sheet music.

    \b
    ritornello render song.mid -o song.ogg
    ritornello render song.mid -o song.png -o score.musicxml
    ritornello render song.mid --as sheet -o score.svg
    ritornello render song.mid -o song/
    """
    from ritornello.rendering.render import render

    start_s = time.perf_counter()
    results = [render(song, path, picture=picture, recipe=recipe, **sound) for path in out]
    took_s = time.perf_counter() - start_s
    files = [str(path) for result in results for path in result.files]
    missing = {name: reason for result in results for name, reason in result.missing.items()}
    lines = [*files, *(f"not made: {name}: {reason}" for name, reason in missing.items())]
    lines.append(f"{len(files)} files in {took_s:.1f} s")
    print_result({"files": files, "missing": missing, "took_s": took_s}, *lines, as_json=as_json, quiet=quiet)
