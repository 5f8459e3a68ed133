"""From a Score to the bytes of a .mid file, through mido: format 1, a channel and a track a part."""

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

LONGEST_DELTA = (1 << 28) - 1  # four bytes of seven bits


def write(score: Score, path: str | Path, *, comment: str = "") -> tuple[str, ...]:
    """Write a .mid file, atomically: a track of tempi, meters, keys and markers, then a track a part.

    `comment` becomes a text event. Returns the names of the parts that had to take another part's sound,
    because more than 15 programs play (a MIDI port has 15 channels beside the drums).
    Raises OutputError.
    """
    data, merged = to_bytes(score, comment=comment)
    write_bytes(Path(path), data)
    return merged


def to_bytes(score: Score, *, comment: str = "") -> tuple[bytes, tuple[str, ...]]:
    """The bytes that `write` writes, and the names of the merged parts."""
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=score.ticks_per_beat, charset="utf-8")
    file.tracks.append(_track(_meta_events(score, comment)))
    channels, merged = _channels(score)
    for index, (part, (channel, program)) in enumerate(zip(score.parts, channels, strict=True)):
        rows = score.part == index
        head = [
            (0, mido.MetaMessage("track_name", name=_encodable(part.name))),
            (0, mido.Message("program_change", channel=channel, program=program)),
        ]
        file.tracks.append(_track(head + _note_messages(score, rows, channel)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue(), merged


def _note_messages(score: Score, rows: npt.NDArray[np.bool_], channel: int) -> list[tuple[int, Any]]:
    """The on and off messages of some notes with their ticks: by tick, offs first, then by pitch."""
    import mido

    onset = score.onset_ticks[rows].astype(np.int64)
    end = onset + score.duration_ticks[rows]
    ticks = np.concatenate([end, onset])
    pitch = np.tile(score.pitch[rows], 2)
    velocity = np.concatenate([np.zeros(len(end), np.uint8), score.velocity[rows]])
    order = np.lexsort((pitch, velocity > 0, ticks))
    columns = (ticks[order].tolist(), pitch[order].tolist(), velocity[order].tolist())
    fields = {"channel": channel, "skip_checks": True}  # the Score has checked them
    return [
        (tick, mido.Message("note_on" if v else "note_off", note=p, velocity=v, **fields))
        for tick, p, v in zip(*columns, strict=True)
    ]


def _meta_events(score: Score, comment: str) -> list[tuple[int, Any]]:
    """All that is not a note, as mido's meta messages with their ticks."""
    from mido import MetaMessage

    events = [(0, MetaMessage("track_name", name=_encodable(score.title)))]
    if comment:
        events.append((0, MetaMessage("text", text=_encodable(comment))))
    events += [(t.onset_ticks, MetaMessage("set_tempo", tempo=t.us_per_beat)) for t in score.tempi]
    for meter in score.meters:
        shape = {"numerator": meter.numerator, "denominator": meter.denominator}
        events.append((meter.onset_ticks, MetaMessage("time_signature", **shape)))
    for key in score.keys:
        name = theory.key_name(key.sharps, key.is_minor).replace(" minor", "m").replace(" major", "")
        events.append((key.onset_ticks, MetaMessage("key_signature", key=name)))
    for chord in score.chords:
        label = CHORD_PREFIX + theory.chord_name(chord.root, chord.kind)
        events.append((chord.onset_ticks, MetaMessage("marker", text=label)))
    events += [(m.onset_ticks, MetaMessage("marker", text=_encodable(m.text))) for m in score.markers]
    return sorted(events, key=lambda event: event[0])


def _encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which a file name may bring in."""
    return text.encode("utf-8", "replace").decode()


def _track(events: list[tuple[int, Any]]) -> Any:
    """A mido track of events given with absolute ticks, in order."""
    import mido

    track, now = mido.MidiTrack(), 0
    for tick, message in events:
        while tick - now > LONGEST_DELTA:  # a longer silence is cut up by texts without a word
            track.append(mido.MetaMessage("text", text="", time=LONGEST_DELTA))
            now += LONGEST_DELTA
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _channels(score: Score) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """A (channel, program) for every part, and the names of the parts whose program had to give way."""
    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    pitched = [index for index, part in enumerate(score.parts) if not part.is_drum]
    if len(pitched) <= len(free):
        own = dict(zip(pitched, free, strict=False))
        return [(own.get(i, DRUM_CHANNEL), part.program) for i, part in enumerate(score.parts)], ()
    size: dict[int, int] = defaultdict(int)  # notes by program
    count = np.bincount(score.part, minlength=len(score.parts))
    for index in pitched:
        size[score.parts[index].program] += int(count[index])
    kept = sorted(sorted(size, key=lambda program: (-size[program], program))[: len(free)])
    channel = dict(zip(kept, free, strict=False))
    result, merged = [], []
    for part in score.parts:
        program = part.program
        if not part.is_drum and program not in channel:
            merged.append(part.name or theory.family(program))
            # a sound of the same family (eight programs) where there is one, else the nearest number
            program = min(kept, key=lambda p: (p // 8 != part.program // 8, abs(p - part.program)))
        result.append((DRUM_CHANNEL, program) if part.is_drum else (channel[program], program))
    return result, tuple(merged)
