"""The sound of a Score: notes > stereo > loudness > file, offline, with a soundfont.

soundfont > voice > mix        our own player, in numpy
fluidsynth                     or that program, where the machine has it
loudness > writing             the same for both
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering.audio import fluidsynth, loudness, sound_file
from ritornello.rendering.audio.mix import mix
from ritornello.rendering.audio.soundfont import Samples, SoundFont

Synth = Literal["own", "fluidsynth"]
FORMATS = tuple(sound_file.FORMATS)
RATES_HZ = (44_100, 48_000)
MAX_MINUTES = 60.0
HELD_GB_PER_HOUR = 1.4  # what an hour takes of memory, measured
SILENT = 10 ** (-80 / 20)  # what is softer after the last note is cut off
VARIABLE = "RITORNELLO_SOUNDFONT"
PLACES = ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts")


def render(
    score: Score,
    *,
    soundfont: str | Path | None = None,
    synth: Synth = "own",
    rate: int = 44_100,
    max_minutes: float = MAX_MINUTES,
) -> Samples:
    """The song as (2, N) samples at -16 LUFS, none above -1.5 dB, with the ringing of its last notes.

    A `rate` is 44,100 or 48,000 samples a second. Raises InputError for a song without notes or longer than
    `max_minutes`, and for a soundfont that is missing or broken.
    """
    check(score, rate=rate, max_minutes=max_minutes)
    path = find_soundfont(soundfont)
    if synth == "fluidsynth":
        SoundFont.open(path)  # its own message for a broken one is less clear
        sound = fluidsynth.play(score, path, rate)
    else:
        sound = mix(score, SoundFont.open(path), rate)
    return loudness.normalised(trimmed(sound, round(score.duration_s * rate)), rate)


def write(
    score: Score,
    path: str | Path,
    *,
    soundfont: str | Path | None = None,
    synth: Synth = "own",
    rate: int = 44_100,
    max_minutes: float = MAX_MINUTES,
) -> None:
    """Write the song as .wav, .ogg, .flac or .mp3; options and errors are those of `render`; OutputError."""
    sound = render(score, soundfont=soundfont, synth=synth, rate=rate, max_minutes=max_minutes)
    sound_file.write(sound, Path(path), rate)


def check(score: Score, *, rate: int = 44_100, max_minutes: float = MAX_MINUTES) -> None:
    """Raise InputError unless the song can be played."""
    if rate not in RATES_HZ:
        raise InputError(f"{rate} samples a second, must be {' or '.join(map(str, RATES_HZ))}")
    if not 0 < max_minutes <= 24 * 60:
        raise InputError(f"at most {max_minutes:g} minutes of sound, must be above 0 and at most {24 * 60}")
    name = f"song {score.title!r}" if score.title else "song"
    if not len(score):
        raise InputError(f"the {name} has no notes: there is nothing to hear")
    if score.duration_s > 60 * max_minutes:
        raise InputError(
            f"the {name} lasts {score.duration_s / 60:,.1f} minutes, must be at most {max_minutes:g}; "
            f"--max-minutes raises that, an hour takes {HELD_GB_PER_HOUR} GB of memory"
        )


def find_soundfont(given: str | Path | None = None) -> Path:
    """The soundfont to play with: the one given, the one in RITORNELLO_SOUNDFONT, TimGM6mb (which comes with
    pretty_midi, in the extra `audio`), or one of the machine's. Raises InputError where there is none.
    """
    if named := given or os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise InputError(f"there is no soundfont {str(named)!r}")
        return Path(named)
    spec = find_spec("pretty_midi")  # looked up, never imported
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    for folder in [*folders, *map(Path, PLACES)]:
        for found in sorted(folder.glob("*.sf2")):
            return found
    raise InputError(
        'no soundfont found: pip install "ritornello[audio]" brings one, --soundfont FILE names another'
    )


def trimmed(sound: Samples, least: int) -> Samples:
    """`sound` (2, N) up to where it has become silent, but no shorter than `least` samples."""
    floor = SILENT * max(float(sound.max(initial=0)), -float(sound.min(initial=0)), 1e-9)
    (loud,) = np.nonzero((np.abs(sound[:, least:]) > floor).any(axis=0))
    return sound[:, : least + (int(loud[-1]) + 1 if len(loud) else 0)]
