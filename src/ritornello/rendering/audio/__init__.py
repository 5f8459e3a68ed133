"""Synthesise a Score with a soundfont and write it as an audio file.

soundfont > sampled_note > mix    the synthesiser of this package, in numpy
fluidsynth                        or the program FluidSynth, if it is installed
loudness > sound_file             loudness and audio files, for both synthesisers
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering.audio import fluidsynth, loudness, sound_file
from ritornello.rendering.audio.mix import mix
from ritornello.rendering.audio.soundfont import Signal, SoundFont

Synth = Literal["own", "fluidsynth"]
FORMATS = tuple(sound_file.FORMATS)
RATES_HZ = (44_100, 48_000)
MAX_MINUTES = 60.0
MAX_MINUTES_LIMIT = 24 * 60
MEMORY_GB_PER_HOUR = 1.4  # measured
SILENCE = 10 ** (-60 / 20)  # relative to the peak; a softer end of the song is cut off
BLOCK_SAMPLES = 4096
MAX_SILENCE_S = (
    0.5  # the silence that is kept while a note is still held; the shortest sound of the last note
)
FADE_S = 0.05  # the sound fades out over this time before a cut, so that there is no click
SOUNDFONT_VARIABLE = "RITORNELLO_SOUNDFONT"
SOUNDFONT_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts")


def render(
    score: Score,
    *,
    soundfont: str | Path | None = None,
    synth: Synth = "own",
    rate: int = 44_100,
    max_minutes: float = MAX_MINUTES,
) -> Signal:
    """The song as (2, N) samples at -16 LUFS, peaks at most -1.5 dBFS, with the release of its last notes.

    `rate` is 44,100 or 48,000 samples a second. Raises InputError if the song has no notes or is longer than
    `max_minutes`, and if the soundfont is missing or damaged.
    """
    check(score, rate=rate, max_minutes=max_minutes)
    sound = synthesise(score, find_soundfont(soundfont), synth, rate)
    return loudness.normalise(trim_end(sound, score, rate), rate)


def synthesise(score: Score, font: Path, synth: Synth, rate: int) -> Signal:
    """The song as (2, N) samples at `rate` samples a second, before the loudness is changed.

    Raises InputError if the soundfont is damaged or the synthesizer is missing, FailedError if it fails.
    """
    if synth == "fluidsynth":
        SoundFont.open(font)  # raises a clearer error for a damaged font than FluidSynth
        return fluidsynth.play(score, font, rate)
    return mix(score, SoundFont.open(font), rate)


def trim_end(sound: Signal, score: Score, rate: int) -> Signal:
    """The sound (2, N) of a song, at `rate` samples a second, without the silence at its end."""
    last_onset, end = score.seconds(np.array([score.onset_ticks[-1], score.end_ticks])).tolist()
    shortest = min(end, last_onset + MAX_SILENCE_S)
    fade, *held = (round(time_s * rate) for time_s in (FADE_S, end, MAX_SILENCE_S))
    return trim_silence(sound, round(shortest * rate), fade, (held[0], held[1]))


def write(score: Score, path: str | Path, *, rate: int = 44_100, bits: int = 16, **options: Any) -> None:
    """Write the song as .wav, .ogg, .flac or .mp3; the other options are those of `render`.

    `rate` is in samples a second, `bits` of a sample of .wav and .flac are 16 or 24. Raises InputError,
    OutputError, FailedError.
    """
    sound_file.write(render(score, rate=rate, **options), Path(path), rate, bits)


def check(score: Score, *, rate: int = 44_100, max_minutes: float = MAX_MINUTES) -> None:
    """Raise InputError unless the song has notes and the values (`rate` in samples a second) are in range."""
    if rate not in RATES_HZ:
        raise InputError(f"rate {rate}: must be {' or '.join(map(str, RATES_HZ))}")
    if not 0 < max_minutes <= MAX_MINUTES_LIMIT:
        raise InputError(f"max-minutes {max_minutes:g}: must be above 0 and at most {MAX_MINUTES_LIMIT}")
    name = f"song {score.title!r}" if score.title else "song"
    if not len(score):
        raise InputError(f"the {name} has no notes to play")
    if score.duration_s > 60 * max_minutes:
        raise InputError(
            f"the {name} lasts {score.duration_s / 60:,.1f} minutes: must be at most {max_minutes:g} "
            f"(--max-minutes raises the limit; an hour needs {MEMORY_GB_PER_HOUR} GB of memory)"
        )


def find_soundfont(soundfont: str | Path | None = None) -> Path:
    """Return the path of `soundfont` or, without it, of the file that RITORNELLO_SOUNDFONT names.

    Without this environment variable: of TimGM6mb (part of pretty_midi, in the extra `audio`), or else of the
    first font of the system. Raises InputError if a named soundfont does not exist, or none is installed.
    """
    if named := soundfont or os.environ.get(SOUNDFONT_VARIABLE):
        if not Path(named).is_file():
            raise InputError(f"soundfont {str(named)!r} does not exist")
        return Path(named)
    spec = find_spec("pretty_midi")  # located, not imported
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    for folder in [*folders, *map(Path, SOUNDFONT_FOLDERS)]:
        for path in sorted(folder.glob("*.sf2")):
            return path
    raise InputError(
        'no soundfont found: install one with pip install "ritornello[audio]", or name one with --soundfont'
    )


def trim_silence(
    sound: Signal, min_samples: int, fade_samples: int = 0, held: tuple[int, int] = (0, 0)
) -> Signal:
    """Cut the silence off the end of `sound` (2, N), but keep at least `min_samples`.

    `held` is (end of the last note, longest silence to keep before that end) in samples, because drums and
    pianos fall silent long before a long note ends. A constant signal counts as silence: FluidSynth's reverb
    leaves one. If anything is cut off, the last `fade_samples` after `min_samples` fade out linearly.
    """
    peak = max(float(sound.max(initial=0)), -float(sound.min(initial=0)), 1e-9)
    end = min_samples
    for start in range(min_samples, sound.shape[1], BLOCK_SAMPLES):
        block = sound[:, start : start + BLOCK_SAMPLES]
        middle = (block.max(axis=1, keepdims=True) + block.min(axis=1, keepdims=True)) / 2
        (loud,) = np.nonzero((np.abs(block - middle) > SILENCE * peak).any(axis=0))
        end = start + int(loud[-1]) + 1 if len(loud) else end
    end = max(end, min(held[0], end + held[1]))
    fade = min(fade_samples, end - min_samples) if end < sound.shape[1] else 0
    trimmed: Signal = sound[:, :end].copy()
    trimmed[:, end - fade : end] *= np.linspace(1, 0, fade, dtype=np.float32)
    return trimmed
