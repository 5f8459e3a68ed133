"""Send planned MIDI messages when they are due, and end every note, also after an error.

A message is planned for a place: a time in seconds, or a beat, whose time follows from the tempo.
"""

import heapq
import itertools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ritornello.errors import FailedError
from ritornello.playing.clocks import Clock
from ritornello.playing.ports import Message, OutPort

NOTE_OFF, NOTE_ON, CONTROLLER = 0x80, 0x90, 0xB0
SUSTAIN, ALL_NOTES_OFF = 64, 123  # controllers
MOST_LATE_S = 0.03  # a note that is planned more than this too late is left out
OFF, OTHER, ON = range(3)  # the order of messages at one place


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C during the block, which must be short, if this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Note(NamedTuple):
    """A note: its start and end in beats or seconds, channel 0-15, pitch and velocity 0-127."""

    start: float
    end: float
    channel: int
    pitch: int
    velocity: int


class Player:
    """Sends planned messages; knows which notes sound. `time_of` returns the time in seconds of a place."""

    def __init__(
        self, port: OutPort, clock: Clock, time_of: Callable[[float], float] = lambda place: place
    ) -> None:
        self.port, self.clock, self.time_of = port, clock, time_of
        self.lateness_s: list[float] = []  # of each note that was sent
        self.left_out = 0  # notes that were planned too late
        self._planned: list[tuple[float, int, int, Message]] = []  # a heap: place, order, number, message
        self._numbers = itertools.count()
        self._sounding: dict[tuple[int, int], int] = {}  # (channel, pitch): number of the note
        self._channels: set[int] = set()

    def plan(self, place: float, message: Message) -> None:
        """Plan a message other than a note."""
        heapq.heappush(self._planned, (place, OTHER, next(self._numbers), message))

    def plan_note(self, note: Note) -> None:
        """Plan a note and its end, or leave it out if it is late by more than MOST_LATE_S."""
        if self.clock.now_s() - self.time_of(note.start) > MOST_LATE_S:
            self.left_out += 1
            return
        number = next(self._numbers)
        end = max(note.end, note.start)
        on = (NOTE_ON | note.channel, note.pitch, note.velocity)
        heapq.heappush(self._planned, (note.start, ON, number, on))
        heapq.heappush(self._planned, (end, OFF, number, (NOTE_OFF | note.channel, note.pitch, 0)))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is planned."""
        return not self._planned

    @property
    def next_s(self) -> float:
        """When the next message is due, in seconds of the clock; infinite if none is planned."""
        return self.time_of(self._planned[0][0]) if self._planned else float("inf")

    def send_due(self) -> None:
        """Send all messages that are due. Raises FailedError if the port is gone."""
        while self._planned:
            due_s, now_s = self.time_of(self._planned[0][0]), self.clock.now_s()
            if due_s > now_s:
                return
            _, order, number, message = heapq.heappop(self._planned)
            if order == OTHER:
                self._channels.update([message[0] & 0x0F] if message[0] < 0xF0 else [])
                self.port.send(message)
                continue
            note = message[0] & 0x0F, message[1]
            if order == OFF:
                if self._sounding.get(note) == number:
                    self._release(note)
                continue
            if note in self._sounding:
                self._release(note)
            self._sounding[note] = number
            self._channels.add(note[0])
            self.port.send(message)
            self.lateness_s.append(now_s - due_s)

    def forget(self) -> None:
        """Discard the planned messages, and end the notes that sound."""
        self._planned.clear()
        for note in list(self._sounding):
            self._release(note)

    @without_interrupts()
    def silence(self) -> None:
        """Discard the planned messages and end all notes, even if the port fails or Ctrl-C is pressed."""
        self._planned.clear()
        for note in list(self._sounding):
            with suppress(FailedError):
                self._release(note)
        self._sounding.clear()
        for channel in self._channels:
            for controller in (SUSTAIN, ALL_NOTES_OFF):
                with suppress(FailedError):
                    self.port.send((CONTROLLER | channel, controller, 0))

    def _release(self, note: tuple[int, int]) -> None:
        self.port.send((NOTE_OFF | note[0], note[1], 0))
        self._sounding.pop(note)  # after the message is sent, in case Ctrl-C comes in between
