"""The representation of 2018: one row a MIDI message, as three reals.

    note = pitch / 128        velocity = velocity / 128        delta = beats since the last message / 4

The messages are those of the file that `midi.write` makes of `canonical(score)`: note-on and note-off of all
parts merged, by tick, note-offs first, then by pitch. A note-off has velocity 0. The inverse is exact in
float32 for pauses under 8 million ticks, which is more than an hour.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.legacy2018 import generate
from ritornello.music.plan import Plan
from ritornello.music.score import COLUMNS, Part, Score
from ritornello.music.theory import pitch_name
from ritornello.representations.table import Field, Rows

TICKS_PER_BEAT = 480
SCALE = 128  # pitch and velocity are divided by this
BEATS = 4  # delta is in units of four beats
OFF_BELOW = 20  # a sampled velocity (0-127) below this is a note-off; 2% of human notes are softer
NOTE, VELOCITY, DELTA = range(3)


class Messages:
    """The representation of one row a MIDI message."""

    name: ClassVar[str] = "messages"
    ticks_per_beat: ClassVar[int] = TICKS_PER_BEAT
    fields: ClassVar[tuple[Field, ...]] = (
        Field("note", 1, "real", unit=f"{SCALE} semitones"),
        Field("velocity", 1, "real", unit=f"{SCALE} steps of velocity, 0 is off"),
        Field("delta", 1, "real", unit=f"{BEATS} beats since the last message"),
    )

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """The song as the rows can hold it, and how much of each kind is lost.

        All notes are in one part, at 480 ticks a beat, with one tempo, meter and key. Where two parts sound
        the same pitch, the later onset ends the earlier note.
        """
        plan = Plan.of(score)
        moved = score.rescaled(TICKS_PER_BEAT)
        notes = (moved.onset_ticks, moved.duration_ticks, moved.pitch, moved.velocity)
        merged = Score.of(TICKS_PER_BEAT, *notes, parts=_one_part(plan), **_events(plan), title=score.title)
        dropped = {
            "notes doubled in another part": len(score) - len(merged),
            "parts merged": max(0, len(score.parts) - 1),
            "tempo changes": max(0, len(score.tempi) - 1),
            "meter changes": max(0, len(score.meters) - 1),
            "chords and markers": len(score.chords) + len(score.markers),
        }
        return merged, {kind: count for kind, count in dropped.items() if count}

    def encode(self, score: Score) -> Rows:
        """Encode a song as rows (N, 3) float32, all of which are learnt."""
        song, _ = self.canonical(score)
        onset = song.onset_ticks.astype(np.int64)
        ticks = np.concatenate([onset + song.duration_ticks, onset])
        pitch = np.tile(song.pitch, 2)
        velocity = np.concatenate([np.zeros(len(song), np.uint8), song.velocity])
        order = np.lexsort((pitch, velocity > 0, ticks))
        values = np.empty((len(order), 3), np.float32)
        values[:, NOTE] = pitch[order] / SCALE
        values[:, VELOCITY] = velocity[order] / SCALE
        values[:, DELTA] = np.diff(ticks[order], prepend=0) / (TICKS_PER_BEAT * BEATS)
        return Rows(values, np.ones(values.shape, bool))

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Decode rows (N, 3) to a song with the plan's tempo, main meter and key.

        All reals are valid: they are rounded, and clipped to what MIDI allows. A note-off ends the sounding
        note nearest in pitch, a note-on first ends a note of its own pitch, and the end of the song ends all
        notes.
        """
        pitches, velocities, ticks = self.rounded(values)
        notes: list[tuple[int, int, int, int, int]] = []
        sounding: dict[int, tuple[int, int]] = {}  # pitch -> onset, velocity
        for pitch, velocity, tick in zip(pitches.tolist(), velocities.tolist(), ticks.tolist(), strict=True):
            if velocity:
                ending = pitch if pitch in sounding else None
            else:
                ending = min(sounding, key=lambda p: (abs(p - pitch), p), default=None)
            if ending is not None:
                onset, its_velocity = sounding.pop(ending)
                notes.append((onset, tick - onset, ending, its_velocity, 0))
            if velocity:
                sounding[pitch] = (tick, velocity)
        end = int(ticks[-1]) if len(ticks) else 0
        notes += [(onset, end - onset, pitch, its_own, 0) for pitch, (onset, its_own) in sounding.items()]
        columns = dict(zip(COLUMNS, np.array(notes, np.int64).reshape(-1, 5).T, strict=True))
        return Score.of(TICKS_PER_BEAT, **columns, parts=_one_part(plan), **_events(plan), title=plan.title)

    def rounded(self, values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], ...]:
        """The pitch, velocity (0-127) and tick of each message, (N,) each, of rows (N, 3)."""
        rows = np.asarray(values, np.float64)
        pitch = np.clip(np.rint(rows[:, NOTE] * SCALE), 0, 127).astype(np.int64)
        velocity = np.clip(np.rint(rows[:, VELOCITY] * SCALE), 0, 127).astype(np.int64)
        steps = np.rint(np.maximum(rows[:, DELTA], 0) * (TICKS_PER_BEAT * BEATS)).astype(np.int64)
        return pitch, velocity, np.cumsum(steps)

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Describe each row (N, 3) in a line of text, with its beat from the start of the song."""
        lines = []
        for pitch, velocity, ticks in zip(*(c.tolist() for c in self.rounded(values)), strict=True):
            event = f"on   velocity {velocity}" if velocity else "off"
            lines.append(f"beat {ticks / TICKS_PER_BEAT:8.3f}  {pitch_name(pitch):<4} {event}")
        return lines

    dial: ClassVar[str] = "spread"
    plan = staticmethod(generate.plan)
    sample = staticmethod(generate.sample)

    def fitted(self, row: npt.NDArray[np.float32], rest_ticks: int) -> tuple[npt.NDArray[np.float32], int]:
        """A sampled row (3,) as a message `rest_ticks` before the end of the song; and the ticks it takes.

        A velocity below OFF_BELOW becomes 0, a note-off, because a sampled real is hardly ever exactly 0. A
        row after the end becomes a note-off at the end.
        """
        note, velocity, delta = row
        ticks = int(np.rint(max(0.0, float(delta)) * TICKS_PER_BEAT * BEATS))
        if ticks >= rest_ticks:
            ticks, velocity = rest_ticks, np.float32(0)
            delta = np.float32(rest_ticks / (TICKS_PER_BEAT * BEATS))
        elif velocity * SCALE < OFF_BELOW:
            velocity = np.float32(0)
        return np.array([note, velocity, delta], np.float32), ticks

    def finish(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song of sampled rows (N, 3), no note over a bar long. Raises FailedError if it has none."""
        return generate.finish(self.decode(values, plan), plan)


def _one_part(plan: Plan) -> tuple[Part, ...]:
    """The part that plays all notes: the plan's only part, or else a piano."""
    return plan.parts if len(plan.parts) == 1 else (Part(),)


def _events(plan: Plan) -> dict[str, Any]:
    """The plan's tempo, its longest meter and its key, as a Score holds them."""
    return plan.only_main_meter().events(TICKS_PER_BEAT)
