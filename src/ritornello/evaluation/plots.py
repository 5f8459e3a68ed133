"""The geometry of the plots of a comparison, which templates/plots.html draws as SVG."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SIGNS = {  # of the controls: paths around 0, 0
    "codec": "M-5 0h10M0 -5v10",
    "bars shuffled": "M-4.5 -4.5h9v9h-9z",
    "n-gram": "M0 -6L5.5 4.5h-11z",
    "marginals": "M-4.5 -4.5l9 9M-4.5 4.5l9 -9",
    "copies": "M0 -6L6 0L0 6L-6 0z",
}


class Axis:
    """A horizontal axis: maps values to x, with `log` logarithmically. Values beyond an end are put on it.

    `marks` are the values whose numbers are written; those beyond an end are left out.
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
