"""Engrave MusicXML as SVG with Verovio, and convert it to PNG with resvg."""

import re
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ritornello.errors import FailedError, InputError
from ritornello.rendering.drawing import transliterate

# In Verovio's unit, a tenth of a millimetre: as wide as A4, as high as the music, at most Verovio's maximum.
OPTIONS: dict[str, Any] = {
    "pageWidth": 2100, "pageHeight": 60_000, "adjustPageHeight": True, "scale": 40, "svgViewBox": True,
    "header": "none", "footer": "none", "breaks": "auto", "xmlIdSeed": 1,
}  # fmt: skip
MARGIN_WITH_TITLE = 180
WIDTH_PIXELS = 1600
ACCIDENTALS = {"\uea64": "b", "\uea66": "#"}  # of chord symbols in Verovio's font, as letters


def to_svg(musicxml: str, title: str = "") -> str:
    """The text of an SVG file: the title, and all systems on one page. Raises InputError, FailedError."""
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
    if title:  # Verovio writes a title as nested spans, which some programs misplace
        heading = (
            f'<text x="{5 * OPTIONS["pageWidth"]}" y="1100" text-anchor="middle" font-size="700">'
            f"{escape(title)}</text>"
        )
        pages[0] = pages[0].replace('<g class="page-margin"', heading + '<g class="page-margin"', 1)
    return _join_pages(pages)


def to_png(svg: str, width: int = WIDTH_PIXELS) -> bytes:
    """The bytes of a PNG file `width` pixels wide, black on white, with the built-in font of Pillow.

    Raises InputError, FailedError.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise InputError('an image of a score needs resvg_py: pip install "ritornello[sheet]"') from error
    from PIL import ImageFont

    pillow_font: Any = ImageFont.load_default(12)
    with tempfile.TemporaryDirectory() as folder:
        font = Path(folder) / "letters.ttf"
        font.write_bytes(pillow_font.font_bytes)
        family = pillow_font.getname()[0]
        try:
            image = resvg_py.svg_to_bytes(
                svg_string=_with_available_letters(svg).replace("Times, serif", family),
                width=width,
                background="white",
                font_files=[str(font)],
                font_family=family,
                serif_family=family,
            )
        except ValueError as error:
            raise FailedError(f"resvg cannot draw the score: {error}") from error
    return bytes(image)


def height_pixels(svg: str) -> int:
    """The height in pixels of an image WIDTH_PIXELS wide."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return round(WIDTH_PIXELS * float(box[2]) / float(box[1])) if box else 0


def _with_available_letters(svg: str) -> str:
    """The SVG text with letters of Pillow's font: "b" for a flat sign, "beat" for the note of a tempo."""
    with_word = re.sub(
        r'<tspan font-family="Leipzig"[^>]*>([^<]*)</tspan>',
        lambda glyph: f'<tspan font-size="405px">{ACCIDENTALS.get(glyph[1], "beat")}</tspan>',
        svg,
    )
    return re.sub(r">([^<]*[^\x00-\x7f][^<]*)<", lambda text: f">{transliterate(text[1])}<", with_word)


def _join_pages(pages: list[str]) -> str:
    """One SVG file with all pages below each other. Raises FailedError."""
    if len(pages) == 1:
        return pages[0]
    boxes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', page) for page in pages]
    sizes = [(float(box[1]), float(box[2])) for box in boxes if box]
    if len(sizes) != len(pages):
        raise FailedError("a page of Verovio has no viewBox")
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">']
    top = 0.0
    for page, (wide, high) in zip(pages, sizes, strict=True):
        inner = page[page.index("<svg") :]
        lines.append(inner.replace("<svg ", f'<svg y="{top:g}" width="{wide:g}" height="{high:g}" ', 1))
        top += high
    return "\n".join([*lines, "</svg>"]) + "\n"
