"""Compose the notes of a jam: an answer to a phrase, or parts that accompany the next phrase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from ritornello.composing.compose import opened_model
from ritornello.composing.draw_sketch import PlanDrawer
from ritornello.composing.generate import check_has_notes, composed_notes, generate_songs
from ritornello.composing.given_music import GivenMusic, read_prompt
from ritornello.composing.options import DEFAULT_CREATIVITY, ComposeOptions
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling import song_generator
from ritornello.composing.sampling_state import SamplingState
from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.chord_symbols import OPEN_CHORD, bar_symbols
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo
from ritornello.playing.listening import GridNote
from ritornello.representations.grid.vocabulary import part_classes

Mode = Literal["turns", "accompany"]
ACCOMPANIMENT = "bass,drums"
DRUMS = "drums"


@dataclass(frozen=True)
class JamMusic:
    """The options of a jam that concern the music. Raises PlanError for wrong values."""

    mode: Mode = "turns"
    parts: str | None = None
    instrument: str = "piano"
    key: str | None = None
    genre: str | None = None
    creativity: float = DEFAULT_CREATIVITY
    seed: int = 0
    model: str | None = None

    def __post_init__(self) -> None:
        ComposeOptions(creativity=self.creativity, seed=self.seed)
        _ = self.all_parts

    @property
    def composed_parts(self) -> tuple[Part, ...]:
        """The parts that Ritornello plays; empty if it continues the musician's part."""
        names = self.parts or (ACCOMPANIMENT if self.mode == "accompany" else "")
        return tuple(_part(name) for name in names.split(",") if name.strip())

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The part of the musician, then the parts of Ritornello."""
        return _part(self.instrument), *self.composed_parts


class Turn(NamedTuple):
    """The notes played so far, and the number of bars to compose after them."""

    number: int
    notes: list[GridNote]
    bars: int  # the number of bars that `notes` fill; the new bars follow them
    phrase_bars: int  # the last of these bars: the phrase that is answered or accompanied
    new_bars: int
    meter: tuple[int, int]
    us_per_beat: int


class Composed(NamedTuple):
    """Notes of the answer to a turn, in ticks from its first bar, and its key, such as "G major"."""

    number: int
    notes: list[GridNote]
    is_last: bool
    key: str = ""


class Answers(Protocol):
    """Composes answers; `ask` and `poll` return at once."""

    def ask(self, turn: Turn) -> None:
        """Begin to compose an answer."""

    def poll(self) -> list[Composed]:
        """Return the newly composed notes. Raises InputError, FailedError if composing failed."""

    def close(self) -> None:
        """Stop composing."""


class TurnComposer:
    """Composes the answers of one jam."""

    def __init__(self, music: JamMusic) -> None:
        """Open the model. Raises ModelError, PlanError."""
        self.music, self.model = music, opened_model(music.model)
        check_has_notes(self.model)
        genre = music.genre or _usual_genre(self.model.plans, music.all_parts)
        self.options = ComposeOptions(
            genre=genre, key=music.key, creativity=music.creativity, seed=music.seed, force=True
        )

    def compose(self, turn: Turn, on_composed: Callable[[Composed], None]) -> None:
        """Compose the answer to a turn; call `on_composed` with the notes of each bar when it is complete.

        Raises PlanError, FailedError.
        """
        context = read_prompt(self._score(turn))
        request, numbers = self._request(turn, context)
        bar_ticks, key = _bar_ticks(turn), request.plan.key
        unsent = _UnsentNotes(request.first_tick, bar_ticks, numbers)

        def send(states: Sequence[SamplingState]) -> None:
            if states and (notes := unsent.complete_notes(states[0])):
                on_composed(Composed(turn.number, notes, False))

        dials = {"creativity": self.music.creativity, "spread": 1.0}
        generate_songs(self.model, [request], dials, on_row=send)
        name = theory.key_name(*key) if key else ""
        on_composed(Composed(turn.number, unsent.waiting, True, name))

    def _score(self, turn: Turn) -> Score:
        """The notes of a turn as a song."""
        onset, duration, pitch, velocity, part = np.array(turn.notes, np.int64).reshape(-1, 5).T
        keys = (KeySignature(0, *theory.parse_key(self.music.key)),) if self.music.key else ()
        events = {"tempi": (Tempo(0, turn.us_per_beat),), "meters": (Meter(0, *turn.meter),), "keys": keys}
        parts = self.music.all_parts
        return Score.of(GRID, onset, duration, pitch, velocity, part, parts, **events, title="phrase")

    def _request(self, turn: Turn, context: GivenMusic) -> tuple[Request, dict[int, int]]:
        """The request for the new bars, and the number in `all_parts` of each part class to compose."""
        parts, played = self.music.all_parts, sorted({note.part for note in turn.notes})
        missing = [number for number in range(1, len(parts)) if number not in played]
        missing.sort(key=lambda number: parts[number].is_drum)  # the plan lists drums last
        options = replace(
            self.options,
            prompt=context.score,
            bars=turn.bars + turn.new_bars,
            parts=[_name(parts[number]) for number in missing] or None,
            **self._shape(turn, context),
        )
        drawer = PlanDrawer(self.model, options, context)
        numbers = [*played, *missing]  # of each part of the plan, its number in `all_parts`
        new = [place for place, number in enumerate(numbers) if number or len(parts) == 1]
        plan = drawer.plan(song_generator(self.music.seed, turn.number), new)
        classes = part_classes(plan.parts).tolist()
        number_of_class = {classes[place]: numbers[place] for place in new}
        request = request_for(plan, self.music.seed, turn.number, context)
        first_tick = turn.bars * _bar_ticks(turn)
        return replace(request, parts=tuple(sorted(number_of_class)), first_tick=first_tick), number_of_class

    def _shape(self, turn: Turn, context: GivenMusic) -> dict[str, Any]:
        """The options by which an answer repeats the form of the phrase, or an accompaniment its chords."""
        before = turn.bars - turn.phrase_bars
        if self.music.mode == "turns":
            sections = [f"A{before}"] * (before > 0) + [f"B{turn.phrase_bars}", f"B{turn.new_bars}~"]
            return {"form": " ".join(sections)}
        symbols = bar_symbols(context.timeline)  # fewer than `turn.bars` if the last are silent
        if not symbols or any(OPEN_CHORD in symbol for symbol in symbols):
            return {}  # at least one bar has no known chord
        symbols += symbols[-1:] * (turn.bars - len(symbols))
        symbols += [symbols[before + bar % turn.phrase_bars] for bar in range(turn.new_bars)]
        return {"chords": " | ".join(symbols)}


class _UnsentNotes:
    """Reads the notes of an answer while it is composed, and returns each of them once."""

    def __init__(self, first_tick: int, bar_ticks: int, numbers: dict[int, int]) -> None:
        self.first_tick, self.bar_ticks, self.numbers = first_tick, bar_ticks, numbers
        self.sent_until = first_tick  # notes before this tick were returned
        self.song: Any = None  # the SongState whose notes are read
        self.read = 0  # how many of its notes were read
        self.waiting: list[GridNote] = []  # read, but not returned; at the end, the notes of the last bar

    def complete_notes(self, state: SamplingState) -> list[GridNote]:
        """The new notes of complete bars.

        If sampling began again after a dead end, these are only notes of bars that were not returned before.
        """
        song = state.song
        if song is not self.song:  # sampling began again
            self.song, self.read, self.waiting = song, 0, []
        for onset, length, pitch, velocity, part in composed_notes(state, self.read):
            if onset >= self.sent_until and part in self.numbers:
                number = self.numbers[part]
                self.waiting.append(GridNote(onset - self.first_tick, length, pitch, velocity, number))
        self.read = len(song.notes)
        bars = max(0, song.clock - self.first_tick) // self.bar_ticks
        until = self.first_tick + bars * self.bar_ticks
        if until <= self.sent_until:
            return []
        self.sent_until = until
        done = [note for note in self.waiting if note.onset_ticks < until - self.first_tick]
        self.waiting = [note for note in self.waiting if note.onset_ticks >= until - self.first_tick]
        return done


def _usual_genre(plans: Sequence[Plan], parts: Sequence[Part]) -> str | None:
    """The label whose training songs most often have all or most of the parts; None without labels."""

    def shared(plan: Plan) -> int:
        played = {(part.is_drum, part.is_drum or part.program) for part in plan.parts}
        return sum((part.is_drum, part.is_drum or part.program) in played for part in parts)

    most = max(map(shared, plans), default=0)
    labels = Counter(label for plan in plans if shared(plan) == most for label, _ in plan.genres)
    return max(labels, key=lambda label: (labels[label], label)) if labels else None


def _part(name: str) -> Part:
    """A part for an instrument given by name. Raises PlanError."""
    name = name.strip().lower()
    if name in ("drum", DRUMS):
        return Part(DRUMS, 0, True)
    try:
        return Part(name, theory.parse_instrument(name)[0])
    except ValueError as error:
        raise PlanError(str(error)) from error


def _name(part: Part) -> str:
    return DRUMS if part.is_drum else theory.INSTRUMENTS[part.program]


def _bar_ticks(turn: Turn) -> int:
    return GRID * 4 * turn.meter[0] // turn.meter[1]
