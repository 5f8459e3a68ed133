"""Write audio files: WAV with the standard library; OGG, FLAC and MP3 with libsndfile."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ritornello.errors import FailedError, InputError
from ritornello.rendering.audio.soundfont import Signal
from ritornello.system.files import replacing

FORMATS = {".wav": "WAV", ".ogg": "OGG", ".flac": "FLAC", ".mp3": "MP3"}
CHUNK = 1 << 16  # frames; libsndfile crashes if a long OGG is written at once


def write(sound: Signal, path: Path, rate_hz: int) -> None:
    """Write `sound` (2, N) atomically, in the format of the ending of `path`; WAV and FLAC with 16 bits.

    Raises InputError, OutputError, FailedError.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"sound file {path.name!r}: must end in {', '.join(FORMATS)}")
    with replacing(path) as temporary:
        if kind == ".wav":
            _write_wav(sound, temporary, rate_hz)
        else:
            _write_with_soundfile(sound, temporary, rate_hz, FORMATS[kind])


def _write_wav(sound: Signal, path: Path, rate_hz: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        for chunk in _chunks(sound):
            file.writeframes(np.rint(chunk * 32767).astype("<i2").tobytes())


def _write_with_soundfile(sound: Signal, path: Path, rate_hz: int, kind: str) -> None:
    try:
        import soundfile
    except ImportError as error:
        raise InputError(f'{kind} needs soundfile: pip install "ritornello[audio]"') from error
    if kind not in soundfile.available_formats():
        version = soundfile.__libsndfile_version__
        raise InputError(f"{kind} is not supported by the installed libsndfile {version}")
    subtype = {"OGG": "VORBIS", "FLAC": "PCM_16", "MP3": "MPEG_LAYER_III"}[kind]
    try:
        with soundfile.SoundFile(path, "w", rate_hz, 2, format=kind, subtype=subtype) as file:
            for chunk in _chunks(sound):
                file.write(chunk)
    except soundfile.LibsndfileError as error:
        raise FailedError(f"cannot write {path.name!r} as {kind}: {error}") from error


def _chunks(sound: Signal) -> Iterator[Signal]:
    """The sound as arrays of at most CHUNK frames, (M, 2)."""
    for first in range(0, sound.shape[1], CHUNK):
        yield np.ascontiguousarray(sound[:, first : first + CHUNK].T)
