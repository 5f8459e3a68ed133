"""How loud a sound is, and making it as loud as it should be without clipping.

Loudness in LUFS as ITU-R BS.1770-4 has it: two filters ("K-weighting"), the power of blocks of 400 ms,
and the mean of the blocks that pass two gates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ritornello.rendering.audio.soundfont import Samples

Floats = npt.NDArray[np.float64]

TARGET_LUFS = -16.0  # what streaming services and podcasts agree on, within a few dB
CEILING = 10 ** (-1.5 / 20)  # the highest sample: what is left over is for the overshoot of mp3 and ogg
BLOCK_S, STEP_S = 0.4, 0.1
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
PIECE, RUN_IN = 1 << 15, 1 << 13  # samples filtered at once; what is so long ago the filters have forgotten
BLOCK_OF_LIMITER_S, LOOK, BLOCKS = 0.0015, 20, 2000


def loudness_lufs(sound: Samples, rate: int) -> float:
    """The integrated loudness of (C, N) samples, C channels in front of the listener; -inf for silence.

    A sound shorter than a block of 400 ms counts as one block that ends with silence.
    """
    step = round(STEP_S * rate)
    power = np.concatenate([*_powers(sound, step, rate), np.zeros(3)])  # of each 100 ms
    power = power[: max(4, len(power) - 3)]
    blocks = np.convolve(power, np.ones(4), "valid") / (4 * step)
    heard = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if not len(heard):
        return -math.inf
    gate = float(_lufs(heard.mean())) + RELATIVE_GATE_LU
    return float(_lufs(heard[_lufs(heard) > gate].mean()))


def normalised(sound: Samples, rate: int, target_lufs: float = TARGET_LUFS) -> Samples:
    """`sound` (C, N), changed in place, at the wanted loudness and with no sample above the ceiling.

    Peaks are turned down for a moment by a limiter; what that takes from the loudness is given back once.
    Silence stays silence.
    """
    for _ in range(2):
        now = loudness_lufs(sound, rate)
        if now == -math.inf:
            return sound
        sound *= np.float32(10 ** ((target_lufs - now) / 20))
        if not _limit(sound, rate):
            return sound
    return sound


def _lufs(power: npt.ArrayLike) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(power))


def _powers(sound: Samples, step: int, rate: int) -> Iterator[Floats]:
    """The sum of squares of all channels, K-weighted, in each `step` samples; the last step may be short."""
    hop = (PIECE - RUN_IN) // step * step
    response = _k_weighting(np.asarray(np.fft.rfftfreq(PIECE, 1 / rate), np.float64), rate)
    window = np.zeros((len(sound), PIECE), np.float32)
    for first in range(0, sound.shape[1], hop):
        start = first + hop - PIECE  # the piece has what sounded before it in front, and the filters run in
        piece = sound[:, max(0, start) : first + hop]
        window[:, :] = 0
        window[:, max(0, -start) : max(0, -start) + piece.shape[1]] = piece
        heard = np.fft.irfft(np.fft.rfft(window) * response)[:, -hop:]
        steps = -(-min(hop, sound.shape[1] - first) // step)
        yield (heard.reshape(len(sound), -1, step) ** 2).sum(axis=(0, 2), dtype=np.float64)[:steps]


def _k_weighting(hz: Floats, rate: int) -> npt.NDArray[np.complex64]:
    """The response of both filters at some frequencies (F,): a shelf for the head, and a high-pass.

    BS.1770 tabulates them at 48 kHz; their analogue prototypes, which give the same there and fit any rate,
    are from Brecht De Man, "Evaluation of implementations of the EBU R128 loudness measurement" (2018).
    """
    z = np.exp(-2j * np.pi * hz / rate)
    total = np.ones_like(z)
    for centre_hz, q, high in ((1681.974450955533, 0.7071752369554196, True),
                               (38.13547087602444, 0.5003270373238773, False)):  # fmt: skip
        k = math.tan(math.pi * centre_hz / rate)
        top = 10 ** (3.999843853973347 / 20)
        side = top**0.4996667741545416
        shelf = (top + side * k / q + k * k, 2 * (k * k - top), top - side * k / q + k * k)
        norm = 1 + k / q + k * k
        over = np.array(shelf) / norm if high else np.array([1.0, -2.0, 1.0])
        under = np.array([norm, 2 * (k * k - 1), 1 - k / q + k * k]) / norm
        total *= (over[0] + over[1] * z + over[2] * z * z) / (under[0] + under[1] * z + under[2] * z * z)
    return np.asarray(total, np.complex64)


def _limit(sound: Samples, rate: int) -> bool:
    """Turn `sound` down, in place, for some 30 ms around each peak above the ceiling; whether there was one.

    A block needs a gain; the least of the next LOOK blocks on both sides, averaged over LOOK - 1 of them and
    drawn out in straight lines, is nowhere more than is needed.
    """
    size = round(BLOCK_OF_LIMITER_S * rate)
    count = -(-sound.shape[1] // size)
    peaks = np.zeros(count)
    for block in range(0, count, BLOCKS):  # in pieces: a whole song's magnitudes would be a second song
        piece = np.abs(sound[:, block * size : (block + BLOCKS) * size]).max(axis=0)
        starts = np.arange(0, len(piece), size)
        peaks[block : block + len(starts)] = np.maximum.reduceat(piece, starts)
    need = np.minimum(1, CEILING / np.maximum(peaks, CEILING))
    if need.min() >= 1:
        return False
    around = np.pad(need, 2 * LOOK - 1, constant_values=1)
    least = np.lib.stride_tricks.sliding_window_view(around, 2 * LOOK + 1).min(axis=1)
    gain = np.convolve(least, np.full(2 * LOOK - 1, 1 / (2 * LOOK - 1)), "valid")
    centres = (np.arange(count) + 0.5) * size
    for first in range(0, sound.shape[1], PIECE):
        piece = sound[:, first : first + PIECE]
        if gain[max(0, first // size - 1) : (first + PIECE) // size + 2].min() < 1:
            piece *= np.interp(np.arange(first, first + piece.shape[1]), centres, gain).astype(np.float32)
    return True
