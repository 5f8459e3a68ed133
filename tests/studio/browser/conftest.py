"""A studio in a process of its own, and a browser that looks at it; `make test-studio` installs both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.studio.browser.pages import Opened, Studio

START_S = 60


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with an empty folder of songs."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "music").mkdir()
    command = [sys.executable, "-m", "ritornello", "studio", str(folder / "songs"), "--no-browser"]
    command += ["--music", str(folder / "music")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        found = re.search(r"http\S+", process.stdout.readline())
        assert found, "the studio prints its address"
        yield Studio(found.group(), folder / "songs", folder / "music")
        process.terminate()
        process.wait(START_S)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser of the system."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(studio: Studio, chromium: Any) -> Iterator[Opened]:
    """A function that opens the page: open_page(390, 844, "dark"). Errors in the page fail the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def open_it(width: int = 1280, height: int = 800, scheme: str = "dark", script: str = "") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        if script:
            page.add_init_script(script)
        page.goto(studio.address)
        page.wait_for_selector("[role=tab]")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []
