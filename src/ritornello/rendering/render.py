"""Render a song as sound, picture or sheet music: the function `ritornello.render`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering.export import Exported, Versions, export


def render(
    song: str | Path | Score,
    out: str | Path,
    *,
    picture: Literal["roll", "sheet"] = "roll",
    recipe: str | Path | dict[str, Any] | None = None,
    soundfont: str | Path | None = None,
    synth: Literal["own", "fluidsynth"] = "own",
    rate: int = 44_100,
    max_minutes: float = 60.0,
    max_bars: int = 2000,
) -> Exported:
    """Write a song (a Score, or a .mid file) as sound, picture or sheet music, as the ending of `out` says.

    A folder gets all, with a page that plays and shows them, and the `recipe` (a file or its content).
    `picture` says what .png and .svg show. Sheet music has notes as they are struck, without the pedal; songs
    of more than `max_bars` bars get none. Raises InputError, FailedError, OutputError.
    """
    if isinstance(song, Score):
        versions = Versions(song, song)
    else:
        versions = Versions(midi.read(song), midi.read(song, pedal="ignore"))
    if isinstance(recipe, (str, Path)):
        recipe = _read_recipe(Path(recipe))
    sound: dict[str, Any] = {"soundfont": soundfont, "synth": synth, "rate": rate, "max_minutes": max_minutes}
    return export(versions, out, picture=picture, recipe=recipe, max_bars=max_bars, **sound)


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the recipe {str(path)!r}: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{str(path)!r} is not a recipe: it holds a {type(content).__name__}")
    return content
