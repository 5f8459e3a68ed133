"""The one loop of composing: for each choice of each row, logits > grammar > rules > draw > put.

It knows fields, not music, and takes many songs at once, each at its own place; one that has ended waits for
the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.draws import Taste, Uniforms, pick
from ritornello.composing.ear import Ear
from ritornello.composing.request import Request
from ritornello.composing.rules import RULES, Bias, Rule
from ritornello.model import Model

Progress = Callable[[int, int, str], None]


class Composed(NamedTuple):
    """The rows (N, F) of a song, and how unlikely each drawn one was to the network, in nats on average."""

    rows: npt.NDArray[np.int16]
    nats: float


def sample(
    model: Model,
    requests: Sequence[Request],
    taste: Taste,
    *,
    rules: Sequence[Rule] = RULES,
    progress: Progress | None = None,
) -> list[Composed]:
    """Compose the requested songs side by side. Raises ModelError if the weights do not fit."""
    representation, step = model.representation, model.step()
    fields = representation.fields
    choices = [field.name for field in fields if field.kind == "choice"]
    cursor = representation.cursor(
        [request.timeline for request in requests],
        [request.given for request in requests],
        [request.prompt for request in requests],
    )
    ears = [Ear(request, song) for request, song in zip(requests, getattr(cursor, "songs", ()), strict=False)]
    by_field = {name: [rule for rule in rules if rule.field == name] for name in choices}
    uniforms = Uniforms([(request.seed, request.song) for request in requests], len(choices))
    first = next(index for index, field in enumerate(fields) if field.kind == "choice")
    conditions = model.conditions
    step.start(np.stack([conditions.vector(request.plan) for request in requests]))
    surprise, row = np.zeros((2, len(requests))), 0  # nats and choices that were free
    while not (finished := _finished(cursor, ears)).all():
        step.begin({field.name: cursor.known(field.name) for field in fields[:first]})
        drawn = uniforms.row(row)
        for ear in ears:
            ear.listen()
        for field in fields[first:]:
            if field.kind == "known":
                step.put(field.name, cursor.known(field.name))
                continue
            allowed = cursor.allowed(field.name)  # (B, size + 1)
            free = (np.count_nonzero(allowed, axis=1) > 1) & ~finished
            values = allowed.argmax(axis=1)
            if free.any():
                logits = step.logits(field.name)[free]
                ruled = np.where(allowed[free, :-1], logits, -np.inf)
                for place, song in enumerate(np.flatnonzero(free).tolist() if ears else ()):
                    ruled[place] = _ruled(ruled[place], ears[song], by_field[field.name])
                name = field.name
                values[free] = pick(
                    ruled, taste.temperature[name], taste.top_p[name], drawn[free, choices.index(name)]
                )
                surprise[:, free] += _surprise(logits, values[free])
            cursor.put(field.name, values)
            step.put(field.name, values)
        step.advance()
        row += 1
        if progress:
            progress(int(finished.sum()), len(requests), f"composing  row {row}")
    nats = surprise[0] / np.maximum(surprise[1], 1)
    return [Composed(cursor.rows(index), float(nats[index])) for index in range(len(requests))]


def _finished(cursor: Any, ears: Sequence[Ear]) -> npt.NDArray[np.bool_]:
    """Which songs have ended, or have nothing more to be drawn (B,)."""
    done: npt.NDArray[np.bool_] = cursor.done
    for index, ear in enumerate(ears):
        if ear.end_tick < ear.song.end and ear.song.clock >= ear.end_tick:
            done[index] = True
    return done


def _ruled(logits: Bias, ear: Ear, rules: Sequence[Rule]) -> Bias:
    """Logits (size,) of a song with what the rules add; where they leave nothing, some are not heard."""
    said = [bias for rule in rules if (bias := rule.says(ear)) is not None]
    if not said:
        return logits
    ruled: Bias = np.add(logits, sum(said[1:], said[0]))
    if ruled.max() > -np.inf:
        return ruled
    for bias in said:
        if (ruled := logits + bias).max() > -np.inf:
            logits = ruled
    return logits


def _surprise(logits: Bias, values: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """-log p of the values drawn, and 1 for each, (2, B)."""
    top = logits.max(axis=1)
    total = np.exp(logits - top[:, None]).sum(axis=1)
    nats = top + np.log(total) - logits[np.arange(len(values)), values]
    return np.stack([nats, np.ones(len(values))])
