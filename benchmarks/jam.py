"""Jams with phrases of real songs: how late planned notes are, and whether each note ends."""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.jam_simulation import InlineAnswers, MemoryIn, MemoryOut, VirtualClock
from benchmarks.shared import FOLDERS, argument, benchmark, midi_files, readable
from ritornello.music.score import Score
from ritornello.playing.answer_process import ProcessAnswers
from ritornello.playing.answers import Answers, JamMusic
from ritornello.playing.clocks import Clock, SystemClock
from ritornello.playing.jam_time import JamTime
from ritornello.playing.ports import TimedMessage
from ritornello.playing.session import POLL_S, Session

BARS, BEATS, BPM = 4, 4, 100.0
START_S = 2.0  # from the start to the first phrase
JITTER_S = 0.01  # standard deviation of the onsets
GIVEN = JamTime(BPM, bars=BARS, clock_out=True, metronome=True)
KINDS = {
    "turns of a given tempo, metronome, clock": (JamMusic(), GIVEN),
    "turns, tempo heard": (JamMusic(), JamTime()),
    "accompaniment by bass and drums": (JamMusic(mode="accompany"), JamTime(BPM)),
}
VIRTUAL_POLL_S = 0.01


def phrases(folders: list[Path], songs: int, seed: int) -> Iterator[list[tuple[float, float, int]]]:
    """Phrases of BARS bars again and again: start and end in beats, and pitch, of one part of a song."""
    files = midi_files(folders)
    random.Random(seed).shuffle(files)
    found: list[list[tuple[float, float, int]]] = []
    for count, (_, score) in enumerate(readable(files)):
        if count == songs:
            break
        found += song_phrases(score)
    while True:
        yield from found


def song_phrases(score: Score) -> list[list[tuple[float, float, int]]]:
    """The first eight phrases of the part with most notes that is no drums."""
    parts = np.bincount(score.part[~score.of_drums], minlength=len(score.parts))
    if not len(score) or not parts.any():
        return []
    own = score.part == int(parts.argmax())
    start = score.onset_ticks[own] / score.ticks_per_beat
    end = start + score.duration_ticks[own] / score.ticks_per_beat
    found, length = [], BARS * BEATS
    for first in range(0, int(start[-1]) + 1, length):
        chosen = np.flatnonzero((start >= first) & (start < first + length))
        if len(chosen) >= 4:
            notes = [
                (float(start[n]) - first, min(float(end[n]) - first, length - 0.1), int(score.pitch[own][n]))
                for n in chosen.tolist()
            ]
            found.append(notes)
    return found[:8]


def played(music: Iterator[list[tuple[float, float, int]]], seconds: float, start_s: float) -> MemoryIn:
    """A port on which a musician plays phrases, with pauses as long, a little out of time."""
    rng, messages, s_per_beat = np.random.default_rng(0), [], 60 / BPM
    at_s = start_s
    while at_s < start_s + seconds:
        for start, end, pitch in next(music):
            onset_s = max(at_s + start * s_per_beat + float(rng.normal(0, JITTER_S)), start_s)
            messages.append(TimedMessage(onset_s, (0x90, pitch, 80)))
            messages.append(TimedMessage(max(at_s + end * s_per_beat, onset_s + 0.03), (0x80, pitch, 0)))
        at_s += 2 * BARS * BEATS * s_per_beat
    return MemoryIn(messages)


def run(name: str, music: Iterator[list[tuple[float, float, int]]], minutes: float, is_real: bool) -> None:
    """Play one jam, and print its figures."""
    jam_music, times = KINDS[name]
    clock: Clock = SystemClock() if is_real else VirtualClock()
    answers: Answers = ProcessAnswers(jam_music) if is_real else InlineAnswers(jam_music)
    start_s, out = clock.now_s(), MemoryOut()
    steady_s = 0.25 if times.metronome else START_S  # the first phrase begins with a bar of the metronome
    port = played(music, 60 * minutes, start_s + steady_s)
    try:
        poll_s = POLL_S if is_real else VIRTUAL_POLL_S
        session = Session((port, out), answers, jam_music, times, clock, poll_s=poll_s)
        session.run(start_s + 60 * minutes)
    finally:
        answers.close()
    late_ms = 1000 * np.array(session.player.lateness_s or [0.0])
    median, most = np.percentile(late_ms, [50, 99])
    print(
        f"| {name} | {session.turn} | {len(late_ms)} | {median:.2f} | {most:.2f} | {late_ms.max():.1f} | "
        f"{session.player.left_out} | {len(out.sounding())} |",
        flush=True,
    )


@benchmark(
    FOLDERS,
    argument("--minutes", type=float, default=10, help="of all jams together (default: %(default)s)"),
    argument("--simulated", action="store_true", help="with a virtual clock, as fast as possible"),
    argument("--sample", type=int, default=10, help="songs whose phrases are played (default: %(default)s)"),
    argument("--seed", type=int, default=1),
)
def jam(options: argparse.Namespace) -> None:
    """Play jams of three kinds with phrases of songs, on ports inside the process.

    In real time the network composes in another process; with --simulated in this one, while the clock
    stands still. Lateness, in milliseconds, is that of planned notes when they are sent, clicks included.
    """
    music = phrases(options.folders, options.sample, options.seed)
    before = os.getloadavg()[0]
    print("| jam | turns | notes | late, median ms | 99% ms | most ms | left out | stuck |")
    print("|---|---|---|---|---|---|---|---|")
    for name in KINDS:
        run(name, music, options.minutes / len(KINDS), not options.simulated)
    print(f"load {before:.1f} to {os.getloadavg()[0]:.1f}")
