"""Build paper.pdf and poster.pdf from their sources and from the tables of measured results.

    pip install ".[paper]"
    python paper/build.py            writes paper/build/paper.pdf and poster.pdf
    python paper/build.py --png      and a picture of each page

No number of our own results is typed into the paper: tables, bars and the figures in sentences are read
from docs/results.md, whose tables name their commands. If a table or a sentence is gone, the build fails.
Published figures and sizes of data are typed. The fonts are those that the package typst carries, so nothing
is downloaded.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = ROOT / "docs" / "results.md"
TABLES = {  # name: heading of the section, number of the table in it
    "pop_hour": ("An hour of one core", 0),
    "pop_parts": ("The share of each candidate, after six minutes", 0),
    "pop_gpu": ("A minute of a GPU", 0),
    "jsb_ours": ("Bach's chorales", 0),
    "jsb_published": ("Bach's chorales", 1),
    "candidates": ("How often candidates are right", 0),
    "labels": ("Each label, next to an n-gram", 0),
    "judge": ("Compared with other systems", 0),
}
FIGURES = {  # name: a sentence in which the figure stands
    "less_than_gpt2": r"The LSTM needs ([\d.]+%) fewer nats than GPT-2",
    "less_than_gpt2_interval": r"fewer nats than GPT-2 \(([\d.]+% to [\d.]+%), paired by song\)",
    "less_than_plain": r"and ([\d.]+%) fewer than without candidates",
    "less_than_gpt2_gpu": r"than \(b\) \([^)]*\) and ([\d.]+%) fewer than GPT-2",
    "songs": r"([\d,]+) songs of sixteen labels",
    "gpt2_notes": r"it saw ([\d.]+ million) notes",
    "our_notes": r"our LSTM ([\d.]+) million",
    "alone_saves": r"Alone saves ([\d.]+%)",
    "behind_cache_folk": r"needs ([\d.]+%) more nats on Nottingham",
    "behind_cache_pop": r"and ([\d.]+%)\s+more on POP909-CL \(",
}


def section(text: str, heading: str) -> str:
    """Return the text below a heading, up to the next one of any level. Raises KeyError if there is none."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    if not found:
        raise KeyError(f"no heading {heading!r}")
    return found[1]


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a text in Markdown as rows of plain cells; the first row is the head.

    >>> tables("| a | **b** |\\n|---|---|\\n| 1 | `2` |\\n")
    [[['a', 'b'], ['1', '2']]]
    """
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.M):
        head, _, *rows = block.strip().splitlines()
        found.append([[plain(cell) for cell in row.strip("|").split("|")] for row in (head, *rows)])
    return found


def plain(cell: str) -> str:
    """Return a cell without the marks of Markdown."""
    cell = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cell)
    cell = re.sub(r"(?<=\w)\*$", "†", cell.strip())  # a mark that the text explains
    return re.sub(r"[*`]", "", cell).strip()


def number(cell: str) -> list[float] | None:
    """Return the first number of a cell and the ends of its interval, or the number three times.

    >>> number("6.719 (6.357-7.105)")
    [6.719, 6.357, 7.105]
    >>> number("-0.198 (-0.267 to -0.136)")
    [-0.198, -0.267, -0.136]
    """
    found = re.match(r"([+-]?[\d.]+)(?: \(([+-]?[\d.]+)(?:-| to )([+-]?[\d.]+)\))?", cell)
    if not found:
        return None
    value = float(found[1])
    return [value, float(found[2] or value), float(found[3] or value)]


def data(text: str) -> dict[str, Any]:
    """Return all that the sources read, from the text of the page of results. Raises KeyError."""
    read = {}
    for name, (heading, index) in TABLES.items():
        in_section = tables(section(text, heading))
        if len(in_section) <= index:
            raise KeyError(f"no table {index + 1} below {heading!r}")
        read[name] = in_section[index]
    figures = {}
    for name, pattern in FIGURES.items():
        found = re.search(pattern, text)
        if not found:
            raise KeyError(f"no sentence {pattern!r}")
        figures[name] = found[1]
    hour = [row for row in bars(read["pop_hour"], "nats a note") if "told" not in row["name"]]
    return {
        "tables": read,
        "figures": figures,
        "bars": {"pop_hour": hour, "labels": bars(read["labels"], "none - before")},
    }


def bars(table: Sequence[Sequence[str]], column: str) -> list[dict[str, Any]]:
    """Return name, value and its text of the rows with a number in the column of this head."""
    head, *rows = table
    place = head.index(column)
    return [
        {"name": row[0], "value": value, "text": row[place].partition(" ")[0]}
        for row in rows
        if (value := number(row[place]))
    ]


def build(as_pictures: bool) -> list[Path]:
    """Write the pages, and return their files."""
    import typst

    folder = HERE / "build"
    folder.mkdir(exist_ok=True)
    (folder / "data.json").write_text(json.dumps(data(RESULTS.read_text(encoding="utf-8")), indent=1))
    made = []
    for name in ("paper", "poster"):
        source = str(HERE / f"{name}.typ")
        made.append(folder / f"{name}.pdf")
        options: dict[str, Any] = {"root": str(ROOT), "ignore_system_fonts": True}
        typst.compile(source, output=str(made[-1]), **options)
        if as_pictures:
            pages = str(folder / (f"{name}-{{p}}.png"))
            typst.compile(source, output=pages, format="png", ppi=60 if name == "poster" else 90, **options)
    return made


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--png", action="store_true", help="also write a picture of each page")
    for file in build(parser.parse_args(words).png):
        print(file)


if __name__ == "__main__":
    main()
