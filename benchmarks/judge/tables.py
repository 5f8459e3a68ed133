"""The reports of several sides side by side: tables in Markdown, and a picture of all features."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from benchmarks.shared import table
from ritornello.evaluation.controls import CONTROLS
from ritornello.evaluation.report import count, interval, number

Report = Mapping[str, Any]  # of `ritornello judge`
Reports = Mapping[str, Report]  # by side
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888", "#333333")
SHAPES = (  # SVG paths around (0, 0)
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
    "M-4-4H4V4H-4Z",
    "M0-5L5 4H-5Z",
    "M0-6L5 0L0 6L-5 0Z",
    "M0 5L5-4H-5Z",
    "M-4-4L4 4M-4 4L4-4",
    "M0-5V5M-5 0H5",
    "M-5 0H5",
)
LEFT, WIDTH, ROW, TOP = 130, 760, 22, 64  # of the picture, in pixels
SHOWN_RATIOS = 0.25, 100.0  # the ends of the logarithmic axis
METRICS: dict[str, tuple[str, str, str, Callable[[Any], str]]] = {  # part of a report, key, key of interval
    "style ratio": ("style", "ratio", "interval", number),
    "AUC of the detector": ("detector", "auc", "interval", number),
    "variety": ("variety", "ratio", "interval", number),
    "variety, nearest": ("variety", "nearest", "nearest_interval", number),
    "longest run, median": ("originality", "median", "interval", count),
}


def all_tables(reports: Reports) -> str:
    """The metrics, the features, and what tells the sides from human songs."""
    return "\n\n".join([metrics_table(reports), features_table(reports), telltale_features(reports)]) + "\n"


def table_by_label(reports: Mapping[str, Reports]) -> str:
    """A row for each label and side."""
    head = ["label", "side", "songs", "human songs", *METRICS, "features at most 1.5", "AUC of the codec"]
    lines = []
    for label, of_label in reports.items():
        for name, report in of_label.items():
            sizes = [str(report[side]["used"]) for side in ("composed", "human")]
            codec = number(of_controls(report["detector"], "detector", "auc").get("codec"))
            run = count(human_figure(report, "median"))
            figures = [figure(report, metric) for metric in METRICS]
            lines.append([label, name, *sizes, *figures, features_within(report), codec, run])
    return table([*head, "longest run, human"], lines) + "\n"


def metrics_table(reports: Reports) -> str:
    """A row for each metric, a column for each side with intervals, then the first report's controls."""
    one = next(iter(reports.values()))
    head = ["", *reports, "human", *CONTROLS, "ranks the controls"]
    lines = []
    for title, (part, key, _, write) in METRICS.items():
        controls = of_controls(one[part], part, key)
        human = {"auc": controls.get("human"), "median": human_figure(one, "median")}.get(key, 1)
        cells = [figure(report, title) for report in reports.values()]
        cells += [write(human), *(write(controls.get(name)) for name in CONTROLS)]
        lines.append([title, *cells, "yes" if one[part].get("discriminates") else "no"])
    shares = [report["originality"].get("beyond") for report in reports.values()]
    controls = one["originality"].get("controls", {})
    shares += [human_figure(one, "beyond"), *(controls.get(name, {}).get("beyond") for name in CONTROLS)]
    lines.append(["runs beyond 95% of human", *("-" if x is None else f"{x:.0%}" for x in shares), ""])
    empty = [""] * (len(CONTROLS) + 1)
    within = [features_within(report) for report in reports.values()]
    lines.append(["features at most 1.5", *within, "", *empty])
    sizes = [size(side) for side in (*(report["composed"] for report in reports.values()), one["human"])]
    lines.append(["songs, median bars", *sizes, *empty])
    return table(head, lines)


def features_table(reports: Reports) -> str:
    """A row for each feature: each side's ratio with interval, the interval of human halves, and of noise."""
    lines = []
    for place, feature in enumerate(next(iter(reports.values()))["style"]["features"]):
        of_sides = [report["style"]["features"][place] for report in reports.values()]
        cells = [f"{number(each['ratio'])} ({interval(each['interval'])})" for each in of_sides]
        noise = number(max(each["ratio"] or 0 for each in feature["controls"].values()))
        discriminates = "yes" if feature["discriminates"] else "no"
        lines.append([feature["name"], *cells, interval(feature["human_interval"]), noise, discriminates])
    return table(["feature", *reports, "human halves", "noise at most", "tells noise apart"], lines)


def telltale_features(reports: Reports) -> str:
    """For each side the features by which the detector tells it from human songs."""
    lines = []
    for name, report in reports.items():
        listed = "; ".join(
            f"{each['name']} {each['composed']:.3g} (human {each['human']:.3g}, alone AUC {each['auc']:.2f})"
            for each in report["detector"]["gives_away"][:4]
        )
        lines.append(f"- **{name}** differs from human songs most in {listed}.")
    return "\n".join(lines)


def picture(reports: Reports) -> str:
    """The ratios of all features as SVG: a row a feature, a sign a side, a band for human halves."""
    features = next(iter(reports.values()))["style"]["features"]
    height = TOP + ROW * len(features) + 36
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12" '
        'font-family="Helvetica, Arial, sans-serif"><title>Style ratio of each feature and side</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, name in enumerate(reports):
        x, y = LEFT + 210 * (place % 3), 18 + 18 * (place // 3)
        lines += [sign(x, y - 4, place), f'<text x="{x + 10}" y="{y}">{escape(name)}</text>']
    for mark in (0.5, 1, 2, 5, 10, 20, 50):
        colour = "#0072b2" if mark == 1 else "#dddddd"
        lines.append(f'<path d="M{x_of(mark):.1f} {TOP}V{height - 30}" stroke="{colour}"/>')
        lines.append(f'<text x="{x_of(mark):.1f}" y="{height - 14}" text-anchor="middle">{mark:g}</text>')
    for row, feature in enumerate(features):
        middle = TOP + ROW * (row + 0.5)
        name = escape(feature["name"])
        lines.append(f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end">{name}</text>')
        low, high = feature["human_interval"] or (1, 1)
        band = f'x="{x_of(low):.1f}" y="{middle - 7}" width="{x_of(high) - x_of(low):.1f}" height="14"'
        lines.append(f'<rect {band} fill="#cfe2ef"/>')
        for place, report in enumerate(reports.values()):
            ratio = report["style"]["features"][row]["ratio"]
            lines += [sign(x_of(ratio), middle, place)] if ratio else []
    return "\n".join([*lines, "</svg>", ""])


def sign(x: float, y: float, place: int) -> str:
    """The sign of a side: each has its own shape and colour."""
    colour = COLOURS[place % len(COLOURS)]
    return (
        f'<path transform="translate({x:.1f} {y:.1f})" d="{SHAPES[place % len(SHAPES)]}" fill="{colour}" '
        f'fill-opacity=".8" stroke="{colour}" stroke-width="1.5"/>'
    )


def x_of(ratio: float) -> float:
    """The place of a ratio on the logarithmic axis, in pixels."""
    low, high = (math.log(end) for end in SHOWN_RATIOS)
    inside = min(max(ratio, SHOWN_RATIOS[0]), SHOWN_RATIOS[1])
    return LEFT + (WIDTH - LEFT - 20) * (math.log(inside) - low) / (high - low)


def figure(report: Report, metric: str) -> str:
    """The value of a metric with its interval; a dash if it is unknown."""
    part, key, ends, write = METRICS[metric]
    if report[part].get(key) is None:
        return "-"
    return f"{write(report[part][key])} ({'-'.join(write(end) for end in report[part][ends])})"


def of_controls(part: Mapping[str, Any], name: str, key: str) -> dict[str, Any]:
    """A figure of each control."""
    if name == "style":
        return dict(part["ladder"])
    return {control: each.get(key) for control, each in part.get("controls", {}).items()}


def human_figure(report: Report, key: str) -> Any:
    """A figure of originality of the human songs, if there is one."""
    return report["originality"].get("human", {}).get(key)


def features_within(report: Report) -> str:
    """How many of the features have a ratio of at most 1.5."""
    counted = sum(each["ratio"] is not None for each in report["style"]["features"])
    return f"{report['style']['within_1.5']} of {counted}"


def size(side: Mapping[str, Any]) -> str:
    """How many songs a side has, and the median of their bars."""
    return f"{side['used']}, {side['median_bars']:g}"
