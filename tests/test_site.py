"""The site that `make docs` builds: no warning, nothing fetched from elsewhere, links that lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
PUBLIC = ("compose", "learn", "train", "Score", "Plan", "Corpus", "Model")

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("sphinx", "furo", "myst_parser"))), reason='needs pip install ".[docs]"'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; building fails at the first warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder / "html")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_the_public_names_are_documented(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in PUBLIC:
        assert re.search(rf'<span class="sig-name descname">.*\b{name}\b', text), name


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(
            r'<(?:script|img|link|iframe)[^>]+(?:src|href)="([^"]+)"', page.read_text("utf-8")
        )
        assert not [address for address in fetched if re.match("(https?:)?//", address)], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", sheet.read_text("utf-8")), sheet.name


def test_links_lead_somewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        for address in re.findall(r'<a [^>]*href="([^"#?]+)', page.read_text("utf-8")):
            if ":" not in address:
                assert (page.parent / unquote(address)).exists(), f"{page.name} links to {address}"
