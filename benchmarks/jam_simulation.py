"""Simulated parts of a jam, for tests and benchmarks: ports in memory, a virtual clock, immediate answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ritornello.errors import FailedError
from ritornello.playing.answers import Composed, JamMusic, Turn, TurnComposer
from ritornello.playing.ports import Message, TimedMessage


class MemoryIn:
    """An input with prepared messages, each received at its time; raises FailedError from `lost_s` on."""

    def __init__(self, messages: Iterable[TimedMessage] = (), lost_s: float = float("inf")) -> None:
        self.waiting, self.lost_s = deque(sorted(messages)), lost_s

    def receive(self, now_s: float) -> list[TimedMessage]:
        """The messages up to `now_s`."""
        if now_s >= self.lost_s:
            raise FailedError("MIDI port 'memory' is gone")
        received = []
        while self.waiting and self.waiting[0].time_s <= now_s:
            received.append(self.waiting.popleft())
        return received

    def close(self) -> None:
        """Do nothing."""


class MemoryOut:
    """An output that keeps what is sent in `messages`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> None:
        """Keep a message."""
        self.messages.append(message)

    def close(self) -> None:
        """Do nothing."""

    def sounding(self) -> set[tuple[int, int]]:
        """The notes (channel, pitch) that were struck and not released."""
        notes: set[tuple[int, int]] = set()
        for status, *data in self.messages:
            note = status & 0x0F, data[0] if data else -1
            if status & 0xF0 == 0x90 and data[1]:
                notes.add(note)
            elif status & 0xF0 in (0x80, 0x90):
                notes.discard(note)
        return notes


class VirtualClock:
    """A clock whose time changes only in `wait_until`."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        """The present time in seconds."""
        return self.time_s

    def wait_until(self, time_s: float) -> None:
        """Move to `time_s`."""
        self.time_s = max(self.time_s, time_s)


class InlineAnswers:
    """Composes at once in this process, for tests and simulations."""

    def __init__(self, music: JamMusic) -> None:
        self._composer, self._done = TurnComposer(music), list[Composed]()

    def ask(self, turn: Turn) -> None:
        """Compose the answer."""
        self._composer.compose(turn, self._done.append)

    def poll(self) -> list[Composed]:
        """Return the notes composed since the last call."""
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        """Do nothing."""
