"""The port and channel of each part of a Score that is written to a MIDI file."""

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

    Parts of a file keep their channels. The others get a channel each; where these are too few, parts that
    play one after another share one; then further ports are used, up to `max_ports`.
    """
    own = [channel[1:] for channel in score.details.channels[: len(score.parts)]]
    own += [(0, DRUM_CHANNEL)] * (len(score.parts) - len(own))
    programs = [part.program for part in score.parts]
    new = [index for index, part in enumerate(score.parts) if part.is_drum != (own[index][1] == DRUM_CHANNEL)]
    for index in (index for index in new if score.parts[index].is_drum):
        own[index] = 0, DRUM_CHANNEL
    new = [index for index in new if not score.parts[index].is_drum]
    used = {own[index] for index in range(len(own)) if index not in new}
    used |= {(e.port, e.data[0] & 0x0F) for e in score.details.events if e.data[0] < 0xF0}
    free = [(port, c) for port in range(max_ports) for c in PITCHED if (port, c) not in used]
    on_port_0 = sum(port == 0 for port, _ in free)
    if len(new) <= on_port_0:
        given = dict(zip(new, free, strict=False))
    else:
        given = _one_after_another(score, new, free)
    if len(given) == len(new):
        return [given.get(index, channel) for index, channel in enumerate(own)], programs, ()
    sounds, merged = _shared_sounds(score, new, len(free))
    for index in new:
        own[index], programs[index] = free[sounds[programs[index]][0]], sounds[programs[index]][1]
    return own, programs, merged


def _one_after_another(score: Score, parts: list[int], free: list[Channel]) -> dict[int, Channel]:
    """Return a channel for each part such that those of one channel never sound at once.

    Channels are taken in order, as few as possible; if there are too few, parts are missing in the result.
    """
    spans = []
    for part in parts:
        is_own = score.part == part
        onset, length = score.onset_ticks[is_own].astype(np.int64), score.duration_ticks[is_own]
        spans.append((int(onset[:1].sum()), part, int((onset + length).max(initial=0))))
    unused = iter(free)
    busy: list[tuple[int, Channel]] = []  # a heap: the end of its last note, the channel
    found: dict[int, Channel] = {}
    for start, part, end in sorted(spans):
        is_free = busy and busy[0][0] <= start
        channel = heapq.heappop(busy)[1] if is_free else next(unused, None)
        if channel is not None:
            found[part] = channel
            heapq.heappush(busy, (end, channel))
    return found


def _shared_sounds(
    score: Score, parts: list[int], channels: int
) -> tuple[dict[int, tuple[int, int]], tuple[str, ...]]:
    """Return for each program the number of its channel and the program that it is replaced by.

    The programs with most notes are kept; the names of parts with others are returned, too.
    """
    notes: dict[int, int] = defaultdict(int)  # number of notes by program
    count = np.bincount(score.part, minlength=len(score.parts))
    for index in parts:
        notes[score.parts[index].program] += int(count[index])
    kept = sorted(islice(sorted(notes, key=lambda program: (-notes[program], program)), channels))
    # a program of the same family (of eight programs) if there is one, else the nearest number
    instead = {p: min(kept, key=lambda k, p=p: (k != p, k // 8 != p // 8, abs(k - p))) for p in notes}  # type: ignore[misc]
    merged = [score.parts[i] for i in parts if instead[score.parts[i].program] != score.parts[i].program]
    names = tuple(part.name or theory.family(part.program) for part in merged)
    return {program: (kept.index(other), other) for program, other in instead.items()}, names
