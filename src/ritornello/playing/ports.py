"""The MIDI ports of the system, through the library python-rtmidi.

A message is a tuple of its bytes, such as (0x90, pitch, velocity). No function here blocks.
"""

from collections import deque
from time import perf_counter
from typing import Any, Literal, NamedTuple, Protocol

from ritornello.errors import FailedError, InputError
from ritornello.playing.sound_output import quiet_stderr
from ritornello.system.extras import require_extra

VIRTUAL = "virtual"  # this name creates a port to which other programs can connect
CLIENT = "Ritornello"
CHECK_S = 1.0  # the time between two checks that a port still exists

Message = tuple[int, ...]
Direction = Literal["in", "out"]


class TimedMessage(NamedTuple):
    """A message and the time in seconds at which it came."""

    time_s: float
    message: Message


class InPort(Protocol):
    """A port from which messages come."""

    def receive(self, now_s: float) -> list[TimedMessage]:
        """The messages that came since the last call, in order. Raises FailedError if the port is gone."""

    def close(self) -> None:
        """Free the port."""


class OutPort(Protocol):
    """A port to which messages are sent."""

    def send(self, message: Message) -> None:
        """Send a message at once. Raises FailedError if the port is gone."""

    def close(self) -> None:
        """Free the port."""


class _SystemPort:
    """The base class of inputs and outputs: finds a port by its name, and checks that it still exists."""

    def __init__(self, name: str, direction: Direction) -> None:
        """Open a port by its name, a part of it, or its number from 1. Raises InputError."""
        with quiet_stderr():
            self.midi = _rtmidi(direction)
            if name == VIRTUAL:
                self.name = name
                self.midi.open_virtual_port(CLIENT)
            else:
                names = self.midi.get_ports()
                index = _index(name, names, direction)
                self.name = names[index]
                self.midi.open_port(index, CLIENT)
        self._checked_s = perf_counter()

    def check(self) -> None:
        """Check at most once in CHECK_S that the port exists. Raises FailedError if it is gone."""
        now_s = perf_counter()
        if self.name == VIRTUAL or now_s < self._checked_s + CHECK_S:
            return
        self._checked_s = now_s
        if self.name not in self.midi.get_ports():
            raise FailedError(f"MIDI port {self.name!r} is gone")

    def close(self) -> None:
        """Free the port."""
        self.midi.close_port()
        self.midi.delete()


class SystemIn(_SystemPort):
    """A MIDI input of the system. Another thread receives its messages and records their times."""

    def __init__(self, name: str) -> None:
        """Open the input of this name or number. Raises InputError."""
        super().__init__(name, "in")
        self._waiting: deque[TimedMessage] = deque()
        self.midi.ignore_types(sysex=True, timing=False, active_sense=True)
        self.midi.set_callback(
            lambda event, _: self._waiting.append(TimedMessage(perf_counter(), tuple(event[0])))
        )

    def receive(self, now_s: float) -> list[TimedMessage]:
        """The messages that came since the last call."""
        self.check()
        return [self._waiting.popleft() for _ in range(len(self._waiting))]


class SystemOut(_SystemPort):
    """A MIDI output of the system."""

    def __init__(self, name: str) -> None:
        """Open the output of this name or number. Raises InputError."""
        super().__init__(name, "out")

    def send(self, message: Message) -> None:
        """Send a message at once. Raises FailedError if the port is gone."""
        self.check()
        try:
            self.midi.send_message(message)
        except Exception as error:
            raise FailedError(f"MIDI port {self.name!r} is gone: {error}") from error


def port_names(direction: Direction) -> list[str]:
    """The names of the system's MIDI ports. Raises InputError if the system or the library has no MIDI."""
    with quiet_stderr():
        midi = _rtmidi(direction)
        names: list[str] = midi.get_ports()
        midi.delete()
    return names


def _rtmidi(direction: Direction) -> Any:
    """Create an object of the library. Raises InputError if it is missing or the system has no MIDI."""
    require_extra("jam", "rtmidi")
    import rtmidi

    kind = rtmidi.MidiIn if direction == "in" else rtmidi.MidiOut
    first: Exception | None = None
    for interface in rtmidi.get_compiled_api():  # such as ALSA, then JACK
        try:
            return kind(interface, CLIENT)
        except Exception as error:  # the library raises several classes of errors
            first = first or error
    raise InputError(
        f"no MIDI on this system ({first}): connect an instrument, or start a MIDI server such as JACK"
    )


def _index(name: str, names: list[str], direction: Direction) -> int:
    """Return the index in `names` of the port called `name`. Raises InputError unless exactly one matches."""
    if name in names:
        return names.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(names):
        return int(name) - 1
    matches = [index for index, port in enumerate(names) if name.lower() in port.lower()]
    if len(matches) != 1:
        listed = ", ".join(f"{number} {port}" for number, port in enumerate(names, 1)) or "none"
        what = "several ports match" if matches else "no such port"
        raise InputError(f"--{direction} {name!r}: {what}: must be one of {listed}; or {VIRTUAL!r}")
    return matches[0]
