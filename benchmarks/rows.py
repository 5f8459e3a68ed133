"""Rows a second of `notes`: encoding, echo and form of whole songs, and the cursor one row at a time.

    OMP_NUM_THREADS=1 python benchmarks/rows.py FOLDER [--songs 500]

Draws MIDI files under the folder (always the same), and prints for each step how many rows it does in a
second of one processor's time, reading of the files not counted.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ritornello import midi
from ritornello.errors import RitornelloError
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.chords import estimated
from ritornello.representations.grid.shifts import Bars, spell
from ritornello.representations.grid.vocabulary import FIELDS, PITCHES, VOICE_BITS, columns
from ritornello.representations.notes import Notes
from ritornello.representations.repetition.alone import alone
from ritornello.representations.repetition.echo import echo
from ritornello.representations.repetition.form import form, read_form

NOTES = Notes()
spent: dict[str, list[float]] = {}  # step -> seconds, rows


def timed(step: str, rows: int, work: Callable[[], Any]) -> Any:
    """The result of `work`, whose processor time is counted."""
    start = time.process_time()
    result = work()
    total = spent.setdefault(step, [0.0, 0])
    total[0] += time.process_time() - start
    total[1] += rows
    return result


def replay(song: Score, rows: np.ndarray) -> None:
    """The rows once through the cursor, all that is known and allowed asked for."""
    cursor = NOTES.cursor([NOTES.timeline(song)])
    for row in rows.tolist():
        for field, value in zip(FIELDS, row, strict=True):
            if field.kind == "known":
                cursor.known(field.name)
            else:
                cursor.allowed(field.name)
                cursor.put(field.name, [value])


def measure(score: Score, number: int) -> None:
    """All steps over one song."""
    song, _ = NOTES.canonical(score)
    if not len(song):
        return
    rows = NOTES.encode(score).values
    count = len(rows)
    timed("encode, all of it", count, lambda: NOTES.encode(score))
    timed("  canonical", count, lambda: NOTES.canonical(score))
    bars = Timeline.of(song)
    timed("  chords estimated", count, lambda: estimated(bars, song))
    onset, part, pitch, _, _ = columns(song)
    voice, interval = part * PITCHES + pitch, np.diff(onset, prepend=0)
    timed("  echo", count, lambda: echo(interval, voice))
    timeline = timed("  form read off", count, lambda: read_form(bars, onset, voice))
    steps = spell(onset, Bars(timeline))
    is_note = (steps.note >= 0) & (steps.note < len(onset))
    known: np.ndarray = np.cumsum(is_note) - is_note
    last = np.append(voice, -1)[known - 1]
    lines = Bars(timeline)
    timed("  form", count, lambda: form(lines, timeline, onset, voice, steps.before, last, known))
    least = (steps.before << VOICE_BITS) + last + 1
    timed("  alone", count, lambda: alone(onset, voice, least, known))
    if number % 20 == 0 and count < 6000:
        timed("cursor, one song", count, lambda: replay(song, rows))


def main() -> None:
    """Print rows a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=500)
    options = parser.parse_args()
    files = sorted(options.folder.rglob("*.mid"))
    for number, file in enumerate(random.Random(1).sample(files, min(options.songs, len(files)))):
        try:
            score = midi.read(file)
        except RitornelloError:
            continue
        measure(score, number)
    returns = [spent[step] for step in ("  echo", "  form read off", "  form", "  alone")]
    spent["what returns, together"] = [sum(s for s, _ in returns), returns[0][1]]
    for step, (seconds, rows) in spent.items():
        speed = rows / max(seconds, 1e-9)
        print(f"{step:<24}{int(rows):>10} rows {seconds:7.2f} s {speed:>12,.0f} rows a second")


if __name__ == "__main__":
    main()
