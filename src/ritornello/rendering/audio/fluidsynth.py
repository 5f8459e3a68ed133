"""FluidSynth, where the machine has it: the same song by another synthesiser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from ritornello import midi
from ritornello.errors import FailedError, InputError
from ritornello.music.score import Score
from ritornello.rendering.audio.soundfont import Samples

PROGRAM = "fluidsynth"
GAIN = 0.2  # its own default: nothing clips


def play(score: Score, font: Path, rate: int) -> Samples:
    """The song as (2, N) samples, played by the program `fluidsynth`. Raises InputError, FailedError."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise InputError("this machine has no fluidsynth: install it, or leave --synth away")
    with tempfile.TemporaryDirectory() as folder:
        song, sound = Path(folder) / "song.mid", Path(folder) / "song.wav"
        midi.write(score, song)
        options = f"-q -n -i -g {GAIN} -r {rate} -T wav -O s16 -F".split()
        command = [program, *options, str(sound), str(font), str(song)]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if run.returncode or not sound.exists():
            said = (run.stderr or run.stdout).strip().splitlines()
            raise FailedError(f"fluidsynth failed on {font.name!r}: {said[-1] if said else run.returncode}")
        with wave.open(str(sound)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.ascontiguousarray((data.reshape(-1, 2).T / 32768).astype(np.float32))
