"""Show a report in the terminal with rich; names of files are plain text, never markup."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from ritornello.corpus.doctor.report import DoctorReport, Histogram, ReportRow
from ritornello.corpus.outcomes import DUPLICATES, KEPT

EIGHTHS = " ▏▎▍▌▋▊▉"
GAP = 4  # characters between two histograms


@dataclass(frozen=True)
class TerminalReport:
    """A report that rich can print: outcomes of the files, then warnings and histograms of the kept songs."""

    report: DoctorReport

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        report, diagnosis = self.report, self.report.diagnosis
        yield headline(report)
        yield Text()
        yield _table("Outcomes of the files", report.outcomes)
        if report.most_duplicated:
            most = ", ".join(f"{path} ({count:,})" for path, count in report.most_duplicated)
            yield Text(f"songs with the most duplicates: {most}\n", "dim")
        if report.warnings:
            yield _table("Warnings about kept songs", report.warnings)
        yield from _side_by_side(report.histograms, options.max_width)
        if diagnosis.unused_labels:
            yield Text(f"rows of the table of labels that name no song: {diagnosis.unused_labels:,}")
        if diagnosis.cache_problem:
            yield Text(f"the next run will read all files again: {diagnosis.cache_problem}")


def headline(report: DoctorReport) -> Text:
    """The report in one line."""
    share = report.kept / report.files
    text = Text(f"{report.kept:,} of {report.files:,} files can be trained on ({share:.0%})", "bold")
    read_now = report.diagnosis.read_now
    if report.files > read_now:
        new = f"{read_now:,} of them are" if read_now else "nothing is"
        text.append(f"; {new} new since the last run", "not bold")
    return text


def _table(title: str, rows: list[ReportRow]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        style = "bold green" if row.name == KEPT else "yellow" if row.name in DUPLICATES else "bold"
        description = Text(row.reason)
        description.append(f"\n{row.remedy}" if row.remedy else "", "green")
        for path, explanation in row.examples:
            description.append(f"\n{path}", "cyan")
            description.append(f"  {explanation}" if explanation else "", "dim")
        table.add_row(f"{row.files:,}", Text(row.name, style), description)
    table.add_row()
    return table


def _side_by_side(histograms: list[Histogram], width: int) -> Iterator[Any]:
    """Lay out histograms two to a line, or one to a line in a narrow terminal."""
    columns = 2 if width >= 70 else 1
    column_width = min(60, (width - GAP) // columns)
    for start in range(0, len(histograms), columns):
        grid = Table.grid(padding=(0, GAP, 0, 0))
        for _ in range(columns):
            grid.add_column(width=column_width)
        grid.add_row(*(_histogram(each, column_width) for each in histograms[start : start + columns]))
        yield grid
        yield Text()


def _histogram(histogram: Histogram, width: int) -> Text:
    text = Text(histogram.title, "bold")
    text.append(f"\n{histogram.note}", "dim not bold")
    name_width = min(width // 2, max(len(label) for label, _ in histogram.bars))
    count_width = max(len(f"{count:,}") for _, count in histogram.bars)
    for (label, count), share in zip(histogram.bars, histogram.shares(), strict=True):
        name = label if len(label) <= name_width else label[: name_width - 1] + "…"
        text.append(f"\n{name:<{name_width}} {count:>{count_width},} ", "not bold")
        text.append(_bar(share, width - name_width - count_width - 2), "cyan not bold")
    return text


def _bar(share: float, width: int) -> str:
    """A bar of `share` of `width` characters, rounded to an eighth of a character."""
    eighths = max(1, round(share * width * 8))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
