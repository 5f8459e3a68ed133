"""Show a report as one page of HTML that loads nothing: no scripts, no fonts, no images from elsewhere.

All texts from files, such as names, are escaped, and the policy of the page forbids the browser to load or
run anything. The page is dark or light as the reader's system is.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ritornello.corpus.doctor.report import OTHERS, DoctorReport, Histogram, ReportRow, printable
from ritornello.corpus.outcomes import DUPLICATES, KEPT

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
BAR_HEIGHT, NAME_WIDTH, COUNT_WIDTH, WIDTH = (
    24,
    132,
    58,
    460,
)  # of a histogram in pixels: height of a bar; widths of names, counts and all

STYLE = """
:root { color-scheme: light dark; --ground: #f6f5f1; --card: #ffffff; --line: #e3e1da; --text: #1d2126;
  --faint: #666d76; --kept: #00805e; --copy: #b37900; --lost: #c2500a; --bar: #2f84b8; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1216; --card: #161a20; --line: #2a313b; --text: #e8eaed; --faint: #97a1ae;
    --kept: #2fc39a; --copy: #e6a83a; --lost: #f08a4b; --bar: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 15px; font-weight: 500; color: var(--faint); margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 44px 0 14px; }
h3 { font-size: 15px; margin: 0; }
.large { font-size: 34px; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; margin: 4px 0 18px; }
.large small { font-size: 17px; font-weight: 400; color: var(--faint); letter-spacing: 0; }
.shares { display: flex; gap: 3px; height: 14px; }
.shares i { border-radius: 3px; min-width: 3px; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 24px; margin: 12px 0 0; padding: 0; list-style: none; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 8px; }
.kept { background: var(--kept); } .copy { background: var(--copy); } .lost { background: var(--lost); }
.warning { background: var(--bar); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
table { width: 100%; border-collapse: collapse; }
td { padding: 11px 16px 11px 0; vertical-align: top; border-top: 1px solid var(--line); }
tr:first-child td { border-top: 0; }
td:nth-child(1) { text-align: right; font-variant-numeric: tabular-nums; font-weight: 650; width: 1%; }
td:nth-child(2) { white-space: nowrap; font-weight: 600; width: 1%; padding-right: 28px; }
td:nth-child(2) i { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 9px; }
.remedy { color: var(--kept); }
details { margin-top: 3px; color: var(--faint); }
summary { cursor: pointer; width: fit-content; }
details ul { margin: 6px 0 2px; padding: 0; list-style: none; }
details li { padding: 2px 0; overflow-wrap: anywhere; }
code { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--text); }
.faint { color: var(--faint); }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
.grid p { margin: 0 0 10px; color: var(--faint); font-size: 13px; }
svg.bars { display: block; width: 100%; height: auto; font-size: 13px; }
svg.bars text { fill: var(--text); } svg.bars .count { fill: var(--faint); }
svg.bars rect { fill: var(--bar); } svg.bars .others { fill: var(--line); }
.roll { margin: 0 0 16px; padding: 0; overflow: hidden; background: #0f1216; border-color: #2a313b; }
.roll svg { display: block; width: 100%; height: auto; }
.roll figcaption { padding: 12px 18px 0; color: #97a1ae; overflow-wrap: anywhere; }
.roll code { color: #e8eaed; }
footer { margin-top: 44px; color: var(--faint); font-size: 13px; }
@media (max-width: 640px) { td { display: block; border: 0; padding: 0; text-align: left !important; }
  tr { display: block; padding: 12px 0; border-top: 1px solid var(--line); } }
"""


def page(report: DoctorReport, rolls: list[tuple[str, str]]) -> str:
    """The report as HTML; `rolls` are names of songs and their piano rolls as trusted SVG."""
    return "\n".join(_lines(report, rolls)) + "\n"


def _lines(report: DoctorReport, rolls: list[tuple[str, str]]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(report.folder)}</title>"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    yield from _head(report)
    yield "<h2>Outcomes of the files</h2>"
    yield from _table(report.outcomes)
    if report.most_duplicated:
        most = ", ".join(f"<code>{escape(path)}</code> ({count:,})" for path, count in report.most_duplicated)
        yield f'<p class="faint">Songs with the most duplicates: {most}</p>'
    if report.warnings:
        yield "<h2>Warnings about kept songs</h2>"
        yield from _table(report.warnings, "warning")
    if report.histograms:
        yield '<h2>Statistics of the kept songs</h2>\n<div class="grid">'
        for histogram in report.histograms:
            yield f'<section class="card"><h3>{escape(histogram.title)}</h3>'
            yield f"<p>{escape(histogram.note)}</p>"
            yield f"{bars(histogram)}</section>"
        yield "</div>"
    if rolls:
        yield "<h2>The first bars of some songs</h2>"
        for name, svg in rolls:
            caption = f"<figcaption><code>{escape(printable(name))}</code></figcaption>"
            yield f'<figure class="card roll">{caption}{svg}</figure>'
    yield "<footer>Made by <code>ritornello doctor</code>. No file was changed.</footer>"
    yield "</main>\n</body>\n</html>"


def _head(report: DoctorReport) -> Iterator[str]:
    """The folder, the headline, and a bar with the shares of kept songs, duplicates and other files."""
    duplicates = sum(row.files for row in report.outcomes if row.name in DUPLICATES)
    shares = (
        ("kept", report.kept, "can be trained on"),
        ("copy", duplicates, "are duplicates of one of these"),
        ("lost", report.files - report.kept - duplicates, "cannot be used, or are not songs"),
    )
    yield f"<h1>{escape(report.folder)}</h1>"
    yield f'<p class="large">{report.kept:,} songs to train on <small>in {report.files:,} files</small></p>'
    pieces = (f'<i class="{kind}" style="flex: {count}"></i>' for kind, count, _ in shares if count)
    yield f'<div class="shares">{"".join(pieces)}</div>'
    legend = (f'<li><i class="{kind}"></i>{count:,} {text}</li>' for kind, count, text in shares if count)
    yield f'<ul class="legend">{"".join(legend)}</ul>'


def _table(rows: list[ReportRow], other: str = "lost") -> Iterator[str]:
    """Outcomes or warnings: count, name, what it means, what can be done, and examples to unfold.

    `other` is the CSS class of the colour of a row that is neither "kept" nor a duplicate.
    """
    yield '<div class="card"><table>'
    for row in rows:
        kind = "kept" if row.name == KEPT else "copy" if row.name in DUPLICATES else other
        remedy = f'<br><span class="remedy">{escape(row.remedy)}</span>' if row.remedy else ""
        items = (f"<li><code>{escape(path)}</code> {escape(reason)}</li>" for path, reason in row.examples)
        summary = "examples" if row.files > len(row.examples) else "files"
        details = f"<details><summary>{summary}</summary><ul>{''.join(items)}</ul></details>"
        yield f'<tr><td>{row.files:,}</td><td><i class="{kind}"></i>{escape(row.name)}</td>'
        yield f"<td>{escape(row.reason)}{remedy}{details if row.examples else ''}</td></tr>"
    yield "</table></div>"


def bars(histogram: Histogram) -> str:
    """A histogram as inline SVG: each line has a name, a bar and a count."""
    most = max([count for label, count in histogram.bars if OTHERS not in label], default=1)
    longest = WIDTH - NAME_WIDTH - COUNT_WIDTH
    height = BAR_HEIGHT * len(histogram.bars)
    lines = [f'<svg class="bars" viewBox="0 0 {WIDTH} {height}" role="img">']
    lines.append(f"<title>{escape(histogram.title)}, {escape(histogram.note)}</title>")
    for place, (label, count) in enumerate(histogram.bars):
        y, width = place * BAR_HEIGHT, max(2.0, min(1.0, count / most) * longest)
        name = label if len(label) <= 19 else label[:18] + "…"
        colour = ' class="others"' if OTHERS in label else ""
        lines.append(f'<text x="{NAME_WIDTH - 10}" y="{y + 17}" text-anchor="end">{escape(name)}</text>')
        size = f'width="{width:.1f}" height="{BAR_HEIGHT - 8}"'
        lines.append(f'<rect x="{NAME_WIDTH}" y="{y + 4}" {size} rx="3"{colour}/>')
        lines.append(f'<text class="count" x="{NAME_WIDTH + width + 8:.1f}" y="{y + 17}">{count:,}</text>')
    return "\n".join([*lines, "</svg>"])
