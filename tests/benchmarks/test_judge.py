"""The benchmark `judge` by label: which labels have enough songs, and a row of figures for each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.judge import judge, tables


class Corpus:
    """Songs by side, each with labels."""

    def __init__(self, **sides: list[tuple[str, ...]]) -> None:
        self.labels = [labels for side in sides.values() for labels in side]
        ends = np.cumsum([len(side) for side in sides.values()])
        self.sides = {
            name: np.arange(end - len(side), end)
            for (name, side), end in zip(sides.items(), ends, strict=True)
        }

    def songs(self, side: str) -> Any:
        return self.sides[side]

    def info(self, number: int) -> Any:
        return SimpleNamespace(labels=self.labels[number])


def test_a_label_is_judged_that_has_forty_songs_on_the_sides_named() -> None:
    corpus: Any = Corpus(
        train=[("quartet",)] * 90, valid=[("game",)] * 20, test=[("game", "fiddle")] * 20 + [("fiddle",)] * 20
    )
    assert judge.judged_labels(corpus, "test") == ["fiddle"]
    assert judge.judged_labels(corpus, "test+valid") == ["fiddle", "game"]


def test_by_label_each_side_has_a_line_and_what_is_unknown_a_dash() -> None:
    figures: dict[str, Any] = {
        "composed": {"used": 39},
        "human": {"used": 40},
        "style": {
            "ratio": 1.234,
            "interval": [1.0, 1.5],
            "within_1.5": 1,
            "features": [{"ratio": 1.2}, {"ratio": 3.0}, {"ratio": None}],
        },
        "detector": {"auc": 0.7, "interval": [0.6, 0.8], "controls": {"codec": {"auc": 0.5}}},
        "variety": {"too_few": "too few"},
        "originality": {"median": 9, "interval": [8, 10], "human": {"median": 11}},
    }
    head, _, line = tables.table_by_label({"fiddle": {"ours": figures}}).strip().split("\n")
    metrics = "1.23 (1.00-1.50) | 0.70 (0.60-0.80) | - | - | 9 (8-10)"
    assert line == f"| fiddle | ours | 39 | 40 | {metrics} | 1 of 2 | 0.50 | 11 |"
    assert head.count("|") == line.count("|")
