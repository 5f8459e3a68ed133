"""A row of a piano roll (a "system"): bar numbers, the lane of pitches, the lane of drums.

`Frame` holds the measures that all rows share; `draw_row` gives the boxes and texts of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ritornello.music.score import Score
from ritornello.music.timeline import Ticks, Timeline
from ritornello.rendering import palette, roll_contents
from ritornello.rendering.drawing import Box, Text, text_width

NUMBERS, LABELS = 16.0, 15.0  # sizes of text
STRIP = 24.0  # above the lanes, for the bar numbers
GAP = 26.0  # between rows
BLACK_KEYS = (1, 3, 6, 8, 10)


@dataclass(frozen=True)
class Frame:
    """The measures that all rows share."""

    score: Score
    timeline: Timeline
    row_ticks: Ticks  # (R + 1,): where rows begin; the last is where the music ends
    left: float
    per_tick: float  # width of a tick
    pitches: tuple[int, int] | None
    semitone: float  # height of a line of the pitch lane
    drums: list[roll_contents.Drum]
    stroke: float  # height of a pitch in the drum lane
    unisons: list[tuple[int, int]]  # by note: its share of the line, where parts meet on one pitch

    def x(self, ticks: float) -> float:
        """The place of a distance in ticks from a row's beginning."""
        return self.left + ticks * self.per_tick

    @property
    def pitch_height(self) -> float:
        """Height of the pitch lane; 0 without one."""
        return (self.pitches[1] - self.pitches[0] + 1) * self.semitone if self.pitches else 0.0

    def drum_height(self, drum: roll_contents.Drum) -> float:
        """Height of a line of the drum lane: a stroke for each of its pitches, and room for the label."""
        return max(len(drum.pitches) * self.stroke, LABELS + 4) + 1

    @property
    def row_height(self) -> float:
        """From one row's bar numbers to the next's."""
        between = 8 if self.pitches and self.drums else 0
        return STRIP + self.pitch_height + between + sum(map(self.drum_height, self.drums)) + GAP


def draw_row(frame: Frame, row: int, y: float) -> Iterator[Box | Text]:
    """All of a row whose bar numbers begin at `y`: first the ground, then the grid, then the notes."""
    begin, end = frame.row_ticks[row : row + 2].tolist()
    width = (end - begin) * frame.per_tick
    top = y + STRIP
    lanes = {}
    if frame.pitches:
        yield from _pitch_lane(frame, top, width)
        lanes["pitch"] = (top, frame.pitch_height)
        top += frame.pitch_height + (8 if frame.drums else 0)
    if frame.drums:
        yield from _drum_lane(frame, top, width)
        lanes["drum"] = (top, sum(map(frame.drum_height, frame.drums)))
    yield from _grid(frame, begin, end, y, list(lanes.values()))
    if frame.pitches:
        yield from _notes(frame, begin, end, lanes["pitch"][0])
    if frame.drums:
        yield from _hits(frame, begin, end, lanes["drum"][0])


def _pitch_lane(frame: Frame, top: float, width: float) -> Iterator[Box | Text]:
    """The ground of the pitch lane: black keys darker, a line under each C, its name beside it."""
    assert frame.pitches
    low, high = frame.pitches
    yield Box(frame.left, top, width, frame.pitch_height, palette.LANE)
    for pitch in range(low, high + 1):
        y = top + (high - pitch) * frame.semitone
        if pitch % 12 in BLACK_KEYS and frame.semitone >= 5:
            yield Box(frame.left, y, width, frame.semitone, palette.BLACK_KEY)
        if pitch % 12 == 0:
            if pitch > low:
                yield Box(frame.left, y + frame.semitone - 0.5, width, 1, palette.OCTAVE)
            label = (frame.left - 10, y + frame.semitone / 2 + LABELS * 0.35)
            yield Text(*label, f"C{pitch // 12 - 1}", LABELS, palette.FAINT, "end")


def _drum_lane(frame: Frame, top: float, width: float) -> Iterator[Box | Text]:
    """The ground of the drum lane: a stripe for each piece of the kit, its name beside it."""
    for drum in frame.drums:
        height = frame.drum_height(drum)
        yield Box(frame.left, top, width, height - 1, palette.LANE)
        label = (frame.left - 10, top + height / 2 + LABELS * 0.3)
        yield Text(*label, drum.label, LABELS, palette.FAINT, "end")
        top += height


def _grid(
    frame: Frame, begin: int, end: int, y: float, lanes: list[tuple[float, float]]
) -> Iterator[Box | Text]:
    """Bars and beats of the row from tick `begin` to `end`, over the lanes (top, height), with numbers."""
    timeline = frame.timeline
    shown = range(int(timeline.bar_of(begin)), int(timeline.bar_of(end - 1)) + 1)
    room = text_width(f"{shown[-1] + 1} ", NUMBERS) + 6
    usual = float(np.median(timeline.length_ticks[shown.start : shown.stop])) * frame.per_tick
    step = next(n for n in (1, 2, 4, 8, 16, 1 << 30) if n * usual >= room)
    free = 0.0  # where there is room for text
    for bar in shown:
        start = int(timeline.start_ticks[bar])
        beats = roll_contents.beats(timeline, bar)
        if beats and (beats[0] - start) * frame.per_tick > 9:
            for tick in beats:
                if begin <= tick < end:
                    yield from _rule(frame.x(tick - begin), lanes, palette.BEAT)
        if start < begin:
            continue
        x = frame.x(start - begin)
        yield from _rule(x, lanes, palette.BAR, above=5)
        labels = [(str(bar + 1), palette.FAINT)] if bar % step == 0 else []
        if bar and _meter(timeline, bar) != _meter(timeline, bar - 1):
            labels.append((_meter(timeline, bar), palette.TEXT))
        for label, colour in labels:
            place = max(free, x + 4)
            if place < x + 60:
                yield Text(place, y + STRIP - 8, label, NUMBERS, colour)
                free = place + text_width(label, NUMBERS) + 8
    yield from _rule(frame.x(end - begin) - 1, lanes, palette.BAR)


def _meter(timeline: Timeline, bar: int) -> str:
    return f"{timeline.numerator[bar]}/{timeline.denominator[bar]}"


def _rule(x: float, lanes: list[tuple[float, float]], colour: str, above: float = 0) -> Iterator[Box]:
    """A vertical line through the lanes (top, height)."""
    for top, height in lanes:
        yield Box(x, top - above, 1, height + above, colour)


def _notes(frame: Frame, begin: int, end: int, top: float) -> Iterator[Box]:
    """The pitched notes that sound from tick `begin` to `end`; each begins with an edge of full colour."""
    assert frame.pitches
    score, high, thick = frame.score, frame.pitches[1], frame.semitone
    colour = {voice.part: voice.colour for voice in roll_contents.voices(score)}
    rows = _sounding(score, begin, end) & ~score.of_drums
    found = np.flatnonzero(rows)
    found = found[np.argsort(-score.duration_ticks[found], kind="stable")]  # long ones below short ones
    inset = 1.0 if thick >= 5 else 0.0
    for note in found.tolist():
        onset = int(score.onset_ticks[note])
        first, last = max(onset, begin), min(onset + int(score.duration_ticks[note]), end)
        x, width = frame.x(first - begin), max(2.0, (last - first) * frame.per_tick - 1.5)
        share, shares = frame.unisons[note]
        height = (thick - inset) / shares
        y = top + (high - int(score.pitch[note])) * thick + inset / 2 + share * height
        hue, strength = colour[int(score.part[note])], palette.opacity(int(score.velocity[note]))
        if shares > 1:  # laid over another note, which must not shine through
            hue, strength = palette.blend(hue, palette.LANE, strength), 1.0
        radius = 3.0 if height >= 7 and width >= 8 else 0.0
        yield Box(x, y, width, height, hue, strength, radius)
        if onset >= begin and width > 4:
            yield Box(x, y, 3.0, height, colour[int(score.part[note])], 1.0, min(radius, 1.5))


def _hits(frame: Frame, begin: int, end: int, top: float) -> Iterator[Box]:
    """The drum strokes from tick `begin` to `end`: all equally wide, for a drum rings as it will."""
    score, stroke = frame.score, frame.stroke
    colour = {voice.part: voice.colour for voice in roll_contents.voices(score)}
    lines: dict[int, float] = {}
    for drum in frame.drums:
        height = frame.drum_height(drum)
        spare = (height - 1 - len(drum.pitches) * stroke) / 2
        lines |= {pitch: top + spare + place * stroke for place, pitch in enumerate(drum.pitches)}
        top += height
    size = min(stroke - 1.0, 15.0)
    width = min(size, max(3.0, 0.8 * frame.per_tick * score.ticks_per_beat / 4))
    onset = score.onset_ticks
    rows = (onset >= begin) & (onset < end) & score.of_drums
    for note in np.flatnonzero(rows).tolist():
        x, y = frame.x(int(onset[note]) - begin), lines[int(score.pitch[note])] + (stroke - size) / 2
        hue, strength = colour[int(score.part[note])], palette.opacity(int(score.velocity[note]))
        yield Box(x, y, width, size, hue, strength, 3.0 if size >= 8 else 0.0)


def _sounding(score: Score, begin: int, end: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each note (N,) whether it sounds between two ticks."""
    onset = score.onset_ticks.astype(np.int64)
    return np.asarray((onset < end) & (onset + score.duration_ticks > begin))
