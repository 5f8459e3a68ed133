"""Write the chorales of J. S. Bach, which the package music21 contains, as a folder of .mid files.

    pip install "ritornello[demo]"
    python examples/bach.py chorales
    python examples/bach.py chorales --count 100 --workers 4 --minutes 0.5

music21 reads its MusicXML files, and each chorale becomes a Score with soprano, alto, tenor, bass, meters,
key, tempo and title. Tied notes are joined, grace notes and ornaments left out, repeats played once. Do not
publish the files: some of the editions do not allow it (see license.txt of music21).
"""

from __future__ import annotations

import signal
import sys
import time
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from fractions import Fraction
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ritornello import midi
from ritornello.errors import FailedError, InputError, OutputError, RitornelloError
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo, drop_redundant
from ritornello.system.files import output_errors

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
CHOIR_AAHS = 52  # General MIDI program
TICKS_PER_BEAT = 480
VELOCITY = 80
DEFAULT_BPM = 96.0  # the tempo of about half of the editions that name one


class Note(NamedTuple):
    """A written note: onset and length in beats (quarters), MIDI pitch, tie ("start", "continue", "stop")."""

    onset: Fraction
    length: Fraction
    pitch: int
    tie: str = ""


class Measure(NamedTuple):
    """A written measure: its length in beats, and its meter."""

    length: Fraction
    numerator: int
    denominator: int

    @property
    def full(self) -> Fraction:
        """The length in beats that the meter asks for."""
        return Fraction(4 * self.numerator, self.denominator)


# From written notes to a Score


def to_score(
    voices: Sequence[Sequence[Note]],
    measures: Sequence[Measure],
    *,
    key: tuple[int, bool] | None = None,
    bpm: float = DEFAULT_BPM,
    title: str = "",
) -> Score:
    """The Score of soprano, alto, tenor and bass; `key` is (sharps, is_minor). Raises InputError."""
    rows = [
        (_ticks(note.onset), _ticks(note.length), note.pitch, VELOCITY, number)
        for number, voice in enumerate(voices)
        for note in joined(voice)
    ]
    if not rows:
        raise InputError("no notes")
    columns: Any = (*np.array(rows).T, [Part(name, CHOIR_AAHS) for name in VOICES])
    tempi, keys = (Tempo(0, round(60e6 / bpm)),), (KeySignature(0, *key),) if key else ()
    return Score.of(TICKS_PER_BEAT, *columns, meters=meters(measures), keys=keys, tempi=tempi, title=title)


def joined(voice: Sequence[Note]) -> list[Note]:
    """The notes of a voice with tied notes joined; a tie without a following note is ignored."""
    result: list[Note] = []
    open_ties: dict[int, int] = {}  # pitch -> index in `result`
    for note in sorted(voice):
        index = open_ties.pop(note.pitch, None)
        if index is not None and note.tie in ("continue", "stop"):
            before = result[index]
            if before.onset + before.length == note.onset:
                result[index] = before._replace(length=before.length + note.length)
                if note.tie == "continue":
                    open_ties[note.pitch] = index
                continue
        result.append(note)
        if note.tie in ("start", "continue"):
            open_ties[note.pitch] = len(result) - 1
    return result


def meters(measures: Sequence[Measure]) -> tuple[Meter, ...]:
    """The meters with which every bar has the length of its measure.

    An upbeat becomes a bar of its own length (1/4 before 4/4). Two measures that are one bar split at the
    end of a line are joined. A shortened last measure keeps its meter.
    """
    bars: list[Measure] = []
    for measure in measures:
        last = bars[-1] if bars else None
        if last and last.length < last.full and last.length + measure.length == last.full == measure.full:
            bars[-1] = last._replace(length=last.full)
        else:
            bars.append(measure)
    if len(bars) > 1 and bars[-1].length < bars[-1].full:
        bars[-1] = bars[-1]._replace(length=bars[-1].full)
    events, onset = [], Fraction(0)
    for bar in bars:
        events.append(Meter(_ticks(onset), *_signature(bar)))
        onset += bar.length
    return drop_redundant(events)


def _signature(bar: Measure) -> tuple[int, int]:
    """The time signature for the length of a bar: the written one if it fits."""
    if bar.length % bar.full == 0:
        return bar.numerator, bar.denominator
    denominator = bar.denominator
    while bar.length * denominator % 4:
        denominator *= 2
    return int(bar.length * denominator / 4), denominator


def _ticks(beats: Fraction) -> int:
    return round(beats * TICKS_PER_BEAT)


# From music21 to written notes


def chorale_files() -> list[tuple[Path, str]]:
    """The MusicXML files of the chorales in music21, each with its title. Raises FailedError."""
    try:
        from music21.corpus import getComposer
        from music21.corpus.chorales import ChoraleListRKBWV
    except ImportError as error:
        raise FailedError("music21 is not installed: pip install 'ritornello[demo]'") from error
    names = {number: entry["title"] for number, entry in ChoraleListRKBWV().byBWV.items()}
    files = sorted(path for path in getComposer("bach") if path.suffix in (".mxl", ".xml"))
    if not files:
        raise FailedError("this installation of music21 has no corpus; the one from PyPI does")
    numbers = [path.stem.removeprefix("bwv") for path in files]
    titles = [f"{names[n]}, BWV {n}" if n in names else f"BWV {n}" for n in numbers]
    return list(zip(files, titles, strict=True))


def read_chorale(path: Path, title: str) -> Score:
    """The Score of a MusicXML file (.xml or .mxl). Raises InputError unless it has the four voices."""
    from music21.converter import parseData

    # given a path, music21 would leave pickle files in the temporary folder
    found: Any = parseData(_music_xml(path), format="musicxml")
    parts = {
        name: [part for part in found.parts if (part.partName or "").startswith(name)] for name in VOICES
    }
    if any(len(same) != 1 for same in parts.values()):
        names = ", ".join(" ".join(str(part.partName).split()) for part in found.parts)
        raise InputError(f"parts {names}: must be one each of {', '.join(VOICES)}")
    voices = [same[0] for same in parts.values()]
    measures = list(_measures(voices[0]))
    if any(list(_measures(voice)) != measures for voice in voices):
        raise InputError("the voices have measures of different lengths")
    key = next(iter(voices[0].recurse().getElementsByClass("KeySignature")), None)
    mode = getattr(key, "mode", None)
    tempi = found.recurse().getElementsByClass("MetronomeMark")
    return to_score(
        [list(_notes(voice)) for voice in voices],
        measures,
        key=(key.sharps, mode == "minor") if key and mode else None,
        bpm=next((tempo.getQuarterBPM() for tempo in tempi), None) or DEFAULT_BPM,
        title=title,
    )


def _music_xml(path: Path) -> str:
    """The MusicXML text of a file; an .mxl is a zip archive of one and a folder META-INF."""
    if path.suffix == ".xml":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.startswith("META-INF")]
        return archive.read(next(name for name in names if name.endswith("xml"))).decode()


def _measures(part: Any) -> Iterator[Measure]:
    """The measures of a music21 part."""
    numerator, denominator = 4, 4
    for measure in part.getElementsByClass("Measure"):
        if measure.timeSignature:
            numerator = measure.timeSignature.numerator
            denominator = measure.timeSignature.denominator
        yield Measure(Fraction(measure.duration.quarterLength), numerator, denominator)


def _notes(part: Any) -> Iterator[Note]:
    """The notes of a music21 part, without grace notes, which have no length."""
    for note in part.flatten().notes:
        if not note.duration.isGrace and note.quarterLength > 0:
            tie = note.tie.type if note.tie else ""
            for pitch in note.pitches:
                yield Note(Fraction(note.offset), Fraction(note.quarterLength), pitch.midi, tie)


# Writing all chorales


def write_chorale(path: Path, title: str, out: Path) -> str:
    """Write one chorale to the folder `out`, in a worker process; returns "" or why it cannot be written."""
    try:
        midi.write(read_chorale(path, title), out / f"{path.stem}.mid")
    except OutputError:
        raise
    except Exception as error:  # music21 raises many types; the other chorales go on
        return " ".join(f"{path.stem}: {str(error) or type(error).__name__}".split())
    return ""


def quiet_worker() -> None:
    """Start a worker process: ignore the warnings of music21, and leave Ctrl-C to the main process."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def write_all(
    files: Sequence[tuple[Path, str]], out: Path, workers: int, seconds: float, console: Console
) -> tuple[int, list[str]]:
    """Write `files` until `seconds` have passed; returns the number written, and problems."""
    columns = (TextColumn("chorales"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    deadline, waiting, done = time.monotonic() + seconds, iter(files), 0
    problems: list[str] = []
    pool = ProcessPoolExecutor(workers, get_context("spawn"), quiet_worker)
    running: set[Future[str]] = set()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(files))
        try:
            while True:
                room = 2 * workers - len(running) if time.monotonic() < deadline else 0
                running |= {pool.submit(write_chorale, *file, out) for file in islice(waiting, room)}
                if not running:
                    return done, problems
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for problem in (future.result() for future in finished):
                    progress.advance(task)
                    done += not problem
                    problems += [problem] if problem else []
        except BrokenProcessPool as error:
            raise FailedError("a worker was killed, perhaps for lack of memory; try --workers 1") from error
        finally:
            pool.shutdown(cancel_futures=True)


@click.command(help="Write the chorales of Bach that music21 contains to the folder OUT, as .mid files.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1), help="The number of chorales (default: all).")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop after this time.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Number of processes."
)
def main(out: Path, count: int | None, minutes: float | None, workers: int) -> None:
    """Write the chorales and print how many."""
    console, start_time = Console(stderr=True), time.monotonic()
    try:
        files = chorale_files()[:count]
        with output_errors(out):
            out.mkdir(parents=True, exist_ok=True)
        seconds = 60 * minutes if minutes else float("inf")
        done, problems = write_all(files, out, workers, seconds, console)
    except RitornelloError as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        console.print("stopped; the files written so far are complete")
        sys.exit(130)
    for problem in problems:
        print(f"left out: {problem}")
    remaining = len(files) - done - len(problems)
    print(
        f"{done} of {len(files)} chorales written to {out} in {time.monotonic() - start_time:.0f} s"
        + (f"; {remaining} not started in time" if remaining else "")
    )
    if not done:
        sys.exit(1)


if __name__ == "__main__":
    main()
