"""Choose the best of several songs: the one that agrees best with its own plan.

The critic computes chords, returns, phrases and textures from the notes of a song, as training does for human
songs, and compares them with those of the song's plan. It uses no human song and no network. It measures
nothing that `evaluation` measures, so that `judge` can show whether it helps: it compares where phrases end,
for example, but not whether they end on the tonic.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.generate import OnSong
from ritornello.composing.request import request_for
from ritornello.composing.song import Song
from ritornello.music.score import Score
from ritornello.music.sketch import NO_CADENCE, UNKNOWN
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.chords import beat_edges
from ritornello.representations.grid.texture import Texture
from ritornello.representations.grid.vocabulary import DRUM_PART, PITCHES, note_classes, part_pitch
from ritornello.representations.notes import Notes
from ritornello.representations.repetition.form import similarities, similarity_classes
from ritornello.representations.table import SamplesItself

Ints = npt.NDArray[np.int64]
NOTES = Notes()
OCTAVE = 12  # semitones; a part whose mean pitch is so far from the planned one scores 0, as if it rested


class Agreement(NamedTuple):
    """How well a song agrees with its plan, 0-1 each; None where the plan is open."""

    chords: float | None = None
    """The share of beats with the planned chord."""
    returns: float | None = None
    """The share of bars that repeat the planned bar at least as closely as planned, or no bar if none is."""
    phrases: float | None = None
    """The F-score of phrase ends: twice the common ones, divided by the sum of planned and composed ones."""
    textures: float | None = None
    """The mean over parts and bars of the share of planned notes, less for a part in another register."""


class BestOfEach:
    """Collects the candidates of each song, and passes on the best one when all of them are composed.

    It is called with a number and a song: number n is candidate `n % candidates` of song `n // candidates`.
    """

    def __init__(self, candidates: int, on_song: OnSong | None = None) -> None:
        self._candidates, self._on_song = candidates, on_song
        self._waiting: dict[int, dict[int, Song]] = defaultdict(dict)
        self._best: dict[int, Song] = {}

    def __call__(self, number: int, song: Song) -> None:
        """Take a candidate that was composed."""
        place, candidate = divmod(number, self._candidates)
        self._waiting[place][candidate] = song
        if len(self._waiting[place]) < self._candidates:
            return
        rivals = self._waiting.pop(place)
        self._best[place] = best_of([rivals[candidate] for candidate in range(self._candidates)])
        if self._on_song:
            self._on_song(place, self._best[place])

    @property
    def songs(self) -> list[Song]:
        """The best song of each number."""
        return [self._best[place] for place in sorted(self._best)]


def best_of(songs: Sequence[Song]) -> Song:
    """Return the song whose mean agreement with its plan is highest, the first of equals.

    Only values that all songs have are averaged; without any, the first song is the best.
    """
    if len(songs) == 1:
        return songs[0]
    agreements = [agreement(song) for song in songs]
    compared = [column for column in zip(*agreements, strict=True) if None not in column]
    return songs[int(np.argmax(np.mean(compared, axis=0)))] if compared else songs[0]


def agreement(song: Song) -> Agreement:
    """Return how well a song agrees with its plan, in the bars and parts in which notes were composed.

    The chords, and the bars that others repeat, include given notes.
    """
    recipe = song.recipe
    if isinstance(recipe.representation, SamplesItself):
        return Agreement()
    request = request_for(recipe.plan, recipe.seed, recipe.song, recipe.given)
    score = replace(recipe.representation.decode(recipe.rows, recipe.plan), chords=())
    score = NOTES.canonical(score)[0]
    planned, composed = request.timeline, NOTES.timeline(score)
    first = int(planned.bar_of(request.first_tick))
    return Agreement(
        _chords(planned, composed, request.first_tick),
        _returns(planned, score, first),
        _phrases(planned, composed, first),
        _textures(planned, composed, request.parts, first),
    )


def _chords(planned: Timeline, composed: Timeline, first_tick: int) -> float | None:
    """Return the share of beats from a tick on with the planned chord."""
    beats = beat_edges(planned)[:-1]
    chords = [_chords_at(timeline, beats[beats >= first_tick]) for timeline in (planned, composed)]
    pairs = [pair for pair in zip(*chords, strict=True) if pair[0] is not None]
    return sum(plan == song for plan, song in pairs) / len(pairs) if pairs else None


def _chords_at(timeline: Timeline, ticks: Ints) -> list[tuple[int, str] | None]:
    """Return the chord (root, kind) at each of `ticks` (T,), None before the first."""
    onsets = [chord.onset_ticks for chord in timeline.chords]
    chords = [None, *((chord.root, chord.kind) for chord in timeline.chords)]
    return [chords[number] for number in np.searchsorted(onsets, ticks, side="right").tolist()]


def _returns(planned: Timeline, score: Score, first: int) -> float | None:
    """Return the share of bars from `first` on that repeat what is planned; bar 0 does not count."""
    onset, part, pitch, *_ = note_classes(score)
    classes = similarity_classes(similarities(planned, len(planned), onset, part_pitch(part, pitch)))
    origin, similarity = planned.returns_to, planned.similarity
    bars = np.arange(len(planned))
    agrees = np.where(origin >= 0, classes[bars, origin] >= similarity, classes.max(axis=1) == 0)
    counted = (bars >= max(first, 1)) & (similarity >= 0)
    return float(agrees[counted].mean()) if counted.any() else None


def _phrases(planned: Timeline, composed: Timeline, first: int) -> float | None:
    """Return the F-score of phrase ends in the bars from `first` on."""
    if planned.sketch is None or not planned.sketch.cadences:
        return None
    plan = np.array(planned.sketch.cadences[: len(planned)])
    song = np.zeros_like(plan)
    cadences = composed.sketch.cadences if composed.sketch else ()
    song[: len(cadences)] = cadences[: len(plan)]
    counted = (np.arange(len(plan)) >= first) & (plan != UNKNOWN)
    ends = [(cadence > NO_CADENCE) & counted for cadence in (plan, song)]
    total = int(ends[0].sum() + ends[1].sum())
    return 2 * int((ends[0] & ends[1]).sum()) / total if total else None


def _textures(
    planned: Timeline, composed: Timeline, parts: tuple[int, ...] | None, first: int
) -> float | None:
    """Return the mean over `parts` (None: all) and the bars from `first` on in which they play or should."""
    plan, song = Texture(planned), Texture(composed)
    shares = [np.zeros(0)]
    for number, part in enumerate(plan.parts):
        if parts is not None and part not in parts:
            continue
        planned_notes, planned_pitch = plan.notes[number], plan.pitch[number]
        notes, pitch = np.zeros_like(planned_notes), np.full_like(planned_pitch, PITCHES)
        if part in song.parts:
            row = song.parts.index(part)
            size = min(len(notes), len(song.notes[row]))
            notes[:size], pitch[:size] = song.notes[row][:size], song.pitch[row][:size]
        most = np.maximum(notes, planned_notes)
        share = np.minimum(notes, planned_notes) / np.maximum(most, 1)
        has_pitches = (pitch < PITCHES) & (planned_pitch < PITCHES) & (part != DRUM_PART)
        distance = np.where(has_pitches, np.abs(pitch - planned_pitch), 0)
        share *= np.maximum(1 - distance / OCTAVE, 0)
        counted = (np.arange(len(notes)) >= first) & (planned_notes != UNKNOWN) & (most > 0)
        shares.append(share[counted])
    all_shares = np.concatenate(shares)
    return float(all_shares.mean()) if len(all_shares) else None


def most_typical(songs: list[Song], best: int) -> list[Song]:
    """Return the `best` songs whose mean negative log-likelihood is closest to the median of all songs."""
    median = float(np.median([song.nats for song in songs]))
    return sorted(songs, key=lambda song: abs(song.nats - median))[:best]
