"""The function `doctor`: diagnose a folder, write the report as a page, and copy the kept songs."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ritornello.corpus.checks.check import CheckSettings, check
from ritornello.corpus.doctor.copy_clean import check_target, copy_songs
from ritornello.corpus.doctor.diagnosis import Diagnosis, diagnose
from ritornello.corpus.doctor.report import html_page, printable, summarize
from ritornello.corpus.sources.scan import check_folder
from ritornello.errors import check_between
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll
from ritornello.system.files import check_writable, file_path, sha256, write_bytes
from ritornello.system.progress import Progress

PIANO_ROLLS, BARS_PER_ROLL = 4, 8  # of the page
MAX_NOTES_OF_A_ROLL = 20_000


def doctor(
    folder: str | Path,
    *,
    html: str | Path | None = None,
    copy_clean: str | Path | None = None,
    workers: int | None = None,
    reader: Literal["symusic", "mido"] = "symusic",
    labels: str | Path | None = None,
    label_depth: int | None = None,
    retry: bool = False,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Find the outcome that `prepare` would give every file below `folder`, and why. No file is changed.

    `html` is a page to write with the report, `copy_clean` a new folder for copies of the songs that are
    kept. `labels` and `label_depth` are those of `prepare`. `workers` processes (default: one per core) read
    the files. The results are stored in `cache` (default: the user's cache folder): the next run reads only
    new files, and with `retry` those that timed out, crashed or ran out of memory. Raises InputError,
    FailedError, OutputError.
    """
    check_between("workers", workers, 1, 1024)
    folder = file_path(folder, "folder")
    check_folder(folder)  # before any output is checked
    page_path = None if html is None else file_path(html, "html")
    target = None if copy_clean is None else file_path(copy_clean, "copy_clean")
    if page_path:
        check_writable(page_path)
    if target:
        check_target(target)
    checks = CheckSettings(reader=reader)
    options: dict[str, Any] = {
        "labels": labels,
        "label_depth": label_depth,
        "retry": retry,
        "cache": Path(cache) if cache else None,
    }
    diagnosis = diagnose(folder, checks, workers=workers, skip=target, progress=progress, **options)
    if page_path:
        write_bytes(page_path, html_page(summarize(diagnosis), _piano_rolls(diagnosis, checks)).encode())
    if target:
        copied = copy_songs(diagnosis, target, checks.max_file_bytes, progress)
        diagnosis = replace(diagnosis, copied=copied)
    return diagnosis


def _piano_rolls(diagnosis: Diagnosis, checks: CheckSettings) -> list[tuple[str, str]]:
    """Piano rolls of the first bars of some kept songs, from different folders: their names and SVG."""
    files = [file for file in diagnosis.kept if not file.source.number and file.row["bars"]]
    songs = [file for file in files if file.row["notes"] < MAX_NOTES_OF_A_ROLL]
    songs.sort(key=lambda file: file.row["hash"])  # an arbitrary order that is the same on every run
    one_per_folder = {file.source.path.split(b"/")[0]: file for file in reversed(songs)}
    preferred = sorted(one_per_folder.values(), key=lambda file: file.row["hash"])
    rolls: dict[str, str] = {}
    for file in [*preferred, *songs][: 4 * PIANO_ROLLS]:
        try:
            data = (diagnosis.folder / os.fsdecode(file.source.path)).read_bytes()
        except OSError:
            continue
        if sha256(data) != file.row["hash"]:  # changed since a worker read it safely
            continue
        name, score = printable(file.source.path), check(data, checks, os.fsdecode(file.source.path)).score
        if score and name not in rolls and len(rolls) < PIANO_ROLLS:
            rolls[name] = roll.svg(_first_bars(score, BARS_PER_ROLL), bars_per_row=BARS_PER_ROLL)
    return list(rolls.items())


def _first_bars(score: Score, bars: int) -> Score:
    """The first `bars` bars of a song, counted from the bar of its first note."""
    timeline = Timeline.of(score)
    last = int(timeline.bar_of(score.onset_ticks[0])) + bars
    if last >= len(timeline):
        return score
    end_ticks = int(timeline.start_ticks[last])
    inside = score.onset_ticks < end_ticks
    rest_ticks = end_ticks - score.onset_ticks[inside]
    return score.select(inside, duration_ticks=np.minimum(score.duration_ticks[inside], rest_ticks))
