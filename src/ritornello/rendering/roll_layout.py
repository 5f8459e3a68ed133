"""Where everything in a piano roll stands: from a Score to a Picture of boxes and texts.

From top to bottom: title, headline, legend, then the song in rows ("systems"). A row has bar numbers, a
lane of pitches (a line a semitone, high ones on top) and below it a lane of drums (a line for each piece of
the kit). Time runs at one pace in all rows. The unit of length is 1/1600 of the picture's width.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ritornello.errors import ScoreError
from ritornello.music.score import Score
from ritornello.music.timeline import Ticks, Timeline
from ritornello.rendering import palette, roll_contents
from ritornello.rendering.drawing import Box, Picture, Text, text_width
from ritornello.rendering.roll_row import GAP, LABELS, STRIP, Frame, draw_row

WIDTH = 1600.0
MARGIN = 44.0
TITLE, HEADLINE, LEGEND = 36.0, 21.0, 19.0  # sizes of text
MAX_HEIGHT = 20_000.0  # what is longer is cut, and says so
MAX_BARS_PER_ROW = 64


def arrange(score: Score, bars_per_row: int | None = None) -> Picture:
    """The piano roll of `score` with `bars_per_row` bars a row (1-64; None: as many as read well).

    Raises ScoreError.
    """
    if bars_per_row is not None and not 1 <= bars_per_row <= MAX_BARS_PER_ROW:
        raise ScoreError(f"{bars_per_row} bars a row, must be 1-{MAX_BARS_PER_ROW}")
    timeline = roll_contents.bars(score)
    shapes = list(_header(score, timeline))
    y = max(shape.y for shape in shapes) + 26
    if len(timeline):
        frame = _frame(score, timeline, bars_per_row)
        fitting = max(1, int((MAX_HEIGHT - y) // frame.row_height))
        for row in range(min(len(frame.row_ticks) - 1, fitting)):
            shapes += draw_row(frame, row, y)
            y += frame.row_height
        if len(frame.row_ticks) - 1 > fitting:
            hidden = int(timeline.bar_of(frame.row_ticks[fitting])) + 1
            note = f"... bars {hidden:,} to {len(timeline):,} are not shown"
            shapes.append(Text(MARGIN, y + 8, note, HEADLINE, palette.FAINT))
            y += HEADLINE + GAP
        y -= GAP
    title = roll_contents.one_line(score.title) or "Piano roll"
    about = f"{title}: {roll_contents.headline(score, timeline)}"
    return Picture(WIDTH, y + MARGIN * 0.8, palette.GROUND, about, tuple(shapes))


def _header(score: Score, timeline: Timeline) -> Iterator[Box | Text]:
    """Title, headline and legend."""
    y = MARGIN
    if title := roll_contents.one_line(score.title):
        y += TITLE * 0.6
        yield Text(MARGIN, y, _fitting(title, TITLE, WIDTH - 2 * MARGIN), TITLE, palette.TEXT)
        y += HEADLINE + 14
    else:
        y += HEADLINE * 0.6
    yield Text(MARGIN, y, roll_contents.headline(score, timeline), HEADLINE, palette.FAINT)
    y += LEGEND + 20
    x, swatch = MARGIN, 26.0
    for voice in roll_contents.voices(score):
        label = _fitting(voice.label, LEGEND, 340)
        width = swatch + 9 + text_width(label, LEGEND)
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + LEGEND + 13
        yield Box(x, y - 12.5, swatch, 12, voice.colour, radius=3)
        yield Text(x + swatch + 9, y, label, LEGEND, palette.TEXT)
        x += width + 30
    if not len(score):
        yield Text(MARGIN, y, "no notes", LEGEND, palette.FAINT)


def _fitting(text: str, size: float, width: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _frame(score: Score, timeline: Timeline, bars_per_row: int | None) -> Frame:
    """The measures of the rows: how much time is in one, how high its lines are."""
    rows = _row_ticks(timeline, bars_per_row)
    pitches, drums = roll_contents.pitch_range(score), roll_contents.kit(score)
    labels = [drum.label for drum in drums] + (["C4"] if pitches else [])
    left = MARGIN + max(text_width(label, LABELS) for label in labels) + 10
    room = 440 if len(rows) <= 4 else 360 if len(rows) <= 16 else 290
    semitone = min(16, max(3, room // (pitches[1] - pitches[0] + 1))) if pitches else 0
    strokes = sum(len(drum.pitches) for drum in drums)
    stroke = min(10 if pitches else 26, max(5, (160 if pitches else 420) // max(1, strokes)))
    per_tick = (WIDTH - MARGIN - left) / float(np.diff(rows).max())
    return Frame(
        score, timeline, rows, left, per_tick, pitches, semitone, drums, stroke, roll_contents.unisons(score)
    )


def _row_ticks(timeline: Timeline, bars_per_row: int | None) -> Ticks:
    """Where rows begin, and where the last one ends (R + 1,).

    A row takes bars until it has `bars_per_row` of them, or the time of so many usual ones. A bar that is
    longer than that goes on in the next rows, so that one long bar does not squeeze all the others.
    """
    usual = int(np.median(timeline.length_ticks))
    if bars_per_row is None:
        beats = (timeline.end_ticks - timeline.start_ticks[0]) / timeline.ticks_per_beat
        wanted = (32 if beats <= 512 else 64) * timeline.ticks_per_beat / usual
        bars_per_row = max(1, min(MAX_BARS_PER_ROW, round(wanted)))
        bars_per_row -= bars_per_row % 4 if bars_per_row > 4 else 0
        if len(timeline) <= bars_per_row * 5 // 4:
            bars_per_row = len(timeline)
    room, most = bars_per_row * usual, int(MAX_HEIGHT / STRIP)  # more rows can never be shown
    edges, count = [int(timeline.start_ticks[0])], 0
    for start, length in zip(timeline.start_ticks, timeline.length_ticks, strict=True):
        end = int(start + length)
        if start > edges[-1] and (count == bars_per_row or end - edges[-1] > room):
            edges.append(int(start))
            count = 0
        while end - edges[-1] > room and len(edges) <= most:
            edges.append(edges[-1] + room)
            count = 0
        count += 1
        if len(edges) > most:
            return np.array(edges, dtype=np.int64)
    return np.array([*edges, timeline.end_ticks], dtype=np.int64)
