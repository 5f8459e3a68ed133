"""Annotations: a part that is no music but says, as block chords, what harmony another part plays.

Some collections (POP909 among them) carry their chord labels as notes, in a track beside the music. Learnt as
music, a model would play the labels. Here such a part is found; its notes become the Score's chords.

A pad or a strumming guitar looks much the same. What tells a label from music: it has the very instrument of
the part that it is about, which no arranger would give it, and that part already plays its harmony in
full. Where a melody has nothing but block chords under it (Nottingham), they are its accompaniment and stay.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import COLUMNS, Chord, Score, drop_redundant
from ritornello.music.theory import CHORDS

Ints = npt.NDArray[np.int64]

# Of 804 annotations (POP909-CL) all are found; of 21,133 other files two count as such, one of them rightly.
MIN_CHORDS = 16
ONE_VELOCITY = 0.85  # of its notes have the same velocity; a few labels were mended by hand
BLOCKS = 0.55  # of its chords have three notes or more, that begin and end together
IN_A_ROW = 0.7  # of its chords last until the next one begins
WHOLE_BEATS = 0.75  # of its chords last so many beats and no fraction
KNOWN = 0.75  # of its chords have a name
ROOT_POSITION = 0.5  # of its chords have the root at the bottom
MAX_SPAN = 12  # semitones of the usual chord
COVER = 0.8  # of the song's time
DOUBLED = 0.8  # of its pitch classes sound in the other part meanwhile
POLYPHONY = 2.5  # pitches that sound at once in the other part, so that it has a harmony of its own

KINDS = {  # intervals above the root, as bits -> kind of chord
    sum(1 << step for step in steps): kind for kind, (_, steps) in CHORDS.items() if len(steps) > 2
}


class Blocks(NamedTuple):
    """The chords of a part, one a row: notes with one onset."""

    start_ticks: Ints  # (C,)
    end_ticks: Ints  # (C,) of the note that lasts longest
    notes: Ints  # (C,)
    together: npt.NDArray[np.bool_]  # (C,) whether all its notes end together
    lowest: Ints  # (C,) pitch
    highest: Ints  # (C,)
    bits: Ints  # (C,) pitch classes, as bits

    def names(self) -> list[tuple[int, str]]:
        """Root and kind of each chord; "other" above the lowest note where it has no name."""
        return [
            name(bits, lowest) for bits, lowest in zip(self.bits.tolist(), self.lowest.tolist(), strict=True)
        ]


def take_annotation(score: Score) -> tuple[Score, int]:
    """The Score without its annotation, whose chords it then has, and how many notes that was; else as it is.

    Chords that the file names in markers stay: they say more.
    """
    part = find_annotation(score)
    if part is None:
        return score, 0
    stays = score.part != part
    columns: dict[str, Any] = {name: getattr(score, name)[stays] for name in COLUMNS}
    columns["part"] = columns["part"] - (columns["part"] > part)
    parts = (*score.parts[:part], *score.parts[part + 1 :])
    found = score.chords or chords(blocks(score, part))
    return replace(score, **columns, parts=parts, chords=found), int(np.count_nonzero(~stays))


def find_annotation(score: Score) -> int | None:
    """The part that is an annotation; of several the one with fewest notes. None where there is none."""
    for part in _candidates(score):
        instrument = score.parts[part][1:]
        twins = [p for p, about in enumerate(score.parts) if p != part and about[1:] == instrument]
        if _is_thin(score, part):
            continue
        found = blocks(score, part)
        if _is_label_like(found, score) and any(_doubles(found, score, twin) for twin in twins):
            return part
    return None


def _candidates(score: Score) -> list[int]:
    """The parts with an instrument that others have too and mostly one velocity, those with few notes first.

    Nearly all songs have none, which is found out in a tenth of the time of reading them.
    """
    sounds = Counter(part[1:] for part in score.parts if not part.is_drum)
    shared = [p for p, part in enumerate(score.parts) if sounds[part[1:]] > 1]
    if not shared:
        return []
    table = np.bincount(score.part.astype(np.int64) << 7 | score.velocity, minlength=len(score.parts) << 7)
    table = table.reshape(-1, 128)  # notes by part and velocity
    counts, most = table.sum(axis=1), table.max(axis=1)
    fits = (counts >= 3 * MIN_CHORDS) & (most >= ONE_VELOCITY * counts)
    return sorted((p for p in shared if fits[p]), key=lambda p: int(counts[p]))


def _is_thin(score: Score, part: int) -> bool:
    """Whether a part has too few notes for its onsets to be block chords, as most parts have."""
    onset_ticks = score.onset_ticks.compress(score.part == part)
    begun = 1 + np.count_nonzero(onset_ticks[1:] != onset_ticks[:-1])
    least = 3 * BLOCKS + (1 - BLOCKS)  # notes a chord, where the other chords have one
    return bool(len(onset_ticks) + 1 < least * begun)  # by one note at least, whatever rounding does


def blocks(score: Score, part: int) -> Blocks:
    """The chords of a part."""
    mine = (score.part == part).nonzero()[0]
    onset, pitch = score.onset_ticks.take(mine).astype(np.int64), score.pitch.take(mine).astype(np.int64)
    end = onset + score.duration_ticks.take(mine)
    begins = np.ones(len(onset) + 1, bool)
    np.not_equal(onset[1:], onset[:-1], out=begins[1:-1])  # onsets ascend
    edges = begins.nonzero()[0]
    first = edges[:-1]
    last = np.maximum.reduceat(end, first)
    return Blocks(
        onset.take(first),
        last,
        edges[1:] - first,
        np.minimum.reduceat(end, first) == last,
        pitch.take(first),  # notes of one onset ascend
        np.maximum.reduceat(pitch, first),
        np.bitwise_or.reduceat(1 << (pitch % 12), first),
    )


def chords(found: Blocks) -> tuple[Chord, ...]:
    """Some chords by name, repetitions left out."""
    named = zip(found.start_ticks.tolist(), found.names(), strict=True)
    return drop_redundant([Chord(start, root, kind) for start, (root, kind) in named])


@lru_cache(maxsize=1 << 12)
def name(bits: int, lowest: int) -> tuple[int, str]:
    """Root and kind of the chord of these pitch classes; upwards from the lowest note, the first that fits.

    >>> name(0b10010001, 64)  # C, E and G over E
    (0, 'maj')
    """
    for root in ((lowest + step) % 12 for step in range(12)):
        above = (bits >> root | bits << (12 - root)) & 0xFFF
        if above & 1 and above in KINDS:
            return root, KINDS[above]
    return lowest % 12, "other"


def _is_label_like(found: Blocks, score: Score) -> bool:
    """Whether a part is block chords, one after the other, through the whole song."""
    if len(found.notes) < MIN_CHORDS or _share((found.notes >= 3) & found.together) < BLOCKS:
        return False
    beat = score.ticks_per_beat
    length = found.end_ticks - found.start_ticks
    in_a_row = np.abs(found.end_ticks[:-1] - found.start_ticks[1:]) * 16 <= beat
    if length.sum() < COVER * score.end_ticks or _share(in_a_row) < IN_A_ROW:  # as most parts
        return False
    off_beat = np.minimum(length % beat, -length % beat) * 16
    roots, kinds = (np.array(column) for column in zip(*found.names(), strict=True))
    known = kinds != "other"
    return bool(
        _share(off_beat <= beat) >= WHOLE_BEATS
        and _share(known & (roots == found.lowest % 12)) >= ROOT_POSITION
        and _share(known) >= KNOWN
        and np.median(found.highest - found.lowest) <= MAX_SPAN
    )


def _share(of: npt.NDArray[np.bool_]) -> float:
    """How much of them is True."""
    return np.count_nonzero(of) / len(of)


def _doubles(found: Blocks, score: Score, other: int) -> bool:
    """Whether the part `other` has a harmony of its own, and in it what the chords say."""
    theirs = score.part == other
    onset, pitch = score.onset_ticks[theirs].astype(np.int64), score.pitch[theirs]
    end = onset + score.duration_ticks[theirs]
    ends = np.sort(end)
    at = np.unique(onset)
    sounding = np.searchsorted(onset, at, side="right") - np.searchsorted(ends, at, side="right")
    if not len(at) or sounding.mean() < POLYPHONY:
        return False
    asked = heard = 0
    for step in range(12):
        wanted = (found.bits >> step & 1).astype(bool)
        same = pitch % 12 == step
        begun = np.searchsorted(onset[same], found.end_ticks[wanted])
        over = np.searchsorted(np.sort(end[same]), found.start_ticks[wanted], side="right")
        asked, heard = asked + np.count_nonzero(wanted), heard + np.count_nonzero(begun > over)
    return heard >= DOUBLED * asked
