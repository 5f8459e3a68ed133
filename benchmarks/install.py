"""What the base install takes on disk: the wheel alone, without an extra, in a new environment."""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

from benchmarks.shared import ROOT, argument, benchmark
from scripts import build

MAX_MB = 150  # the aim
NOT_COUNTED = {"pip", "setuptools", "wheel"}


def sizes(python: Path) -> dict[str, float]:
    """Megabytes (10^6 bytes) on disk of each distribution of an environment, the largest first."""
    (site,) = python.parents[1].rglob("site-packages")
    found = {d.metadata["Name"]: _size(d) / 1e6 for d in distributions(path=[str(site)])}
    kept = {name: size for name, size in found.items() if name not in NOT_COUNTED}
    return dict(sorted(kept.items(), key=lambda item: -item[1]))


def _size(distribution: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


@benchmark(
    argument("--keep", type=Path, metavar="DIR", help="make the environment in this folder, and keep it"),
)
def install(options: argparse.Namespace) -> None:
    """Build the wheel, install it into a new environment, and print the megabytes of each distribution.

    The files are those that pip lists, compiled Python modules included. pip itself is not counted.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        wheel_dir = ["--no-deps", "--wheel-dir", str(folder)]
        build.run(sys.executable, "-m", "pip", "wheel", "--quiet", *wheel_dir, str(ROOT))
        (wheel,) = folder.glob("ritornello-*.whl")
        found = sizes(build.install(wheel, folder / "env"))
    total = sum(found.values())
    for name, size in found.items():
        print(f"{name:<20}{size:8.1f} MB{size / total:8.1%}")
    print(f"{'all':<20}{total:8.1f} MB, the aim is at most {MAX_MB}")
