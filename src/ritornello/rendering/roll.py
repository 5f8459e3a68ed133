"""The piano roll of a Score: as an image, a PNG file, an SVG file, and in the terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ritornello.errors import ScoreError
from ritornello.music.score import Score
from ritornello.rendering.drawing import to_image, to_svg
from ritornello.rendering.roll_layout import WIDTH, arrange
from ritornello.rendering.terminal_roll import TerminalRoll
from ritornello.system.files import write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_WIDTH, MAX_WIDTH = 200, 3200


def image(score: Score, *, width: int = int(WIDTH), bars_per_row: int | None = None) -> Image:
    """The piano roll as an RGB image of `width` pixels (200-3200); its height follows from the song.

    `bars_per_row` (1-64) is chosen to read well where it is None. What would be higher than 12.5 times
    its width is cut, and the picture says so. Raises ScoreError.
    """
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        raise ScoreError(f"a picture {width} pixels wide, must be {MIN_WIDTH}-{MAX_WIDTH}")
    return to_image(arrange(score, bars_per_row), width)


def png(
    score: Score, path: str | Path | None = None, *, width: int = int(WIDTH), bars_per_row: int | None = None
) -> bytes:
    """The piano roll as the bytes of a PNG file, written to `path` if there is one.

    Options are those of `image`. Raises ScoreError, OutputError.
    """
    buffer = io.BytesIO()
    image(score, width=width, bars_per_row=bars_per_row).save(buffer, format="PNG")
    if path is not None:
        write_bytes(Path(path), buffer.getvalue())
    return buffer.getvalue()


def svg(score: Score, path: str | Path | None = None, *, bars_per_row: int | None = None) -> str:
    """The piano roll as the text of an SVG file, written to `path` if there is one.

    It is the same picture as `png` makes, in lines and letters that scale. Raises ScoreError, OutputError.
    """
    text = to_svg(arrange(score, bars_per_row))
    if path is not None:
        write_bytes(Path(path), text.encode())
    return text


def terminal(score: Score, width: int = 80, height: int = 24, max_bars: int = 8) -> TerminalRoll:
    """The beginning of the piano roll for `rich.print` (colours, where there are any) or `str` (plain text).

    `width` (20-1000) is in characters; `height` (8-1000) in lines, legend apart; at most `max_bars` bars
    (from 1) are shown, fewer where they are too many for the width. Raises ScoreError.
    """
    for name, value, low, high in (
        ("columns", width, 20, 1000),
        ("lines", height, 8, 1000),
        ("bars", max_bars, 1, 10_000),
    ):
        if not low <= value <= high:
            raise ScoreError(f"a terminal roll of {value} {name}, must be {low}-{high}")
    return TerminalRoll(score, width, height, max_bars)
