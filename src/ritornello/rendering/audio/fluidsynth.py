"""Play a song with the program FluidSynth, if it is installed."""

import shutil
import subprocess
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from ritornello import midi
from ritornello.errors import FailedError, InputError
from ritornello.music.score import Score
from ritornello.rendering.audio.soundfont import Signal

PROGRAM = "fluidsynth"
GAIN = 0.2  # FluidSynth's default, at which nothing clips


def play(score: Score, font: Path, rate_hz: int) -> Signal:
    """The song as (2, N) samples. Raises InputError if FluidSynth is missing, FailedError if it fails."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise InputError("fluidsynth is not installed: install it, or omit --synth")
    with tempfile.TemporaryDirectory() as folder:
        song, sound = Path(folder) / "song.mid", Path(folder) / "song.wav"
        # FluidSynth ignores ports
        song.write_bytes(midi.to_bytes(_without_events_after_the_end(score), max_ports=1)[0])
        options = f"-q -n -i -g {GAIN} -r {rate_hz} -T wav -O s16 -F".split()
        command = [program, *options, str(sound), str(font), str(song)]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if run.returncode or not sound.exists():
            lines = (run.stderr or run.stdout).strip().splitlines()
            reason = lines[-1] if lines else f"exit status {run.returncode}"
            raise FailedError(f"fluidsynth failed with the soundfont {font.name!r}: {reason}")
        with wave.open(str(sound)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.ascontiguousarray((data.reshape(-1, 2).T / 32768).astype(np.float32))


def _without_events_after_the_end(score: Score) -> Score:
    """The song without events after its last note, up to which FluidSynth would play silence."""
    events = {
        name: tuple(event for event in getattr(score, name) if event.onset_ticks < score.end_ticks)
        for name in ("tempi", "meters", "keys", "chords", "markers")
    }
    return replace(score, **events)  # type: ignore[arg-type]
