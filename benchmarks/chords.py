"""Chords: how often those estimated from the notes are those of the labels.

    python benchmarks/chords.py FOLDER

Reads every MIDI file under the folder that carries chord labels written as notes (POP909-CL), takes the
labels away, estimates chords from what is left, and prints the share of beats on which the root agrees, the
root and the third (major or minor), and root and kind. The estimator's weights were fitted on 51 of the songs
of POP909-CL (every 16th); they are counted apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ritornello import midi
from ritornello.corpus.checks.annotation import take_annotation
from ritornello.errors import RitornelloError
from ritornello.music.score import Chord, Score
from ritornello.music.theory import CHORDS
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.chords import beat_edges, estimated
from ritornello.representations.notes import Notes


def at(chords: tuple[Chord, ...], ticks: np.ndarray) -> list[tuple[int, str] | None]:
    """The chord at each of `ticks`; None before the first."""
    place = np.searchsorted([chord.onset_ticks for chord in chords], ticks, side="right") - 1
    return [chords[i][1:] if i >= 0 else None for i in place.tolist()]


def third(kind: str) -> int:
    """The third of a kind: 4 major, 3 minor, 0 without."""
    return next((step for step in CHORDS[kind][1] if step in (3, 4)), 0)


def agreement(score: Score) -> np.ndarray:
    """Beats that have a label, and of these with equal root, root and third, root and kind: (4,)."""
    song, _ = Notes().canonical(score)
    timeline = Timeline.of(song)
    edges = beat_edges(timeline)
    middle = (edges[:-1] + edges[1:]) // 2
    counts = np.zeros(4)
    for label, guess in zip(at(song.chords, middle), at(estimated(timeline, song), middle), strict=True):
        if label and guess and label[1] != "other":
            root = label[0] == guess[0]
            counts += (1, root, root and third(label[1]) == third(guess[1]), label == guess)
    return counts


def main() -> None:
    """Print the agreement over a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    files = sorted(parser.parse_args().folder.rglob("*.mid"))
    sums = {"fitted on": np.zeros(4), "others": np.zeros(4)}
    songs = dict.fromkeys(sums, 0)
    for number, file in enumerate(files):
        try:
            score, labels = take_annotation(midi.read(file))
        except RitornelloError:
            continue
        if labels:
            side = "fitted on" if number % 16 == 0 else "others"
            sums[side] += agreement(score)
            songs[side] += 1
    print(f"{'songs':<16}{'beats':>8}  root   third  kind")
    for side, (beats, *right) in sums.items():
        shares = "  ".join(f"{count / max(beats, 1):.3f}" for count in right)
        print(f"{songs[side]:>4} {side:<11}{int(beats):>8}  {shares}")


if __name__ == "__main__":
    main()
