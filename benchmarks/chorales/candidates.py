"""Two candidates for the next frame of a chorale, which the network of `jsb` reads.

    echo     the frame after the same 4, 8, 16 or 32 frames, earlier in the song
    memory   the frame after the same soprano line of 16, 24, 32, 48 or 64 frames, in any key: earlier in the
             song, or in a training song, since Bach set many melodies several times

A candidate is a row of six numbers: its prediction of soprano, bass, tenor and alto (classes of the
representation `chorale`; SIZE if it has none), the level of the match (0 none, 1 the shortest, ...), and how
many times in a row it was right (log2 of the count + 1, at most 5). Both look only at frames before the
predicted one. Memory keeps the training songs, as nearest-neighbour language models do (Khandelwal et al.
2020, arXiv 1911.00172); a training song is left out of the search for its own candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.representations.chorale import SIZE

Ints = npt.NDArray[np.int64]
Place = tuple[int, int]  # number of a song (-1: the song itself), frame in it

ECHO_FRAMES = (4, 8, 16, 32)
MEMORY_FRAMES = (16, 24, 32, 48, 64)
LEVEL, RUN, COLUMNS = 4, 5, 6  # columns after the four predictions, and how many columns there are
RUNS = 6
COMPARED_FRAMES = 32  # before a place of a training song, compared with the frames of this song
MAX_PLACES = 24  # of a melody, the latest of which are compared


def echo(song: Ints) -> Ints:
    """The candidates (N, 6) of the kind echo for a song (N, 4)."""
    found, frames = _nothing(len(song)), [tuple(frame) for frame in song.tolist()]
    seen: list[dict[Any, int]] = [{} for _ in ECHO_FRAMES]
    run = 0
    for now in range(1, len(song)):
        run = run + 1 if found[now - 1, LEVEL] and tuple(found[now - 1, :LEVEL]) == frames[now - 1] else 0
        for level, (length, places) in enumerate(zip(ECHO_FRAMES, seen, strict=True), start=1):
            past = tuple(frames[now - length : now]) if now >= length else ()
            if past in places and len(set(past)) > (
                1 if length == 4 else 2
            ):  # one long chord predicts nothing
                found[now, :LEVEL], found[now, LEVEL] = song[places[past]], level
            if past:
                places[past] = now
        if found[now, LEVEL]:
            found[now, RUN] = _run(run)
    return found


class Memory:
    """The training songs, (N, 4) each, indexed by their soprano lines."""

    def __init__(self, songs: Sequence[Ints]) -> None:
        self.songs = list(songs)
        self.places: list[dict[bytes, list[Place]]] = [{} for _ in MEMORY_FRAMES]
        for number, song in enumerate(self.songs):
            for places, length in zip(self.places, MEMORY_FRAMES, strict=True):
                for now in range(length, len(song)):
                    _add(places, _melody(song, now, length), (number, now))

    def candidates(self, song: Ints, itself: int | None = None) -> Ints:
        """The candidates (N, 6) for a song (N, 4); `itself` is its number if it is a training song."""
        found = _nothing(len(song))
        own_places: list[dict[bytes, list[Place]]] = [{} for _ in MEMORY_FRAMES]
        run = 0
        for now in range(1, len(song)):
            if not found[now - 1, LEVEL]:
                run = 0
            elif found[now - 1, 0] < SIZE:
                run = run + 1 if found[now - 1, 0] == song[now - 1, 0] else 0
            melodies = [_melody(song, now, length) for length in MEMORY_FRAMES]
            for level in range(len(MEMORY_FRAMES), 0, -1):
                melody = melodies[level - 1]
                known = [place for place in self.places[level - 1].get(melody, ()) if place[0] != itself]
                known += own_places[level - 1].get(melody, [])
                if known:
                    found[now] = [*self._best(song, now, known), level, _run(run)]
                    break
            for places, melody in zip(own_places, melodies, strict=True):
                _add(places, melody, (-1, now))
        return found

    def _best(self, song: Ints, now: int, places: Iterable[Place]) -> list[int]:
        """The frame, in this song's key, after the place whose last frames are most similar in all voices."""
        guess, highest = [SIZE] * 4, -1
        for number, place in list(places)[-MAX_PLACES:]:
            other = song if number < 0 else self.songs[number]
            up = int(song[now - 1, 0] - other[place - 1, 0])
            count = min(COMPARED_FRAMES, now, place)
            past = other[place - count : place]
            similarity = 2 * int(((past + up == song[now - count : now]) & (past > 0)).sum()) + (up == 0)
            if similarity >= highest:
                highest = similarity
                guess = [_moved(pitch, up) for pitch in other[place].tolist()]
        return guess


def transpose_candidates(found: Ints, semitones: int) -> Ints:
    """Move the pitches that candidates (N, 6) predict by semitones."""
    moved: Ints = found.copy()
    guess = found[:, :LEVEL]
    moved[:, :LEVEL] = np.where((guess > 0) & (guess < SIZE), guess + semitones, guess)
    return moved


def _nothing(frames: int) -> Ints:
    return np.tile(np.array([SIZE] * 4 + [0, 0], np.int64), (frames, 1))


def _run(count: int) -> int:
    return min(RUNS - 1, int(np.log2(count + 1)))


def _moved(pitch: int, up: int) -> int:
    """A class moved by semitones: a rest stays a rest, and a pitch out of range becomes SIZE."""
    if not 0 < pitch < SIZE:
        return pitch
    return pitch + up if 0 < pitch + up < SIZE else SIZE


def _melody(song: Ints, now: int, length: int) -> bytes:
    """The soprano before frame `now`, relative to its last pitch; empty if it rests or hardly moves."""
    past = song[max(0, now - length) : now, 0]
    if len(past) < length or (past == 0).any() or np.count_nonzero(np.diff(past)) < 3:
        return b""
    return bytes((past - past[-1]).astype(np.int8).tobytes())


def _add(places: dict[bytes, list[Place]], melody: bytes, place: Place) -> None:
    if melody:
        places.setdefault(melody, []).append(place)
