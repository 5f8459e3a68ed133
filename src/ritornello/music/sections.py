"""Find the phrases and the lettered sections of a song, from its returns and its cadences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from ritornello.music.form import letter_of
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.score import Marker
from ritornello.music.sketch import NO_CADENCE
from ritornello.music.timeline import Timeline

PHRASE_BARS = 4  # the length of a phrase whose end is unknown
MAX_PHRASE_BARS = 12  # a longer phrase is cut into phrases of PHRASE_BARS
MIN_REPEATED_BARS = 4  # fewer successive bars that repeat others are no section
INTRO, OUTRO = "intro", "outro"  # names of sections
LOOP_START, LOOP_END = "loopStart", "loopEnd"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MIN_SHARED_ORIGINS = 0.5  # the least share of bars with the same origins in sections of one letter
MOST_NOTES = 2  # the similarity below which a repeated bar makes its section a varied one


class Section(NamedTuple):
    """A section: its first bar (from 0), its length in bars, its letter, and if it varies an earlier one."""

    start: int
    bars: int
    letter: str
    is_varied: bool = False

    @property
    def name(self) -> str:
        """The letter, with an apostrophe if it is varied."""
        return self.letter + "'" * self.is_varied


def phrases(bars: int, cadences: Sequence[int] = (), pickup_bars: int = 0) -> list[range]:
    """Return the bars of each phrase. A phrase ends with a cadence; without cadences it has PHRASE_BARS bars.

    The `pickup_bars` (0 or 1) belong to the first phrase.
    """
    spans: list[range] = []
    start = pickup_bars
    ends = [bar + 1 for bar, cadence in enumerate(cadences[:bars]) if cadence > NO_CADENCE]
    for end in [*ends, bars]:
        while end - start > (MAX_PHRASE_BARS if ends and end <= ends[-1] else PHRASE_BARS):
            spans.append(range(start, start + PHRASE_BARS))
            start += PHRASE_BARS
        if end > start:
            spans.append(range(start, end))
        start = max(start, end)
    if spans:
        spans[0] = range(spans[0].stop)
    return spans or [range(bars)]


def sections(timeline: Timeline) -> list[Section]:
    """Return the sections of a song; none if its returns are unknown or it has more than MAX_BARS bars.

    Four or more successive bars (MIN_REPEATED_BARS) that repeat other successive bars are a section, and so
    are those others; elsewhere each phrase is a section. Two sections get the same letter if half of their
    bars have the same origins (`Timeline.origins`). Sections that always follow each other are joined, and so
    are sections that come only once, up to the length of the longest section that comes back.
    """
    returns, similarity = timeline.returns_to.tolist(), timeline.similarity.tolist()
    if not 0 < len(returns) <= MAX_BARS or (max(returns) < 0 and min(similarity) < 0):
        return []
    origin = timeline.origins.tolist()
    spans = _spans(timeline, origin)
    spans, numbers = _merged(spans, _numbers(spans, origin))
    first: dict[int, range] = {}  # by number of a section: the bars in which it comes first
    lettered = []
    for span, number in zip(spans, numbers, strict=True):
        earlier = first.setdefault(number, span)
        repeats = all(origin[a] == origin[b] for a, b in zip(span, earlier, strict=False))
        is_close = all(returns[bar] < 0 or similarity[bar] >= MOST_NOTES for bar in span)
        is_same = earlier is span or (len(span) == len(earlier) and repeats and is_close)
        lettered.append(Section(span.start, len(span), letters(list(first).index(number)), not is_same))
    return lettered


def _spans(timeline: Timeline, origin: Sequence[int]) -> list[range]:
    """Return the bars of repeated passages and their repeats, elsewhere of phrases; without a pickup."""
    cadences = timeline.sketch.cadences if timeline.sketch else ()
    first, bars = timeline.pickup_bars, len(timeline)
    phrase_edges = {span.stop for span in phrases(bars, cadences, first)} | {first}
    repeats, inside, bar = (
        timeline.returns_to.tolist(),
        set[int](),
        first,
    )  # inside: bar lines within passages
    passage_edges = {first, bars}
    while bar < bars:
        target, length = repeats[bar], 0
        while 0 <= target + length < bar < bars - length and origin[bar + length] == origin[target + length]:
            length += 1
        if length >= MIN_REPEATED_BARS and target >= first:
            for start in (bar, target):
                begin, end = (_nearest(edge, phrase_edges) for edge in (start, start + length))
                inside.update(range(begin + 1, end))
                passage_edges.update((begin, end))
        bar += max(1, length)
    return [range(a, b) for a, b in pairwise(sorted(passage_edges | (phrase_edges - inside)))]


def _nearest(edge: int, edges: Collection[int]) -> int:
    """Return the one of `edges` that is at most a bar from an edge, or the same edge if there is none."""
    return next((near for near in (edge, edge + 1, edge - 1) if near in edges), edge)


def section_markers(plan: Plan, ticks_per_beat: int) -> tuple[Marker, ...]:
    """Return a marker for each section of a plan with a sketch, and the markers of a loop.

    Music engines of games look for markers of the names LOOP_START and LOOP_END.
    """
    timeline = plan.timeline(ticks_per_beat)
    lettered = plan_sections(plan) if plan.sketch is not None else []
    markers = [Marker(int(timeline.start_ticks[section.start]), section.name) for section in lettered]
    if plan.is_loop:
        markers = [Marker(0, LOOP_START), *markers, Marker(timeline.end_ticks, LOOP_END)]
    return tuple(markers)


def plan_sections(plan: Plan) -> list[Section]:
    """Return the sections of a plan, with its introduction and its ending as sections of their own."""
    all_sections = _named(plan) if plan.section_names else sections(plan.timeline(GRID))
    if not (plan.intro_bars or plan.outro_bars):
        return all_sections
    assert plan.bars is not None
    first, end = plan.pickup_bars + plan.intro_bars, plan.bars - plan.outro_bars
    inner: list[Section] = []
    new_letters: dict[str, str] = {}  # by former letter: the sections between the two begin with A
    for each in all_sections:
        start, stop = max(each.start, first), min(each.start + each.bars, end)
        if start < stop:
            new = each.letter if plan.section_names else letters(len(new_letters))
            letter = new_letters.setdefault(each.letter, new)
            is_varied = each.is_varied and letter in {other.letter for other in inner}
            inner.append(Section(start, stop - start, letter, is_varied))
    intro = [Section(plan.pickup_bars, plan.intro_bars, INTRO)] if plan.intro_bars else []
    outro = [Section(end, plan.outro_bars, OUTRO)] if plan.outro_bars else []
    return [*intro, *inner, *outro]


def _named(plan: Plan) -> list[Section]:
    """Return the sections that the user named."""
    assert plan.bars is not None
    found: list[Section] = []
    for (start, name), (end, _) in pairwise([*plan.section_names, (plan.bars, "")]):
        letter, is_varied = letter_of(name, {section.letter for section in found})
        if start < min(end, plan.bars):
            found.append(Section(start, min(end, plan.bars) - start, letter, is_varied))
    return found


def _numbers(spans: Sequence[range], origin: Sequence[int]) -> list[int]:
    """Return a number for each span, the same for spans that are alike: the index of the first of these."""
    numbers: list[int] = []
    for index, span in enumerate(spans):
        shares = {number: _shared_origins(span, spans[number], origin) for number in dict.fromkeys(numbers)}
        best = max(shares, key=lambda number: shares[number], default=index)
        numbers.append(best if shares.get(best, 0) >= MIN_SHARED_ORIGINS else index)
    return numbers


def _shared_origins(span: range, earlier: range, origin: Sequence[int]) -> float:
    """Return the share of bars with the same origin, of the bars of the longer span."""
    same = sum(origin[a] == origin[b] for a, b in zip(span, earlier, strict=False))
    return same / max(len(span), len(earlier))


def _merged(spans: list[range], numbers: list[int]) -> tuple[list[range], list[int]]:
    """Join spans that come back and always follow each other, then neighbours that come only once."""
    place = 0
    while place + 1 < len(numbers):
        pair = numbers[place : place + 2]
        places = [i for i in range(len(numbers) - 1) if numbers[i : i + 2] == pair]
        always_together = len(places) == numbers.count(pair[0]) == numbers.count(pair[1])
        if always_together and len(places) > 1 and pair[0] != pair[1]:
            spans, numbers = _joined(spans, numbers, places)
        else:
            place += 1
    longest = max((len(s) for s, n in zip(spans, numbers, strict=True) if numbers.count(n) > 1), default=0)
    place = 0
    while place + 1 < len(numbers):
        come_once = all(numbers.count(number) == 1 for number in numbers[place : place + 2])
        if come_once and len(spans[place]) + len(spans[place + 1]) <= longest:
            spans, numbers = _joined(spans, numbers, [place])
        else:
            place += 1
    return spans, numbers


def _joined(spans: list[range], numbers: list[int], places: Sequence[int]) -> tuple[list[range], list[int]]:
    """Join each of the spans at `places` with the next one."""
    firsts = [i for i in range(len(spans)) if i - 1 not in places]
    joined = [range(spans[i].start, spans[i + (i in places)].stop) for i in firsts]
    return joined, [numbers[i] for i in firsts]


def letters(number: int) -> str:
    """Return the letter of a number: A to Z, then A1, B1 and so on."""
    return LETTERS[number % 26] + (str(number // 26) if number >= 26 else "")
