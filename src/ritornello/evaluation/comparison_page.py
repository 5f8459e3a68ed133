"""A comparison as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere.

All names are escaped, and the page's own policy forbids a browser to load or run anything. It is dark or
light as the reader's system is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ritornello.evaluation import plots, report
from ritornello.evaluation.controls import CONTROLS, DESCRIPTIONS
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.page_frame import Pair, alike, head


def page(found: Mapping[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """The report of `comparison.compare` as HTML; `pairs` are passages to be seen beside each other."""
    return "\n".join(_lines(found, pairs)) + "\n"


def _lines(found: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    ours, theirs = found["composed"], found["human"]
    yield from head(f"{ours['where']} against {theirs['where']}")
    yield "<h1>Is it like human music, and whose is it?</h1>"
    yield f'<p class="faint"><code>{escape(ours["where"])}</code>, {_size(ours)}, against human songs: '
    yield f"<code>{escape(theirs['where'])}</code>, {_size(theirs)}</p>"
    yield _legend()
    if found["remarks"]:
        yield '<ul class="card remarks">'
        yield from (f"<li>{escape(said)}</li>" for said in found["remarks"])
        yield "</ul>"
    yield '<div class="tiles">'
    yield from _tiles(found)
    yield "</div>"
    yield from _style(found)
    yield from _given_away(found["detector"].get("gives_away", []))
    yield from _ladder(found)
    yield from _passages(found["originality"] or {}, pairs)
    yield from _shapes(found["shapes"])
    yield from _labels(found["labels"])
    for side in (ours, theirs):
        yield from _skipped(side)
    yield f"<footer>Made by <code>ritornello judge</code> {escape(found['ritornello'])}, evaluator "
    yield f"{found['evaluator']}, seed {found['seed']}. SHA-256 of the composed songs "
    yield f"<code>{escape(ours['hash'])}</code>, of the human ones "
    yield f"<code>{escape(theirs['hash'])}</code>.</footer>\n</main>\n</body>\n</html>"


def _size(side: Mapping[str, Any]) -> str:
    count = f"{side['used']:,} songs" + (f" of {side['found']:,}" if side["found"] > side["used"] else "")
    return f"{count}, {side['notes']:,} notes"


def _legend() -> str:
    """What the signs mean."""
    ours = '<svg viewBox="-9 -9 18 18"><circle class="ours" r="6"/></svg>composed, with its 95% interval'
    human = '<svg viewBox="-9 -9 18 18"><rect class="band" x="-8" y="-6" width="16" height="12" rx="3"/>'
    human += '<path class="one" d="M0 -9V9"/></svg>human'
    signs = [
        f'<svg viewBox="-9 -9 18 18"><path class="sign" d="{plots.SIGNS[name]}"/></svg>{name}: {description}'
        for name, description in DESCRIPTIONS.items()
    ]
    return f'<ul class="legend">{"".join(f"<li>{item}</li>" for item in (ours, human, *signs))}</ul>'


NAMED = 10  # passages by name
LEFT, RIGHT = 20.0, 440.0  # of the line of a tile


def _tiles(found: Mapping[str, Any]) -> Iterator[str]:
    """The four metrics, each with its place on the ladder."""
    yield _style_tile(found["style"])
    yield _detector_tile(found["detector"])
    yield _variety_tile(found["variety"])
    yield _originality_tile(found["originality"])


def _style_tile(style: Mapping[str, Any]) -> str:
    if style.get("ratio") is None:
        return _too_few("Style", style)
    ladder = {name: value for name, value in style["ladder"].items() if value}
    axis = plots.Axis(0.5, _above(max(10, style["ratio"])), LEFT, RIGHT, log=True)
    strip = plots.strip("Style", axis, _marks(axis), style["ratio"], style["interval"], 1, ladder)
    having = [each for each in style["features"] if each["ratio"] is not None]
    count = f"{style['within_1.5']} of {len(having)} features at most 1.5"
    return _tile("Style", style["ratio"], f"times the distance of human songs; {count}", strip, ladder)


def _detector_tile(detector: Mapping[str, Any]) -> str:
    if "auc" not in detector:
        return _too_few("Detector", detector)
    ladder = {name: of["auc"] for name, of in detector["controls"].items() if name != "human"}
    axis = plots.Axis(0.3, 1, LEFT, RIGHT)
    strip = plots.strip(
        "Detector", axis, (0.3, 0.5, 0.75, 1), detector["auc"], detector["interval"], 0.5, ladder
    )
    return _tile("Detector", detector["auc"], "AUC of a classifier; 0.5 is human", strip, ladder)


def _variety_tile(variety: Mapping[str, Any]) -> str:
    if "ratio" not in variety:
        return _too_few("Variety", variety)
    ladder = {name: of["ratio"] for name, of in variety["controls"].items()}
    axis = plots.Axis(0, max(1.5, math.ceil(variety["interval"][1] * 2) / 2), LEFT, RIGHT)
    marks = [mark / 2 for mark in range(1 + round(2 * axis.high))][:: 1 + int(axis.high // 4)]
    strip = plots.strip("Variety", axis, marks, variety["ratio"], variety["interval"], 1, ladder)
    near = f"times that of human songs; nearest neighbours {variety['nearest']:.2f}"
    return _tile("Variety", variety["ratio"], near, strip, ladder)


def _originality_tile(copied: Mapping[str, Any] | None) -> str:
    if not copied or "median" not in copied:
        nothing = {"too_few": "not asked: --model or --corpus knows the songs learnt from"}
        return _too_few("Originality", copied or nothing)
    ladder = {name: of["median"] for name, of in copied["controls"].items()}
    axis = plots.Axis(1, _above(max(100, copied["median"], *ladder.values())), LEFT, RIGHT, log=True)
    human = copied["human"]["median"]
    strip = plots.strip(
        "Originality", axis, _marks(axis), copied["median"], copied["interval"], human, ladder
    )
    beyond = f"{copied['beyond']:.0%} of the songs share more than {copied['limit']}, as 5% of human songs do"
    words = f"notes, the longest run shared with a song learnt from; human {human:g}; {beyond}"
    return _tile("Originality", copied["median"], words, strip, ladder, report.whole)


def _above(value: float) -> float:
    """The next power of ten."""
    return float(10 ** math.ceil(math.log10(value)))


def _marks(axis: plots.Axis) -> list[float]:
    return [mark for mark in (1, 2, 5, 10, 20, 50, 100, 1000) if axis.low <= mark <= axis.high]


def _tile(
    title: str,
    value: float,
    words: str,
    strip: str,
    ladder: Mapping[str, float],
    write: Callable[[float], str] = report.number,
) -> str:
    """A metric: its figure, what it means, where it lies between the controls, all of them on a line."""
    place = f" On the ladder: {beside(value, ladder, write)}." if ladder else ""
    return (
        f'<section class="card"><h3>{title}</h3><p class="figure">{write(value)}</p>'
        f'<p class="faint">{escape(words)}.{place}</p>{strip}</section>'
    )


def _too_few(title: str, found: Mapping[str, Any]) -> str:
    words = escape(str(found.get("too_few", "no figure")))
    empty = '<p class="figure">-</p>'
    return f'<section class="card"><h3>{title}</h3>{empty}<p class="faint">{words}.</p></section>'


def beside(value: float, ladder: Mapping[str, float], write: Callable[[float], str] = report.number) -> str:
    """Between which controls a figure lies.

    >>> beside(1.4, {"codec": 1.0, "marginals": 6.0})
    'between codec (1.00) and marginals (6.00)'
    """
    named = [f"{name} ({write(of)})" for name, of in ladder.items()]
    below = max((pair for pair in zip(ladder.values(), named, strict=True) if pair[0] <= value), default=None)
    above = min((pair for pair in zip(ladder.values(), named, strict=True) if pair[0] > value), default=None)
    if below and above:
        return f"between {below[1]} and {above[1]}"
    return f"beyond {below[1]}" if below else f"below {above[1]}" if above else "nowhere"


def _style(found: Mapping[str, Any]) -> Iterator[str]:
    """The plot of all features."""
    style = found["style"]
    if "features" not in style:
        return
    yield "<h2>Style, feature by feature</h2>"
    yield (
        '<p class="faint">The Wasserstein distance of the composed songs from human ones, over that of '
        "human songs from each other; the band is where 95% of human halves lie. A feature that lets noise "
        "pass does not discriminate: a low ratio proves nothing there, a high one is a difference still. "
        "The ratio grows with the number of songs "
        f"({max((f['songs_a_side'] for f in style['features']), default=0)} a side here).</p>"
    )
    yield f'<div class="card wide">{plots.features(style["features"])}</div>'
    same = [each for each in style["features"] if each["ratio"] is None]
    for name, remark in [(each["name"], report.remark(each)) for each in same]:
        yield f'<p class="faint">{escape(name)}: {escape(remark)}.</p>'
    for name in style["without_values"]:
        yield f'<p class="faint">{escape(name)}: too few songs have any.</p>'


def _given_away(told: list[dict[str, Any]]) -> Iterator[str]:
    """What tells most, each number alone."""
    if told:
        yield "<h2>What gives the songs away</h2>"
        yield '<p class="faint">Numbers of a song that tell most, each by itself; medians.</p>'
        heads = ["", "composed", "human", "AUC alone"]
        rows = [
            [each["name"], f"{each['composed']:.3g}", f"{each['human']:.3g}", f"{each['auc']:.2f}"]
            for each in told
        ]
        yield _table(heads, rows)


def _ladder(found: dict[str, Any] | Mapping[str, Any]) -> Iterator[str]:
    """All figures beside those of the controls."""
    yield "<h2>The ladder</h2>"
    yield (
        '<p class="faint">Every metric on controls made of the human songs. What does not rank them from '
        "codec to marginals says nothing of the composed songs either.</p>"
    )
    heads = ["", "composed", "95% by song", "human", *CONTROLS]
    yield _table(heads, report.verdicts(dict(found)))


def _passages(copied: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    """The closest passages: their rolls beside each other, or their names alone."""
    if not copied.get("passages"):
        return
    yield "<h2>Closest to what was learnt</h2>"
    yield (
        '<p class="faint">The longest runs of notes that a part shares with a song learnt from, in any key; '
        "lengths of notes do not count. Other parts are not shown.</p>"
    )
    if pairs:
        yield from alike(pairs)
        return
    heads = ["song", "notes in a row", "its bars", "as in", "there"]
    rows = [
        [each["of"], str(each["notes"]), report.bars(each["bars"]), each["name"], report.bars(each["there"])]
        for each in copied["passages"][:NAMED]
    ]
    yield _table(heads, rows)


def _shapes(shapes: Mapping[str, Any]) -> Iterator[str]:
    """How often each value of each feature occurs."""
    yield "<h2>The values themselves</h2>"
    yield '<p class="faint">How often each occurs: human songs as an area, composed ones as a line.</p>'
    yield '<div class="shapes">'
    for feature in FEATURES:
        if shapes[feature.name]["composed"] and shapes[feature.name]["human"]:
            picture = plots.shape(feature.name, feature.unit, shapes[feature.name])
            yield f'<section class="card"><h3>{escape(feature.name)}</h3>{picture}</section>'
    yield "</div>"


def _labels(labels: Mapping[str, Any]) -> Iterator[str]:
    """Figures of each label that has enough songs."""
    if labels:
        yield "<h2>By label</h2>"
        yield _table(
            ["", *report.LABEL_HEADS], [report.label_row(name, about) for name, about in labels.items()]
        )


def _skipped(side: Mapping[str, Any]) -> Iterator[str]:
    """Songs that could not be judged, to unfold."""
    if side["skipped"]:
        items = "".join(
            f"<li><code>{escape(name)}</code> {escape(reason)}</li>"
            for name, reason in side["skipped"].items()
        )
        words = f"{len(side['skipped']):,} of {escape(side['where'])} could not be judged"
        yield f'<details class="faint"><summary>{words}</summary><ul>{items}</ul></details>'


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="card"><table><tr>{head}</tr>{body}</table></div>'
