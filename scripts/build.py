"""Build the wheel and the sdist, check them, and compose a song with the wheel in a bare environment.

    python scripts/build.py [--out DIR]

The wheel is built from the sdist, so that an sdist that lacks a file fails here. Uploads nothing.
Needs `pip install ".[release]"` and a package registry.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class BuildError(Exception):
    """A program failed: its name and the end of what it printed."""


def build(folder: Path) -> tuple[Path, Path]:
    """Build into `folder`; returns the paths of the wheel and of the sdist. Raises BuildError."""
    for old in folder.glob("ritornello-*"):
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def check(*files: Path) -> None:
    """Let twine check the metadata of distributions, as a registry would. Raises BuildError."""
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, files))


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a new environment at `folder`; returns its Python. Raises BuildError."""
    run(sys.executable, "-m", "venv", str(folder))
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(str(python), "-m", "pip", "install", "--quiet", str(wheel))
    return python


def compose(python: Path, song: Path) -> str:
    """Compose the file `song` with an environment's Ritornello; returns its version. Raises BuildError."""
    run(str(python), "-I", "-m", "ritornello", "compose", "--seed", "1", "-o", str(song))
    return run(str(python), "-I", "-m", "ritornello", "--version").split()[-1]


def run(*command: str) -> str:
    """Run a program where no source of Ritornello is; returns what it printed. Raises BuildError."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.gettempdir(), check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command[1:4])}: {(done.stderr + done.stdout).strip()[-2000:]}")
    return done.stdout


def main() -> None:
    """Do all of it and say what was made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the wheel and the sdist")
    out: Path = parser.parse_args().out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    wheel, sdist = build(out)
    check(wheel, sdist)
    with tempfile.TemporaryDirectory() as folder:
        version = compose(install(wheel, Path(folder) / "env"), Path(folder) / "song.mid")
    for file in (wheel, sdist):
        print(f"{file}   {file.stat().st_size / 1e6:.1f} MB")
    print(f"twine check passed; version {version} composed a song in a bare environment")


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(str(error))
