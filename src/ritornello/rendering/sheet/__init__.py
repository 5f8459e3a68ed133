"""The sheet music of a Score: a grid of beats > staves and voices > values > MusicXML > engraved pages.

grid > staves > values, spelling, drums > measures > document      our own, needs nothing else
engraving                                                          Verovio and resvg, in the extra `sheet`
"""

from __future__ import annotations

from pathlib import Path

from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering.roll_contents import printable
from ritornello.rendering.sheet import engraving
from ritornello.rendering.sheet.musicxml_document import document
from ritornello.system.files import write_bytes

MAX_BARS_OF_SHEET_MUSIC = 2000  # beyond it nobody leafs through it, and engraving takes minutes
MOST_BARS = 1_000_000
MAX_HEIGHT = 25_000  # pixels


def musicxml(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> str:
    """The song as MusicXML, written to `path` if there is one. Raises InputError, OutputError.

    Notes stand on a grid of 32nds or triplets; five or more voices on a staff are cut to four. A song without
    notes, or of more than `max_bars` bars, is refused.
    """
    return _written(_checked(score, max_bars), path)


def svg(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> str:
    """The song engraved, as the text of an SVG file. Raises InputError, FailedError, OutputError."""
    return _written(engraving.to_svg(_checked(score, max_bars), printable(score.title)), path)


def png(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> bytes:
    """The song engraved, as the bytes of a PNG file. Raises InputError, FailedError, OutputError."""
    drawing = svg(score, max_bars=max_bars)
    height = engraving.height(drawing)
    if height > MAX_HEIGHT:
        raise InputError(
            f"an image of this score would be {height:,} pixels high, must be at most {MAX_HEIGHT:,}: "
            "write .svg or .musicxml"
        )
    data = engraving.to_png(drawing)
    if path is not None:
        write_bytes(Path(path), data)
    return data


def check(max_bars: int) -> None:
    """Raise InputError unless a score may have so many bars."""
    if not 1 <= max_bars <= MOST_BARS:
        raise InputError(f"max-bars {max_bars}, must be 1-{MOST_BARS}")


def _checked(score: Score, max_bars: int) -> str:
    """The song as MusicXML, if it can be written. Raises InputError."""
    if not len(score):
        raise InputError(f"the song {score.title!r} has no notes: there is nothing to write down")
    if (bars := len(Timeline.of(score))) > max_bars:
        raise InputError(f"a score of {bars:,} bars, must be at most {max_bars:,} (--max-bars)")
    return document(score)


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        write_bytes(Path(path), text.encode())
    return text
