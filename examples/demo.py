"""The main job before your eyes: a song at once, then Bach's chorales as MIDI, and what is learnt of them.

    make demo        (or: python examples/demo.py [--minutes 2] [--songs 3] [--out demo])

First the model that ships composes, where one does. Then everything is written below the folder `demo`:
`midi/` the chorales (out of the wheel of music21; they stay on your machine), `midi-model/`, `midi-songs/`.
The network begins from nothing, so that you see what two minutes with Bach are worth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from ritornello.composing.compose import BUNDLED


def run(*words: str | Path) -> None:
    """Show a command and run it."""
    shown = ["ritornello" if word == "-m" else str(word) for word in words if word != "ritornello"]
    print("\n$ " + " ".join(shown if "ritornello" in shown else ["python", *shown]), flush=True)
    subprocess.run([sys.executable, *map(str, words)], check=True)


def main() -> None:
    """The recipe: a list of commands, each of which you can run yourself."""
    parser = argparse.ArgumentParser(description="Compose, learn from Bach's chorales, and compose again.")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long to learn")
    parser.add_argument("--songs", type=int, default=3, help="how many songs to compose with what was learnt")
    parser.add_argument("--out", type=Path, default=Path("demo"))
    given = parser.parse_args()
    out: Path = given.out
    began = time.monotonic()

    if (BUNDLED / "model.json").is_file():
        run("-m", "ritornello", "compose", "-o", out / "first.mid")
    if not (out / "midi").exists():
        run(Path(__file__).parent / "bach.py", out / "midi", "--minutes", "1.5")
    learn = ("learn", out / "midi", "--minutes", str(given.minutes), "--songs", str(given.songs))
    run("-m", "ritornello", *learn, "--start", "nothing", "--size", "tiny")
    for song in sorted((out / "midi-songs").glob("song-*.mid")):
        picture = song.with_suffix(".png")
        if not picture.exists():
            run("-m", "ritornello", "info", song, "--png", picture)
    print(f"\nSongs and their pictures: {out / 'midi-songs'} ({time.monotonic() - began:.0f} s in all)")


if __name__ == "__main__":
    main()
