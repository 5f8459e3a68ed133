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

# Since the EMU8000, synthesisers apply 0.4 of the attenuation in a font, and makers of fonts rely on it.
ATTENUATION_FACTOR = 0.4
MAX_KEPT_BYTES = 128 << 20  # the most bytes of waveforms that are cached for later spans of a song


class NoteGroup(NamedTuple):
    """The notes (indices into a Score) that play the same key of the same region: they share a waveform."""

    region: Region
    key: int
    notes: Index


class Mixer:
    """Renders the notes of a song that begin in a span of time, such as a bar.

    The amplitude of a note is the square of its relative velocity (SoundFont 2.04, section 8.4.1).
    """

    def __init__(self, score: Score, font: SoundFont, rate_hz: int) -> None:
        self.font, self.rate_hz = font, rate_hz
        self.start_s = score.seconds(score.onset_ticks)
        self.end_s = score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks)
        self.groups = list(_groups(score, font))
        self.cut_s = _cut_times_s(score, self.start_s, self.groups)
        self.tail_s = max((release_s(group.region) for group in self.groups), default=0.0)
        self.amplitude = (score.velocity / 127.0) ** 2
        self._waves: dict[int, tuple[Signal, Signal]] = {}  # number of a group: waveform, gain of its release

    def sound(self, first_s: float = 0.0, last_s: float = np.inf) -> Signal:
        """The notes that begin from `first_s` on and before `last_s`, with their releases.

        (2, N) samples, left and right, from `first_s` on, before the loudness is normalised.
        """
        chosen = (self.start_s >= first_s) & (self.start_s < last_s)
        end_s = float(self.end_s[chosen].max(initial=first_s)) - first_s
        out = np.zeros((2, round((end_s + self.tail_s + FADE_S) * self.rate_hz) + 2), np.float32)
        times_s = [all_s - first_s for all_s in (self.start_s, self.end_s, self.cut_s)]
        for number, group in enumerate(self.groups):
            group_notes = group.notes[chosen[group.notes]]
            if len(group_notes):
                own_s = [time_s[group_notes] for time_s in times_s]
                waves = self._wave(number, is_kept=not chosen.all())
                _add_notes(out, group.region, waves, own_s, self.amplitude[group_notes], self.rate_hz)
        return out

    def _wave(self, number: int, is_kept: bool) -> tuple[Signal, Signal]:
        """The waveform of a group, as long as its longest note, and the gain of its release."""
        if number in self._waves:
            return self._waves[number]
        region, key, notes = self.groups[number]
        held_s = float((np.minimum(self.end_s[notes], self.cut_s[notes]) - self.start_s[notes]).max())
        wave = sampled_note(self.font.sample(region), region, key, held_s, self.rate_hz)
        fade = release_fade(region, round(release_s(region) * self.rate_hz), self.rate_hz)
        if is_kept:
            self._waves[number] = wave, fade
            while self.kept_bytes > MAX_KEPT_BYTES:
                self._waves.pop(next(iter(self._waves)))  # the oldest
        return wave, fade

    @property
    def kept_bytes(self) -> int:
        """The bytes of the cached waveforms."""
        return sum(wave.nbytes for wave, _ in self._waves.values())


def mix(score: Score, font: SoundFont, rate_hz: int) -> Signal:
    """The whole song as (2, N) samples, left and right, before its loudness is normalised."""
    return Mixer(score, font, rate_hz).sound()


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
    region: Region,
    waves: tuple[Signal, Signal],
    times_s: list[Times],
    amplitudes: Times,
    rate_hz: int,
) -> None:
    """Add the notes of a group to `out` (2, N); `times_s` are the start, end and cut of each, in seconds.

    `waves` are the waveform of the group and the gain of its release.
    """
    start_s, end_s, cut_s = times_s
    wave, fade = waves
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
