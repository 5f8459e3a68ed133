"""Stems: a MIDI file and a sound file for each part of a song, all of the same length, for use in a DAW.

The sound files add up to the song: they share one gain, and none is compressed or limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ritornello import midi
from ritornello.errors import InputError
from ritornello.midi.details import details_of_part
from ritornello.music.score import Score
from ritornello.rendering import audio, roll_contents
from ritornello.rendering.audio import loudness, sound_file
from ritornello.rendering.audio.soundfont import Signal, SoundFont
from ritornello.system.files import write_bytes

STEM_FORMATS = ("wav", "flac", "mid")  # mp3 and ogg shift the sound
MAX_NAME = 40  # the most characters of a part's name in the name of a file


def stem_paths(score: Score, folder: str | Path, stems: str) -> dict[int, list[Path]]:
    """The files of each part that has notes, by its index: NUMBER-NAME.mid, and a .wav or .flac of this name.

    `stems` is "wav", "flac", or "mid" for MIDI files alone. Raises InputError for another format.
    """
    if stems not in STEM_FORMATS:
        raise InputError(f"stems {stems!r}: must be one of {', '.join(STEM_FORMATS)}")
    parts = sorted(roll_contents.shown_parts(score), key=lambda part: part.part)
    endings = dict.fromkeys(("mid", stems))
    paths = {}
    for number, part in enumerate(parts, 1):
        name = re.sub(r"[^\w-]+", "-", part.label[:MAX_NAME]).strip("-_") or "part"
        paths[part.part] = [Path(folder) / f"{number:02}-{name}.{ending}" for ending in endings]
    return paths


def write_stems(
    score: Score, written: Score, folder: Path, stems: str, bits: int = 24, **sound: Any
) -> tuple[Path, ...]:
    """Write the stems of a song to a folder; return the files.

    `written` is the song for MIDI, with the same parts. Each MIDI file has the tempi, meters, keys and
    markers of the song, and ends with its last bar; sound files last at least as long. `sound` are options of
    `audio.render`; a sample has 16 or 24 `bits`. Raises InputError, OutputError, FailedError.
    """
    paths = stem_paths(score, folder, stems)
    audio.check(score, **{name: sound[name] for name in ("rate", "max_minutes") if name in sound})
    if stems != "mid":
        SoundFont.open(audio.find_soundfont(sound.get("soundfont")))  # before any file is written
    end_ticks = max(roll_contents.shown_bars(score).end_ticks, score.end_ticks)
    for part, (path, *_) in paths.items():
        write_bytes(path, midi.to_bytes(part_of(written, part), end_ticks=end_ticks)[0])
    if stems != "mid":
        rate = sound.get("rate", 44_100)
        end = round(float(score.seconds(np.array([end_ticks]))[0]) * rate)
        for part, signal in _signals(score, list(paths), end, **sound):
            sound_file.write(signal, paths[part][1], rate, bits)
    return tuple(path for files in paths.values() for path in files)


def part_of(score: Score, part: int) -> Score:
    """The song with part number `part` alone, and the details of its channel."""
    is_in_part = score.part == part
    return score.select(
        is_in_part,
        part=np.zeros(int(is_in_part.sum()), np.uint8),
        parts=(score.parts[part],),
        details=details_of_part(score.details, part),
    )


def _signals(
    score: Score,
    parts: list[int],
    end: int,
    *,
    rate: int = 44_100,
    soundfont: str | Path | None = None,
    synth: audio.Synth = "own",
    **_: Any,
) -> Iterator[tuple[int, Signal]]:
    """Each part with its sound (2, N); all have the same length of at least `end` samples.

    The common gain brings their sum to the usual loudness, or lower if a peak would exceed CEILING. The
    sounds are kept on the disk until the gain is known.
    """
    font = audio.find_soundfont(soundfont)
    with TemporaryDirectory() as folder:
        total: Signal = np.zeros((2, 0), np.float32)
        peak = 1e-9
        for part in parts:
            signal = audio.synthesise(part_of(score, part), font, synth, rate)
            np.save(f"{folder}/{part}.npy", signal)
            peak = max(peak, float(np.abs(signal).max(initial=0)))
            if signal.shape[1] > total.shape[1]:
                total = _of_length(total, signal.shape[1])
            total[:, : signal.shape[1]] += signal
        peak = max(peak, float(np.abs(total).max(initial=0)))
        length = max(end, audio.trim_end(total, score, rate).shape[1])
        louder = loudness.TARGET_LUFS - loudness.loudness_lufs(total, rate)
        gain = np.float32(min(10 ** (louder / 20), loudness.CEILING / peak))
        for part in parts:
            yield part, _of_length(np.load(f"{folder}/{part}.npy", mmap_mode="r"), length) * gain


def _of_length(signal: Signal, length: int) -> Signal:
    """The sound (2, N) cut or padded with silence to so many samples."""
    padded: Signal = np.zeros((2, length), np.float32)
    count = min(length, signal.shape[1])
    padded[:, :count] = signal[:, :count]
    return padded
