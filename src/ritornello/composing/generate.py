"""Make songs with their recipes out of jobs, many side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy.typing as npt

from ritornello.composing.recipe import Recipe, Source
from ritornello.composing.replay import Built, build, requested
from ritornello.composing.request import Request
from ritornello.composing.sampler import sample
from ritornello.composing.sampling import SamplingParams
from ritornello.composing.style_stats import style_of_plan
from ritornello.errors import ModelError
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, part_classes
from ritornello.representations.table import SamplesItself

Progress = Callable[[int, int, str], None]
TOGETHER = 32  # songs composed side by side
ASKED_PLAYS = 0.25  # of the bars, before a part that was asked for is called for


class Job(NamedTuple):
    """A song to compose: its plan, its number, what the user gave.

    `drawn`: its parts are those of a training song, which may play, and need not; nobody asked for them.
    """

    plan: Plan
    song: int = 0
    source: Source | None = None
    drawn: bool = False


class Made(NamedTuple):
    """What came of a job; `nats` is how unlikely its choices were on average, where that was measured."""

    recipe: Recipe
    built: Built
    nats: float = 0.0


def make(
    model: Model,
    jobs: Sequence[Job],
    seed: int,
    dials: Mapping[str, float],
    *,
    measured: bool = False,
    progress: Progress | None = None,
) -> list[Made]:
    """Compose the songs of `jobs`; `dials` gives creativity and spread.

    Raises ModelError, PlanError, MidiError, FailedError.
    """
    if any(job.source for job in jobs):
        needs_notes(model)
    own = model.representation
    if isinstance(own, SamplesItself):
        dial = dials[own.dial]
        rows = [own.sample(model, job.plan, seed=seed, song=job.song, dial=dial) for job in jobs]
        return [_made(model, *each, seed, {own.dial: dial}) for each in zip(jobs, rows, strict=True)]
    creativity = dials["creativity"]
    choices = [field.name for field in model.representation.fields if field.kind == "choice"]
    params = SamplingParams.from_creativity(creativity, choices)
    found = []
    for start in range(0, len(jobs), TOGETHER):
        batch = jobs[start : start + TOGETHER]
        requests = [_request(model, job, seed) for job in batch]
        songs = sample(model, requests, params, measured=measured, progress=progress)
        for composed, job in zip(songs, batch, strict=True):
            found.append(_made(model, job, composed.rows, seed, {"creativity": creativity}, composed.nats))
    return found


def _made(
    model: Model, job: Job, rows: npt.NDArray[Any], seed: int, dials: dict[str, float], nats: float = 0.0
) -> Made:
    """The recipe of composed rows (N, F), and the song that it builds."""
    plan = _as_played(job.plan, rows) if job.drawn else job.plan
    recipe = Recipe(_named(model), plan, seed, job.song, dials, rows, job.source)
    return Made(recipe, build(recipe), nats)


def needs_notes(model: Model) -> None:
    """Raise ModelError unless the model's rows are notes, which can be given."""
    if model.representation.name != "notes":
        raise ModelError(f"{str(model.path)!r} has {model.representation.name}: this needs a model of notes")


def _request(model: Model, job: Job, seed: int) -> Request:
    request = requested(job.plan, seed, job.song, job.source)
    style = style_of_plan(model.info, job.plan)
    if not job.drawn and (job.source is None or job.source.how == "tune"):
        style = style._replace(plays=max(style.plays, ASKED_PLAYS))  # a requested part plays more than a note
    return replace(request, required_parts=() if job.drawn else None, style=style)


def _as_played(plan: Plan, rows: npt.NDArray[Any]) -> Plan:
    """The plan with those of its parts that rows of `notes` play; all of them where rows say no parts."""
    if rows.shape[1] <= COLUMN["part"]:
        return plan
    played = set(rows[rows[:, COLUMN["shift"]] <= MAX_SHIFT, COLUMN["part"]].tolist())
    codes = part_classes(plan.parts).tolist()
    return replace(plan, parts=tuple(p for p, code in zip(plan.parts, codes, strict=True) if code in played))


def _named(model: Model) -> dict[str, str]:
    """How a recipe names a model."""
    return {
        "network": model.network,
        "representation": model.representation.name,
        "sha256": model.hash,
    }
