"""How often what returns is guessed: echo and alone, as they are, and other candidates that were looked at.

    python benchmarks/returns.py CORPUS [--side test] [--songs 30]

By label, the share of notes whose onset, part and pitch a candidate guesses; and of those that neither echo
nor alone guesses, the share that is right by
    second       what followed the latest occurrence that went on otherwise than echo says
    transposed   echo over intervals of pitch: a phrase that returns higher or lower
    in time      echo over pitches alone, part and pitch right: a phrase that returns in another rhythm
No network is asked: a candidate that guesses much may still tell a network nothing that it does not know.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ritornello import Corpus
from ritornello.evaluation.inputs import Side
from ritornello.music.score import Score
from ritornello.representations.grid.vocabulary import PITCHES, VOICE_BITS, Ints, columns
from ritornello.representations.notes import Notes
from ritornello.representations.repetition.alone import alone
from ritornello.representations.repetition.echo import LENGTHS, echo

Right = npt.NDArray[np.bool_]
NAMES = ("echo", "alone", "either", "second", "transposed", "in time")


def right(song: Score) -> dict[str, Right]:
    """For each candidate, whether it guesses each note (N,) of a canonical song."""
    onset, part, pitch, _, _ = columns(song)
    voice, interval = part * PITCHES + pitch, np.diff(onset, prepend=0)
    keys = onset << VOICE_BITS | voice
    heard = echo(interval, voice).candidate[:-1]
    lines = alone(onset, voice, np.append(0, keys[:-1] + 1), np.arange(len(keys)))
    step = np.diff(voice, prepend=0)
    moved, sung = echo(interval, step).candidate[:-1], echo(np.ones_like(voice), voice).candidate[:-1]
    other = second(list(zip(interval.tolist(), voice.tolist(), strict=True)), heard)
    found = {
        "echo": (heard >= 0) & (interval[heard] == interval) & (voice[heard] == voice),
        "alone": (lines.candidate >= 0) & (lines.onset == onset) & (voice[lines.candidate] == voice),
        "second": (other >= 0) & (interval[other] == interval) & (voice[other] == voice),
        "transposed": (moved > 0) & (interval[moved] == interval) & (step[moved] == step),
        "in time": (sung >= 0) & (voice[sung] == voice),
    }
    return found | {"either": found["echo"] | found["alone"]}


def second(keys: list[tuple[int, int]], first: Ints) -> Ints:
    """For each note the latest one that followed a context of 16, 8, 4 or 2, and is not what `first` says."""
    after: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    found = np.full(len(keys), -1)
    for note, guess in enumerate(first.tolist()):
        for size in (size for size in reversed(LENGTHS[:4]) if size <= note):
            seen = after[tuple(keys[note - size : note])]
            others = (n for n in reversed(seen[-8:]) if guess >= 0 and keys[n] != keys[guess])
            found[note] = next(others, -1) if found[note] < 0 else found[note]
            seen.append(note)
    return found


def main() -> None:
    """The table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--side", default="test")
    parser.add_argument("--songs", type=int, default=30, help="of a label, at most")
    options = parser.parse_args()
    songs: dict[str, list[Score]] = defaultdict(list)
    for song in Side(Corpus.open(options.corpus), options.side):
        label = next(iter(song.labels), "all")
        if len(songs[label]) < options.songs:
            songs[label].append(Notes().canonical(song.score)[0])
    print(f"| | songs | notes | {' | '.join(NAMES[:3])} | of neither: {' | '.join(NAMES[3:])} |")
    print("|---" * (3 + len(NAMES)) + "|")
    for label, chosen in sorted(songs.items()):
        found = [right(song) for song in chosen]
        all_found = {name: np.concatenate([one[name] for one in found]) for name in NAMES}
        missed = ~all_found["either"]
        shares = [all_found[name].mean() for name in NAMES[:3]]
        shares += [all_found[name][missed].mean() for name in NAMES[3:]]
        cells = " | ".join(f"{share:.1%}" for share in shares)
        print(f"| {label} | {len(chosen)} | {len(missed):,} | {cells} |")


if __name__ == "__main__":
    main()
