"""Line charts as pixels and as text."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ritornello.errors import InputError, OutputError
from ritornello.models.losses.curve import Curve
from ritornello.models.losses.curve_chart import note_loss_chart
from ritornello.rendering import charts
from ritornello.rendering.charts import Chart, Line
from ritornello.rendering.palette import HUES, rgb

DIAGONAL = Chart(
    [Line(np.array([0.0, 10.0]), np.array([0.0, 1.0]))],
    np.array([[5.0, 0.5]]),
    title="A line",
    x_label="steps",
    y_label="loss",
)


def coloured(picture: Image.Image, hue: str) -> np.ndarray:
    """The positions (n, 2), x and y, of the pixels near a colour."""
    pixels = np.asarray(picture).astype(int)
    down, across = np.nonzero(np.abs(pixels - rgb(HUES[hue])).max(axis=2) < 40)
    return np.stack([across, down], axis=1)


def test_the_line_goes_from_corner_to_corner_and_the_point_lies_on_it() -> None:
    picture = charts.image(DIAGONAL, width=400, height=300)
    assert picture.size == (400, 300)
    line = coloured(picture, "sky blue")
    first, last = line[line[:, 0].argmin()], line[line[:, 0].argmax()]
    # the axes span 70 to 372 across and 56 to 238 down; y has a margin of 6% of 1: 0 is at 228, 1 at 66
    assert first == pytest.approx([70, 228], abs=3)
    assert last == pytest.approx([372, 66], abs=3)
    assert coloured(picture, "yellow").mean(axis=0) == pytest.approx([221, 147], abs=1.5)


def test_the_file_is_a_png_of_the_size_asked_for(tmp_path: Path) -> None:
    charts.png(DIAGONAL, tmp_path / "chart.png", width=320, height=200)
    with Image.open(BytesIO((tmp_path / "chart.png").read_bytes())) as picture:
        assert (picture.format, picture.size) == ("PNG", (320, 200))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        charts.png(DIAGONAL, tmp_path / "file" / "chart.png")


def test_the_terminal_shows_the_same() -> None:
    # ten cells across, five down, y from -0.06 at the bottom to 1.06 at the top: the point (5, 0.5) is in the
    # middle row and sixth column; a mark at 10 would touch the one at 8
    assert charts.terminal(DIAGONAL, columns=10, rows=5).splitlines() == [
        "A line · loss",
        "1 │        ⢀⠔",
        "  │      ⡠⠒⠁",
        "  │    ⡠●",
        "  │ ⢀⠤⠊",
        "0 │⠔⠁",
        "  └──────────",
        "   0 2 4 6 8",
        "     steps",
    ]


def test_the_loss_of_the_note_is_drawn_with_its_points() -> None:
    curve = Curve.fit()
    chart = note_loss_chart(curve)
    assert charts.terminal(chart).count(charts.POINT) == len(curve.points.minima()) == 15
    spots = coloured(charts.image(chart), "yellow")
    # each point is a spot of its own: the gaps between them across are more than a few pixels
    assert (np.diff(np.unique(spots[:, 0])) > 5).sum() == 14


def test_several_lines_have_a_legend() -> None:
    x = np.arange(5.0)
    plain = charts.image(Chart([Line(x, x), Line(x, 4 - x)]))
    named = charts.image(Chart([Line(x, x, "training"), Line(x, 4 - x, "held out")]))
    top = (600, 0, 1200, 54)
    for hue in ("sky blue", "orange"):
        assert len(coloured(plain.crop(top), hue)) == 0
        assert len(coloured(named.crop(top), hue)) > 20


def test_values_that_are_not_finite_are_left_out() -> None:
    x = np.arange(6.0)
    chart = Chart([Line(x, np.array([np.nan, 1, 2, np.inf, 4, 5])), Line(x, np.full(6, np.nan))])
    assert chart.ends()[0] == (1.0, 5.0)
    assert charts.image(chart).size == (1200, 600)
    # the line itself begins at x = 1, the left edge, and goes straight over the gap at 3
    assert (
        charts.terminal(chart, columns=8, rows=4).splitlines()[:4]
        != charts.terminal(Chart([Line(x[4:], x[4:])]), columns=8, rows=4).splitlines()[:4]
    )


def test_a_flat_line_and_a_single_point_are_drawn() -> None:
    # one row of dots from edge to edge: in each of eight cells both dots of the same height
    drawing = charts.terminal(Chart([Line(np.arange(3.0), np.ones(3))]), columns=8, rows=4)
    assert max(drawing.count(c) for c in "⠉⠒⠤⣀") == 8
    single = Chart([], np.array([[2.0, 3.0]]))
    assert charts.terminal(single).count(charts.POINT) == 1
    assert len(coloured(charts.image(single), "yellow")) > 20


@pytest.mark.parametrize("lines", [[], [Line(np.array([1.0]), np.array([np.nan]))]])
def test_nothing_to_draw(lines: list[Line]) -> None:
    with pytest.raises(InputError, match="'Empty' has no finite value"):
        Chart(lines, title="Empty")


def test_marks_are_round_numbers() -> None:
    assert charts.axis_marks(0, 1000) == [0, 200, 400, 600, 800, 1000]
    assert charts.axis_marks(-30, 30, 12) == [-24, -12, 0, 12, 24]
    assert [charts.format_number(m) for m in charts.axis_marks(0.011, 0.019)] == [
        "0.012",
        "0.014",
        "0.016",
        "0.018",
    ]
    for low, high in ((0, 1), (3, 3.001), (-1e6, 2e6), (0.5, 7.3)):
        found = charts.axis_marks(low, high)
        assert 3 <= len(found) <= 11
        assert all(low - 1e-9 * abs(low) <= m <= high * (1 + 1e-9) for m in found)
