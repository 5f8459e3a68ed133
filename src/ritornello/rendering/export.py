"""A song in the format that a file's name asks for: sound, picture, sheet music; all of them in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering import audio, roll, sheet
from ritornello.rendering.song_page import page
from ritornello.system.files import check_writable, write_bytes, write_json

Picture = Literal["roll", "sheet"]
SCORES = (".musicxml", ".xml")
PICTURES = (".png", ".svg")
SONGS = (".mid", ".midi")
ENDINGS = (*audio.FORMATS, *PICTURES, *SCORES, *SONGS)


class Exported(NamedTuple):
    """The files that were written, and those of a bundle that could not be made, with the reason."""

    files: tuple[Path, ...]
    missing: dict[str, str]


class Versions(NamedTuple):
    """A song as it sounds, and as its notes are written: where a pedal lengthens them, the two differ."""

    sounding: Score
    written: Score


def export(
    song: Versions,
    out: str | Path,
    *,
    picture: Picture = "roll",
    recipe: dict[str, Any] | None = None,
    max_bars: int = sheet.MAX_BARS_OF_SHEET_MUSIC,
    **sound: Any,
) -> Exported:
    """Write a song to the file `out`, as its ending says, or everything to the folder `out`.

    A folder is what exists as one, ends with a slash, or has no ending. `picture` says what a .png or .svg
    shows. `sound` are the options of `audio.write`. Raises InputError, FailedError, OutputError.
    """
    path = Path(out)
    sheet.check(max_bars)
    if is_folder(out):
        return _bundle(song, path, recipe, max_bars, sound)
    _write(song, path, picture, max_bars, sound)
    return Exported((path,), {})


def is_folder(out: str | Path) -> bool:
    """Whether a target asks for a bundle."""
    return str(out).endswith("/") or Path(out).is_dir() or not Path(out).suffix


def _write(song: Versions, path: Path, picture: Picture, max_bars: int, sound: dict[str, Any]) -> None:
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise InputError(f"{path.name!r} must end in {', '.join(ENDINGS)}, or name a folder")
    if kind in PICTURES and not len(song.sounding):
        raise InputError("the song has no notes: there is nothing to see")
    check_writable(path)
    if kind in audio.FORMATS:
        audio.write(song.sounding, path, **sound)
    elif kind in SONGS:
        midi.write(song.sounding, path)
    elif kind in SCORES:
        sheet.musicxml(song.written, path, max_bars=max_bars)
    elif picture == "sheet":
        (sheet.png if kind == ".png" else sheet.svg)(song.written, path, max_bars=max_bars)
    elif kind == ".png":
        roll.png(song.sounding, path)
    else:
        roll.svg(song.sounding, path)


def _bundle(
    song: Versions, folder: Path, recipe: dict[str, Any] | None, max_bars: int, sound: dict[str, Any]
) -> Exported:
    """All that there is of a song, in a folder; what cannot be made here is left out and named."""
    audio.check(song.sounding, **{k: v for k, v in sound.items() if k in ("rate", "max_minutes")})
    made: list[str] = []
    missing: dict[str, str] = {}
    steps: dict[str, Callable[[Path], object]] = {
        "song.mid": lambda path: midi.write(song.sounding, path),
        "song.ogg": lambda path: audio.write(song.sounding, path, **sound),
        "roll.png": lambda path: roll.png(song.sounding, path),
        "score.musicxml": lambda path: sheet.musicxml(song.written, path, max_bars=max_bars),
        "score.svg": lambda path: sheet.svg(song.written, path, max_bars=max_bars),
    }
    if recipe is not None:
        steps["recipe.json"] = lambda path: write_json(path, recipe)
    for name, make in steps.items():
        try:
            make(folder / name)
        except InputError as error:
            missing[name] = str(error)
        else:
            made.append(name)
    write_bytes(folder / "index.html", page(song.sounding, made).encode())
    return Exported(tuple(folder / name for name in (*made, "index.html")), missing)
