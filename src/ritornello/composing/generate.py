"""Compose the requested songs with a model, in batches, each with its recipe."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.composing.request import Request
from ritornello.composing.sampler import OnRow, SampledSong, sample
from ritornello.composing.sampling import SamplingParams, habit_generator
from ritornello.composing.sampling_state import TICKS_OF_DURATION, SamplingState
from ritornello.composing.song import Song
from ritornello.composing.song_shape import extended, rows_of_loop
from ritornello.composing.style_stats import style_of_plan
from ritornello.errors import ModelError
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    MAX_SHIFT,
    part_classes,
    velocity_of_class,
)
from ritornello.representations.table import SamplesItself
from ritornello.system.progress import Progress

OnSong = Callable[[int, Song], None]
SONGS_PER_BATCH = 32
LEAST_SHARE_OF_BARS = 0.25  # in which each requested part should play


class ComposedNote(NamedTuple):
    """A composed note, in the key of its song; velocity is 1-127."""

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    part_class: int


def generate_songs(
    model: Model,
    requests: Sequence[Request],
    dials: Mapping[str, float],
    *,
    measured: bool = False,
    progress: Progress | None = None,
    on_song: OnSong | None = None,
    on_row: OnRow | None = None,
) -> list[Song]:
    """Compose the songs of `requests`; `dials` are creativity and spread, `measured` computes `Song.nats`.

    `on_song` is called with the number in `requests` of each song and the song as soon as it is composed,
    `on_row` after each row with the sampling states of the songs in the batch. Raises ModelError, PlanError,
    MidiError, FailedError.
    """
    if any(request.music for request in requests):
        check_has_notes(model)
    representation, songs = model.representation, dict[int, Song]()
    if isinstance(representation, SamplesItself):
        return _songs_sampled_by(representation, model, requests, dials[representation.dial], on_song)
    creativity = dials["creativity"]
    choices = [field.name for field in representation.fields if field.kind == "choice"]
    params = SamplingParams.from_creativity(creativity, choices, model.temperature)
    for start in range(0, len(requests), SONGS_PER_BATCH):
        batch = [_with_style(request, model) for request in requests[start : start + SONGS_PER_BATCH]]

        def build(place: int, s: SampledSong, start: int = start, batch: Sequence[Request] = batch) -> None:
            plan = batch[place].plan
            rows = rows_of_loop(s.rows, plan) if plan.is_loop else s.rows
            songs[start + place] = _song(model, batch[place], rows, {"creativity": creativity}, s.nats)
            if on_song:
                on_song(start + place, songs[start + place])

        sampled = [replace(r, plan=extended(r.plan)) if r.plan.is_loop else r for r in batch]
        sample(model, sampled, params, measured=measured, progress=progress, on_finished=build, on_row=on_row)
    return [songs[number] for number in range(len(requests))]


def composed_notes(state: SamplingState, first: int) -> Iterator[ComposedNote]:
    """Yield the composed notes from note number `first` of the song on, without given notes."""
    for index in range(first, len(state.song.notes)):
        if not state.song.is_given[index]:
            onset, part, pitch, duration, velocity_class = state.song.notes[index]
            moved = 0 if part == DRUM_PART else state.request.transposed_by
            velocity = int(velocity_of_class(np.array(velocity_class)))
            yield ComposedNote(onset, TICKS_OF_DURATION[duration], pitch - moved, velocity, part)


def _songs_sampled_by(
    representation: SamplesItself,
    model: Model,
    requests: Sequence[Request],
    dial: float,
    on_song: OnSong | None,
) -> list[Song]:
    """Compose the songs of `requests` with a representation that samples them itself."""
    songs = []
    for number, request in enumerate(requests):
        rows = representation.sample(model, request.plan, request.seed, request.song, dial)
        songs.append(_song(model, request, rows, {representation.dial: dial}))
        if on_song:
            on_song(number, songs[number])
    return songs


def check_has_notes(model: Model) -> None:
    """Raise ModelError unless the model has the representation `notes`, which given music needs."""
    if model.representation.name != "notes":
        raise ModelError(
            f"{str(model.path)!r} has the representation {model.representation.name}: must have notes"
        )


def _song(
    model: Model, request: Request, rows: npt.NDArray[Any], dials: dict[str, float], nats: float = 0.0
) -> Song:
    """Build the song of sampled rows (N, F) and its recipe.

    The plan in the recipe lacks optional parts that never play, because the song does not have them.
    """
    representation = model.info["representation"]["name"]
    names = {"network": model.network, "representation": representation, "sha256": model.hash}
    plan, code = request.plan, model.code.get("representations")
    if request.parts_are_optional and model.representation.name == "notes":
        plan = _plan_as_played(plan, rows)
    recipe = Recipe(names, plan, request.seed, request.song, dials, rows, request.music, code=code)
    return build_song(recipe, nats)


def _with_style(request: Request, model: Model) -> Request:
    """Return the request with the style statistics that are drawn for its labels."""
    style = style_of_plan(model.info, request.plan, habit_generator(request.seed, request.song, "style"))
    if not request.parts_are_optional and (request.music is None or request.music.kind == "tune"):
        style = style._replace(plays=max(style.plays, LEAST_SHARE_OF_BARS))
    return replace(request, style=style)


def _plan_as_played(plan: Plan, rows: npt.NDArray[Any]) -> Plan:
    """Return the plan without parts that have no note in the rows (N, F)."""
    playing = set(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]].tolist())
    numbers = [number for number, part in enumerate(part_classes(plan.parts).tolist()) if part in playing]
    held: dict[str, Any] = {
        name: tuple(numbers.index(number) for number in getattr(plan, name) if number in numbers)
        for name in ("held_notes", "held_pitches")
    }
    return replace(plan, parts=tuple(plan.parts[number] for number in numbers), **held)
