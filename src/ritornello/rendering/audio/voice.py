"""One key of a soundfont's zone as a wave: resampled, looped, bent, filtered and shaped by its envelopes.

How loud the key is struck only scales the wave, and letting go of it only fades it out (`release`): so a wave
serves all notes of its key. What changes slowly (filter, vibrato) is worked out a frame at a time. Left out:
modulators, and what follows the release but for the fade; reverb and chorus.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.rendering.audio.soundfont import Recording, Samples, Zone

Floats = npt.NDArray[np.float64]

SILENT_DB = 90.0  # what is so much softer than its peak is over
FALL_DB = 100.0  # decay and release times are those of a fall by so much (2.04, section 8.1.3)
LONGEST_RELEASE_S = 10.0
FRAME = 1024  # samples for which a filter stands still
PIECE = 1 << 14  # samples that are worked on at once: they fit in the processor's cache
FADE_S = 0.004  # where a sound would be cut off
STEP_CENTS = 25  # in which a filter moves
OPEN_CENTS = 13500  # a filter at 20 kHz
HZ_0_CENTS = 8.176  # what 0 absolute cents are


def voice(recording: Recording, zone: Zone, key: int, held_s: float, rate: int) -> Samples:
    """The sound (N,) of `key` held for `held_s` seconds and on through its release, at full strength.

    It ends earlier where the sample or the envelope does.
    """
    key = zone["fixed_key"] if zone["fixed_key"] >= 0 else key
    count = round(min(held_s + release_s(zone), _ends_s(zone, key)) * rate) + 1
    wobble = _triangle(zone, "wobble", count, rate)
    bend = _bend(zone, key, wobble, count, rate)
    wave = _resample(recording, zone, _pitch_cents(recording, zone, key), bend, count, rate)
    wave = _filter(wave, _cutoff_cents(zone, key, wobble, len(wave), rate), zone["resonance"] / 10, rate)
    wave *= _loudness(zone, key, len(wave), rate)
    if wobble is not None and zone["wobble_volume"]:
        wave *= (10 ** (zone["wobble_volume"] * wobble[: len(wave)] / 200)).astype(np.float32)
    fade = min(len(wave), round(FADE_S * rate))
    wave[len(wave) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wave


def release_s(zone: Zone) -> float:
    """How long a note sounds after its end."""
    return min(zone.seconds("release") * SILENT_DB / FALL_DB, LONGEST_RELEASE_S) + FADE_S


def release(zone: Zone, count: int, rate: int) -> Samples:
    """The fade (count,) of a key that is let go, from 1."""
    fall = FALL_DB / zone.seconds("release") / rate
    fade: Samples = (10 ** (-fall / 20 * np.arange(count))).astype(np.float32)
    return fade


def _times_s(zone: Zone, kind: str, key: int) -> tuple[float, float, float, float]:
    """Delay, attack, hold and decay of an envelope ("" or "mod_"); the last two may depend on the key."""
    hold, decay = (
        zone.seconds(kind + name) * 2 ** (zone[kind + slope] * (60 - key) / 1200)
        for name, slope in (("hold", "key_hold"), ("decay", "key_decay"))
    )
    return zone.seconds(kind + "delay"), zone.seconds(kind + "attack"), hold, decay


def _ends_s(zone: Zone, key: int) -> float:
    """When the envelope has become silent by itself; infinite where it holds."""
    if zone["sustain"] / 10 < SILENT_DB:
        return float("inf")
    delay, attack, hold, decay = _times_s(zone, "", key)
    return delay + attack + hold + decay * SILENT_DB / FALL_DB


def _loudness(zone: Zone, key: int, count: int, rate: int) -> Samples:
    """The volume envelope (count,): a straight attack, hold, a fall that is straight in decibels, sustain."""
    delay, attack, hold, decay = _times_s(zone, "", key)
    sustain = float(np.clip(zone["sustain"] / 10, 0, FALL_DB))
    top = delay + attack + hold
    at = np.arange(count, dtype=np.float32) / np.float32(rate)
    fall = np.clip((at - np.float32(top)) * np.float32(FALL_DB / decay), 0, sustain)
    level: Samples = np.exp(fall * np.float32(-np.log(10) / 20))
    rising = min(count, int((delay + attack) * rate))
    level[:rising] *= np.clip((at[:rising] - delay) / attack, 0, 1)
    return level


def _frames(count: int, rate: int) -> Floats:
    """The time in seconds of each frame of a sound of `count` samples (F,), one more than fit."""
    return np.arange(count // FRAME + 2, dtype=np.float64) * (FRAME / rate)


def _mod_envelope(zone: Zone, key: int, at_s: Floats) -> Floats:
    """The modulation envelope, 0 to 1, at some times: a convex rise (section 9.1.7), a straight fall."""
    delay, attack, hold, decay = _times_s(zone, "mod_", key)
    sustain = 1 - np.clip(zone["mod_sustain"] / 1000, 0, 1)
    rise = np.clip((at_s - delay) / attack, 1e-9, 1)
    fall = np.clip((at_s - delay - attack - hold) / decay, 0, 1 - sustain)
    return np.asarray(np.maximum(0, 1 + 400 / 960 * np.log10(rise)) - fall)


def _triangle(zone: Zone, kind: str, count: int, rate: int) -> Floats | None:
    """A slow wave from -1 to 1 (count,), "wobble" or "vibrato"; None where it moves nothing."""
    moves = ("pitch", "cutoff", "volume") if kind == "wobble" else ("pitch",)
    if not any(zone[f"{kind}_{what}"] for what in moves):
        return None
    hz = HZ_0_CENTS * 2 ** (zone[f"{kind}_rate"] / 1200)
    turns = np.maximum(0, np.arange(count) / rate - zone.seconds(f"{kind}_delay")) * hz
    return np.asarray(1 - np.abs((turns + 0.25) % 1 * 4 - 2))


def _pitch_cents(recording: Recording, zone: Zone, key: int) -> float:
    """How far the key lies above the pitch of the recording."""
    return float((key - recording.key) * zone["scale"] + 100 * zone["semitones"] + zone["cents"])


def _bend(zone: Zone, key: int, wobble: Floats | None, count: int, rate: int) -> Floats | None:
    """What the pitch is bent by, in cents (count,); None where it stands."""
    bend: Any = None
    if zone["envelope_pitch"]:
        bend = zone["envelope_pitch"] * _mod_envelope(zone, key, np.arange(count) / rate)
    for moved_by, wave in (
        (zone["wobble_pitch"], wobble),
        (zone["vibrato_pitch"], _triangle(zone, "vibrato", count, rate)),
    ):
        if moved_by and wave is not None:
            bend = moved_by * wave + (0 if bend is None else bend)
    return None if bend is None else np.asarray(bend, np.float64)


def _resample(
    recording: Recording, zone: Zone, cents: float, bend: Floats | None, count: int, rate: int
) -> Samples:
    """The recording read at another pace, round its loop, `count` samples or up to its end."""
    (start, end), values = recording.loop, recording.values
    loops = bool(zone["loop_mode"] & 1) and end - start >= 2
    pace = recording.rate / rate * 2 ** (cents / 1200)
    bent: Floats | None = None if bend is None else np.cumsum(pace * 2 ** (bend / 1200)) - pace
    if not loops:
        paces = len(values) / pace if bent is None else np.searchsorted(bent, len(values))
        count = min(count, int(paces) + 1)
        source = np.concatenate([values[:1], values, np.zeros(4 + int(pace), np.float32)])
    else:
        cycle = values[start:end]
        source = np.concatenate([values[:1], values[:end], cycle, np.resize(cycle, 3)])
    wave = np.empty(count, np.float32)
    for first in range(0, count, PIECE):
        last = min(first + PIECE, count)
        place = np.arange(first, last, dtype=np.float64) * pace if bent is None else bent[first:last]
        if loops and place[-1] >= end:
            turns = np.maximum(0, np.floor((place - end) * (1 / (end - start))))
            place = place - turns * (end - start)
        wave[first:last] = _between(source, place)
    return wave


def _between(source: Samples, place: Floats) -> Samples:
    """What stands at `place` (N,) in `source`, which has one more in front: a cubic through four samples.

    Catmull and Rom, "A class of local interpolating splines" (1974).
    """
    whole = place.astype(np.int64)
    t = (place - whole).astype(np.float32)
    a, b, c, d = (source[whole + tap] for tap in range(4))
    bow = t * (3 * (b - c) + d - a)
    bow += 2 * a - 5 * b + 4 * c - d
    bow *= t
    bow += c - a
    bow *= t / 2
    bow += b
    return bow


def _cutoff_cents(zone: Zone, key: int, wobble: Floats | None, count: int, rate: int) -> Floats | None:
    """Where the low-pass filter stands in each frame (F,), in absolute cents; None where it lets all pass."""
    at_s = _frames(count, rate)
    cutoff = zone["cutoff"] + np.zeros(len(at_s))
    if zone["envelope_cutoff"]:
        cutoff += zone["envelope_cutoff"] * _mod_envelope(zone, key, at_s)
    if wobble is not None and zone["wobble_cutoff"]:
        cutoff += zone["wobble_cutoff"] * wobble[np.minimum(np.arange(len(at_s)) * FRAME, len(wobble) - 1)]
    return None if cutoff.min() >= OPEN_CENTS else np.clip(cutoff, 1500, OPEN_CENTS)


def _filter(wave: Samples, cutoff_cents: Floats | None, resonance_db: float, rate: int) -> Samples:
    """A low-pass filter of second order that moves: each frame of a Hann window through its own filter.

    What lies below the resonance is turned down by half of it (section 8.1.3, generator 9).
    """
    if resonance_db:
        wave *= np.float32(10 ** (-resonance_db / 40))
    if cutoff_cents is None or not len(wave):
        return wave
    frames = len(wave) // FRAME + 2
    padded = np.zeros((frames + 1) * FRAME, np.float32)
    padded[FRAME : FRAME + len(wave)] = wave
    window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * FRAME) / FRAME)).astype(np.float32)  # halves add to 1
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * FRAME)[::FRAME]  # (F, 2 FRAME)
    steps, which = np.unique(np.rint(cutoff_cents[:frames] / STEP_CENTS), return_inverse=True)
    response = np.stack([_response(step * STEP_CENTS, resonance_db, rate) for step in steps.tolist()])
    result = np.zeros((frames + 1, FRAME), np.float32)
    for first in range(0, frames, 16):
        some = slice(first, min(first + 16, frames))
        spectrum = np.fft.rfft(pieces[some] * window)
        spectrum *= response[which[some]]
        heard = np.fft.irfft(spectrum)
        result[some] += heard[:, :FRAME]
        result[some.start + 1 : some.stop + 1] += heard[:, FRAME:]
    return result.reshape(-1)[FRAME : FRAME + len(wave)]


@lru_cache(maxsize=2048)
def _response(cutoff_cents: float, resonance_db: float, rate: int) -> npt.NDArray[np.complex64]:
    """The response (FRAME + 1,) of a filter: a resonance of 0 dB is that of Butterworth's.

    Robert Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", low-pass.
    """
    turn = 2 * np.pi * min(HZ_0_CENTS * 2 ** (cutoff_cents / 1200), 0.45 * rate) / rate
    alpha, cosine = np.sin(turn) / 2 / 10 ** ((resonance_db - 3.01) / 20), np.cos(turn)
    z = np.exp(-1j * np.pi * np.arange(FRAME + 1) / FRAME)
    over = (1 - cosine) / 2 * (1 + z) ** 2
    under = (1 + alpha) - 2 * cosine * z + (1 - alpha) * z**2
    return np.asarray(over / under, np.complex64)
