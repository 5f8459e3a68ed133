"""The piano roll as text for a terminal: block characters, each of 2 x 2 pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.chord_names import chord_label
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll_contents

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

BLOCKS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"  # index: the sum of the filled pixels, which count 1 and 2 above, 4 and 8 below
BAR_LINE, BEAT, SWATCH = "│", "·", "■"
TO_ASCII = str.maketrans({**dict.fromkeys(BLOCKS[1:] + SWATCH, "#"), BAR_LINE: "|", BEAT: ".", "…": "~"})
COLUMNS_PER_BEAT = (24, 16, 12, 8, 6, 4, 3, 2)  # the choices: a beat's divisions begin at a column
MIN_CELLS, MIN_PITCH_LINES, MIN_HEIGHT = 8, 4, 8
BARS_PER_ROW = 8  # if the bars are shown in two rows
COLUMNS_OF_TWO_ROWS = 4  # two rows are used if one row would have fewer columns for a beat
MAX_LABEL = 24  # the most characters of a part's name in the legend
FAINT = "bright_black"
EMPTY = -1

Pixels = npt.NDArray[np.int16]  # (2 x lines, 2 x cells): the index of a shown part, or EMPTY


class TimeGrid(NamedTuple):
    """The time that a row shows: a line has `cells` characters, each two columns of pixels wide."""

    first_bar: int
    begin_ticks: int
    cells: int
    columns_per_beat: int
    ticks_per_beat: int
    bar_cells: tuple[int, ...]  # the cells in which bars begin
    beat_cells: frozenset[int]

    @property
    def bars(self) -> int:
        """The number of bars, a pickup included."""
        return len(self.bar_cells)

    def column(self, ticks: int) -> int:
        """The column of pixels nearest to a tick; halves are rounded up. It is negative before the row."""
        return (2 * (ticks - self.begin_ticks) * self.columns_per_beat + self.ticks_per_beat) // (
            2 * self.ticks_per_beat
        )


class TerminalRoll:
    """A piano roll for `rich.print`, coloured if the console supports it; `str` gives plain text.

    It has at most `width` characters a line and `height` lines, plus the legend and drum lines that do not
    fit. It shows at most `max_bars` bars, and fewer if a beat would be narrower than a character; up to 16
    bars are shown in two rows if one would be narrow. Each of two rows has two thirds of the height.
    """

    def __init__(self, score: Score, width: int, height: int, max_bars: int) -> None:
        self.score, self.width, self.height, self.max_bars = score, width, height, max_bars
        self.parts = roll_contents.shown_parts(score)
        self.timeline = roll_contents.shown_bars(score)

    def __str__(self) -> str:
        return "\n".join(line.plain.rstrip() for line in self.lines(self.width, coloured=False))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        coloured = console.color_system is not None and not console.no_color
        for line in self.lines(min(self.width, options.max_width), coloured=coloured):
            if options.ascii_only:
                line.plain = line.plain.translate(TO_ASCII).encode("ascii", "replace").decode()
            if not coloured:
                line.rstrip()
            yield line

    def lines(self, width: int, *, coloured: bool) -> Iterator[Text]:
        """The lines from top to bottom: bar numbers, chords, pitched notes, drums, legend."""
        from rich.text import Text

        if not len(self.score):
            yield Text("no notes", style=FAINT)
            return
        drums, pitches = roll_contents.drum_lines(self.score), roll_contents.pitch_range(self.score)
        gutter = 1 + max([len(drum.label) for drum in drums] + [3 * bool(pitches)])
        cells = max(MIN_CELLS, width - gutter)
        grids = [_time_grid(self.timeline, cells, self.max_bars, 0)]
        rest = min(self.max_bars, self.timeline.full_bars) - BARS_PER_ROW
        if grids[0].columns_per_beat < COLUMNS_OF_TWO_ROWS and 0 < rest <= BARS_PER_ROW:
            grids = [_time_grid(self.timeline, cells, BARS_PER_ROW, 0)]
            grids.append(_time_grid(self.timeline, cells, rest, grids[0].bars))
        height = self.height if len(grids) == 1 else max(MIN_HEIGHT, self.height * 2 // 3)
        for grid in grids:
            yield from self._row(grid, drums, pitches, gutter, height, coloured)
        yield from self._legend(width, gutter, sum(grid.bars for grid in grids), coloured)

    def _row(
        self,
        grid: TimeGrid,
        drums: list[roll_contents.DrumLine],
        pitches: tuple[int, int] | None,
        gutter: int,
        height: int,
        coloured: bool,
    ) -> Iterator[Text]:
        """The lines of a row of bars: bar numbers, chords, pitched notes, drums."""
        from rich.text import Text

        colours = [part.colour if coloured else "" for part in self.parts]
        yield Text(" " * gutter + _bar_numbers(grid, self.timeline, self._markers(grid)), style=FAINT)
        if names := self._chords(grid):
            yield Text(" " * gutter + names)
        if pitches:
            max_lines = max(MIN_PITCH_LINES, height - 1 - len(drums) - bool(self.score.chords))
            pitches_per_pixel = -(-(pitches[1] - pitches[0] + 1) // (2 * max_lines))
            pixels = self._pitch_pixels(grid, pitches, pitches_per_pixel)
            rows_of_c = [(pitches[1] - 12 * octave) // pitches_per_pixel // 2 for octave in range(11)]
            labels = {row: f"C{octave - 1}" for octave, row in enumerate(rows_of_c)}
            for row in range(len(pixels) // 2):
                label = labels.get(row, "")
                rows = pixels[2 * row : 2 * row + 2]
                yield _line(label.rjust(gutter - 1), rows, grid, colours, with_beats=bool(label))
        for drum in drums:
            yield _line(drum.label.rjust(gutter - 1), self._drum_pixels(grid, drum), grid, colours)

    def _markers(self, grid: TimeGrid) -> dict[int, str]:
        """The text of the first marker of each bar that has one."""
        texts: dict[int, str] = {}
        for marker in self.score.markers:
            bar = int(self.timeline.bar_of(marker.onset_ticks)) - grid.first_bar
            if bar >= grid.bars:
                break
            texts.setdefault(bar, roll_contents.printable(marker.text)[:MAX_LABEL])
        return texts

    def _chords(self, grid: TimeGrid) -> str:
        """The names of the chords, where there is room; those at bar lines come first."""
        key = self.score.keys[0][1:] if self.score.keys else None
        text = ""
        for chord in self.score.chords:
            cell, name = grid.column(chord.onset_ticks) // 2, chord_label(chord, key)
            following = min((bar for bar in grid.bar_cells if bar > cell), default=grid.cells)
            is_in_bar = cell + len(name) < following or cell in grid.bar_cells
            if cell >= len(text) + bool(text) and is_in_bar and 0 <= cell <= grid.cells - len(name):
                text = text.ljust(cell) + name
        return text

    def _pitch_pixels(self, grid: TimeGrid, pitches: tuple[int, int], pitches_per_pixel: int) -> Pixels:
        """The pitched notes: short ones above long ones; a note repeated at once leaves a gap before it."""
        score, (low, high) = self.score, pitches
        lines = -(-((high - low) // pitches_per_pixel + 1) // 2)
        pixels = np.full((2 * lines, 2 * grid.cells), EMPTY, np.int16)
        index = {part.part: number for number, part in enumerate(self.parts)}
        pitched = np.flatnonzero(~score.of_drums)
        stops = {}  # (part, row, start column) -> end column
        for note in pitched[np.argsort(-score.duration_ticks[pitched], kind="stable")].tolist():
            onset = int(score.onset_ticks[note])
            start, stop = grid.column(onset), grid.column(onset + int(score.duration_ticks[note]))
            # a note that begins at the end still makes a gap before it
            if start <= 2 * grid.cells and max(stop, start + 1) > 0:
                row = (high - int(score.pitch[note])) // pitches_per_pixel
                stops[int(score.part[note]), row, start] = max(stop, start + 1)
        for (part, row, start), stop in stops.items():
            is_repeated = stop - start > 1 and (part, row, stop) in stops
            pixels[row, max(0, start) : max(0, stop - is_repeated)] = index[part]
        return pixels

    def _drum_pixels(self, grid: TimeGrid, drum: roll_contents.DrumLine) -> Pixels:
        """The notes of a line of the drum lane (2, 2 x cells), in its lower half."""
        score = self.score
        pixels = np.full((2, 2 * grid.cells), EMPTY, np.int16)
        index = {part.part: number for number, part in enumerate(self.parts)}
        for note in np.flatnonzero(score.of_drums & np.isin(score.pitch, drum.pitches)).tolist():
            column = grid.column(int(score.onset_ticks[note]))
            if 0 <= column < 2 * grid.cells:
                pixels[1, column] = index[int(score.part[note])]
        return pixels

    def _legend(self, width: int, gutter: int, bars: int, coloured: bool) -> Iterator[Text]:
        """The legend below the roll: the names of the parts, and how many bars are not shown."""
        from rich.text import Text

        entries = [
            Text.assemble(*((SWATCH, colour) for colour in colours), f" {text[:MAX_LABEL]}")
            for colours, text in (roll_contents.legend(self.parts) if coloured else ())
        ]
        if not coloured:
            labels = Counter(part.label[:MAX_LABEL] for part in self.parts)
            entries = [Text(f"{text} x{n}" if n > 1 else text) for text, n in labels.items()]
        if len(self.timeline) > bars:
            entries.append(Text(f"… {len(self.timeline) - bars:,} more bars", style=FAINT))
        line = Text(" " * gutter)
        for entry in entries:
            if line.cell_len > gutter and line.cell_len + entry.cell_len > width:
                yield line
                line = Text(" " * gutter)
            line.append_text(entry).append("  ")
        yield line


def _time_grid(timeline: Timeline, cells: int, max_bars: int, first: int) -> TimeGrid:
    """As many bars from bar `first` on as fit into `cells` characters, at most `max_bars` and a pickup.

    A beat has as many columns as fit.
    """
    beat = timeline.ticks_per_beat
    starts, begin = timeline.start_ticks[first:], int(timeline.start_ticks[first])
    ends = starts + timeline.length_ticks[first:] - begin
    fitting = int(np.searchsorted(ends, 2 * cells * beat / COLUMNS_PER_BEAT[-1], side="right"))
    bars = max(1, min(max_bars + timeline.pickup_bars * (first == 0), fitting, len(ends)))
    beats = int(ends[bars - 1]) / beat
    columns = next((n for n in COLUMNS_PER_BEAT if n * beats <= 2 * cells), COLUMNS_PER_BEAT[-1])
    cells = min(cells, -(-int(ends[bars - 1]) * columns // (2 * beat)))
    grid = TimeGrid(first, begin, cells, columns, beat, (), frozenset())
    bar_cells = tuple(grid.column(int(tick)) // 2 for tick in starts[:bars])
    beat_ticks = (t for bar in range(first, first + bars) for t in roll_contents.beat_ticks(timeline, bar))
    beat_cells = frozenset(grid.column(tick) // 2 for tick in beat_ticks) if columns > 2 else frozenset()
    return grid._replace(bar_cells=bar_cells, beat_cells=beat_cells)


def _line(label: str, rows: Pixels, grid: TimeGrid, colours: list[str], with_beats: bool = False) -> Text:
    """A line of text: its label, then a character for each 2 x 2 pixels of `rows` (2, 2 x cells)."""
    from rich.text import Text

    line = Text(label + " ", style=FAINT, no_wrap=True)
    for cell in range(grid.cells):
        pixels = rows[:, 2 * cell : 2 * cell + 2].ravel().tolist()
        if any(part != EMPTY for part in pixels):
            line.append(*_block(pixels, colours))
        elif cell in grid.bar_cells:
            line.append(BAR_LINE, FAINT)
        else:
            line.append(BEAT if with_beats and cell in grid.beat_cells else " ", FAINT)
    return line


def _block(pixels: list[int], colours: list[str]) -> tuple[str, str]:
    """The character and style for four pixels, of which at least one is filled.

    A character has two colours, one of them the background. With more, it shows one for each half.
    """
    styles = [colours[part] if part != EMPTY else None for part in pixels]
    shown_colours = list(dict.fromkeys(style for style in styles if style is not None))
    if len(shown_colours) == 1 or (len(shown_colours) == 2 and None not in styles):
        filled = sum(1 << place for place, style in enumerate(styles) if style == shown_colours[0])
        return BLOCKS[filled], " on ".join(shown_colours) if len(shown_colours) == 2 else shown_colours[0]
    upper, lower = styles[0] or styles[1], styles[2] or styles[3]
    if upper and lower:
        return "▀", f"{upper} on {lower}"
    return ("▀", upper) if upper else ("▄", lower or "")


def _bar_numbers(grid: TimeGrid, timeline: Timeline, markers: dict[int, str]) -> str:
    """Bar numbers above the bar lines, as many as have room, and the markers of the bars in brackets.

    Of a narrow pickup and bar 1, bar 1 has its number.
    """
    text, cells = "", grid.bar_cells
    first = int(timeline.pickup_bars and not grid.first_bar and len(cells) > 1 and cells[1] < 2)
    for bar, cell in enumerate(cells[first:], first):
        if cell >= len(text) + bool(text):
            text = text.ljust(cell) + str(timeline.number(grid.first_bar + bar))
        text += f" [{markers[bar]}]" if bar in markers else ""
    return text[: grid.cells]
