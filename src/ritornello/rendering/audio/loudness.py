"""Measure the loudness of a sound, and normalise it without clipping.

Loudness in LUFS follows ITU-R BS.1770-4: K-weighting by two filters, the mean power of blocks of 400 ms, and
the mean of the blocks that pass an absolute and a relative gate.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ritornello.rendering.audio.soundfont import Signal

Floats = npt.NDArray[np.float64]

TARGET_LUFS = -16.0  # common among streaming services and podcasts, within a few dB
CEILING = 10 ** (-1.5 / 20)  # the maximum of a sample; mp3 and ogg overshoot it slightly
STEP_S, STEPS_PER_BLOCK = 0.1, 4
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
CHUNK, WARM_UP = 1 << 15, 1 << 13  # samples filtered at once; samples after which the filters have settled
LIMITER_BLOCK_S = 0.0015
LOOK_AHEAD, BLOCKS_AT_ONCE = 20, 2000  # in blocks of the limiter


def loudness_lufs(sound: Signal, rate_hz: int) -> float:
    """The integrated loudness in LUFS of a sound of C front channels (C, N); -inf for silence.

    A sound shorter than a block of 400 ms is padded to one block.
    """
    step = round(STEP_S * rate_hz)
    missing = STEPS_PER_BLOCK - 1
    power = np.concatenate([*_step_powers(sound, step, rate_hz), np.zeros(missing)])
    power = power[: max(STEPS_PER_BLOCK, len(power) - missing)]
    blocks = np.convolve(power, np.ones(STEPS_PER_BLOCK), "valid") / (STEPS_PER_BLOCK * step)
    blocks = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if not len(blocks):
        return -math.inf
    gate = float(_lufs(blocks.mean())) + RELATIVE_GATE_LU
    return float(_lufs(blocks[_lufs(blocks) > gate].mean()))


def normalise(sound: Signal, rate_hz: int, target_lufs: float = TARGET_LUFS) -> Signal:
    """Scale `sound` (C, N), in place, to the target loudness, and limit its peaks to CEILING; returns it.

    Limiting lowers the loudness, so both steps are done twice. Silence stays silent.
    """
    for _ in range(2):
        loudness = loudness_lufs(sound, rate_hz)
        if loudness == -math.inf:
            return sound
        sound *= np.float32(10 ** ((target_lufs - loudness) / 20))
        if not _limit(sound, rate_hz):
            return sound
    return sound


def _lufs(power: npt.ArrayLike) -> Floats:
    """The loudness of a mean K-weighted power, in LUFS."""
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power))


def _step_powers(sound: Signal, step: int, rate_hz: int) -> Iterator[Floats]:
    """The K-weighted sum of squares of all channels in each `step` samples; the last step may be shorter."""
    hop = (CHUNK - WARM_UP) // step * step
    response = _k_weighting(np.asarray(np.fft.rfftfreq(CHUNK, 1 / rate_hz), np.float64), rate_hz)
    window = np.zeros((len(sound), CHUNK), np.float32)
    for first in range(0, sound.shape[1], hop):
        start = first + hop - CHUNK  # include earlier samples, on which the filters settle
        chunk = sound[:, max(0, start) : first + hop]
        window[:, :] = 0
        window[:, max(0, -start) : max(0, -start) + chunk.shape[1]] = chunk
        weighted = np.fft.irfft(np.fft.rfft(window) * response)[:, -hop:]
        steps = -(-min(hop, sound.shape[1] - first) // step)
        yield (weighted.reshape(len(sound), -1, step) ** 2).sum(axis=(0, 2), dtype=np.float64)[:steps]


def _k_weighting(hz: Floats, rate_hz: int) -> npt.NDArray[np.complex64]:
    """The response (F,) at some frequencies of the two filters: a high shelf, and a high-pass.

    BS.1770 gives coefficients for 48 kHz only. The analogue prototypes used here, which give the same at 48
    kHz, are from Brecht De Man, "Evaluation of implementations of the EBU R128 loudness measurement" (2018).
    """
    z = np.exp(-2j * np.pi * hz / rate_hz)
    response = np.ones_like(z)
    for centre_hz, q, is_shelf in ((1681.974450955533, 0.7071752369554196, True),
                               (38.13547087602444, 0.5003270373238773, False)):  # fmt: skip
        k = math.tan(math.pi * centre_hz / rate_hz)
        top = 10 ** (3.999843853973347 / 20)
        side = top**0.4996667741545416
        shelf = (top + side * k / q + k * k, 2 * (k * k - top), top - side * k / q + k * k)
        norm = 1 + k / q + k * k
        b = np.array(shelf) / norm if is_shelf else np.array([1.0, -2.0, 1.0])
        a = np.array([norm, 2 * (k * k - 1), 1 - k / q + k * k]) / norm
        response *= (b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)
    return np.asarray(response, np.complex64)


def _limit(sound: Signal, rate_hz: int) -> bool:
    """Reduce the gain of `sound`, in place, for about 30 ms around each peak above CEILING, if there is one.

    Each block has a required gain. The minimum over LOOK_AHEAD blocks on both sides is smoothed by a moving
    average that is shorter than this window, so that the interpolated gain never exceeds the required one.
    """
    size = round(LIMITER_BLOCK_S * rate_hz)
    count = -(-sound.shape[1] // size)
    peaks = np.zeros(count)
    for block in range(0, count, BLOCKS_AT_ONCE):  # saves memory
        chunk = np.abs(sound[:, block * size : (block + BLOCKS_AT_ONCE) * size]).max(axis=0)
        starts = np.arange(0, len(chunk), size)
        peaks[block : block + len(starts)] = np.maximum.reduceat(chunk, starts)
    required = np.minimum(1, CEILING / np.maximum(peaks, CEILING))
    if required.min() >= 1:
        return False
    padded = np.pad(required, 2 * LOOK_AHEAD - 1, constant_values=1)
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * LOOK_AHEAD + 1).min(axis=1)
    gain = np.convolve(least, np.full(2 * LOOK_AHEAD - 1, 1 / (2 * LOOK_AHEAD - 1)), "valid")
    centres = (np.arange(count) + 0.5) * size
    for first in range(0, sound.shape[1], CHUNK):
        chunk = sound[:, first : first + CHUNK]
        if gain[max(0, first // size - 1) : (first + CHUNK) // size + 2].min() < 1:
            chunk *= np.interp(np.arange(first, first + chunk.shape[1]), centres, gain).astype(np.float32)
    return True
