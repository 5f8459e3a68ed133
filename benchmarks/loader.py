"""What handing out batches costs: rows a second and memory, of a corpus larger than what may be kept of it.

    python benchmarks/loader.py CORPUS [--songs 100000] [--steps 300] [--memory 256]

The corpus's train side is taken again and again until it has --songs songs, each encoded as if it were
new. The first half of the steps meets songs for the first time; what is kept of them fills --memory MB.
Networks and torch stay out of it: to the memory, a network of 60 million parameters adds five times its
weights (weights, gradients, two moments of the optimizer, the running average), 1.2 GB.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from typing import Any

import numpy as np

from ritornello import Corpus, Score
from ritornello.models.plan_vector import Conditions
from ritornello.representations.notes import Notes
from ritornello.training.crops import Crops
from ritornello.training.songs import Side, Songs

BATCH, WINDOW = 32, 256


class Again:
    """`count` songs, those of a side over and over."""

    def __init__(self, side: Any, count: int) -> None:
        self.side, self.count = side, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, song: int) -> Score:
        found: Score = self.side[song % len(self.side)]
        return found


def peak_mb() -> float:
    """The most memory that this process has had."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Hand out batches, and print what they cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus")
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--memory", type=int, default=256, help="MB of encoded songs")
    options = parser.parse_args()
    before = peak_mb()
    side = Side(Corpus.open(options.corpus), "train")
    index = np.arange(options.songs) % len(side)
    labels = side.labels
    songs = Songs(
        Again(side, options.songs), Notes(), [labels[i] for i in index], side.notes[index], options.memory
    )
    crops = Crops(songs, Conditions(sorted({one for some in labels for one in some})), WINDOW, 0)
    opened = peak_mb()
    print(f"{options.songs:,} songs, {songs.notes.sum() / 1e6:.0f} million notes, {options.memory} MB kept")
    print(f"memory: {before:.0f} MB imported, {opened:.0f} MB opened", flush=True)
    half = options.steps // 2
    for name, steps in (("first half", range(half)), ("second half", range(half, options.steps))):
        busy = time.process_time()
        for step in steps:
            crops.batch(step, BATCH)
        rate = len(steps) * BATCH * WINDOW / (time.process_time() - busy)
        print(f"{name}: {rate:,.0f} rows a processor second, at most {peak_mb():.0f} MB", flush=True)


if __name__ == "__main__":
    main()
