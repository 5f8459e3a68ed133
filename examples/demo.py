"""The main job before your eyes: Bach's chorales as a folder of MIDI, a corpus, a network, three songs.

    make demo        (or: python examples/demo.py [--minutes 1.5] [--songs 3] [--out demo])

Everything is written below the folder `demo`: `midi/` the chorales (out of the wheel of music21; they stay on
your machine), `corpus/`, `model/`, `songs/`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path


def run(*words: str | Path) -> None:
    """Show a command and run it."""
    shown = ["ritornello" if word == "-m" else str(word) for word in words if word != "ritornello"]
    print("\n$ " + " ".join(shown if "ritornello" in shown else ["python", *shown]), flush=True)
    subprocess.run([sys.executable, *map(str, words)], check=True)


def main() -> None:
    """The recipe: a list of commands, each of which you can run yourself."""
    parser = argparse.ArgumentParser(description="Learn from Bach's chorales and compose.")
    parser.add_argument("--minutes", type=float, default=1.5, help="how long to train")
    parser.add_argument("--songs", type=int, default=3, help="how many songs to compose")
    parser.add_argument("--out", type=Path, default=Path("demo"))
    given = parser.parse_args()
    out: Path = given.out
    began = time.monotonic()

    if not (out / "midi").exists():
        run(Path(__file__).parent / "bach.py", out / "midi", "--minutes", "2")
    run("-m", "ritornello", "prepare", out / "midi", "--out", out / "corpus")
    run("-m", "ritornello", "train", out / "corpus", "--out", out / "model", "--minutes", str(given.minutes))
    for seed in range(1, given.songs + 1):
        song = out / "songs" / f"song{seed}.mid"
        run("-m", "ritornello", "compose", out / "model", "--tempo", "72", "--seed", str(seed), "-o", song)
        run("-m", "ritornello", "info", song, "--png", song.with_suffix(".png"), "--quiet")
    print(f"\nSongs and their pictures: {out / 'songs'} ({time.monotonic() - began:.0f} s in all)")


if __name__ == "__main__":
    main()
