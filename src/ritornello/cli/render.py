"""`ritornello render`: write a song as sound, pictures and sheet music."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    STANDARD_OUTPUT,
    left_out,
    option,
    output_options,
    overwrite_option,
    print_result,
    write_to_stdout,
)


@click.command("render")
@click.argument("song", type=PATH)
@option(
    "-o --out",
    "The file to write: its ending chooses the format: .wav .ogg .flac .mp3 .png .svg .musicxml .mid. A "
    "folder gets all formats; - is MIDI on standard output.",
    PATH,
    multiple=True,
    required=True,
)
@option(
    "--as picture",
    "What a .png or .svg shows: the piano roll or the engraved score.",
    ["roll", "sheet"],
    default="roll",
)
@option("--soundfont", "The soundfont (.sf2 or .sf3); by default one that is installed.", PATH)
@option(
    "--synth",
    "The synthesizer: Ritornello's own, or the program fluidsynth if it is installed.",
    ["own", "fluidsynth"],
    default="own",
)
@option("--rate", "Samples per second, 44100 or 48000.", default=44_100)
@option("--bits", "Bits of a sample of .wav and .flac, 16 or 24; by default 16, for stems 24.", int)
@option(
    "--stems",
    "Write each part as a MIDI file and a sound file of this format (mid: only MIDI) into the folder of -o, "
    "all of the same length.",
    ["wav", "flac", "mid"],
)
@option(
    "--from-drum-map",
    "The drum map of SONG (which note is which drum): gm, roland, toontrack, addictive; by default gm.",
)
@option("--to-drum-map", "The drum map of written MIDI files; by default gm.")
@option(
    "--max-minutes", "The longest song, in minutes, that is written as sound; at most 1440.", default=60.0
)
@option("--max-bars", "The longest song, in bars, that is written as sheet music.", default=2000)
@option("--recipe", "The recipe of the song, to copy into the folder as recipe.json.", PATH)
@overwrite_option
@output_options
def command(
    song: str,
    out: tuple[str, ...],
    picture: Any,
    recipe: str | None,
    overwrite: bool,
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
    ritornello render song.mid -o song.flac --bits 24
    ritornello render song.mid --stems wav -o stems/
    ritornello render groove.mid --from-drum-map roland --to-drum-map addictive -o groove-ad2.mid
    """
    from ritornello.composing.performed_files import grid_score
    from ritornello.rendering.render import render
    from ritornello.system.made_files import writing

    start_s = time.perf_counter()
    if out == (STANDARD_OUTPUT,):
        with TemporaryDirectory() as folder:
            (file,) = render(song, Path(folder) / "song.mid", **sound).files
            write_to_stdout(file.read_bytes())
        return
    with writing([file for path in out for file in _files_of(song, path, **sound)], overwrite):
        grid = grid_score(song)
        results = [render(song, path, picture=picture, recipe=recipe, grid=grid, **sound) for path in out]
    took_s = time.perf_counter() - start_s
    files = [str(path) for result in results for path in result.files]
    missing = {name: reason for result in results for name, reason in result.missing.items()}
    lines = [*files, *(f"not made: {name}: {reason}" for name, reason in missing.items())]
    dropped = {kind: count for result in results for kind, count in result.dropped.items()}
    lines += left_out(dropped)
    lines.append(f"{len(files)} file{'s' * (len(files) != 1)} in {took_s:.1f} s")
    content = {"files": files, "missing": missing, "dropped": dropped, "took_s": took_s}
    print_result(content, *lines, as_json=as_json, quiet=quiet)


def _files_of(song: str, path: str, stems: str | None, from_drum_map: str | None, **_: Any) -> list[Path]:
    """The files that are written to a path of -o."""
    from ritornello import notation
    from ritornello.rendering.render import FILES_OF_A_FOLDER, is_folder
    from ritornello.rendering.stems import stem_paths

    if stems is not None:
        score = notation.read(song, annotations=False, from_drum_map=from_drum_map)
        return [file for files in stem_paths(score, path, stems).values() for file in files]
    return [Path(path) / name for name in FILES_OF_A_FOLDER] if is_folder(path) else [Path(path)]
