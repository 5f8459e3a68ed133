"""Write a song as sound, picture, sheet music or MIDI by the ending of a file, or all to a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering import audio, roll, sheet
from ritornello.rendering.song_page import song_page
from ritornello.system.files import check_writable, write_bytes, write_json

PictureKind = Literal["roll", "sheet"]
MUSICXML_ENDINGS = (".musicxml", ".xml")
PICTURE_ENDINGS = (".png", ".svg")
MIDI_ENDINGS = (".mid", ".midi")
ENDINGS = (*audio.FORMATS, *PICTURE_ENDINGS, *MUSICXML_ENDINGS, *MIDI_ENDINGS)


class ExportResult(NamedTuple):
    """The files that were written, and those of a folder that could not be, each with the reason."""

    files: tuple[Path, ...]
    missing: dict[str, str]


class ExportScores(NamedTuple):
    """A song for sound and piano roll, and for sheet music: there notes are not lengthened by the pedal."""

    sounding: Score
    written: Score


def export(
    song: ExportScores,
    out: str | Path,
    *,
    picture: PictureKind = "roll",
    recipe: dict[str, Any] | None = None,
    max_bars: int = sheet.MAX_BARS_OF_SHEET_MUSIC,
    **sound: Any,
) -> ExportResult:
    """Write a song to the file `out`, in the format of its ending, or in all formats to the folder `out`.

    See `is_folder`. `picture` is what a .png or .svg shows; `sound` are the options of `audio.write`. Raises
    InputError, FailedError, OutputError.
    """
    path = Path(out)
    sheet.check(max_bars)
    if is_folder(out):
        return _write_folder(song, path, recipe, max_bars, sound)
    _write(song, path, picture, max_bars, sound)
    return ExportResult((path,), {})


def is_folder(out: str | Path) -> bool:
    """Whether `out` is a folder: one that exists, or a path that ends with a slash or has no ending."""
    return str(out).endswith("/") or Path(out).is_dir() or not Path(out).suffix


def _write(
    song: ExportScores, path: Path, picture: PictureKind, max_bars: int, sound: dict[str, Any]
) -> None:
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise InputError(f"{path.name!r} must end in {', '.join(ENDINGS)}, or be a folder")
    if kind in PICTURE_ENDINGS and not len(song.sounding):
        raise InputError("the song has no notes to draw")
    check_writable(path)
    if kind in audio.FORMATS:
        audio.write(song.sounding, path, **sound)
    elif kind in MIDI_ENDINGS:
        midi.write(song.sounding, path)
    elif kind in MUSICXML_ENDINGS:
        sheet.musicxml(song.written, path, max_bars=max_bars)
    elif picture == "sheet":
        (sheet.png if kind == ".png" else sheet.svg)(song.written, path, max_bars=max_bars)
    elif kind == ".png":
        roll.png(song.sounding, path)
    else:
        roll.svg(song.sounding, path)


def _write_folder(
    song: ExportScores, folder: Path, recipe: dict[str, Any] | None, max_bars: int, sound: dict[str, Any]
) -> ExportResult:
    """Write all formats to a folder; those that raise InputError are left out and listed as missing."""
    audio.check(song.sounding, **{k: v for k, v in sound.items() if k in ("rate", "max_minutes")})
    written: list[str] = []
    missing: dict[str, str] = {}
    writers: dict[str, Callable[[Path], object]] = {
        "song.mid": lambda path: midi.write(song.sounding, path),
        "song.ogg": lambda path: audio.write(song.sounding, path, **sound),
        "roll.png": lambda path: roll.png(song.sounding, path),
        "score.musicxml": lambda path: sheet.musicxml(song.written, path, max_bars=max_bars),
        "score.svg": lambda path: sheet.svg(song.written, path, max_bars=max_bars),
    }
    if recipe is not None:
        writers["recipe.json"] = lambda path: write_json(path, recipe)
    for name, write in writers.items():
        try:
            write(folder / name)
        except InputError as error:
            missing[name] = str(error)
        else:
            written.append(name)
    write_bytes(folder / "index.html", song_page(song.sounding, written).encode())
    return ExportResult(tuple(folder / name for name in (*written, "index.html")), missing)
