"""Render a song as sound, picture or sheet music: the function `ritornello.render`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering.export import ExportResult, ExportScores, export


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
) -> ExportResult:
    """Write a song (a Score or a .mid file) as sound, picture or sheet music, by the ending of `out`.

    If `out` is a folder, all formats are written to it, with an HTML page and the `recipe` (a file or its
    content). `picture` is what .png and .svg show. Sheet music ignores the pedal, and is limited to
    `max_bars` bars; sound to `max_minutes`; `rate` is in samples a second. Raises InputError, FailedError,
    OutputError.
    """
    if isinstance(song, Score):
        scores = ExportScores(song, song)
    else:
        scores = ExportScores(midi.read(song), midi.read(song, pedal="ignore"))
    if isinstance(recipe, (str, Path)):
        recipe = _read_recipe(Path(recipe))
    sound: dict[str, Any] = {"soundfont": soundfont, "synth": synth, "rate": rate, "max_minutes": max_minutes}
    return export(scores, out, picture=picture, recipe=recipe, max_bars=max_bars, **sound)


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the recipe {str(path)!r}: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"the recipe {str(path)!r} contains a {type(content).__name__}, must be an object")
    return content
