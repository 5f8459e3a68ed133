"""Parse the options of a song, which users write as texts, to numbers.

A text that cannot be parsed raises PlanError with the text and what it must be.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ritornello.composing.options import ComposeOptions
from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.chart import parse_chart, whole_choruses
from ritornello.music.form import parse_sections, returns_of_sections
from ritornello.music.modes import parse_key_or_mode
from ritornello.music.timeline import MAX_BAR_BEATS
from ritornello.system.suggest import nearest

T = TypeVar("T")
MAX_REQUESTED_PARTS = 32
DEFAULT_BARS = 16
MAX_WEIGHT = 1000  # of a label in a mix
DRUM_NAMES = ("drums", "drum", "percussion", "kit")
# For names of styles that a model may not know: the labels of the most similar music, the closest first.
RELATED_LABELS = {
    "fiddle": "folk fiddle", "folk": "fiddle folk song", "irish": "fiddle folk", "celtic": "fiddle folk",
    "jig": "fiddle folk", "reel": "fiddle folk", "dance": "fiddle folk march", "bach": "chorale organ",
    "hymn": "hymn chorale choir", "church": "chorale hymn choir organ", "choral": "choir chorale hymn",
    "vocal": "choir lied song chorale", "opera": "oratorio lied", "baroque": "chorale organ oratorio",
    "classical": "piano quartet chamber orchestra", "romantic": "piano lied chamber quartet",
    "symphony": "orchestra quartet", "orchestral": "orchestra quartet", "strings": "quartet chamber",
    "soundtrack": "game orchestra", "video game": "game", "videogame": "game", "chiptune": "game",
    "band": "game", "beat": "drums", "groove": "drums", "percussion": "drums",
    "solo piano": "piano ragtime", "waltz": "piano march", "lieder": "lied song",
    "blues": "ragtime guitar song", "jazz": "ragtime piano game", "rock": "game guitar",
    "metal": "game guitar", "pop": "song game", "country": "fiddle guitar song", "gospel": "hymn choir song",
    "spiritual": "hymn song", "film": "orchestra game", "movie": "orchestra game",
    "electronic": "game drums", "techno": "game drums", "house": "game drums", "hip hop": "drums game",
    "rap": "drums game", "funk": "drums game", "soul": "song game", "r&b": "song game",
    "ambient": "piano organ", "latin": "guitar", "flamenco": "guitar", "ballad": "song piano",
    "anthem": "hymn song", "concerto": "orchestra solo", "sonata": "piano solo",
}  # fmt: skip


@dataclass(frozen=True)
class Instrument:
    """A requested part: its name, and the programs 0-127 that the name may mean (none: drums)."""

    name: str
    programs: tuple[int, ...] = ()


@dataclass(frozen=True)
class ParsedOptions:
    """The options of a song as numbers; None leaves an option open."""

    bars: int | None = None
    seconds: float | None = None
    genres: tuple[tuple[str, float], ...] | None = None
    """Labels and weights; the weights sum to 1."""
    key: tuple[int, bool] | None = None
    """Sharps (flats are negative), and whether it is minor; of a mode the nearest key."""
    mode: str = ""
    us_per_beat: int | None = None
    meter: tuple[int, int] | None = None
    parts: tuple[Instrument, ...] | None = None
    returns: tuple[tuple[int, int], ...] | None = None
    """For each bar the earlier bar that it repeats (-1: none) and their similarity (0-3)."""
    sections: tuple[tuple[str, int], ...] = ()
    """The names and the numbers of bars of the sections of the requested form."""
    chords: tuple[str, ...] | None = None
    """The symbols of each bar of a chart, which repeats; numerals are those of the key."""
    force: bool = False
    default_bars: int = DEFAULT_BARS
    """The length of a song if no option states it; a chart with bar lines is repeated as a whole."""
    preferred_parts: tuple[Instrument, ...] = ()
    """Parts that other options name, so that the song needs them."""


def parse_options(options: ComposeOptions, labels: Sequence[str] = ()) -> ParsedOptions:
    """Parse the options for a model with these labels. Raises PlanError."""
    bars, seconds = options.bars, options.seconds
    sections = () if options.form is None else tuple(parse_sections(options.form))
    returns = tuple(returns_of_sections(sections)) if sections else None
    if returns is not None:
        if bars is not None and len(returns) != bars:
            raise PlanError(f"form {options.form!r} has {len(returns)} bars: must have {bars}, as in bars")
        bars = len(returns)
    if seconds is not None and bars is not None:
        raise PlanError(f"{bars} bars and {seconds:g} seconds: give only one of the two")
    key, mode = (None, "") if options.key is None else parse_option(parse_key_or_mode, options.key)
    chart = None if options.chords is None else parse_chart(str(options.chords))
    return ParsedOptions(
        bars,
        seconds,
        None if options.genre is None else _genres(options.genre, labels),
        key,
        mode,
        None if options.tempo is None else round(60e6 / options.tempo),
        None if options.meter is None else _meter(options.meter),
        None if options.parts is None else parse_parts(options.parts),
        returns,
        sections,
        chart,
        options.force,
        _default_bars(str(options.chords), chart),
    )


def _default_bars(text: str, chart: tuple[str, ...] | None) -> int:
    """Return the length of a song by its chords: whole choruses of a chart with bar lines, or all chords."""
    if not chart:
        return DEFAULT_BARS
    return whole_choruses(chart, DEFAULT_BARS) if "|" in text else max(DEFAULT_BARS, len(chart))


def _genres(text: str, labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Read a label, or a mix such as "chorale:0.7,game:0.3", as labels with weights that sum to 1."""
    weights: dict[str, float] = {}
    known, hint = {label.lower(): label for label in labels}, _mix_hint(text, labels)
    for item in text.split(","):
        label, _, number = item.strip().rpartition(":") if ":" in item else (item.strip(), "", "1")
        if label not in labels and label.lower() not in known:
            raise PlanError(f"genre {label!r}: {hint or _unknown_label_hint(label, labels)}")
        label = label if label in labels else known[label.lower()]
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not 0 < weight <= MAX_WEIGHT:
            must = f"must be a number above 0, at most {MAX_WEIGHT}, such as in chorale:0.7,game:0.3"
            raise PlanError(f"weight {number!r} of {label!r}: {must}{hint and '; ' + hint}")
        weights[label] = weights.get(label, 0) + weight
    total = sum(weights.values())
    return tuple((label, weight / total) for label, weight in weights.items())


def _unknown_label_hint(label: str, labels: Sequence[str]) -> str:
    """Return the end of an error message for an unknown label: the known labels, and how to learn others."""
    folder = label if re.fullmatch(r"[\w &-]{1,40}", label) else "GENRE"
    learn = f"`ritornello learn FOLDER` learns another from MIDI files in FOLDER/{folder}"
    if not labels:
        return f"this model has no labels; {learn}"
    similar = nearest(label, labels, 0.7)
    related = [name for name in RELATED_LABELS.get(label.lower(), "").split() if name in labels]
    hint = f"did you mean {similar!r}? It " if similar else ""
    closest = f"; the closest of them is {related[0]!r}" if related and not similar else ""
    return f"{hint}must be one of {', '.join(labels)}{closest}; {learn}"


def _mix_hint(text: str, labels: Sequence[str]) -> str:
    """Return a question with the right spelling of a mix such as "chorale 70% + game 30%".

    It is empty if the text cannot be read as a mix.
    """
    items, mix = re.split(r"[,+/;&]|\band\b", text), []
    for item in items:
        match = re.fullmatch(r"\s*([^\W\d][\w -]*?)\s*(?:[:=\s]\s*(\d*\.?\d+)\s*(%?))?\s*", item)
        label = match and nearest(match[1], labels, 0.7)
        if not match or not label:
            return ""
        weight = float(match[2] or 1) / (100 if match[3] else 1)
        if not 0 < weight <= MAX_WEIGHT:
            return ""
        mix.append(f"{label}:{weight:g}" if len(items) > 1 or match[2] else label)
    return f"did you mean {','.join(mix)!r}?" if len(mix) > 1 or ":" in mix[0] else ""


def _meter(text: str) -> tuple[int, int]:
    """Read a meter such as "3/4" as (numerator, denominator)."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(1|2|4|8|16|32|64)\s*", text)
    if not match or not 0 < 4 * int(match[1]) <= MAX_BAR_BEATS * int(match[2]):
        raise PlanError(
            f"meter {text!r}: must be a time signature, such as 3/4, of at most {MAX_BAR_BEATS} quarters"
        )
    return int(match[1]), int(match[2])


def parse_parts(parts: str | Iterable[str]) -> tuple[Instrument, ...]:
    """Parse parts such as "piano, bass, drums". Raises PlanError."""
    names = [name.strip() for name in (parts.split(",") if isinstance(parts, str) else parts)]
    if not 1 <= len(names) <= MAX_REQUESTED_PARTS:
        raise PlanError(f"{len(names)} parts: must be 1-{MAX_REQUESTED_PARTS}")
    return tuple(
        Instrument(name, () if name.lower() in DRUM_NAMES else parse_option(theory.parse_instrument, name))
        for name in names
    )


def parse_option(parse: Callable[[str], T], text: str) -> T:
    """Call a parser of `music`; its ValueError becomes a PlanError, which commands print as one line."""
    try:
        return parse(text)
    except ValueError as error:
        raise PlanError(str(error)) from None
