"""A drawing made of boxes and lines of text, converted to an image (by Pillow) or to SVG.

Lengths are in the drawing's own unit, so that one layout gives the same picture at any size and in both
formats.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from ritornello.rendering.palette import rgb

if TYPE_CHECKING:
    from PIL.Image import Image

FONTS = "Aileron, 'Helvetica Neue', Helvetica, Arial, sans-serif"  # Pillow's built-in font is Aileron
NON_ASCII = "©«°±·»\u2018\u2019\u201c\u201d…"  # the characters beyond ASCII of this font
# Latin letters that Unicode does not decompose into a letter and an accent, and some punctuation
REPLACEMENTS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ħ": "h", "Ħ": "H", "\u0131": "i"}
    | {"ŋ": "ng", "\u2013": "-", "\u2014": "-", "\u201e": '"', "•": "·", "№": "No."}
)
Anchor = Literal["start", "middle", "end"]


class Box(NamedTuple):
    """A filled rectangle: upper left corner, size, and the radius of its rounded corners."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0
    radius: float = 0.0


class Text(NamedTuple):
    """A line of text; `x` is the position of its `anchor`, `y` of its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"


class Drawing(NamedTuple):
    """Boxes, drawn in order, and texts, drawn on top of all boxes; `title` is a text description."""

    width: float
    height: float
    background: str
    title: str
    shapes: tuple[Box | Text, ...]

    @property
    def boxes(self) -> list[Box]:
        """The boxes in the order of drawing."""
        return [shape for shape in self.shapes if isinstance(shape, Box)]

    @property
    def texts(self) -> list[Text]:
        """The lines of text."""
        return [shape for shape in self.shapes if isinstance(shape, Text)]


def to_image(picture: Drawing, width: int) -> Image:
    """The drawing as an RGB image `width` pixels wide, with the aspect ratio of the drawing."""
    from PIL import Image, ImageDraw

    scale = width / picture.width
    size = (width, max(1, round(picture.height * scale)))
    pixels = np.array(Image.new("RGB", size, picture.background))  # (height, width, 3)
    for box in picture.boxes:
        _paint(pixels, box, scale)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for text in picture.texts:
        place = (text.x * scale, text.y * scale)
        letters = {"font": _font(text.size * scale), "anchor": anchors[text.anchor]}
        draw.text(place, transliterate(text.text), fill=text.colour, **letters)
    return image


def to_svg(picture: Drawing) -> str:
    """The drawing as the text of an SVG file; its unit of length is a pixel."""
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="{FONTS}">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{picture.background}"/>',
    ]
    for box in picture.boxes:
        geometry = zip(("x", "y", "width", "height"), box[:4], strict=True)
        place = " ".join(f'{name}="{_number(value)}"' for name, value in geometry)
        radius = f' rx="{_number(box.radius)}"' if box.radius else ""
        opacity = f' fill-opacity="{_number(box.opacity)}"' if box.opacity < 1 else ""
        lines.append(f'<rect {place}{radius} fill="{box.colour}"{opacity}/>')
    for text in picture.texts:
        anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
        style = f'font-size="{_number(text.size)}" fill="{text.colour}"{anchor}'
        lines.append(f'<text x="{_number(text.x)}" y="{_number(text.y)}" {style}>{escape(text.text)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def text_width(text: str, size: float) -> float:
    """The width of `text` in a font of `size`."""
    return float(_font(size).getlength(transliterate(text)))


def transliterate(text: str) -> str:
    """`text` in the characters of Pillow's built-in font: without accents; each run of others becomes "?".

    >>> transliterate("Für Élise · Søren Łoś · 月光")
    'Fur Elise · Soren Los · ?'
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(REPLACEMENTS))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    known = "".join(c if " " <= c <= "~" or c in NON_ASCII else "\0" for c in bare)
    return re.sub("\0+", "?", known)


@lru_cache(maxsize=64)
def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _paint(pixels: npt.NDArray[np.uint8], box: Box, scale: float) -> None:
    """Draw `box` on `pixels` (height, width, 3), in place; its edges are rounded to whole pixels."""
    left, top = _pixel(box.x * scale), _pixel(box.y * scale)
    right = max(left + 1, _pixel((box.x + box.width) * scale))
    bottom = max(top + 1, _pixel((box.y + box.height) * scale))
    region = pixels[max(0, top) : bottom, max(0, left) : right]
    colour = np.array(rgb(box.colour), np.float32)
    radius = min(round(box.radius * scale), region.shape[0] // 2, region.shape[1] // 2)
    if radius < 1 and box.opacity >= 1:
        region[:] = colour
        return
    coverage = np.full((*region.shape[:2], 1), box.opacity, np.float32)
    if radius >= 1:
        corner = _corner(radius)  # (radius, radius, 1)
        coverage[:radius, :radius] *= corner
        coverage[:radius, -radius:] *= corner[:, ::-1]
        coverage[-radius:, :radius] *= corner[::-1]
        coverage[-radius:, -radius:] *= corner[::-1, ::-1]
    region[:] = np.rint(region + (colour - region) * coverage)


def _pixel(place: float) -> int:
    """The nearest edge between pixels; halves are rounded up, so that equal widths stay equal."""
    return math.floor(place + 0.5)


@lru_cache(maxsize=64)
def _corner(radius: int) -> npt.NDArray[np.float32]:
    """The share of each pixel (radius, radius, 1) that a rounded upper left corner covers."""
    offsets = (np.arange(8 * radius) + 0.5) / 8 - radius  # 8 x 8 samples a pixel
    inside = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2
    share: npt.NDArray[np.float32] = inside.reshape(radius, 8, radius, 8).mean(axis=(1, 3), dtype=np.float32)
    return share[:, :, None]


def _number(value: float) -> str:
    """A number with at most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
