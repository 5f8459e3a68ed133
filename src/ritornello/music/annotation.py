"""Find an annotation: a part that is not music but labels the harmony of another part in block chords.

Some collections (POP909 among them) carry their chord labels as notes, in a track of their own. A model
trained on these notes would play the labels. Here such a part becomes the chords of the Score.

A pad or a strummed guitar also plays block chords. An annotation differs in two ways: it has the same
instrument as the part that it labels, and that part already plays the harmony in full. Where a melody has
only block chords under it (the Nottingham collection), they are its accompaniment and stay.
"""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Chord, Score, drop_redundant
from ritornello.music.theory import CHORDS

Ints = npt.NDArray[np.int64]

# Measured with these limits: all of the 804 annotations of POP909-CL are found. In 21,133 other files two
# parts are taken for annotations; one of the two is an annotation.
MIN_CHORDS = 16
# Least shares of the notes or chords of an annotation
MIN_SAME_VELOCITY = 0.85  # notes with the most frequent velocity; a few annotations were corrected by hand
MIN_BLOCKS = 0.55  # chords of three notes or more that begin and end together
MIN_CONTIGUOUS = 0.7  # chords that last until the next one begins
MIN_WHOLE_BEATS = 0.75  # chords that last a whole number of beats
MIN_NAMED = 0.75  # chords that have a name
MIN_ROOT_POSITION = 0.5  # chords with the root at the bottom
MIN_COVERED = 0.8  # time of the song with a chord
MIN_DOUBLED = 0.8  # pitch classes that the labelled part plays during the chord
MAX_MEDIAN_SPAN_SEMITONES = 12  # of a chord, from its lowest to its highest note
MIN_POLYPHONY = 2.5  # mean number of notes that sound at once in the labelled part

KINDS = {  # bits of the intervals above the root -> kind of chord
    sum(1 << step for step in steps): kind for kind, (_, steps) in CHORDS.items() if len(steps) > 2
}


class BlockChords(NamedTuple):
    """The C chords of a part: a chord is all of its notes with the same onset."""

    start_ticks: Ints  # (C,)
    end_ticks: Ints  # (C,) end of the note that lasts longest
    notes: Ints  # (C,) number of notes
    together: npt.NDArray[np.bool_]  # (C,) whether all notes of the chord end together
    lowest: Ints  # (C,) MIDI pitch
    highest: Ints  # (C,) MIDI pitch
    bits: Ints  # (C,) set of pitch classes: bit 0 is C, bit 11 is B

    def names(self) -> list[tuple[int, str]]:
        """Root and kind of each chord; the lowest note and "other" for a chord without a name."""
        return list(map(chord_name, self.bits.tolist(), self.lowest.tolist()))


def take_annotation(score: Score) -> tuple[Score, int]:
    """Turn the annotation of a Score, if it has one, into chords.

    Returns the Score without that part, and the number of notes removed. A Score that already has chords,
    from markers of the file, keeps them, because they are more precise.
    """
    part = find_annotation(score)
    if part is None:
        return score, 0
    is_music = score.part != part
    owner = score.part[is_music]
    parts = (*score.parts[:part], *score.parts[part + 1 :])
    chords = score.chords or chord_symbols(block_chords(score, part))
    music = score.select(is_music, part=owner - (owner > part), parts=parts, chords=chords)
    return music, len(score) - len(music)


def find_annotation(score: Score) -> int | None:
    """Return the number of the annotation part, or None; of several, the one with fewest notes."""
    if (part := _chords_of_lead_sheet(score)) is not None:
        return part
    for part in _candidates(score):
        instrument = score.parts[part][1:]
        same_instrument = [p for p, other in enumerate(score.parts) if p != part and other[1:] == instrument]
        if _is_too_thin(score, part):
            continue
        chords = block_chords(score, part)
        if _looks_like_labels(chords, score) and any(_is_labelled(p, chords, score) for p in same_instrument):
            return part
    return None


def _chords_of_lead_sheet(score: Score) -> int | None:
    """Return the part "Chords" of a song whose only other part is "Melody", if it is an annotation, or None.

    Played chords differ from an annotation, whose notes all have one velocity and form held block chords,
    mostly one after the other.
    """
    names = [part.name.strip().casefold() for part in score.parts]
    if sorted(names) != ["chords", "melody"]:
        return None
    part = names.index("chords")
    velocities = score.velocity[score.part == part]
    if not len(velocities) or len(np.unique(velocities)) > 1:
        return None
    chords = block_chords(score, part)
    contiguous = np.abs(chords.end_ticks[:-1] - chords.start_ticks[1:]) * 16 <= score.ticks_per_beat
    is_held = _share(chords.together) == 1 and (len(contiguous) == 0 or _share(contiguous) >= MIN_CONTIGUOUS)
    return part if is_held and _share(chords.notes >= 3) >= MIN_BLOCKS else None


def _candidates(score: Score) -> list[int]:
    """The parts that share their instrument with another and mostly have one velocity, fewest notes first.

    Nearly all songs have no such part, and this test takes a tenth of the time of reading the song.
    """
    instruments = Counter(part[1:] for part in score.parts if not part.is_drum)
    shared = [p for p, part in enumerate(score.parts) if instruments[part[1:]] > 1]
    if not shared:
        return []
    table = np.bincount(score.part.astype(np.int64) << 7 | score.velocity, minlength=len(score.parts) << 7)
    table = table.reshape(-1, 128)  # notes by part and velocity
    counts, most = table.sum(axis=1), table.max(axis=1)
    fits = (counts >= 3 * MIN_CHORDS) & (most >= MIN_SAME_VELOCITY * counts)
    return sorted((p for p in shared if fits[p]), key=lambda p: int(counts[p]))


def _is_too_thin(score: Score, part: int) -> bool:
    """Whether a part has too few notes per onset to be block chords, as most parts have."""
    onset_ticks = score.onset_ticks.compress(score.part == part)
    onsets = 1 + np.count_nonzero(onset_ticks[1:] != onset_ticks[:-1])
    least = 3 * MIN_BLOCKS + (1 - MIN_BLOCKS)  # notes per onset: three in blocks, one in other chords
    return bool(len(onset_ticks) + 1 < least * onsets)  # with one note to spare for rounding


def block_chords(score: Score, part: int) -> BlockChords:
    """The chords of part number `part`."""
    notes = (score.part == part).nonzero()[0]
    onset, pitch = score.onset_ticks.take(notes).astype(np.int64), score.pitch.take(notes).astype(np.int64)
    end = onset + score.duration_ticks.take(notes)
    begins = np.ones(len(onset) + 1, bool)
    np.not_equal(onset[1:], onset[:-1], out=begins[1:-1])  # onsets ascend
    edges = begins.nonzero()[0]
    first = edges[:-1]
    last = np.maximum.reduceat(end, first)
    return BlockChords(
        onset.take(first),
        last,
        edges[1:] - first,
        np.minimum.reduceat(end, first) == last,
        pitch.take(first),  # notes of one onset ascend
        np.maximum.reduceat(pitch, first),
        np.bitwise_or.reduceat(1 << (pitch % 12), first),
    )


def chord_symbols(chords: BlockChords) -> tuple[Chord, ...]:
    """The names of the chords as events of a Score, repetitions left out."""
    named = zip(chords.start_ticks.tolist(), chords.names(), strict=True)
    return drop_redundant([Chord(start, root, kind) for start, (root, kind) in named])


@lru_cache(maxsize=1 << 12)
def chord_name(bits: int, lowest: int) -> tuple[int, str]:
    """Root and kind of the chord of a set of pitch classes (BlockChords.bits).

    The roots are tried upwards from the pitch `lowest`; the first that gives a known kind counts.

    >>> chord_name(0b10010001, 64)  # C, E and G over E
    (0, 'maj')
    """
    for root in ((lowest + step) % 12 for step in range(12)):
        above = (bits >> root | bits << (12 - root)) & 0xFFF
        if above & 1 and above in KINDS:
            return root, KINDS[above]
    return lowest % 12, "other"


def _looks_like_labels(chords: BlockChords, score: Score) -> bool:
    """Whether the chords of a part are block chords, one after the other, through the whole song."""
    if len(chords.notes) < MIN_CHORDS or _share((chords.notes >= 3) & chords.together) < MIN_BLOCKS:
        return False
    beat = score.ticks_per_beat
    length = chords.end_ticks - chords.start_ticks
    contiguous = np.abs(chords.end_ticks[:-1] - chords.start_ticks[1:]) * 16 <= beat
    if length.sum() < MIN_COVERED * score.end_ticks or _share(contiguous) < MIN_CONTIGUOUS:
        return False
    off_beat = np.minimum(length % beat, -length % beat) * 16
    roots, kinds = (np.array(column) for column in zip(*chords.names(), strict=True))
    named = kinds != "other"
    return bool(
        _share(off_beat <= beat) >= MIN_WHOLE_BEATS
        and _share(named & (roots == chords.lowest % 12)) >= MIN_ROOT_POSITION
        and _share(named) >= MIN_NAMED
        and np.median(chords.highest - chords.lowest) <= MAX_MEDIAN_SPAN_SEMITONES
    )


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """The share of `flags` that is True."""
    return np.count_nonzero(flags) / len(flags)


def _is_labelled(part: int, chords: BlockChords, score: Score) -> bool:
    """Whether `part` plays several notes at once, and most pitch classes of the chords while they sound."""
    inside = score.part == part
    onset, pitch = score.onset_ticks[inside].astype(np.int64), score.pitch[inside]
    end = onset + score.duration_ticks[inside]
    distinct_onsets = np.unique(onset)
    begun = np.searchsorted(onset, distinct_onsets, side="right")
    sounding = begun - np.searchsorted(np.sort(end), distinct_onsets, side="right")
    if not len(distinct_onsets) or sounding.mean() < MIN_POLYPHONY:
        return False
    total = doubled = 0
    for pitch_class in range(12):
        in_chord = (chords.bits >> pitch_class & 1).astype(bool)  # (C,)
        same = pitch % 12 == pitch_class
        begun_before_end = np.searchsorted(onset[same], chords.end_ticks[in_chord])
        ended_before_start = np.searchsorted(np.sort(end[same]), chords.start_ticks[in_chord], side="right")
        total += np.count_nonzero(in_chord)
        doubled += np.count_nonzero(begun_before_end > ended_before_start)  # one sounds during the chord
    return doubled >= MIN_DOUBLED * total
