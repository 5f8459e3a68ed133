"""Reports of a diagnosis: counts, histograms, and names that are escaped."""

from __future__ import annotations

import html.parser
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ritornello.corpus.doctor.diagnosis import Diagnosis, FileDiagnosis, diagnose
from ritornello.corpus.doctor.report import Histogram, as_json, html_page, printable, summarize
from ritornello.corpus.doctor.report_terminal import TerminalReport
from ritornello.corpus.outcomes import OUTCOMES
from ritornello.corpus.sources.scan import Source
from tests.corpus.folders import fill, song


def file(path: str, outcome: str = "kept", **facts: Any) -> FileDiagnosis:
    """A diagnosed file with some of its facts."""
    row: dict[str, Any] = {
        "hash": "",
        "notes": 50 if outcome == "kept" else 0,
        "seconds": 100.0,
        "bpm": 120.0,
    }
    row |= {"key": "", "estimated_key": "C major", "meter": "4/4", "warnings": {}, "dropped": {}}
    return FileDiagnosis(Source(os.fsencode(path), 1, 1), outcome, facts.pop("reason", ""), row | facts)


def diagnosis(*files: FileDiagnosis) -> Diagnosis:
    return Diagnosis(Path("music"), list(files), len(files))


def drawn(diagnosis_: Diagnosis, width: int = 80) -> str:
    console = Console(width=width, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(TerminalReport(summarize(diagnosis_)))
    return capture.get()


EVIL = ["<script>alert(1)</script>.mid", "[red]loud[/red].mid", "\x1b[2Jgone.mid", "turn\u202edim.mid",
        "a\nb.mid", '"quoted\'&amp;.mid', "{{7*7}}.mid"]  # fmt: skip


def test_counts() -> None:
    lost = [file(f"{n}.mid", "unreadable", reason="byte 14") for n in range(10)]
    counted = summarize(diagnosis(file("a/x.mid"), file("a/y.mid"), *lost))
    assert (counted.files, counted.kept) == (12, 2)
    assert [(row.name, row.files) for row in counted.outcomes] == [("kept", 2), ("unreadable", 10)]
    assert counted.outcomes[1].examples == [("0.mid", "byte 14"), ("3.mid", "byte 14"), ("6.mid", "byte 14")]
    assert (counted.outcomes[1].reason, counted.outcomes[1].remedy) == OUTCOMES["unreadable"]


def histogram(title: str, *files: FileDiagnosis) -> list[tuple[str, int]]:
    (histogram_,) = (each for each in summarize(diagnosis(*files)).histograms if each.title == title)
    return histogram_.bars


def test_histograms() -> None:
    songs = [file("x", bpm=bpm, seconds=s) for bpm, s in ((59.9, 14.9), (60, 15), (119, 59), (0, 1300))]
    assert histogram("Tempi", *songs) == [
        ("under 60", 1), ("60 to 80", 1), ("80 to 100", 0), ("100 to 120", 1), ("not said", 1),
    ]  # fmt: skip
    lengths = dict(histogram("Lengths", *songs))
    assert lengths["under 15 s"] == lengths["15 s to 30 s"] == lengths["20 min and more"] == 1
    assert sum(lengths.values()) == 4
    keys = [file("x", key="D minor", estimated_key=""), file("y"), file("z", outcome="near")]
    assert histogram("Keys", *keys) == [("D minor", 1)]
    assert histogram("Estimated keys", *keys) == [("C major", 1)]
    many = [file("x", meter=f"{n}/8") for n in range(1, 21) for _ in range(n)]
    meters = histogram("Meters", *many)
    assert meters[0] == ("20/8", 20)
    assert meters[-1] == ("9 others", sum(range(1, 10)))
    assert len(meters) == 12


def test_warnings_and_duplicates_are_shown() -> None:
    kept = file("a.mid", warnings={"no beat": "the notes match the beat by only 3%"})
    copy, part = file("b.mid", "near"), file("c.mid", "near")
    for other, similarity in ((copy, 0.62), (part, 0.2)):
        other.copy_of, other.similarity = kept, similarity
    kept.copies = 2
    text = drawn(diagnosis(kept, copy, part), width=110)
    assert "b.mid  repeats a.mid, 62% similar" in text
    assert "c.mid  repeats a.mid, one contains most of the other" in text
    assert "songs with the most duplicates: a.mid (2)" in text
    assert "a.mid  the notes match the beat by only 3%" in text
    data = as_json(diagnosis(kept, copy, part))
    assert data == json.loads(json.dumps(data))
    assert data["copies"] == 2
    assert data["every_file"][1]["copy_of"] == "a.mid"


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("width", [60, 120])
def test_names_are_not_markup_in_the_terminal(name: str, width: int) -> None:
    text = drawn(diagnosis(file("ok.mid"), file(name, "unreadable", reason=name)), width)
    assert printable(name) in "".join(line.strip() for line in text.splitlines())
    assert not set(text) & {"\x1b", "\u202e"}


class Reader(html.parser.HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", EVIL)
def test_names_are_escaped_in_the_page(name: str) -> None:
    kept = file(f"{name}/{name}", warnings={"no beat": name})
    counted = summarize(Diagnosis(Path(name), [kept, file(name, "unreadable", reason=name)], 2))
    reader = Reader()
    reader.feed(html_page(counted, [(name, "<svg></svg>")]))
    assert not reader.tags & {"script", "iframe", "img", "link", "object", "embed", "form"}
    assert reader.text.count(printable(name)) >= 5
    assert not any(key.startswith("on") or key in ("src", "href") for key, _ in reader.attributes)
    assert not set(reader.text) & {"\x1b", "\u202e"}


def test_the_page_loads_nothing() -> None:
    text = html_page(summarize(diagnosis(file("a.mid"))), [])
    assert "default-src 'none'" in text
    assert re.findall(r"https?://[^\"\s]+|@import|url\(", text) == []
    assert "prefers-color-scheme: dark" in text


def test_bars_are_as_long_as_their_counts() -> None:
    histogram_ = Histogram("T", "n", [("a", 100), ("b", 25), ("3 others", 900)])
    drawing = html_page(summarize(diagnosis(file("a.mid")))._replace(histograms=[histogram_]), [])
    assert [float(width) for width in re.findall(r'<rect.* width="([\d.]+)"', drawing)] == [270, 67.5, 270]


def test_names_of_real_files_in_all_reports(tmp_path: Path) -> None:
    folder = fill(tmp_path / "[bold]in", 2)
    (folder / "<b>.mid").write_bytes(song(1))
    real = diagnose(folder, workers=1)
    assert "[bold]in" in str(real.folder)
    text = drawn(real, 110)
    assert "<b>.mid  repeats 0001.mid" in text or "0001.mid  repeats <b>.mid" in text
    assert "2 of 3 files can be trained on (67%)\n" in text
    assert "nothing is new since the last run" in drawn(diagnose(folder, workers=1))
