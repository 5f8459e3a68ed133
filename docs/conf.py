"""How Sphinx builds the site from docs/*.md and the docstrings of src/; `make docs` calls it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ritornello.system.version import __version__

ROOT = Path(__file__).parents[1]

project = "Ritornello"
author = copyright = "the Ritornello contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.apidoc"]
exclude_patterns = ["renames.md", "api/modules.rst", "api/ritornello.rst"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.xref_missing",  # links to files of the repository that are no pages; tests/test_docs.py checks them
    "ref.python",  # a type of an annotation whose short name two modules have
]

apidoc_modules = [{"path": "../src/ritornello", "destination": "api", "module_first": True, "max_depth": 1}]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 100

smartquotes = False

html_theme = "furo"
html_title = f"Ritornello {version}"
html_show_sourcelink = False


def restructured(lines: list[str]) -> list[str]:
    """A docstring (paragraphs, `code`, lists with -, indented blocks) as reStructuredText."""
    written: list[str] = []
    state = "text"  # or "list", or "code"
    for line in lines:
        is_indented = line.startswith("  ")
        before, state = state, state if not line.strip() else _state(line, is_indented, state)
        if before != state and state == "code":
            written += ["", "::", ""]
        elif before != state:
            written.append("")
        written.append(f"    {line}" if state == "code" else _escaped(line))
    return written


def _state(line: str, is_indented: bool, state: str) -> str:
    """What a line that is not empty belongs to: "text", "list" or "code"."""
    if is_indented and state == "list":
        return "list"
    if is_indented or re.search(r"\S {3,}\S", line):  # an indented block, or columns
        return "code"
    return "list" if re.match(r" ?(-|\d+\.) ", line) else "text"


def _escaped(line: str) -> str:
    """A line whose `code` is literal and whose other signs mean nothing."""
    pieces = re.split(r"`+([^`]+)`+", line.replace("\b", ""))
    pieces[::2] = [re.sub(r"([*|_\\`])", r"\\\1", piece) for piece in pieces[::2]]
    pieces[1::2] = [f"\\ ``{piece}``\\ " for piece in pieces[1::2]]
    return "".join(pieces)


def setup(app: Any) -> None:
    """Let Sphinx read docstrings by way of `restructured`, and shorten the types of arrays."""

    def process(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
        is_generated = lines and lines[0].startswith("Alias for field number")
        lines[:] = [] if is_generated else restructured(lines)

    def shorten(app: Any, what: str, name: str, obj: object, options: object, *signature: str | None) -> Any:
        array = re.compile(r"(?:numpy\.)?ndarray\[tuple\[Any, \.\.\.\], (?:numpy\.)?dtype\[([^\[\]]*)\]\]")
        return tuple(text and array.sub(r"ndarray[\1]", text) for text in signature)

    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", shorten)
