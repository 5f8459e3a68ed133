"""The reports of `judge` as pages of HTML that need no other file: no script, font or picture."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ritornello.evaluation import report as texts
from ritornello.evaluation.controls import CONTROLS, DESCRIPTIONS
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.report import count, number
from ritornello.evaluation.song_description import description_text
from ritornello.system.templates import fill_template
from ritornello.system.version import __version__

SHOWN_PASSAGES = 10
LEFT, RIGHT = 20.0, 440.0  # ends of the axis of a tile, in units of the SVG's view box
FEATURES_LEFT, FEATURES_RIGHT = 150, 810  # ends of the axis of the plot of all features
POWERS = (1, 2, 5, 10, 20, 50, 100, 1000)  # marks of a logarithmic axis
SIGNS = {  # the sign of each control in plots: a path around 0, 0
    "codec": "M-5 0h10M0 -5v10",
    "bars shuffled": "M-4.5 -4.5h9v9h-9z",
    "n-gram": "M0 -6L5.5 4.5h-11z",
    "marginals": "M-4.5 -4.5l9 9M-4.5 4.5l9 -9",
    "copies": "M0 -6L6 0L0 6L-6 0z",
}

Pair = tuple[Mapping[str, Any], str, str]  # a passage, and the piano rolls of it (SVG) in both songs


class Axis:
    """A horizontal axis, which maps values to x; with `log` it is logarithmic.

    Values beyond an end are put at the end. `marks` are the values that are labelled.
    """

    def __init__(
        self,
        low: float,
        high: float,
        left: float,
        right: float,
        marks: Sequence[float] = (),
        *,
        log: bool = False,
    ) -> None:
        self.low, self.high, self.left, self.right, self.log = low, high, left, right, log
        self.marks = [mark for mark in marks if low <= mark <= high]

    def __call__(self, value: float) -> float:
        """Return the x of a value."""
        value = min(max(value, self.low), self.high)
        low, high, x = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.left + (x - low) / (high - low) * (self.right - self.left), 1)


class Tile(NamedTuple):
    """The card of a metric: its figure, its meaning, and a plot with human songs and the controls."""

    title: str
    figure: str
    text: str
    value: float = 0
    interval: Sequence[float] | None = None
    human: float = 1
    controls: Mapping[str, float] = {}
    axis: Axis | None = None  # None: no plot


def comparison_page(report: dict[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """Return the report of `compare.compare` as HTML; `pairs` are the passages that are drawn."""
    histograms = report["shapes"]
    shown = [each for each in FEATURES if all(histograms[each.name][side] for side in ("composed", "human"))]
    return fill_template(
        "comparison.html",
        title=f"{report['composed']['where']} against {report['human']['where']}",
        report=report,
        pairs=pairs,
        tiles=_tiles(report),
        feature_axis=_feature_axis(report["style"].get("features", ())),
        distributions=[(each, distribution(each.unit, histograms[each.name])) for each in shown],
        COHERENCE_COLUMNS=texts.COHERENCE_COLUMNS,
        CONTROLS=CONTROLS,
        DESCRIPTIONS=DESCRIPTIONS,
        LABEL_COLUMNS=texts.LABEL_COLUMNS,
        SIGNS=SIGNS,
        bars_text=texts.bars_text,
        coherence_rows=texts.coherence_rows,
        comment=texts.comment,
        metric_rows=texts.metric_rows,
        label_rows=lambda labels: [texts.label_row(name, label) for name, label in labels.items()],
        passage_rows=_passage_rows,
        revealing_rows=_revealing_rows,
    )


def description_page(description: dict[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """Return the description of one song as HTML; `pairs` has the passage closest to the training songs."""
    return fill_template(
        "description.html",
        title=description["title"] or Path(description["file"]).name,
        text=description_text(description),
        pairs=pairs,
        bars_text=texts.bars_text,
        version=__version__,
    )


def _tiles(report: Mapping[str, Any]) -> list[Tile]:
    unknown = {"too_few": "no training songs: name them with --model or --corpus"}
    tiles = (
        ("Style", "ratio", _style_tile, report["style"]),
        ("Detector", "auc", _detector_tile, report["detector"]),
        ("Variety", "ratio", _variety_tile, report["variety"]),
        ("Originality", "median", _originality_tile, report["originality"] or unknown),
    )
    return [
        make(figures)
        if figures.get(key) is not None
        else Tile(title, "-", str(figures.get("too_few", "no figure")))
        for title, key, make, figures in tiles
    ]


def _tile(
    title: str, axis: Axis, value: float, text: str, write: Callable[[float], str] = number, **plot: Any
) -> Tile:
    """Return a tile whose text ends with the nearest controls."""
    place = f". Among the controls: {place_among(value, plot['controls'], write)}" if plot["controls"] else ""
    return Tile(title, write(value), text + place, value, axis=axis, **plot)


def _style_tile(style: Mapping[str, Any]) -> Tile:
    controls = {name: value for name, value in style["ladder"].items() if value}
    axis = Axis(0.5, _next_power_of_ten(max(10, style["ratio"])), LEFT, RIGHT, POWERS, log=True)
    having = sum(each["ratio"] is not None for each in style["features"])
    text = f"times the distance of human songs; {style['within_1.5']} of {having} features at most 1.5"
    return _tile("Style", axis, style["ratio"], text, interval=style["interval"], controls=controls)


def _detector_tile(detector: Mapping[str, Any]) -> Tile:
    controls = {name: figures["auc"] for name, figures in detector["controls"].items() if name != "human"}
    axis = Axis(0.3, 1, LEFT, RIGHT, (0.3, 0.5, 0.75, 1))
    text, ends = "AUC of a classifier; 0.5 is human", detector["interval"]
    return _tile("Detector", axis, detector["auc"], text, interval=ends, human=0.5, controls=controls)


def _variety_tile(variety: Mapping[str, Any]) -> Tile:
    controls = {name: figures["ratio"] for name, figures in variety["controls"].items()}
    high = max(1.5, math.ceil(variety["interval"][1] * 2) / 2)
    marks = [mark / 2 for mark in range(1 + round(2 * high))][:: 1 + int(high // 4)]
    axis = Axis(0, high, LEFT, RIGHT, marks)
    text = f"times that of human songs; nearest neighbours {variety['nearest']:.2f}"
    return _tile("Variety", axis, variety["ratio"], text, interval=variety["interval"], controls=controls)


def _originality_tile(originality: Mapping[str, Any]) -> Tile:
    controls = {name: figures["median"] for name, figures in originality["controls"].items()}
    median, human = originality["median"], originality["human"]["median"]
    high = _next_power_of_ten(max(100, median, *controls.values()))
    text = (
        f"notes, the longest run shared with a training song; human {human:g}; {originality['beyond']:.0%} "
        f"of the songs share more than {originality['limit']}, as 5% of human ones"
    )
    axis, ends = Axis(1, high, LEFT, RIGHT, POWERS, log=True), originality["interval"]
    return _tile("Originality", axis, median, text, count, interval=ends, human=human, controls=controls)


def _feature_axis(features: Sequence[Mapping[str, Any]]) -> Axis:
    """Return the axis of the plot of all features."""
    shown = [each for each in features if each["ratio"] is not None]
    ratios = [figures["ratio"] for each in shown for figures in (each, *each["controls"].values())]
    marks = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
    return Axis(0.1, _next_power_of_ten(max([2.0, *ratios])), FEATURES_LEFT, FEATURES_RIGHT, marks, log=True)


def _next_power_of_ten(value: float) -> float:
    """Return the least power of ten that is not below a value."""
    return float(10 ** math.ceil(math.log10(value)))


def place_among(value: float, controls: Mapping[str, float], write: Callable[[float], str] = number) -> str:
    """Return between which controls a figure lies.

    >>> place_among(1.4, {"codec": 1.0, "marginals": 6.0})
    'between codec (1.00) and marginals (6.00)'
    """
    named = [(figure, f"{name} ({write(figure)})") for name, figure in controls.items()]
    below = max((pair for pair in named if pair[0] <= value), default=None)
    above = min((pair for pair in named if pair[0] > value), default=None)
    if below and above:
        return f"between {below[1]} and {above[1]}"
    return f"beyond {below[1]}" if below else f"below {above[1]}" if above else "nowhere"


def _revealing_rows(numbers: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a row for each of the most revealing numbers of a song."""
    return [
        [each["name"], f"{each['composed']:.3g}", f"{each['human']:.3g}", f"{each['auc']:.2f}"]
        for each in numbers
    ]


def _passage_rows(passages: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a row for each of the closest passages."""
    bars = texts.bars_text
    return [
        [each["of"], str(each["notes"]), bars(each["bars"]), each["name"], bars(each["there"])]
        for each in passages[:SHOWN_PASSAGES]
    ]


def distribution(unit: str, histograms: Mapping[str, Sequence[float]]) -> dict[str, Any] | None:
    """Return the plot of a feature's mean histograms: the paths `human` and `composed`, and its axis.

    The plot is 300 wide and 118 high, its floor at 96. None if all shares are zero.
    """
    width, floor = 300.0, 96.0
    bins, shares = histograms["bins"], {side: list(histograms[side]) for side in ("human", "composed")}
    highest = [max(pair) for pair in zip(*shares.values(), strict=True)]
    used = [i for i, share in enumerate(highest) if share > 0.0005]
    if not used:
        return None
    first, last = max(0, used[0] - 1), min(len(bins) - 1, used[-1] + 1)
    axis = Axis(bins[first], bins[last], 8, width - 8)
    # if one bin is much higher than all others, it is cut off so that the others can be seen
    tops = sorted(highest[first : last + 1], reverse=True)
    top = min(tops[0], 1.6 * tops[min(1, len(tops) - 1)]) or 1.0
    step = (axis.right - axis.left) / max(1, last - first) / 2
    paths = {}
    for side, values in shares.items():
        points = []
        for i in range(first, last + 1):
            x, y = axis(bins[i]), floor - min(values[i] / top, 1.0) * (floor - 10)
            points.append(f"{x - step:.1f} {y:.1f}H{x + step:.1f}")
        paths[side] = "L".join(points)
    is_log = unit == "log2 beats"
    return {
        **paths,
        "left": f"{axis.left - step:.1f}",
        "right": f"{axis.right + step:.1f}",
        "ends": (2**axis.low, 2**axis.high) if is_log else (axis.low, axis.high),
        "label": "beats, a logarithmic scale" if is_log else unit,
    }
