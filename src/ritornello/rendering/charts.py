"""Line charts, drawn as an image with Pillow, or as text with braille characters (2 x 4 dots each)."""

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
from ritornello.rendering.palette import BACKGROUND, BEAT_LINE, FAINT_TEXT, HUES, LANE, TEXT
from ritornello.system.files import write_bytes

SCALE = 2  # the image is drawn larger by this factor and then reduced, because Pillow draws jagged lines
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bit of a dot by row and column (Unicode)
POINT = "●"

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """A line through points (x, y), each (n,), x ascending; the label is shown in the legend."""

    x: Floats
    y: Floats
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """Lines and single points over two axes. Values that are not finite are left out.

    Raises InputError if no finite value remains.
    """

    lines: Sequence[Line]
    points: Floats = field(default_factory=lambda: np.zeros((0, 2)))  # (m, 2): x, y
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    x_step: float | None = None  # the distance of marks on the x axis; None chooses a round number

    def __post_init__(self) -> None:
        ends = self.ends()
        if not all(map(math.isfinite, (*ends[0], *ends[1]))):
            raise InputError(f"the chart {self.title!r} has no finite value to draw")

    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ends of the x axis, and of the y axis with a margin."""
        x = np.concatenate([*(line.x for line in self.lines), self.points[:, 0]])
        y = np.concatenate([*(line.y for line in self.lines), self.points[:, 1]])
        finite = np.isfinite(x) & np.isfinite(y)
        if not finite.any():
            return (math.nan, math.nan), (math.nan, math.nan)
        left, right, low, high = x[finite].min(), x[finite].max(), y[finite].min(), y[finite].max()
        margin = 0.06 * (high - low) or 0.5
        x_ends = (float(left), float(right if right > left else left + 1))
        return x_ends, (float(low - margin), float(high + margin))


def png(chart: Chart, path: str | Path, *, width: int = 1200, height: int = 600) -> None:
    """Write the image of `chart` as a PNG file. Raises OutputError."""
    data = BytesIO()
    image(chart, width=width, height=height).save(data, "PNG")
    write_bytes(Path(path), data.getvalue())


def image(chart: Chart, *, width: int = 1200, height: int = 600) -> Image.Image:
    """The image of `chart`, `width` by `height` pixels."""
    whole = Image.new("RGB", (width * SCALE, height * SCALE), BACKGROUND)
    draw = ImageDraw.Draw(whole)
    box = (70 * SCALE, 56 * SCALE, (width - 28) * SCALE, (height - 62) * SCALE)
    draw.rectangle(box, fill=LANE)
    (left, right), (low, high) = chart.ends()

    def place(x: Floats, y: Floats) -> list[tuple[float, float]]:
        finite = np.isfinite(x) & np.isfinite(y)
        across = box[0] + (x[finite] - left) / (right - left) * (box[2] - box[0])
        down = box[3] - (y[finite] - low) / (high - low) * (box[3] - box[1])
        return list(zip(across.tolist(), down.tolist(), strict=True))

    _draw_axes(draw, chart, box)
    colours = list(HUES.values())
    for index, line in enumerate(chart.lines):
        draw.line(place(line.x, line.y), fill=colours[index % len(colours)], width=2 * SCALE, joint="curve")
    for x, y in place(*chart.points.T):
        size = 4 * SCALE
        circle = (x - size, y - size, x + size, y + size)
        draw.ellipse(circle, fill=HUES["yellow"], outline=BACKGROUND, width=SCALE)
    _draw_texts(draw, chart, box)
    return whole.resize((width, height), Image.Resampling.LANCZOS)


def _draw_axes(draw: ImageDraw.ImageDraw, chart: Chart, box: tuple[int, int, int, int]) -> None:
    """The grid and the numbers of the axes."""
    (left, right), (low, high) = chart.ends()
    font = ImageFont.load_default(13 * SCALE)
    for x in axis_marks(left, right, chart.x_step):
        across = box[0] + (x - left) / (right - left) * (box[2] - box[0])
        draw.line((across, box[1], across, box[3]), fill=BEAT_LINE, width=SCALE)
        draw.text((across, box[3] + 6 * SCALE), format_number(x), FAINT_TEXT, font, anchor="ma")
    for y in axis_marks(low, high):
        down = box[3] - (y - low) / (high - low) * (box[3] - box[1])
        draw.line((box[0], down, box[2], down), fill=BEAT_LINE, width=SCALE)
        draw.text((box[0] - 8 * SCALE, down), format_number(y), FAINT_TEXT, font, anchor="rm")


def _draw_texts(draw: ImageDraw.ImageDraw, chart: Chart, box: tuple[int, int, int, int]) -> None:
    """Title, names of the axes, and the legend if lines have labels."""
    small, large = ImageFont.load_default(14 * SCALE), ImageFont.load_default(19 * SCALE)
    draw.text((box[0], 16 * SCALE), chart.title, TEXT, large)
    draw.text(((box[0] + box[2]) / 2, box[3] + 32 * SCALE), chart.x_label, FAINT_TEXT, small, anchor="ma")
    draw.text((14 * SCALE, box[1] - 8 * SCALE), chart.y_label, FAINT_TEXT, small, anchor="ld")
    across = float(box[2])
    colours = list(HUES.values())
    for index, line in reversed(list(enumerate(chart.lines))):
        if line.label:
            place, colour = (across, box[1] - 8 * SCALE), colours[index % len(colours)]
            draw.text(place, line.label, colour, small, anchor="rd")
            across -= draw.textlength(line.label, small) + 16 * SCALE


def terminal(chart: Chart, *, columns: int = 76, rows: int = 16) -> str:
    """`chart` as text: a plot of `columns` by `rows` characters, with numbers and title around it.

    All lines look the same.
    """
    (left, right), (low, high) = chart.ends()
    dots = np.zeros((4 * rows, 2 * columns), bool)
    for line in chart.lines:
        _trace(dots, line, (left, right), (low, high))
    cells = [[chr(BRAILLE + _bits(dots, row, column)) for column in range(columns)] for row in range(rows)]
    for x, y in chart.points[np.isfinite(chart.points).all(axis=1)]:
        column, row = _cell(x, left, right, columns), rows - 1 - _cell(y, low, high, rows)
        cells[row][column] = POINT
    y_labels = {
        rows - 1 - _cell(y, low, high, rows): format_number(y)
        for y in axis_marks(low, high, about=max(1, rows // 3))
    }
    label_width = max(map(len, y_labels.values()), default=0)
    lines = [f"{y_labels.get(row, ''):>{label_width}} │{''.join(cells[row])}" for row in range(rows)]
    x_labels = [" "] * (columns + 8)
    for x in axis_marks(left, right, chart.x_step):
        label = format_number(x)
        start = max(0, _cell(x, left, right, columns) - len(label) // 2)
        if all(c == " " for c in x_labels[max(0, start - 1) : start + len(label) + 1]):
            x_labels[start : start + len(label)] = label
    indent = " " * (label_width + 2)
    lines += [indent[:-1] + "└" + "─" * columns, indent + "".join(x_labels)]
    lines.append(indent + chart.x_label.center(columns))
    if title := " · ".join(filter(None, (chart.title, chart.y_label))):
        lines.insert(0, title)
    return "\n".join(line.replace(chr(BRAILLE), " ").rstrip() for line in lines)


def _trace(
    dots: npt.NDArray[np.bool_], line: Line, x_ends: tuple[float, float], y_ends: tuple[float, float]
) -> None:
    """Set the dots (rows from the top, columns) that `line` passes through, in place, without gaps."""
    height, width = dots.shape
    finite = np.isfinite(line.x) & np.isfinite(line.y)
    if not finite.any():
        return
    across = np.linspace(*x_ends, width)
    inside = (across >= line.x[finite].min()) & (across <= line.x[finite].max())
    y = np.interp(across, line.x[finite], line.y[finite])
    down = np.rint((y_ends[1] - y) / (y_ends[1] - y_ends[0]) * (height - 1)).astype(int)
    for column in np.flatnonzero(inside):
        before = down[column - 1] if column and inside[column - 1] else down[column]
        first, last = sorted((before + np.sign(down[column] - before), down[column]))
        dots[first : last + 1, column] = True


def _bits(dots: npt.NDArray[np.bool_], row: int, column: int) -> int:
    """The braille pattern of a character, as its offset from BRAILLE."""
    cell = dots[4 * row : 4 * row + 4, 2 * column : 2 * column + 2]
    return int((cell * np.array(DOTS)).sum())


def _cell(value: float, low: float, high: float, cells: int) -> int:
    """The index of the cell that contains `value`, of `cells` equal ones from `low` to `high`."""
    return min(cells - 1, max(0, int((value - low) / (high - low) * cells)))


def axis_marks(low: float, high: float, step: float | None = None, *, about: int = 5) -> list[float]:
    """The multiples of `step` from `low` to `high`; without it about `about` multiples of a round number.

    >>> axis_marks(0, 1), axis_marks(-24, 24, 12)
    ([0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0], [-24.0, -12.0, 0.0, 12.0, 24.0])
    """
    if step is None:
        rough = (high - low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((1, 2, 5, 10), key=lambda m: abs(m * power - rough)) * power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * float(step) for index in range(first, last + 1)]


def format_number(value: float) -> str:
    """A number of an axis with at most four digits."""
    return f"{value:.4g}".replace("-0", "0") if abs(value) < 1e-12 else f"{value:.4g}"
