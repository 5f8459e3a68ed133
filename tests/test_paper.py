"""The paper is built from the page of results, and only from what stands there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("paper_build", ROOT / "paper" / "build.py")
assert SPEC and SPEC.loader
build = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build)


def test_every_table_and_sentence_is_there() -> None:
    found = build.data(build.RESULTS.read_text("utf-8"))
    assert set(found["tables"]) == set(build.TABLES)
    assert all(len({len(row) for row in rows}) == 1 for rows in found["tables"].values())
    ours, theirs = found["bars"]["pop_hour"][0], found["bars"]["pop_hour"][-1]
    assert ours["value"][0] < theirs["value"][0]
    less = 100 * (1 - ours["value"][0] / theirs["value"][0])
    assert found["figures"]["less_than_gpt2"] == f"{less:.1f}%"  # the sentence agrees with its table


def test_what_is_gone_stops_the_build() -> None:
    text = build.RESULTS.read_text("utf-8")
    with pytest.raises(KeyError, match="no heading 'An hour of one core'"):
        build.data(text.replace("### An hour of one core", "### An hour"))
    with pytest.raises(KeyError, match="no sentence"):
        build.data(text.replace("fewer nats than GPT-2 (", "less than GPT-2 ("))


def test_cells() -> None:
    assert build.tables("x\n| a | **b** |\n|---|---|\n| [1](y) | `2`* |\n") == [[["a", "b"], ["1", "2"]]]
    assert build.plain("(b) without candidates*") == "(b) without candidates†"
    assert build.number("+0.189 (-0.093 to +0.506)") == [0.189, -0.093, 0.506]
    assert build.number("10.785") == [10.785] * 3 and build.number("yes") is None


def test_no_number_of_a_result_is_typed() -> None:
    """Percentages come from the page; what is quoted of others stands in the table of published figures."""
    import re

    for name in ("paper.typ", "poster.typ"):
        text = (ROOT / "paper" / name).read_text("utf-8")
        assert not re.findall(r"\d+%", re.sub(r"\b(95|100)%", "", text)), name


def test_the_pages_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("typst")
    paper, poster = build.build(as_pictures=False)
    assert paper.read_bytes().startswith(b"%PDF") and poster.read_bytes().startswith(b"%PDF")
