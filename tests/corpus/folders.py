"""Make folders of different songs to prepare, and read the content of folders and corpora."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.midi import to_bytes
from ritornello.music.score import Score


@lru_cache(maxsize=512)
def song(number: int, notes: int = 24) -> bytes:
    """The MIDI bytes of a song with random pitches, seeded by `number`."""
    draw = np.random.default_rng(number)
    onset = np.arange(notes) * 120
    score = Score.of(480, onset, np.full(notes, 100), draw.integers(30, 100, notes), np.full(notes, 80))
    return to_bytes(score)[0]


def fill(folder: Path, count: int, first: int = 0) -> Path:
    """Write songs `first` to `first + count - 1` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"{number:04d}.mid").write_bytes(song(number))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder, by relative path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def outcomes(corpus: Path) -> dict[str, str]:
    """The outcome of every file of a corpus by its path, undecodable bytes written as \\x.."""
    opened = Corpus.open(corpus)
    return {opened.info(i).name: opened.info(i).outcome for i in range(len(opened))}
