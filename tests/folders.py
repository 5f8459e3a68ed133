"""Folders to test with: small songs as .mid files in two genres, all different."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ritornello import midi
from ritornello.music.score import Meter, Part, Score, Tempo

Say = Callable[..., tuple[int, str, str]]  # the words of a command to exit code, output and errors


def wandering(seed: int, notes: int = 48) -> Score:
    """A melody that wanders over a major scale in quarters and eighths, with a bass note on every bar."""
    draw = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    place = 14 + np.cumsum(draw.integers(-2, 3, notes))
    place = np.abs((place % 56) - 28)  # folded back into four octaves
    pitch = 48 + draw.integers(12) + 12 * (place // 7) + scale[place % 7]
    length = draw.choice([240, 480], notes)
    onset = np.cumsum(length) - length
    bars = np.arange(0, int(onset[-1]), 1920)
    return Score.of(
        480,
        np.concatenate([onset, bars]),
        np.concatenate([length, np.full(len(bars), 1920)]),
        np.concatenate([pitch, np.full(len(bars), 36 + int(draw.integers(12)))]),
        np.concatenate([draw.integers(60, 110, notes), np.full(len(bars), 70)]),
        np.concatenate([np.zeros(notes, np.int64), np.ones(len(bars), np.int64)]),
        parts=(Part("Flute", 73), Part("Bass", 32)),
        tempi=(Tempo(0, 500_000),),
        meters=(Meter(0, 4, 4),),
        title=f"Wandering {seed}",
    )


def write_songs(folder: Path, count: int = 16, notes: int = 48) -> Path:
    """Write `count` songs below folder/folk and folder/game."""
    for seed in range(count):
        path = folder / ("folk", "game")[seed % 2] / f"song{seed:03}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        midi.write(wandering(seed, notes), path)
    return folder
