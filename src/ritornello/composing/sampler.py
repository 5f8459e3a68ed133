"""The one loop of composing: for each choice of each row, logits > grammar > rules > draw > put.

It knows fields, not music, and takes many songs at once, each at its own place; those that have ended leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.draws import Logits, Taste, Uniforms, pick
from ritornello.composing.request import Request
from ritornello.composing.rules import NEVER, RULES, Rule
from ritornello.composing.sampling_state import Ear
from ritornello.models.model import Model
from ritornello.system.threads import one_thread

Progress = Callable[[int, int, str], None]
Mask = npt.NDArray[np.bool_]
LEAVE = 8  # one in so many songs must have ended before the batch is made smaller: that has its price too


class Composed(NamedTuple):
    """The rows (N, F) of a song, and how unlikely its choices were to the network, in nats on average."""

    rows: npt.NDArray[np.int16]
    nats: float


@one_thread()
def sample(
    model: Model,
    requests: Sequence[Request],
    taste: Taste,
    *,
    rules: Sequence[Rule] = RULES,
    measured: bool = False,
    progress: Progress | None = None,
) -> list[Composed]:
    """Compose the requested songs side by side; `measured` counts nats. Raises ModelError."""
    batch = _Batch(model, requests, taste, rules, measured)
    found: dict[int, Composed] = {}
    row = 0
    while len(found) < len(requests):
        found |= batch.leave()
        if len(batch.songs):
            batch.row(row)
        row += 1
        if progress:
            progress(len(found), len(requests), f"composing  row {row}")
    return [found[song] for song in range(len(requests))]


class _Batch:
    """Songs that are composed side by side: `songs` are the numbers of those that are still in the batch."""

    def __init__(
        self, model: Model, requests: Sequence[Request], taste: Taste, rules: Sequence[Rule], measured: bool
    ) -> None:
        representation = model.representation
        fields = representation.fields
        choices = [field.name for field in fields if field.kind == "choice"]
        begin = next(index for index, field in enumerate(fields) if field.kind == "choice")
        self.first, self.rest = [field.name for field in fields[:begin]], fields[begin:]
        self.place = {name: place for place, name in enumerate(choices)}
        self.rules = {name: [rule for rule in rules if rule.field == name] for name in choices}
        self.taste, self.measured = taste, measured
        timelines, given, prompts = zip(*((r.timeline, r.given, r.prompt) for r in requests), strict=True)
        self.cursor = representation.cursor(timelines, given, prompts)
        written = getattr(self.cursor, "songs", ())  # the rules are for notes
        self.ears = [Ear(request, song) for request, song in zip(requests, written, strict=False)]
        self.songs = np.arange(len(requests))
        self.uniforms = Uniforms([(request.seed, request.song) for request in requests], len(choices))
        self.surprise = np.zeros((2, len(requests)))  # nats, and choices that were free
        self.step = model.step()
        self.step.start(np.stack([model.plan_encoder.vector(request.plan) for request in requests]))

    @property
    def finished(self) -> Mask:
        """Which songs have ended, or have nothing more to be drawn, (B,)."""
        done: Mask = self.cursor.done
        for index, ear in enumerate(self.ears):
            done[index] |= ear.end_tick < ear.song.end_tick and ear.song.clock >= ear.end_tick
        return done

    def leave(self) -> dict[int, Composed]:
        """The songs that have ended, once they are enough, or all; they are in the batch no more."""
        finished = self.finished
        count = np.count_nonzero(finished)
        can_leave = hasattr(self.step, "keep") and hasattr(self.cursor, "keep")
        if not count or (count < len(finished) and not (can_leave and LEAVE * count >= len(finished))):
            return {}
        found = {}
        for index in np.flatnonzero(finished).tolist():
            song = int(self.songs[index])
            nats = self.surprise[0, song] / max(self.surprise[1, song], 1)
            found[song] = Composed(self.cursor.rows(index), float(nats))
        kept = np.flatnonzero(~finished)
        self.songs = self.songs[kept]
        if len(kept):
            self.step.keep(kept)
            self.cursor.keep(kept.tolist())
            self.ears = [self.ears[index] for index in kept.tolist()]
        return found

    def row(self, row: int) -> None:
        """Draw one row of each song."""
        cursor, step = self.cursor, self.step
        step.begin({name: cursor.known(name) for name in self.first})
        for ear in self.ears:
            ear.listen()
        drawn, finished = self.uniforms.row(row)[self.songs], self.finished
        for field in self.rest:
            if field.kind == "known":
                step.put(field.name, cursor.known(field.name))
                continue
            allowed: Mask = cursor.allowed(field.name)  # (B, size + 1)
            values = allowed.argmax(axis=1)
            free = np.flatnonzero((np.add.reduce(allowed, axis=1) > 1) & ~finished)
            if len(free):
                values[free] = self._drawn(field.name, allowed, free, drawn[:, self.place[field.name]])
            cursor.put(field.name, values)
            step.put(field.name, values)
        step.advance()

    def _drawn(
        self, name: str, allowed: Mask, free: npt.NDArray[np.intp], uniforms: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:
        """A class for each of the songs `free` to choose."""
        logits: Logits = self.step.logits(name)
        if len(free) < len(allowed):
            logits, allowed, uniforms = logits[free], allowed[free], uniforms[free]
        for row, song in enumerate(free.tolist()):
            kept = self.ears[song].song.next_given(name) if self.ears else None
            if kept is not None:  # it comes before whatever lies beyond it
                logits[row, kept] = np.logaddexp.reduce(logits[row, kept:])
        ruled = np.where(allowed[:, :-1], logits, NEVER)
        if self.ears and self.rules[name]:
            for row, song in enumerate(free.tolist()):
                self.ears[song].told(name, ruled[row])
                _rule(ruled[row], self.ears[song], self.rules[name])
        values = pick(ruled, self.taste.temperature[name], self.taste.top_p[name], uniforms)
        if self.measured:
            self.surprise[:, self.songs[free]] += _surprise(logits, values)
        return values


def _rule(logits: Logits, ear: Ear, rules: Sequence[Rule]) -> None:
    """Add what the rules say to the logits (size,) of a song; where they leave nothing, not all is heard."""
    said = [bias for rule in rules if (bias := rule.says(ear)) is not None]
    if not said:
        return
    before = logits.copy()
    for bias in said:
        logits += bias
    if np.maximum.reduce(logits) > NEVER:
        return
    logits[:] = before
    for bias in said:
        if np.maximum.reduce(logits + bias) > NEVER:
            logits += bias


def _surprise(logits: Logits, values: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """-log p of the values drawn, and 1 for each, (2, B)."""
    top = logits.max(axis=1)
    total = np.exp(logits - top[:, None]).sum(axis=1)
    nats = top + np.log(total) - logits[np.arange(len(values)), values]
    return np.stack([nats, np.ones(len(values))])
