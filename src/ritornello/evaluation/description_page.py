"""The portrait of one song as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ritornello.evaluation import song_description
from ritornello.evaluation.page_frame import Pair, alike, head
from ritornello.system.version import __version__


def page(found: Mapping[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """A portrait as HTML; `pairs` has the passage closest to what was learnt, with both piano rolls."""
    return "\n".join(_lines(found, pairs)) + "\n"


def _lines(found: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[str]:
    name = found["title"] or Path(found["file"]).name
    yield from head(name)
    yield f"<h1>{escape(name)}</h1>"
    text = "\n".join(song_description.description_lines(dict(found)))
    yield f'<div class="card"><pre>{escape(text)}</pre></div>'
    if pairs:
        yield "<h2>Closest to what was learnt</h2>"
        yield from alike(pairs)
    yield f"<footer>Made by <code>ritornello judge</code> {__version__}.</footer>\n</main>\n</body>\n</html>"
