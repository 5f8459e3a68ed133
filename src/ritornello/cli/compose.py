"""`ritornello compose`: compose songs with a model."""

from __future__ import annotations

import shlex
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ritornello.cli.common import (
    PATH,
    STANDARD_OUTPUT,
    code_options,
    left_out,
    open_model,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
    progress_bars,
    unused_name,
    write_to_stdout,
)
from ritornello.composing.options import MAX_SONGS, PERFORMING, BatchOptions, ComposeOptions
from ritornello.errors import InputError
from ritornello.system.made_files import writing

if TYPE_CHECKING:
    from ritornello.composing.song import Song


@click.command("compose")
@click.argument("model", type=PATH, required=False)
@option(
    "-o --out",
    "The file to write: its ending chooses the format (.mid, a sound, a picture, .musicxml); folder/ gets "
    "all formats, - is MIDI on standard output; by default song.mid, or song-2.mid if that exists. Several "
    "songs (-n) get numbers; a folder/ (by default songs/) gets 1.mid, 2.mid ... and a page, index.html.",
    PATH,
)
@options_of(ComposeOptions)
@options_of(BatchOptions)
@option("--recipe", "Build the song of a recipe (.json) again, without the model.", PATH)
@option("--redraw", "With --recipe: compose another song by the same plan.", is_flag=True)
@option("--play", "Play the (first) song after it is written; Ctrl-C ends it.", is_flag=True)
@code_options
@overwrite_option
@output_options
def command(
    model: str | None,
    out: str | None,
    n: int,
    recipe: str | None,
    redraw: bool,
    play: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compose a song with the folder MODEL, or the bundled model.

    Options that you leave out are taken from the plan of a training song.

    \b
    ritornello compose
    ritornello compose model --bars 32 --key "D minor" --tempo 96 --seed 7 -o song.mid
    ritornello compose model --genre game --parts piano,bass,drums --form "A8 A8 B8 A8"
    ritornello compose model --melody tune.mid --parts bass
    ritornello compose --sketch tune.json
    ritornello compose --genre game --bars 8 --loop
    ritornello compose --bars 16 --intro 4 --outro 2
    ritornello compose --genre game --parts piano,bass --density bass=low --register piano=high
    ritornello compose --genre piano --feel 0.7
    ritornello compose --genre game --swing 66 --feel 0.5
    ritornello compose --key "D dorian" --chords "Dm7 | G/B C | Em7 | N.C."
    ritornello compose --chords-from song.mid --key "F major"
    ritornello compose --recipe song.json
    ritornello compose --bars 8 --play
    ritornello compose --genre chorale -n 50 -o chorales/
    """
    if redraw and recipe is None:
        raise InputError("--redraw needs --recipe")
    if recipe is not None:
        _check_goes_with_recipe(redraw)
    start_s = time.perf_counter()
    count = 1 if recipe is not None else n if options["best"] is None else options["best"]
    out = out or (unused_name("song.mid") if count == 1 else unused_name("songs") + "/")
    if out == STANDARD_OUTPUT:
        _check_one(count, as_json)
        quiet = True
    else:
        _check_ending(out)
    output = _Output(out, count)
    sketch = options["sketch"]
    if sketch and Path(sketch).resolve() in [file.resolve() for file in output.possible_files]:
        raise InputError(f"-o {out!r}: its recipe would replace the sketch: give the song another name")
    sound = _open_sound() if play else None
    with writing(output.possible_files, overwrite):
        if recipe is not None:
            songs = [_from_recipe(recipe, redraw, model, options)]
            output.write(0, songs[0])
        else:
            songs = _compose(model, n, output, n > 1 and not (quiet or as_json), options)
    took_s = time.perf_counter() - start_s
    files = [output.files[number] for number in range(len(songs))]
    lines = [] if quiet or as_json else _lines(songs, files, out, took_s, model)
    print_result({**_result(songs, files), "composed_in_s": took_s}, *lines, as_json=as_json, quiet=quiet)
    if sound is not None:
        from ritornello.playing.play import play as play_song

        play_song(songs[0], device=sound)


class _Output:
    """The place to which songs are written: numbered files, or a folder with a page."""

    def __init__(self, out: str, count: int) -> None:
        from ritornello.composing.song_folder import SongFolder
        from ritornello.rendering.render import is_folder

        self.files: dict[int, str] = {}
        """The written file of each song, by its number from 0."""
        self._folder = SongFolder(out, count) if count > 1 and is_folder(out) else None
        self._paths = song_paths(out, count)

    @property
    def possible_files(self) -> list[Path]:
        """All files that may be written."""
        if self._folder:
            return self._folder.files
        return [file for path in self._paths for file in files_of(path)]

    def write(self, number: int, song: Song) -> None:
        """Write a song with its recipe."""
        folder = self._folder
        self.files[number] = (
            str(folder.write(song, number)) if folder else write_song(song, self._paths[number])
        )


def _compose(
    model: str | None, n: int, output: _Output, has_bars: bool, options: dict[str, Any]
) -> list[Song]:
    """Compose `n` songs and write each; `has_bars` shows the progress."""
    from ritornello.composing import compose

    opened = open_model(model, options)
    with progress_bars(has_bars) as update:
        return compose.compose_many(opened, n, progress=update, on_song=output.write, **options)


def _from_recipe(recipe: str, redraw: bool, model: str | None, options: dict[str, Any]) -> Song:
    """Build the song of a recipe again, or with `redraw` compose another by its plan; typed options replace
    those of the recipe."""
    from ritornello.composing import compose

    typed = {name: _if_typed(name, options[name]) for name in ("creativity", *PERFORMING)}
    typed |= {"seed": options["seed"], "representation": options["representation"]}
    opened = open_model(model, options) if redraw or model else None
    return compose.replay(recipe, redraw=redraw, model=opened, **typed)


def _check_goes_with_recipe(redraw: bool) -> None:
    """Raise InputError if the user typed options that the song of a recipe cannot have."""
    context = click.get_current_context()
    allowed = [*PERFORMING, *(("creativity", "seed") if redraw else ())]
    composing = {option.name for kind in (ComposeOptions, BatchOptions) for option in fields(kind)}
    flags = {param.name: param.opts[-1] for param in context.command.params}
    typed = [name for name in flags if name in composing and _if_typed(name, True)]
    if wrong := [flags[name] for name in typed if name not in allowed]:
        known = ", ".join(flags[name] for name in allowed)
        more = "" if redraw else "; with --redraw also --creativity and --seed"
        what = "--recipe --redraw" if redraw else "--recipe"
        raise InputError(f"{', '.join(wrong)}: must not be given with {what}, which allows {known}{more}")


def _open_sound() -> Any:
    """Open the loudspeaker before composing. Raises InputError if there is none."""
    from ritornello.playing.play import open_sound
    from ritornello.rendering.audio import find_soundfont

    find_soundfont()
    return open_sound(None)


def song_paths(out: str, count: int) -> list[str]:
    """The paths of `count` songs: `out`, with a slash if it is a folder; several songs are numbered."""
    from ritornello.composing.song_folder import SongFolder
    from ritornello.rendering.render import is_folder

    if out == STANDARD_OUTPUT:
        return [out]
    folder, path = is_folder(out), Path(out)
    if count == 1:
        return [f"{path}/" if folder else str(path)]
    if folder:
        return [str(file) for file in SongFolder(path, count).midi_files]
    return [str(path.with_stem(f"{path.stem}-{k}")) for k in range(1, count + 1)]


def files_of(path: str) -> list[Path]:
    """The files that are written for a song at `path`, its recipe included."""
    from ritornello.rendering.render import FILES_OF_A_FOLDER, is_folder

    if path == STANDARD_OUTPUT:
        return []
    if is_folder(path):
        return [Path(path) / name for name in FILES_OF_A_FOLDER]
    return list(dict.fromkeys([Path(path), Path(path).with_suffix(".json")]))


def write_song(song: Song, path: str) -> str:
    """Write a song and its recipe, or the song alone to standard output; return the file of the song."""
    if path == STANDARD_OUTPUT:
        write_to_stdout(song.to_bytes())
        return path
    song.write_with_recipe(path)
    return str(Path(path) / "song.mid") if path.endswith("/") else path


def _check_one(count: int, as_json: bool) -> None:
    """Raise InputError unless standard output gets one song and nothing else."""
    if count != 1 or as_json:
        raise InputError("-o -: standard output holds one MIDI file, so one song (-n 1) and no --json")


def _check_ending(out: str) -> None:
    """Raise InputError if the format of -o is unknown, before anything is composed."""
    from ritornello.rendering.render import ENDINGS, is_folder

    endings = (*ENDINGS, ".json")
    if not is_folder(out) and Path(out).suffix.lower() not in endings:
        raise InputError(f"-o {out!r} must end in {', '.join(endings)}, or be a folder/")


def _if_typed(name: str, value: Any) -> Any:
    """The value of an option if the user typed it, else None."""
    source = click.get_current_context().get_parameter_source(name)
    return value if source and source.name == "COMMANDLINE" else None


def _result(songs: list[Song], files: list[str]) -> dict[str, Any]:
    """The songs as JSON."""
    described = [
        {"file": file, "bars": song.bars, "notes": len(song.score), "seconds": song.score.duration_s}
        | {"recipe": song.recipe.to_dict()}
        for song, file in zip(songs, files, strict=True)
    ]
    return described[0] if len(songs) == 1 else {"songs": described}


def _lines(songs: list[Song], files: list[str], out: str, took_s: float, model: str | None) -> list[Any]:
    """The lines to print: each song, and the command that builds the first one again."""
    lines: list[Any] = []
    for song, file in zip(songs, files, strict=True):
        lines += _lines_of_song(song, file, took_s, alone=len(songs) == 1)
    lines += left_out(songs[0].dropped)
    if len(songs) > 1 and (index := Path(files[0]).with_name("index.html")).is_file():
        lines.append(str(index))
    return [*lines, f"again: {_command_to_repeat(songs[0], files[0], out, model)}"]


def _lines_of_song(song: Song, file: str, took_s: float, alone: bool) -> list[Any]:
    """The plan of a song, its file, and of a single song its chords and piano roll."""
    from ritornello.rendering.lead_sheet import chord_lines

    candidate, number = divmod(song.recipe.song, MAX_SONGS)
    numbers = [("seed", song.recipe.seed), ("song", number + 1), ("candidate", candidate + 1)]
    seed = ", ".join(f"{name} {value}" for name, value in numbers if name == "seed" or value > 1)
    bars = song.plan.full_bars or song.bars
    lines: list[Any] = [f"{song.plan}, {seed}"]
    if alone:
        lines += chord_lines(song.plan)
        lines.append(song.roll())
    if song.bars < bars and not song.plan.is_loop:
        lines.append(f"the music ends in bar {song.bars} of {bars}: the network composed no later note")
    parts = len(song.score.parts)
    played = f"{len(song.score)} notes, {parts} part{'s' * (parts > 1)}"
    facts = f"{song.bars} bar{'s' * (song.bars != 1)}, {song.score.duration_s:.0f} s, {played}"
    return [*lines, f"{file}   {facts}" + (f", composed in {took_s:.1f} s" if alone else "")]


def _command_to_repeat(song: Song, file: str, out: str, model: str | None) -> str:
    """The command that builds the song again from the recipe in the same folder."""
    from ritornello.rendering.render import is_folder

    is_alone = is_folder(out) and Path(file).name == "song.mid"
    recipe = Path(file).with_name("recipe.json") if is_alone else Path(file).with_suffix(".json")
    code = f" --representation {shlex.quote(song.recipe.code)}" if song.recipe.code else ""
    model_text = f"{shlex.quote(model)} " if model and any(song.networks) else ""
    return f"ritornello compose {model_text}--recipe {shlex.quote(str(recipe))}{code} -o {shlex.quote(file)}"
