"""Choose the port and the channel of each part of a Score that is written to a MIDI file."""

import heapq
from collections import defaultdict
from itertools import islice

import numpy as np

from ritornello.midi.file_events import Channel
from ritornello.midi.raw_events import DRUM_CHANNEL
from ritornello.music import theory
from ritornello.music.score import Score

PITCHED = [channel for channel in range(16) if channel != DRUM_CHANNEL]


def assign_channels(score: Score, max_ports: int) -> tuple[list[Channel], list[int], tuple[str, ...]]:
    """Return the channel and the program of each part, and the names of parts that get another program.

    Parts that come from a file keep their channels. Each other part gets a channel; if there are too few,
    parts that play one after another share a channel; then further ports are used, up to `max_ports`.
    """
    chosen = [channel[1:] for channel in score.details.channels[: len(score.parts)]]
    chosen += [(0, DRUM_CHANNEL)] * (len(score.parts) - len(chosen))
    programs = [part.program for part in score.parts]
    new = [
        index for index, part in enumerate(score.parts) if part.is_drum != (chosen[index][1] == DRUM_CHANNEL)
    ]
    for index in (index for index in new if score.parts[index].is_drum):
        chosen[index] = 0, DRUM_CHANNEL
    new = [index for index in new if not score.parts[index].is_drum]
    taken = {chosen[index] for index in range(len(chosen)) if index not in new}
    taken |= {(e.port, e.data[0] & 0x0F) for e in score.details.events if e.data[0] < 0xF0}
    free = [(port, c) for port in range(max_ports) for c in PITCHED if (port, c) not in taken]
    on_port_0 = sum(port == 0 for port, _ in free)
    if len(new) <= on_port_0:
        new_channels = dict(zip(new, free, strict=False))
    else:
        new_channels = _one_after_another(score, new, free)
    if len(new_channels) == len(new):
        return [new_channels.get(index, channel) for index, channel in enumerate(chosen)], programs, ()
    sounds, merged = _shared_sounds(score, new, len(free))
    for index in new:
        chosen[index], programs[index] = free[sounds[programs[index]][0]], sounds[programs[index]][1]
    return chosen, programs, merged


def _one_after_another(score: Score, parts: list[int], free: list[Channel]) -> dict[int, Channel]:
    """Return a channel for each part; parts that share a channel never sound at once.

    Channels are taken in order, as few as possible; if there are too few, parts are missing in the result.
    """
    spans = []
    for part in parts:
        is_in_part = score.part == part
        onset, length = score.onset_ticks[is_in_part].astype(np.int64), score.duration_ticks[is_in_part]
        spans.append((int(onset[:1].sum()), part, int((onset + length).max(initial=0))))
    unused = iter(free)
    busy: list[tuple[int, Channel]] = []  # a heap: the end of its last note, the channel
    channels: dict[int, Channel] = {}
    for start, part, end in sorted(spans):
        is_free = busy and busy[0][0] <= start
        channel = heapq.heappop(busy)[1] if is_free else next(unused, None)
        if channel is not None:
            channels[part] = channel
            heapq.heappush(busy, (end, channel))
    return channels


def _shared_sounds(
    score: Score, parts: list[int], channels: int
) -> tuple[dict[int, tuple[int, int]], tuple[str, ...]]:
    """Return, for each program, the number of its channel and the program that replaces it.

    The programs with most notes are kept; the names of parts with other programs are returned, too.
    """
    notes: dict[int, int] = defaultdict(int)  # number of notes by program
    count = np.bincount(score.part, minlength=len(score.parts))
    for index in parts:
        notes[score.parts[index].program] += int(count[index])
    frequent = sorted(islice(sorted(notes, key=lambda program: (-notes[program], program)), channels))
    # a program of the same family (of eight programs) if there is one, else the nearest number
    instead = {p: min(frequent, key=lambda k, p=p: (k != p, k // 8 != p // 8, abs(k - p))) for p in notes}  # type: ignore[misc]
    merged = [score.parts[i] for i in parts if instead[score.parts[i].program] != score.parts[i].program]
    names = tuple(part.name or theory.family(part.program) for part in merged)
    return {program: (frequent.index(other), other) for program, other in instead.items()}, names
