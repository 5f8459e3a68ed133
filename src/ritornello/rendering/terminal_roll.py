"""The piano roll in a terminal: quarter blocks, so that a cell is two moments wide and two pitches high."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll_contents

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

GLYPHS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"  # by the quarters that are filled: 1 and 2 above, 4 and 8 below
BAR_LINE, BEAT, SWATCH = "│", "·", "■"
TO_ASCII = str.maketrans({**dict.fromkeys(GLYPHS[1:] + SWATCH, "#"), BAR_LINE: "|", BEAT: ".", "…": "~"})
PER_BEAT = (24, 16, 12, 8, 6, 4, 3, 2)  # moments in a beat: only such that beats and their parts fall on one
FAINT = "bright_black"
EMPTY = -1

Pixels = npt.NDArray[np.int16]  # (2 x lines, 2 x cells): the number of a voice, or EMPTY


class Window(NamedTuple):
    """The time that is shown: `cells` characters of two moments, `per_beat` moments a beat."""

    cells: int
    per_beat: int
    ticks_per_beat: int
    bar_cells: tuple[int, ...]  # where bars begin
    beat_cells: frozenset[int]

    def moment(self, ticks: int) -> int:
        """The moment that is nearest to a tick; halves go up."""
        return (2 * ticks * self.per_beat + self.ticks_per_beat) // (2 * self.ticks_per_beat)


class TerminalRoll:
    """What rich's `print` draws, in colour where the console has colours; `str` gives the plain text.

    At most `width` characters wide and `height` lines high besides the legend (the drum lane is never cut).
    `max_bars` bars are shown, or fewer, so that a beat has a character at least.
    """

    def __init__(self, score: Score, width: int, height: int, max_bars: int) -> None:
        self.score, self.width, self.height, self.max_bars = score, width, height, max_bars
        self.voices = roll_contents.voices(score)
        self.timeline = roll_contents.bars(score)

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
        """The lines from top to bottom: bar numbers, pitches, drums, legend."""
        from rich.text import Text

        if not len(self.score):
            yield Text("no notes", style=FAINT)
            return
        drums, pitches = roll_contents.kit(self.score), roll_contents.pitch_range(self.score)
        gutter = 1 + max([len(drum.label) for drum in drums] + [3 * bool(pitches)])
        window = _window(self.timeline, max(8, width - gutter), self.max_bars)
        yield Text(" " * gutter + _bar_numbers(window), style=FAINT)
        if pitches:
            room = max(4, self.height - 1 - len(drums))
            fold = -(-(pitches[1] - pitches[0] + 1) // (2 * room))  # pitches to a pixel
            pixels = _pitch_pixels(self.score, self.voices, window, pitches, fold)
            names = {(pitches[1] - 12 * octave) // fold // 2: f"C{octave - 1}" for octave in range(11)}
            for place in range(len(pixels) // 2):
                name, quarters = names.get(place, ""), pixels[2 * place : 2 * place + 2]
                yield _line(name.rjust(gutter - 1), quarters, window, self._colours(coloured), bool(name))
        for drum in drums:
            quarters = _drum_pixels(self.score, self.voices, window, drum)
            yield _line(drum.label.rjust(gutter - 1), quarters, window, self._colours(coloured))
        yield from self._legend(width, gutter, len(window.bar_cells), coloured)

    def _colours(self, coloured: bool) -> list[str]:
        """A style by number of a voice; all alike without colours."""
        return [voice.colour if coloured else "" for voice in self.voices]

    def _legend(self, width: int, gutter: int, bars: int, coloured: bool) -> Iterator[Text]:
        """The names of the parts, in as many lines as they need, and how much of the song is not shown."""
        from rich.text import Text

        entries = [
            Text.assemble((f"{SWATCH} ", voice.colour), voice.label[:24])
            if coloured
            else Text(voice.label[:24])
            for voice in self.voices
        ]
        if len(self.timeline) > bars:
            entries.append(Text(f"… {len(self.timeline) - bars:,} more bars", style=FAINT))
        line = Text(" " * gutter)
        for entry in entries:
            if line.cell_len > gutter and line.cell_len + entry.cell_len > width:
                yield line
                line = Text(" " * gutter)
            line.append_text(entry).append("  ")
        yield line


def _window(timeline: Timeline, cells: int, max_bars: int) -> Window:
    """As many bars as fit into `cells` characters, up to `max_bars`, as finely as they fit."""
    beat = timeline.ticks_per_beat
    ends = timeline.start_ticks + timeline.length_ticks - timeline.start_ticks[0]
    fits = int(np.searchsorted(ends, 2 * cells * beat / PER_BEAT[-1], side="right"))
    bars = max(1, min(max_bars, fits, len(timeline)))
    moments = int(ends[bars - 1]) / beat
    per_beat = next((n for n in PER_BEAT if n * moments <= 2 * cells), PER_BEAT[-1])
    window = Window(
        min(cells, -(-int(ends[bars - 1]) * per_beat // (2 * beat))), per_beat, beat, (), frozenset()
    )
    starts = [window.moment(int(tick)) // 2 for tick in timeline.start_ticks[:bars]]
    beats = [window.moment(tick) // 2 for bar in range(bars) for tick in roll_contents.beats(timeline, bar)]
    return window._replace(bar_cells=tuple(starts), beat_cells=frozenset(beats if per_beat > 2 else ()))


def _pitch_pixels(
    score: Score, voices: list[roll_contents.Voice], window: Window, pitches: tuple[int, int], fold: int
) -> Pixels:
    """The pitched notes; long ones are painted first, and one struck again leaves a gap before it."""
    low, high = pitches
    lines = -(-((high - low) // fold + 1) // 2)
    pixels = np.full((2 * lines, 2 * window.cells), EMPTY, np.int16)
    number = {voice.part: place for place, voice in enumerate(voices)}
    shown = np.flatnonzero(~score.of_drums)
    rows = {}
    for note in shown[np.argsort(-score.duration_ticks[shown], kind="stable")].tolist():
        onset = int(score.onset_ticks[note])
        start, stop = window.moment(onset), window.moment(onset + int(score.duration_ticks[note]))
        if start <= 2 * window.cells:  # one that begins there still cuts the note before it
            rows[int(score.part[note]), (high - int(score.pitch[note])) // fold, start] = max(stop, start + 1)
    for (part, row, start), stop in rows.items():
        struck_again = stop - start > 1 and (part, row, stop) in rows
        pixels[row, start : stop - struck_again] = number[part]
    return pixels


def _drum_pixels(
    score: Score, voices: list[roll_contents.Voice], window: Window, drum: roll_contents.Drum
) -> Pixels:
    """The strokes of a line of the drum lane (2, 2 x cells), in its lower half."""
    pixels = np.full((2, 2 * window.cells), EMPTY, np.int16)
    number = {voice.part: place for place, voice in enumerate(voices)}
    for note in np.flatnonzero(score.of_drums & np.isin(score.pitch, drum.pitches)).tolist():
        moment = window.moment(int(score.onset_ticks[note]))
        if moment < 2 * window.cells:
            pixels[1, moment] = number[int(score.part[note])]
    return pixels


def _line(label: str, quarters: Pixels, window: Window, colours: list[str], dotted: bool = False) -> Text:
    """A line: its label, then a character for each cell of `quarters` (2, 2 x cells)."""
    from rich.text import Text

    line = Text(label + " ", style=FAINT, no_wrap=True)
    for cell in range(window.cells):
        four = quarters[:, 2 * cell : 2 * cell + 2].ravel().tolist()
        if any(voice != EMPTY for voice in four):
            line.append(*_blocks(four, colours))
        elif cell in window.bar_cells:
            line.append(BAR_LINE, FAINT)
        else:
            line.append(BEAT if dotted and cell in window.beat_cells else " ", FAINT)
    return line


def _blocks(four: list[int], colours: list[str]) -> tuple[str, str]:
    """The character and style for the voices in the quarters of a cell, of which one at least is filled.

    A cell has two colours, one of them the terminal's own: three are shown as an upper and a lower half.
    """
    styles = [colours[voice] if voice != EMPTY else None for voice in four]
    inks = list(dict.fromkeys(style for style in styles if style is not None))
    if len(inks) == 1 or (len(inks) == 2 and None not in styles):
        filled = sum(1 << place for place, style in enumerate(styles) if style == inks[0])
        return GLYPHS[filled], " on ".join(inks) if len(inks) == 2 else inks[0]
    upper, lower = styles[0] or styles[1], styles[2] or styles[3]
    if upper and lower:
        return "▀", f"{upper} on {lower}"
    return ("▀", upper) if upper else ("▄", lower or "")


def _bar_numbers(window: Window) -> str:
    """Bar numbers over the bar lines, as many as there is room for."""
    text = ""
    for bar, cell in enumerate(window.bar_cells):
        if cell >= len(text) + bool(text):
            text = text.ljust(cell) + str(bar + 1)
    return text[: window.cells]
