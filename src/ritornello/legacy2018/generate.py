"""Draws rows one after another: predict, draw, put, until the song is full.

Draws are counter-based: what is drawn for step t of a song depends on (seed, song, t) alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import FailedError, ModelError, PlanError
from ritornello.models.model import Model
from ritornello.music.plan import MAX_BARS, TEMPO_BPM, Plan
from ritornello.music.score import Score


def plan(options: Mapping[str, Any]) -> Plan:
    """The plan of the options `bars` (16 if None) and `tempo` (120 beats a minute if None).

    Raises PlanError for a value out of range (`spread` too), and for any other option that is not None.
    """
    for name, value in options.items():
        if value is not None and name not in ("bars", "tempo", "spread"):
            raise PlanError(f"{name} {value!r}: the network of 2018 takes only bars, tempo and spread")
    values = {"bars": 16, "tempo": 120.0, "spread": 1.0}
    values |= {name: value for name, value in options.items() if value is not None}
    for name, (low, high) in {"bars": (1, MAX_BARS), "tempo": TEMPO_BPM, "spread": (0.0, 10.0)}.items():
        if not low <= values[name] <= high:
            raise PlanError(f"{name} {values[name]:g}, must be {low:g}-{high:g}")
    return Plan(bars=int(values["bars"]), us_per_beat=round(60e6 / values["tempo"]))


def sample(
    model: Model, plan: Plan, *, seed: int, spread: float = 1.0, song: int = 0
) -> npt.NDArray[np.float32]:
    """The rows (N, 3) of a song of `plan.bars` bars by a model of reals.

    It continues the opening of a held-out song (which is not part of the result). Each row is the network's
    prediction plus `spread` times a residual that was really seen on held-out songs; 0 is the bare
    prediction. Raises ModelError for tables that do not fit.
    """
    representation = model.representation
    names = [field.name for field in representation.fields]
    residuals, openings = _table(model, "residuals", 2), _table(model, "seeds", 3)  # (R, F), (S, T, F)
    cursor = representation.cursor(plan)
    step = model.step()
    step.start([plan])
    opening = openings[_draws(seed, song, 0).integers(len(openings))]
    for row in opening:
        _feed(step, names, row)
    while not cursor.done:
        step.begin({})
        predicted = np.array([step.logits(name)[0] for name in names], np.float32)  # (F,)
        draw = _draws(seed, song, 1 + len(cursor.rows))
        cursor.put(predicted + np.float32(spread) * residuals[draw.integers(len(residuals))])
        _feed(step, names, cursor.rows[-1])
    rows: npt.NDArray[np.float32] = cursor.values()
    return rows


def finish(score: Score, plan: Plan) -> Score:
    """The song with no note longer than a bar. Raises FailedError if it has no note."""
    score = _at_most_a_bar(score, plan)
    if not len(score):
        raise FailedError("the network composed no note: try another seed, or --spread 1")
    return score


def _table(model: Model, name: str, dimensions: int) -> npt.NDArray[np.float32]:
    """A table of the model whose last dimension is the fields. Raises ModelError if it is none."""
    table, fields = model.tables.get(name), len(model.representation.fields)
    if table is None or table.ndim != dimensions or table.shape[-1] != fields or not table.size:
        found = "is missing" if table is None else f"has shape {table.shape}"
        must = f"must have {dimensions} dimensions, the last of {fields} fields"
        raise ModelError(f"{str(model.path)!r}: table {name} {found}, {must}")
    return table


def _at_most_a_bar(score: Score, plan: Plan) -> Score:
    """Notes that the network never closed would sound to the end: none sounds longer than a bar."""
    _, numerator, denominator = plan.meters[0]
    bar_ticks = 4 * score.ticks_per_beat * numerator // denominator
    return replace(score, duration_ticks=np.minimum(score.duration_ticks, bar_ticks))


def _feed(step: Any, names: list[str], row: npt.NDArray[np.float32]) -> None:
    """Tell the network one row (F,)."""
    for name, value in zip(names, row, strict=True):
        step.put(name, np.array([value], np.float32))
    step.advance()


def _draws(seed: int, song: int, step: int) -> np.random.Generator:
    """The generator of one step of one song; Philox is counter-based, so no other draw comes before it."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, song, step]))
