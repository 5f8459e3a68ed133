"""Compose with the network of 2018: to each predicted message a measured residual is added.

Random numbers come from a counter-based generator: the numbers for message t of a song depend only on (seed,
song, t).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import FailedError, ModelError, PlanError
from ritornello.models.model import Model
from ritornello.music.plan import MAX_BARS, TEMPO_BPM, Plan
from ritornello.music.score import Score

Floats = npt.NDArray[np.float32]
MAX_MESSAGES_PER_BEAT = 64  # more than any music has; stops a network that predicts no time
DEFAULTS = {"bars": 16, "tempo": 120.0, "spread": 1.0}
RANGES: dict[str, tuple[float, float]] = {"bars": (1, MAX_BARS), "tempo": TEMPO_BPM, "spread": (0.0, 10.0)}


def plan(options: Mapping[str, Any]) -> Plan:
    """The plan of the options `bars` and `tempo` (beats a minute).

    Raises PlanError for a value out of range (also of `spread`), or any other option that is not None.
    """
    set_options = {name: value for name, value in options.items() if value is not None}
    for name in set_options.keys() - RANGES.keys():
        raise PlanError(
            f"{name} {set_options[name]!r}: the network of 2018 takes only bars, tempo and spread"
        )
    values = DEFAULTS | set_options
    for name, (low, high) in RANGES.items():
        if not low <= values[name] <= high:
            raise PlanError(f"{name} {values[name]:g}: must be {low:g}-{high:g}")
    return Plan(bars=values["bars"], us_per_beat=round(60e6 / values["tempo"]))


def sample(model: Model, plan: Plan, seed: int, song: int = 0, spread: float = 1.0) -> Floats:
    """Sample the rows (N, 3) of a song of `plan.bars` bars.

    The network first reads the opening of a held-out song, which is not part of the result. Each row is its
    prediction plus `spread` times a residual (true minus predicted) of held-out songs, drawn whole. Raises
    ModelError for tables that do not fit.
    """
    names = [field.name for field in model.representation.fields]
    residuals, openings = _table(model, "residuals", 2), _table(model, "seeds", 3)  # (R, F), (S, T, F)
    step = model.step()
    step.start([plan])
    for row in openings[_generator(seed, song, 0).integers(len(openings))]:
        _put_row(step, names, row)
    resolution = model.representation.ticks_per_beat
    rest_ticks = plan.timeline(resolution).end_ticks
    max_rows = MAX_MESSAGES_PER_BEAT * max(1, rest_ticks // resolution)
    rows: list[Floats] = []
    while rest_ticks > 0 and len(rows) < max_rows:
        step.begin({})
        predicted = np.array([step.logits(name)[0] for name in names], np.float32)  # (F,)
        residual = residuals[_generator(seed, song, 1 + len(rows)).integers(len(residuals))]
        row, ticks = model.representation.fitted(predicted + np.float32(spread) * residual, rest_ticks)
        rows.append(row)
        rest_ticks -= ticks
        _put_row(step, names, row)
    return np.array(rows, np.float32).reshape(-1, len(names))


def finish(score: Score, plan: Plan) -> Score:
    """Cut notes that are longer than a bar, because the network never ended them.

    Raises FailedError if the song has no note.
    """
    if not len(score):
        raise FailedError("the network composed no note: try another seed, or --spread 1")
    _, numerator, denominator = plan.meters[0]
    bar_ticks = 4 * score.ticks_per_beat * numerator // denominator
    return replace(score, duration_ticks=np.minimum(score.duration_ticks, bar_ticks))


def _table(model: Model, name: str, dimensions: int) -> Floats:
    """A table of the model; its last dimension is the fields. Raises ModelError if it is missing or wrong."""
    table, fields = model.tables.get(name), len(model.representation.fields)
    if table is None or table.ndim != dimensions or table.shape[-1] != fields or not table.size:
        problem = "is missing" if table is None else f"has shape {table.shape}"
        expected = f"must have {dimensions} dimensions, the last of {fields} fields"
        raise ModelError(f"{str(model.path)!r}: table {name} {problem}: {expected}")
    return table


def _put_row(step: Any, names: list[str], row: Floats) -> None:
    """Give the network one row (F,) to read."""
    for name, value in zip(names, row, strict=True):
        step.put(name, np.array([value], np.float32))
    step.advance()


def _generator(seed: int, song: int, step: int) -> np.random.Generator:
    """The random generator of one step of one song; Philox is counter-based, so no earlier draw matters."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, song, step]))
