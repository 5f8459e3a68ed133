"""The description of one song as a page of HTML that needs no other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ritornello.evaluation.page_frame import Pair, head, pair_cards
from ritornello.evaluation.song_description import description_lines
from ritornello.system.version import __version__


def page(description: Mapping[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """Return a description as HTML; `pairs` has the passage closest to the training songs."""
    return "\n".join(_lines(description, pairs)) + "\n"


def _lines(description: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    name = description["title"] or Path(description["file"]).name
    yield from head(name)
    yield f"<h1>{escape(name)}</h1>"
    text = "\n".join(description_lines(dict(description)))
    yield f'<div class="card"><pre>{escape(text)}</pre></div>'
    if pairs:
        yield "<h2>Closest to the training songs</h2>"
        yield from pair_cards(pairs)
    yield f"<footer>Made by <code>ritornello judge</code> {__version__}.</footer>\n</main>\n</body>\n</html>"
