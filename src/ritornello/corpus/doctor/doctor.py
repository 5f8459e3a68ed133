"""Checkup: the doctor for people, joined from preparing, which finds, and rendering, which draws."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ritornello.corpus.checks.check import check
from ritornello.corpus.doctor.copy_clean import check_target, copy_songs
from ritornello.corpus.doctor.diagnosis import Diagnosis, diagnose
from ritornello.corpus.doctor.report import report, shown
from ritornello.corpus.doctor.report_html import page
from ritornello.corpus.prepare import Checks
from ritornello.errors import InputError, check_between
from ritornello.music.score import COLUMNS, Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll
from ritornello.system.files import check_writable, sha256, write_bytes

Progress = Callable[[int, int, str], None]  # done, total, what


def doctor(
    folder: str | Path,
    *,
    html: str | Path | None = None,
    copy_clean: str | Path | None = None,
    workers: int | None = None,
    reader: Literal["symusic", "mido"] = "symusic",
    labels: str | Path | None = None,
    retry: bool = False,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """What would become of every file below `folder`, and why. No file is changed.

    `html` is a page to write, `copy_clean` a new folder for copies of the songs that can be learnt from.
    Labels are the folders' names, or come from the table `labels` (.csv or .jsonl with path and label).
    What was found is remembered in `cache` (default: the user's cache folder): the next run reads only what
    is new, with `retry` also what timed out, crashed or ran out of memory.
    Raises InputError, FailedError, OutputError.
    """
    if workers is not None:
        check_between("workers", workers, 1, 1024)
    if not Path(folder).is_dir():  # said before anything is tried
        found = "is a file" if Path(folder).exists() else "does not exist"
        raise InputError(f"{str(folder)!r} {found}, must be a folder of MIDI files")
    page_path, target = Path(html) if html else None, Path(copy_clean) if copy_clean else None
    if page_path:
        check_writable(page_path)
    if target:
        check_target(target)
    checks = Checks(reader=reader)
    diagnosis = diagnose(
        folder,
        workers=workers,
        checks=checks,
        cache=Path(cache) if cache else None,
        skip=target,
        labels=labels,
        retry=retry,
        progress=progress,
    )
    if page_path:
        write_bytes(page_path, page(report(diagnosis), _rolls(diagnosis, checks)).encode())
    if target:
        copied = copy_songs(diagnosis, target, checks.max_file_bytes, progress)
        diagnosis = replace(diagnosis, copied=copied)
    return diagnosis


def _rolls(diagnosis: Diagnosis, checks: Any, count: int = 4, bars: int = 8) -> list[tuple[str, str]]:
    """The first bars of a few songs that can be learnt from, of different folders, as names and SVG."""
    songs = [f for f in diagnosis.kept if not f.source.number and f.row["bars"] and f.row["notes"] < 20_000]
    songs.sort(key=lambda file: file.row["hash"])  # any order that is the same on every run
    first = {file.source.path.split(b"/")[0]: file for file in reversed(songs)}
    different = sorted(first.values(), key=lambda file: file.row["hash"])
    drawn: list[tuple[str, str]] = []
    for file in [*different, *songs][: 4 * count]:
        try:
            data = (diagnosis.folder / os.fsdecode(file.source.path)).read_bytes()
        except OSError:
            continue
        if sha256(data) != file.row["hash"]:  # no longer what a worker has read without harm
            continue
        name, score = shown(file.source.path), check(data, checks).score
        if score and name not in dict(drawn) and len(drawn) < count:
            drawn.append((name, roll.svg(_opening(score, bars), bars_per_row=bars)))
    return drawn


def _opening(score: Score, bars: int) -> Score:
    """The first bars of a song, from the bar on in which it begins."""
    timeline = Timeline.of(score)
    last = int(timeline.bar_of(score.onset_ticks[0])) + bars
    if last >= len(timeline):
        return score
    end_ticks = int(timeline.start_ticks[last])
    inside = score.onset_ticks < end_ticks
    columns: Any = {name: getattr(score, name)[inside] for name in COLUMNS}
    columns["duration_ticks"] = np.minimum(columns["duration_ticks"], end_ticks - columns["onset_ticks"])
    return replace(score, **columns)
