"""HTML pages that load nothing from elsewhere, made from the templates in ritornello/templates."""

from base64 import b64encode
from typing import Any


def render_page(template: str, **values: Any) -> str:
    """Return the HTML of a template. All texts are escaped, except those that a template marks as safe."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("ritornello"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["base64"] = lambda text: b64encode(text.encode()).decode()
    return environment.get_template(template).render(**values)
