"""The sketch of a plan as a lead sheet in text: a line of bars for each phrase.

Above the bars stand their numbers, below them the motifs and the texture: for each part a block that grows
with the notes of the bar, and their mean pitch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ritornello.music import theory
from ritornello.music.chord_symbols import OPEN_CHORD, REPEATED, bar_symbols
from ritornello.music.plan import GRID, Plan
from ritornello.music.sections import PHRASE_BARS, letters, phrases, plan_sections, sections
from ritornello.music.sketch import CADENCE_NAMES, NO_CADENCE, UNKNOWN, Sketch, Texture, part_names
from ritornello.music.timeline import Timeline

BLOCKS = "▁▂▃▄▅▆▇█"
RESTS, OPEN, ALONE = "-", "?", "·"  # a part that rests; an open value; a motif that does not come back
WIDTH = 100  # the most characters of a line; a longer phrase is continued in the next one
CADENCE_WIDTH = 16
MIN_CELL = 7  # the fewest characters of a bar
MOTIF = "motif"
DRUMS = "drums"
OPEN_TEXTURE = (UNKNOWN, UNKNOWN)


def lead_sheet(plan: Plan, width: int = WIDTH) -> str:
    """Return the chords and the sketch of a plan as text of at most `width` characters a line, if it fits."""
    return "\n".join(_LeadSheet(plan).lines(width))


def chord_lines(plan: Plan, width: int = WIDTH) -> list[str]:
    """Return the chords of a plan, a line for each phrase; an empty list if all are open."""
    return _LeadSheet(plan).chord_lines(width) if plan.chords else []


def bar_texts(timeline: Timeline, key: tuple[int, bool] | None = None) -> list[str]:
    """Return a line of text for each bar of a timeline: its section, chords, cadence, texture and so on."""
    sketch, names = timeline.sketch or Sketch(), {each.start: each.name for each in sections(timeline)}
    parts = list(zip(part_names(sketch.parts), sketch.textures, strict=True))
    texts = []
    for bar, symbols in enumerate(bar_symbols(timeline, key)):
        items = [f"section {names[bar]}"] if bar in names else []
        items += [f"| {symbols} |"]
        target = int(timeline.returns_to[bar]) + 1 - timeline.pickup_bars
        items += [f"repeats bar {target}"] if timeline.returns_to[bar] >= 0 else []
        motif = dict(enumerate(sketch.motifs)).get(bar, UNKNOWN)
        items += [f"motif of bar {motif + 1 - timeline.pickup_bars}"] if motif >= 0 else []
        cadence = dict(enumerate(sketch.cadences)).get(bar, UNKNOWN)
        note = _closing_note(sketch, bar, key)
        items += [f"ends a phrase: {CADENCE_NAMES[cadence]}{note}"] if cadence > NO_CADENCE else []
        items += [_texture_words(name, texture[bar], key) for name, texture in parts if bar < len(texture)]
        texts.append(f"bar {bar + 1 - timeline.pickup_bars}: {', '.join(items)}")
    return texts


def _closing_note(sketch: Sketch, bar: int, key: tuple[int, bool] | None) -> str:
    """Return the note on which the phrase of a bar closes, such as " on D"; "" if it is unknown."""
    pitch = dict(enumerate(sketch.closings)).get(bar, (UNKNOWN, UNKNOWN))[1]
    return f" on {theory.chord_name(pitch, 'maj', key)}" if pitch != UNKNOWN else ""


def _texture_words(name: str, texture: Texture, key: tuple[int, bool] | None) -> str:
    """Return the texture of a part in a bar, such as "violin: 8 notes around D5"."""
    notes, pitch = texture
    if texture == OPEN_TEXTURE:
        return f"{name}: {OPEN}"
    count = OPEN if notes == UNKNOWN else f"{notes} note" + "s" * (notes != 1)
    around = f" around {theory.pitch_name(pitch, key)}" if pitch != UNKNOWN and name != DRUMS else ""
    return f"{name}: {count}{around}" if notes else f"{name}: rests"


class _LeadSheet:
    """Formats a plan as text."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.timeline = plan, plan.timeline(GRID)
        self.sketch = plan.sketch or Sketch()
        self.symbols = _with_repeats(bar_symbols(self.timeline, plan.key))
        if not plan.chords and all(part.is_drum for part in plan.parts):
            self.symbols = [""] * len(self.timeline)  # drums have no chords
        self.sections = {section.start: section for section in plan_sections(plan)}
        self.phrases = phrases(len(self.timeline), self.sketch.cadences, self.timeline.pickup_bars)
        self.rows = self._rows()

    def _rows(self) -> dict[str, list[str]]:
        """Return the rows below the chords, with a text for each bar: motifs, and parts with textures."""
        bars, rows = len(self.timeline), {}
        if any(motif >= 0 for motif in self.sketch.motifs):
            rows[MOTIF] = _motif_names(self.sketch.motifs)
        counts = [notes for part in self.sketch.textures for notes, _ in part]
        for name, textures in zip(part_names(self.sketch.parts), self.sketch.textures, strict=True):
            if any(texture != OPEN_TEXTURE for texture in textures):
                rows[name] = [self._texture_text(name, texture, max(counts)) for texture in textures]
        return {name: [*row, *[OPEN] * bars][:bars] for name, row in rows.items()}

    def _texture_text(self, part: str, texture: Texture, most: int) -> str:
        """Return a block for the notes of a part in a bar (`most` fill it), and their mean pitch."""
        notes, pitch = texture
        if texture == OPEN_TEXTURE:
            return OPEN
        if not notes:
            return RESTS
        block = BLOCKS[(notes * len(BLOCKS) - 1) // max(most, 1)] if notes > 0 else OPEN
        has_pitch = pitch != UNKNOWN and part != DRUMS
        return f"{block} {theory.pitch_name(pitch, self.plan.key)}" if has_pitch else block

    def lines(self, width: int) -> Iterator[str]:
        """Yield the lines from top to bottom."""
        yield str(self.plan)
        if self.sections:
            texts = (f"{each.letter}{each.bars}{'~' * each.is_varied}" for each in self.sections.values())
            yield "form " + " ".join(texts)
        yield from self._part_lines()
        left = max(map(len, (*self.rows, MOTIF))) + 2
        room = width - left - CADENCE_WIDTH
        for phrase in self.phrases:
            cell = self._cell(range(len(self.timeline)))
            if PHRASE_BARS * (cell + 3) > room:
                cell = self._cell(phrase)
            for bars in _pieces(phrase, max(1, room // (cell + 3))):
                yield ""
                yield from self._bar_lines(bars, left, cell)
        if self.rows:
            yield ""
            yield from self._legend()

    def _cell(self, bars: range) -> int:
        """Return the number of characters of the widest of some bars."""
        rows = [self.symbols, *self.rows.values()]
        return max(MIN_CELL, *(len(row[bar]) for row in rows for bar in bars))

    def _part_lines(self) -> Iterator[str]:
        """Yield for each part its fewest and most notes a bar where it plays, and its mean pitches."""
        for name, textures in zip(part_names(self.sketch.parts), self.sketch.textures, strict=True):
            notes = [count for count, _ in textures if count > 0]
            pitches = [pitch for count, pitch in textures if pitch >= 0 and count]
            texts = [f"plays in {len(notes)} of {len(self.timeline)} bars"] if notes else []
            texts += [f"{_span(min(notes), max(notes))} notes a bar"] if notes else []
            if pitches and name != DRUMS:
                low, high = (theory.pitch_name(end, self.plan.key) for end in (min(pitches), max(pitches)))
                texts.append(f"around {low}" if low == high else f"around {low} to {high}")
            if texts:
                yield f"{name}: {', '.join(texts)}"

    def _bar_lines(self, bars: range, left: int, cell: int) -> Iterator[str]:
        """Yield the lines of a phrase, or of a piece of it."""
        yield (
            " " * (left + 2) + "   ".join(str(self.timeline.number(bar)).ljust(cell) for bar in bars)
        ).rstrip()
        names = [section.name for bar in bars if (section := self.sections.get(bar))]
        chords = " | ".join(self.symbols[bar].ljust(cell) for bar in bars)
        yield f"{' '.join(names).ljust(left)}| {chords} |{self._cadence(bars)}"
        for name, row in self.rows.items():
            yield (name.ljust(left + 2) + "   ".join(row[bar].ljust(cell) for bar in bars)).rstrip()

    def _cadence(self, bars: range) -> str:
        """Return the cadence in the last bar of a line, and its closing note; "" if there is none."""
        cadence = dict(enumerate(self.sketch.cadences)).get(bars[-1], UNKNOWN)
        note = _closing_note(self.sketch, bars[-1], self.plan.key)
        return f" {CADENCE_NAMES[cadence]}{note}" if cadence > NO_CADENCE else ""

    def _legend(self) -> Iterator[str]:
        """Yield a line that explains the signs that occur."""
        texts = set(" ".join(text for row in self.rows.values() for text in row).split())
        counts = [notes for part in self.sketch.textures for notes, _ in part]
        entries = [f"{BLOCKS[0]}-{BLOCKS[-1]} 1-{max(counts)} notes"] if max(counts, default=0) > 0 else []
        entries += [f"{RESTS} rests"] if RESTS in texts else []
        entries += [f"{ALONE} comes once"] if ALONE in texts else []
        entries += [f"{OPEN} open"] if texts & {OPEN, OPEN_CHORD} else []
        yield ", ".join(entries)

    def chord_lines(self, width: int) -> list[str]:
        """Return the chords alone: a line for each phrase, or several if it is too long."""
        lines: list[str] = []
        left = max((len(section.name) + 1 for section in self.sections.values()), default=0)
        for phrase in self.phrases:
            names = [section.name for bar in phrase if (section := self.sections.get(bar))]
            line = "".join(names[:1]).ljust(left) + "|"
            for bar in phrase:
                cell = f" {self.symbols[bar]} |"
                if len(line) + len(cell) > width and len(line) > left + 1:
                    lines.append(line)
                    line = " " * left + "|"
                line += cell
            lines.append(line)
        return lines


def _with_repeats(symbols: Sequence[str]) -> list[str]:
    """Return the symbols of each bar; "%" for a bar of one chord that repeats the bar before."""
    pairs = zip(symbols, ["", *symbols], strict=False)
    return [
        REPEATED if now == before and now != OPEN_CHORD and " " not in now else now for now, before in pairs
    ]


def _motif_names(motifs: Sequence[int]) -> list[str]:
    """Return a small letter for each motif that comes back, at each of its bars."""
    first: list[int] = []  # the first bar of the motif of each bar
    for bar, motif in enumerate(motifs):
        first.append(first[motif] if motif >= 0 else bar)
    shared = sorted({first[bar] for bar, motif in enumerate(motifs) if motif >= 0})
    names = {bar: letters(number).lower() for number, bar in enumerate(shared)}
    return [
        names.get(origin, OPEN if motif == UNKNOWN else ALONE)
        for origin, motif in zip(first, motifs, strict=True)
    ]


def _pieces(phrase: range, most: int) -> list[range]:
    """Divide the bars of a phrase into pieces of at most `most` bars: one, or pieces of 8, 4, 2 or 1."""
    if len(phrase) <= most:
        return [phrase]
    step = next(bars for bars in (8, 4, 2, 1) if bars <= most)
    return [phrase[start : start + step] for start in range(0, len(phrase), step)]


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}-{high}"
