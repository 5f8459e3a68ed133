"""Draw one row of a piano roll: bar numbers, markers, chords, the lane of pitched notes, the lane of drums.

`RollGeometry` holds the lengths that all rows share; `draw_row` gives the boxes and texts of one row.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ritornello.music.chord_names import chord_label
from ritornello.music.score import Score
from ritornello.music.timeline import Ticks, Timeline
from ritornello.rendering import palette, roll_contents
from ritornello.rendering.drawing import Box, Text, text_width

BAR_NUMBER_SIZE, LABEL_SIZE = 16.0, 15.0  # font sizes
BAR_NUMBER_HEIGHT = 24.0  # the space for bar numbers above the lanes
CHORD_HEIGHT = 22.0  # the line of chords below the bar numbers, if the song has chords
MAX_MARKER = 24  # the most characters that are shown of a marker
ROW_GAP = 26.0  # between rows
LANE_GAP = 8.0  # between pitched notes and drums
MIN_BEAT_WIDTH = 9.0  # beat lines are drawn if a beat is at least this wide
BLACK_KEYS = (1, 3, 6, 8, 10)  # pitch classes


@dataclass(frozen=True)
class RollGeometry:
    """The values that all rows share; lengths are in the unit of the drawing."""

    score: Score
    timeline: Timeline
    row_ticks: Ticks  # (R + 1,): where rows begin, and where the last one ends
    left: float  # the x of the lanes
    per_tick: float  # width of a tick
    pitches: tuple[int, int] | None  # lowest and highest
    semitone: float  # height of a pitch in the pitch lane
    drums: list[roll_contents.DrumLine]
    hit_height: float  # height of a pitch in the drum lane
    unison_shares: list[tuple[int, int]]  # by note: see roll_contents.unison_shares

    def x(self, ticks: float) -> float:
        """The x of a position in ticks from the beginning of a row."""
        return self.left + ticks * self.per_tick

    @property
    def header_height(self) -> float:
        """Height of the space above the lanes, which has bar numbers and chords."""
        return BAR_NUMBER_HEIGHT + CHORD_HEIGHT * bool(self.score.chords)

    @property
    def pitch_height(self) -> float:
        """Height of the pitch lane; 0 without pitched notes."""
        return (self.pitches[1] - self.pitches[0] + 1) * self.semitone if self.pitches else 0.0

    def drum_height(self, drum: roll_contents.DrumLine) -> float:
        """Height of a line of the drum lane: the sum of its pitches, but at least the height of its label."""
        return max(len(drum.pitches) * self.hit_height, LABEL_SIZE + 4) + 1

    @property
    def row_height(self) -> float:
        """Height from the top of one row to the top of the next."""
        between = LANE_GAP if self.pitches and self.drums else 0
        return (
            self.header_height
            + self.pitch_height
            + between
            + sum(map(self.drum_height, self.drums))
            + ROW_GAP
        )


def draw_row(geometry: RollGeometry, row: int, y: float) -> Iterator[Box | Text]:
    """The shapes of a row whose top is at `y`: first the lanes, then the grid, then the notes."""
    begin, end = geometry.row_ticks[row : row + 2].tolist()
    width = (end - begin) * geometry.per_tick
    top = y + geometry.header_height
    lanes = {}
    if geometry.pitches:
        yield from _pitch_lane(geometry, top, width)
        lanes["pitch"] = (top, geometry.pitch_height)
        top += geometry.pitch_height + (LANE_GAP if geometry.drums else 0)
    if geometry.drums:
        yield from _drum_lane(geometry, top, width)
        lanes["drum"] = (top, sum(map(geometry.drum_height, geometry.drums)))
    yield from _grid(geometry, begin, end, y, list(lanes.values()))
    yield from _chords(geometry, begin, end, y + geometry.header_height - 8)
    if geometry.pitches:
        yield from _notes(geometry, begin, end, lanes["pitch"][0])
    if geometry.drums:
        yield from _drum_hits(geometry, begin, end, lanes["drum"][0])


def _pitch_lane(geometry: RollGeometry, top: float, width: float) -> Iterator[Box | Text]:
    """The background of the pitch lane: black keys are darker; each C has a line under it and a label."""
    assert geometry.pitches
    low, high = geometry.pitches
    yield Box(geometry.left, top, width, geometry.pitch_height, palette.LANE)
    for pitch in range(low, high + 1):
        y = top + (high - pitch) * geometry.semitone
        if pitch % 12 in BLACK_KEYS and geometry.semitone >= 5:
            yield Box(geometry.left, y, width, geometry.semitone, palette.BLACK_KEY)
        if pitch % 12 == 0:
            if pitch > low:
                yield Box(geometry.left, y + geometry.semitone - 0.5, width, 1, palette.OCTAVE_LINE)
            label = (geometry.left - 10, y + geometry.semitone / 2 + LABEL_SIZE * 0.35)
            yield Text(*label, f"C{pitch // 12 - 1}", LABEL_SIZE, palette.FAINT_TEXT, "end")


def _drum_lane(geometry: RollGeometry, top: float, width: float) -> Iterator[Box | Text]:
    """The background of the drum lane: a stripe and a label for each line."""
    for drum in geometry.drums:
        height = geometry.drum_height(drum)
        yield Box(geometry.left, top, width, height - 1, palette.LANE)
        label = (geometry.left - 10, top + height / 2 + LABEL_SIZE * 0.3)
        yield Text(*label, drum.label, LABEL_SIZE, palette.FAINT_TEXT, "end")
        top += height


def _grid(
    geometry: RollGeometry, begin: int, end: int, y: float, lanes: list[tuple[float, float]]
) -> Iterator[Box | Text]:
    """Bar lines, beat lines, bar numbers, new meters and markers of a row; `lanes` are (top, height)."""
    timeline = geometry.timeline
    shown = range(int(timeline.bar_of(begin)), int(timeline.bar_of(end - 1)) + 1)
    number_width = text_width(f"{shown[-1] + 1} ", BAR_NUMBER_SIZE) + 6
    median_width = float(np.median(timeline.length_ticks[shown.start : shown.stop])) * geometry.per_tick
    numbered = next(n for n in (1, 2, 4, 8, 16, 1 << 30) if n * median_width >= number_width)
    free_x = 0.0  # the end of the last text
    for bar in shown:
        start = int(timeline.start_ticks[bar])
        beats = roll_contents.beat_ticks(timeline, bar)
        if beats and (beats[0] - start) * geometry.per_tick > MIN_BEAT_WIDTH:
            for tick in beats:
                if begin <= tick < end:
                    yield from _rule(geometry.x(tick - begin), lanes, palette.BEAT_LINE)
        if start < begin:
            continue
        x = geometry.x(start - begin)
        yield from _rule(x, lanes, palette.BAR_LINE, above=5)
        number = timeline.number(bar)
        labels = [(str(number), palette.FAINT_TEXT)] if (number - 1) % numbered == 0 else []
        if bar and _meter(timeline, bar) != _meter(timeline, bar - 1):
            labels.append((_meter(timeline, bar), palette.TEXT))
        for label, colour in [*labels, *_markers(geometry, bar)]:
            text_x = max(free_x, x + 4)
            if text_x < x + 60:  # else the label would be too far from its bar line
                yield from _label(text_x, y + BAR_NUMBER_HEIGHT - 8, label, colour)
                free_x = text_x + text_width(label, BAR_NUMBER_SIZE) + 8
    yield from _rule(geometry.x(end - begin) - 1, lanes, palette.BAR_LINE)


def _markers(geometry: RollGeometry, bar: int) -> list[tuple[str, str]]:
    """The text and colour of the first marker of a bar, if it has one."""
    markers, start = geometry.score.markers, int(geometry.timeline.start_ticks[bar])
    place = bisect_left(markers, start, key=lambda marker: marker.onset_ticks)
    end = start + int(geometry.timeline.length_ticks[bar])
    if place == len(markers) or markers[place].onset_ticks >= end:
        return []
    return [(roll_contents.printable(markers[place].text)[:MAX_MARKER], palette.BACKGROUND)]


def _label(x: float, baseline: float, label: str, colour: str) -> Iterator[Box | Text]:
    """A text above the lanes; in the colour of the background it gets a light box, as a rehearsal mark."""
    if colour == palette.BACKGROUND:
        width = text_width(label, BAR_NUMBER_SIZE) + 10
        yield Box(x, baseline - BAR_NUMBER_SIZE + 1, width, BAR_NUMBER_SIZE + 3, palette.TEXT, 1.0, 3.0)
        x += 5
    yield Text(x, baseline, label, BAR_NUMBER_SIZE, colour)


def _chords(geometry: RollGeometry, begin: int, end: int, baseline: float) -> Iterator[Text]:
    """The names of the chords of a row that have room; the first may have begun before the row.

    If there is no room for both, a chord at a bar line is preferred to one within a bar.
    """
    score, first_key = geometry.score, geometry.score.keys[0][1:] if geometry.score.keys else None
    onsets = [chord.onset_ticks for chord in score.chords]
    first, last = max(0, bisect_right(onsets, begin) - 1), bisect_left(onsets, end)
    shown = [(max(begin, chord.onset_ticks), chord) for chord in score.chords[first:last]]
    bar_lines = set(geometry.timeline.start_ticks.tolist())
    limit = [tick for tick, _ in shown if tick in bar_lines or tick == begin] + [end]
    free_x = 0.0
    for tick, chord in shown:
        name, x = chord_label(chord, first_key), geometry.x(tick - begin) + 4
        stop = x + text_width(name, BAR_NUMBER_SIZE)
        following = next(other for other in limit if other > tick)
        if x >= free_x and (tick in bar_lines or stop + 6 < geometry.x(following - begin) + 4):
            colour = palette.TEXT if chord.onset_ticks >= begin else palette.FAINT_TEXT
            yield Text(x, baseline, name, BAR_NUMBER_SIZE, colour)
            free_x = stop + 6


def _meter(timeline: Timeline, bar: int) -> str:
    return f"{timeline.numerator[bar]}/{timeline.denominator[bar]}"


def _rule(x: float, lanes: list[tuple[float, float]], colour: str, above: float = 0) -> Iterator[Box]:
    """A vertical line through the lanes (top, height)."""
    for top, height in lanes:
        yield Box(x, top - above, 1, height + above, colour)


def _notes(geometry: RollGeometry, begin: int, end: int, top: float) -> Iterator[Box]:
    """The pitched notes that sound from tick `begin` to `end`; each begins with an opaque edge."""
    assert geometry.pitches
    score, high, semitone = geometry.score, geometry.pitches[1], geometry.semitone
    colour = {part.part: part.colour for part in roll_contents.shown_parts(score)}
    onset_ticks = score.onset_ticks.astype(np.int64)
    sounding = (onset_ticks < end) & (onset_ticks + score.duration_ticks > begin)
    notes = np.flatnonzero(sounding & ~score.of_drums)
    notes = notes[np.argsort(-score.duration_ticks[notes], kind="stable")]  # long ones below short ones
    inset = 1.0 if semitone >= 5 else 0.0
    for note in notes.tolist():
        onset = int(score.onset_ticks[note])
        first, last = max(onset, begin), min(onset + int(score.duration_ticks[note]), end)
        x, width = geometry.x(first - begin), max(2.0, (last - first) * geometry.per_tick - 1.5)
        share, shares = geometry.unison_shares[note]
        height = (semitone - inset) / shares
        y = top + (high - int(score.pitch[note])) * semitone + inset / 2 + share * height
        hue, strength = colour[int(score.part[note])], palette.opacity(int(score.velocity[note]))
        if shares > 1:  # drawn on another note, which must not show through
            hue, strength = palette.blend(hue, palette.LANE, strength), 1.0
        radius = 3.0 if height >= 7 and width >= 8 else 0.0
        yield Box(x, y, width, height, hue, strength, radius)
        if onset >= begin and width > 4:
            yield Box(x, y, 3.0, height, colour[int(score.part[note])], 1.0, min(radius, 1.5))


def _drum_hits(geometry: RollGeometry, begin: int, end: int, top: float) -> Iterator[Box]:
    """The drum notes from tick `begin` to `end`, all of one width: their durations have no meaning."""
    score, hit_height = geometry.score, geometry.hit_height
    colour = {part.part: part.colour for part in roll_contents.shown_parts(score)}
    pitch_y: dict[int, float] = {}
    for drum in geometry.drums:
        height = geometry.drum_height(drum)
        spare = (height - 1 - len(drum.pitches) * hit_height) / 2
        pitch_y |= {pitch: top + spare + index * hit_height for index, pitch in enumerate(drum.pitches)}
        top += height
    size = min(hit_height - 1.0, 15.0)
    width = min(size, max(3.0, 0.8 * geometry.per_tick * score.ticks_per_beat / 4))
    onset = score.onset_ticks
    rows = (onset >= begin) & (onset < end) & score.of_drums
    for note in np.flatnonzero(rows).tolist():
        x, y = geometry.x(int(onset[note]) - begin), pitch_y[int(score.pitch[note])] + (hit_height - size) / 2
        hue, strength = colour[int(score.part[note])], palette.opacity(int(score.velocity[note]))
        yield Box(x, y, width, size, hue, strength, 3.0 if size >= 8 else 0.0)
