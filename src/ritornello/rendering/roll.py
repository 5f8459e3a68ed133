"""The piano roll of a Score as an image, a PNG file, an SVG file, or text for the terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ritornello.errors import ScoreError, check_between
from ritornello.music.score import Score
from ritornello.rendering.drawing import to_image, to_svg
from ritornello.rendering.roll_layout import lay_out
from ritornello.rendering.terminal_roll import TerminalRoll
from ritornello.system.files import write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_WIDTH, MAX_WIDTH = 200, 3200


def image(score: Score, *, width: int | None = None, bars_per_row: int | None = None) -> Image:
    """The piano roll as an RGB image `width` pixels wide (200-3200); its height depends on the song.

    Without a width it has 1600, or 3200 for a song of more than 256 beats. `bars_per_row` is 1-64, or None
    for a number that depends on the length of the song. The height is at most 12.5 times the width; a line
    of text then says which bars are left out. Raises ScoreError.
    """
    check_between("width", width, MIN_WIDTH, MAX_WIDTH, ScoreError)
    drawing = lay_out(score, bars_per_row)
    return to_image(drawing, int(drawing.width) if width is None else width)


def png(
    score: Score, path: str | Path | None = None, *, width: int | None = None, bars_per_row: int | None = None
) -> bytes:
    """The piano roll as the bytes of a PNG file, also written to `path` if given.

    The options are those of `image`. Raises ScoreError, OutputError.
    """
    buffer = io.BytesIO()
    image(score, width=width, bars_per_row=bars_per_row).save(buffer, format="PNG")
    if path is not None:
        write_bytes(Path(path), buffer.getvalue())
    return buffer.getvalue()


def svg(score: Score, path: str | Path | None = None, *, bars_per_row: int | None = None) -> str:
    """The piano roll as the text of an SVG file, also written to `path` if given; it looks as in `png`.

    Raises ScoreError, OutputError.
    """
    text = to_svg(lay_out(score, bars_per_row))
    if path is not None:
        write_bytes(Path(path), text.encode())
    return text


def terminal(score: Score, width: int = 80, height: int = 24, max_bars: int = 16) -> TerminalRoll:
    """The beginning of the piano roll for `rich.print` (in colour if possible) or `str` (plain text).

    `width` (20-1000) is in characters, `height` (8-1000) in lines without the legend. At most `max_bars` bars
    (1-10,000) are shown, fewer if the width is too small for them; up to 16 bars are shown in two rows, with
    two thirds of the height each, if one would be narrow. Raises ScoreError.
    """
    check_between("width", width, 20, 1000, ScoreError)
    check_between("height", height, 8, 1000, ScoreError)
    check_between("max_bars", max_bars, 1, 10_000, ScoreError)
    return TerminalRoll(score, width, height, max_bars)
