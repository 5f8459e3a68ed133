"""`ritornello learn` on folders of several sizes: what it forecasts, and what it then needs."""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.shared import FOLDER, argument, benchmark, draw_files, folder_bytes, table_row

HEAD = ("files", "s", "MB of memory", "MB of disk", "passes", "trials", "nats per note", "kept, better by")


def link_files(folder: Path, files: int, seed: int, out: Path) -> Path:
    """A folder with links to some of the files below `folder`, drawn by the seed, in folders as there."""
    for path in draw_files([folder], files, seed):
        link = out / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    return out


def run_learn(folder: Path, words: list[str]) -> dict[str, Any]:
    """The report of one run, and under `took` what it needed."""
    command = [sys.executable, "-m", "ritornello", "learn", str(folder), "--json", *words]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the largest child so far: sizes go up
    report["took"] = {
        "seconds": time.monotonic() - began,
        "memory_bytes": usage.ru_maxrss * 1024,
        "disk_bytes": folder_bytes(folder.with_name(folder.name + "-model")),
        "passes": report["passes"],
    }
    return report


def row(files: int, report: dict[str, Any]) -> str:
    """A row of the table."""
    expected, took = report["expected"], report["took"]
    seconds = "-" if expected["seconds"] is None else f"{expected['seconds']:.0f}"
    cells = [f"{files}", f"{seconds} / {took['seconds']:.0f}"]
    for name in ("memory_bytes", "disk_bytes"):
        cells.append(f"{expected[name] / 1e6:.0f} / {took[name] / 1e6:.0f}")
    cells.append(f"{expected['passes'] or 0:.1f} / {took['passes']:.1f}")
    cells.append(", ".join(f"{name} {nats:.2f}" for name, nats in report["tried"].items()) or "-")
    nats = report["nats_per_note"]
    cells += ["-" if nats is None else f"{nats:.2f}", report["kept"]]
    if report.get("better_by") is not None:
        between = "" if report["interval"] is None else " ({:.2f} to {:.2f})".format(*report["interval"])
        cells[-1] += f", {report['better_by']:.2f}{between}"
    close = report["closeness"]
    return table_row([*cells, f"{close['longest']} / {close['human']}" if close else "-"])


@benchmark(
    FOLDER,
    argument("--files", type=int, nargs="+", default=[5, 30, 300], help="how many are drawn, for each run"),
    argument("--seed", type=int, default=0, help="by which the files are drawn"),
    passes_on=True,
)
def learn(options: argparse.Namespace) -> None:
    """Run `ritornello learn` on some of the files of a folder, and compare its forecast with what it needed.

    Each run is a process of its own. Options that are not listed below go to `ritornello learn`, for example
    `--minutes 2 --size tiny`. Printed are, forecast / found: seconds, the highest memory (of the largest
    process so far), disk at the end, and passes; then the held-out nats per note of the trial of each start
    and of the end; which model was kept and by how much it is better; and the longest run of notes shared
    with training songs, of composed / human songs.
    """
    print(table_row([*HEAD, "longest run"]), "|---" * (len(HEAD) + 1) + "|", sep="\n", flush=True)
    for files in options.files:
        home = Path(tempfile.mkdtemp())
        try:
            songs = link_files(options.folder, files, options.seed, home / "songs")
            print(row(files, run_learn(songs, options.passed_on)), flush=True)
        finally:
            shutil.rmtree(home)
