"""Sheet music of a Score, as MusicXML and as engraved pages (SVG, PNG).

ornaments          find grace notes, trills and tremolos; rolled_chords finds arpeggios
played_note        the note before it is quantised, which both read
grid               quantise notes to written time
staves             assign the notes of a part to staves and voices
note_values        split durations into note values, and beam them
spelling           name pitches in a key; percussion places drums on the staff
measures           the XML elements of one voice in one bar
musicxml_document  the whole MusicXML file
engraving          MusicXML to SVG with Verovio, and to PNG with resvg (extra `sheet`)
"""

from pathlib import Path

from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering.roll_contents import printable
from ritornello.rendering.sheet import engraving
from ritornello.system.files import write_bytes

MAX_BARS_OF_SHEET_MUSIC = 2000  # the default of max_bars; engraving more takes minutes
MAX_BARS_LIMIT = 1_000_000  # the largest max_bars
MAX_HEIGHT_PIXELS = 25_000


def musicxml(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> str:
    """The song as MusicXML, also written to `path` if given.

    Notes are quantised to 32nds or triplets; a staff has at most four voices. Raises InputError if the song
    has no notes or more than `max_bars` bars, and OutputError.
    """
    return _write_text(_checked(score, max_bars), path)


def svg(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> str:
    """The engraved song as the text of an SVG file. Raises InputError, FailedError, OutputError."""
    return _write_text(engraving.to_svg(_checked(score, max_bars), printable(score.title)), path)


def png(score: Score, path: str | Path | None = None, *, max_bars: int = MAX_BARS_OF_SHEET_MUSIC) -> bytes:
    """The engraved song as the bytes of a PNG file. Raises InputError, FailedError, OutputError."""
    svg_text = svg(score, max_bars=max_bars)
    height = engraving.height_pixels(svg_text)
    if height > MAX_HEIGHT_PIXELS:
        raise InputError(
            f"an image of this score would be {height:,} pixels high: must be at most {MAX_HEIGHT_PIXELS:,}; "
            "write .svg or .musicxml instead"
        )
    data = engraving.to_png(svg_text)
    if path is not None:
        write_bytes(Path(path), data)
    return data


def check(max_bars: int) -> None:
    """Raise InputError unless `max_bars` is in its range."""
    if not 1 <= max_bars <= MAX_BARS_LIMIT:
        raise InputError(f"max-bars {max_bars}: must be 1-{MAX_BARS_LIMIT}")


def _checked(score: Score, max_bars: int) -> str:
    """The song as MusicXML. Raises InputError if it has no notes or too many bars."""
    if not len(score):
        raise InputError(f"the song {score.title!r} has no notes to write")
    if (bars := len(Timeline.of(score))) > max_bars:
        raise InputError(f"the song has {bars:,} bars: must be at most {max_bars:,} (--max-bars)")
    from ritornello.rendering.sheet.musicxml_document import to_musicxml  # `compose` does not need it

    return to_musicxml(score)


def _write_text(text: str, path: str | Path | None) -> str:
    if path is not None:
        write_bytes(Path(path), text.encode())
    return text
