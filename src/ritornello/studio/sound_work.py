"""The sound of a song, bar by bar and part by part, by the synthesizer of the project.

Bars of a part that are put end to end are the part as it is rendered whole: each has the ring of the notes of
earlier bars. One gain, that of the song's first version, brings all versions to the usual loudness.
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
from ritornello.playing.sound import usual_gain
from ritornello.rendering.audio import find_soundfont
from ritornello.rendering.audio.mix import Mixer
from ritornello.rendering.audio.soundfont import Signal, SoundFont
from ritornello.rendering.roll_contents import shown_bars
from ritornello.rendering.stems import part_of
from ritornello.studio.work import Answer

Result = tuple[Any, Sequence[bytes]]
RATE_HZ = 44_100
MAX_KEPT_BYTES = 512 << 20  # of the waveforms of all parts
MAX_KEPT_PARTS = 64
MAX_KEPT_BAR_BYTES = 16 << 20  # of the sounds of bars of one part


class _Song(NamedTuple):
    """A song as it sounds: its notes, and the first sample (bars + 1,) of each bar and of what follows."""

    score: Score
    edges: npt.NDArray[np.int64]


class _Part:
    """The sound of one part: its mixer, and the sound of the notes that begin in some bars, with their ring.

    A bar is the sum of these sounds, always in the same order, so that it has the same samples whenever it is
    asked for.
    """

    def __init__(self, score: Score, font: SoundFont) -> None:
        self.mixer = Mixer(score, font, RATE_HZ)
        self._bars: OrderedDict[tuple[int, int], Signal] = OrderedDict()

    @property
    def kept_bytes(self) -> int:
        """The bytes of all that is kept."""
        return self.mixer.kept_bytes + sum(sound.nbytes for sound in self._bars.values())

    def sound(self, edges: list[int], bar: int) -> Signal:
        """The sound (2, N) of a bar between two of the edges; after the last one all that still rings."""
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
        """The notes (2, N) that begin between two samples, with their ring."""
        found = self._bars.pop((first, last), None)
        if found is None:
            found = self.mixer.sound(first / RATE_HZ, last / RATE_HZ)
        self._bars[first, last] = found
        while len(self._bars) > 1 and sum(sound.nbytes for sound in self._bars.values()) > MAX_KEPT_BAR_BYTES:
            self._bars.popitem(last=False)
        return found


_parts: OrderedDict[tuple[bytes, str], _Part] = OrderedDict()


def warm_sound(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """Read the soundfont, and import what views and edits need."""
    import_module("ritornello.studio.file_work")
    _font(request.get("soundfont"))
    return None, ()


def prepare(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """Render the first bar of each part, so that it comes at once."""
    font = request.get("soundfont")
    song = _song(arrays[0])
    if len(song.score):
        _gain(arrays[1], font)
    for part in np.unique(song.score.part).tolist():
        _part(song, part, font).sound(song.edges.tolist(), 0)
    return None, ()


def sound(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """A bar of a part as a WAV file; the bar after the last one is the ring of the last notes.

    The arrays are the song and its first version, whose loudness all versions have. Raises InputError.
    """
    song, bar, font = _song(arrays[0]), request["bar"], request.get("soundfont")
    if not 0 <= request["part"] < len(song.score.parts):
        raise InputError(f"part {request['part']}: must be 0-{len(song.score.parts) - 1}")
    _check_bar(bar, len(song.edges) - 1)
    if not (song.score.part == request["part"]).any():
        nothing = np.diff(song.edges, append=song.edges[-1:])[bar]
        return None, [_wav(_silence(int(nothing)))]
    part = _part(song, request["part"], font)
    return None, [_wav(part.sound(song.edges.tolist(), bar) * np.float32(_gain(arrays[1], font)))]


def metronome(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """The clicks of a bar as a WAV file."""
    song, bar, font = _song(arrays[0]), request["bar"], request.get("soundfont")
    _check_bar(bar, len(song.edges) - 2)
    nothing = song.score.select(np.zeros(len(song.score), bool))
    clicks = with_clicks(nothing, shown_bars(song.score), range(bar, bar + 1), 0)
    first, last = song.edges[bar : bar + 2].tolist()
    mixed = Mixer(clicks, _font(font), RATE_HZ).sound(first / RATE_HZ, last / RATE_HZ)
    bar_sound = _silence(last - first)
    kept = min(last - first, mixed.shape[1])
    bar_sound[:, :kept] = mixed[:, :kept]
    return None, [_wav(bar_sound * np.float32(_gain(arrays[1], font)))]


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
    """The factor that brings a song to the usual loudness; 1 for one without notes."""
    song = _song(data)
    if not len(song.score):
        return 1.0
    return usual_gain(Mixer(song.score, _font(font), RATE_HZ), song.edges / RATE_HZ)


def _part(song: _Song, part: int, font: str | None) -> _Part:
    """The sound of a part, which versions of a song with the same notes of it share."""
    own = part_of(song.score, part)
    digest = hashlib.sha256(repr((own.ticks_per_beat, own.tempi, own.parts[0][1:])).encode())
    for name in COLUMNS:
        digest.update(getattr(own, name).tobytes())
    key = digest.digest(), font or ""
    found = _parts.pop(key, None) or _Part(own, _font(font))
    _parts[key] = found  # now the one that was used last
    while len(_parts) > 1 and (
        len(_parts) > MAX_KEPT_PARTS or sum(each.kept_bytes for each in _parts.values()) > MAX_KEPT_BYTES
    ):
        _parts.popitem(last=False)
    return found


def _wav(signal: Signal) -> bytes:
    """A sound (2, N) as a WAV file of 16 bits; what is beyond full scale is clipped."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.rint(np.clip(signal.T, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
