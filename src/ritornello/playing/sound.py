"""Render a song bar by bar, ahead of the bar that is playing."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.playing.excerpt import Excerpt
from ritornello.rendering.audio import FADE_S, trim_silence
from ritornello.rendering.audio.loudness import TARGET_LUFS, loudness_lufs
from ritornello.rendering.audio.mix import Mixer
from ritornello.rendering.audio.soundfont import Signal, SoundFont

# The loudness of a song is estimated from one span: the span at this percentile of estimated power
LOUD_PERCENT = 97
LOUD_LU = 1.2  # how much louder this span is than the song (mean of 25 songs; deviation 1.3 LU)
LINEAR_TO = 0.7  # peaks above this share of full scale are compressed, so that they stay below 1
SPAN_S = 0.6  # bars are rendered in pieces of about this length, so that playing starts soon


class SoundOfBar(NamedTuple):
    """The number of a bar in the song, and stereo sound (2, N) of the bar or of a piece of it."""

    bar: int
    sound: Signal


def sound_of_bars(played: Excerpt, font: SoundFont, rate_hz: int, loop: bool = False) -> Iterator[SoundOfBar]:
    """Yield the sound of an excerpt in pieces, repeated with `loop`.

    Each piece is rendered when it is requested. Notes that end in a piece may fade out in the next one; the
    last piece is the fading of the last notes.
    """
    mixer = Mixer(played.score, font, rate_hz)
    spans = list(_spans(played.bar_lines_s, rate_hz))
    gain = usual_gain(mixer, np.array([*[first for _, first, _ in spans][::2], spans[-1][2]]) / rate_hz)
    ringing = np.zeros((2, 0), np.float32)
    for _ in itertools.count() if loop else range(1):
        for bar, first, last in spans:
            sound = mixer.sound(first / rate_hz, last / rate_hz)
            total = np.zeros((2, max(sound.shape[1], ringing.shape[1], last - first)), np.float32)
            total[:, : ringing.shape[1]] = ringing
            total[:, : sound.shape[1]] += sound
            ringing = total[:, last - first :]
            yield SoundOfBar(bar + played.first_bar, limited(total[:, : last - first], gain))
    release = trim_silence(ringing, 0, round(FADE_S * rate_hz))
    yield SoundOfBar(spans[-1][0] + played.first_bar, limited(release, gain))


def _spans(lines_s: list[float], rate_hz: int) -> Iterator[tuple[int, int, int]]:
    """Divide bars into pieces of about SPAN_S; yield the bar from 0, the first sample, and the end sample."""
    for bar, (first_s, last_s) in enumerate(itertools.pairwise(lines_s)):
        count = max(1, round((last_s - first_s) / SPAN_S))
        edges = np.rint(np.linspace(first_s, last_s, count + 1) * rate_hz).astype(np.int64).tolist()
        yield from ((bar, first, last) for first, last in itertools.pairwise(edges))


def ahead(bars: Iterator[SoundOfBar]) -> Iterator[SoundOfBar]:
    """Yield each piece while another thread renders the next one."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, bars, None)
        while (bar := future.result()) is not None:
            future = pool.submit(next, bars, None)
            yield bar


def usual_gain(mixer: Mixer, edges_s: npt.NDArray[np.float64]) -> float:
    """The factor that brings a song to about TARGET_LUFS.

    It is estimated from the sound of one span between two neighbours of `edges_s` (N,).
    """
    span = np.clip(np.searchsorted(edges_s, mixer.start_s, side="right") - 1, 0, len(edges_s) - 2)
    length_s = np.minimum(mixer.end_s - mixer.start_s, 0.5)
    seconds = np.maximum(np.diff(edges_s), 0.1)
    power = np.bincount(span, mixer.amplitude**2 * length_s, len(edges_s) - 1) / seconds
    with_notes = np.flatnonzero(power)
    chosen = with_notes[np.argsort(power[with_notes])[len(with_notes) * LOUD_PERCENT // 100]]
    sound = mixer.sound(edges_s[chosen], edges_s[chosen + 1])
    sound = sound[:, : round((edges_s[chosen + 1] - edges_s[chosen]) * mixer.rate_hz)]
    loudness = loudness_lufs(sound, mixer.rate_hz)
    missing_lu = 0.0 if loudness == -np.inf else TARGET_LUFS + LOUD_LU - loudness
    return float(10 ** (missing_lu / 20))


def limited(sound: Signal, gain: float) -> Signal:
    """Return a sound (2, N) times a gain, with peaks above LINEAR_TO compressed by a hyperbolic tangent."""
    sound = sound * np.float32(gain)
    (loud,) = np.nonzero(np.abs(sound).max(axis=0, initial=0) > LINEAR_TO)
    over = np.maximum(np.abs(sound[:, loud]) - LINEAR_TO, 0)
    room = np.float32(1 - LINEAR_TO)
    sound[:, loud] = np.sign(sound[:, loud]) * (
        np.minimum(np.abs(sound[:, loud]), LINEAR_TO) + room * np.tanh(over / room)
    )
    return sound
