"""Playing, on outputs inside the process: sound bar by bar, and MIDI messages in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ritornello
from benchmarks.jam_simulation import MemoryOut, VirtualClock
from ritornello.errors import FailedError
from ritornello.music.score import Part, Score, Tempo
from ritornello.playing.excerpt import excerpt
from ritornello.playing.messages import play_messages
from ritornello.playing.player import Note, Player
from ritornello.playing.ports import Message
from ritornello.playing.sound import sound_of_bars
from ritornello.rendering.audio.mix import mix
from ritornello.rendering.audio.soundfont import Signal, SoundFont
from tests.rendering.audio.fonts import RATE, font


class MemorySound:
    """An output that keeps the sound in `blocks`, each (2, N)."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz, self.blocks, self.is_closed = rate_hz, list[Signal](), False

    def write(self, sound: Signal) -> None:
        """Keep a block."""
        self.blocks.append(sound)

    def finish(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Record that the output was closed."""
        self.is_closed = True


SONG = Score.of(24, [0, 24, 90, 96, 192], [24, 200, 60, 24, 24], [60, 64, 67, 60, 72], [90, 60, 80, 100, 90])


def test_bars_one_by_one_sound_as_the_whole_song(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", {"loop_mode": 1, "release": -1200}))
    whole = mix(SONG, opened, RATE)
    joined = np.concatenate([sound for _, sound in sound_of_bars(excerpt(SONG), opened, RATE)], axis=1)
    gain = joined[0, 100] / whole[0, 100]
    np.testing.assert_allclose(joined[:, : whole.shape[1]], gain * whole, atol=0.002)
    assert joined.shape[1] == 6 * RATE  # to the end of the third bar
    assert not joined[:, whole.shape[1] :].any()


def test_a_loop_comes_again_and_what_rings_on_sounds_in_it(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", {"loop_mode": 1, "release": -1200}))
    bars = sound_of_bars(excerpt(SONG, bars="1"), opened, RATE, loop=True)
    numbers, sounds = zip(*(next(bars) for _ in range(9)), strict=True)
    assert set(numbers) == {1}
    np.testing.assert_array_equal(sounds[3], sounds[6])
    assert not np.array_equal(sounds[0], sounds[3])  # nothing rang before


def test_play_takes_paths_scores_and_songs(tmp_path: Path) -> None:
    output, bars = MemorySound(RATE), list[int]()
    path = tmp_path / "song.mid"
    ritornello.write(SONG, path)
    given = {"soundfont": str(font(tmp_path / "a.sf2", {})), "device": output}
    ritornello.play(path, **given, on_bar=bars.append)
    assert sorted(set(bars)) == [1, 2, 3]
    assert output.is_closed
    length_s = sum(block.shape[1] for block in output.blocks) / RATE
    assert length_s == pytest.approx(6, abs=1)  # three bars of 2 s, and the release


def test_a_composed_song_is_played_as_it_is_written() -> None:
    port = MemoryOut()
    song = ritornello.compose(bars=1, genre="fiddle", tempo=400, seed=1)
    ritornello.play(song, out=port)
    assert sum(m[0] & 0xF0 == 0x90 for m in port.messages) == len(song.score)
    assert not port.sounding()


def test_messages_of_a_song_have_programs_and_end_all_notes() -> None:
    score = Score.of(24, [0, 0], [24, 24], [60, 36], [90, 91], [0, 1], [Part("", 40), Part("", 0, True)])
    port, clock = MemoryOut(), VirtualClock()
    play_messages(excerpt(score), port, clock)
    assert {(0xC0, 40), (0xC9, 0), (0x90, 60, 90), (0x99, 36, 91)} <= set(port.messages)
    assert not port.sounding()
    assert clock.now_s() == pytest.approx(0.6, abs=0.01)  # 0.1 s before the first note


def test_a_loop_of_messages_keeps_time_until_it_is_interrupted() -> None:
    class Interrupted(VirtualClock):
        def wait_until(self, time_s: float) -> None:
            super().wait_until(time_s)
            if time_s > 7:
                raise KeyboardInterrupt

    port, tempi = MemoryOut(), (Tempo(0, 500_000),)
    score = Score.of(24, [0, 72], [24, 200], [60, 64], [90, 90], tempi=tempi)
    with pytest.raises(KeyboardInterrupt):
        play_messages(excerpt(score, is_cut=True), port, Interrupted(), loop=True)
    assert sum(message[:2] == (0x90, 60) for message in port.messages) == 4  # at 0.1, 2.1, 4.1, 6.1 s
    assert not port.sounding()


def test_a_note_that_is_struck_again_ends_first_and_once() -> None:
    port, clock = MemoryOut(), VirtualClock()
    player = Player(port, clock)
    for note in (Note(0, 2, 0, 60, 90), Note(1, 3, 0, 60, 80)):
        player.plan_note(note)
    for time_s in range(4):
        clock.wait_until(time_s)
        player.send_due()
    on, off = (0x90, 60, 90), (0x80, 60, 0)
    assert port.messages == [on, off, (0x90, 60, 80), off]


def test_notes_that_are_planned_too_late_are_left_out() -> None:
    clock = VirtualClock()
    clock.wait_until(5)
    player = Player(MemoryOut(), clock)
    player.plan_note(Note(4.9, 5.5, 0, 60, 90))
    player.plan_note(Note(4.98, 5.5, 0, 60, 90))
    player.send_due()
    assert (player.left_out, len(player.lateness_s)) == (1, 1)
    assert player.lateness_s[0] == pytest.approx(0.02)


def test_all_notes_end_also_if_the_port_fails_in_between() -> None:
    class Failing(MemoryOut):
        def send(self, message: Message) -> None:
            if message[:2] == (0x90, 62):
                raise FailedError("MIDI port is gone")
            super().send(message)

    port, score = Failing(), Score.of(24, [0, 24], [96, 24], [60, 62], [90, 90])
    with pytest.raises(FailedError):
        play_messages(excerpt(score), port, VirtualClock())
    assert not port.sounding()
