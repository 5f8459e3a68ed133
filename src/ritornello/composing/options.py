"""Asked: what a user wants of a song, from words to numbers; what is left open stays None.

Every word that cannot be meant is a PlanError that names it and what it must be.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.plan import MAX_BARS, TEMPO_BPM, parse_form
from ritornello.music.timeline import MAX_BAR_BEATS

MAX_SECONDS = 3600.0
MAX_ASKED_PARTS = 32
T = TypeVar("T")
DRUM_NAMES = ("drums", "drum", "percussion", "kit")
Returns = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Instrument:
    """A part that is asked for: its name, and the programs that it may mean (none: drums)."""

    name: str
    programs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a user wants of a song; None leaves it open."""

    bars: int | None = None
    seconds: float | None = None
    genres: tuple[tuple[str, float], ...] | None = None
    key: tuple[int, bool] | None = None
    us_per_beat: int | None = None
    meter: tuple[int, int] | None = None
    parts: tuple[Instrument, ...] | None = None
    returns: Returns | None = None
    chords: tuple[tuple[int, str], ...] | None = None
    force: bool = False


def ask(
    *,
    labels: Sequence[str] = (),
    bars: int | None = None,
    seconds: float | None = None,
    genre: str | None = None,
    key: str | None = None,
    tempo: float | None = None,
    meter: str | None = None,
    parts: str | Iterable[str] | None = None,
    form: str | None = None,
    chords: str | None = None,
    force: bool = False,
) -> Asked:
    """What was said in words, understood. Raises PlanError."""
    returns = None if form is None else parse_form(form)
    if returns is not None:
        if bars is not None and len(returns) != bars:
            raise PlanError(f"the form {form!r} has {len(returns)} bars, must have the {bars} asked for")
        bars = len(returns)
    _check("bars", bars, 1, MAX_BARS)
    _check("seconds", seconds, 1, MAX_SECONDS)
    _check("tempo", tempo, *TEMPO_BPM)
    if seconds is not None and bars is not None:
        raise PlanError(f"{bars} bars and {seconds:g} seconds: say one of the two")
    return Asked(
        bars,
        seconds,
        None if genre is None else genres(genre, labels),
        None if key is None else _said(theory.parse_key, key),
        None if tempo is None else round(60e6 / tempo),
        None if meter is None else _meter(meter),
        None if parts is None else _parts(parts),
        returns,
        None if chords is None else _chords(chords),
        force,
    )


def genres(text: str, labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """A label, or a blend such as "chorale:0.7,game:0.3"; weights are made to sum to 1. Raises PlanError."""
    weights: dict[str, float] = {}
    for item in text.split(","):
        label, _, number = item.strip().rpartition(":") if ":" in item else (item.strip(), "", "1")
        if label not in labels:
            near = difflib.get_close_matches(label, labels, n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = f"must be one of {', '.join(labels)}" if labels else "this model knows none"
            raise PlanError(f"no label {label!r}, {known}{hint}")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            raise PlanError(
                f"weight {number!r} of {label!r}, must be a number above 0, as in chorale:0.7,game:0.3"
            )
        weights[label] = weights.get(label, 0) + weight
    total = sum(weights.values())
    return tuple((label, weight / total) for label, weight in weights.items())


def _check(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise PlanError(f"{name} {value:g}, must be {low:g}-{high:g}")


def _meter(text: str) -> tuple[int, int]:
    """A meter such as "3/4"."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(1|2|4|8|16|32|64)\s*", text)
    if not match or not 0 < 4 * int(match[1]) <= MAX_BAR_BEATS * int(match[2]):
        raise PlanError(f"meter {text!r}, must be such as 3/4 or 6/8, at most {MAX_BAR_BEATS} quarters a bar")
    return int(match[1]), int(match[2])


def _parts(said: str | Iterable[str]) -> tuple[Instrument, ...]:
    """Parts such as "piano, bass, drums"."""
    names = [name.strip() for name in (said.split(",") if isinstance(said, str) else said)]
    if not 1 <= len(names) <= MAX_ASKED_PARTS:
        raise PlanError(f"{len(names)} parts, must be 1-{MAX_ASKED_PARTS}")
    return tuple(
        Instrument(name)
        if name.lower() in DRUM_NAMES
        else Instrument(name, _said(theory.parse_instrument, name))
        for name in names
    )


def _chords(text: str) -> tuple[tuple[int, str], ...]:
    """Chords such as "Am F C G"."""
    found = tuple(_said(theory.parse_chord, chord) for chord in text.replace("|", " ").split())
    if not found:
        raise PlanError("no chords, must be such as 'Am F C G', one a bar")
    return found


def _said(parse: Callable[[str], T], text: str) -> T:
    """What a function of `theory` understands; its ValueError becomes a PlanError."""
    try:
        return parse(text)
    except ValueError as error:
        raise PlanError(str(error)) from None
