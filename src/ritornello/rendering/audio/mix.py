"""Mix the notes of a Score into stereo, each played by the regions of a soundfont that match it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.rendering.audio.sampled_note import FADE_S, release_fade, release_s, sampled_note
from ritornello.rendering.audio.soundfont import Region, Signal, SoundFont

Times = npt.NDArray[np.float64]  # (notes,)
Index = npt.NDArray[np.int64]  # (notes,)

# Synthesisers since the EMU8000 apply 0.4 of the attenuation in a font, and fonts are made for that.
ATTENUATION_FACTOR = 0.4


class NoteGroup(NamedTuple):
    """The notes (indices into a Score) that play the same key of the same region: they share a waveform."""

    region: Region
    key: int
    notes: Index


def mix(score: Score, font: SoundFont, rate_hz: int) -> Signal:
    """The song as (2, N) samples, left and right, before its loudness is normalised.

    The amplitude of a note is the square of its relative velocity (SoundFont 2.04, section 8.4.1).
    """
    start_s = score.seconds(score.onset_ticks)
    end_s = score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks)
    groups = list(_groups(score, font))
    cut_s = _cut_times_s(score, start_s, groups)
    tail_s = max((release_s(group.region) for group in groups), default=0.0)
    length = round((float(end_s.max(initial=0)) + tail_s + FADE_S) * rate_hz) + 2
    out = np.zeros((2, length), np.float32)
    amplitude = (score.velocity / 127.0) ** 2
    for group in groups:
        own = group.notes
        _add_notes(out, group, font, (start_s[own], end_s[own], cut_s[own]), amplitude[own], rate_hz)
    return out


def _groups(score: Score, font: SoundFont) -> Iterator[NoteGroup]:
    """All notes grouped by region and key; a note is in several groups if several regions match it."""
    instrument = np.array([part.program + 128 * part.is_drum for part in score.parts], np.int64)
    instrument_key = instrument[score.part] * 128 + score.pitch if len(score) else np.zeros(0, np.int64)
    order = np.argsort(instrument_key, kind="stable")
    edges = np.flatnonzero(np.diff(instrument_key[order], prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        notes = order[first:last]
        program, key = divmod(int(instrument_key[notes[0]]), 128)
        preset = font.preset(program % 128, program >= 128)
        for region in font.regions(*preset):
            if region.keys[0] <= key <= region.keys[1]:
                velocity = score.velocity[notes]
                matching = notes[(velocity >= region.velocities[0]) & (velocity <= region.velocities[1])]
                if len(matching):
                    yield NoteGroup(region, key, matching)


def _cut_times_s(score: Score, start_s: Times, groups: list[NoteGroup]) -> Times:
    """When each note (N,) is cut off by the next note of its exclusive class and part; infinite if never.

    A closed hi-hat cuts off an open one in this way.
    """
    cut_s = np.full(len(score), np.inf)
    class_of = np.zeros(len(score), np.int64)
    for group in groups:
        class_of[group.notes] = group.region["exclusive_class"]
    for part, exclusive in {(int(p), int(k)) for p, k in zip(score.part, class_of, strict=True) if k}:
        (notes,) = np.nonzero((score.part == part) & (class_of == exclusive))
        onsets = np.append(start_s[notes], np.inf)
        cut_s[notes] = onsets[np.searchsorted(onsets, start_s[notes], side="right")]
    return cut_s


def _add_notes(
    out: Signal,
    group: NoteGroup,
    font: SoundFont,
    times_s: tuple[Times, ...],
    amplitudes: Times,
    rate_hz: int,
) -> None:
    """Add the notes of a group to `out` (2, N); `times_s` are the start, end and cut of each, in seconds."""
    start_s, end_s, cut_s = times_s
    region = group.region
    longest_s = float((np.minimum(end_s, cut_s) - start_s).max())
    wave = sampled_note(font.sample(region), region, group.key, longest_s, rate_hz)
    fade = release_fade(region, round(release_s(region) * rate_hz), rate_hz)
    gain = 10 ** (-ATTENUATION_FACTOR * max(0, region["attenuation"]) / 200)
    angle = (np.clip(region["pan"], -500, 500) / 1000 + 0.5) * np.pi / 2  # equal power from left to right
    left, right = np.array([np.cos(angle), np.sin(angle)], np.float32) * gain
    starts, held_lengths, max_lengths = (
        np.rint(np.minimum(time_s * rate_hz, out.shape[1])).astype(np.int64).tolist()
        for time_s in (start_s, end_s - start_s, cut_s - start_s + FADE_S)
    )
    for start, held, most, amplitude in zip(starts, held_lengths, max_lengths, amplitudes, strict=True):
        note = wave[: min(held + len(fade), most)] * np.float32(amplitude)
        if len(note) > held:
            note[held:] *= fade[: len(note) - held]
        if len(note) == most:
            cut = min(len(note), round(FADE_S * rate_hz))
            note[len(note) - cut :] *= np.linspace(1, 0, cut, dtype=np.float32)
        out[0, start : start + len(note)] += note * left
        out[1, start : start + len(note)] += note * right
