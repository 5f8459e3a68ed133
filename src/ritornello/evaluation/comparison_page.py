"""The report of a comparison as a page of HTML that needs no other file: no script, font or picture.

All names are escaped. The page is dark or light as the reader's system is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ritornello.evaluation import plots
from ritornello.evaluation.controls import CONTROLS, DESCRIPTIONS
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.page_frame import Pair, head, pair_cards
from ritornello.evaluation.report import (
    LABEL_COLUMNS,
    bars_text,
    comment,
    count,
    label_row,
    metric_rows,
    number,
)

SHOWN_PASSAGES = 10
LEFT, RIGHT = 20.0, 440.0  # ends of the axis of a tile


def page(report: Mapping[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """Return the report of `compare.compare` as HTML; `pairs` are the passages that are drawn."""
    return "\n".join(_lines(report, pairs)) + "\n"


def _lines(report: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    ours, theirs = report["composed"], report["human"]
    yield from head(f"{ours['where']} against {theirs['where']}")
    yield "<h1>Is it like human music, and is it original?</h1>"
    yield f'<p class="faint"><code>{escape(ours["where"])}</code>, {_size(ours)}, against human songs: '
    yield f"<code>{escape(theirs['where'])}</code>, {_size(theirs)}</p>"
    yield _legend()
    if report["remarks"]:
        yield '<ul class="card remarks">'
        yield from (f"<li>{escape(warning)}</li>" for warning in report["remarks"])
        yield "</ul>"
    yield '<div class="tiles">'
    yield _style_tile(report["style"])
    yield _detector_tile(report["detector"])
    yield _variety_tile(report["variety"])
    yield _originality_tile(report["originality"])
    yield "</div>"
    yield from _style(report["style"])
    yield from _revealing_numbers(report["detector"].get("gives_away", []))
    yield from _controls(report)
    yield from _passages(report["originality"] or {}, pairs)
    yield from _distributions(report["shapes"])
    yield from _labels(report["labels"])
    for group in (ours, theirs):
        yield from _skipped(group)
    yield f"<footer>Made by <code>ritornello judge</code> {escape(report['ritornello'])}, evaluator "
    yield f"{report['evaluator']}, seed {report['seed']}. SHA-256 of the composed songs "
    yield f"<code>{escape(ours['hash'])}</code>, of the human ones "
    yield f"<code>{escape(theirs['hash'])}</code>.</footer>\n</main>\n</body>\n</html>"


def _size(group: Mapping[str, Any]) -> str:
    total = f" of {group['found']:,}" if group["found"] > group["used"] else ""
    return f"{group['used']:,} songs{total}, {group['notes']:,} notes"


def _legend() -> str:
    """Return the legend of the signs."""
    ours = '<svg viewBox="-9 -9 18 18"><circle class="ours" r="6"/></svg>composed, with its 95% interval'
    human = '<svg viewBox="-9 -9 18 18"><rect class="band" x="-8" y="-6" width="16" height="12" rx="3"/>'
    human += '<path class="one" d="M0 -9V9"/></svg>human'
    signs = [
        f'<svg viewBox="-9 -9 18 18"><path class="sign" d="{plots.SIGNS[name]}"/></svg>{name}: {description}'
        for name, description in DESCRIPTIONS.items()
    ]
    return f'<ul class="legend">{"".join(f"<li>{item}</li>" for item in (ours, human, *signs))}</ul>'


def _style_tile(style: Mapping[str, Any]) -> str:
    if style.get("ratio") is None:
        return _too_few("Style", style)
    controls = {name: value for name, value in style["ladder"].items() if value}
    axis = plots.Axis(0.5, _next_power_of_ten(max(10, style["ratio"])), LEFT, RIGHT, log=True)
    strip = plots.strip("Style", axis, _marks(axis), style["ratio"], style["interval"], 1, controls)
    having = [each for each in style["features"] if each["ratio"] is not None]
    within = f"{style['within_1.5']} of {len(having)} features at most 1.5"
    return _tile("Style", style["ratio"], f"times the distance of human songs; {within}", strip, controls)


def _detector_tile(detector: Mapping[str, Any]) -> str:
    if "auc" not in detector:
        return _too_few("Detector", detector)
    controls = {name: figures["auc"] for name, figures in detector["controls"].items() if name != "human"}
    axis = plots.Axis(0.3, 1, LEFT, RIGHT)
    strip = plots.strip(
        "Detector", axis, (0.3, 0.5, 0.75, 1), detector["auc"], detector["interval"], 0.5, controls
    )
    return _tile("Detector", detector["auc"], "AUC of a classifier; 0.5 is human", strip, controls)


def _variety_tile(variety: Mapping[str, Any]) -> str:
    if "ratio" not in variety:
        return _too_few("Variety", variety)
    controls = {name: figures["ratio"] for name, figures in variety["controls"].items()}
    axis = plots.Axis(0, max(1.5, math.ceil(variety["interval"][1] * 2) / 2), LEFT, RIGHT)
    marks = [mark / 2 for mark in range(1 + round(2 * axis.high))][:: 1 + int(axis.high // 4)]
    strip = plots.strip("Variety", axis, marks, variety["ratio"], variety["interval"], 1, controls)
    near = f"times that of human songs; nearest neighbours {variety['nearest']:.2f}"
    return _tile("Variety", variety["ratio"], near, strip, controls)


def _originality_tile(originality: Mapping[str, Any] | None) -> str:
    if not originality or "median" not in originality:
        unknown = {"too_few": "no training songs: name them with --model or --corpus"}
        return _too_few("Originality", originality or unknown)
    controls = {name: figures["median"] for name, figures in originality["controls"].items()}
    median, human = originality["median"], originality["human"]["median"]
    axis = plots.Axis(1, _next_power_of_ten(max(100, median, *controls.values())), LEFT, RIGHT, log=True)
    ends = originality["interval"]
    strip = plots.strip("Originality", axis, _marks(axis), median, ends, human, controls)
    beyond = f"{originality['beyond']:.0%} of the songs share more than {originality['limit']}"
    text = (
        f"notes, the longest run shared with a training song; human {human:g}; {beyond}, as 5% of human ones"
    )
    return _tile("Originality", median, text, strip, controls, count)


def _next_power_of_ten(value: float) -> float:
    """Return the least power of ten that is not below a value."""
    return float(10 ** math.ceil(math.log10(value)))


def _marks(axis: plots.Axis) -> list[float]:
    return [mark for mark in (1, 2, 5, 10, 20, 50, 100, 1000) if axis.low <= mark <= axis.high]


def _tile(
    title: str,
    value: float,
    text: str,
    strip: str,
    controls: Mapping[str, float],
    write: Callable[[float], str] = number,
) -> str:
    """Return the card of a metric: its figure, its meaning, the nearest controls, and a plot of all."""
    place = f" Among the controls: {place_among(value, controls, write)}." if controls else ""
    return (
        f'<section class="card"><h3>{title}</h3><p class="figure">{write(value)}</p>'
        f'<p class="faint">{escape(text)}.{place}</p>{strip}</section>'
    )


def _too_few(title: str, figures: Mapping[str, Any]) -> str:
    """Return the card of a metric without a figure, with the reason."""
    text = escape(str(figures.get("too_few", "no figure")))
    empty = '<p class="figure">-</p>'
    return f'<section class="card"><h3>{title}</h3>{empty}<p class="faint">{text}.</p></section>'


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


def _style(style: Mapping[str, Any]) -> Iterator[str]:
    """Yield the plot of all features."""
    if "features" not in style:
        return
    yield "<h2>Style, feature by feature</h2>"
    yield (
        '<p class="faint">The Wasserstein distance of the composed songs from human ones, divided by that of '
        "human songs from each other; the band is where 95% of human halves lie. A feature in which noise "
        "looks human does not discriminate: a low ratio proves nothing there, a high one is a difference. "
        "The ratio grows with the number of songs "
        f"({max((f['songs_a_side'] for f in style['features']), default=0)} of each here).</p>"
    )
    yield f'<div class="card wide">{plots.features(style["features"])}</div>'
    for feature in style["features"]:
        if feature["ratio"] is None:
            yield f'<p class="faint">{escape(feature["name"])}: {escape(comment(feature))}.</p>'
    for name in style["without_values"]:
        yield f'<p class="faint">{escape(name)}: too few songs have any.</p>'


def _revealing_numbers(numbers: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table of the numbers that alone tell most."""
    if numbers:
        yield "<h2>What gives the songs away</h2>"
        yield '<p class="faint">Numbers of a song that tell most, each by itself; medians.</p>'
        header = ["", "composed", "human", "AUC alone"]
        rows = [
            [each["name"], f"{each['composed']:.3g}", f"{each['human']:.3g}", f"{each['auc']:.2f}"]
            for each in numbers
        ]
        yield _table(header, rows)


def _controls(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of all figures and those of the controls."""
    yield "<h2>The controls</h2>"
    yield (
        '<p class="faint">Every metric on controls made of the human songs. A metric that does not rank them '
        "from codec to marginals says nothing about the composed songs either.</p>"
    )
    yield _table(["", "composed", "95% by song", "human", *CONTROLS], metric_rows(dict(report)))


def _passages(originality: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield the closest passages: the piano rolls of both songs, or else a table."""
    if not originality.get("passages"):
        return
    yield "<h2>Closest to the training songs</h2>"
    yield (
        '<p class="faint">The longest runs of notes that a part shares with a training song, in any key; '
        "durations do not count. Other parts are not shown.</p>"
    )
    if pairs:
        yield from pair_cards(pairs)
        return
    header = ["song", "notes in a row", "its bars", "as in", "there"]
    rows = [
        [each["of"], str(each["notes"]), bars_text(each["bars"]), each["name"], bars_text(each["there"])]
        for each in originality["passages"][:SHOWN_PASSAGES]
    ]
    yield _table(header, rows)


def _distributions(histograms: Mapping[str, Any]) -> Iterator[str]:
    """Yield a plot of the distribution of each feature."""
    yield "<h2>The values themselves</h2>"
    yield '<p class="faint">How often each occurs: human songs as an area, composed ones as a line.</p>'
    yield '<div class="shapes">'
    for feature in FEATURES:
        if histograms[feature.name]["composed"] and histograms[feature.name]["human"]:
            picture = plots.distribution(feature.name, feature.unit, histograms[feature.name])
            yield f'<section class="card"><h3>{escape(feature.name)}</h3>{picture}</section>'
    yield "</div>"


def _labels(labels: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of the figures of each label."""
    if labels:
        yield "<h2>By label</h2>"
        yield _table(["", *LABEL_COLUMNS], [label_row(name, label) for name, label in labels.items()])


def _skipped(group: Mapping[str, Any]) -> Iterator[str]:
    """Yield the list of songs that could not be judged, folded."""
    if group["skipped"]:
        items = "".join(
            f"<li><code>{escape(name)}</code> {escape(reason)}</li>"
            for name, reason in group["skipped"].items()
        )
        text = f"{len(group['skipped']):,} of {escape(group['where'])} could not be judged"
        yield f'<details class="faint"><summary>{text}</summary><ul>{items}</ul></details>'


def _table(header: list[str], rows: list[list[str]]) -> str:
    head_cells = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="card"><table><tr>{head_cells}</tr>{body}</table></div>'
