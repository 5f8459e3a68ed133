"""One row a MIDI message, as the original project of 2018 saw music: note, velocity, time since the last.

The stream is what mido reads of the file that `midi.write` makes of `canonical(score)`: on and off messages
of all parts merged, by tick, offs first, then by pitch; velocity 0 is an off. Three reals, scaled so that
the inverse is exact in float32 (for pauses under 8 million ticks, more than an hour):

    note = pitch / 128        velocity = velocity / 128        delta = beats since the last message / 4
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.legacy2018 import generate
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import COLUMNS, Part, Score
from ritornello.music.theory import pitch_name
from ritornello.representations.table import Field, Rows

TICKS_PER_BEAT = 480
PITCHES = 128  # pitch and velocity are divided by this
BEATS = 4  # delta is in units of four beats
OFF_BELOW = 20  # a composed velocity under this is an off; of human notes 2% are so soft
NOTE, VELOCITY, DELTA = range(3)


class Messages:
    """The representation of the original project."""

    name: ClassVar[str] = "messages"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("note", 1, "real", unit=f"{PITCHES} semitones"),
        Field("velocity", 1, "real", unit=f"{PITCHES} steps of velocity, 0 is off"),
        Field("delta", 1, "real", unit=f"{BEATS} beats since the last message"),
    )

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """What the rows keep: the notes of all parts in one, at 480 ticks a beat, one tempo, meter and key.

        Where parts sound the same pitch at once, the later onset cuts the earlier note. The second result
        counts what is lost.
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
        return merged, {sort: count for sort, count in dropped.items() if count}

    def encode(self, score: Score) -> Rows:
        """A song as rows (N, 3) float32, all of them learnt."""
        song, _ = self.canonical(score)
        onset = song.onset_ticks.astype(np.int64)
        ticks = np.concatenate([onset + song.duration_ticks, onset])
        pitch = np.tile(song.pitch, 2)
        velocity = np.concatenate([np.zeros(len(song), np.uint8), song.velocity])
        order = np.lexsort((pitch, velocity > 0, ticks))
        values = np.empty((len(order), 3), np.float32)
        values[:, NOTE] = pitch[order] / PITCHES
        values[:, VELOCITY] = velocity[order] / PITCHES
        values[:, DELTA] = np.diff(ticks[order], prepend=0) / (TICKS_PER_BEAT * BEATS)
        return Rows(values, np.ones(values.shape, bool))

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song that rows (N, 3) say, with the plan's tempo, main meter and key.

        Any reals are read: rounded, and clipped to what MIDI allows. An off closes the open note nearest in
        pitch, an on closes its own pitch first, and what is still open at the end is closed there.
        """
        pitches, velocities, ticks = self.rounded(values)
        notes: list[tuple[int, int, int, int, int]] = []
        sounding: dict[int, tuple[int, int]] = {}  # pitch -> onset, velocity
        for pitch, velocity, now in zip(pitches.tolist(), velocities.tolist(), ticks.tolist(), strict=True):
            if velocity:
                closing = pitch if pitch in sounding else None
            else:
                closing = min(sounding, key=lambda p: (abs(p - pitch), p), default=None)
            if closing is not None:
                onset, loud = sounding.pop(closing)
                notes.append((onset, now - onset, closing, loud, 0))
            if velocity:
                sounding[pitch] = (now, velocity)
        end = int(ticks[-1]) if len(ticks) else 0
        notes += [(onset, end - onset, pitch, loud, 0) for pitch, (onset, loud) in sounding.items()]
        columns = np.array(notes, np.int64).reshape(-1, 5).T
        named = dict(zip(COLUMNS, columns, strict=True))
        return Score.of(TICKS_PER_BEAT, **named, parts=_one_part(plan), **_events(plan), title=plan.title)

    def rounded(
        self, values: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows (N, 3) as MIDI has them: pitch, velocity and the tick of each message, (N,) each."""
        rows = np.asarray(values, np.float64)
        pitch = np.clip(np.rint(rows[:, NOTE] * PITCHES), 0, 127).astype(np.int64)
        velocity = np.clip(np.rint(rows[:, VELOCITY] * PITCHES), 0, 127).astype(np.int64)
        steps = np.rint(np.maximum(rows[:, DELTA], 0) * (TICKS_PER_BEAT * BEATS)).astype(np.int64)
        return pitch, velocity, np.cumsum(steps)

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Each row in words, with the beat on which it falls."""
        words = []
        for pitch, velocity, ticks in zip(*(c.tolist() for c in self.rounded(values)), strict=True):
            act = f"on   velocity {velocity}" if velocity else "off"
            words.append(f"beat {ticks / TICKS_PER_BEAT:8.3f}  {pitch_name(pitch):<4} {act}")
        return words

    def cursor(self, plan: Plan) -> Cursor:
        """The rows of one song while it is composed, until the bars of `plan` are full."""
        return Cursor(plan.timeline(TICKS_PER_BEAT).end_ticks)

    dial: ClassVar[str] = "spread"

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """The plan of `bars` and `tempo`. Raises PlanError for any other option: it has no effect."""
        return generate.plan(options)

    def sample(
        self, model: Model, plan: Plan, *, seed: int, song: int = 0, dial: float = 1.0
    ) -> npt.NDArray[np.float32]:
        """Sample rows (N, 3): see `generate.sample`, whose `spread` is the dial."""
        return generate.sample(model, plan, seed=seed, song=song, spread=dial)

    def finish(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song of sampled rows (N, 3), no note longer than a bar. Raises FailedError if it has none."""
        return generate.finish(self.decode(values, plan), plan)


class Cursor:
    """Where a song being composed stands: takes rows until its last bar is full."""

    def __init__(self, end_ticks: int) -> None:
        self.end_ticks = end_ticks
        self.clock_ticks = 0
        self.rows: list[npt.NDArray[np.float32]] = []
        # 64 messages a beat are far beyond any music: a network whose clock stands still ends there
        self.most_rows = 64 * max(1, end_ticks // TICKS_PER_BEAT)

    @property
    def done(self) -> bool:
        """Whether the song is full, or the network's clock stood still for too long."""
        return self.clock_ticks >= self.end_ticks or len(self.rows) >= self.most_rows

    def put(self, row: npt.NDArray[np.float32]) -> None:
        """Take the next row (3,) as the music will have it.

        A velocity below `OFF_BELOW` becomes an off: a real hardly ever hits 0. A row after the last bar
        becomes the end of all that sounds.
        """
        if row[VELOCITY] * PITCHES < OFF_BELOW:
            row = np.array([row[NOTE], 0.0, row[DELTA]], np.float32)
        ticks = int(np.rint(max(0.0, float(row[DELTA])) * TICKS_PER_BEAT * BEATS))
        if self.clock_ticks + ticks >= self.end_ticks:
            rest = (self.end_ticks - self.clock_ticks) / (TICKS_PER_BEAT * BEATS)
            row = np.array([row[NOTE], 0.0, rest], np.float32)
        self.clock_ticks = min(self.end_ticks, self.clock_ticks + ticks)
        self.rows.append(row)

    def values(self) -> npt.NDArray[np.float32]:
        """All rows so far, (N, 3)."""
        return np.array(self.rows, np.float32).reshape(-1, 3)


def _one_part(plan: Plan) -> tuple[Part, ...]:
    """The part that plays everything: the plan's own if it is alone, else a piano."""
    return plan.parts if len(plan.parts) == 1 else (Part(),)


def _events(plan: Plan) -> dict[str, Any]:
    """The plan's tempo, its longest-lasting meter and its key, as a Score holds them."""
    return plan.only_main_meter().events(TICKS_PER_BEAT)
