"""Plots of a comparison as inline SVG. The page's style sheet gives colours to their class names.

Composed songs are a large dot, human songs a band or a line, and each control has its own sign, so that
nothing is shown by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

# Sizes are in units of the SVG's view box.
WIDTH, NAME_WIDTH, COMMENT_WIDTH = (
    1000,
    150,
    190,
)  # of the plot of features, names on its left, comments on its right
ROW_HEIGHT = 26
SIGNS = {  # paths around 0, 0
    "codec": "M-5 0h10M0 -5v10",
    "bars shuffled": "M-4.5 -4.5h9v9h-9z",
    "n-gram": "M0 -6L5.5 4.5h-11z",
    "marginals": "M-4.5 -4.5l9 9M-4.5 4.5l9 -9",
    "copies": "M0 -6L6 0L0 6L-6 0z",
}


class Axis:
    """A horizontal axis: maps values to x, with `log` logarithmically. Values beyond an end are put on it."""

    def __init__(self, low: float, high: float, left: float, right: float, *, log: bool = False) -> None:
        self.low, self.high, self.left, self.right, self.log = low, high, left, right, log

    def __call__(self, value: float) -> float:
        """Return the x of a value."""
        value = min(max(value, self.low), self.high)
        low, high, x = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.left + (x - low) / (high - low) * (self.right - self.left), 1)

    def lines(self, marks: Sequence[float], top: float, bottom: float) -> list[str]:
        """Return grid lines at the marks, with their numbers below."""
        found = []
        for mark in marks:
            x = self(mark)
            found.append(f'<path class="grid" d="M{x} {top}V{bottom}"/>')
            found.append(f'<text class="axis" x="{x}" y="{bottom + 16}" text-anchor="middle">{mark:g}</text>')
        return found


def sign(control: str, x: float, y: float) -> str:
    """Return the sign of a control."""
    place = f'transform="translate({x} {y})"'
    return f'<path class="sign" d="{SIGNS[control]}" {place}><title>{control}</title></path>'


def svg(width: float, height: float, title: str, body: Sequence[str]) -> str:
    """Return a picture, with a title for screen readers."""
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img"><title>{escape(title)}</title>'
    return "\n".join([head, *body, "</svg>"])


def features(figures: Sequence[Mapping[str, Any]]) -> str:
    """Return the plot of the ratios of all features, with the band of human songs and the controls."""
    shown = [each for each in figures if each["ratio"] is not None]
    highest = max([2.0, *(max(e["ratio"], *(c["ratio"] for c in e["controls"].values())) for e in shown)])
    axis = Axis(0.1, 10 ** math.ceil(math.log10(highest)), NAME_WIDTH, WIDTH - COMMENT_WIDTH, log=True)
    bottom = 6 + ROW_HEIGHT * len(shown)
    body = axis.lines([m for m in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if m <= axis.high], 4, bottom)
    body.append(f'<path class="one" d="M{axis(1)} 4V{bottom}"/>')
    for row, each in enumerate(shown):
        y = 6 + ROW_HEIGHT * row + ROW_HEIGHT / 2
        low, high = (axis(end) for end in each["human_interval"])
        body.append(f'<rect class="band" x="{low}" y="{y - 8}" width="{high - low:.1f}" height="16" rx="4"/>')
        body += [sign(name, axis(of["ratio"]), y) for name, of in each["controls"].items()]
        body.append(dot(axis, each["ratio"], each["interval"], y))
        body.append(
            f'<text x="{NAME_WIDTH - 12}" y="{y + 4}" text-anchor="end">{escape(each["name"])}</text>'
        )
        comment = f"{each['ratio']:.2f}" + ("" if each["discriminates"] else "   does not discriminate")
        shade = "" if each["discriminates"] else ' class="axis"'
        body.append(f'<text x="{WIDTH - COMMENT_WIDTH + 14}" y="{y + 4}"{shade}>{comment}</text>')
    return svg(WIDTH, bottom + 24, "Style by feature: 1 is human", body)


def dot(axis: Axis, value: float, interval: Sequence[float] | None, y: float) -> str:
    """Return the dot of a figure of the composed songs, with its interval."""
    ends = f'<path class="ours line" d="M{axis(interval[0])} {y}H{axis(interval[1])}"/>' if interval else ""
    return f'{ends}<circle class="ours" cx="{axis(value)}" cy="{y}" r="6"><title>{value:.3g}</title></circle>'


def strip(
    title: str,
    axis: Axis,
    marks: Sequence[float],
    value: float,
    interval: Sequence[float] | None,
    human: float,
    controls: Mapping[str, float],
) -> str:
    """Return the plot of one metric: composed songs, human songs and controls on one axis."""
    y, bottom = 22.0, 40.0
    body = axis.lines(marks, 4, bottom)
    body.append(f'<path class="one" d="M{axis(human)} 4V{bottom}"/>')
    body += [sign(name, axis(of), y) for name, of in controls.items() if name in SIGNS]
    body.append(dot(axis, value, interval, y))
    return svg(axis.right + 20, bottom + 22, title, body)


def distribution(name: str, unit: str, histograms: Mapping[str, Sequence[float]]) -> str:
    """Return the plot of a feature's mean histograms of human songs (area) and of composed ones (line)."""
    width, height, floor = 300.0, 118.0, 96.0
    bins, shares = histograms["bins"], {side: list(histograms[side]) for side in ("human", "composed")}
    highest = [max(pair) for pair in zip(*shares.values(), strict=True)]
    used = [i for i, share in enumerate(highest) if share > 0.0005]
    if not used:
        return ""
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
    left, right = axis.left - step, axis.right + step
    is_log = unit == "log2 beats"
    ends = (2**axis.low, 2**axis.high) if is_log else (axis.low, axis.high)
    label = "beats, a logarithmic scale" if is_log else unit
    body = [
        f'<path class="human" d="M{left:.1f} {floor}L{paths["human"]}V{floor}z"/>',
        f'<path class="ours line" d="M{paths["composed"]}"/>',
        f'<path class="grid" d="M{left:.1f} {floor}H{right:.1f}"/>',
        f'<text class="axis" x="{axis.left}" y="{height - 6}">{ends[0]:.3g}</text>',
        f'<text class="axis" x="{axis.right}" y="{height - 6}" text-anchor="end">{ends[1]:.3g}</text>',
        f'<text class="axis" x="{width / 2}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>',
    ]
    return svg(width, height, f"{name}, in {unit}", body)
