"""What the pages of `judge` share: their head with style and policy, and cards with two passages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ritornello.evaluation import report

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { color-scheme: light dark; --ground: #f6f5f1; --card: #ffffff; --line: #dedbd2; --text: #1d2126;
  --faint: #666d76; --ours: #c2500a; --human: #2f84b8; --band: #cfe2ef; --sign: #5b616a; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1216; --card: #161a20; --line: #2a313b; --text: #e8eaed; --faint: #97a1ae;
    --ours: #f08a4b; --human: #56b4e9; --band: #1f3d52; --sign: #b3bac4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 44px 0 6px; }
h3 { font-size: 15px; margin: 0 0 2px; }
p { margin: 0 0 14px; max-width: 76ch; }
.faint { color: var(--faint); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px;
  margin: 0; overflow-x: auto; }
.tiles, .shapes { display: grid; gap: 16px; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); margin-top: 22px; }
.shapes { grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); }
.figure { font-size: 34px; line-height: 1.15; font-weight: 650; letter-spacing: -.01em; margin: 0; }
.figure small { font-size: 15px; font-weight: 400; color: var(--faint); letter-spacing: 0; }
.tiles .faint { font-size: 14px; margin: 2px 0 10px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 8px 0 14px; padding: 0; list-style: none;
  font-size: 14px; }
.legend svg { width: 18px; height: 18px; display: inline-block; vertical-align: -4px; margin-right: 6px; }
.remarks { margin: 18px 0 0; padding: 12px 18px 12px 36px; border-left: 3px solid var(--ours); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px 6px 0; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
th { border-top: 0; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.pair { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.pair figure { margin: 6px 0 0; } .pair img { width: 100%; border-radius: 6px; display: block; }
.pair figcaption { font-size: 14px; margin-bottom: 4px; overflow-wrap: anywhere; }
section.card + section.card { margin-top: 16px; } .tiles .card, .shapes .card { margin-top: 0 !important; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
details li { overflow-wrap: anywhere; }
code { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.wide { margin-bottom: 12px; } .wide svg { min-width: 720px; }
svg { display: block; width: 100%; height: auto; font-size: 13px; }
svg text { fill: var(--text); } svg .axis { fill: var(--faint); font-size: 12px; }
.grid { stroke: var(--line); fill: none; } .one { stroke: var(--human); stroke-width: 1.5; fill: none; }
.band { fill: var(--band); } .human { fill: var(--human); opacity: .35; }
.ours { fill: var(--ours); } .ours.line { fill: none; stroke: var(--ours); stroke-width: 2; }
.sign { fill: none; stroke: var(--sign); stroke-width: 1.6; }
footer { margin-top: 44px; color: var(--faint); font-size: 13px; }
"""
Pair = tuple[Mapping[str, Any], str, str]  # a passage, and the piano rolls of it (SVG) in both songs


def head(title: str) -> Iterator[str]:
    """Yield the page up to its first heading. Its policy forbids the browser to load or run anything else."""
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n<main>"


def pair_cards(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield a card for each passage, with the piano rolls of both songs side by side."""
    for passage, ours, theirs in pairs:
        yield f'<section class="card"><h3>{passage["notes"]} notes in a row</h3><div class="pair">'
        sides = (passage.get("of") or "this song", "bars", ours), (passage["name"], "there", theirs)
        for name, key, svg in sides:
            caption = f"{escape(name)}, {report.bars_text(passage[key])}"
            picture = b64encode(svg.encode()).decode()
            yield f'<figure><figcaption class="faint">{caption}</figcaption>'
            yield f'<img alt="Piano roll: {caption}" src="data:image/svg+xml;base64,{picture}"></figure>'
        yield "</div></section>"
