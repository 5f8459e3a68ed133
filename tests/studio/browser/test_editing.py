"""Editing in the roll by mouse and keyboard, dropped files, mixer, MIDI ports, speed with many notes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello import midi
from ritornello.music.score import Part, Score
from tests.studio.browser.pages import Opened, Studio, state_of, until

pytestmark = pytest.mark.browser

NOTES_OF_A_LARGE_SONG = 10_000
FRAME_LIMIT_MS = 16
FIRST_SOUND_LIMIT_MS = 100
FIRST_PAGE_LIMIT_MS = 4000  # 1,000 on a machine that does nothing else, which is the aim
FRAMES = 100
# a frame in which everything is drawn anew: another zoom, another place
FRAME = """async (at) => {
  const {roll, store} = studio;
  store.dispatch({type: 'view', values: {beat_px: 2 + at / 12}});
  roll.scroller.scrollLeft = at * 3;
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
}"""
DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const drop = new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.getElementById('stage').dispatchEvent(drop);
}"""
MIDI_PORTS = """
const input = {name: 'keys', onmidimessage: null};
const output = {name: 'synth', id: 'synth', sent: [], send(data) { this.sent.push([...data]); }, clear() {}};
window.ports = {input, output};
const access = {inputs: new Map([['keys', input]]), outputs: new Map([['synth', output]])};
navigator.requestMIDIAccess = async () => access;
"""


def midi_file(path: Path, notes: Sequence[tuple[int, int, int, int]], parts: int = 1) -> bytes:
    """A file of notes (part, pitch, onset and duration in ticks of 480 a beat), all of velocity 80."""
    columns = np.array(sorted(notes), np.int64).T
    score = Score.of(
        480,
        part=columns[0],
        pitch=columns[1],
        velocity=np.full(columns.shape[1], 80),
        onset_ticks=columns[2],
        duration_ticks=columns[3],
        parts=tuple(Part("", 8 * part, False) for part in range(parts)),
    )
    midi.write(score, path)
    return path.read_bytes()


def drop(page: Any, data: bytes, name: str) -> None:
    """Drop a file on the page, and wait until it is open."""
    page.evaluate(DROP, [base64.b64encode(data).decode(), name])
    stem = name.partition(".")[0]
    until(page, f"state.song && state.song.name.startsWith({stem!r}) && state.stage === 'song'")


@pytest.fixture
def four_notes(tmp_path: Path) -> bytes:
    """Two bars of 4/4: C4 D4 E4 F4 as half notes."""
    notes = [(0, pitch, 960 * at, 960) for at, pitch in enumerate((60, 62, 64, 65))]
    return midi_file(tmp_path / "four.mid", notes)


def pitches(page: Any) -> list[int]:
    found: list[int] = state_of(page, "state.content.notes.pitch")
    return found


def test_keyboard_alone_selects_edits_and_takes_back(open_page: Opened, four_notes: bytes) -> None:
    page = open_page()
    drop(page, four_notes, "keys.mid")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips to the roll
    page.locator("#roll").focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#said").startswith("Bar 2, ")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.inner_text("#said").startswith("Bars 1-2, ")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert page.inner_text("#said").startswith("C4, ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert pitches(page) == [60, 74, 64, 65]
    page.keyboard.press("Control+ArrowUp")
    page.keyboard.press("Alt+Shift+ArrowLeft")
    page.keyboard.press("Delete")
    assert pitches(page) == [60, 64, 65]
    until(page, "state.song.head === 5")
    page.reload()
    until(page, "state.song && state.content")
    assert pitches(page) == [60, 64, 65], "each edit is a version on the disk"
    for _ in range(4):
        page.keyboard.press("Control+z")
    until(page, "state.song.head === 1")
    assert pitches(page) == [60, 62, 64, 65]
    page.keyboard.press("Control+Shift+z")
    until(page, "state.song.head === 2")
    page.locator("#roll").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    assert state_of(page, "state.song.locks") == [{"part": 0, "bars": [2, 2]}]


def test_the_mouse_moves_stretches_and_draws_notes(open_page: Opened, four_notes: bytes) -> None:
    page = open_page()
    drop(page, four_notes, "mouse.mid")
    page.wait_for_timeout(300)
    box = """() => { const {roll, store} = studio; const {content} = store.get(); const lane = roll.lanes[0];
      const {left, top} = roll.over.getBoundingClientRect(); const {beat_px} = store.get().view;
      return {left, top: top + lane.top, beat: beat_px, row: lane.row_px, rows: lane.rows}; }"""
    at = page.evaluate(box)
    y = at["top"] + (at["rows"].index(60) + 0.5) * at["row"]
    page.mouse.move(at["left"] + at["beat"], y)
    page.mouse.down()
    page.mouse.move(at["left"] + at["beat"] * 1.5, y)
    page.mouse.move(at["left"] + at["beat"] * 2, y - 2 * at["row"])
    page.mouse.up()
    until(page, "state.song.head === 2")
    assert (62, 480) in zip(pitches(page), state_of(page, "state.content.notes.onset_ticks"), strict=True)
    page.locator("#roll").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    at = page.evaluate(box)  # the lane has other rows now
    page.mouse.click(at["left"] + at["beat"] * 6.1, at["top"] + (at["rows"].index(60) + 0.5) * at["row"])
    until(page, "state.song.head === 3")
    assert 60 in pitches(page)
    lane = page.locator("#velocities").bounding_box()
    page.mouse.click(lane["x"] + 2 * at["beat"], lane["y"] + 2)
    until(page, "state.song.head === 4")
    assert 127 in state_of(page, "state.content.notes.velocity")


def test_first_sound_comes_at_once_and_parts_can_be_muted(open_page: Opened, four_notes: bytes) -> None:
    page = open_page()
    drop(page, four_notes, "sound.mid")
    page.wait_for_timeout(3000)
    page.click("#roll")
    page.keyboard.press(" ")
    until(page, "studio.player.tick() > 0")
    delay_ms = page.evaluate("() => studio.player.start_delay_ms")
    print(f"first sound {delay_ms:.0f} ms after play")
    assert delay_ms < FIRST_SOUND_LIMIT_MS
    page.keyboard.press("m")
    assert state_of(page, "state.song.mixer.parts[0].mute") is True
    page.keyboard.press("l")
    assert state_of(page, "state.transport.loop") is not None
    page.keyboard.press(" ")
    assert state_of(page, "state.transport.is_playing") is False


def test_a_keyboard_is_recorded_and_a_port_gets_the_song(open_page: Opened, four_notes: bytes) -> None:
    page = open_page(script=MIDI_PORTS)
    drop(page, four_notes, "ports.mid")
    page.click("[aria-label='Sound and MIDI']")
    page.select_option("#midi-output", "synth")
    page.keyboard.press("Escape")
    page.click("[aria-label='Record from a MIDI keyboard']")
    until(page, "studio.player.tick() > 100")
    page.evaluate("() => ports.input.onmidimessage({data: [0x90, 72, 100]})")
    page.wait_for_timeout(500)
    page.evaluate("() => ports.input.onmidimessage({data: [0x80, 72, 0]})")
    page.click("[aria-label='Stop']")
    until(page, "state.song.head === 2")
    assert 72 in pitches(page)
    assert [0x90, 60, 80] in page.evaluate("() => ports.output.sent")


def test_a_large_song_scrolls_and_zooms_within_a_frame(open_page: Opened, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    count = 3 * NOTES_OF_A_LARGE_SONG
    columns = [generator.integers(0, high, count).tolist() for high in (8, 12, 2000)]
    notes = {
        (part, 48 + 2 * step + 12 * (part % 2), 120 * time, 110)
        for part, step, time in zip(*columns, strict=True)
    }
    data = midi_file(tmp_path / "large.mid", sorted(notes)[:: len(notes) // NOTES_OF_A_LARGE_SONG], 8)
    page = open_page()
    drop(page, data, "large.mid")
    assert len(pitches(page)) >= NOTES_OF_A_LARGE_SONG
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})  # of the page's thread alone

    def script_ms() -> float:
        found = {each["name"]: each["value"] for each in metrics.send("Performance.getMetrics")["metrics"]}
        return 1000 * float(found["ScriptDuration"])

    page.evaluate(FRAME, 0)
    times = []
    for at in range(FRAMES):
        before = script_ms()
        page.evaluate(FRAME, at)
        times.append(script_ms() - before)
    within = float(np.mean(np.array(times) < FRAME_LIMIT_MS))
    middle_ms, most_ms = np.median(times), np.percentile(times, 95)
    print(f"{len(pitches(page)):,} notes, zoomed and scrolled: script time of a frame {middle_ms:.1f} ms in")
    print(f"the middle, {most_ms:.1f} ms at 95%; {within:.0%} below {FRAME_LIMIT_MS} ms")
    assert min(times) > 0
    assert within >= 0.95


def test_the_first_page_is_shown_within_a_second(open_page: Opened, studio: Studio) -> None:
    page = open_page()
    page.reload()
    page.wait_for_selector("[role=tab]")
    shown_ms = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"first page after {shown_ms:.0f} ms")
    assert shown_ms < FIRST_PAGE_LIMIT_MS
