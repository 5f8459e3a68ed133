"""Line charts: a picture (PNG) and lines of text for the terminal, of the same Chart.

Drawn with pillow alone. In the terminal a line is made of braille characters, two dots wide and four high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ritornello.errors import InputError
from ritornello.rendering.palette import BEAT, FAINT, GROUND, HUES, LANE, TEXT
from ritornello.system.files import write_bytes

SCALE = 2  # a picture is drawn so many times larger and then reduced: pillow's own lines are jagged
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bit of a dot by row and column (Unicode)
MARK = "●"

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """A line through (x, y), each (n,); x ascends. The label stands in the legend."""

    x: Floats
    y: Floats
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """Lines and marked points over two axes. Values that are not finite are left out.

    Raises InputError if nothing is left.
    """

    lines: Sequence[Line]
    points: Floats = field(default_factory=lambda: np.zeros((0, 2)))  # (m, 2): x, y
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    x_step: float | None = None  # between two marks of the x axis; None: a round number

    def __post_init__(self) -> None:
        ends = self.ends()
        if not all(map(math.isfinite, (*ends[0], *ends[1]))):
            raise InputError(f"the chart {self.title!r} has no finite value to draw")

    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The lowest and highest x, and y with a margin; both are at least a little apart."""
        x = np.concatenate([*(line.x for line in self.lines), self.points[:, 0]])
        y = np.concatenate([*(line.y for line in self.lines), self.points[:, 1]])
        kept = np.isfinite(x) & np.isfinite(y)
        if not kept.any():
            return (math.nan, math.nan), (math.nan, math.nan)
        left, right, low, high = x[kept].min(), x[kept].max(), y[kept].min(), y[kept].max()
        margin = 0.06 * (high - low) or 0.5
        return (float(left), float(right if right > left else left + 1)), (
            float(low - margin),
            float(high + margin),
        )


def png(chart: Chart, path: str | Path, *, width: int = 1200, height: int = 600) -> None:
    """Write the picture of `chart`, atomically. Raises OutputError."""
    data = BytesIO()
    image(chart, width=width, height=height).save(data, "PNG")
    write_bytes(Path(path), data.getvalue())


def image(chart: Chart, *, width: int = 1200, height: int = 600) -> Image.Image:
    """The picture of `chart`, `width` by `height` pixels."""
    whole = Image.new("RGB", (width * SCALE, height * SCALE), GROUND)
    draw = ImageDraw.Draw(whole)
    box = (70 * SCALE, 56 * SCALE, (width - 28) * SCALE, (height - 62) * SCALE)
    draw.rectangle(box, fill=LANE)
    (left, right), (low, high) = chart.ends()

    def place(x: Floats, y: Floats) -> list[tuple[float, float]]:
        kept = np.isfinite(x) & np.isfinite(y)
        across = box[0] + (x[kept] - left) / (right - left) * (box[2] - box[0])
        down = box[3] - (y[kept] - low) / (high - low) * (box[3] - box[1])
        return list(zip(across.tolist(), down.tolist(), strict=True))

    _draw_axes(draw, chart, box)
    colours = list(HUES.values())
    for index, line in enumerate(chart.lines):
        draw.line(place(line.x, line.y), fill=colours[index % len(colours)], width=2 * SCALE, joint="curve")
    for x, y in place(*chart.points.T):
        size = 4 * SCALE
        draw.ellipse(
            (x - size, y - size, x + size, y + size), fill=HUES["yellow"], outline=GROUND, width=SCALE
        )
    _draw_words(draw, chart, box)
    return whole.resize((width, height), Image.Resampling.LANCZOS)


def _draw_axes(draw: ImageDraw.ImageDraw, chart: Chart, box: tuple[int, int, int, int]) -> None:
    """The grid and its numbers."""
    (left, right), (low, high) = chart.ends()
    font = ImageFont.load_default(13 * SCALE)
    for x in marks(left, right, chart.x_step):
        across = box[0] + (x - left) / (right - left) * (box[2] - box[0])
        draw.line((across, box[1], across, box[3]), fill=BEAT, width=SCALE)
        draw.text((across, box[3] + 6 * SCALE), number(x), FAINT, font, anchor="ma")
    for y in marks(low, high):
        down = box[3] - (y - low) / (high - low) * (box[3] - box[1])
        draw.line((box[0], down, box[2], down), fill=BEAT, width=SCALE)
        draw.text((box[0] - 8 * SCALE, down), number(y), FAINT, font, anchor="rm")


def _draw_words(draw: ImageDraw.ImageDraw, chart: Chart, box: tuple[int, int, int, int]) -> None:
    """Title, names of the axes and, where lines have labels, the legend."""
    small, large = ImageFont.load_default(14 * SCALE), ImageFont.load_default(19 * SCALE)
    draw.text((box[0], 16 * SCALE), chart.title, TEXT, large)
    draw.text(((box[0] + box[2]) / 2, box[3] + 32 * SCALE), chart.x_label, FAINT, small, anchor="ma")
    draw.text((14 * SCALE, box[1] - 8 * SCALE), chart.y_label, FAINT, small, anchor="ld")
    across = float(box[2])
    colours = list(HUES.values())
    for index, line in reversed(list(enumerate(chart.lines))):
        if line.label:
            draw.text(
                (across, box[1] - 8 * SCALE), line.label, colours[index % len(colours)], small, anchor="rd"
            )
            across -= draw.textlength(line.label, small) + 16 * SCALE


def terminal(chart: Chart, *, columns: int = 76, rows: int = 16) -> str:
    """`chart` for a terminal: the drawing is `columns` by `rows` characters, numbers and title come beside.

    All lines look the same; the first line drawn is as good as the last.
    """
    (left, right), (low, high) = chart.ends()
    dots = np.zeros((4 * rows, 2 * columns), bool)
    for line in chart.lines:
        _trace(dots, line, (left, right), (low, high))
    cells = [[chr(BRAILLE + _bits(dots, row, column)) for column in range(columns)] for row in range(rows)]
    for x, y in chart.points[np.isfinite(chart.points).all(axis=1)]:
        column, row = _cell(x, left, right, columns), rows - 1 - _cell(y, low, high, rows)
        cells[row][column] = MARK
    beside = {
        rows - 1 - _cell(y, low, high, rows): number(y) for y in marks(low, high, about=max(1, rows // 3))
    }
    edge = max(map(len, beside.values()), default=0)
    lines = [f"{beside.get(row, ''):>{edge}} │{''.join(cells[row])}" for row in range(rows)]
    below = [" "] * (columns + 8)
    for x in marks(left, right, chart.x_step):
        label = number(x)
        start = max(0, _cell(x, left, right, columns) - len(label) // 2)
        if all(c == " " for c in below[max(0, start - 1) : start + len(label) + 1]):
            below[start : start + len(label)] = label
    indent = " " * (edge + 2)
    lines += [
        indent[:-1] + "└" + "─" * columns,
        indent + "".join(below),
        indent + chart.x_label.center(columns),
    ]
    head = " · ".join(word for word in (chart.title, chart.y_label) if word)
    return "\n".join(line.replace(chr(BRAILLE), " ").rstrip() for line in ([head] if head else []) + lines)


def _trace(
    dots: npt.NDArray[np.bool_], line: Line, x_ends: tuple[float, float], y_ends: tuple[float, float]
) -> None:
    """Set the dots (from the top) that `line` passes, joined without gaps."""
    high, wide = dots.shape
    kept = np.isfinite(line.x) & np.isfinite(line.y)
    if not kept.any():
        return
    across = np.linspace(*x_ends, wide)
    inside = (across >= line.x[kept].min()) & (across <= line.x[kept].max())
    y = np.interp(across, line.x[kept], line.y[kept])
    down = np.rint((y_ends[1] - y) / (y_ends[1] - y_ends[0]) * (high - 1)).astype(int)
    for column in np.flatnonzero(inside):
        before = down[column - 1] if column and inside[column - 1] else down[column]
        first, last = sorted((before + np.sign(down[column] - before), down[column]))
        dots[first : last + 1, column] = True


def _bits(dots: npt.NDArray[np.bool_], row: int, column: int) -> int:
    """The braille pattern of a cell."""
    cell = dots[4 * row : 4 * row + 4, 2 * column : 2 * column + 2]
    return int((cell * np.array(DOTS)).sum())


def _cell(value: float, low: float, high: float, cells: int) -> int:
    """In which of `cells` from `low` to `high` a value lies."""
    return min(cells - 1, max(0, int((value - low) / (high - low) * cells)))


def marks(low: float, high: float, step: float | None = None, *, about: int = 5) -> list[float]:
    """The multiples of `step` from low to high; without it, of the round number that gives `about` so many.

    >>> marks(0, 1), marks(-24, 24, 12)
    ([0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0], [-24.0, -12.0, 0.0, 12.0, 24.0])
    """
    if step is None:
        rough = (high - low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((1, 2, 5, 10), key=lambda m: abs(m * power - rough)) * power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * float(step) for index in range(first, last + 1)]


def number(value: float) -> str:
    """A number on an axis, short."""
    return f"{value:.4g}".replace("-0", "0") if abs(value) < 1e-12 else f"{value:.4g}"
