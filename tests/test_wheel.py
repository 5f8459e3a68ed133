"""The wheel alone, built from the sdist, in a bare environment without extras: it composes, and is small."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.install import MAX_MB, sizes
from ritornello import midi
from ritornello.music.timeline import Timeline
from ritornello.system.version import __version__
from scripts import build

EXTRAS = (
    "torch",
    "scipy",
    "pyarrow",
    "sklearn",
    "keras",
    "verovio",
    "soundfile",
    "dask",
    "music21",
    "pandas",
)
UNREACHABLE = (
    "NewConnectionError",
    "ConnectTimeout",
    "Max retries",
    "No matching distribution",
    "resolution",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("base")
    try:
        wheel, sdist = build.build(folder)
        build.check(wheel, sdist)
        return build.install(wheel, folder / "env")
    except build.BuildError as error:
        if any(sign in str(error) for sign in UNREACHABLE):
            pytest.skip(f"no package registry can be reached from here: {str(error)[-200:]}")
        raise


def run(python: Path, *words: str) -> str:
    """What a command prints, started where no source of Ritornello is."""
    done = subprocess.run(
        [str(python), "-I", *words], cwd=python.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_has_the_version_of_the_source(python: Path) -> None:
    assert run(python, "-m", "ritornello", "--version").strip() == f"ritornello {__version__}"


def test_it_composes_without_anything_of_an_extra(python: Path, tmp_path: Path) -> None:
    known = f"from importlib.util import find_spec; print([n for n in {EXTRAS} if find_spec(n)])"
    assert run(python, "-c", known).strip() == "[]"
    song = tmp_path / "song.mid"
    run(python, "-m", "ritornello", "compose", "--seed", "1", "-o", str(song))
    score = midi.read(song)
    assert len(Timeline.of(score)) == 16
    assert len(score.parts) == 4
    run(
        python, "-m", "ritornello", "compose", "--recipe", f"{song.with_suffix('.json')}", "-o", f"{song}.mid"
    )
    assert Path(f"{song}.mid").read_bytes() == song.read_bytes()


def test_everything_that_the_base_promises_runs(python: Path, tmp_path: Path) -> None:
    song = tmp_path / "tune.mid"
    run(python, "-m", "ritornello", "compose", "--genre", "fiddle", "--bars", "8", "-o", str(song))
    run(python, "-m", "ritornello", "redo", str(song), "--bars", "3-4", "--takes", "2", "-o", f"{song}.mid")
    for words in (["info", str(song)], ["render", str(song), "-o", f"{song}.png"], ["genres"], ["card"]):
        assert run(python, "-m", "ritornello", *words)


def test_what_is_missing_is_named_with_the_command_that_brings_it(python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(python), "-I", "-m", "ritornello", "prepare", str(tmp_path), "--out", str(tmp_path / "corpus")],
        cwd=python.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "ritornello[train]" in done.stderr


def test_it_is_small(python: Path) -> None:
    assert sum(sizes(python).values()) <= MAX_MB
