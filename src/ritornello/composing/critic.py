"""Choose the best of several songs: the one that keeps its own plan best.

The critic reads chords, returns, phrases and textures off the notes of a song, as training reads them off
human songs, and compares them with those of the song's plan. It uses no human song and no network, and
measures nothing that `evaluation` measures, so that `judge` can say whether it helps: of a phrase it counts
where it ends, not whether that is on the tonic.
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
OCTAVE = 12  # semitones; a part that lies so far from its register is as wrong as one that rests


class Agreement(NamedTuple):
    """How well a song keeps its plan, 0-1 each; None where the plan says nothing."""

    chords: float | None = None
    """The share of beats with the planned chord."""
    returns: float | None = None
    """The share of bars that repeat the planned bar as closely as planned or more, or none as planned."""
    phrases: float | None = None
    """Phrase ends in planned bars: twice their number divided by that of planned and of found ends."""
    textures: float | None = None
    """The mean over parts and bars of the share of planned notes, less for a part in another register."""


class BestOfEach:
    """Takes the songs composed for each number as they are done, and passes on the best one of each.

    Song `number` of all is candidate `number % candidates` of song `number // candidates`.
    """

    def __init__(self, candidates: int, on_song: OnSong | None = None) -> None:
        self._candidates, self._on_song = candidates, on_song
        self._waiting: dict[int, dict[int, Song]] = defaultdict(dict)
        self._best: dict[int, Song] = {}

    def __call__(self, number: int, song: Song) -> None:
        """Take a song that is done."""
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

    Only what the plans of all songs say is compared; if that is nothing, the first song is the best.
    """
    if len(songs) == 1:
        return songs[0]
    found = [agreement(song) for song in songs]
    compared = [column for column in zip(*found, strict=True) if None not in column]
    return songs[int(np.argmax(np.mean(compared, axis=0)))] if compared else songs[0]


def agreement(song: Song) -> Agreement:
    """Return how well a song keeps its plan, in the bars and parts in which notes were composed.

    Given notes belong to the chords and to the bars that others repeat.
    """
    recipe = song.recipe
    if isinstance(recipe.representation, SamplesItself):
        return Agreement()
    request = request_for(recipe.plan, recipe.seed, recipe.song, recipe.given)
    score = replace(recipe.representation.decode(recipe.rows, recipe.plan), chords=())
    score = NOTES.canonical(score)[0]
    planned, found = request.timeline, NOTES.timeline(score)
    first = int(planned.bar_of(request.first_tick))
    return Agreement(
        _chords(planned, found, request.first_tick),
        _returns(planned, score, first),
        _phrases(planned, found, first),
        _textures(planned, found, request.parts, first),
    )


def _chords(planned: Timeline, found: Timeline, first_tick: int) -> float | None:
    """The share of beats from a tick on with the planned chord."""
    beats = beat_edges(planned)[:-1]
    chords = [_chords_at(timeline, beats[beats >= first_tick]) for timeline in (planned, found)]
    pairs = [pair for pair in zip(*chords, strict=True) if pair[0] is not None]
    return sum(ours == theirs for ours, theirs in pairs) / len(pairs) if pairs else None


def _chords_at(timeline: Timeline, ticks: Ints) -> list[tuple[int, str] | None]:
    """The chord at each of `ticks` (T,), None before the first."""
    onsets = [chord.onset_ticks for chord in timeline.chords]
    chords = [None, *((chord.root, chord.kind) for chord in timeline.chords)]
    return [chords[number] for number in np.searchsorted(onsets, ticks, side="right").tolist()]


def _returns(planned: Timeline, score: Score, first: int) -> float | None:
    """The share of bars from `first` on that repeat what is planned; bar 0 has nothing to repeat."""
    onset, part, pitch, *_ = note_classes(score)
    classes = similarity_classes(similarities(planned, len(planned), onset, part_pitch(part, pitch)))
    origin, wanted = planned.returns_to, planned.similarity
    bars = np.arange(len(planned))
    is_kept = np.where(origin >= 0, classes[bars, origin] >= wanted, classes.max(axis=1) == 0)
    counted = (bars >= max(first, 1)) & (wanted >= 0)
    return float(is_kept[counted].mean()) if counted.any() else None


def _phrases(planned: Timeline, found: Timeline, first: int) -> float | None:
    """Twice the phrase ends in both, divided by the sum of those planned and found."""
    if planned.sketch is None or not planned.sketch.cadences:
        return None
    wanted = np.array(planned.sketch.cadences[: len(planned)])
    read = np.zeros_like(wanted)
    cadences = found.sketch.cadences if found.sketch else ()
    read[: len(cadences)] = cadences[: len(wanted)]
    counted = (np.arange(len(wanted)) >= first) & (wanted != UNKNOWN)
    ends = [(cadence > NO_CADENCE) & counted for cadence in (wanted, read)]
    total = int(ends[0].sum() + ends[1].sum())
    return 2 * int((ends[0] & ends[1]).sum()) / total if total else None


def _textures(planned: Timeline, found: Timeline, parts: tuple[int, ...] | None, first: int) -> float | None:
    """The mean over the composed parts and the bars from `first` on in which one plays or should."""
    wanted, read = Texture(planned), Texture(found)
    values = []
    for number, part in enumerate(wanted.parts):
        if parts is not None and part not in parts:
            continue
        notes, pitch = np.zeros_like(wanted.notes[number]), np.full_like(wanted.pitch[number], PITCHES)
        if part in read.parts:
            own = read.parts.index(part)
            size = min(len(notes), len(read.notes[own]))
            notes[:size], pitch[:size] = read.notes[own][:size], read.pitch[own][:size]
        most = np.maximum(notes, wanted.notes[number])
        share = np.minimum(notes, wanted.notes[number]) / np.maximum(most, 1)
        both = (pitch < PITCHES) & (wanted.pitch[number] < PITCHES) & (part != DRUM_PART)
        distance = np.where(both, np.abs(pitch - wanted.pitch[number]), 0)
        share *= np.maximum(1 - distance / OCTAVE, 0)
        counted = (np.arange(len(notes)) >= first) & (wanted.notes[number] != UNKNOWN) & (most > 0)
        values.append(share[counted])
    shares = np.concatenate(values) if values else np.zeros(0)
    return float(shares.mean()) if len(shares) else None


def most_typical(songs: list[Song], best: int) -> list[Song]:
    """The songs whose mean negative log-likelihood is closest to the median of all."""
    median = float(np.median([song.nats for song in songs]))
    return sorted(songs, key=lambda song: abs(song.nats - median))[:best]
