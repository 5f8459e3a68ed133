"""What the base install takes on disk: the wheel alone, without an extra, in an environment of its own.

    python benchmarks/install.py [--keep DIR]

Builds the wheel, makes a fresh environment, installs, and prints the megabytes of each distribution, from the
list of files that pip leaves with it (compiled modules of Python, which pip makes, included). pip itself is
not counted: it is the environment's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_MB = 150
NOT_COUNTED = {"pip", "setuptools", "wheel"}


class InstallError(Exception):
    """pip could not do it: what it said."""


def fresh(folder: Path) -> Path:
    """Build the wheel and install it into a new environment below `folder`; returns its Python.

    Raises InstallError, such as where no package registry can be reached.
    """
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    _run(sys.executable, "-m", "venv", str(folder / "env"))
    python = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    (wheel,) = folder.glob("ritornello-*.whl")
    _run(str(python), "-m", "pip", "install", "--quiet", str(wheel))
    return python


def sizes(python: Path) -> dict[str, float]:
    """Megabytes (10^6 bytes) on disk of each distribution of an environment, the largest first."""
    (site,) = python.parents[1].rglob("site-packages")
    found = {d.metadata["Name"]: _size(d) / 1e6 for d in distributions(path=[str(site)])}
    kept = {name: size for name, size in found.items() if name not in NOT_COUNTED}
    return dict(sorted(kept.items(), key=lambda item: -item[1]))


def _size(distribution: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.gettempdir())
    if done.returncode:
        raise InstallError(f"{' '.join(command[1:4])}: {done.stderr.strip()[-2000:]}")


def main() -> None:
    """Install and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, help="make the environment in this folder, and leave it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        found = sizes(fresh(folder))
    total = sum(found.values())
    for name, size in found.items():
        print(f"{name:<20}{size:8.1f} MB{size / total:8.1%}")
    print(f"{'all':<20}{total:8.1f} MB, the aim is at most {MOST_MB}")


if __name__ == "__main__":
    main()
