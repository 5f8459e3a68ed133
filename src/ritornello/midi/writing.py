"""Writing: from a Score to a .mid file of format 1, with mido. Each part gets a track and a channel.

The first track has the tempi, meters, keys, chords and markers; the others follow in the order of the parts.
"""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.midi.raw_events import CHORD_PREFIX, DRUM_CHANNEL
from ritornello.music import theory
from ritornello.music.score import Score
from ritornello.system.files import write_bytes

MAX_DELTA_TICKS = (1 << 28) - 1  # what four bytes of seven bits can hold


def write(score: Score, path: str | Path, *, comment: str = "") -> tuple[str, ...]:
    """Write a .mid file atomically; `comment` becomes a text event in it.

    A file has 15 channels besides that of the drums. If a Score has more programs, some parts get the program
    of another part, and their names are returned. Raises OutputError if the system refuses to write.
    """
    data, merged = to_bytes(score, comment=comment)
    write_bytes(Path(path), data)
    return merged


def to_bytes(score: Score, *, comment: str = "") -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes that `write` writes, and the names that it returns."""
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=score.ticks_per_beat, charset="utf-8")
    file.tracks.append(_track(_meta_events(score, comment)))
    channels, merged = _channels(score)
    for index, (part, (channel, program)) in enumerate(zip(score.parts, channels, strict=True)):
        notes = score.part == index
        first_events = [
            (0, mido.MetaMessage("track_name", name=_encodable(part.name))),
            (0, mido.Message("program_change", channel=channel, program=program)),
        ]
        file.tracks.append(_track(first_events + _note_messages(score, notes, channel)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue(), merged


def _note_messages(score: Score, notes: npt.NDArray[np.bool_], channel: int) -> list[tuple[int, Any]]:
    """Return the messages of the notes in a mask (N,), with their ticks: note-offs first, then by pitch."""
    import mido

    onset = score.onset_ticks[notes].astype(np.int64)
    end = onset + score.duration_ticks[notes]
    ticks = np.concatenate([end, onset])
    pitch = np.tile(score.pitch[notes], 2)
    velocity = np.concatenate([np.zeros(len(end), np.uint8), score.velocity[notes]])
    order = np.lexsort((pitch, velocity > 0, ticks))
    columns = (ticks[order].tolist(), pitch[order].tolist(), velocity[order].tolist())
    fields = {"channel": channel, "skip_checks": True}  # the Score has checked them
    return [
        (tick, mido.Message("note_on" if v else "note_off", note=p, velocity=v, **fields))
        for tick, p, v in zip(*columns, strict=True)
    ]


def _meta_events(score: Score, comment: str) -> list[tuple[int, Any]]:
    """Return the meta messages of everything but the notes, with their ticks."""
    from mido import MetaMessage

    events = [(0, MetaMessage("track_name", name=_encodable(score.title)))]
    if comment:
        events.append((0, MetaMessage("text", text=_encodable(comment))))
    events += [(t.onset_ticks, MetaMessage("set_tempo", tempo=t.us_per_beat)) for t in score.tempi]
    for meter in score.meters:
        fraction = {"numerator": meter.numerator, "denominator": meter.denominator}
        events.append((meter.onset_ticks, MetaMessage("time_signature", **fraction)))
    for key in score.keys:
        name = theory.key_name(key.sharps, key.is_minor).replace(" minor", "m").replace(" major", "")
        events.append((key.onset_ticks, MetaMessage("key_signature", key=name)))
    for chord in score.chords:
        label = CHORD_PREFIX + theory.chord_name(chord.root, chord.kind)
        events.append((chord.onset_ticks, MetaMessage("marker", text=label)))
    events += [(m.onset_ticks, MetaMessage("marker", text=_encodable(m.text))) for m in score.markers]
    return sorted(events, key=lambda event: event[0])


def _encodable(text: str) -> str:
    """Return the text with a question mark for each lone surrogate, which may come from a file name."""
    return text.encode("utf-8", "replace").decode()


def _track(events: list[tuple[int, Any]]) -> Any:
    """Return a mido track of messages with absolute ticks, given in order."""
    import mido

    track, now = mido.MidiTrack(), 0
    for tick, message in events:
        while tick - now > MAX_DELTA_TICKS:  # empty texts divide a longer silence
            track.append(mido.MetaMessage("text", text="", time=MAX_DELTA_TICKS))
            now += MAX_DELTA_TICKS
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _channels(score: Score) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """Return a (channel, program) for each part, and the names of the parts that get another program."""
    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    pitched = [index for index, part in enumerate(score.parts) if not part.is_drum]
    if len(pitched) <= len(free):
        own = dict(zip(pitched, free, strict=False))
        return [(own.get(i, DRUM_CHANNEL), part.program) for i, part in enumerate(score.parts)], ()
    notes: dict[int, int] = defaultdict(int)  # number of notes by program
    count = np.bincount(score.part, minlength=len(score.parts))
    for index in pitched:
        notes[score.parts[index].program] += int(count[index])
    kept = sorted(sorted(notes, key=lambda program: (-notes[program], program))[: len(free)])
    channel = dict(zip(kept, free, strict=False))
    result, merged = [], []
    for part in score.parts:
        program = part.program
        if not part.is_drum and program not in channel:
            merged.append(part.name or theory.family(program))
            # a program of the same family (of eight programs) if there is one, else the nearest number
            program = min(kept, key=lambda p: (p // 8 != part.program // 8, abs(p - part.program)))
        result.append((DRUM_CHANNEL, program) if part.is_drum else (channel[program], program))
    return result, tuple(merged)
