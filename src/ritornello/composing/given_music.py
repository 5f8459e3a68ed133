"""The music that a user gives: a prompt to continue, a melody to accompany, or a song to redo bars of."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ritornello import midi, notation
from ritornello.composing.named_places import bar_range, bars_on_grid, part_numbers
from ritornello.errors import MidiError, PlanError, check_between
from ritornello.midi.details import first_details
from ritornello.midi.reading import Parsed
from ritornello.models.plan_vector import infer_plan
from ritornello.music.plan import MAX_BARS, Plan
from ritornello.music.score import EVENTS, Score
from ritornello.music.sketch import Sketch
from ritornello.music.timeline import Timeline
from ritornello.notation import SongFile
from ritornello.representations.grid.canonical import part_classes_of
from ritornello.representations.grid.vocabulary import part_classes
from ritornello.representations.notes import Notes

NOTES = Notes()
MAX_GIVEN_NOTES = 200_000
MAX_BARS_TO_REDO = 10_000  # of the song; one to continue or to accompany has at most MAX_BARS
UNKNOWN_RETURN = (-1, -1)  # in `Plan.returns`: it is open whether the bar returns to another
Kind = Literal["prompt", "tune", "redo"]  # the words of recipes; "tune" is a melody
SongSource: TypeAlias = str | Path | Score | SongFile  # the path of a song, its notes, or its file


@dataclass(frozen=True)
class GivenMusic:
    """A MIDI file and the purpose for which it is given, as the recipe stores them.

    The properties are computed once, when they are needed. For "redo", `parts` (None: all) are recomposed in
    `bars`: the first bar, and the one after the last, from 0, a pickup included. The `kept` pairs of a bar
    and a part stay as they are.
    """

    kind: Kind
    midi: bytes
    bars: tuple[int, int] | None = None
    parts: tuple[int, ...] | None = None
    kept: frozenset[tuple[int, int]] = frozenset()
    has_new_chords: bool = False
    """Whether the user named chords for the bars to redo, which are written to the file as markers."""
    name: str = field(default="the MIDI file of the recipe", compare=False)  # for error messages

    @cached_property
    def score(self) -> Score:
        """The song in the file. Raises MidiError."""
        score = midi.parse(self.midi, name=self.name).score
        if len(score) > MAX_GIVEN_NOTES:
            raise MidiError(f"{self.name!r} has {len(score)} notes: must be at most {MAX_GIVEN_NOTES}")
        return score

    @cached_property
    def with_details(self) -> Parsed:
        """The song with its details. The pedal is one of them, so it does not lengthen the notes."""
        return midi.parse(self.midi, name=self.name, pedal="ignore", with_details=True)

    def score_to_write(self, pedal_ticks: int | None = None) -> Score:
        """Return the song with its details, for a file in which the pedal is up from a tick on.

        Notes that the pedal prolongs beyond that tick are as long as they sound.
        """
        score, sounding = self.with_details.score, self.score
        if pedal_ticks is None:
            return score
        is_held = sounding.onset_ticks.astype(np.int64) + sounding.duration_ticks > pedal_ticks
        durations = np.where(is_held, sounding.duration_ticks, score.duration_ticks)
        return replace(score, duration_ticks=durations)

    @cached_property
    def canonical(self) -> Score:
        """The song as rows of `notes` hold it."""
        return NOTES.canonical(self.score)[0]

    @cached_property
    def timeline(self) -> Timeline:
        """The bars of the canonical song, with chords, returns and sketch."""
        return NOTES.timeline(self.canonical)

    @property
    def sketch(self) -> Sketch:
        """The sketch of the song, computed from its notes."""
        assert self.timeline.sketch is not None, "Notes.timeline computes it"
        return self.timeline.sketch

    @cached_property
    def rows(self) -> npt.NDArray[Any]:
        """The canonical song as rows (N, F)."""
        return NOTES.encode_canonical(self.canonical, self.timeline).values

    @cached_property
    def part_classes(self) -> npt.NDArray[np.int64]:
        """For each part of `score` (parts,) the class of its notes in rows."""
        return part_classes_of(self.score)

    @cached_property
    def open_parts(self) -> tuple[tuple[int, ...], ...]:
        """For each bar the classes of the parts in which notes are recomposed, ascending."""
        numbers = np.unique(self.score.part).tolist() if self.parts is None else self.parts
        redone = range(*self.bars) if self.bars else range(0)
        classes = [(number, int(self.part_classes[number])) for number in numbers]
        return tuple(
            tuple(sorted({part for number, part in classes if (bar, number) not in self.kept}))
            if bar in redone
            else ()
            for bar in range(len(self.timeline))
        )

    @cached_property
    def is_redone(self) -> npt.NDArray[np.bool_]:
        """For each note (N,) of the canonical song, whether it is recomposed."""
        bars = self.timeline.bar_of(self.canonical.onset_ticks).tolist()
        part = part_classes(self.canonical.parts)[self.canonical.part].tolist()
        return np.array([p in self.open_parts[bar] for bar, p in zip(bars, part, strict=True)], bool)

    @property
    def has_other_notes(self) -> bool:
        """Whether notes of some parts stay in the bars to redo."""
        return self.parts is not None or bool(self.kept)

    @cached_property
    def plan(self) -> Plan:
        """The plan of the song, with its form; the form of bars to redo is open.

        If notes of some parts stay in those bars, the plan has the chords of the song.
        """
        timeline = self.timeline
        form = zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True)
        returns = [UNKNOWN_RETURN if self.open_parts[bar] else pair for bar, pair in enumerate(form)]
        plan = replace(infer_plan(self.canonical), returns=tuple(returns))
        return replace(plan, chords=plan.chords or timeline.chords) if self.has_other_notes else plan


def read_prompt(prompt: SongSource, bars: int | None = None) -> GivenMusic:
    """Read a song to continue, or its first bars. Raises MidiError, PlanError."""
    given = _read(prompt, "prompt", "prompt")
    if bars is None:
        _check_bars(given, MAX_BARS, "; --prompt-bars takes the first")
        return given
    count = Timeline.of(given.score).full_bars
    check_between("prompt_bars", bars, 1, min(count, MAX_BARS), PlanError)
    return replace(given, midi=midi.to_bytes(_first_bars(given, bars))[0])


def read_melody(melody: SongSource) -> GivenMusic:
    """Read a melody to accompany. Raises MidiError."""
    given = _read(melody, "tune", "melody")
    _check_bars(given, MAX_BARS)
    return given


def read_song(song: SongSource, what: str) -> GivenMusic:
    """Read a song whose chords are used; `what` names it in errors. Raises MidiError."""
    given = _read(song, "tune", what)
    _check_bars(given, MAX_BARS)
    return given


def read_redo(
    song: SongSource,
    bars: str | range | None = None,
    parts: str | Collection[str] | None = None,
    lock: str | Collection[str] | None = None,
) -> GivenMusic:
    """Read a song of which some bars and parts are recomposed.

    `bars` are "9-12" (a pickup is bar 0), or a range of the Timeline's bars; `parts` are names, instruments,
    families, or numbers from 1. None stands for all. Parts, bars, or bars of a part ("bass:1-8") that `lock`
    names stay as they are. Raises MidiError, PlanError.
    """
    given = _read(song, "redo", "song")
    _check_bars(given, MAX_BARS_TO_REDO)
    timeline = Timeline.of(given.score)
    first = 1 - timeline.pickup_bars  # the number of the first bar for users
    bars = range(len(timeline)) if bars is None else bars
    chosen = bars if isinstance(bars, range) else bar_range(bars, first)
    if not 0 <= chosen.start < chosen.stop <= len(timeline):
        raise PlanError(
            f"bars {chosen.start + first}-{chosen.stop - 1 + first}: must be within "
            f"{first}-{timeline.full_bars}, the bars of the song"
        )
    numbers = None
    if parts is not None:
        names = parts.split(",") if isinstance(parts, str) else parts
        numbers = tuple(sorted({number for name in names for number in part_numbers(given.score, name)}))
    redo = replace(given, bars=bars_on_grid(given.score, timeline, chosen), parts=numbers)
    if lock:
        names = lock.split(",") if isinstance(lock, str) else lock
        kept = frozenset(cell for name in names for cell in _locked(given.score, timeline, name))
        redo = keeping(redo, kept)
        if not any(redo.open_parts):
            raise PlanError(f"lock {lock!r}: must leave some bars of some parts to recompose")
    vars(redo)["score"] = given.score  # it need not be parsed again
    return redo


def keeping(given: GivenMusic, kept: frozenset[tuple[int, int]]) -> GivenMusic:
    """Return the song to redo with other `kept` pairs, and with no more bars to redo than needed."""
    chosen = replace(given, kept=kept)
    if bars := [bar for bar, parts in enumerate(chosen.open_parts) if parts]:
        chosen = replace(chosen, bars=(bars[0], bars[-1] + 1))
    return chosen


def _locked(score: Score, timeline: Timeline, text: str) -> list[tuple[int, int]]:
    """Return the pairs of a bar on the grid and a part that a text names: "bass", "1-8", or "bass:1-8"."""
    part, is_both, bars = text.strip().rpartition(":")
    if not is_both:
        part, bars = ("", bars) if re.fullmatch(r"\d+-\d+", bars) else (bars, "")
    try:
        numbers = part_numbers(score, part) if part else range(len(score.parts))
    except PlanError as error:
        bar = part.strip()
        hint = f"; for bar {bar} write {bar}-{bar}" if bar.isdecimal() and not is_both else ""
        raise PlanError(f"lock {text.strip()!r}: {error}{hint}") from None
    first = 1 - timeline.pickup_bars
    chosen = bar_range(bars, first) if bars else range(len(timeline))
    if chosen.stop > len(timeline):
        raise PlanError(f"lock {text.strip()!r}: must be within bars {first}-{timeline.full_bars}")
    return [(bar, number) for bar in range(*bars_on_grid(score, timeline, chosen)) for number in numbers]


def _read(music: SongSource, kind: Kind, what: str) -> GivenMusic:
    """Read music that must have notes; `what` names it in errors."""
    if isinstance(music, Score):
        name, data = music.title or what, midi.to_bytes(music)[0]
    else:
        file = music if isinstance(music, SongFile) else notation.open_song(music)
        name, data = file.name, file.data
        if file.format and kind == "redo":
            raise MidiError(f"{name!r} is {file.format}: must be MIDI for redo, render it to .mid first")
        if file.format:
            data = midi.to_bytes(file.parse().score)[0]
    given = GivenMusic(kind, data, name=name)
    if not len(given.score):
        raise MidiError(f"{name!r} has no notes, so it cannot be a {what}")
    return given


def _check_bars(given: GivenMusic, most: int, hint: str = "") -> None:
    """Raise MidiError if given music has more bars than `most`."""
    if (count := Timeline.of(given.score).full_bars) > most:
        raise MidiError(f"{given.name!r} has {count} bars: must be at most {most}{hint}")


def _first_bars(given: GivenMusic, bars: int) -> Score:
    """The notes, events and details that begin in the first bars of a song; notes keep their durations."""
    timeline = Timeline.of(given.score)
    last = bars - 1 + timeline.pickup_bars
    end = int(timeline.start_ticks[last] + timeline.length_ticks[last])
    score = given.score_to_write(end)
    is_early = score.onset_ticks < end
    if not is_early.any():
        raise PlanError(f"the first {bars} bars of the prompt have no notes")
    early_events: dict[str, Any] = {
        name: tuple(e for e in getattr(score, name) if e.onset_ticks < end) for name in EVENTS
    }
    return score.select(is_early, details=first_details(score.details, end), **early_events)
