"""The output for sound: the loudspeaker of the system."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ritornello.errors import FailedError, InputError
from ritornello.rendering.audio.soundfont import Signal
from ritornello.system.extras import require_extra

RATES_HZ = (44_100, 48_000)
BLOCK_S = 0.05  # the length of a block; after Ctrl-C at most one more block is played
INSTEAD = (
    "`ritornello render SONG -o song.wav` writes a sound file, "
    "`ritornello play SONG --out PORT` plays by MIDI"
)


class SoundOutput(Protocol):
    """An output for stereo sound with `rate_hz` samples a second."""

    rate_hz: int

    def write(self, sound: Signal) -> None:
        """Play (2, N) samples after the earlier ones; block while the buffer is full."""

    def finish(self) -> None:
        """Wait until all samples are played."""

    def close(self) -> None:
        """Stop at once, and free the device."""


class SystemSound:
    """The loudspeaker, by PortAudio through the library sounddevice."""

    def __init__(self, device: str | None = None) -> None:
        """Open a device by its name, a part of its name, or its number; None opens the system's device.

        Raises InputError with an alternative if no device can be opened.
        """
        with quiet_stderr():
            library = _library()
            name_or_number = int(device) if device is not None and device.isdecimal() else device
            try:
                properties: dict[str, Any] = library.query_devices(name_or_number, "output")
                rate_hz = round(properties["default_samplerate"])
                self.rate_hz = rate_hz if rate_hz in RATES_HZ else RATES_HZ[0]
                self._stream = library.OutputStream(
                    self.rate_hz, device=name_or_number, channels=2, dtype="float32", latency="high"
                )
                self._stream.start()
            except (library.PortAudioError, ValueError) as error:
                what = "no sound device found" if device is None else f"sound device {device!r}"
                raise InputError(f"{what} ({_first_line(error)}): {INSTEAD}") from error
        self._error = library.PortAudioError

    def write(self, sound: Signal) -> None:
        """Play (2, N) samples. Raises FailedError if the device is gone."""
        frames = np.ascontiguousarray(sound.T)
        step = round(BLOCK_S * self.rate_hz)
        try:
            for first in range(0, len(frames), step):
                self._stream.write(frames[first : first + step])
        except self._error as error:
            raise FailedError(f"the sound device is gone: {_first_line(error)}") from error

    def finish(self) -> None:
        """Wait until all samples are played."""
        self._stream.stop()

    def close(self) -> None:
        """Stop at once, and free the device."""
        with quiet_stderr():
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)


def _library() -> Any:
    """Import sounddevice. Raises InputError if it or PortAudio is missing."""
    require_extra("play", "sounddevice")
    try:
        import sounddevice
    except OSError as error:  # the wheels for Linux have no PortAudio
        raise InputError(
            f"no sound: PortAudio is not installed (on Debian: apt install libportaudio2): {INSTEAD}"
        ) from error
    return sounddevice


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what C libraries write to standard error: ALSA describes each device that it does not find."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, ValueError):
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(nothing)
        os.close(saved)
