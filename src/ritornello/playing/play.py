"""The function `r.play`: play a song by the loudspeaker or on a MIDI port."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ritornello import notation
from ritornello.composing.options import Music
from ritornello.music.score import Score
from ritornello.playing.clocks import SystemClock
from ritornello.playing.excerpt import Names, excerpt
from ritornello.playing.messages import play_messages
from ritornello.playing.ports import OutPort, SystemOut
from ritornello.playing.sound import ahead, sound_of_bars
from ritornello.playing.sound_output import SoundOutput, SystemSound
from ritornello.rendering.audio import find_soundfont
from ritornello.rendering.audio.soundfont import SoundFont

OnBar = Callable[[int], None]


def play(
    song: Music,
    *,
    bars: str | range | None = None,
    loop: bool = False,
    metronome: bool = False,
    solo: Names = None,
    mute: Names = None,
    out: str | OutPort | None = None,
    device: str | SoundOutput | None = None,
    soundfont: str | None = None,
    on_bar: OnBar | None = None,
) -> None:
    """Play a song by the loudspeaker, or with `out` on a MIDI port; return when it has ended.

    `bars` is a text such as "9-12", counted from 1 (a pickup is bar 0), or a range of the bars of the
    Timeline, counted from 0. With `loop` they are repeated until Ctrl-C. Parts in `solo` and `mute` are
    names, instruments or numbers from 1. `out` and `device` are names, or objects with the methods of OutPort
    and SoundOutput. `on_bar` is called with the number of each bar when it begins.
    Raises MidiError, PlanError, InputError, FailedError.
    """
    score = _score(song)
    played = excerpt(score, bars=bars, solo=solo, mute=mute, metronome=metronome, is_cut=loop)
    if out is not None:
        port = SystemOut(out) if isinstance(out, str) else out
        with ended_by_signals(), closing(port):
            play_messages(played, port, SystemClock(), loop)
        return
    font = SoundFont.open(find_soundfont(soundfont))
    output = open_sound(device)
    with ended_by_signals(), closing(output):
        for bar, sound in ahead(sound_of_bars(played, font, output.rate_hz, loop)):
            if on_bar:
                on_bar(bar)
            output.write(sound)
        output.finish()


def open_sound(device: str | SoundOutput | None) -> SoundOutput:
    """Open a device by name (None: the system's device), or return the given output. Raises InputError."""
    return SystemSound(device) if device is None or isinstance(device, str) else device


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that no note keeps sounding."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _score(song: Music) -> Score:
    """The notes of a song, with the controllers of its file."""
    return song if isinstance(song, Score) else notation.read(song, with_details=True)
