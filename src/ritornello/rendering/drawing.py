"""A picture as boxes and lines of text, and the two ways to show it: an image of pixels (Pillow), and SVG.

A picture has its own unit of length; an image may have any number of pixels a unit. What is laid out once
looks the same in both.
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from ritornello.rendering.palette import channels

if TYPE_CHECKING:
    from PIL.Image import Image

FONTS = "Aileron, 'Helvetica Neue', Helvetica, Arial, sans-serif"  # Pillow's built-in font is Aileron
SIGNS = "©«°±·»\u2018\u2019\u201c\u201d…"  # what it has beside ASCII
# letters of Latin scripts that are no letter with an accent
LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ħ": "h", "Ħ": "H", "\u0131": "i"}
    | {"ŋ": "ng", "\u2013": "-", "\u2014": "-", "\u201e": '"', "•": "·", "№": "No."}  # dashes, a quote
)
Anchor = Literal["start", "middle", "end"]


class Box(NamedTuple):
    """A rectangle by its upper left corner and size, filled with `colour`, corners rounded by `radius`."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0
    radius: float = 0.0


class Text(NamedTuple):
    """A line of text; `x` is its start, middle or end as `anchor` says, `y` its base line."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"


class Picture(NamedTuple):
    """Boxes, painted in order, and texts, on top of all boxes; `title` says in words what is seen."""

    width: float
    height: float
    ground: str
    title: str
    shapes: tuple[Box | Text, ...]

    @property
    def boxes(self) -> list[Box]:
        """The boxes, those below first."""
        return [shape for shape in self.shapes if isinstance(shape, Box)]

    @property
    def texts(self) -> list[Text]:
        """The texts."""
        return [shape for shape in self.shapes if isinstance(shape, Text)]


def to_image(picture: Picture, width: int) -> Image:
    """The picture as an RGB image of `width` pixels, and as high as its shape asks."""
    from PIL import Image, ImageDraw

    scale = width / picture.width
    size = (width, max(1, round(picture.height * scale)))
    pixels = np.array(Image.new("RGB", size, picture.ground))  # (height, width, 3)
    for box in picture.boxes:
        _paint(pixels, box, scale)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for text in picture.texts:
        place = (text.x * scale, text.y * scale)
        letters = {"font": _font(text.size * scale), "anchor": anchors[text.anchor]}
        draw.text(place, writable(text.text), fill=text.colour, **letters)
    return image


def to_svg(picture: Picture) -> str:
    """The picture as the text of an SVG file; its unit of length is a pixel, and it scales to any width."""
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="{FONTS}">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{picture.ground}"/>',
    ]
    for box in picture.boxes:
        extent = zip(("x", "y", "width", "height"), box[:4], strict=True)
        rounded = f' rx="{_number(box.radius)}"' if box.radius else ""
        pale = f' fill-opacity="{_number(box.opacity)}"' if box.opacity < 1 else ""
        where = " ".join(f'{name}="{_number(value)}"' for name, value in extent)
        lines.append(f'<rect {where}{rounded} fill="{box.colour}"{pale}/>')
    for text in picture.texts:
        anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
        look = f'font-size="{_number(text.size)}" fill="{text.colour}"{anchor}'
        lines.append(f'<text x="{_number(text.x)}" y="{_number(text.y)}" {look}>{escape(text.text)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def text_width(text: str, size: float) -> float:
    """How wide `text` is when written at `size`."""
    return float(_font(size).getlength(writable(text)))


def writable(text: str) -> str:
    """`text` with the letters that Pillow's built-in font has: without accents; other scripts become "?".

    >>> writable("Für Élise · Søren Łoś · 月光")
    'Fur Elise · Soren Los · ?'
    """
    spelled = unicodedata.normalize("NFKD", text.translate(LETTERS))
    bare = "".join(c for c in spelled if not unicodedata.combining(c))
    known = "".join(c if " " <= c <= "~" or c in SIGNS else "\0" for c in bare)
    while "\0\0" in known:
        known = known.replace("\0\0", "\0")
    return known.replace("\0", "?")


@lru_cache(maxsize=64)
def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _paint(pixels: npt.NDArray[np.uint8], box: Box, scale: float) -> None:
    """Lay `box` over `pixels` (height, width, 3); edges fall on whole pixels, so that they stay sharp."""
    left, top = _pixel(box.x * scale), _pixel(box.y * scale)
    right = max(left + 1, _pixel((box.x + box.width) * scale))
    bottom = max(top + 1, _pixel((box.y + box.height) * scale))
    region = pixels[max(0, top) : bottom, max(0, left) : right]
    colour = np.array(channels(box.colour), np.float32)
    radius = min(round(box.radius * scale), region.shape[0] // 2, region.shape[1] // 2)
    if radius < 1 and box.opacity >= 1:
        region[:] = colour
        return
    cover = np.full((*region.shape[:2], 1), box.opacity, np.float32)
    if radius >= 1:
        corner = _corner(radius)  # (radius, radius, 1)
        cover[:radius, :radius] *= corner
        cover[:radius, -radius:] *= corner[:, ::-1]
        cover[-radius:, :radius] *= corner[::-1]
        cover[-radius:, -radius:] *= corner[::-1, ::-1]
    region[:] = np.rint(region + (colour - region) * cover)


def _pixel(place: float) -> int:
    """The nearest edge of pixels; halves go up, so that equal widths stay equal."""
    return math.floor(place + 0.5)


@lru_cache(maxsize=64)
def _corner(radius: int) -> npt.NDArray[np.float32]:
    """How much of each pixel (radius, radius, 1) of an upper left corner lies inside a quarter circle."""
    places = (np.arange(8 * radius) + 0.5) / 8 - radius  # 8 x 8 samples a pixel
    inside = places[:, None] ** 2 + places[None, :] ** 2 <= radius**2
    share: npt.NDArray[np.float32] = inside.reshape(radius, 8, radius, 8).mean(axis=(1, 3), dtype=np.float32)
    return share[:, :, None]


def _number(value: float) -> str:
    """A length or an opacity with two decimals at most, as short as it goes."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
