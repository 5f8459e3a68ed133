"""What the engine dask costs beside the pool of one machine, on the same files with as many processes.

    python benchmarks/cluster.py FOLDER [--workers 2] [--turns 3]

A scheduler and one Dask worker of --workers threads run on this machine. The two engines take turns, so that
a busy neighbour meets both, and the best turns are compared. The corpora must be the same byte for byte.
"Reading" is from the start to the last file, "copies" from there to the finished corpus; processor seconds
are those of this process alone, which on a cluster is the one that cannot be multiplied.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ritornello.corpus.prepare import build_corpus


def start(folder: Path, threads: int) -> tuple[str, list[subprocess.Popen[bytes]]]:
    """A scheduler and a worker on free ports of this machine; the scheduler's address."""
    file, null = folder / "scheduler.json", subprocess.DEVNULL
    dask = [sys.executable, "-m", "dask"]
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    worker = [*dask, "worker", "--nthreads", str(threads), "--local-directory", str(folder), *common]
    running = [subprocess.Popen(scheduler, stdout=null, stderr=null)]
    while not file.exists() or not file.read_text().strip():
        time.sleep(0.1)
    running.append(subprocess.Popen(worker, stdout=null, stderr=null))
    return json.loads(file.read_text())["address"], running


def turn(folder: Path, out: Path, **engine: Any) -> dict[str, float]:
    """One run: seconds to the last file and to the end, files."""
    last = began = time.perf_counter()
    cpu = time.process_time()

    def progress(done: int, total: int, text: str) -> None:
        nonlocal last
        if text == "reading":
            last = time.perf_counter()

    report = build_corpus(folder, out, progress=progress, **engine)
    cpu, end = time.process_time() - cpu, time.perf_counter()
    return {"files": report.files, "reading_s": last - began, "copies_s": end - last, "cpu_s": cpu}


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = [{str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} for out in (one, other)]
    return names[0] == names[1] and not any(filecmp.cmpfiles(one, other, names[0], shallow=False)[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        address, running = start(Path(scratch), options.workers)
        try:
            for number in range(options.turns):
                outs = []
                for name, engine in (
                    ("pool", {"workers": options.workers}),
                    ("dask", {"scheduler": address}),
                ):
                    outs.append(Path(scratch) / f"{name}{number}")
                    found = turn(options.folder, outs[-1], **engine)
                    print(name, {key: round(value, 2) for key, value in found.items()}, flush=True)
                    if name not in best or found["reading_s"] < best[name]["reading_s"]:
                        best[name] = found
                if not same(*outs):
                    sys.exit("the two corpora differ")
            size = sum(path.stat().st_size for path in outs[0].rglob("*") if path.is_file())
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()
    files, ratio = best["pool"]["files"], best["dask"]["reading_s"] / best["pool"]["reading_s"]
    print(f"{os.cpu_count()} cores, {options.workers} readers, {files:,.0f} files, the same corpus")
    for name, found in best.items():
        print(f"{name}: {files / found['reading_s']:,.0f} files/s, this process {found['cpu_s']:.1f} s")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    print(f"dask takes {ratio:.2f} times as long; corpus {size / files:,.0f} bytes a file; peak {peak_mb} MB")


if __name__ == "__main__":
    main()
