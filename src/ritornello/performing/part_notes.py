"""The notes of a part other than drums on a grid, and the inputs of the network of parts for each note."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, main_tempo
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.analysis import analysed, phrase_ticks
from ritornello.performing.grid_notes import (
    Floats,
    GridNotes,
    Ints,
    Recording,
    closeness,
    earlier_notes,
    follows_grid,
    is_off_grid,
    neighbours,
    places_of,
)
from ritornello.performing.manners import MANNERS
from ritornello.performing.rules import MELODIC_CHARGE, arch

INNER, BASS, TOP = range(3)  # the kind of a note: its place in its chord; a single note is at the top
NOTE_VALUES = np.array([1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8])  # beats
# A note is written up to the next chord of its part if it sounds for such a share of the time until then
LEAST_SHARE, MOST_SHARE = 0.4, 1.25
STYLES = tuple(sorted(MANNERS))
# A network learns from a performed part with at least this many notes, and this standard deviation of
# velocities; 29% of the parts of scraped files have a smaller one
FEWEST_NOTES, LEAST_DEVIATION = 50, 4.0


class SongGrid(NamedTuple):
    """The context that all parts of a song share; places are on the grid."""

    place: Ints  # (M,) of all notes except drums, in order
    pitch: Ints  # (M,) of the same notes
    drum_place: Ints  # sorted, without repeats
    bar_start: Ints
    phrase_start: Ints
    chord_start: Ints  # (C,)
    root: Ints  # (C,) pitch class of each chord's root
    bpm: float
    style: str

    @classmethod
    def of(cls, song: Score, phrases: Ints, style: str) -> SongGrid:
        """Return the context of a song with its chords; `phrases` (P + 1,) are ticks where phrases begin."""
        place = _places_by_part(song)
        is_drum = song.of_drums
        order = np.lexsort((song.pitch[~is_drum], place[~is_drum]))

        def places(ticks: npt.ArrayLike) -> Ints:
            return np.asarray(ticks, np.int64) * GRID // song.ticks_per_beat

        return cls(
            place[~is_drum][order],
            song.pitch[~is_drum][order].astype(np.int64),
            np.unique(place[is_drum]),
            np.unique(places(Timeline.of(song).start_ticks)),
            np.unique(places(phrases)),
            places([chord.onset_ticks for chord in song.chords]),
            np.array([chord.root for chord in song.chords], np.int64),
            main_tempo(song).bpm,
            style,
        )


def _places_by_part(song: Score) -> Ints:
    """The place (N,) of each note, found part by part, because each part has a player of its own."""
    place = np.zeros(len(song), np.int64)
    for part in np.unique(song.part).tolist():
        notes = np.flatnonzero(song.part == part)
        place[notes] = places_of(song.onset_ticks[notes] / song.ticks_per_beat)
    return place


def written_beats(place: Ints, length_beats: Floats) -> Floats:
    """Return the written lengths (N,) in beats of notes that sound for `length_beats`, in order of place.

    A note that lasts about until the next chord gets a length that reaches it; any other note gets the
    nearest of NOTE_VALUES.
    """
    starts = np.unique(place)
    following = np.searchsorted(starts, place, side="right")
    gap = (np.append(starts, 1 << 40)[following] - place) / GRID
    share = length_beats / gap
    values = NOTE_VALUES[np.abs(np.log(length_beats[:, None] / NOTE_VALUES)).argmin(axis=1)]
    return np.where((share >= LEAST_SHARE) & (share <= MOST_SHARE), gap, values)


def part_notes(place: Ints, pitch: Ints, written: Floats, program: int, grid: SongGrid) -> GridNotes:
    """Return the notes of a part from their places, pitches and written lengths (N,) in beats."""
    order = np.lexsort((pitch, place))
    place, pitch, written = place[order], pitch[order], written[order]
    starts, first, chord, size = np.unique(place, return_index=True, return_inverse=True, return_counts=True)
    rank, size = np.arange(len(place)) - first[chord], size[chord]
    kind = np.where(rank == size - 1, TOP, np.where(rank == 0, BASS, INNER))
    earlier, described = earlier_notes(place, kind, grid.bar_start, 3)
    gap = (np.append(starts, starts[-1:] + GRID)[chord + 1] - place) / GRID
    gap_before = (place - np.append(starts[:1] - GRID, starts)[chord]) / GRID
    columns = [
        rank / 4, (size - 1 - rank) / 4, size / 4, size == 1, pitch / 24 - 2.5, (pitch - pitch.mean()) / 12,
        np.log2(written), np.log2(gap), np.log2(gap_before), np.clip(written / gap, 0, 4),
        np.abs(written - gap) < 1 / GRID,
    ]  # fmt: skip
    columns += _contour(pitch, first, chord) + _other_parts(place, pitch, grid)
    one_hot = [np.eye(3)[kind], np.eye(16)[np.full(len(place), program // 8)]]
    style = np.full(len(place), STYLES.index(grid.style) if grid.style in STYLES else len(STYLES))
    features = [
        *_metre(place, grid), *one_hot, np.eye(len(STYLES) + 1)[style], *neighbours(place, kind, 3),
        _harmony(place, pitch, grid), np.stack(columns, axis=1), *described,
    ]  # fmt: skip
    return GridNotes(place, kind, np.concatenate(features, axis=1, dtype=np.float32), earlier, order)


def _metre(place: Ints, grid: SongGrid) -> list[npt.NDArray[np.float64]]:
    """Features (N, F) of the place in beat, bar, phrase and song, and of density and tempo."""
    bar = np.maximum(np.searchsorted(grid.bar_start, place, side="right") - 1, 0)
    within = place - grid.bar_start[bar]
    edges = grid.phrase_start
    phrase = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, max(len(edges) - 2, 0))
    share = (place - edges[phrase]) / np.maximum(
        edges[np.minimum(phrase + 1, len(edges) - 1)] - edges[phrase], 1
    )
    end = edges[np.minimum(phrase + 1, len(edges) - 1)]
    plain = [
        within / GRID / 4, bar == 0, bar == bar.max(initial=0), np.bincount(bar)[bar] / 16,
        arch(place, edges) if len(edges) > 1 else place * 0.0, np.clip(share, 0, 1),
        closeness(place - edges[phrase]), closeness(end - place),
        np.full(len(place), np.log2(grid.bpm / 120)),
    ]  # fmt: skip
    return [np.eye(GRID)[within % GRID], np.eye(8)[np.minimum(within // GRID, 7)], np.stack(plain, axis=1)]


def _harmony(place: Ints, pitch: Ints, grid: SongGrid) -> npt.NDArray[np.float64]:
    """Features (N, 15): semitones above the root, or no chord; melodic charge; how near the chord begins."""
    at = np.searchsorted(grid.chord_start, place, side="right") - 1
    above = np.where((at >= 0) & (len(grid.root) > 0), (pitch - np.append(grid.root, 0)[at]) % 12, 12)
    charge = np.append(MELODIC_CHARGE, 0.0)[above] / 6.5
    near = np.where(at >= 0, closeness(place - np.append(grid.chord_start, 0)[at]), 0.0)
    return np.asarray(np.concatenate([np.eye(13)[above], charge[:, None], near[:, None]], axis=1))


def _contour(pitch: Ints, first: Ints, chord: Ints) -> list[Floats]:
    """Features: the interval in octaves from and to the tops of the chords around, peaks, and repetition."""
    top = pitch[np.append(first[1:], len(pitch)) - 1]
    before, after = (np.clip(top - np.roll(top, by), -24, 24) for by in (1, -1))
    before[:1], after[-1:] = 0, 0
    last, repeats = np.full(128, -9), np.zeros(len(pitch))
    for note, (key, number) in enumerate(zip(pitch.tolist(), chord.tolist(), strict=True)):
        repeats[note] = last[key] == number - 1
        last[key] = number
    columns = [before / 12, after / 12, np.sign(before), np.sign(after), (before > 0) & (after > 0)]
    return [column[chord] for column in columns] + [repeats]


def _other_parts(place: Ints, pitch: Ints, grid: SongGrid) -> list[Floats]:
    """Features: notes of all parts at the place, whether a note is the highest or lowest of them, drums."""
    starts, first, count = np.unique(grid.place, return_index=True, return_counts=True)
    at = np.minimum(np.searchsorted(starts, place), len(starts) - 1)
    lowest, highest = grid.pitch[first][at], grid.pitch[first + count - 1][at]
    alone, drums = (len(np.unique(place)) / max(len(starts), 1), np.isin(place, grid.drum_place))
    return [count[at] / 8, pitch >= highest, pitch <= lowest, np.full(len(place), alone), drums]


class PerformedParts(NamedTuple):
    """The performed parts of a song, as recordings, and how many follow no grid."""

    recordings: list[Recording]
    without_grid: int


def performed_parts(score: Score, style: str = "") -> PerformedParts:
    """Return the parts of a song other than drums that were performed, not quantised.

    The values of each note are its velocity minus the mean of the part; its offset in beats minus the mean of
    the part, which depends more on the delay of an instrument than on the player; and its length divided by
    the written length. Parts whose velocities hardly vary, or with few notes, are left out.
    """
    played, without = performed_numbers(score)
    if not played:
        return PerformedParts([], without)
    song, cadences = analysed(score)
    grid = SongGrid.of(song, phrase_ticks(song, cadences), style)
    return PerformedParts([recording_of(song, part, grid) for part in played], without)


def performed_numbers(score: Score) -> tuple[list[int], int]:
    """Return the numbers of the parts of `performed_parts`, and how many more follow no grid."""
    played, without = [], 0
    for part in np.unique(score.part[~score.of_drums]).tolist():
        notes = np.flatnonzero(score.part == part)
        beats = score.onset_ticks[notes] / score.ticks_per_beat
        if len(notes) < FEWEST_NOTES or not is_off_grid(beats):
            continue
        if not follows_grid(beats):
            without += 1
        elif score.velocity[notes].std() >= LEAST_DEVIATION:
            played.append(part)
    return played, without


def kept_notes(song: Score, part: int) -> Ints:
    """Return the indices of the notes of a part; of notes with the same place and pitch the loudest."""
    notes = np.flatnonzero(song.part == part)
    place = places_of(song.onset_ticks[notes] / song.ticks_per_beat)
    loudest_first = np.lexsort((-song.velocity[notes].astype(np.int64), song.pitch[notes], place))
    _, first = np.unique((place * 128 + song.pitch[notes])[loudest_first], return_index=True)
    return notes[np.sort(loudest_first[first])]


def recording_of(song: Score, part: int, grid: SongGrid) -> Recording:
    """Return a part of a song as it was played; `performed_parts` describes the values."""
    notes = kept_notes(song, part)
    beats = song.onset_ticks[notes] / song.ticks_per_beat
    place, pitch = places_of(beats), song.pitch[notes].astype(np.int64)
    length = song.duration_ticks[notes] / song.ticks_per_beat
    written = written_beats(place, length)
    inputs = part_notes(place, pitch, written, song.parts[part].program, grid)
    velocity, offset = song.velocity[notes].astype(np.float64), beats - place / GRID
    values = {
        "velocity": velocity - velocity.mean(),
        "offset": offset - offset.mean(),
        "length": length / written,
    }
    return Recording(inputs, {name: column[inputs.order] for name, column in values.items()})
