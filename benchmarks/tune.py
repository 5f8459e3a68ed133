"""How well the parts go with a tune that is given: composed around people's tunes, beside what people wrote.

    python benchmarks/tune.py CORPUS [--model MODEL] [--label chorale] [--songs 31]

The highest part of each held-out song of the label is given as a tune, and one song is composed around it,
seeds from 0. At each onset of the tune all that sounds is heard: of the other notes, how many are dissonant
with the tune (seconds, sevenths, tritones, and their octaves), and at how many onsets any two notes are a
semitone apart (or its octaves). The same is heard in the songs that the tunes are of.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello import Corpus, Score, compose
from ritornello.evaluation.inputs import Side
from ritornello.evaluation.summary import interval
from ritornello.music.score import COLUMNS

DISSONANT = (1, 2, 6, 10, 11)  # semitones
HARSH = (1, 11)


def highest(song: Score) -> npt.NDArray[np.bool_]:
    """Which notes (N,) are of the part with the highest mean pitch."""
    parts = [part for part in np.unique(song.part).tolist() if not song.parts[part].is_drum]
    return np.asarray(song.part == max(parts, key=lambda part: song.pitch[song.part == part].mean()))


def heard(song: Score, is_tune: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Of the onsets of a tune: notes beside it, dissonant ones, onsets, those with a semitone, (4,)."""
    end = song.onset_ticks + song.duration_ticks
    counts = np.zeros(4, np.int64)
    for tick in np.unique(song.onset_ticks[is_tune]):
        sounds = (song.onset_ticks <= tick) & (end > tick) & ~song.of_drums
        tune = int(song.pitch[sounds & is_tune].max())
        others = song.pitch[sounds & ~is_tune].astype(np.int64)
        pitches = np.append(others, tune)
        harsh = np.isin(np.abs(pitches[:, None] - pitches) % 12, HARSH).any()
        counts += len(others), int(np.isin(np.abs(tune - others) % 12, DISSONANT).sum()), 1, int(harsh)
    return counts


def around(tune: Score, options: argparse.Namespace, seed: int) -> npt.NDArray[np.int64]:
    """What is heard in a song composed around a tune."""
    model: tuple[Any, ...] = (options.model,) if options.model else ()
    song = compose(*model, melody=tune, genre=options.label, seed=seed).score
    kept = set(zip(tune.onset_ticks.tolist(), tune.pitch.tolist(), strict=True))
    times = song.onset_ticks * (tune.ticks_per_beat / song.ticks_per_beat)
    same = [note in kept for note in zip(times.tolist(), song.pitch.tolist(), strict=True)]
    return heard(song, np.asarray(song.part == np.bincount(song.part[same]).argmax()))


def row(name: str, found: list[npt.NDArray[np.int64]]) -> str:
    """A line of the table, with 95% intervals by song."""
    beside, dissonant, onsets, harsh = np.array(found).T
    cells = [f"{beside.sum() / onsets.sum():.2f}"]
    for part, whole in ((dissonant, beside), (harsh, onsets)):
        low, high = interval(part, whole)
        cells.append(f"{part.sum() / whole.sum():.1%} ({low:.1%}-{high:.1%})")
    return f"| {name} | {len(found)} | " + " | ".join(cells) + " |"


def main() -> None:
    """The table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--model", type=Path, help="a model folder; the one that ships, if left out")
    parser.add_argument("--label", default="chorale")
    parser.add_argument("--songs", type=int, default=31, help="at most")
    options = parser.parse_args()
    side = Side(Corpus.open(options.corpus), "test")
    songs = [song.score for song in side if options.label in song.labels]
    songs = [song for song in songs if len(np.unique(song.part)) > 1][: options.songs]
    human, composed = [], []
    for seed, song in enumerate(songs):
        is_tune = highest(song)
        human.append(heard(song, is_tune))
        columns: dict[str, Any] = {name: getattr(song, name)[is_tune] for name in COLUMNS}
        composed.append(around(replace(song, **columns), options, seed))
    print("| at the tune's onsets | songs | notes beside it | dissonant with it | with a semitone |")
    print("|---" * 5 + "|")
    print(row("people", human))
    print(row("composed around the tune", composed))


if __name__ == "__main__":
    main()
