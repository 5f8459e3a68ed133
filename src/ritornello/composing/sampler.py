"""The sampling loop: for each choice of each row, logits > grammar > rules > drawn class.

The loop treats all fields alike; only the rules and the cursor depend on what fields mean. Many songs are
composed in one batch; songs that have ended are removed from it. A song for which the hard rules leave no
class is composed again with other random numbers.
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.key_frame import FramedRequest, framed
from ritornello.composing.request import Request
from ritornello.composing.sampling import (
    FORBIDDEN,
    Logits,
    SamplingParams,
    Uniforms,
    draw_classes,
    number_after,
)
from ritornello.composing.sampling_rules import RULES, Rule
from ritornello.composing.sampling_rules.dead_ends import leads_nowhere
from ritornello.composing.sampling_state import SamplingState
from ritornello.models.model import Model
from ritornello.representations.grid.augmentation import transposed
from ritornello.system.progress import Progress
from ritornello.system.threads import one_thread

Mask = npt.NDArray[np.bool_]
SHRINK_AT_ONE_IN = 8  # fewer ended songs stay in the batch: copying the others takes time too
MAX_ATTEMPTS = 8  # to compose a song to its end
LOG = logging.getLogger(__name__)


class SampledSong(NamedTuple):
    """The rows (N, F) of a song, and the mean negative log-likelihood of its free choices, in nats."""

    rows: npt.NDArray[np.int16]
    nats: float
    dead_end: str = ""
    """The field and the bar for which the hard rules left no class, so that the song ends; "" if complete."""


OnFinished = Callable[[int, SampledSong], None]
OnRow = Callable[[Sequence[SamplingState]], None]
"""Called after each row with the states of the songs in the batch."""


@one_thread()
def sample(
    model: Model,
    requests: Sequence[Request],
    params: SamplingParams,
    *,
    rules: Sequence[Rule] = RULES,
    measured: bool = False,
    progress: Progress | None = None,
    on_finished: OnFinished | None = None,
    on_row: OnRow | None = None,
) -> list[SampledSong]:
    """Compose the requested songs in one batch; without `measured` their nats are 0. Raises ModelError.

    A song that comes to a dead end in each of MAX_ATTEMPTS attempts ends there; the longest one is kept, and
    a warning is logged. `on_finished` gets each song and its number in `requests` as soon as it is done.
    """

    def report(number: int, song: SampledSong, is_last_attempt: bool = False) -> None:
        if on_finished and (is_last_attempt or not song.dead_end):
            on_finished(number, song)

    songs = _Batch(model, requests, params, rules, measured).sample(progress, report, on_row)
    for attempt in range(1, MAX_ATTEMPTS):
        failed = [index for index, song in enumerate(songs) if song.dead_end]
        if not failed:
            break
        again = _Batch(model, [requests[index] for index in failed], params, rules, measured, attempt)
        new_songs = again.sample(progress, _renumbered(report, failed), on_row)
        for index, song in zip(failed, new_songs, strict=True):
            LOG.info("song %d, attempt %d: %s", requests[index].song + 1, attempt, songs[index].dead_end)
            if not song.dead_end or len(song.rows) > len(songs[index].rows):
                songs[index] = song
    for number, (request, song) in enumerate(zip(requests, songs, strict=True)):
        if song.dead_end:
            report(number, song, is_last_attempt=True)
            LOG.warning(
                "song %d ends early: %s in each of %d attempts",
                request.song + 1,
                song.dead_end,
                MAX_ATTEMPTS,
            )
    return songs


def _renumbered(report: OnFinished, numbers: Sequence[int]) -> OnFinished:
    """Return `report` for songs that have the numbers `numbers`, called with their places among these."""
    return lambda place, song: report(numbers[place], song)


class _Batch:
    """Songs that are composed together; `songs` (B,) are the numbers of those still in the batch."""

    def __init__(
        self,
        model: Model,
        requests: Sequence[Request],
        params: SamplingParams,
        rules: Sequence[Rule],
        measured: bool,
        attempt: int = 0,
    ) -> None:
        representation, self.step = model.representation, model.step()
        fields = getattr(self.step, "fields", representation.fields)  # older models lack some known fields
        choices = [field.name for field in fields if field.kind == "choice"]
        first_choice = next(index for index, field in enumerate(fields) if field.kind == "choice")
        self.known_first = [field.name for field in fields[:first_choice]]
        self.later_fields = fields[first_choice:]
        self.choice_index = {name: index for index, name in enumerate(choices)}
        self.rules = {name: [rule for rule in rules if rule.field == name] for name in choices}
        self.params, self.measured = params, measured
        self.framed = [framed(model, request) for request in requests]
        inputs = ((r.timeline, r.given, r.prompt) for r, _ in self.framed)
        timelines, given, prompts = zip(*inputs, strict=True)
        self.cursor = representation.cursor(timelines, given, prompts)
        # only the cursor of `notes` has states of songs, which the rules need
        song_states = getattr(self.cursor, "songs", ())
        self.states = [
            SamplingState(framed.request, song)
            for framed, song in zip(self.framed, song_states, strict=False)
        ]
        self.songs = np.arange(len(requests))
        self.dead_ends: dict[int, str] = {}  # by song
        self.hard_rules = [rule for rule in rules if rule.is_hard]
        numbers = [(request.seed, request.song) for request in requests]
        self.uniforms = Uniforms(numbers, len(choices), attempt)
        self.nats = np.zeros((2, len(requests)))  # of each song: the sum, and the number of free choices
        self.step.start(np.stack([model.plan_encoder.vector(request.plan) for request in requests]))

    def sample(
        self, progress: Progress | None, on_finished: OnFinished, on_row: OnRow | None = None
    ) -> list[SampledSong]:
        """Compose all songs, each to its end or to a dead end; `on_finished` gets each with its number."""
        count, row = len(self.songs), 0
        finished: dict[int, SampledSong] = {}
        while len(finished) < count:
            new = self.remove_finished()
            finished |= new
            for number, song in new.items():
                on_finished(number, song)
            if len(self.songs):
                self.sample_row(row)
                if on_row:
                    on_row(self.states)
            row += 1
            if progress:
                progress(len(finished), count, f"composing  row {row}")
        return [finished[song] for song in range(count)]

    @property
    def finished_songs(self) -> Mask:
        """A mask (B,) of songs that need no more rows: at END, or after the last bar to redo."""
        finished: Mask = self.cursor.done
        for index, state in enumerate(self.states):
            finished[index] |= state.end_tick < state.song.end_tick and state.song.clock >= state.end_tick
        return finished

    def remove_finished(self) -> dict[int, SampledSong]:
        """Remove ended songs, if they are all or enough (SHRINK_AT_ONE_IN), and return them by number."""
        finished = self.finished_songs
        count = np.count_nonzero(finished)
        can_shrink = hasattr(self.step, "keep") and hasattr(self.cursor, "keep")
        if not count or (
            count < len(finished) and not (can_shrink and SHRINK_AT_ONE_IN * count >= len(finished))
        ):
            return {}
        removed = {}
        for index in np.flatnonzero(finished).tolist():
            song = int(self.songs[index])
            nats = self.nats[0, song] / max(self.nats[1, song], 1)
            rows = _in_own_key(self.cursor.rows(index), self.framed[song])
            removed[song] = SampledSong(rows, float(nats), self.dead_ends.get(song, ""))
        remaining = np.flatnonzero(~finished)
        self.songs = self.songs[remaining]
        if len(remaining):
            self.step.keep(remaining)
            self.cursor.keep(remaining.tolist())
            self.states = [self.states[index] for index in remaining.tolist()]
        return removed

    def sample_row(self, row: int) -> None:
        """Sample one row of each song."""
        cursor, step = self.cursor, self.step
        step.begin({name: cursor.known(name) for name in self.known_first})
        for state in self.states:
            state.update()
        uniforms, finished = self.uniforms.row(row)[self.songs], self.finished_songs
        for field in self.later_fields:
            if field.kind == "known":
                step.put(field.name, cursor.known(field.name))
                continue
            allowed: Mask = cursor.allowed(field.name)  # (B, size + 1)
            values = allowed.argmax(axis=1)
            free = np.flatnonzero((np.add.reduce(allowed, axis=1) > 1) & ~finished)
            if len(free):
                values[free] = self._sample_field(
                    field.name, allowed, free, uniforms[:, self.choice_index[field.name]]
                )
            cursor.put(field.name, values)
            step.put(field.name, values)
        step.advance()

    def _sample_field(
        self, name: str, allowed: Mask, free: npt.NDArray[np.intp], uniforms: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:
        """Draw a class for each of the songs `free`, which have more than one to choose from."""
        logits: Logits = self.step.logits(name)
        if len(free) < len(allowed):
            logits, allowed, uniforms = logits[free], allowed[free], uniforms[free]
        for row, song in enumerate(free.tolist()):
            given = self.states[song].song.next_given(name) if self.states else None
            if given is not None:  # the given note comes before everything that would come after it
                logits[row, given] = np.logaddexp.reduce(logits[row, given:])
        ruled = np.where(allowed[:, :-1], logits, FORBIDDEN)
        has_rules = self.states and self.rules[name]
        if has_rules:
            self._apply_rules(name, ruled, free.tolist())
        values = draw_classes(ruled, self.params.temperature[name], self.params.top_p[name], uniforms)
        if has_rules:
            for row, song in enumerate(free.tolist()):
                if not self.states[song].song.done:
                    values[row] = self._class_that_leads_on(
                        name, ruled[row], song, int(values[row]), uniforms[row]
                    )
        if self.measured:
            self.nats[:, self.songs[free]] += _nats_of_draws(logits, values)
        return values

    def _apply_rules(self, name: str, logits: Logits, songs: Sequence[int]) -> None:
        """Add the biases of the rules of a field to the logits (n, size) of n songs.

        A song ends if no class is left; its logits are then 0.
        """
        for row, song in enumerate(songs):
            self.states[song].observe_logits(name, logits[row])
            biases = [rule.bias(self.states[song]) for rule in self.rules[name]]
            for bias in biases:
                if bias is not None:
                    logits[row] += bias
            if np.maximum.reduce(logits[row]) == FORBIDDEN:
                self._end_song(song, name)
                logits[row] = 0

    def _class_that_leads_on(self, name: str, logits: Logits, song: int, value: int, uniform: float) -> int:
        """Return the class drawn for a song; for a dead end, draw another one from its logits (size,)."""
        while leads_nowhere(self.states[song], name, value, self.hard_rules):
            logits[value] = FORBIDDEN
            if np.maximum.reduce(logits) == FORBIDDEN:
                self._end_song(song, name)
                break
            uniform = number_after(uniform)
            temperature, top_p = self.params.temperature[name], self.params.top_p[name]
            value = int(draw_classes(logits[None], temperature, top_p, np.array([uniform]))[0])
        return value

    def _end_song(self, song: int, field: str) -> None:
        """End a song for which the hard rules leave no class of a field, without its present row."""
        state = self.states[song].song
        state.done = True
        self.dead_ends[int(self.songs[song])] = f"the rules leave no {field} in bar {state.bar + 1}"


def _in_own_key(rows: npt.NDArray[np.int16], framed: FramedRequest) -> npt.NDArray[np.int16]:
    """Return sampled rows (N, F) in the key of the song."""
    return transposed(rows, -framed.semitones) if framed.semitones else rows


def _nats_of_draws(logits: Logits, values: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return (2, B): the negative log-likelihood of each drawn value (B,) in nats, and its count, 1."""
    top = logits.max(axis=1)
    total = np.exp(logits - top[:, None]).sum(axis=1)
    nats = top + np.log(total) - logits[np.arange(len(values)), values]
    return np.stack([nats, np.ones(len(values))])
