"""From a Score to sound: every note through its soundfont's zones, laid over each other in stereo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.rendering.audio.soundfont import Samples, SoundFont, Zone
from ritornello.rendering.audio.voice import FADE_S, release, release_s, voice

Times = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

# Synthesisers since the EMU8000 take 0.4 of the attenuation that a font asks for, and fonts are tuned to it.
ATTENUATION = 0.4


class Group(NamedTuple):
    """Notes (rows of a Score) that are the same key of the same zone: one wave serves them all."""

    zone: Zone
    key: int
    notes: Index


def mix(score: Score, font: SoundFont, rate: int) -> Samples:
    """The song as (2, N) samples, left and right, not yet at any loudness.

    A note is as loud as the square of its velocity, the SoundFont's rule (2.04, section 8.4.1).
    """
    start_s = score.seconds(score.onset_ticks)
    end_s = score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks)
    groups = list(_groups(score, font))
    stop_s = _choked(score, start_s, groups)
    tail_s = max((release_s(group.zone) for group in groups), default=0.0)
    length = round((float(end_s.max(initial=0)) + tail_s + FADE_S) * rate) + 2
    out = np.zeros((2, length), np.float32)
    strength = (score.velocity / 127.0) ** 2
    for group in groups:
        own = group.notes
        _lay(out, group, font, (start_s[own], end_s[own], stop_s[own]), strength[own], rate)
    return out


def _groups(score: Score, font: SoundFont) -> Iterator[Group]:
    """All notes by zone and key; a note may be in several, such as those of the left and the right side."""
    sound = np.array([part.program + 128 * part.is_drum for part in score.parts], np.int64)
    what = sound[score.part] * 128 + score.pitch if len(score) else np.zeros(0, np.int64)
    order = np.argsort(what, kind="stable")
    edges = np.flatnonzero(np.diff(what[order], prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        notes = order[first:last]
        program, key = divmod(int(what[notes[0]]), 128)
        preset = font.preset(program % 128, program >= 128)
        for zone in font.zones(*preset):
            if zone.keys[0] <= key <= zone.keys[1]:
                velocity = score.velocity[notes]
                heard = notes[(velocity >= zone.velocities[0]) & (velocity <= zone.velocities[1])]
                if len(heard):
                    yield Group(zone, key, heard)


def _choked(score: Score, start_s: Times, groups: list[Group]) -> Times:
    """When each note (N,) is cut off by the next of its exclusive class, as an open hi-hat is; or never."""
    stop_s = np.full(len(score), np.inf)
    kind = np.zeros(len(score), np.int64)
    for group in groups:
        kind[group.notes] = group.zone["exclusive_class"]
    for part, exclusive in {(int(p), int(k)) for p, k in zip(score.part, kind, strict=True) if k}:
        (notes,) = np.nonzero((score.part == part) & (kind == exclusive))
        onsets = np.append(start_s[notes], np.inf)
        stop_s[notes] = onsets[np.searchsorted(onsets, start_s[notes], side="right")]
    return stop_s


def _lay(
    out: Samples, group: Group, font: SoundFont, times: tuple[Times, Times, Times], strength: Times, rate: int
) -> None:
    """Add the notes of a group to `out` (2, N)."""
    start_s, end_s, stop_s = times
    zone = group.zone
    longest_s = float((np.minimum(end_s, stop_s) - start_s).max())
    wave = voice(font.recording(zone), zone, group.key, longest_s, rate)
    fade = release(zone, round(release_s(zone) * rate), rate)
    gain = 10 ** (-ATTENUATION * max(0, zone["attenuation"]) / 200)
    angle = (np.clip(zone["pan"], -500, 500) / 1000 + 0.5) * np.pi / 2  # equal power from side to side
    sides = np.array([np.cos(angle), np.sin(angle)], np.float32) * gain
    first_of, held, choke = (
        np.rint(np.minimum(time_s * rate, out.shape[1])).astype(np.int64).tolist()
        for time_s in (start_s, end_s - start_s, stop_s - start_s + FADE_S)
    )
    for first, on, most, loud in zip(first_of, held, choke, strength, strict=True):
        sound = wave[: min(on + len(fade), most)] * np.float32(loud)
        if len(sound) > on:
            sound[on:] *= fade[: len(sound) - on]
        if len(sound) == most:
            short = min(len(sound), round(FADE_S * rate))
            sound[len(sound) - short :] *= np.linspace(1, 0, short, dtype=np.float32)
        out[0, first : first + len(sound)] += sound * sides[0]
        out[1, first : first + len(sound)] += sound * sides[1]
