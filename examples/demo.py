"""Show the main use: compose a song, learn from the chorales of Bach, and compose songs with the new model.

    make demo        (or: python examples/demo.py [--minutes 2] [--songs 3] [--out demo])

Everything is written to the folder `demo`: `first.mid` by the bundled model, the chorales (`midi/`), the new
model (`midi-model/`) and its songs (`midi-songs/`). The new model starts from random weights, to show what it
learns from Bach alone in two minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from ritornello.composing.compose import BUNDLED


def run(name: str, *arguments: str | Path | float) -> None:
    """Print and run a command: `ritornello` or a Python script."""
    shown, program = name, ["-m", "ritornello"]
    if name != "ritornello":
        shown, program = f"python {name}", [name]
    print(f"\n$ {shown} " + " ".join(map(str, arguments)), flush=True)
    subprocess.run([sys.executable, *program, *map(str, arguments)], check=True)


def main() -> None:
    """Run the commands one after the other; you can also run each yourself."""
    parser = argparse.ArgumentParser(
        description="Compose, learn from the chorales of Bach, and compose again."
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="how long to train")
    parser.add_argument("--songs", type=int, default=3, help="how many songs to compose with the new model")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="the folder for everything")
    options = parser.parse_args()
    out: Path = options.out
    start_time = time.monotonic()

    if (BUNDLED / "model.json").is_file():
        run("ritornello", "compose", "-o", out / "first.mid")
    if not (out / "midi").exists():
        run(str(Path(__file__).with_name("bach.py")), out / "midi", "--minutes", 1.5)
    length = ("--minutes", options.minutes, "--songs", options.songs)
    run("ritornello", "learn", out / "midi", *length, "--start", "nothing", "--size", "tiny")
    for song in sorted((out / "midi-songs").glob("song-*.mid")):
        picture = song.with_suffix(".png")
        if not picture.exists():
            run("ritornello", "info", song, "--png", picture)
    print(f"\nSongs and their pictures: {out / 'midi-songs'} ({time.monotonic() - start_time:.0f} s in all)")


if __name__ == "__main__":
    main()
