"""The songs of each label, as .mid files in a folder of the label's name.

Each function takes a folder, and yields the name of a song, its Score or the bytes of its file. What may not
be used, or does not add up, is left out and said in the ledger.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bundle import abc_text, abc_tunes, chorales, music_xml
from bundle.rights import SOURCES, Ledger, notices_in_midi, notices_in_text, notices_in_xml, refused
from ritornello import midi
from ritornello.errors import InputError, RitornelloError
from ritornello.music.plan import Plan
from ritornello.music.score import Part, Score

Songs = Iterator[tuple[str, Score | bytes]]
FEWEST_BARS = 4  # of a recording of drums
FEWEST = 8  # movements, for quartets to be a label
# What the electric kit of the recordings sends and General MIDI has elsewhere: edges of the hi-hat, a rim
GENERAL_MIDI = {22: 42, 26: 46, 58: 43}
QUARTETS = ("haydn/opus*/*", "mozart/k*/*", "beethoven/opus*", "beethoven/opus*/*", "schumann_robert/opus*/*")
FOLDERS = {"oneill": "oneills1850", "ryan": "ryansMammoth"}


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
    """The tunes of a collection in music21's corpus folder."""

    def songs(corpus: Path, ledger: Ledger) -> Songs:
        for file in sorted((corpus / FOLDERS[source]).glob("*.abc")):
            data = file.read_bytes()
            text = data.decode("utf-8", "replace")
            if why := refused(SOURCES[source], notices_in_text(text, only=r"[A-Za-z]:|%")):
                ledger.leave(source, file.name, f"a notice: {why}")
                continue
            ledger.use(source, file.name, data)
            for number, tune in enumerate(abc_text.tunes(text)):
                name = f"{file.stem}-{number:03}"
                try:
                    yield name, abc_tunes.to_score(tune)
                except (RitornelloError, ValueError, ZeroDivisionError, KeyError) as error:
                    ledger.leave(source, name, f"{tune.title}: {error}")

    return songs


def game(source: str) -> Callable[[Path, Ledger], Songs]:
    """The files of a game, as they are."""

    def songs(clean: Path, ledger: Ledger) -> Songs:
        for file in sorted((clean / source).rglob("*.mid")):
            data = file.read_bytes()
            try:
                why = refused(SOURCES[source], notices_in_midi(data))
            except InputError as error:
                why = str(error)
            if why:
                ledger.leave(source, file.name, f"a notice: {why}")
            else:
                ledger.use(source, file.name, data)
                yield file.stem, data

    return songs


def groove(clean: Path, ledger: Ledger) -> Songs:
    """The beats of the official train and validation splits, but for short ones, as all fills are."""
    folder = clean / "groove"
    with (folder / "info.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["beat_type"] == "beat" and row["split"] != "test"]
    for row in rows:
        name = row["midi_filename"]
        data = (folder / name).read_bytes()
        if why := refused(SOURCES["groove"], notices_in_midi(data)):
            ledger.leave("groove", name, f"a notice: {why}")
            continue
        played = midi.read(folder / name)
        if (Plan.of(played).bars or 0) < FEWEST_BARS:
            ledger.leave("groove", name, f"fewer than {FEWEST_BARS} bars")
            continue
        ledger.use("groove", name, data)
        yield row["id"].replace("/", "-"), _general_midi(played, f"{row['style']} at {row['bpm']}")


def _general_midi(played: Score, title: str) -> Score:
    """A recording with the pitches that General MIDI has for its drums."""
    pitch = np.arange(128)
    pitch[list(GENERAL_MIDI)] = list(GENERAL_MIDI.values())
    columns = (played.onset_ticks, played.duration_ticks, pitch[played.pitch], played.velocity)
    parts = [Part("Drums", 0, True)]
    events: dict[str, Any] = {"tempi": played.tempi, "meters": played.meters, "title": title}
    return Score.of(played.ticks_per_beat, *columns, parts=parts, **events)


def quartets(corpus: Path, ledger: Ledger) -> Songs:
    """The movements for four parts of which no file carries a notice."""
    found: list[tuple[str, Score]] = []
    names = (
        "haydn/opus*/*",
        "mozart/k*/*",
        "beethoven/opus*",
        "beethoven/opus*/*",
        "schumann_robert/opus41no1/*",
    )
    files = [file for name in names for file in corpus.glob(name) if file.suffix in (".mxl", ".xml")]
    for file in sorted(files):
        name = file.relative_to(corpus).with_suffix("").as_posix()
        try:
            if why := refused(SOURCES["quartets"], notices_in_xml(music_xml.parsed(file))):
                raise InputError(f"a notice: {why}")
            score = music_xml.to_score(file, name)
        except (RitornelloError, ValueError) as error:
            ledger.leave("quartets", name, str(error))
            continue
        ledger.use("quartets", f"{name}{file.suffix}", file.read_bytes())
        found.append((re.sub(r"[/ ]", "-", name), score))
    if len(found) < FEWEST:
        ledger.leave("quartets", "all", f"{len(found)} movements, must be at least {FEWEST}")
        ledger.files.pop("quartets", None)
        return
    yield from found


CLEAN: dict[str, Callable[[Path, Ledger], Songs]] = {
    "jsb": jsb,
    "freedoom": game("freedoom"),
    "simutrans": game("simutrans"),
    "groove": groove,
}
MUSIC21: dict[str, Callable[[Path, Ledger], Songs]] = {
    "oneill": tunes("oneill"),
    "ryan": tunes("ryan"),
    "quartets": quartets,
}


def write_all(clean: Path, music21: Path, out: Path) -> Ledger:
    """Write all songs below `out`, a folder a label, and return what was used."""
    ledger = Ledger()
    for folder, found in ((clean, CLEAN), (music21, MUSIC21)):
        for source, songs in found.items():
            target = out / SOURCES[source].label
            target.mkdir(parents=True, exist_ok=True)
            for name, song in songs(folder, ledger):
                file = target / f"{source}-{name}.mid"
                if isinstance(song, bytes):
                    file.write_bytes(song)
                else:
                    midi.write(song, file)
    return ledger
