"""The archive of free music: which of its pieces are learnt, and in which label.

`sources.tsv` of the archive has a line for each file, with its licence and what it allows ("rights"). Only
pieces of which nothing or attribution is asked are used; pieces that resemble music that is held back for
measurements (`like_held_back.tsv`) are left out. Church music would outweigh everything else, so the songs of
some labels are capped.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bundle.rights import SOURCES, Ledger, notices_in_midi, uncovered_notice
from ritornello import midi
from ritornello.errors import InputError, RitornelloError
from ritornello.music.score import Part, Score

Row = dict[str, str]
ALLOWED = ("yes", "yes-attribution")
# labels that too few pieces have join another
JOINED = {"ragtime": "piano", "march": "orchestra", "folk": "fiddle"}
# the most pieces of a label; an even choice by the hash of their names
MAX_PIECES = {"oratorio": 150, "choir": 400, "lied": 700, "organ": 250, "chamber": 250, "piano": 1400}
HANDS = (" RH", " LH")


def pieces(archive: Path) -> list[Row]:
    """The lines of sources.tsv of the pieces that are learnt. Raises InputError without the file."""
    table = archive / "sources.tsv"
    if not table.is_file():
        raise InputError(f"--free {str(archive)!r}: must be the folder with sources.tsv")
    alike = {row["path"] for row in _rows(archive / "like_held_back.tsv")}
    allowed = [row for row in _rows(table) if row["rights"] in ALLOWED and row["path"] not in alike]
    chosen: list[Row] = []
    for label in sorted({row["label"] for row in allowed}):
        of_label = [row for row in allowed if row["label"] == label]
        of_label.sort(key=lambda row: hashlib.sha256(row["path"].encode()).digest())
        chosen += of_label[: MAX_PIECES.get(label, len(of_label))]
    return sorted(chosen, key=lambda row: row["path"])


def songs(archive: Path, ledger: Ledger) -> Iterator[tuple[str, str, str, Score]]:
    """Source, label, name and Score of each piece that may be learnt."""
    for row in pieces(archive):
        path, source = archive / row["path"], row["path"].split("/")[1]
        data = path.read_bytes()
        try:
            if notice := uncovered_notice(SOURCES[source], notices_in_midi(data)):
                raise InputError(f"a notice: {notice}")
            score = with_joined_hands(midi.read(path))
        except RitornelloError as error:
            ledger.leave_out(source, row["path"], str(error))
            continue
        ledger.use(source, row["path"], data)
        _, typeset, who = row["note"].partition("typeset by ")
        if typeset and row["rights"] == "yes-attribution":
            ledger.credits[row["path"]] = f"typeset by {who.split(';')[0]}, {row['licence']}"
        yield source, JOINED.get(row["label"], row["label"]), path.stem, score


def with_joined_hands(score: Score) -> Score:
    """The song with one part for the two hands of a pianist, which are tracks named "... RH" and "... LH"."""
    target, parts = list[int](), list[Part]()  # for each part of the file its new number; the new parts
    for number, part in enumerate(score.parts):
        before = score.parts[number - 1] if number else None
        if before and before.program == part.program and (before.name[-3:], part.name[-3:]) == HANDS:
            parts[-1] = part._replace(name=part.name[:-3])
        else:
            parts.append(part)
        target.append(len(parts) - 1)
    if len(parts) == len(score.parts):
        return score
    columns = score.onset_ticks, score.duration_ticks, score.pitch, score.velocity
    names = ("tempi", "meters", "keys", "chords", "markers", "title")
    events: dict[str, Any] = {name: getattr(score, name) for name in names}
    return Score.of(score.ticks_per_beat, *columns, np.array(target)[score.part], parts, **events)


def _rows(table: Path) -> list[Row]:
    """The lines of a table with tabs; none if there is no such file."""
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
