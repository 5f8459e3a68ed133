"""axe-core finds nothing in any view, dark and light, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio.browser.pages import Opened, state_of, until
from tests.studio.browser.test_editing import drop, four_notes

pytestmark = pytest.mark.browser
__all__ = ["four_notes"]
SIZES = ((1280, 800), (390, 844))


def violations(page: Any, where: str) -> list[str]:
    """What axe-core finds, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{where}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_axe_finds_nothing(open_page: Opened, four_notes: bytes, size: tuple[int, int], scheme: str) -> None:
    page = open_page(*size, scheme)
    found = violations(page, "empty")
    drop(page, four_notes, f"axe{size[0]}{scheme}.mid")
    for tab in ("compose", "redo", "history", "learn"):
        page.click(f"#tab-{tab}")
        found += violations(page, tab)
    for button in ("#bar .icon:has-text('Export')", ".songs", "[aria-label=Keys]"):
        page.locator(button).first.click()
        found += violations(page, button)
        page.keyboard.press("Escape")
    assert found == []


def test_the_roll_is_told_in_words(open_page: Opened, four_notes: bytes) -> None:
    page = open_page()
    drop(page, four_notes, "words.mid")
    page.click("#roll")
    page.keyboard.press("Home")
    until(page, "state.region")
    assert "Bar 1" in page.inner_text("#roll-text")
    assert "2 bars, 1 part" in page.inner_text("#roll-text")
    assert state_of(page, "document.getElementById('said').getAttribute('aria-live')") == "polite"
