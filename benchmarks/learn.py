"""`ritornello learn` on folders of several sizes: what it says beforehand, and what it then needs.

    python benchmarks/learn.py FOLDER --files 5 30 300 --minutes 2 --size tiny

So many files are drawn from below FOLDER; each run is a process of its own. Printed are seconds, memory at
its highest (of the largest process so far), disk at the end and passes, expected and found; nats per note on
held-out songs after the trial of each start, and in the end; which model was kept, by how much it is better;
and the longest run of notes shared with training songs, of the composed songs and of human ones.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def drawn(folder: Path, files: int, seed: int, out: Path) -> Path:
    """A folder with links to so many of the files below `folder`, under their own folders' names."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    for path in random.Random(seed).sample(paths, min(files, len(paths))):
        link = out / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    return out


def learnt(folder: Path, words: list[str]) -> dict[str, Any]:
    """The report of one run, and what it took."""
    command = [sys.executable, "-m", "ritornello", "learn", str(folder), "--json", *words]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the largest so far: sizes go up
    model = folder.with_name(folder.name + "-model")
    disk = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    report["took"] = {
        "seconds": time.monotonic() - began,
        "memory_bytes": usage.ru_maxrss * 1024,
        "disk_bytes": disk,
        "passes": report["passes"],
    }
    return report


def row(files: int, report: dict[str, Any]) -> str:
    """A line of the table."""
    expected, took = report["expected"], report["took"]
    seconds = "-" if expected["seconds"] is None else f"{expected['seconds']:.0f}"
    cells = [f"{files}", f"{seconds} / {took['seconds']:.0f}"]
    cells += [
        f"{expected[name] / 1e6:.0f} / {took[name] / 1e6:.0f}" for name in ("memory_bytes", "disk_bytes")
    ]
    cells.append(f"{expected['passes'] or 0:.1f} / {took['passes']:.1f}")
    cells.append(", ".join(f"{name} {nats:.2f}" for name, nats in report["tried"].items()) or "-")
    nats = report["nats_per_note"]
    cells += ["-" if nats is None else f"{nats:.2f}", report["kept"]]
    if report.get("better_by") is not None:
        between = "" if report["interval"] is None else " ({:.2f} to {:.2f})".format(*report["interval"])
        cells[-1] += f", {report['better_by']:.2f}{between}"
    close = report["closeness"]
    cells.append(f"{close['longest']} / {close['human']}" if close else "-")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description="What `ritornello learn` says beforehand, and what it needs."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, nargs="+", default=[5, 30, 300])
    parser.add_argument("--seed", type=int, default=0, help="by which the files are drawn")
    given, words = parser.parse_known_args()  # what is left goes to `learn`
    names = (
        "files",
        "s",
        "MB of memory",
        "MB of disk",
        "passes",
        "trial",
        "nats a note",
        "kept, better by",
        "longest run",
    )
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|", flush=True)
    for files in given.files:
        home = Path(tempfile.mkdtemp())
        try:
            print(
                row(files, learnt(drawn(given.folder, files, given.seed, home / "songs"), words)), flush=True
            )
        finally:
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
