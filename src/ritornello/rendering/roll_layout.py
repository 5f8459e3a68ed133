"""Lay out the piano roll of a Score as a Drawing.

From top to bottom: title, summary line, legend, then the rows. A row has bar numbers, a lane of pitched notes
and a lane of drums. A beat has the same width in all rows. The unit of length is 1/1600 of the width; a long
song is twice as wide, so that it is not many times higher than wide.
"""

from collections.abc import Iterator

import numpy as np

from ritornello.errors import ScoreError, check_between
from ritornello.music.score import Score
from ritornello.music.timeline import Ticks, Timeline
from ritornello.rendering import palette, roll_contents
from ritornello.rendering.drawing import Box, Drawing, Text, text_width
from ritornello.rendering.roll_row import BAR_NUMBER_HEIGHT, LABEL_SIZE, ROW_GAP, RollGeometry, draw_row

WIDTH = 1600.0
MARGIN = 44.0
TITLE_SIZE, SUMMARY_SIZE, LEGEND_SIZE = 36.0, 21.0, 19.0  # font sizes
MAX_HEIGHT = 20_000.0  # further rows are left out, and a line of text says so
MAX_BARS_PER_ROW = 64
# By the most beats of a song: its width in units of WIDTH, and the beats of a row
SIZES = {256.0: (1, 32), 512.0: (2, 64), np.inf: (2, 128)}


def lay_out(score: Score, bars_per_row: int | None = None) -> Drawing:
    """The piano roll of `score` with `bars_per_row` bars a row, 1-64.

    None stands for a number that depends on the length of the song. Raises ScoreError.
    """
    check_between("bars_per_row", bars_per_row, 1, MAX_BARS_PER_ROW, ScoreError)
    timeline = roll_contents.shown_bars(score)
    width = picture_width(timeline) if bars_per_row is None else WIDTH
    shapes = list(_header(score, timeline, width))
    y = max(shape.y for shape in shapes) + 26
    if len(timeline):
        geometry = _geometry(score, timeline, bars_per_row, width)
        max_rows = max(1, int((MAX_HEIGHT - y) // geometry.row_height))
        for row in range(min(len(geometry.row_ticks) - 1, max_rows)):
            shapes += draw_row(geometry, row, y)
            y += geometry.row_height
        if len(geometry.row_ticks) - 1 > max_rows:
            hidden = timeline.number(int(timeline.bar_of(geometry.row_ticks[max_rows])))
            note = f"... bars {hidden:,} to {timeline.full_bars:,} are not shown"
            shapes.append(Text(MARGIN, y + 8, note, SUMMARY_SIZE, palette.FAINT_TEXT))
            y += SUMMARY_SIZE + ROW_GAP
        y -= ROW_GAP
    title = roll_contents.printable(score.title) or "Piano roll"
    about = f"{title}: {roll_contents.summary_line(score, timeline)}"
    return Drawing(width, y + MARGIN * 0.8, palette.BACKGROUND, about, tuple(shapes))


def picture_width(timeline: Timeline) -> float:
    """The width of the picture of a song with rows of the default length."""
    return WIDTH * (_size(timeline)[0] if len(timeline) else 1)


def _size(timeline: Timeline) -> tuple[int, int]:
    """How many times WIDTH a song is wide, and how many beats a row has."""
    beats = (timeline.end_ticks - timeline.start_ticks[0]) / timeline.ticks_per_beat
    return next(size for most, size in SIZES.items() if beats <= most)


def _header(score: Score, timeline: Timeline, width: float) -> Iterator[Box | Text]:
    """Title, summary line and legend."""
    y = MARGIN
    if title := roll_contents.printable(score.title):
        y += TITLE_SIZE * 0.6
        yield Text(MARGIN, y, _truncated(title, TITLE_SIZE, width - 2 * MARGIN), TITLE_SIZE, palette.TEXT)
        y += SUMMARY_SIZE + 14
    else:
        y += SUMMARY_SIZE * 0.6
    yield Text(MARGIN, y, roll_contents.summary_line(score, timeline), SUMMARY_SIZE, palette.FAINT_TEXT)
    y += LEGEND_SIZE + 20
    x, swatch = MARGIN, 26.0
    for colours, text in roll_contents.legend(roll_contents.shown_parts(score)):
        swatches = (swatch + 4) * len(colours) + 5
        label = _truncated(text, LEGEND_SIZE, 340)
        entry = swatches + text_width(label, LEGEND_SIZE)
        if x > MARGIN and x + entry > width - MARGIN:
            x, y = MARGIN, y + LEGEND_SIZE + 13
        for number, colour in enumerate(colours):
            yield Box(x + number * (swatch + 4), y - 12.5, swatch, 12, colour, radius=3)
        yield Text(x + swatches, y, label, LEGEND_SIZE, palette.TEXT)
        x += entry + 30
    if not len(score):
        yield Text(MARGIN, y, "no notes", LEGEND_SIZE, palette.FAINT_TEXT)


def _truncated(text: str, size: float, width: float) -> str:
    """`text`, shortened with an ellipsis if it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _geometry(score: Score, timeline: Timeline, bars_per_row: int | None, width: float) -> RollGeometry:
    """Choose the ticks of each row of the picture, and the heights of pitches and drums."""
    row_ticks = _row_ticks(timeline, bars_per_row)
    pitches, drums = roll_contents.pitch_range(score), roll_contents.drum_lines(score)
    labels = [drum.label for drum in drums] + (["C4"] if pitches else [])
    left = MARGIN + max(text_width(label, LABEL_SIZE) for label in labels) + 10
    lane_height = 440 if len(row_ticks) <= 4 else 360 if len(row_ticks) <= 16 else 290
    semitone = min(16, max(3, lane_height // (pitches[1] - pitches[0] + 1))) if pitches else 0
    drum_pitches = sum(len(drum.pitches) for drum in drums)
    hit_height = min(10 if pitches else 26, max(5, (160 if pitches else 420) // max(1, drum_pitches)))
    per_tick = (width - MARGIN - left) / float(np.diff(row_ticks).max())
    shares = roll_contents.unison_shares(score)
    return RollGeometry(
        score, timeline, row_ticks, left, per_tick, pitches, semitone, drums, hit_height, shares
    )


def _row_ticks(timeline: Timeline, bars_per_row: int | None) -> Ticks:
    """The ticks (R + 1,) where rows begin, and where the last one ends.

    A row has at most `bars_per_row` bars, and at most the ticks of as many bars of the median length. A
    longer bar is continued in the next rows, so that one long bar does not make all the others narrow. A
    pickup comes before the bars of the first row.
    """
    median = int(np.median(timeline.length_ticks))
    if bars_per_row is None:
        bars = _size(timeline)[1] * timeline.ticks_per_beat / median
        bars_per_row = max(1, min(MAX_BARS_PER_ROW, round(bars)))
        bars_per_row -= bars_per_row % 4 if bars_per_row > 4 else 0
        if timeline.full_bars <= bars_per_row * 5 // 4:
            bars_per_row = timeline.full_bars
    max_ticks, max_rows = bars_per_row * median, int(MAX_HEIGHT / BAR_NUMBER_HEIGHT)  # more are never shown
    edges, count = [int(timeline.start_ticks[0])], -timeline.pickup_bars
    max_ticks_of_first = max_ticks + int(timeline.length_ticks[0]) * timeline.pickup_bars
    for start, length in zip(timeline.start_ticks, timeline.length_ticks, strict=True):
        end = int(start + length)
        most = max_ticks if len(edges) > 1 else max_ticks_of_first
        if start > edges[-1] and (count == bars_per_row or end - edges[-1] > most):
            edges.append(int(start))
            count = 0
        while (
            end - edges[-1] > (max_ticks if len(edges) > 1 else max_ticks_of_first) and len(edges) <= max_rows
        ):
            edges.append(edges[-1] + max_ticks)
            count = 0
        count += 1
        if len(edges) > max_rows:
            return np.array(edges, dtype=np.int64)
    return np.array([*edges, timeline.end_ticks], dtype=np.int64)
