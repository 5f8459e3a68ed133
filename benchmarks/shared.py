"""What the benchmarks share: declaring a command, files, songs, clocks, memory, intervals, tables."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.errors import RitornelloError
from ritornello.music.score import COLUMNS, Score

ROOT = Path(__file__).resolve().parents[1]
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
NotesMask = npt.NDArray[np.bool_]  # (N,), one for each note of a song
Result = TypeVar("Result")

# Commands


class Argument(NamedTuple):
    """An argument of a command, as `argparse.ArgumentParser.add_argument` takes it."""

    flags: tuple[str, ...]
    settings: dict[str, Any]


class Benchmark:
    """A function that measures and prints, with the arguments of its command; its docstring is the help."""

    def __init__(
        self,
        function: Callable[[argparse.Namespace], None],
        arguments: Sequence[Argument],
        one_thread: bool,
        passes_on: bool,
    ) -> None:
        self.function, self.arguments = function, arguments
        self.one_thread, self.passes_on = one_thread, passes_on

    def parser(self, name: str, summary: str) -> argparse.ArgumentParser:
        """The parser of the command."""
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks {name}",
            description=f"{summary}\n\n{help_text(self.function)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for argument_ in self.arguments:
            parser.add_argument(*argument_.flags, **argument_.settings)
        return parser

    def run(self, name: str, summary: str, words: Sequence[str]) -> None:
        """Parse the words of the command and measure; options that are not its own become `passed_on`."""
        parser = self.parser(name, summary)
        options, others = parser.parse_known_intermixed_args(words)
        if others and not self.passes_on:
            parser.error(f"unrecognized arguments: {' '.join(others)}")
        options.passed_on = others
        if not self.one_thread:
            self.function(options)
            return
        from ritornello.system.threads import one_thread

        with one_thread():
            self.function(options)


def argument(*flags: str, **settings: Any) -> Argument:
    """Declare an argument of a command."""
    return Argument(flags, settings)


def benchmark(
    *arguments: Argument, one_thread: bool = False, passes_on: bool = False
) -> Callable[[Callable[[argparse.Namespace], None]], Benchmark]:
    """Declare a function of the parsed options as a benchmark.

    With `one_thread`, numpy's matrix products run on one thread; with `passes_on`, unknown options are kept.
    """
    return lambda function: Benchmark(function, arguments, one_thread, passes_on)


def help_text(function: Callable[..., object]) -> str:
    """The docstring of a function without its indentation."""
    lines = (function.__doc__ or "").strip().splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)


CORPUS = argument("corpus", type=Path, help="a folder made by `ritornello prepare`")
FOLDER = argument("folder", type=Path, help="MIDI files are looked for in it and below it")
FOLDERS = argument("folders", nargs="+", type=Path, help="MIDI files are looked for in them and below them")
OUT = argument("--out", type=Path, required=True, help="results are kept here and not computed again")
CLOCK = argument(
    "--clock",
    choices=("wall", "processor"),
    default="wall",
    help="what minutes of training are: wall-clock time, or processor time of this process, "
    "which other work on the machine does not shorten",
)


def set_training_clock(clock: str) -> None:
    """Let training count its minutes in `wall` or `processor` time."""
    from ritornello.training import schedule

    if clock == "processor":
        schedule.CLOCK = time.process_time


def stored(file: Path, compute: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON object in `file`; if there is no such file, compute and write it first."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(compute(), allow_nan=True) + "\n")
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


# Files and songs


def midi_files(folders: Iterable[Path]) -> list[Path]:
    """All MIDI files below some folders, sorted by path."""
    found = (path for folder in folders for path in folder.rglob("*"))
    return sorted(path for path in found if path.suffix.lower() in MIDI_SUFFIXES and path.is_file())


def draw_files(folders: Iterable[Path], count: int, seed: int) -> list[Path]:
    """At most `count` of the MIDI files below some folders, drawn by the seed."""
    files = midi_files(folders)
    return random.Random(seed).sample(files, min(count, len(files)))


def readable(files: Iterable[Path]) -> Iterator[tuple[Path, Score]]:
    """Each file that can be read, with its song; the others are skipped."""
    from ritornello import midi

    for file in files:
        try:
            yield file, midi.read(file)
        except RitornelloError:
            continue


def select_notes(song: Score, chosen: NotesMask) -> Score:
    """The song with only the chosen notes."""
    from dataclasses import replace

    columns: dict[str, Any] = {name: getattr(song, name)[chosen] for name in COLUMNS}
    return replace(song, **columns)


def highest_part(song: Score) -> NotesMask:
    """Which notes belong to the pitched part with the highest mean pitch."""
    parts = [part for part in np.unique(song.part).tolist() if not song.parts[part].is_drum]
    highest = max(parts, key=lambda part: float(song.pitch[song.part == part].mean()))
    return np.asarray(song.part == highest)


def share_in_scale(song: Score, key: tuple[int, bool]) -> float:
    """Share of pitched notes that lie in the scale of a key (a minor scale has both sevenths).

    NaN if the song has no pitched note.
    """
    from ritornello.music.theory import scale

    pitch = song.pitch[~song.of_drums].astype(np.int64) % 12
    return float(np.isin(pitch, list(scale(*key))).mean()) if len(pitch) else float("nan")


# Time and memory


def busy_s() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def peak_memory_mb(who: int = resource.RUSAGE_SELF) -> float:
    """The largest memory of this process so far (or of its children), in MiB."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(who).ru_maxrss / unit


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder and below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def time_in_turns(
    ways: Mapping[str, Callable[[], object]],
    turns: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Seconds of each way of doing something, (turns,) each.

    In each turn every way runs once, so that other work on the machine slows all of them alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            began = clock()
            way()
            seconds[name].append(clock() - began)
    return seconds


def load() -> float:
    """The mean number of running processes in the last minute."""
    return os.getloadavg()[0]


# Figures and tables


def exponent(sizes: Sequence[float], values: Sequence[float]) -> str:
    """The slope of log(value) over log(size) by least squares, with its 95% interval."""
    from scipy import stats

    fit = stats.linregress(np.log(sizes), np.log(np.maximum(values, 1e-9)))
    half = stats.t.ppf(0.975, len(sizes) - 2) * fit.stderr
    return f"exponent {fit.slope:.3f}, 95% interval {fit.slope - half:.3f} to {fit.slope + half:.3f}"


def share(parts: Sequence[float], wholes: Sequence[float]) -> str:
    """The sum of `parts` over that of `wholes` (S,) in percent, with its 95% interval by song."""
    from ritornello.evaluation.summary import bootstrap_interval

    part, whole = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    low, high = bootstrap_interval(part, whole)
    return f"{part.sum() / whole.sum():.1%} ({low:.1%} to {high:.1%})"


def reduction(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """By how many percent the sum of `ours` is below that of `theirs` (S,), with its 95% interval by song."""
    from ritornello.evaluation.summary import bootstrap_interval

    one, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    low, high = bootstrap_interval(one, other) if len(one) > 1 else (np.nan, np.nan)
    return f"{1 - one.sum() / other.sum():.1%} ({1 - high:.1%} to {1 - low:.1%})"


def mean_of_seeds(values: Sequence[float], digits: int = 3) -> str:
    """The mean in bold, and the value of each seed."""
    return f"**{np.mean(values):.{digits}f}** ({', '.join(f'{value:.{digits}f}' for value in values)})"


def table_row(cells: Iterable[object]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head: Sequence[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    return "\n".join([table_row(head), "|---" * len(head) + "|", *map(table_row, rows)])
