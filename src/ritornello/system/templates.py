"""Fill the templates in ritornello/templates, which are pages and text reports.

A page loads no script, font or picture from elsewhere.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any


def fill_template(template: str, **values: Any) -> str:
    """Return the text of a template.

    In HTML and SVG all values are escaped, except those that a template marks as safe.
    """
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("ritornello"),
        autoescape=select_autoescape(("html", "svg")),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["aligned"] = aligned
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["base64"] = lambda text: b64encode(text.encode()).decode()
    return environment.get_template(template).render(**values)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text; the first column is aligned to the left, the other columns to the right.

    A last column without a heading holds remarks; it is aligned to the left, too.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        if not rows[0][-1]:
            cells[-1] = row[-1]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
