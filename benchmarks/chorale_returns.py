"""What returns in chorales: two candidates for the next frame, as `benchmarks/jsb.py` tells its network.

    echo     the frame that followed where the last 4, 8, 16 or 32 frames were the same, earlier in the song
    memory   the frame that followed where the soprano went the same way for 16, 24, 32, 48 or 64 frames, in
             any key: earlier in the song, or in a training song. Bach set many melodies several times.

A candidate is a row of six: its guess of soprano, bass, tenor and alto (`chorale`'s classes; SIZE: no guess),
the level of the match (0 none, 1 the shortest, ...), and how often in a row it has been right (log2 of the
count + 1, at most 5). Both look at what came before a frame, never at the frame or beyond. Memory keeps the
training songs as they are (as nearest neighbours do in Khandelwal et al., arXiv 1911.00172); a training song
does not see itself in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.representations.chorale import SIZE

Ints = npt.NDArray[np.int64]
Place = tuple[int, int]  # number of a song (-1: this one), frame in it

ECHO_FRAMES = (4, 8, 16, 32)
MEMORY_FRAMES = (16, 24, 32, 48, 64)
LEVEL, RUN, COLUMNS = 4, 5, 6  # after the four guesses
RUNS = 6
ALIKE_FRAMES = 32  # over which places of a training song are compared with this one
MOST_PLACES = 24


def echo(song: Ints) -> Ints:
    """The candidates (N, 6) from within a song (N, 4)."""
    found, frames = _nothing(len(song)), [tuple(frame) for frame in song.tolist()]
    seen: list[dict[Any, int]] = [{} for _ in ECHO_FRAMES]
    run = 0
    for now in range(1, len(song)):
        run = run + 1 if found[now - 1, LEVEL] and tuple(found[now - 1, :LEVEL]) == frames[now - 1] else 0
        for level, (length, places) in enumerate(zip(ECHO_FRAMES, seen, strict=True), start=1):
            past = tuple(frames[now - length : now]) if now >= length else ()
            if past in places and len(set(past)) > (1 if length == 4 else 2):  # one long chord says nothing
                found[now, :LEVEL], found[now, LEVEL] = song[places[past]], level
            if past:
                places[past] = now
        if found[now, LEVEL]:
            found[now, RUN] = _run(run)
    return found


class Memory:
    """The training songs, (N, 4) each, to be found again by their sopranos."""

    def __init__(self, songs: Sequence[Ints]) -> None:
        self.songs = list(songs)
        self.places: list[dict[bytes, list[Place]]] = [{} for _ in MEMORY_FRAMES]
        for number, song in enumerate(self.songs):
            for places, length in zip(self.places, MEMORY_FRAMES, strict=True):
                for now in range(length, len(song)):
                    _add(places, _melody(song, now, length), (number, now))

    def candidates(self, song: Ints, itself: int | None = None) -> Ints:
        """The candidates (N, 6) for a song (N, 4); `itself` is its number if it is one of the songs."""
        found = _nothing(len(song))
        heard: list[dict[bytes, list[Place]]] = [{} for _ in MEMORY_FRAMES]
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
                known += heard[level - 1].get(melody, [])
                if known:
                    found[now] = [*self._best(song, now, known), level, _run(run)]
                    break
            for places, melody in zip(heard, melodies, strict=True):
                _add(places, melody, (-1, now))
        return found

    def _best(self, song: Ints, now: int, places: Iterable[Place]) -> list[int]:
        """What followed, in this song's key, at the place whose last frames were most alike in all voices."""
        guess, most = [SIZE] * 4, -1
        for number, place in list(places)[-MOST_PLACES:]:
            other = song if number < 0 else self.songs[number]
            up = int(song[now - 1, 0] - other[place - 1, 0])
            count = min(ALIKE_FRAMES, now, place)
            past = other[place - count : place]
            alike = 2 * int(((past + up == song[now - count : now]) & (past > 0)).sum()) + (up == 0)
            if alike >= most:
                most = alike
                guess = [_moved(pitch, up) for pitch in other[place].tolist()]
        return guess


def transposed(found: Ints, semitones: int) -> Ints:
    """Candidates (N, 6) as they are for the song in another key."""
    moved: Ints = found.copy()
    guess = found[:, :LEVEL]
    moved[:, :LEVEL] = np.where((guess > 0) & (guess < SIZE), guess + semitones, guess)
    return moved


def _nothing(frames: int) -> Ints:
    return np.tile(np.array([SIZE] * 4 + [0, 0], np.int64), (frames, 1))


def _run(count: int) -> int:
    return min(RUNS - 1, int(np.log2(count + 1)))


def _moved(pitch: int, up: int) -> int:
    """A class moved by semitones: a rest stays, what leaves the range is no guess."""
    if not 0 < pitch < SIZE:
        return pitch
    return pitch + up if 0 < pitch + up < SIZE else SIZE


def _melody(song: Ints, now: int, length: int) -> bytes:
    """The soprano of the frames before `now`, from its last pitch; empty if it rests or hardly moves."""
    past = song[max(0, now - length) : now, 0]
    if len(past) < length or (past == 0).any() or np.count_nonzero(np.diff(past)) < 3:
        return b""
    return bytes((past - past[-1]).astype(np.int8).tobytes())


def _add(places: dict[bytes, list[Place]], melody: bytes, place: Place) -> None:
    if melody:
        places.setdefault(melody, []).append(place)
