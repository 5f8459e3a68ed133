"""Write audio files: WAV with the standard library; OGG, FLAC and MP3 with libsndfile."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ritornello.errors import FailedError, InputError
from ritornello.rendering.audio.soundfont import Signal
from ritornello.system.files import replacing

FORMATS = {".wav": "WAV", ".ogg": "OGG", ".flac": "FLAC", ".mp3": "MP3"}
BITS = (16, 24)
CHUNK = 1 << 16  # frames; libsndfile crashes if a long OGG is written at once


def write(sound: Signal, path: Path, rate_hz: int, bits: int = 16) -> None:
    """Write `sound` (2, N) atomically, in the format of the ending of `path`.

    A sample of WAV and FLAC has 16 or 24 `bits`. Raises InputError, OutputError, FailedError.
    """
    check_bits(bits)
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"sound file {path.name!r}: must end in {', '.join(FORMATS)}")
    with replacing(path) as temporary:
        if kind == ".wav":
            _write_wav(sound, temporary, rate_hz, bits)
        else:
            _write_with_soundfile(sound, temporary, rate_hz, FORMATS[kind], bits)


def check_bits(bits: int) -> None:
    """Raise InputError unless a sample can have so many bits."""
    if bits not in BITS:
        raise InputError(f"bits {bits}: must be {' or '.join(map(str, BITS))}")


def _write_wav(sound: Signal, path: Path, rate_hz: int, bits: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(bits // 8)
        file.setframerate(rate_hz)
        for chunk in _chunks(sound):
            values = np.rint(chunk * (2 ** (bits - 1) - 1)).astype("<i4")
            file.writeframes(values.view(np.uint8).reshape(*chunk.shape, 4)[..., : bits // 8].tobytes())


def _write_with_soundfile(sound: Signal, path: Path, rate_hz: int, kind: str, bits: int) -> None:
    try:
        import soundfile
    except ImportError as error:
        raise InputError(f'{kind} needs soundfile: pip install "ritornello[audio]"') from error
    if kind not in soundfile.available_formats():
        version = soundfile.__libsndfile_version__
        raise InputError(f"{kind} is not supported by the installed libsndfile {version}")
    subtype = {"OGG": "VORBIS", "FLAC": f"PCM_{bits}", "MP3": "MPEG_LAYER_III"}[kind]
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
