"""A report in the terminal, as rich draws it; every name is text, never markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from ritornello.corpus.doctor.report import OTHERS, Histogram, Report, Row
from ritornello.corpus.outcomes import COPIES, KEPT

EIGHTHS = " ▏▎▍▌▋▊▉"
GAP = 4  # between two histograms


@dataclass(frozen=True)
class TerminalReport:
    """A report that rich prints: what became of the files, warnings, what is in the songs to be kept."""

    report: Report

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        report = self.report
        yield headline(report)
        yield Text()
        yield _table("What became of them", report.fates)
        if report.copied_most:
            most = ", ".join(f"{path} ({_times(count)})" for path, count in report.copied_most)
            yield Text(f"copied most: {most}\n", "dim")
        if report.warnings:
            yield _table("Worth a look, among those kept", report.warnings)
        yield from _side_by_side(report.histograms, options.max_width)
        if report.unused_labels:
            yield Text(f"rows of the table of labels that name no song: {report.unused_labels:,}")
        if report.not_remembered:
            yield Text(f"the next run will read all files again: {report.not_remembered}")


def headline(report: Report) -> Text:
    """The report in a line."""
    share = report.kept / report.files
    known = report.files - report.read_now
    text = Text(f"{report.kept:,} of {report.files:,} files can be learnt from ({share:.0%})", "bold")
    if known > 0:
        new = f"{report.read_now:,} of them read now" if report.read_now else "nothing new"
        text.append(f"; {new} since the last run", "not bold")
    return text


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _table(title: str, rows: list[Row]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        words = Text(row.reason)
        words.append(f"\n{row.remedy}" if row.remedy else "", "green")
        for path, reason in row.examples:
            words.append(f"\n{path}", "cyan")
            words.append(f"  {reason}" if reason else "", "dim")
        table.add_row(f"{row.files:,}", Text(row.name, _style(row.name)), words)
    table.add_row()
    return table


def _style(name: str) -> str:
    return "bold green" if name == KEPT else "yellow" if name in COPIES else "bold"


def _side_by_side(histograms: list[Histogram], width: int) -> Iterator[Any]:
    """Histograms in pairs, one below the other where the terminal is narrow."""
    columns = 2 if width >= 70 else 1
    room = min(60, (width - GAP) // columns)
    for start in range(0, len(histograms), columns):
        grid = Table.grid(padding=(0, GAP, 0, 0))
        for _ in range(columns):
            grid.add_column(width=room)
        grid.add_row(*(_histogram(histogram, room) for histogram in histograms[start : start + columns]))
        yield grid
        yield Text()


def _histogram(histogram: Histogram, room: int) -> Text:
    text = Text(histogram.title, "bold")
    text.append(f"\n{histogram.note}", "dim not bold")
    most = max([count for label, count in histogram.bars if OTHERS not in label], default=1)
    name_room = min(room // 2, max(len(label) for label, _ in histogram.bars))
    count_room = max(len(f"{count:,}") for _, count in histogram.bars)
    for label, count in histogram.bars:
        name = label if len(label) <= name_room else label[: name_room - 1] + "…"
        text.append(f"\n{name:<{name_room}} {count:>{count_room},} ", "not bold")
        text.append(_bar(min(1.0, count / most), room - name_room - count_room - 2), "cyan not bold")
    return text


def _bar(share: float, width: int) -> str:
    """A bar of at most `width` characters, to an eighth of one."""
    eighths = max(1, round(share * width * 8))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
