"""The details of a MIDI file: events that have no place in a Score and are kept to be written again."""

from collections import defaultdict

from ritornello.midi.chunks import Chunks
from ritornello.midi.file_events import (
    BEND,
    CHANNEL_PRESSURE,
    CONTROLLER,
    META,
    NOTE_OFF,
    NOTE_ON,
    PORT,
    PROGRAM,
    Channel,
    FileEvent,
    file_events,
)
from ritornello.midi.raw_events import SUSTAIN
from ritornello.midi.track_events import END_OF_TRACK, KEY, MARKER, METER, TEMPO
from ritornello.music.file_details import DetailEvent, FileDetails

LEVELS = (7, 11)  # controllers: volume and expression
RELEASED = (1, 64, 65, 66, 67, 68, 69)  # controllers: modulation, pedals and similar switches
UNDERSTOOD = (
    MARKER,
    END_OF_TRACK,
    TEMPO,
    METER,
    KEY,
    PORT,
)  # meta events that a Score has, or the writer makes
SYSTEM_EXCLUSIVE, ESCAPE = 0xF0, 0xF7


def file_details(chunks: Chunks, parts: int) -> tuple[FileDetails, dict[str, int]]:
    """Return the details of a file with a number of parts, and how many events are left out, by kind.

    Left out are system messages that the standard forbids in files, notes without an end, and if `parts` is
    not the number of parts in `file_events`, all events with a channel.
    """
    file = file_events(chunks)
    keys = tuple(key[:3] for key in file.part_keys)
    details = [event for event in file.events if event.kind not in (NOTE_OFF, NOTE_ON)]
    kept_events = [event for event in details if _is_detail(event, len(keys) == parts)]
    understood = sum(event.kind == META and event.data[1] in UNDERSTOOD for event in details)
    struck = sum(event.kind == NOTE_ON and event.data[2] > 0 for event in file.events)
    lost = {"notes without an end": struck - len(file.notes)}
    lost["controllers, bends or forbidden messages"] = len(details) - understood - len(kept_events)
    events = tuple(DetailEvent(e.tick, e.track, e.port, e.data) for e in kept_events)
    return FileDetails(keys if len(keys) == parts else (), events), lost


def _is_detail(event: FileEvent, with_channels: bool) -> bool:
    """Whether an event is a detail; events with a channel are only `with_channels`."""
    if event.kind == META:
        return event.data[1] not in UNDERSTOOD
    return with_channels if event.kind < SYSTEM_EXCLUSIVE else event.kind in (SYSTEM_EXCLUSIVE, ESCAPE)


def details_of_part(details: FileDetails, part: int) -> FileDetails:
    """Return the details of one part: the events of its channel, and the texts of its track and the first.

    A part that the file does not have gets the details of the whole file.
    """
    channels_of_part = details.channels[part : part + 1]
    track, *channel = channels_of_part[0] if channels_of_part else (0, -1, -1)
    events_of_part = [
        event
        for event in details.events
        if (event.data[0] == META and event.track in (0, track))
        or SYSTEM_EXCLUSIVE <= event.data[0] < META
        or (event.data[0] < SYSTEM_EXCLUSIVE and [event.port, event.data[0] & 0x0F] == channel)
    ]
    return details._replace(channels=channels_of_part, events=tuple(events_of_part))


def first_details(details: FileDetails, end_ticks: int) -> FileDetails:
    """Return the details before a tick, and there the release of each sustain pedal that is released later.

    A pedal that is never released has no effect on the notes that are read.
    """
    first = [event for event in details.events if event.onset_ticks < end_ticks]
    is_down: dict[Channel, bool] = {}
    for event in details.events:
        if _is_controller(event, SUSTAIN):
            channel, is_press = (event.port, event.data[0] & 0x0F), event.data[2] >= 64
            if event.onset_ticks < end_ticks:
                is_down[channel] = is_press
            elif not is_press and is_down.pop(channel, False):
                first.append(DetailEvent(end_ticks, event.track, event.port, event.data[:2] + b"\0"))
    return details._replace(events=tuple(first))


def with_neutral_channels(details: FileDetails, tick: int) -> FileDetails:
    """Return the details with channels that are neutral from a tick on, where other music begins.

    Later texts stay, later events of channels do not. Bends, pressure, modulation and pedals are released;
    volume and expression return to their highest value if they ended at less than half of it (a fade-out).
    """
    first = first_details(details, tick).events
    texts = [e for e in details.events if e.onset_ticks >= tick and e.data[0] == META]
    last: dict[tuple[Channel, bytes], DetailEvent] = {}
    highest: dict[tuple[Channel, bytes], int] = defaultdict(int)
    for event in first:
        if event.data[0] < PROGRAM or CHANNEL_PRESSURE <= event.data[0] < SYSTEM_EXCLUSIVE:
            size = 2 if event.data[0] < PROGRAM else 1
            kind = (event.port, event.data[0] & 0x0F), event.data[:size]
            last[kind] = event
            highest[kind] = max(highest[kind], event.data[-1])
    added = []
    for kind, event in last.items():
        status = event.data[0] & 0xF0
        if status == BEND:
            neutral = bytes([0, 64])
        elif status == CONTROLLER and event.data[1] in LEVELS:
            neutral = bytes(
                [event.data[1], max(event.data[2], highest[kind] * (2 * event.data[2] < highest[kind]))]
            )
        elif status != CONTROLLER or event.data[1] in RELEASED:
            neutral = event.data[1:-1] + b"\0"
        else:
            continue
        if event.data[1:] != neutral:
            added.append(DetailEvent(tick, event.track, event.port, event.data[:1] + neutral))
    return details._replace(events=tuple(sorted([*first, *added, *texts], key=lambda e: e.onset_ticks)))


def _is_controller(event: DetailEvent, number: int) -> bool:
    """Whether an event sets a controller."""
    return event.data[0] & 0xF0 == CONTROLLER and event.data[1] == number
