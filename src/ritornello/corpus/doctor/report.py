"""Summarize a diagnosis as tables and histograms, to be shown in the terminal, on a page or as JSON."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from ritornello.corpus.doctor.diagnosis import Diagnosis, FileDiagnosis
from ritornello.corpus.doctor.warnings import BY_NAME
from ritornello.corpus.duplicates.decide import MIN_SIMILARITY
from ritornello.corpus.labels import MIN_SONGS
from ritornello.corpus.outcomes import DUPLICATES, KEPT, OUTCOMES
from ritornello.system.templates import fill_template

EXAMPLES = 3  # the most examples of an outcome or a warning
NOT_SAID, OTHERS = "not said", "others"
MAX_BARS_OF_A_HISTOGRAM = 12  # beyond this, the smallest counts are joined into one bar
BPM_EDGES = (60, 80, 100, 120, 140, 160, 180, 200)
LENGTH_EDGES_S = (15, 30, 60, 120, 180, 240, 300, 600, 1200)


class ReportRow(NamedTuple):
    """An outcome or a warning: the number of files, what it means, what can be done, and examples."""

    name: str
    files: int
    reason: str
    remedy: str
    examples: list[tuple[str, str]]  # path, and the explanation for this file


class Histogram(NamedTuple):
    """Counts by label, with a title and a note that says what is counted."""

    title: str
    note: str
    bars: list[tuple[str, int]]

    def shares(self) -> list[float]:
        """The length of each bar (at most 1) relative to the longest bar, except the bar of other labels."""
        longest = max([count for label, count in self.bars if OTHERS not in label], default=1)
        return [min(1.0, count / longest) for _, count in self.bars]


class DoctorReport(NamedTuple):
    """The summary of a diagnosis; all texts are printable."""

    folder: str
    files: int
    kept: int
    outcomes: list[ReportRow]
    warnings: list[ReportRow]
    histograms: list[Histogram]
    most_duplicated: list[tuple[str, int]]  # paths of kept songs and their number of duplicates
    diagnosis: Diagnosis

    def duplicates(self) -> int:
        """The number of files that repeat a kept song."""
        return sum(row.files for row in self.outcomes if row.name in DUPLICATES)


def summarize(diagnosis: Diagnosis) -> DoctorReport:
    """Summarize a diagnosis. Warnings and histograms describe the songs that would be kept."""
    return DoctorReport(
        folder=printable(str(diagnosis.folder)),
        files=len(diagnosis.files),
        kept=len(diagnosis.kept),
        outcomes=_outcome_rows(diagnosis),
        warnings=_warning_rows(diagnosis),
        histograms=_histograms(diagnosis),
        most_duplicated=_most_duplicated(diagnosis.kept),
        diagnosis=diagnosis,
    )


def printable(name: bytes | str) -> str:
    """A name in NFC with undecodable bytes, and characters that are not printable, as escapes such as \\x07.

    So a name cannot move the cursor of a terminal or change the direction of the text.
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    text = unicodedata.normalize("NFC", text)
    escaped = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(escaped)


def explain(file: FileDiagnosis) -> str:
    """Why a file has its outcome: the song that a duplicate repeats, or the reason."""
    if not file.copy_of:
        return printable(file.reason)
    kept_song = printable(file.copy_of.source.path)
    if file.outcome != "near":
        return f"repeats {kept_song}"
    if file.similarity < MIN_SIMILARITY:
        return f"repeats {kept_song}, one contains most of the other"
    return f"repeats {kept_song}, {file.similarity:.0%} similar"


def _outcome_rows(diagnosis: Diagnosis) -> list[ReportRow]:
    """The outcomes of the files: kept first, then the most frequent."""
    files_of: dict[str, list[FileDiagnosis]] = {}
    for file in diagnosis.files:
        files_of.setdefault(file.outcome, []).append(file)
    kept_files = files_of.pop(KEPT, [])
    rows = (
        [ReportRow(KEPT, len(kept_files), "songs that a model can be trained on", "", [])]
        if kept_files
        else []
    )
    for outcome, files in sorted(files_of.items(), key=lambda pair: -len(pair[1])):
        rows.append(ReportRow(outcome, len(files), *OUTCOMES[outcome], _examples(files, explain)))
    return rows


def _warning_rows(diagnosis: Diagnosis) -> list[ReportRow]:
    """The warnings about kept songs, in the order of WARNINGS."""
    rows = []
    for name, warning in BY_NAME.items():
        files = [file for file in diagnosis.kept if name in file.row["warnings"]]
        if files:
            examples = _examples(files, lambda file, name=name: printable(file.row["warnings"][name]))  # type: ignore[misc]
            rows.append(ReportRow(name, len(files), warning.reason, warning.remedy, examples))
    return rows


def _examples(
    files: list[FileDiagnosis], explanation: Callable[[FileDiagnosis], str]
) -> list[tuple[str, str]]:
    """Path and explanation of a few of the files, from different places of the folder."""
    step = max(1, len(files) // EXAMPLES)
    return [(printable(file.source.path), explanation(file)) for file in files[::step][:EXAMPLES]]


def _histograms(diagnosis: Diagnosis) -> list[Histogram]:
    kept_files = diagnosis.kept
    songs = [file.row for file in kept_files]
    source = "from the names of the folders"
    if diagnosis.labelled:
        source = f"from the table, else {source}"
    keys = [song["key"] for song in songs if song["key"]]
    estimated = [song["estimated_key"] for song in songs if song["estimated_key"]]
    labels = Counter(printable(label) for file in kept_files for label in file.labels)
    rare = sum(count < MIN_SONGS for count in labels.values())
    left_out = f"; {rare} with fewer than {MIN_SONGS} songs will be left out" if rare else ""
    meters = Counter(song["meter"] or NOT_SAID for song in songs)
    lengths = _in_bins((song["seconds"] for song in songs), LENGTH_EDGES_S, _length)
    histograms = [
        Histogram("Labels", f"{source}{left_out}", _by_count(labels)),
        Histogram("Meters", "the longest-lasting one of each song", _by_count(meters)),
        Histogram("Keys", f"of the {len(keys):,} songs whose file names one", _by_count(Counter(keys))),
        Histogram("Estimated keys", f"of the {len(estimated):,} other songs", _by_count(Counter(estimated))),
        Histogram("Tempi", "beats per minute, the longest-lasting one of each song", _tempo_bars(songs)),
        Histogram("Lengths", "of the songs", lengths),
    ]
    return [histogram for histogram in histograms if histogram.bars]


def _tempo_bars(songs: list[dict[str, Any]]) -> list[tuple[str, int]]:
    bars = _in_bins((song["bpm"] for song in songs if song["bpm"]), BPM_EDGES, str)
    without = sum(not song["bpm"] for song in songs)
    return [*bars, *([(NOT_SAID, without)] if without else [])]


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    """The largest counts, and at the end the sum of the others."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= MAX_BARS_OF_A_HISTOGRAM:
        return ordered
    largest, others = ordered[: MAX_BARS_OF_A_HISTOGRAM - 1], ordered[MAX_BARS_OF_A_HISTOGRAM - 1 :]
    return [*largest, (f"{len(others)} {OTHERS}", sum(count for _, count in others))]


def _in_bins(
    values: Iterable[float], edges: tuple[int, ...], name: Callable[[int], str]
) -> list[tuple[str, int]]:
    """The number of values between each two edges, from the first bin with values to the last one."""
    labels = [
        f"under {name(edges[0])}",
        *(f"{name(a)} to {name(b)}" for a, b in pairwise(edges)),
        f"{name(edges[-1])} and more",
    ]
    counts = Counter(sum(value >= edge for edge in edges) for value in values)
    return [(labels[n], counts[n]) for n in range(min(counts, default=1), max(counts, default=0) + 1)]


def _most_duplicated(kept_files: list[FileDiagnosis]) -> list[tuple[str, int]]:
    ordered = sorted((file for file in kept_files if file.copies), key=lambda file: -file.copies)
    return [(printable(file.source.path), file.copies) for file in ordered[:EXAMPLES]]


def html_page(report: DoctorReport, rolls: list[tuple[str, str]]) -> str:
    """The report as a page of HTML; `rolls` are names of songs and their piano rolls as trusted SVG."""
    rolls = [(printable(name), svg) for name, svg in rolls]
    names = {"KEPT": KEPT, "DUPLICATES": DUPLICATES, "OTHERS": OTHERS, "zip": zip}
    return fill_template("doctor.html", title=report.folder, report=report, rolls=rolls, **names)


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The report and the diagnosis of every file as values for JSON; "fate" is the outcome of a file."""
    report = summarize(diagnosis)
    tables = {
        name: [row._asdict() | {"examples": [path for path, _ in row.examples]} for row in rows]
        for name, rows in (("fates", report.outcomes), ("warnings", report.warnings))
    }
    return {
        "folder": report.folder,
        "files": report.files,
        "kept": report.kept,
        "read_now": diagnosis.read_now,
        **tables,
        "copies": report.duplicates(),
        "histograms": {each.title: dict(each.bars) for each in report.histograms},
        "unused_labels": diagnosis.unused_labels,
        "every_file": [_file_as_json(file) for file in diagnosis.files],
    }


def _file_as_json(file: FileDiagnosis) -> dict[str, Any]:
    facts = {name: value for name, value in file.row.items() if name not in ("fate", "reason", "notes")}
    kept_song = file.copy_of
    duplicate = (
        {"copy_of": printable(kept_song.source.path), "likeness": file.similarity} if kept_song else {}
    )
    reason = explain(file) if file.reason or kept_song else ""
    head = {"path": printable(file.source.path), "fate": file.outcome, "reason": reason}
    return {**head, **duplicate, "notes": file.row["notes"], **facts, "labels": sorted(file.labels)}
