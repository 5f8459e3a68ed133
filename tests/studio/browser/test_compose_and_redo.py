"""A song is composed, redone in takes, accepted, undone and exported, as the command line makes it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.studio.browser.pages import Opened, Studio, state_of, until

pytestmark = pytest.mark.browser


def compose(page: Any, **options: str) -> None:
    """Compose a song at once; `options` are texts of the form."""
    page.click("#tab-compose")
    page.click("summary:has-text('More options') >> visible=true")
    for name, value in options.items():
        if name == "genre":
            page.select_option("[data-option=genre] select", value)
        else:
            page.fill(f"#panel-compose [data-option={name}] input", value)
    before = state_of(page, "state.song?.id ?? ''")
    page.click("button:has-text('Compose at once')")
    until(page, f"state.stage === 'song' && state.song && state.song.id !== {before!r}")


def run(command: str, folder: Path, *more: str) -> None:
    """Run a command line of the page in a folder."""
    program, *words = shlex.split(command)
    assert program == "ritornello"
    subprocess.run([sys.executable, "-m", "ritornello", *words, *more], cwd=folder, check=True, timeout=300)


def export(page: Any) -> bytes:
    """The MIDI file that the page gives, by its own link."""
    page.click("button:has-text('Export')")
    with page.expect_download() as download:
        page.click("dialog a:has-text('MIDI') >> nth=0")
    page.keyboard.press("Escape")
    return Path(download.value.path()).read_bytes()


def test_a_song_through_takes_and_back_is_that_of_the_command_line(
    open_page: Opened, studio: Studio, tmp_path: Path
) -> None:
    page = open_page()
    compose(page, genre="game", parts="piano,bass,drums", bars="8", seed="7")
    assert state_of(page, "state.panel") == "redo"
    first = export(page)
    command = state_of(page, "state.content.command")
    run(command, tmp_path)
    assert (tmp_path / "song.mid").read_bytes() == first

    page.fill("#redo-bars", "5-8")
    page.locator("#redo-bars").blur()
    for part in (0, 2):
        page.click(f"#panel-redo .chip[data-part='{part}']")
    assert state_of(page, "state.region") == {"bars": [4, 7], "parts": [1]}
    page.click("button:has-text('Compose takes')")
    until(page, "state.takes && state.takes.items.length === 3")
    assert state_of(page, "state.takes.audible") == 1
    page.locator("#roll").focus()
    page.keyboard.press("2")
    assert state_of(page, "state.takes.audible") == 2
    parts = "(take) => take.ghosts.map((note) => take.content.notes.part[note])"
    assert set(state_of(page, f"state.takes.items.flatMap({parts})")) == {1}, "takes change the bass alone"

    page.keyboard.press("Enter")
    until(page, "!state.takes && state.song.head === 3")
    take = export(page)
    assert take != first
    run(state_of(page, "state.content.command"), tmp_path, "-o", str(tmp_path / "take.mid"))
    assert (tmp_path / "take-2.mid").read_bytes() == take

    page.keyboard.press("Control+z")
    until(page, "state.song.head === 1")
    assert export(page) == first
    page.keyboard.press("Control+Shift+z")
    until(page, "state.song.head === 3")
    assert export(page) == take


def test_the_sketch_is_shown_first_can_be_edited_and_is_followed(open_page: Opened) -> None:
    page = open_page()
    page.select_option("[data-option=genre] select", "fiddle")
    page.fill("#panel-compose [data-option=bars] input", "8")
    page.click("button:has-text('Draw a sketch')")
    until(page, "state.stage === 'sketch'")
    assert state_of(page, "state.content.notes.pitch.length") == 0
    page.fill("[aria-label='Chords of bar 1']", "D")  # so that Am is a new chord in bar 2
    page.locator("[aria-label='Chords of bar 1']").blur()
    page.fill("[aria-label='Chords of bar 2']", "Am")
    page.locator("[aria-label='Chords of bar 2']").blur()
    bar = state_of(page, "state.content.bars.find((bar) => bar.number === 2).tick")
    assert {"tick": bar, "name": "Am"} in state_of(page, "state.content.chords")
    page.click("button:has-text('Compose this sketch')")
    until(page, "state.stage === 'streaming' && state.content.notes.pitch.length > 0")
    until(page, "state.stage === 'song' && state.content.notes.pitch.length > 0")
    assert "Am" in [chord["name"] for chord in state_of(page, "state.content.chords")]


def test_composing_can_be_cancelled(open_page: Opened) -> None:
    page = open_page()
    page.fill("#panel-compose [data-option=bars] input", "400")
    page.click("button:has-text('Compose at once')")
    until(page, "state.stage === 'streaming'")
    page.click("#job button:has-text('Cancel')")
    until(page, "Object.values(state.jobs).every((job) => job.state === 'cancelled')")
    until(page, "state.stage !== 'streaming'")
    assert "cancelled" in page.inner_text("#said")
