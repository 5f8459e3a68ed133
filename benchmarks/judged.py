"""What `judge.py` shows of the reports of several sides: tables in Markdown, one picture of all features."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ritornello.evaluation.controls import CONTROLS
from ritornello.evaluation.report import between, number, whole

Reports = Mapping[str, Any]  # by side
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888", "#333333")
LEFT, WIDTH, ROW, TOP = 130, 760, 22, 64
SHOWN = 0.25, 100.0  # ratios, on a logarithmic scale


def tables(found: Reports) -> str:
    """The verdicts and the features of all sides."""
    return "\n".join([*verdicts(found), "", *features(found), "", *passages(found), ""])


METRICS = {
    "style ratio": ("style", "ratio", "interval", number),
    "AUC of the detector": ("detector", "auc", "interval", number),
    "variety": ("variety", "ratio", "interval", number),
    "variety, nearest": ("variety", "nearest", "nearest_interval", number),
    "longest run, median": ("originality", "median", "interval", whole),
}


def by_label(found: Mapping[str, Reports]) -> str:
    """A line a label and side, for the reports of each label."""
    head = ["label", "side", "songs", "human songs", *METRICS, "features at most 1.5", "AUC of the codec"]
    lines = _head([*head, "longest run, human"])
    for label, reports in found.items():
        for name, of in reports.items():
            cells = [_figure(of[metric], key, ends, write) for metric, key, ends, write in METRICS.values()]
            sizes = [str(of[side]["used"]) for side in ("composed", "human")]
            codec = number(_ladder(of["detector"], "detector", "auc").get("codec"))
            within = f"{of['style']['within_1.5']} of {_counted(of)}"
            run = whole(_human(of["originality"], "median"))
            lines.append(_row([label, name, *sizes, *cells, within, codec, run]))
    return "\n".join([*lines, ""])


def verdicts(found: Reports) -> list[str]:
    """A row a metric, a column a side, with intervals; then the first report's ladder, and what it says."""
    one = next(iter(found.values()))
    lines = _head(["", *found, "human", *CONTROLS, "ranks the ladder"])
    for title, (metric, key, ends, write) in METRICS.items():
        cells = [_figure(of[metric], key, ends, write) for of in found.values()]
        ladder = _ladder(one[metric], metric, key)
        human = {"auc": ladder.get("human"), "median": _human(one["originality"], "median")}.get(key, 1)
        cells += [write(human), *(write(ladder.get(name)) for name in CONTROLS)]
        lines.append(_row([title, *cells, "yes" if one[metric].get("discriminates") else "no"]))
    shares = [of["originality"].get("beyond") for of in found.values()]
    controls = one["originality"].get("controls", {})
    shares += [_human(one["originality"], "beyond"), *(controls.get(n, {}).get("beyond") for n in CONTROLS)]
    lines.append(_row(["runs beyond 95% of human", *("-" if x is None else f"{x:.0%}" for x in shares), ""]))
    empty = [""] * (len(CONTROLS) + 1)
    within = [f"{of['style']['within_1.5']} of {_counted(of)}" for of in found.values()]
    lines.append(_row(["features at most 1.5", *within, "", *empty]))
    sizes = [_size(side) for side in (*(of["composed"] for of in found.values()), one["human"])]
    return [*lines, _row(["songs, median bars", *sizes, *empty])]


def features(found: Reports) -> list[str]:
    """A row a feature: the ratio of each side with interval; where human halves lie; what the ladder says."""
    lines = _head(["feature", *found, "human halves", "noise at most", "tells noise apart"])
    for number_, feature in enumerate(next(iter(found.values()))["style"]["features"]):
        cells = []
        for of in found.values():
            each = of["style"]["features"][number_]
            cells.append(f"{number(each['ratio'])} ({between(each['interval'])})")
        noise = max(each["ratio"] or 0 for each in feature["controls"].values())
        says = "yes" if feature["discriminates"] else "no"
        lines.append(_row([feature["name"], *cells, between(feature["human_interval"]), number(noise), says]))
    return lines


def passages(found: Reports) -> list[str]:
    """What gives each side away, and its closest passage."""
    lines = []
    for name, of in found.items():
        told = "; ".join(
            f"{each['name']} {each['composed']:.3g} (human {each['human']:.3g}, alone AUC {each['auc']:.2f})"
            for each in of["detector"]["gives_away"][:4]
        )
        lines.append(f"- **{name}** is given away by {told}.")
    return lines


def picture(found: Reports) -> str:
    """The ratios of all features as an SVG: a row a feature, a sign a side, a band where human halves lie."""
    rows = [each["name"] for each in next(iter(found.values()))["style"]["features"]]
    height = TOP + ROW * len(rows) + 36
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12" '
        'font-family="Helvetica, Arial, sans-serif"><title>Style ratio of each feature and side</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, name in enumerate(found):
        x, y = LEFT + 210 * (place % 3), 18 + 18 * (place // 3)
        lines += [_sign(x, y - 4, place), f'<text x="{x + 10}" y="{y}">{escape(name)}</text>']
    for mark in (0.5, 1, 2, 5, 10, 20, 50):
        colour = "#0072b2" if mark == 1 else "#dddddd"
        lines.append(f'<path d="M{_x(mark):.1f} {TOP}V{height - 30}" stroke="{colour}"/>')
        lines.append(f'<text x="{_x(mark):.1f}" y="{height - 14}" text-anchor="middle">{mark:g}</text>')
    for row, name in enumerate(rows):
        middle = TOP + ROW * (row + 0.5)
        lines.append(f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>')
        low, high = next(iter(found.values()))["style"]["features"][row]["human_interval"] or (1, 1)
        band = f'x="{_x(low):.1f}" y="{middle - 7}" width="{_x(high) - _x(low):.1f}" height="14"'
        lines.append(f'<rect {band} fill="#cfe2ef"/>')
        for place, of in enumerate(found.values()):
            ratio = of["style"]["features"][row]["ratio"]
            lines += [_sign(_x(ratio), middle, place)] if ratio else []
    return "\n".join([*lines, "</svg>", ""])


def _sign(x: float, y: float, place: int) -> str:
    """The sign of a side: a shape and a colour of its own."""
    shapes: tuple[str, ...] = (
        "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
        "M-4-4H4V4H-4Z",
        "M0-5L5 4H-5Z",
        "M0-6L5 0L0 6L-5 0Z",
    )
    shapes += ("M0 5L5-4H-5Z", "M-4-4L4 4M-4 4L4-4", "M0-5V5M-5 0H5", "M-5 0H5")
    colour = COLOURS[place % len(COLOURS)]
    return (
        f'<path transform="translate({x:.1f} {y:.1f})" d="{shapes[place % len(shapes)]}" fill="{colour}" '
        f'fill-opacity=".8" stroke="{colour}" stroke-width="1.5"/>'
    )


def _x(ratio: float) -> float:
    low, high = (math.log(end) for end in SHOWN)
    return LEFT + (WIDTH - LEFT - 20) * (math.log(min(max(ratio, SHOWN[0]), SHOWN[1])) - low) / (high - low)


def _figure(of: Mapping[str, Any], key: str, ends: str, write: Any) -> str:
    if of.get(key) is None:
        return "-"
    return f"{write(of[key])} ({'-'.join(write(end) for end in of[ends])})"


def _ladder(of: Mapping[str, Any], metric: str, key: str) -> dict[str, Any]:
    """The figure of each control."""
    if metric == "style":
        return dict(of["ladder"])
    return {name: each.get(key) for name, each in of.get("controls", {}).items()}


def _human(copied: Mapping[str, Any], key: str) -> Any:
    """A figure of the human songs, if originality has figures."""
    return copied.get("human", {}).get(key)


def _counted(of: Mapping[str, Any]) -> int:
    return sum(each["ratio"] is not None for each in of["style"]["features"])


def _size(side: Mapping[str, Any]) -> str:
    return f"{side['used']}, {side['median_bars']:g}"


def _head(cells: Sequence[str]) -> list[str]:
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
