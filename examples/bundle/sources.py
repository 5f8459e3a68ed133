"""Read the songs of each source, and write them as .mid files in a folder for each label.

Each source is a function of a folder and a ledger that yields the names of songs, each with a Score or the
bytes of a MIDI file. Files that may not be used and songs with errors are recorded in the ledger.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bundle import abc_text, abc_tunes, chorales, free, music_xml
from bundle.rights import (
    SOURCES,
    Ledger,
    notices_in_midi,
    notices_in_text,
    notices_in_xml,
    uncovered_notice,
)  # fmt: skip
from ritornello import midi
from ritornello.errors import InputError, RitornelloError
from ritornello.music.plan import Plan
from ritornello.music.score import Part, Score

Songs = Iterator[tuple[str, Score | bytes]]
MIN_DRUM_BARS = 4
MIN_QUARTETS = 8  # movements; with fewer the label is left out
# Pitches of the electronic drum kit of the recordings (edges of the hi-hat, rim of a tom) in General MIDI
GENERAL_MIDI = {22: 42, 26: 46, 58: 43}
QUARTETS = (
    "haydn/opus*/*", "mozart/k*/*", "beethoven/opus*", "beethoven/opus*/*", "schumann_robert/opus41no1/*",
)  # fmt: skip
TUNE_FOLDERS = {"oneill": "oneills1850", "ryan": "ryansMammoth"}


def jsb(clean: Path, ledger: Ledger) -> Songs:
    """The chorales of the train and valid splits."""
    file = clean / "jsb" / "Jsb16thSeparated.json"
    data = file.read_bytes()
    ledger.use("jsb", file.name, data)
    for split in ("train", "valid"):
        for number, song in enumerate(json.loads(data)[split]):
            name = f"{split}-{number:03}"
            yield name, chorales.to_score(np.array(song), f"Chorale {name}")


def tunes(source: str) -> Callable[[Path, Ledger], Songs]:
    """A function that yields the tunes of a collection in the corpus folder of music21."""

    def songs(corpus: Path, ledger: Ledger) -> Songs:
        for file in sorted((corpus / TUNE_FOLDERS[source]).glob("*.abc")):
            data = file.read_bytes()
            text = data.decode("utf-8", "replace")
            if notice := uncovered_notice(SOURCES[source], notices_in_text(text, only=r"[A-Za-z]:|%")):
                ledger.leave_out(source, file.name, f"a notice: {notice}")
                continue
            ledger.use(source, file.name, data)
            for number, tune in enumerate(abc_text.tunes(text)):
                name = f"{file.stem}-{number:03}"
                try:
                    yield name, abc_tunes.to_score(tune)
                except (RitornelloError, ValueError, ZeroDivisionError, KeyError) as error:
                    ledger.leave_out(source, name, f"{tune.title}: {error}")

    return songs


def game(source: str) -> Callable[[Path, Ledger], Songs]:
    """A function that yields the MIDI files of a game."""

    def songs(clean: Path, ledger: Ledger) -> Songs:
        for file in sorted((clean / source).rglob("*.mid")):
            data = file.read_bytes()
            try:
                notice = uncovered_notice(SOURCES[source], notices_in_midi(data))
            except InputError as error:
                notice = str(error)
            if notice:
                ledger.leave_out(source, file.name, f"a notice: {notice}")
            else:
                ledger.use(source, file.name, data)
                yield file.stem, data

    return songs


def groove(clean: Path, ledger: Ledger) -> Songs:
    """The beats of the official train and validation splits that have at least MIN_DRUM_BARS bars."""
    folder = clean / "groove"
    with (folder / "info.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["beat_type"] == "beat" and row["split"] != "test"]
    for row in rows:
        name = row["midi_filename"]
        data = (folder / name).read_bytes()
        if notice := uncovered_notice(SOURCES["groove"], notices_in_midi(data)):
            ledger.leave_out("groove", name, f"a notice: {notice}")
            continue
        recording = midi.read(folder / name)
        if (Plan.of(recording).bars or 0) < MIN_DRUM_BARS:
            ledger.leave_out("groove", name, f"fewer than {MIN_DRUM_BARS} bars")
            continue
        ledger.use("groove", name, data)
        yield row["id"].replace("/", "-"), _general_midi(recording, f"{row['style']} at {row['bpm']}")


def _general_midi(recording: Score, title: str) -> Score:
    """A drum recording with the pitches of General MIDI."""
    pitch = np.arange(128)
    pitch[list(GENERAL_MIDI)] = list(GENERAL_MIDI.values())
    columns = (recording.onset_ticks, recording.duration_ticks, pitch[recording.pitch], recording.velocity)
    parts = [Part("Drums", 0, True)]
    events: dict[str, Any] = {"tempi": recording.tempi, "meters": recording.meters, "title": title}
    return Score.of(recording.ticks_per_beat, *columns, parts=parts, **events)


def quartets(corpus: Path, ledger: Ledger) -> Songs:
    """The movements for four parts without a notice of rights."""
    movements: list[tuple[str, Score]] = []
    files = [file for pattern in QUARTETS for file in corpus.glob(pattern) if file.suffix in (".mxl", ".xml")]
    for file in sorted(files):
        name = file.relative_to(corpus).with_suffix("").as_posix()
        try:
            if notice := uncovered_notice(SOURCES["quartets"], notices_in_xml(music_xml.parse(file))):
                raise InputError(f"a notice: {notice}")
            score = music_xml.to_score(file, name)
        except (RitornelloError, ValueError) as error:
            ledger.leave_out("quartets", name, str(error))
            continue
        ledger.use("quartets", f"{name}{file.suffix}", file.read_bytes())
        movements.append((re.sub(r"[/ ]", "-", name), score))
    if len(movements) < MIN_QUARTETS:
        ledger.leave_out("quartets", "all", f"{len(movements)} movements: must be at least {MIN_QUARTETS}")
        ledger.files.pop("quartets", None)
        return
    yield from movements


Source = Callable[[Path, Ledger], Songs]
CLEAN: dict[str, Source] = {
    "jsb": jsb,
    "freedoom": game("freedoom"),
    "simutrans": game("simutrans"),
    "groove": groove,
}
MUSIC21: dict[str, Source] = {
    "oneill": tunes("oneill"),
    "ryan": tunes("ryan"),
    "quartets": quartets,
}


def write_all(clean: Path, music21: Path, archive: Path | None, out: Path) -> Ledger:
    """Write all songs below `out`, in a folder for each label; returns the ledger.

    `archive` is the folder of free music; None leaves it out.
    """
    ledger = Ledger()
    for source, label, name, score in free.songs(archive, ledger) if archive else ():
        target = out / label
        target.mkdir(parents=True, exist_ok=True)
        midi.write(score, target / f"{source}-{name}.mid")
    for folder, sources in ((clean, CLEAN), (music21, MUSIC21)):
        for source, songs in sources.items():
            target = out / SOURCES[source].label
            target.mkdir(parents=True, exist_ok=True)
            for name, song in songs(folder, ledger):
                file = target / f"{source}-{name}.mid"
                if isinstance(song, bytes):
                    file.write_bytes(song)
                else:
                    midi.write(song, file)
    return ledger
