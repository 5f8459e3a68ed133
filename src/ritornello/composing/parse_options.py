"""Parse the options of a song: from the texts that a user writes to numbers.

A text that cannot be parsed is a PlanError that names it and what it must be.
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
from ritornello.music.modes import parse_key_or_mode
from ritornello.music.plan import parse_form
from ritornello.music.timeline import MAX_BAR_BEATS
from ritornello.system.suggest import nearest

T = TypeVar("T")
MAX_REQUESTED_PARTS = 32
DEFAULT_BARS = 16
DRUM_NAMES = ("drums", "drum", "percussion", "kit")
# Labels by other names of what they contain, or of songs or instruments most like it, the closest first.
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
    chords: tuple[str, ...] | None = None
    """The symbols of each bar of a chart, which repeats; numerals are those of the key."""
    force: bool = False
    default_bars: int = DEFAULT_BARS
    """The length of a song of which nothing says it: of a chart with bar lines as many whole ones."""
    preferred_parts: tuple[Instrument, ...] = ()
    """Parts of which something else is asked, so that the song needs them."""

    @property
    def key_and_mode(self) -> tuple[tuple[int, bool], str] | None:
        """The key and the mode, None if they are open."""
        return self.key and (self.key, self.mode)


def parse_options(options: ComposeOptions, labels: Sequence[str] = ()) -> ParsedOptions:
    """Parse the options for a model with these labels. Raises PlanError."""
    bars, seconds = options.bars, options.seconds
    returns = None if options.form is None else parse_form(options.form)
    if returns is not None:
        if bars is not None and len(returns) != bars:
            raise PlanError(f"form {options.form!r} has {len(returns)} bars: must have {bars}, as bars does")
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
        chart,
        options.force,
        whole_choruses(chart, DEFAULT_BARS) if chart and "|" in str(options.chords) else DEFAULT_BARS,
    )


def _genres(text: str, labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """A label, or a mix such as "chorale:0.7,game:0.3", with weights that sum to 1."""
    weights: dict[str, float] = {}
    known, meant = {label.lower(): label for label in labels}, _meant_mix(text, labels)
    for item in text.split(","):
        label, _, number = item.strip().rpartition(":") if ":" in item else (item.strip(), "", "1")
        if label not in labels and label.lower() not in known:
            raise PlanError(f"genre {label!r}: {meant or _known_labels(label, labels)}")
        label = label if label in labels else known[label.lower()]
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            must = "must be a number above 0, such as in chorale:0.7,game:0.3"
            raise PlanError(f"weight {number!r} of {label!r}: {must}{meant and '; ' + meant}")
        weights[label] = weights.get(label, 0) + weight
    total = sum(weights.values())
    return tuple((label, weight / total) for label, weight in weights.items())


def _known_labels(label: str, labels: Sequence[str]) -> str:
    """What to do about a label that the model does not know: its labels, the closest one, how to learn it."""
    folder = label if re.fullmatch(r"[\w &-]{1,40}", label) else "GENRE"
    learn = f"`ritornello learn FOLDER` learns another from MIDI files in FOLDER/{folder}"
    if not labels:
        return f"this model has no labels; {learn}"
    similar = nearest(label, labels, 0.7)
    related = [name for name in RELATED_LABELS.get(label.lower(), "").split() if name in labels]
    hint = f"did you mean {similar!r}? It " if similar else ""
    closest = f"; the closest of them is {related[0]!r}" if related and not similar else ""
    return f"{hint}must be one of {', '.join(labels)}{closest}; {learn}"


def _meant_mix(text: str, labels: Sequence[str]) -> str:
    """A question with the spelling of a mix that is written otherwise, such as "chorale 70% + game 30%".

    Empty if it is not clear what is meant.
    """
    items, found = re.split(r"[,+/;&]|\band\b", text), []
    for item in items:
        match = re.fullmatch(r"\s*([^\W\d][\w -]*?)\s*(?:[:=\s]\s*(\d*\.?\d+)\s*(%?))?\s*", item)
        label = match and nearest(match[1], labels, 0.7)
        if not match or not label:
            return ""
        weight = float(match[2] or 1) / (100 if match[3] else 1)
        found.append(f"{label}:{weight:g}" if len(items) > 1 or match[2] else label)
    return f"did you mean {','.join(found)!r}?" if len(found) > 1 or ":" in found[0] else ""


def _meter(text: str) -> tuple[int, int]:
    """A meter such as "3/4"."""
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
    """Call a parser of `theory`; its ValueError becomes a PlanError, one line on the command line."""
    try:
        return parse(text)
    except ValueError as error:
        raise PlanError(str(error)) from None
