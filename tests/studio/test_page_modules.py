"""The pure modules of the page, tested by node's own runner: tests/studio/page/modules.test.mjs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import ritornello

PAGE = Path(ritornello.__file__).parent / "studio" / "page"
TESTS = Path(__file__).parent / "page" / "modules.test.mjs"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_modules_without_a_browser(tmp_path: Path) -> None:
    for file in PAGE.glob("*.js"):
        shutil.copy(file, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    command = ["node", "--test", str(TESTS)]
    environment = os.environ | {"PAGE": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_code() -> None:
    for file in PAGE.iterdir():
        text = file.read_text()
        outside = text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in outside and "https://" not in outside, file.name
        assert "innerHTML" not in text and "eval(" not in text, file.name
        assert len(text.splitlines()) <= 320, file.name
    page = (PAGE / "index.html").read_text()
    assert " style=" not in page and "<style" not in page and page.count("<script") == 1
    for file in PAGE.glob("*.js"):
        assert f'"{file.name}"' in page, "all modules are named, so that they are fetched at once"
