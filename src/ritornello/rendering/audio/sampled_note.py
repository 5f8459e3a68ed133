"""Synthesise one note from a region of a soundfont: resample, loop, bend, filter, apply envelopes.

A waveform is made once for all notes of a key, at full velocity and for the longest duration. A softer note
is the same waveform times a factor, a shorter one is faded out with `release_fade`. Modulators, reverb and
chorus are not implemented. Section numbers are those of the SoundFont Technical Specification 2.04.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.rendering.audio.soundfont import Region, Signal, SoundFontSample

Floats = npt.NDArray[np.float64]

SILENCE_DB = 90.0  # a sound this far below its peak counts as silent
FALL_DB = 100.0  # decay and release are the times in which the level falls by this much (section 8.1.3)
MAX_RELEASE_S = 10.0
FRAME = 1024  # samples; the filter is constant within a frame
CHUNK = 1 << 14  # samples processed at once, so that they fit in the processor's cache
FADE_S = 0.004  # length of the fade where a sound is cut off
CUTOFF_STEP_CENTS = 25  # cutoff frequencies are rounded to it, so that responses can be cached
OPEN_CUTOFF_CENTS = 13500  # 20 kHz: the filter has no effect
HZ_AT_0_CENTS = 8.176  # the frequency of 0 absolute cents: MIDI key 0


def sampled_note(sample: SoundFontSample, region: Region, key: int, held_s: float, rate_hz: int) -> Signal:
    """The waveform (N,) of `key` held for `held_s` seconds, with its release, at full velocity.

    It is shorter where the sample ends or the envelope reaches silence before.
    """
    key = region["fixed_key"] if region["fixed_key"] >= 0 else key
    count = round(min(held_s + release_s(region), _silent_after_s(region, key)) * rate_hz) + 1
    mod_lfo = _lfo(region, "mod_lfo", count, rate_hz)
    bend = _pitch_modulation_cents(region, key, mod_lfo, count, rate_hz)
    wave = _resample(sample, region, _transposition_cents(sample, region, key), bend, count, rate_hz)
    cutoff = _cutoff_cents(region, key, mod_lfo, len(wave), rate_hz)
    wave = _filter(wave, cutoff, region["resonance"] / 10, rate_hz)
    wave *= _volume_envelope(region, key, len(wave), rate_hz)
    if mod_lfo is not None and region["mod_lfo_volume"]:
        wave *= (10 ** (region["mod_lfo_volume"] * mod_lfo[: len(wave)] / 200)).astype(np.float32)
    fade = min(len(wave), round(FADE_S * rate_hz))
    wave[len(wave) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wave


def release_s(region: Region) -> float:
    """Seconds that a note sounds after its end."""
    return min(region.seconds("release") * SILENCE_DB / FALL_DB, MAX_RELEASE_S) + FADE_S


def release_fade(region: Region, count: int, rate_hz: int) -> Signal:
    """The gain (count,) after the end of a note, from 1 down, linear in decibels."""
    fall = FALL_DB / region.seconds("release") / rate_hz
    fade: Signal = (10 ** (-fall / 20 * np.arange(count))).astype(np.float32)
    return fade


def _envelope_times_s(region: Region, prefix: str, key: int) -> tuple[float, float, float, float]:
    """Delay, attack, hold and decay in seconds of an envelope; `prefix` is "" for volume, or "mod_env_".

    Hold and decay may depend on the key.
    """
    hold, decay = (
        region.seconds(prefix + name) * 2 ** (region[prefix + slope] * (60 - key) / 1200)
        for name, slope in (("hold", "key_hold"), ("decay", "key_decay"))
    )
    return region.seconds(prefix + "delay"), region.seconds(prefix + "attack"), hold, decay


def _silent_after_s(region: Region, key: int) -> float:
    """Seconds until the volume envelope of a held note is silent; infinite if it sustains the note."""
    if region["sustain"] / 10 < SILENCE_DB:
        return float("inf")
    delay, attack, hold, decay = _envelope_times_s(region, "", key)
    return delay + attack + hold + decay * SILENCE_DB / FALL_DB


def _volume_envelope(region: Region, key: int, count: int, rate_hz: int) -> Signal:
    """The gain (count,): a linear attack, hold, a decay that is linear in decibels, sustain."""
    delay, attack, hold, decay = _envelope_times_s(region, "", key)
    sustain_db = float(np.clip(region["sustain"] / 10, 0, FALL_DB))
    decay_start_s = delay + attack + hold
    at_s = np.arange(count, dtype=np.float32) / np.float32(rate_hz)
    fall_db = np.clip((at_s - np.float32(decay_start_s)) * np.float32(FALL_DB / decay), 0, sustain_db)
    gain: Signal = np.exp(fall_db * np.float32(-np.log(10) / 20))
    rising = min(count, int((delay + attack) * rate_hz))
    gain[:rising] *= np.clip((at_s[:rising] - delay) / attack, 0, 1)
    return gain


def _modulation_envelope(region: Region, key: int, at_s: Floats) -> Floats:
    """The modulation envelope, 0 to 1, at given times: a convex attack (section 9.1.7), a linear decay."""
    delay, attack, hold, decay = _envelope_times_s(region, "mod_env_", key)
    sustain = 1 - np.clip(region["mod_env_sustain"] / 1000, 0, 1)
    rise = np.clip((at_s - delay) / attack, 1e-9, 1)
    fall = np.clip((at_s - delay - attack - hold) / decay, 0, 1 - sustain)
    return np.asarray(np.maximum(0, 1 + 400 / 960 * np.log10(rise)) - fall)


def _lfo(region: Region, lfo: str, count: int, rate_hz: int) -> Floats | None:
    """A triangle wave from -1 to 1 (count,) of "mod_lfo" or "vib_lfo"; None if it modulates nothing."""
    targets = ("pitch", "cutoff", "volume") if lfo == "mod_lfo" else ("pitch",)
    if not any(region[f"{lfo}_{target}"] for target in targets):
        return None
    hz = HZ_AT_0_CENTS * 2 ** (region[f"{lfo}_rate"] / 1200)
    cycles = np.maximum(0, np.arange(count) / rate_hz - region.seconds(f"{lfo}_delay")) * hz
    return np.asarray(1 - np.abs((cycles + 0.25) % 1 * 4 - 2))


def _transposition_cents(sample: SoundFontSample, region: Region, key: int) -> float:
    """The interval in cents from the pitch of the sample to that of the key."""
    return float((key - sample.key) * region["scale"] + 100 * region["semitones"] + region["cents"])


def _pitch_modulation_cents(
    region: Region, key: int, mod_lfo: Floats | None, count: int, rate_hz: int
) -> Floats | None:
    """The deviation of the pitch in cents (count,); None if the pitch is constant."""
    bend: Any = None
    if region["mod_env_pitch"]:
        bend = region["mod_env_pitch"] * _modulation_envelope(region, key, np.arange(count) / rate_hz)
    for depth_cents, lfo in (
        (region["mod_lfo_pitch"], mod_lfo),
        (region["vib_lfo_pitch"], _lfo(region, "vib_lfo", count, rate_hz)),
    ):
        if depth_cents and lfo is not None:
            bend = depth_cents * lfo + (0 if bend is None else bend)
    return None if bend is None else np.asarray(bend, np.float64)


def _resample(
    sample: SoundFontSample, region: Region, cents: float, bend: Floats | None, count: int, rate_hz: int
) -> Signal:
    """The sample transposed by `cents` and `bend`: `count` values if it loops, else at most up to its end."""
    (start, end), values = sample.loop, sample.values
    loops = bool(region["loop_mode"] & 1) and end - start >= 2
    step = sample.rate_hz / rate_hz * 2 ** (cents / 1200)  # source samples for each sample of the result
    bent: Floats | None = None if bend is None else np.cumsum(step * 2 ** (bend / 1200)) - step
    if not loops:
        steps = len(values) / step if bent is None else np.searchsorted(bent, len(values))
        count = min(count, int(steps) + 1)
        source = np.concatenate([values[:1], values, np.zeros(4 + int(step), np.float32)])
    else:
        cycle = values[start:end]
        source = np.concatenate([values[:1], values[:end], cycle, np.resize(cycle, 3)])
    wave = np.empty(count, np.float32)
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        position = np.arange(first, last, dtype=np.float64) * step if bent is None else bent[first:last]
        if loops and position[-1] >= end:
            rounds = np.maximum(0, np.floor((position - end) * (1 / (end - start))))
            position = position - rounds * (end - start)
        wave[first:last] = _interpolate(source, position)
    return wave


def _interpolate(source: Signal, position: Floats) -> Signal:
    """The values at fractional positions (N,) by a cubic through four samples; source[1] is position 0.

    Catmull and Rom, "A class of local interpolating splines" (1974).
    """
    whole = position.astype(np.int64)
    t = (position - whole).astype(np.float32)
    a, b, c, d = (source[whole + tap] for tap in range(4))
    result = t * (3 * (b - c) + d - a)
    result += 2 * a - 5 * b + 4 * c - d
    result *= t
    result += c - a
    result *= t / 2
    result += b
    return result


def _cutoff_cents(
    region: Region, key: int, mod_lfo: Floats | None, count: int, rate_hz: int
) -> Floats | None:
    """The cutoff of the low-pass filter in each frame (F,), in absolute cents; None if it is always open."""
    at_s = np.arange(count // FRAME + 2, dtype=np.float64) * (FRAME / rate_hz)
    cutoff = region["cutoff"] + np.zeros(len(at_s))
    if region["mod_env_cutoff"]:
        cutoff += region["mod_env_cutoff"] * _modulation_envelope(region, key, at_s)
    if mod_lfo is not None and region["mod_lfo_cutoff"]:
        frame_starts = np.minimum(np.arange(len(at_s)) * FRAME, len(mod_lfo) - 1)
        cutoff += region["mod_lfo_cutoff"] * mod_lfo[frame_starts]
    return None if cutoff.min() >= OPEN_CUTOFF_CENTS else np.clip(cutoff, 1500, OPEN_CUTOFF_CENTS)


def _filter(wave: Signal, cutoff_cents: Floats | None, resonance_db: float, rate_hz: int) -> Signal:
    """Apply a second-order low-pass filter whose cutoff varies by frame (overlap-add, Hann window).

    The gain is reduced by half of the resonance (section 8.1.3, generator 9).
    """
    if resonance_db:
        wave *= np.float32(10 ** (-resonance_db / 40))
    if cutoff_cents is None or not len(wave):
        return wave
    frames = len(wave) // FRAME + 2
    padded = np.zeros((frames + 1) * FRAME, np.float32)
    padded[FRAME : FRAME + len(wave)] = wave
    window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * FRAME) / FRAME)).astype(np.float32)  # halves add to 1
    overlapping = np.lib.stride_tricks.sliding_window_view(padded, 2 * FRAME)[::FRAME]  # (F, 2 FRAME)
    steps, which = np.unique(np.rint(cutoff_cents[:frames] / CUTOFF_STEP_CENTS), return_inverse=True)
    cutoffs = [step * CUTOFF_STEP_CENTS for step in steps.tolist()]
    response = np.stack([_low_pass_response(cents, resonance_db, rate_hz) for cents in cutoffs])
    result = np.zeros((frames + 1, FRAME), np.float32)
    for first in range(0, frames, 16):
        some = slice(first, min(first + 16, frames))
        spectrum = np.fft.rfft(overlapping[some] * window)
        spectrum *= response[which[some]]
        filtered = np.fft.irfft(spectrum)
        result[some] += filtered[:, :FRAME]
        result[some.start + 1 : some.stop + 1] += filtered[:, FRAME:]
    return result.reshape(-1)[FRAME : FRAME + len(wave)]


@lru_cache(maxsize=2048)
def _low_pass_response(cutoff_cents: float, resonance_db: float, rate_hz: int) -> npt.NDArray[np.complex64]:
    """The frequency response (FRAME + 1,) of the filter; without resonance it is a Butterworth filter.

    Robert Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", low-pass.
    """
    omega = 2 * np.pi * min(HZ_AT_0_CENTS * 2 ** (cutoff_cents / 1200), 0.45 * rate_hz) / rate_hz
    alpha, cosine = np.sin(omega) / 2 / 10 ** ((resonance_db - 3.01) / 20), np.cos(omega)
    z = np.exp(-1j * np.pi * np.arange(FRAME + 1) / FRAME)
    numerator = (1 - cosine) / 2 * (1 + z) ** 2
    denominator = (1 + alpha) - 2 * cosine * z + (1 - alpha) * z**2
    return np.asarray(numerator / denominator, np.complex64)
