"""MusicXML as engraved pages, by Verovio; and those as pixels, by resvg."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ritornello.errors import FailedError, InputError
from ritornello.rendering.drawing import transliterate

# in Verovio's unit, a tenth of a millimetre: as wide as A4, as high as the music but for what Verovio allows
OPTIONS: dict[str, Any] = {
    "pageWidth": 2100, "pageHeight": 60_000, "adjustPageHeight": True, "scale": 40, "svgViewBox": True,
    "header": "none", "footer": "none", "breaks": "auto", "xmlIdSeed": 1,
}  # fmt: skip
MARGIN_WITH_TITLE = 180
PIXELS = 1600  # the width of an image


def to_svg(musicxml: str, title: str = "") -> str:
    """The text of an SVG file: a title, all systems one below the other. Raises InputError, FailedError."""
    try:
        import verovio
    except ImportError as error:
        raise InputError('engraving needs verovio: pip install "ritornello[sheet]"') from error
    verovio.enableLog(verovio.LOG_OFF)
    toolkit: Any = verovio.toolkit()
    toolkit.setOptions(OPTIONS | ({"pageMarginTop": MARGIN_WITH_TITLE} if title else {}))
    if not toolkit.loadData(musicxml):
        raise FailedError("Verovio cannot read the song's MusicXML")
    pages = [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]
    if title:  # Verovio's own stands in nested spans, which some programs put in the wrong place
        heading = (
            f'<text x="{5 * OPTIONS["pageWidth"]}" y="1100" text-anchor="middle" font-size="700">'
            f"{escape(title)}</text>"
        )
        pages[0] = pages[0].replace('<g class="page-margin"', heading + '<g class="page-margin"', 1)
    return _stacked(pages)


def to_png(svg: str, width: int = PIXELS) -> bytes:
    """The bytes of a PNG file, `width` pixels wide, black on white; letters are Pillow's own.

    Raises InputError, FailedError.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise InputError('an image of a score needs resvg_py: pip install "ritornello[sheet]"') from error
    from PIL import ImageFont

    letters: Any = ImageFont.load_default(12)
    with tempfile.TemporaryDirectory() as folder:
        font = Path(folder) / "letters.ttf"
        font.write_bytes(letters.font_bytes)
        family = letters.getname()[0]
        try:
            image = resvg_py.svg_to_bytes(
                svg_string=_plain(svg).replace("Times, serif", family),
                width=width,
                background="white",
                font_files=[str(font)],
                font_family=family,
                serif_family=family,
            )
        except ValueError as error:
            raise FailedError(f"resvg cannot draw the score: {error}") from error
    return bytes(image)


def height(svg: str) -> int:
    """How high an image of the file is, in pixels."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return round(PIXELS * float(box[2]) / float(box[1])) if box else 0


def _plain(svg: str) -> str:
    """The file with the letters that Pillow's font has: the note in a tempo becomes a word."""
    spoken = re.sub(
        r'<tspan font-family="Leipzig"[^>]*>[^<]*</tspan>', '<tspan font-size="405px">beat</tspan>', svg
    )
    return re.sub(r">([^<]*[^\x00-\x7f][^<]*)<", lambda text: f">{transliterate(text[1])}<", spoken)


def _stacked(pages: list[str]) -> str:
    """Pages, one below the other, as one SVG file."""
    if len(pages) == 1:
        return pages[0]
    boxes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', page) for page in pages]
    sizes = [(float(box[1]), float(box[2])) for box in boxes if box]
    if len(sizes) != len(pages):
        raise FailedError("Verovio made a page without a size")
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">']
    top = 0.0
    for page, (wide, high) in zip(pages, sizes, strict=True):
        inner = page[page.index("<svg") :]
        lines.append(inner.replace("<svg ", f'<svg y="{top:g}" width="{wide:g}" height="{high:g}" ', 1))
        top += high
    return "\n".join([*lines, "</svg>"]) + "\n"
