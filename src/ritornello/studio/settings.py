"""What a studio is started with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ritornello.errors import InputError

DEFAULT_SONGS = "ritornello-songs"


@dataclass(frozen=True)
class StudioSettings:
    """The folder of songs, and by name the folders of music and the soundfonts; the model folder if any."""

    songs: Path
    music: dict[str, Path] = field(default_factory=dict)
    soundfonts: dict[str, Path] = field(default_factory=dict)
    model: str | None = None


def settings_of(
    songs: str | Path | None = None,
    music: Sequence[str | Path] = (),
    soundfonts: Sequence[str | Path] = (),
    model: str | Path | None = None,
) -> StudioSettings:
    """Check what the user named. Raises InputError for a folder or file that does not exist."""
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


def _new_name(name: str, known: dict[str, Path]) -> str:
    """The name, or the first of NAME-2, NAME-3 ... that is not known."""
    found, number = name, 1
    while found in known:
        number += 1
        found = f"{name}-{number}"
    return found
