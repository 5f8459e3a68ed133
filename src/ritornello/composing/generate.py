"""Compose the songs of tasks with a model, in batches, each with its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy.typing as npt

from ritornello.composing.given_music import GivenMusic
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampler import sample
from ritornello.composing.sampling import SamplingParams
from ritornello.composing.song import Song
from ritornello.composing.style_stats import style_of_plan
from ritornello.errors import ModelError
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, part_classes
from ritornello.representations.table import SamplesItself
from ritornello.system.progress import Progress

SONGS_PER_BATCH = 32
LEAST_SHARE_OF_BARS = 0.25  # in which requested parts play, so that they play more than one note


class Task(NamedTuple):
    """A song to compose: its plan, its number, the given music.

    With `parts_are_optional` not all of its parts must play: they come from a training song.
    """

    plan: Plan
    number: int = 0
    given: GivenMusic | None = None
    parts_are_optional: bool = False


def generate_songs(
    model: Model,
    tasks: Sequence[Task],
    seed: int,
    dials: Mapping[str, float],
    *,
    measured: bool = False,
    progress: Progress | None = None,
) -> list[Song]:
    """Compose the songs of `tasks`; `dials` are creativity and spread, `measured` computes `Song.nats`.

    Raises ModelError, PlanError, MidiError, FailedError.
    """
    if any(task.given for task in tasks):
        check_has_notes(model)
    own = model.representation
    if isinstance(own, SamplesItself):
        dial = dials[own.dial]
        rows = [own.sample(model, task.plan, seed, task.number, dial) for task in tasks]
        return [_song(model, *each, seed, {own.dial: dial}) for each in zip(tasks, rows, strict=True)]
    used = {"creativity": dials["creativity"]}
    choices = [field.name for field in model.representation.fields if field.kind == "choice"]
    params = SamplingParams.from_creativity(used["creativity"], choices)
    songs = []
    for start in range(0, len(tasks), SONGS_PER_BATCH):
        batch = tasks[start : start + SONGS_PER_BATCH]
        requests = [_request(model, task, seed) for task in batch]
        sampled = sample(model, requests, params, measured=measured, progress=progress)
        songs += [
            _song(model, task, rows, seed, used, nats)
            for task, (rows, nats) in zip(batch, sampled, strict=True)
        ]
    return songs


def check_has_notes(model: Model) -> None:
    """Raise ModelError unless the rows of the model are notes, which can be given."""
    if model.representation.name != "notes":
        raise ModelError(
            f"{str(model.path)!r} has the representation {model.representation.name}, must have notes"
        )


def _song(
    model: Model, task: Task, rows: npt.NDArray[Any], seed: int, dials: dict[str, float], nats: float = 0.0
) -> Song:
    """The song of sampled rows (N, F), with its recipe."""
    representation = model.info["representation"]["name"]
    names = {"network": model.network, "representation": representation, "sha256": model.hash}
    has_parts = model.representation.name == "notes"
    plan = _plan_as_played(task.plan, rows) if task.parts_are_optional and has_parts else task.plan
    code = model.code.get("representations")
    recipe = Recipe(names, plan, seed, task.number, dials, rows, task.given, code=code)
    return build_song(recipe, nats)


def _request(model: Model, task: Task, seed: int) -> Request:
    """The request for a task, with the style statistics of its labels."""
    style = style_of_plan(model.info, task.plan)
    if not task.parts_are_optional and (task.given is None or task.given.kind == "tune"):
        style = style._replace(plays=max(style.plays, LEAST_SHARE_OF_BARS))
    request = request_for(task.plan, seed, task.number, task.given)
    return replace(request, required_parts=() if task.parts_are_optional else None, style=style)


def _plan_as_played(plan: Plan, rows: npt.NDArray[Any]) -> Plan:
    """The plan without parts that have no rows (N, F) of `notes`."""
    played = set(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]].tolist())
    classes = part_classes(plan.parts).tolist()
    return replace(
        plan, parts=tuple(part for part, number in zip(plan.parts, classes, strict=True) if number in played)
    )
