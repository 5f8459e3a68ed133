"""Rules of performance for parts that are not drums: loudness and timing of each note, and where it ends.

The rules are those of Friberg, Bresin & Sundberg, Overview of the KTH rule system for musical performance
(Advances in Cognitive Psychology, 2006): phrase arch, duration contrast, melodic charge, high loud, repeated
and legato articulation, punctuation, and noise. A melody leads its chord (Goebl, Melody lead in piano
performance: expressive device or artifact?, JASA, 2001: by about 30 ms, because a louder key is faster; here
it leads by less, since a sampled piano has no such delay). The other amounts were chosen for this project and
are about as large as in these papers. MIDI does not define the loudness of a velocity in dB; VELOCITY_PER_DB
was chosen as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.grid_notes import Floats, Ints
from ritornello.performing.manners import Manner

VELOCITY_PER_DB = 4.0
ARCH_DB = 3.0  # the difference between the ends of a phrase and its peak
PEAK_OF_A_PHRASE = 0.6
DOWNBEAT_DB, BEAT_DB, OFFBEAT_DB = 1.0, 0.3, -0.5
HIGH_DB, MOST_HIGH_DB = 0.1, 1.5  # for each semitone above the mean pitch of the part; the most of a note
MELODY_DB, INNER_DB = 1.2, -0.8  # for the highest note of a chord, and for the notes below it
CHARGE_DB = 0.2
# By semitones above the root: the distance on the circle of fifths, in which fifths down count more
MELODIC_CHARGE = (0.0, 6.5, 2.0, 4.5, 4.0, 2.5, 6.0, 1.0, 5.5, 3.0, 3.5, 5.0)
# Duration contrast: how much shorter and softer notes of these lengths are played
CONTRAST_S = (0.03, 0.2, 0.4, 0.6)
SHORTER_S = (0.0, 0.0165, 0.0105, 0.0)
SOFTER_DB = (0.0, 0.8, 0.5, 0.0)
DRIFT_S, DRIFT_KEPT, NOISE_S = 0.009, 0.9, 0.007  # random delays: see `delays_s`
MOST_DELAY_S = 0.035
CHORD_NOISE_S = 0.002  # the deviation of each note of a chord
NOISE_DB = 0.6
LEAD_S = 0.010  # how much earlier than its chord the melody begins
SPREAD_S, MOST_SPREAD_S = 0.002, 0.014  # the delay from one note of a chord to the next; the most of a note
STRUM_S, MOST_STRUM_S = 0.007, 0.03  # the same for the strings of a guitar
REPEAT_GAP_S, LEGATO_S, BREATH_S = 0.05, 0.015, 0.09
DETACHED = 0.88  # short notes of plucked or struck instruments sound for this share of their length
SHORT_S = 0.3
SHORTEST = 0.35  # the least share of its length that a note sounds
KEYBOARDS = frozenset(range(8)) | frozenset(range(16, 24))
STRUMMED = frozenset(range(24, 32))
BREATHING = frozenset(range(52, 80))  # voices, brass, reeds, pipes


@dataclass(frozen=True)
class Context:
    """The inputs of the rules besides the notes: bars, the ticks (P + 1,) where phrases begin, the manner."""

    timeline: Timeline
    phrase_ticks: Ints
    manner: Manner
    feel: float


@dataclass(frozen=True)
class Line:
    """The notes of a part in columns (N,); notes that begin together are called a chord.

    `chord` is the number of a note's chord, `rank` its place in it from below, `size` the chord's notes;
    `gap_s` are the seconds to the next chord.
    """

    onset_s: Floats
    length_s: Floats
    gap_s: Floats
    chord: Ints
    rank: Ints
    size: Ints

    @classmethod
    def of(cls, score: Score, notes: Ints) -> Line:
        """Return the line of the notes (n,) of one part of a song."""
        onset = score.onset_ticks[notes].astype(np.int64)
        _, first, chord, size = np.unique(onset, return_index=True, return_inverse=True, return_counts=True)
        start_s = score.seconds(onset)
        end_s = score.seconds(onset + score.duration_ticks[notes])
        gaps = np.append(np.diff(start_s[first]), end_s[-1] - start_s[-1])[chord]
        rank = np.arange(len(onset)) - first[chord]
        return cls(start_s, end_s - start_s, gaps, chord, rank, size[chord])


def arch(ticks: npt.NDArray[np.integer], phrase_ticks: Ints) -> Floats:
    """Return the phrase arch at ticks (N,): 0 where a phrase begins and ends, 1 at its peak, a parabola.

    After Todd, The dynamics of dynamics (JASA, 1992), and the phrase arch of the KTH rules.
    """
    phrase = np.clip(np.searchsorted(phrase_ticks, ticks, side="right") - 1, 0, len(phrase_ticks) - 2)
    start, end = phrase_ticks[phrase], phrase_ticks[phrase + 1]
    place = np.clip((ticks - start) / (end - start), 0, 1)
    side = np.where(place < PEAK_OF_A_PHRASE, PEAK_OF_A_PHRASE, 1 - PEAK_OF_A_PHRASE)
    return np.asarray(1 - ((place - PEAK_OF_A_PHRASE) / side) ** 2)


def loudness_db(score: Score, notes: Ints, line: Line, context: Context, draw: np.random.Generator) -> Floats:
    """Return how much louder than written each of the notes (n,) of one part is, in dB; the mean is 0."""
    onset, pitch = score.onset_ticks[notes].astype(np.int64), score.pitch[notes].astype(np.float64)
    change = context.manner.dynamics * ARCH_DB * arch(onset, context.phrase_ticks)
    change += _accents(onset, context.timeline)
    change += np.clip(HIGH_DB * (pitch - pitch.mean()), -MOST_HIGH_DB, MOST_HIGH_DB)
    is_top = line.rank == line.size - 1
    change += np.where(line.size > 1, np.where(is_top, MELODY_DB, INNER_DB), 0.0)
    change -= np.interp(line.gap_s, CONTRAST_S, SOFTER_DB)
    change += CHARGE_DB * context.manner.dynamics * _charges(score, onset, score.pitch[notes])
    change += NOISE_DB * draw.standard_normal(len(change))
    return np.asarray(context.feel * (change - change.mean()))


def _accents(onset: Ints, timeline: Timeline) -> Floats:
    """The accent of the place in the bar of each onset (N,), in dB."""
    offset = onset - timeline.start_ticks[timeline.bar_of(onset)]
    return np.where(
        offset == 0, DOWNBEAT_DB, np.where(offset % timeline.ticks_per_beat == 0, BEAT_DB, OFFBEAT_DB)
    )


def _charges(score: Score, onset: Ints, pitch: npt.NDArray[np.uint8]) -> Floats:
    """The melodic charge of notes (N,) by the chord at their onset; 0 where no chord is known."""
    if not score.chords:
        return np.zeros(len(onset))
    roots = np.array([chord.root for chord in score.chords])
    at = np.searchsorted([chord.onset_ticks for chord in score.chords], onset, side="right") - 1
    charge = np.array(MELODIC_CHARGE)[(pitch.astype(np.int64) - roots[at]) % 12]
    return np.where(at >= 0, charge, 0.0)


def delays_s(score: Score, notes: Ints, line: Line, context: Context, draw: np.random.Generator) -> Floats:
    """Return how many seconds later than written the notes (n,) of one part begin."""
    chords = int(line.chord[-1]) + 1
    drift = np.zeros(chords)
    steps = DRIFT_S * np.sqrt(1 - DRIFT_KEPT**2) * draw.standard_normal(chords)
    for number in range(chords):
        drift[number] = steps[number] + DRIFT_KEPT * drift[number - 1]
    drift += NOISE_S * draw.standard_normal(chords)
    if len(score.parts) == 1:  # a soloist does not drift against other players
        drift *= 0.3
    delay = drift[line.chord] + _contrast_s(line, score.onset_ticks[notes], context)
    delay = np.clip(delay, -MOST_DELAY_S, MOST_DELAY_S)
    return np.asarray(context.feel * (delay + _spread_s(score, notes, line, draw)))


def _contrast_s(line: Line, onset: npt.NDArray[np.int32], context: Context) -> Floats:
    """The delays (n,) in seconds that duration contrast adds up to; 0 at the beginning of each bar."""
    is_first = np.append(True, np.diff(line.chord) > 0)
    shorter = np.interp(line.gap_s[is_first], CONTRAST_S, SHORTER_S)
    moved = np.append(0.0, -np.cumsum(shorter))[:-1]
    bar = context.timeline.bar_of(onset[is_first])
    first = np.flatnonzero(np.append(True, np.diff(bar) > 0))
    time_s = line.onset_s[is_first]
    edges = np.append(time_s[first], time_s[-1] + line.gap_s[-1])
    return np.asarray((moved - np.interp(time_s, edges, np.append(moved[first], -shorter.sum())))[line.chord])


def _spread_s(score: Score, notes: Ints, line: Line, draw: np.random.Generator) -> Floats:
    """The delays (n,) in seconds of notes against their chord: strummed, or with the melody first."""
    program = score.parts[int(score.part[notes[0]])].program
    rank, size = line.rank.astype(np.float64), line.size
    noise = CHORD_NOISE_S * np.where(size > 1, draw.standard_normal(len(rank)), 0.0)
    if program in STRUMMED:
        beat = score.onset_ticks[notes] % score.ticks_per_beat
        from_first = np.where(beat == 0, rank, size - 1 - rank)
        strum = np.where(size > 2, STRUM_S, SPREAD_S)
        return np.asarray(np.minimum(strum * from_first, MOST_STRUM_S) + noise)
    spread = np.minimum(SPREAD_S * rank, MOST_SPREAD_S)
    leads = (rank == size - 1) & (size > 1) & (program in KEYBOARDS)
    return np.asarray(np.where(leads, -LEAD_S, spread) + noise)


def lengths_s(score: Score, notes: Ints, line: Line, context: Context) -> Floats:
    """Return how many seconds notes (n,) of one part sound: repeated notes are detached, others legato."""
    program = score.parts[int(score.part[notes[0]])].program
    length = line.length_s.copy()
    touches = (line.length_s > 0.9 * line.gap_s) & (line.length_s < 1.1 * line.gap_s)
    pitch, last = score.pitch[notes], np.full(128, -1)
    repeats = np.zeros(len(notes), bool)
    for number, (key, chord) in enumerate(zip(pitch.tolist(), line.chord.tolist(), strict=True)):
        repeats[last[key]] |= last[key] >= 0 and line.chord[last[key]] == chord - 1
        last[key] = number
    is_plucked = 8 <= program < 16 or 24 <= program < 40
    is_short = touches & (line.gap_s < SHORT_S)
    if is_plucked or program in KEYBOARDS:
        length = np.where(is_short, DETACHED * length, length)
    if not is_plucked:
        length = np.where(touches & ~is_short, length + LEGATO_S, length)
    length = np.where(repeats & touches, line.length_s - REPEAT_GAP_S, length)
    if program in BREATHING:
        end = score.onset_ticks[notes].astype(np.int64) + score.duration_ticks[notes]
        near = np.abs(end[:, None] - context.phrase_ticks[1:-1]).min(axis=1, initial=1 << 40)
        breathes = (near < score.ticks_per_beat / 4) & (line.length_s > 3 * BREATH_S)
        length = np.where(breathes, line.length_s - BREATH_S, length)
    length[line.chord == line.chord[-1]] = line.length_s[line.chord == line.chord[-1]]
    changed = line.length_s + context.feel * (length - line.length_s)
    return np.asarray(np.maximum(changed, SHORTEST * line.length_s))
