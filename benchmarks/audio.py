"""Sound: speed of the synthesizer, loudness of its files, and fidelity compared with FluidSynth."""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from benchmarks.shared import FOLDERS, argument, benchmark, busy_s, midi_files, peak_memory_mb, readable
from ritornello import midi
from ritornello.errors import RitornelloError
from ritornello.music.score import Part, Score
from ritornello.rendering import audio as synthesis
from ritornello.rendering.audio import fluidsynth, loudness, sound_file
from ritornello.rendering.audio.mix import mix
from ritornello.rendering.audio.soundfont import SoundFont

RATE = 44_100  # samples per second
KEYS = (48, 60, 69)  # whose notes are compared: C3, C4, A4
SPANS_S = ((0.0, 0.1), (0.1, 0.5), (0.5, 1.0))  # parts of a note of one second whose loudness is compared


def playable_songs(folders: list[Path], count: int, seed: int) -> list[Score]:
    """A sample of the songs that can be played."""
    files = midi_files(folders)
    random.Random(seed).shuffle(files)
    found: list[Score] = []
    for _, score in readable(files):
        try:
            synthesis.check(score)
        except RitornelloError:
            continue
        found.append(score)
        if len(found) == count:
            break
    return found


def print_speed(scores: list[Score]) -> None:
    """Print how many times real time each step is, and loudness, peak and tail of the sounds."""
    font, length_s = SoundFont.open(synthesis.find_soundfont()), sum(score.duration_s for score in scores)
    spent_s = dict.fromkeys(("mix", "loudness", "wav", "ogg", "fluidsynth"), 0.0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for score in scores:
            marks = [busy_s()]
            sound = mix(score, font, RATE)
            marks.append(busy_s())
            sound = loudness.normalise(synthesis.trim_silence(sound, round(score.duration_s * RATE)), RATE)
            marks.append(busy_s())
            for ending in ("wav", "ogg"):
                sound_file.write(sound, Path(folder) / f"song.{ending}", RATE)
                marks.append(busy_s())
            if shutil.which(fluidsynth.PROGRAM):
                fluidsynth.play(score, font.path, RATE)
            marks.append(busy_s())
            for name, spent in zip(spent_s, np.diff(marks).tolist(), strict=True):
                spent_s[name] += spent
            length = sound.shape[1] / RATE
            rows.append((loudness.loudness_lufs(sound, RATE), np.abs(sound).max(), length - score.duration_s))
    lufs, peak, tail = np.array(rows).T
    print(f"{len(scores)} songs, {length_s / 3600:.2f} hours")
    for name, spent in spent_s.items():
        print(f"  {name:<12} {length_s / max(spent, 1e-9):8.0f} times real time")
    own = spent_s["mix"] + spent_s["loudness"]
    print(f"  mix and loudness {length_s / own:.0f}, to a .wav {length_s / (own + spent_s['wav']):.0f} times")
    print(f"  LUFS {np.percentile(lufs, [0, 5, 50, 95, 100]).round(2)} (least, 5%, median, 95%, most)")
    print(f"  highest sample {peak.max():.4f}; tail {tail.min():.2f} to {tail.max():.2f} s")


def play_dry(score: Score, font: Path) -> np.ndarray:
    """The sound (2, N) of FluidSynth without reverb and chorus, which Ritornello does not have."""
    with tempfile.TemporaryDirectory() as folder:
        song, sound = Path(folder) / "song.mid", Path(folder) / "song.wav"
        midi.write(score, song)
        options = f"-q -n -i -R 0 -C 0 -g 0.2 -r {RATE} -T wav -O s16 -F".split()
        command = [fluidsynth.PROGRAM, *options, str(sound), str(font), str(song)]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(str(sound)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.asarray(data.reshape(-1, 2).T / 32768)


def pitch_error(sound: np.ndarray, key: int) -> tuple[float, float]:
    """Error of the strongest of the first four partials in cents, and its share of the highest peak."""
    part = sound.mean(axis=0)[int(0.15 * RATE) : int(0.95 * RATE)]
    size = 1 << 19
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), size)) + 1e-12
    best = (0.0, 0.0)
    for partial in range(1, 5):
        hz = 440 * 2 ** ((key - 69) / 12) * partial
        low, high = (int(hz * 2 ** (side / 1200) * size / RATE) for side in (-60, 60))
        peak = low + int(spectrum[low : high + 1].argmax())
        a, b, c = np.log(spectrum[peak - 1 : peak + 2])
        bend = (a - c) / 2 / (a - 2 * b + c) if a - 2 * b + c else 0.0
        away = float(1200 * np.log2((peak + bend) * RATE / size / hz))
        best = max(best, (float(spectrum[peak]), away))
    return best[1], best[0] / float(spectrum.max())


def compare_programs(key: int) -> None:
    """Print how pitch and loudness of all programs on one key differ from FluidSynth's."""
    font = SoundFont.open(synthesis.find_soundfont())
    apart, levels, off = [], [], []
    for program in range(128):
        note = Score.of(480, [0], [960], [key], [100], parts=(Part("", program),))
        own, theirs = mix(note, font, RATE), play_dry(note, font.path)
        (ours, clear), (peer, peer_clear) = pitch_error(own, key), pitch_error(theirs, key)
        if clear > 0.9 and peer_clear > 0.9:
            apart.append(abs(ours - peer))
            off.append(abs(ours))
        levels.append([level_db(own, *span) - level_db(theirs, *span) for span in SPANS_S])
    differ = np.abs(np.array(levels) - np.median(levels)).max(axis=1)
    print(f"key {key}: {len(apart)} programs with a clear pitch")
    near, same = sum(away < 10 for away in off), sum(away < 1 for away in apart)
    print(f"  within 10 cents of the key: {near}; within 1 cent of fluidsynth: {same}; most {max(apart):.2f}")
    close = [int((differ < decibels).sum()) for decibels in (1, 3)]
    print(f"  loudness in three spans within 1 dB of fluidsynth: {close[0]} of 128, within 3 dB {close[1]}")


def level_db(sound: np.ndarray, start_s: float, end_s: float) -> float:
    """The level of a span in dB."""
    span = sound[:, int(start_s * RATE) : int(end_s * RATE)]
    return float(10 * np.log10(np.mean(span**2) + 1e-9)) if span.size else -90.0


@benchmark(
    FOLDERS,
    argument("--sample", type=int, default=100, help="songs (default: %(default)s)"),
    argument("--seed", type=int, default=1),
    one_thread=True,
)
def audio(options: argparse.Namespace) -> None:
    """Play a sample of the songs, and print how many times faster than real time each step is.

    Times are processor time of one core. Loudness, highest sample and length of the tail are printed as well.
    If fluidsynth is installed, it plays the same songs, and single notes of all 128 programs are compared:
    pitch, and loudness over time, with reverb and chorus of FluidSynth turned off.
    """
    began = time.perf_counter()
    print_speed(playable_songs(options.folders, options.sample, options.seed))
    if shutil.which(fluidsynth.PROGRAM):
        for key in KEYS:
            compare_programs(key)
    print(f"peak memory {peak_memory_mb() / 1000:.2f} GB, {time.perf_counter() - began:.0f} s")
