"""Compute the sketch of a song from its notes: where and how phrases end, motifs, and textures.

The song is divided into phrases of 1-16 bars, so that the sum of scores is highest. The scores are for the
lengths of phrases, for long rests of the leading line at their ends, and for the edges of repeated sections.
The method follows Temperley's Grouper (The Cognition of Basic Musical Structures, 2001, chapter 3): gaps,
lengths, and parallel metrical places.
"""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.score import Score
from ritornello.music.sketch import (
    CLOSED,
    END,
    MAX_NOTES_OF_A_BAR,
    NO_CADENCE,
    NO_MOTIF,
    OPEN,
    UNKNOWN,
    Closing,
    Sketch,
)
from ritornello.music.theory import key_tonic
from ritornello.music.timeline import Timeline

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MAX_PHRASE_BARS = 16
# Scores of phrases by length in bars: log probabilities, chosen by eye on fiddle tunes, chorales, pop, games
LENGTH_SCORES = {1: -3.5, 2: -1.3, 3: -3.0, 4: -0.7, 5: -3.4, 6: -2.6, 7: -3.6, 8: -2.1, 12: -4.0, 16: -3.6}
OTHER_LENGTH_SCORE, TOO_LONG = -4.5, -9.0
REST_SCORE = 0.85  # times the standard deviations by which the line rests longer than in other bars
QUIET_WEIGHT = 0.5  # of the time without a new note in any part, relative to that in the leading line
SECTION_SCORE = 2.0  # for a bar line at which a repeated section of at least four bars begins or ends
MIN_NOTES_OF_A_MOTIF = 2
# The share of songs whose textures are blurred, and the standard deviations of ln(notes) and of pitch
BLURRED_SHARE, BLUR_OF_NOTES, BLUR_SEMITONES = 0.8, 0.35, 2.0


class LeadingLine(NamedTuple):
    """The highest note (n,) at each onset of the leading part: onset, ticks to the next one, pitch."""

    onset: Ints
    gap: Ints
    pitch: Ints


def compute_sketch(song: Score, timeline: Timeline) -> Sketch:
    """Return the sketch of a canonical song, whose timeline has chords and returns."""
    if not len(song):
        return Sketch()
    bars = timeline.bar_of(song.onset_ticks.astype(np.int64))
    textures = _textures(song, bars, len(timeline))
    line = _leading_line(song, bars, timeline)
    cadences, closings = _phrases(song, line, timeline)
    return Sketch(
        cadences=cadences,
        motifs=_motifs(line, timeline),
        parts=song.parts,
        textures=textures,
        closings=closings,
    )


def _textures(song: Score, bars: Ints, count: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return for each part and bar the number of notes and their mean pitch."""
    cell = song.part.astype(np.int64) * count + bars
    size = len(song.parts) * count
    notes = np.bincount(cell, minlength=size)
    total = np.bincount(cell, song.pitch, size).astype(np.int64)
    pitch = np.where(notes > 0, (2 * total + notes) // np.maximum(2 * notes, 1), UNKNOWN)  # halves go up
    pairs = list(zip(np.minimum(notes, MAX_NOTES_OF_A_BAR).tolist(), pitch.tolist(), strict=True))
    return tuple(tuple(pairs[first : first + count]) for first in range(0, size, count))


def _leading_line(song: Score, bars: Ints, timeline: Timeline) -> LeadingLine:
    """Return the highest notes of the leading part.

    Of the pitched parts that play in at least half as many bars as any other, it has the highest mean pitch.
    """
    count = len(song.parts)
    pitched = np.array([not part.is_drum for part in song.parts])
    part = song.part.astype(np.int64)
    played = np.bincount(np.unique(part * len(timeline) + bars) // len(timeline), minlength=count) * pitched
    if not played.any():
        return LeadingLine(*np.zeros((3, 0), np.int64))
    mean = np.bincount(part, song.pitch, count) / np.maximum(np.bincount(part, minlength=count), 1)
    lead = int(np.argmax(np.where(2 * played >= played.max(), mean, -1) * pitched))
    onset, pitch = (column[part == lead].astype(np.int64) for column in (song.onset_ticks, song.pitch))
    highest = np.append(np.diff(onset) > 0, True)
    onset, pitch = onset[highest], pitch[highest]
    return LeadingLine(onset, np.diff(onset, append=timeline.end_ticks), pitch)


def _motifs(line: LeadingLine, timeline: Timeline) -> tuple[int, ...]:
    """Return for each bar the first earlier bar with the same rhythm and contour of the leading line."""
    edges = np.searchsorted(line.onset, np.append(timeline.start_ticks, timeline.end_ticks)).tolist()
    bar = timeline.bar_of(line.onset)
    offset = (line.onset - timeline.start_ticks[bar]).astype(np.int16)
    rises = np.sign(np.diff(line.pitch, prepend=0)).astype(np.int8)
    first: dict[tuple[int, bytes, bytes], int] = {}  # by bar length, onsets and contour: the first such bar
    motifs = []
    for number, length in enumerate(timeline.length_ticks.tolist()):
        begin, end = edges[number], edges[number + 1]
        if end - begin < MIN_NOTES_OF_A_MOTIF:
            motifs.append(NO_MOTIF)
            continue
        motif = length, offset[begin:end].tobytes(), rises[begin + 1 : end].tobytes()
        origin = first.setdefault(motif, number)
        motifs.append(origin if origin < number else NO_MOTIF)
    return tuple(motifs)


def _phrases(
    song: Score, line: LeadingLine, timeline: Timeline
) -> tuple[tuple[int, ...], tuple[Closing, ...]]:
    """Return for each bar its cadence, and the closing note of the phrase that ends with it."""
    cadences = [NO_CADENCE] * len(timeline)
    pickup = _pickup_ticks(line, timeline)
    rests, notes = _rests(song, line, timeline, pickup)
    ends = _phrase_ends(REST_SCORE * rests + SECTION_SCORE * _sections(timeline), timeline, pickup)
    key = song.estimated_key
    is_closed = (
        _is_on_tonic(song, line, notes[ends], timeline, key_tonic(*key)) if key else np.zeros(len(ends), bool)
    )
    for bar, closed in zip(ends.tolist(), is_closed.tolist(), strict=True):
        cadences[bar] = CLOSED if closed else OPEN
    cadences[-1] = END
    notes[-1] = len(line.onset) - 1
    return tuple(cadences), _closings(line, timeline, ends, notes[ends])


def _closings(line: LeadingLine, timeline: Timeline, ends: Ints, notes: Ints) -> tuple[Closing, ...]:
    """Return for each bar its closing note, if that begins in the bar.

    `ends` (n,) are the last bars of phrases, `notes` (n,) their closing notes by their index in the line.
    """
    closings = [(UNKNOWN, UNKNOWN)] * len(timeline)
    for bar, note in zip(ends.tolist(), notes.tolist(), strict=True):
        ticks = int(line.onset[note] - timeline.start_ticks[bar]) if note >= 0 else UNKNOWN
        if 0 <= ticks < timeline.length_ticks[bar]:
            closings[bar] = ticks * GRID // timeline.ticks_per_beat, int(line.pitch[note]) % 12
    return tuple(closings)


def _pickup_ticks(line: LeadingLine, timeline: Timeline) -> int:
    """Return how many ticks before a bar line phrases begin: the length of the song's pickup, or 0.

    A pickup of more than half a bar counts as 0.
    """
    length = int(timeline.length_ticks[0])
    usual = int(np.median(timeline.length_ticks))
    first = int(line.onset[0]) if len(line.onset) else 0
    pickup = length - first if length < usual or 2 * first >= length else 0
    return pickup if 0 < 2 * pickup <= usual else 0


def _rests(song: Score, line: LeadingLine, timeline: Timeline, pickup: int) -> tuple[Floats, Ints]:
    """Return how much longer the line rests in each bar (bars,) than in others, and on which of its notes.

    A rest is the time from a note of the line to the next one, weighted with the longest time in it without
    a new note of any part. Rests are in standard deviations of their logarithms. Bars begin `pickup` ticks
    early.
    """
    bars = len(timeline)
    longest, note = np.zeros(bars), np.full(bars, -1)
    if not len(line.onset):
        return longest, note
    onset = np.unique(song.onset_ticks[~song.of_drums].astype(np.int64))
    quiet = np.maximum.reduceat(np.diff(onset, append=timeline.end_ticks), np.searchsorted(onset, line.onset))
    length = np.log2(line.gap) + QUIET_WEIGHT * np.log2(np.minimum(quiet, line.gap))
    order = np.argsort(length, kind="stable")
    bar = np.minimum(timeline.bar_of(line.onset[order] + pickup), bars - 1)
    longest[bar], note[bar] = length[order], order
    stop = timeline.start_ticks + timeline.length_ticks - pickup
    before = np.maximum(np.searchsorted(line.onset, stop) - 1, 0)
    empty = note < 0  # bars without an onset belong to the rest of the note before
    longest[empty], note[empty] = length[before[empty]], before[empty]
    longest = np.minimum(longest, np.median(longest) + 2)
    return (longest - longest.mean()) / max(float(longest.std()), 0.3), note


def _sections(timeline: Timeline) -> Floats:
    """Return for each bar (bars,) how clearly a repeated section ends with it or begins after it, 0-1."""
    clearness = np.zeros(len(timeline) + 1)  # of each bar line
    origins = timeline.returns_to
    edges = [0, *(np.flatnonzero(np.diff(origins) != 1) + 1).tolist(), len(origins)]
    for begin, end in pairwise(edges):
        origin, weight = int(origins[begin]), min((end - begin - 1) / 3, 1)
        if origin >= 0:
            lines = [begin, end, origin, origin + end - begin]
            clearness[lines] = np.maximum(clearness[lines], weight)
    return clearness[1:]


def _phrase_ends(scores: Floats, timeline: Timeline, pickup: int) -> Ints:
    """Return the last bars of the phrases, by the division with the highest total score.

    `scores` (bars,) are those of a phrase that ends with the bar, apart from its length.
    """
    lengths = np.full(2 * MAX_PHRASE_BARS + 1, OTHER_LENGTH_SCORE)
    lengths[list(LENGTH_SCORES)] = list(LENGTH_SCORES.values())
    lengths[[0, *range(MAX_PHRASE_BARS + 1, len(lengths))]] = TOO_LONG
    place = np.append(timeline.start_ticks, timeline.end_ticks) / np.median(timeline.length_ticks)
    if pickup:
        place[0] = place[1]  # the bar of the pickup does not count
    count = len(scores)
    best, origin = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        first = max(0, end - MAX_PHRASE_BARS)
        bars = np.minimum(np.rint(place[end] - place[first:end]).astype(np.int64), len(lengths) - 1)
        totals = best[first:end] + lengths[bars]
        at = int(totals.argmax())
        best[end], origin[end] = totals[at] + scores[end - 1], first + at
    ends, bar = [], count
    while bar > 0:
        ends.append(bar - 1)
        bar = int(origin[bar])
    return np.array(ends[::-1], np.int64)


def _is_on_tonic(
    song: Score, line: LeadingLine, notes: Ints, timeline: Timeline, tonic: int
) -> npt.NDArray[np.bool_]:
    """Whether phrases close on the tonic at `notes` (n,) of the line.

    At least two of the line, the lowest note that sounds and the root of the chord must be the tonic.
    """
    place = line.onset[notes]
    root = np.array([-1, *(chord.root for chord in timeline.chords)])
    chord = np.searchsorted([chord.onset_ticks for chord in timeline.chords], place, side="right")
    lowest = np.full(len(notes), 128)
    pitched = ~song.of_drums
    onset, pitch = song.onset_ticks[pitched].astype(np.int64), song.pitch[pitched].astype(np.int64)
    end = onset + song.duration_ticks[pitched]
    for number, tick in enumerate(place.tolist()):
        stop = int(np.searchsorted(onset, tick, side="right"))
        lowest[number] = pitch[:stop].min(where=end[:stop] > tick, initial=128)
    tones = np.stack([line.pitch[notes] % 12, np.where(lowest < 128, lowest % 12, -1), root[chord]])
    return np.asarray((tones == tonic).sum(axis=0) > 1)


def blurred(sketch: Sketch, draw: np.random.Generator) -> Sketch:
    """Return the sketch, for four songs in five with random deviations of its textures.

    A network that learns from exact textures relies on them too much: the textures of a drawn sketch fit the
    music less well. With exact textures 7 of 32 composed fiddle tunes ended on the tonic, without any 17. Ho
    et al. add noise to the condition of a diffusion model for the same reason (arXiv 2106.15282).
    """
    if draw.random() >= BLURRED_SHARE:
        return sketch
    textures = []
    for part, bars in zip(sketch.parts, sketch.textures, strict=True):
        notes, pitch = np.array(bars, np.int64).reshape(-1, 2).T
        scale = np.exp(draw.normal(0, BLUR_OF_NOTES, len(notes)))
        moved = np.rint(pitch + draw.normal(0, BLUR_SEMITONES, len(pitch))).astype(np.int64)
        notes = np.where(notes > 0, np.clip(np.rint(notes * scale), 1, MAX_NOTES_OF_A_BAR), notes)
        pitch = pitch if part.is_drum else np.where(pitch >= 0, np.clip(moved, 0, 127), pitch)
        textures.append(tuple(zip(notes.astype(int).tolist(), pitch.tolist(), strict=True)))
    return replace(sketch, textures=tuple(textures))
