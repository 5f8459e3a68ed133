"""Render the sound of a song bar by bar and part by part.

The sound of a bar includes notes of earlier bars that still ring, so that all bars of a part, end to end, are
the same as the part rendered as a whole. All versions of a song get the gain of its first version, so that
edits do not change their loudness.
"""

from __future__ import annotations

import hashlib
import io
import wave
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import COLUMNS, Score
from ritornello.playing.excerpt import with_clicks
from ritornello.playing.sound import limited, usual_gain
from ritornello.rendering.audio import find_soundfont
from ritornello.rendering.audio.mix import Mixer
from ritornello.rendering.audio.soundfont import Signal, SoundFont
from ritornello.rendering.roll_contents import shown_bars
from ritornello.rendering.stems import part_of
from ritornello.studio.work import Result, SendEvent

RATE_HZ = 44_100
# The most that is cached: waveforms of all parts, parts, and sounds of the bars of one part
MAX_KEPT_BYTES = 512 << 20
MAX_KEPT_PARTS = 64
MAX_KEPT_BAR_BYTES = 16 << 20


class _Song(NamedTuple):
    """A song with the places of its bar lines in its sound."""

    score: Score
    edges: npt.NDArray[np.int64]  # (bars + 1,) the first sample of each bar, and the end of the last bar


class _Part:
    """The sound of one part.

    It caches, for some bars, the sound of the notes that begin in the bar until they have faded. The sound of
    a bar is the sum of such sounds, always in the same order, so that it always has the same samples.
    """

    def __init__(self, score: Score, font: SoundFont) -> None:
        self.mixer = Mixer(score, font, RATE_HZ)
        self._bars: OrderedDict[tuple[int, int], Signal] = OrderedDict()

    @property
    def kept_bytes(self) -> int:
        """The bytes of all cached sounds."""
        return self.mixer.kept_bytes + sum(sound.nbytes for sound in self._bars.values())

    def sound(self, edges: list[int], bar: int) -> Signal:
        """The sound (2, N) of a bar; the bar after the last one is what still rings then."""
        first, mixer = edges[bar], self.mixer
        end_s = np.minimum(mixer.end_s, mixer.cut_s) + mixer.tail_s
        sounding = (mixer.start_s < first / RATE_HZ) & (end_s > first / RATE_HZ)
        start = float(mixer.start_s[sounding].min(initial=np.inf)) * RATE_HZ
        bars = range(max(bisect_right(edges, min(start, first)) - 1, 0), min(bar + 1, len(edges) - 1))
        sounds = [self._notes_of(edges[each], edges[each + 1])[:, first - edges[each] :] for each in bars]
        is_last = bar + 1 == len(edges)
        length = max((each.shape[1] for each in sounds), default=0) if is_last else edges[bar + 1] - first
        total = _silence(length)
        for each in sounds:
            total[:, : each.shape[1]] += each[:, :length]
        return total

    def _notes_of(self, first: int, last: int) -> Signal:
        """The sound (2, N) of the notes that begin between two samples, until they have faded."""
        sound = self._bars.pop((first, last), None)
        if sound is None:
            sound = self.mixer.sound(first / RATE_HZ, last / RATE_HZ)
        self._bars[first, last] = sound
        while len(self._bars) > 1 and sum(each.nbytes for each in self._bars.values()) > MAX_KEPT_BAR_BYTES:
            self._bars.popitem(last=False)
        return sound


_parts: OrderedDict[tuple[bytes, str], _Part] = OrderedDict()


def warm_sound(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Read the soundfont, and import what views and edits need."""
    import_module("ritornello.studio.file_work")
    _font(request.get("soundfont"))
    return None, ()


def prepare(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Render the first bar of each part, so that a later request for it is answered at once."""
    font = request.get("soundfont")
    song = _song(arrays[0])
    if len(song.score):
        _gain(arrays[1], font)
    for part in np.unique(song.score.part).tolist():
        _part(song, part, font).sound(song.edges.tolist(), 0)
    return None, ()


def sound(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Return a bar of a part as a WAV file; the bar after the last one is what still rings then.

    The arrays are the song and its first version, which sets the gain. Raises InputError.
    """
    song, bar, font = _song(arrays[0]), request["bar"], request.get("soundfont")
    if not 0 <= request["part"] < len(song.score.parts):
        raise InputError(f"part {request['part']}: must be 0-{len(song.score.parts) - 1}")
    _check_bar(bar, len(song.edges) - 1)
    if not (song.score.part == request["part"]).any():
        nothing = np.diff(song.edges, append=song.edges[-1:])[bar]
        return None, [_wav(_silence(int(nothing)))]
    part = _part(song, request["part"], font)
    return None, [_wav(limited(part.sound(song.edges.tolist(), bar), _gain(arrays[1], font)))]


def metronome(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Return the clicks of the metronome in a bar as a WAV file."""
    song, bar, font = _song(arrays[0]), request["bar"], request.get("soundfont")
    _check_bar(bar, len(song.edges) - 2)
    empty = song.score.select(np.zeros(len(song.score), bool))
    clicks = with_clicks(empty, shown_bars(song.score), range(bar, bar + 1), 0)
    first, last = song.edges[bar : bar + 2].tolist()
    mixed = Mixer(clicks, _font(font), RATE_HZ).sound(first / RATE_HZ, last / RATE_HZ)
    bar_sound = _silence(last - first)
    count = min(last - first, mixed.shape[1])
    bar_sound[:, :count] = mixed[:, :count]
    return None, [_wav(limited(bar_sound, _gain(arrays[1], font)))]


def _check_bar(bar: int, most: int) -> None:
    """Raise InputError for a bar that the song does not have."""
    if not 0 <= bar <= most:
        raise InputError(f"bar {bar}: must be 0-{most}, counted from the first bar")


def _silence(samples: int) -> Signal:
    """A sound (2, samples) of nothing."""
    return np.zeros((2, samples), np.float32)


@lru_cache(maxsize=8)
def _song(data: bytes) -> _Song:
    score = midi.parse(data, name="the song").score
    bars = shown_bars(score)
    ticks = [*bars.start_ticks.tolist(), bars.end_ticks]
    return _Song(score, np.rint(score.seconds(np.array(ticks)) * RATE_HZ).astype(np.int64))


@lru_cache(maxsize=2)
def _font(path: str | None) -> SoundFont:
    return SoundFont.open(find_soundfont(path))


@lru_cache(maxsize=32)
def _gain(data: bytes, font: str | None) -> float:
    """The factor that brings a song to the usual loudness; 1 for a song without notes."""
    song = _song(data)
    if not len(song.score):
        return 1.0
    return usual_gain(Mixer(song.score, _font(font), RATE_HZ), song.edges / RATE_HZ)


def _part(song: _Song, part: int, font: str | None) -> _Part:
    """The sound of a part; versions of a song in which the part has the same notes share it."""
    part_score = part_of(song.score, part)
    digest = hashlib.sha256(
        repr((part_score.ticks_per_beat, part_score.tempi, part_score.parts[0][1:])).encode()
    )
    for name in COLUMNS:
        digest.update(getattr(part_score, name).tobytes())
    key = digest.digest(), font or ""
    part_sound = _parts.pop(key, None) or _Part(part_score, _font(font))
    _parts[key] = part_sound  # moves it to the end, as the last used one
    while len(_parts) > 1 and (
        len(_parts) > MAX_KEPT_PARTS or sum(each.kept_bytes for each in _parts.values()) > MAX_KEPT_BYTES
    ):
        _parts.popitem(last=False)
    return part_sound


def _wav(signal: Signal) -> bytes:
    """A sound (2, N) as a WAV file of 16 bits; it must be within full scale."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.rint(signal.T * 32767).astype("<i2").tobytes())
    return out.getvalue()
