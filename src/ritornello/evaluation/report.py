"""The report of a comparison as lines of text: the metrics first, then each feature, then the warnings."""

from collections.abc import Mapping, Sequence
from typing import Any

from ritornello.evaluation.controls import CONTROLS
from ritornello.system.templates import fill_template

NOT_DISCRIMINATING = "does not discriminate"


def report_text(report: dict[str, Any]) -> str:
    """Return the report of `compare.compare` as text."""
    columns = ["95% by song", "human", *CONTROLS]
    return fill_template(
        "comparison.txt",
        report=report,
        tables=[
            [["", "composed", *columns], *metric_rows(report)],
            [["coherence", *COHERENCE_COLUMNS], *coherence_rows(report["coherence"])],
            [["style by feature", "ratio", *columns, ""], *feature_rows(report["style"])],
        ],
        labels=[["by label", *LABEL_COLUMNS], *(label_row(*pair) for pair in report["labels"].items())],
        passage_text=passage_text,
    ).rstrip("\n")


def metric_rows(report: dict[str, Any]) -> list[list[str]]:
    """Return a row for each figure: name, value, interval, value of human songs, values of the controls."""
    rows = []
    style, detector, variety = report["style"], report["detector"], report["variety"]
    if "ratio" in style:
        controls = [number(style["ladder"].get(name)) for name in CONTROLS]
        rows.append(["style ratio", number(style["ratio"]), interval(style["interval"]), "1", *controls])
    if "auc" in detector:
        human, *controls = (number(detector["controls"][name]["auc"]) for name in ("human", *CONTROLS))
        ends = interval(detector["interval"])
        rows.append(["detector AUC", number(detector["auc"]), ends, human, *controls])
    for name, key, ends in (("variety", "ratio", "interval"), ("  nearest", "nearest", "nearest_interval")):
        if key in variety:
            controls = [number(variety["controls"][control][key]) for control in CONTROLS]
            rows.append([name, number(variety[key]), interval(variety[ends]), "1", *controls])
    originality = report["originality"] or {}
    if "median" in originality:
        for name, key in (("longest run", "median"), ("  beyond human", "beyond")):
            write = count if key == "median" else number
            controls = [write(originality["controls"].get(control, {}).get(key)) for control in CONTROLS]
            ends = "-".join(map(count, originality["interval"])) if key == "median" else ""
            human = write(originality["human"][key])
            rows.append([name, write(originality[key]), ends, human, *controls])
    return rows


def feature_rows(style: dict[str, Any]) -> list[list[str]]:
    """Return a row for each feature: name, ratio, interval, human interval, the controls, comment."""
    return [
        [
            each["name"],
            number(each["ratio"]),
            interval(each["interval"]),
            interval(each["human_interval"]),
            *(number(each["controls"][name]["ratio"]) for name in CONTROLS),
            comment(each),
        ]
        for each in style.get("features", ())
    ]


def comment(feature: dict[str, Any]) -> str:
    """Return a remark on what limits the ratio of a feature, or ""."""
    if feature["ratio"] is None:
        differ = f", composed ones do ({feature['distance']:.2g})" if feature["distance"] else ""
        return f"human songs do not differ in it{differ}"
    return "" if feature["discriminates"] else NOT_DISCRIMINATING


def number(value: float | None) -> str:
    """Return a number with about three digits, or a dash for None."""
    return "-" if value is None else f"{value:.2f}" if value < 9.995 else f"{value:.3g}"


def count(value: float | None) -> str:
    """Return a count or a median of counts, or a dash for None."""
    return "-" if value is None else f"{value:g}"


def interval(ends: Sequence[float] | None) -> str:
    """Return an interval, or a dash for None."""
    return "-" if ends is None else f"{number(ends[0])}-{number(ends[1])}"


COHERENCE_COLUMNS = ["composed", "95% by song", "songs", "human", "95% by song", "songs"]


def coherence_rows(coherence: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each measure: name, then figure, interval and number of songs of both sets."""
    rows = []
    for name, measure in coherence.items():
        write = percent if measure["is_share"] else number
        cells = [name]
        for figure in (measure["composed"], measure["human"]):
            ends = [write(end) for end in figure["interval"] or ()]
            cells += [write(figure["value"]), "-".join(ends) or "-", str(figure["songs"])]
        rows.append(cells)
    return rows


def percent(share: float | None) -> str:
    """Return a share as percent without digits behind the point, or a dash for None."""
    return "-" if share is None else f"{share:.0%}"


LABEL_COLUMNS = ["composed", "human", "style ratio", "detector AUC", "variety", ""]


def label_row(name: str, label: dict[str, Any]) -> list[str]:
    """Return the row of a label: name, numbers of songs, figures with intervals, whether songs are few."""
    keys = (("style", "ratio"), ("detector", "auc"), ("variety", "ratio"))
    figures = [_with_interval(label[metric], key) for metric, key in keys]
    few = "few songs" if label["few"] else ""
    return [name, str(label["composed"]), str(label["human"]), *figures, few]


def _with_interval(figures: dict[str, Any], key: str) -> str:
    """Return a figure with its interval in brackets, or a dash if there are too few songs."""
    if figures.get(key) is None:
        return "-"
    return f"{number(figures[key])} ({interval(figures['interval'])})"


def passage_text(passage: dict[str, Any]) -> str:
    """Return a passage as text: 12 notes: mine.mid bars 3-4 as in bars 9-10 of A Tune (its.mid)."""
    song = f"{passage['of']} " if passage.get("of") else ""
    source = f"{bars_text(passage['there'])} of {passage['name']}"
    return f"{passage['notes']} notes: {song}{bars_text(passage['bars'])} as in {source}"


def bars_text(ends: Sequence[int]) -> str:
    """Return the first and the last bar as text."""
    return f"bar {ends[0]}" if ends[0] == ends[1] else f"bars {ends[0]}-{ends[1]}"
