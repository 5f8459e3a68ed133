"""Plots of a comparison as inline SVG: text and shapes with class names, coloured by the page's style.

The composed songs are a large dot, human songs a band or a line, each control of the ladder a small sign of
its own, so that nothing is told by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, NAME, NOTE = 1000, 150, 190  # of a plot; left of it the names, right of it the remarks
ROW = 26
SIGNS = {  # drawn around 0, 0
    "codec": "M-5 0h10M0 -5v10",
    "bars shuffled": "M-4.5 -4.5h9v9h-9z",
    "n-gram": "M0 -6L5.5 4.5h-11z",
    "marginals": "M-4.5 -4.5l9 9M-4.5 4.5l9 -9",
    "copies": "M0 -6L6 0L0 6L-6 0z",
}


class Axis:
    """From values to places across a plot; with `log` by their logarithm. Values beyond an end lie on it."""

    def __init__(self, low: float, high: float, left: float, right: float, *, log: bool = False) -> None:
        self.low, self.high, self.left, self.right, self.log = low, high, left, right, log

    def __call__(self, value: float) -> float:
        """The place of a value."""
        value = min(max(value, self.low), self.high)
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.left + (at - low) / (high - low) * (self.right - self.left), 1)

    def lines(self, marks: Sequence[float], top: float, bottom: float) -> list[str]:
        """Grid lines with their numbers below."""
        found = []
        for mark in marks:
            x = self(mark)
            found.append(f'<path class="grid" d="M{x} {top}V{bottom}"/>')
            found.append(f'<text class="axis" x="{x}" y="{bottom + 16}" text-anchor="middle">{mark:g}</text>')
        return found


def sign(control: str, x: float, y: float) -> str:
    """The sign of a control."""
    place = f'transform="translate({x} {y})"'
    return f'<path class="sign" d="{SIGNS[control]}" {place}><title>{control}</title></path>'


def svg(width: float, height: float, title: str, body: Sequence[str]) -> str:
    """A picture with its title for who cannot see it."""
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img"><title>{escape(title)}</title>'
    return "\n".join([head, *body, "</svg>"])


def features(found: Sequence[Mapping[str, Any]]) -> str:
    """The ratio of each feature: band of human songs, dot and interval of the composed, controls."""
    shown = [each for each in found if each["ratio"] is not None]
    most = max([2.0, *(max(e["ratio"], *(c["ratio"] for c in e["controls"].values())) for e in shown)])
    axis = Axis(0.1, 10 ** math.ceil(math.log10(most)), NAME, WIDTH - NOTE, log=True)
    bottom = 6 + ROW * len(shown)
    body = axis.lines([m for m in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if m <= axis.high], 4, bottom)
    body.append(f'<path class="one" d="M{axis(1)} 4V{bottom}"/>')
    for row, each in enumerate(shown):
        y = 6 + ROW * row + ROW / 2
        low, high = (axis(end) for end in each["human_interval"])
        body.append(f'<rect class="band" x="{low}" y="{y - 8}" width="{high - low:.1f}" height="16" rx="4"/>')
        body += [sign(name, axis(of["ratio"]), y) for name, of in each["controls"].items()]
        body.append(dot(axis, each["ratio"], each["interval"], y))
        body.append(f'<text x="{NAME - 12}" y="{y + 4}" text-anchor="end">{escape(each["name"])}</text>')
        note = f"{each['ratio']:.2f}" + ("" if each["discriminates"] else "   does not discriminate")
        shade = "" if each["discriminates"] else ' class="axis"'
        body.append(f'<text x="{WIDTH - NOTE + 14}" y="{y + 4}"{shade}>{note}</text>')
    return svg(WIDTH, bottom + 24, "Style by feature: 1 is human", body)


def dot(axis: Axis, value: float, interval: Sequence[float] | None, y: float) -> str:
    """The composed songs' figure with its interval."""
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
    """One metric on one line: composed, human, and the ladder."""
    y, bottom = 22.0, 40.0
    body = axis.lines(marks, 4, bottom)
    body.append(f'<path class="one" d="M{axis(human)} 4V{bottom}"/>')
    body += [sign(name, axis(of), y) for name, of in controls.items() if name in SIGNS]
    body.append(dot(axis, value, interval, y))
    return svg(axis.right + 20, bottom + 22, title, body)


def shape(name: str, unit: str, about: Mapping[str, Sequence[float]]) -> str:
    """How often each value of a feature occurs in human songs (area) and in composed ones (line)."""
    width, height, floor = 300.0, 118.0, 96.0
    shares = {side: list(about[side]) for side in ("human", "composed")}
    heard = [i for i, pair in enumerate(zip(*shares.values(), strict=True)) if max(pair) > 0.0005]
    if not heard:
        return ""
    first, last = max(0, heard[0] - 1), min(len(about["bins"]) - 1, heard[-1] + 1)
    axis = Axis(about["bins"][first], about["bins"][last], 8, width - 8)
    # the tallest bin, such as that of bars unlike any, is cut off rather than hide all others
    tops = sorted(
        (max(shares["human"][i], shares["composed"][i]) for i in range(first, last + 1)), reverse=True
    )
    top = min(tops[0], 1.6 * tops[min(1, len(tops) - 1)]) or 1.0
    step = (axis.right - axis.left) / max(1, last - first) / 2
    paths = {}
    for side, values in shares.items():
        points = []
        for at in range(first, last + 1):
            x, y = axis(about["bins"][at]), floor - min(values[at] / top, 1.0) * (floor - 10)
            points.append(f"{x - step:.1f} {y:.1f}H{x + step:.1f}")
        paths[side] = "L".join(points)
    left, right = axis.left - step, axis.right + step
    is_log = unit == "log2 beats"
    ends = (2**axis.low, 2**axis.high) if is_log else (axis.low, axis.high)
    words = "beats, a logarithmic scale" if is_log else unit
    body = [
        f'<path class="human" d="M{left:.1f} {floor}L{paths["human"]}V{floor}z"/>',
        f'<path class="ours line" d="M{paths["composed"]}"/>',
        f'<path class="grid" d="M{left:.1f} {floor}H{right:.1f}"/>',
        f'<text class="axis" x="{axis.left}" y="{height - 6}">{ends[0]:.3g}</text>',
        f'<text class="axis" x="{axis.right}" y="{height - 6}" text-anchor="end">{ends[1]:.3g}</text>',
        f'<text class="axis" x="{width / 2}" y="{height - 6}" text-anchor="middle">{escape(words)}</text>',
    ]
    return svg(width, height, f"{name}, in {unit}", body)
