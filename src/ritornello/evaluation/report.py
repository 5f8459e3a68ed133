"""Report: a comparison in lines of text: the verdicts first, then each feature, then what to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ritornello.evaluation.controls import CONTROLS

CLOSEST = 4  # passages that are shown
NAMED = 5  # songs that could not be judged, by name; the JSON has all
BLIND = "does not discriminate"


def report_lines(found: dict[str, Any]) -> list[str]:
    """The report of `comparison.compare` in lines."""
    ours, theirs = found["composed"], found["human"]
    lines = [f"{ours['where']} ({_count(ours)}) against {theirs['where']} ({_count(theirs)})", ""]
    ladder = ["95% by song", "human", *CONTROLS]
    for table in (
        _table(["", "composed", *ladder], verdicts(found)),
        _table(["style by feature", "ratio", *ladder, ""], features(found["style"])),
    ):
        lines += [*table, ""] if table else []
    for name in found["style"].get("without_values", ()):
        lines += [f"{name}: too few songs have any", ""]
    if told := found["detector"].get("gives_away"):
        lines += ["what gives the songs away most (medians):"]
        for each in told[:4]:
            medians = f"{each['composed']:.3g} against {each['human']:.3g}"
            lines.append(f"  {each['name']}: {medians}, alone AUC {each['auc']:.2f}")
    if (found["originality"] or {}).get("passages"):
        lines += ["closest to what was learnt:", *passages(found["originality"])]
    if found["labels"]:
        rows = [label_row(*pair) for pair in found["labels"].items()]
        lines += ["", *_table(["by label", *LABEL_HEADS], rows), ""]
    lines += [f"! {said}" for said in found["remarks"]]
    for side in (ours, theirs):
        lines += _skipped(side)
    made = f"ritornello {found['ritornello']}, evaluator {found['evaluator']}, seed {found['seed']}"
    return [*lines, f"{made}, composed {ours['hash'][:12]}, human {theirs['hash'][:12]}"]


def _count(side: dict[str, Any]) -> str:
    return f"{side['used']} songs" + (f" of {side['found']}" if side["found"] > side["used"] else "")


def verdicts(found: dict[str, Any]) -> list[list[str]]:
    """The rows of all metrics: name, figure, interval, what human songs get, the controls."""
    rows = []
    style, detector, variety = found["style"], found["detector"], found["variety"]
    if "ratio" in style:
        ladder = [number(style["ladder"].get(name)) for name in CONTROLS]
        rows.append(["style ratio", number(style["ratio"]), between(style["interval"]), "1", *ladder])
    if "auc" in detector:
        ladder = [number(detector["controls"][name]["auc"]) for name in CONTROLS]
        human = number(detector["controls"]["human"]["auc"])
        rows.append(["detector AUC", number(detector["auc"]), between(detector["interval"]), human, *ladder])
    for name, key, ends in (("variety", "ratio", "interval"), ("  nearest", "nearest", "nearest_interval")):
        if key in variety:
            ladder = [number(variety["controls"][control][key]) for control in CONTROLS]
            rows.append([name, number(variety[key]), between(variety[ends]), "1", *ladder])
    originality = found["originality"] or {}
    if "median" in originality:
        for name, key in (("longest run", "median"), ("  beyond human", "beyond")):
            write = whole if key == "median" else number
            ladder = [write(originality["controls"].get(c, {}).get(key)) for c in CONTROLS]
            human = write(originality["human"][key])
            ends = "" if key == "beyond" else "-".join(map(whole, originality["interval"]))
            rows.append([name, write(originality[key]), ends, human, *ladder])
    return rows


def features(style: dict[str, Any]) -> list[list[str]]:
    """The rows of the features: name, ratio, interval, the human interval, the controls, a remark."""
    return [
        [
            each["name"],
            number(each["ratio"]),
            between(each["interval"]),
            between(each["human_interval"]),
            *(number(each["controls"][name]["ratio"]) for name in CONTROLS),
            remark(each),
        ]
        for each in style.get("features", ())
    ]


def remark(feature: dict[str, Any]) -> str:
    """What is to be said of a feature's ratio."""
    if feature["ratio"] is None:
        same = "human songs do not differ in it"
        return same + (f", composed ones do ({feature['distance']:.2g})" if feature["distance"] else "")
    return "" if feature["discriminates"] else BLIND


def number(value: float | None) -> str:
    """A figure in three digits or so."""
    return "-" if value is None else f"{value:.2f}" if value < 9.995 else f"{value:.3g}"


def whole(value: float | None) -> str:
    """A median of counts."""
    return "-" if value is None else f"{value:g}"


def between(ends: Sequence[float] | None) -> str:
    """An interval."""
    return "-" if ends is None else f"{number(ends[0])}-{number(ends[1])}"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Columns under their heads, the first to the left; nothing without rows."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        if not heads[-1]:
            cells[-1] = row[-1]
        lines.append("  ".join(cells).rstrip())
    return lines


def _skipped(side: dict[str, Any]) -> list[str]:
    """The songs that could not be judged."""
    skipped = side["skipped"]
    if not skipped:
        return []
    lines = [f"{len(skipped):,} of {side['where']} could not be judged:"]
    lines += [f"  {name}: {reason}" for name, reason in list(skipped.items())[:NAMED]]
    return lines + ([f"  and {len(skipped) - NAMED:,} more (--json)"] if len(skipped) > NAMED else [])


LABEL_HEADS = ["composed", "human", "style ratio", "detector AUC", "variety", ""]


def label_row(name: str, about: dict[str, Any]) -> list[str]:
    """A label's row: name, songs, each figure with its interval, and whether the songs are few."""
    keys = (("style", "ratio"), ("detector", "auc"), ("variety", "ratio"))
    figures = [_with_interval(about[metric], key) for metric, key in keys]
    return [name, str(about["composed"]), str(about["human"]), *figures, "few songs" if about["few"] else ""]


def _with_interval(found: dict[str, Any], key: str) -> str:
    """A figure, and its interval in brackets; a dash where there are too few songs."""
    if found.get(key) is None:
        return "-"
    return f"{number(found[key])} ({between(found['interval'])})"


def passages(copied: dict[str, Any]) -> list[str]:
    """The passages that songs share with those learnt from, the longest ones, in lines of text."""
    return [f"  {in_words(each)}" for each in copied["passages"][:CLOSEST]]


def in_words(passage: dict[str, Any]) -> str:
    """A passage in words: 12 notes: mine.mid bars 3-4 as in bars 9-10 of A Tune (its.mid)."""
    whose = f"{passage['of']} " if passage.get("of") else ""
    there = f"{bars(passage['there'])} of {passage['name']}"
    return f"{passage['notes']} notes: {whose}{bars(passage['bars'])} as in {there}"


def bars(ends: Sequence[int]) -> str:
    """Bars in words."""
    return f"bar {ends[0]}" if ends[0] == ends[1] else f"bars {ends[0]}-{ends[1]}"
