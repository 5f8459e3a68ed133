"""Report: a diagnosis as tables and histograms, before they are shown in a terminal, a page or as JSON."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from ritornello.corpus.doctor.diagnosis import Diagnosis, File
from ritornello.corpus.doctor.warnings import BY_NAME
from ritornello.corpus.duplicates.decide import LIKENESS
from ritornello.corpus.labels import MIN_SONGS
from ritornello.corpus.outcomes import COPIES, FATES, KEPT

EXAMPLES = 3
NOT_SAID, OTHERS = "not said", "others"
ROWS = 12  # of a histogram by name; the rest is added up
BPM_EDGES = (60, 80, 100, 120, 140, 160, 180, 200)
LENGTH_EDGES_S = (15, 30, 60, 120, 180, 240, 300, 600, 1200)


class Row(NamedTuple):
    """A fate or a warning: how many files have it, what it means, what can be done, and examples."""

    name: str
    files: int
    reason: str
    remedy: str
    examples: list[tuple[str, str]]  # path, and what is to say of this file


class Histogram(NamedTuple):
    """Counts by label, with a title and what it is a count of."""

    title: str
    note: str
    bars: list[tuple[str, int]]


class Report(NamedTuple):
    """A diagnosis, counted."""

    folder: str
    files: int
    kept: int
    read_now: int
    fates: list[Row]
    warnings: list[Row]
    histograms: list[Histogram]
    copied_most: list[tuple[str, int]]  # songs and how many copies they have
    not_remembered: str
    unused_labels: int  # rows of the table of labels


def report(diagnosis: Diagnosis) -> Report:
    """Count a diagnosis. Histograms are of the songs that would be kept."""
    return Report(
        folder=shown(str(diagnosis.folder)),
        files=len(diagnosis.files),
        kept=len(diagnosis.kept),
        read_now=diagnosis.read_now,
        fates=_fates(diagnosis),
        warnings=_warnings(diagnosis),
        histograms=_histograms(diagnosis),
        copied_most=_copied_most(diagnosis.kept),
        not_remembered=diagnosis.not_remembered,
        unused_labels=diagnosis.unused_labels,
    )


def shown(name: bytes | str) -> str:
    """A name that can be shown: what is no text, or would move the cursor or turn the writing, as \\x.."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    text = unicodedata.normalize("NFC", text)
    spelled = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(spelled)


def why(file: File) -> str:
    """What is to say of a file: of a copy, what it repeats; else the reason of its fate."""
    if file.copy_of:
        alike = (
            f", {file.likeness:.0%} alike" if file.likeness >= LIKENESS else ", one holds most of the other"
        )
        return f"repeats {shown(file.copy_of.source.path)}{alike if file.fate == 'near' else ''}"
    return shown(file.reason)


def _fates(diagnosis: Diagnosis) -> list[Row]:
    """What became of the files, kept first, then what happened most."""
    by_fate: dict[str, list[File]] = {}
    for file in diagnosis.files:
        by_fate.setdefault(file.fate, []).append(file)
    rows = []
    for fate, files in sorted(by_fate.items(), key=lambda pair: (pair[0] != KEPT, -len(pair[1]))):
        if fate == KEPT:
            rows.append(Row(fate, len(files), "songs to learn from", "", []))
        else:
            rows.append(Row(fate, len(files), *FATES[fate], _examples(files, why)))
    return rows


def _warnings(diagnosis: Diagnosis) -> list[Row]:
    """What is odd about songs that are kept, in the order in which the warnings are listed."""
    rows = []
    for name, warning in BY_NAME.items():
        files = [file for file in diagnosis.kept if name in file.row["warnings"]]
        if files:
            examples = _examples(files, lambda file, name=name: shown(file.row["warnings"][name]))  # type: ignore[misc]
            rows.append(Row(name, len(files), warning.reason, warning.remedy, examples))
    return rows


def _examples(files: list[File], words: Callable[[File], str]) -> list[tuple[str, str]]:
    """A few of the files, from different places of the folder."""
    step = max(1, len(files) // EXAMPLES)
    return [(shown(file.source.path), words(file)) for file in files[::step][:EXAMPLES]]


def _histograms(diagnosis: Diagnosis) -> list[Histogram]:
    kept = diagnosis.kept
    songs = [file.row for file in kept]
    source = "the folders that songs lie in"
    if diagnosis.labelled:
        source = f"those of the table, else {source}"
    told = [song["key"] for song in songs if song["key"]]
    heard = [song["estimated_key"] for song in songs if song["estimated_key"]]
    labels = Counter(shown(label) for file in kept for label in file.labels)
    few = sum(count < MIN_SONGS for count in labels.values())
    lost = f"; {few} of them have fewer than {MIN_SONGS} songs and do not count" if few else ""
    meters = Counter(song["meter"] or NOT_SAID for song in songs)
    lengths = _in_bins((song["seconds"] for song in songs), LENGTH_EDGES_S, _length)
    histograms = [
        Histogram("Labels", f"{source}{lost}", _by_count(labels)),
        Histogram("Meters", "those that last longest", _by_count(meters)),
        Histogram("Keys", f"as {len(told):,} songs say", _by_count(Counter(told))),
        Histogram("Keys by ear", f"of the {len(heard):,} songs that say none", _by_count(Counter(heard))),
        Histogram("Tempi", "beats a minute, those that last longest", _tempi(songs)),
        Histogram("Lengths", "of songs", lengths),
    ]
    return [histogram for histogram in histograms if histogram.bars]


def _tempi(songs: list[dict[str, Any]]) -> list[tuple[str, int]]:
    bars = _in_bins((song["bpm"] for song in songs if song["bpm"]), BPM_EDGES, str)
    silent = sum(not song["bpm"] for song in songs)
    return [*bars, *([(NOT_SAID, silent)] if silent else [])]


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    """The largest counts, and last what the others come to."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= ROWS:
        return ordered
    rest = ordered[ROWS - 1 :]
    return [*ordered[: ROWS - 1], (f"{len(rest)} {OTHERS}", sum(count for _, count in rest))]


def _in_bins(
    values: Iterable[float], edges: tuple[int, ...], name: Callable[[int], str]
) -> list[tuple[str, int]]:
    """Counts between edges, from the first bin that has any to the last."""
    labels = [
        f"under {name(edges[0])}",
        *(f"{name(a)} to {name(b)}" for a, b in pairwise(edges)),
        f"{name(edges[-1])} and more",
    ]
    counts = Counter(sum(value >= edge for edge in edges) for value in values)
    return [(labels[n], counts[n]) for n in range(min(counts, default=1), max(counts, default=0) + 1)]


def _copied_most(kept: list[File]) -> list[tuple[str, int]]:
    ordered = sorted((file for file in kept if file.copies), key=lambda file: -file.copies)
    return [(shown(file.source.path), file.copies) for file in ordered[:EXAMPLES]]


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """All that was found: what the tables show, and every file."""
    counted = report(diagnosis)
    tables = {
        name: [row._asdict() | {"examples": [path for path, _ in row.examples]} for row in rows]
        for name, rows in (("fates", counted.fates), ("warnings", counted.warnings))
    }
    histograms = {each.title: dict(each.bars) for each in counted.histograms}
    head = {"folder": counted.folder, "files": counted.files, "kept": counted.kept}
    return {
        **head,
        "read_now": counted.read_now,
        **tables,
        "copies": sum(row.files for row in counted.fates if row.name in COPIES),
        "histograms": histograms,
        "unused_labels": counted.unused_labels,
        "every_file": [_file(file) for file in diagnosis.files],
    }


def _file(file: File) -> dict[str, Any]:
    known = {name: value for name, value in file.row.items() if name not in ("fate", "reason", "notes")}
    copy = {"copy_of": shown(file.copy_of.source.path), "likeness": file.likeness} if file.copy_of else {}
    path = {
        "path": shown(file.source.path),
        "fate": file.fate,
        "reason": why(file) if file.reason or copy else "",
    }
    return {**path, **copy, "notes": file.row["notes"], **known, "labels": sorted(file.labels)}
