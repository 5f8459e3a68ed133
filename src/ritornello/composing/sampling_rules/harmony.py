"""Rules for chords that the network cannot represent: slash chords, further kinds of chords, and N.C."""

from collections.abc import Iterable

import numpy as np

from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.music.chord import NO_BASS
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    MAX_SHIFT,
    PARTS,
    PITCHES,
    SHIFTS,
    WAIT,
)

ONSET_NATS, JOIN_NATS, PART_NATS = 3.0, 3.0, 2.0  # for a bass note at the onset of a slash chord
# Measured in benchmarks/RESULTS.md, "Chords and modes"
BASS_NATS, LATER_BASS_NATS = 12.0, 1.5  # subtracted from other pitches: first note of a bar, later
ADDED_NATS = 2.5  # added to tones of the chord not composed yet; up to three times this at its end
WRONG_NATS = 6.0  # subtracted from tones of the nearest kind that are not in the chord
UNISON_NATS = 12.0  # subtracted during N.C. from any tone but those at the same onset


def keep_bass_of_chord(state: SamplingState) -> Bias | None:
    """Make other pitches unlikelier for the bass part of a slash chord, most for its first note in a bar."""
    harmony, tick, part = state.harmony, state.row_tick, state.song.row[COLUMN["part"]]
    if harmony is None or (chord := harmony.chord_at(tick)) is None or chord.bass == NO_BASS:
        return None
    has_lower_note = (state.onset, state.part) == (tick, part)  # notes of an onset ascend
    if has_lower_note or part != harmony.bass_part(state.playing_parts(tick)):
        return None
    bar = state.song.bar_of(tick)
    nats = BASS_NATS if harmony.bass_is_due(tick, bar) else LATER_BASS_NATS
    return bias_of_tones({chord.bass}, 0.0, -nats)


def favour_onset_of_bass(state: SamplingState) -> Bias | None:
    """Make an onset at the beginning of a slash chord likelier, and during it a note of the bass part.

    During N.C., make further notes at an onset unlikelier.
    """
    harmony, song = state.harmony, state.song
    if harmony is None:
        return None
    clock, bias = song.clock, np.zeros(SHIFTS, np.float32)
    if (chord := harmony.chord_at(clock)) is not None and chord.is_silent and harmony.struck_at(clock):
        bias[0] -= JOIN_NATS
    following = harmony.next_bass_tick(clock)
    if following >= 0:
        bias[following - clock + 1 :][: max(0, MAX_SHIFT - following + clock)] -= ONSET_NATS
        bias[WAIT] -= ONSET_NATS * (state.tick_after_wait > following)
    part = _part_of_due_bass(state, clock)
    if clock == state.onset and part > state.part:  # the parts of an onset are in ascending order
        bias[0] += JOIN_NATS
    return bias


def favour_bass_part(state: SamplingState) -> Bias | None:
    """Make the bass part likelier until it has played the bass of a slash chord in the bar."""
    part = _part_of_due_bass(state, state.row_tick)
    return bias_at(PARTS, part, PART_NATS) if part >= 0 else None


def _part_of_due_bass(state: SamplingState, tick: int) -> int:
    """Return the part that must still play the bass of the slash chord at a tick in this bar; -1 for none."""
    harmony = state.harmony
    if harmony is None or (chord := harmony.chord_at(tick)) is None or chord.bass == NO_BASS:
        return -1
    part = harmony.bass_part(state.playing_parts(tick))
    is_due = harmony.bass_is_due(tick, state.song.bar_of(tick))
    return part if is_due and part in (state.request.parts or ()) else -1


def keep_tones_of_chord(state: SamplingState) -> Bias | None:
    """Make missing tones of a chord likelier, and tones that only its nearest kind has unlikelier."""
    harmony, tick, part = state.harmony, state.row_tick, state.song.row[COLUMN["part"]]
    if harmony is None or part == DRUM_PART or (chord := harmony.chord_at(tick)) is None or not chord.suffix:
        return None
    if chord.is_silent:
        struck = harmony.struck_at(tick)
        return bias_of_tones(struck, 0.0, -UNISON_NATS) if struck else None
    bias = bias_of_tones(harmony.wrong_at(tick), -WRONG_NATS, 0.0)
    is_bass = part == harmony.bass_part(state.playing_parts(tick)) and len(harmony.parts) > 1
    if not is_bass:
        nats = ADDED_NATS * (1 + 2 * harmony.elapsed_share(tick))
        bias += bias_of_tones(harmony.missing_at(tick), nats, 0.0)
    return bias


def bias_of_tones(tones: Iterable[int], nats: float, other_nats: float) -> Bias:
    """Return a bias (128,): `nats` for the pitches of some pitch classes, `other_nats` for all others."""
    is_tone = np.zeros(12, bool)
    is_tone[list(tones)] = True
    bias: Bias = np.where(is_tone[np.arange(PITCHES) % 12], np.float32(nats), np.float32(other_nats))
    return bias
