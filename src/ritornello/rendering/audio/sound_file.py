"""A sound as a file: WAV with Python's own means, OGG, FLAC and MP3 by libsndfile."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ritornello.errors import FailedError, InputError
from ritornello.rendering.audio.soundfont import Samples
from ritornello.system.files import replacing

FORMATS = {".wav": "WAV", ".ogg": "OGG", ".flac": "FLAC", ".mp3": "MP3"}
PIECE = 1 << 16  # frames: libsndfile breaks down when a long OGG is written at once


def write(sound: Samples, path: Path, rate: int) -> None:
    """Write (2, N) samples between -1 and 1, atomically, in the format that the path's ending says.

    WAV and FLAC have 16 bits a sample. Raises InputError, OutputError, FailedError.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"sound in {path.name!r}, must end in {', '.join(FORMATS)}")
    with replacing(path) as temporary:
        if kind == ".wav":
            _write_wav(sound, temporary, rate)
        else:
            _write_with_soundfile(sound, temporary, rate, FORMATS[kind])


def _write_wav(sound: Samples, path: Path, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for piece in _pieces(sound):
            file.writeframes(np.rint(piece * 32767).astype("<i2").tobytes())


def _write_with_soundfile(sound: Samples, path: Path, rate: int, kind: str) -> None:
    try:
        import soundfile
    except ImportError as error:
        raise InputError(f'{kind} needs soundfile: pip install "ritornello[audio]"') from error
    if kind not in soundfile.available_formats():
        version = soundfile.__libsndfile_version__
        raise InputError(f"{kind} is unknown to libsndfile {version}, the one of this machine")
    subtype = {"OGG": "VORBIS", "FLAC": "PCM_16", "MP3": "MPEG_LAYER_III"}[kind]
    try:
        with soundfile.SoundFile(path, "w", rate, 2, format=kind, subtype=subtype) as file:
            for piece in _pieces(sound):
                file.write(piece)
    except soundfile.LibsndfileError as error:
        raise FailedError(f"cannot write {path.name!r} as {kind}: {error}") from error


def _pieces(sound: Samples) -> Iterator[npt.NDArray[np.float32]]:
    """The sound as (M, 2) frames, a piece at a time."""
    for first in range(0, sound.shape[1], PIECE):
        yield np.ascontiguousarray(sound[:, first : first + PIECE].T)
