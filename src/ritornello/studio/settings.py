"""The settings with which a studio is started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ritornello.errors import InputError

DEFAULT_SONGS = "ritornello-songs"


@dataclass(frozen=True)
class StudioSettings:
    """The files and folders that a studio uses."""

    songs: Path  # the folder of songs
    music: dict[str, Path] = field(default_factory=dict)  # folders to learn from, by name
    soundfonts: dict[str, Path] = field(default_factory=dict)  # by name; the first one is the default
    model: str | None = None  # None: the bundled model


def settings_of(
    songs: str | Path | None = None,
    music: Sequence[str | Path] = (),
    soundfonts: Sequence[str | Path] = (),
    model: str | Path | None = None,
) -> StudioSettings:
    """Return the settings for paths. Raises InputError for a folder or file that does not exist."""
    path = Path(songs or DEFAULT_SONGS)
    if path.exists() and not path.is_dir():
        raise InputError(f"{str(path)!r} is a file: must be a folder of songs, or a new one")
    folders: dict[str, Path] = {}
    for folder in map(Path, music):
        if not folder.is_dir():
            raise InputError(f"music {str(folder)!r}: must be a folder of MIDI files")
        if path.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"songs {str(path)!r}: must lie outside of {str(folder)!r}, which is only read")
        folders[_new_name(folder.resolve().name or "music", folders)] = folder
    fonts: dict[str, Path] = {}
    for font in map(Path, soundfonts):
        if not font.is_file():
            raise InputError(f"soundfont {str(font)!r} does not exist")
        fonts[_new_name(font.name, fonts)] = font
    return StudioSettings(path, folders, fonts, None if model is None else str(model))


def _new_name(name: str, taken: dict[str, Path]) -> str:
    """The name, or the first of NAME-2, NAME-3 ... that is not in `taken`."""
    new_name, number = name, 1
    while new_name in taken:
        number += 1
        new_name = f"{name}-{number}"
    return new_name
