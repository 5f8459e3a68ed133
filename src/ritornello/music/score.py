"""The class Score: the notes of a song as columns, and the events that set its tempo, meter, key and chords.

Ticks count from the start of the song; a *beat* is a quarter note. A Score is immutable: a transformation
returns a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, fields, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import ScoreError
from ritornello.music.chord import Chord as Chord
from ritornello.music.file_details import NO_DETAILS, FileDetails
from ritornello.music.key_estimate import estimate_key
from ritornello.music.overlaps import cut_columns, group_by_part_pitch, part_pitches
from ritornello.music.score_limits import MAX_TICKS, check_events, check_lengths, check_range
from ritornello.music.theory import INSTRUMENTS

Ints = npt.NDArray[np.int32]  # (N,)
Bytes = npt.NDArray[np.uint8]  # (N,)

MAX_PARTS = 256
# The columns of the notes with their numpy types, and the range of each.
COLUMNS = {"onset_ticks": "i4", "duration_ticks": "i4", "pitch": "u1", "velocity": "u1", "part": "u1"}
LIMITS = {"onset_ticks": (0, MAX_TICKS), "duration_ticks": (1, MAX_TICKS), "pitch": (0, 127)}
LIMITS |= {"velocity": (1, 127), "part": (0, MAX_PARTS - 1)}
BYTE_TYPES = ("i1", "u1")  # input columns of these types are not widened to 64 bits
EVENTS = ("tempi", "meters", "keys", "chords", "markers")


class Part(NamedTuple):
    """The notes of one instrument: its name, its General MIDI program (0-127), and whether it is drums."""

    name: str = ""
    program: int = 0
    is_drum: bool = False

    @property
    def instrument(self) -> str:
        """The name of its instrument, such as "violin" or "drums"."""
        return "drums" if self.is_drum else INSTRUMENTS[self.program]


class Tempo(NamedTuple):
    """From `onset_ticks` on, a beat lasts `us_per_beat` microseconds (1 to 16,777,215)."""

    onset_ticks: int
    us_per_beat: int

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60e6 / self.us_per_beat


class Meter(NamedTuple):
    """From `onset_ticks` on, bars are `numerator` (1-255) notes of 1/`denominator` (1, 2, 4 ... 64)."""

    onset_ticks: int
    numerator: int
    denominator: int


class KeySignature(NamedTuple):
    """From `onset_ticks` on, the key has `sharps` sharps, -7 (seven flats) to 7, and is minor or major."""

    onset_ticks: int
    sharps: int
    is_minor: bool


class Marker(NamedTuple):
    """A text at `onset_ticks`, such as the name of a section."""

    onset_ticks: int
    text: str


DEFAULT_TEMPO, DEFAULT_METER = Tempo(0, 500_000), Meter(0, 4, 4)


@dataclass(frozen=True, eq=False)
class Score:
    """A song of N notes. Its columns (N,) are sorted by onset, part and pitch.

    Within a part, notes of one pitch do not overlap; velocity is 1-127. Build a Score with `Score.of`, which
    sorts the notes and cuts overlaps. The constructor only checks them, and raises ScoreError if a value is
    out of range or the notes are not in order.
    """

    ticks_per_beat: int
    onset_ticks: Ints
    duration_ticks: Ints
    pitch: Bytes
    velocity: Bytes
    part: Bytes
    parts: tuple[Part, ...]
    tempi: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[KeySignature, ...] = ()
    chords: tuple[Chord, ...] = ()
    markers: tuple[Marker, ...] = ()
    title: str = ""
    details: FileDetails = NO_DETAILS
    """What else the MIDI file contains, if the song was read with its details."""
    is_checked: InitVar[bool] = False
    """If true, the constructor neither checks nor copies the columns: `Score.of` has done both."""

    def __post_init__(self, is_checked: bool) -> None:
        for name, dtype in COLUMNS.items():
            column = np.asarray(getattr(self, name))
            if not is_checked:
                if column.dtype != dtype:  # numpy would wrap values that do not fit
                    check_range(column, name, *LIMITS[name], self.title)
                column = np.array(column, dtype=dtype)  # a copy: the caller's array stays writeable
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        for name in ("parts", *EVENTS):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _check_notes(self, is_checked)
        if not is_checked:
            _check_order(self)
        check_events(self, EVENTS)

    @classmethod
    def of(
        cls,
        ticks_per_beat: int,
        onset_ticks: npt.ArrayLike,
        duration_ticks: npt.ArrayLike,
        pitch: npt.ArrayLike,
        velocity: npt.ArrayLike,
        part: npt.ArrayLike | None = None,
        parts: Sequence[Part] = (Part(),),
        **events: Any,
    ) -> Score:
        """Make a Score of notes in any order: sort them, and cut or drop notes that overlap (`cut_overlaps`).

        Columns are integers (N,): ticks, and velocity 1-127. A duration of 0 becomes one tick. `events` are
        keyword arguments of the constructor, such as `tempi`. Raises ScoreError if a value is out of range.
        """
        onset, length = _ints(onset_ticks, "i4"), _ints(duration_ticks, "i4")
        owner = np.zeros(len(onset), np.uint8) if part is None else _ints(part, *BYTE_TYPES)
        pitches, velocities = (_ints(column, *BYTE_TYPES) for column in (pitch, velocity))
        columns = (onset, length + (length == 0), pitches, velocities, owner)
        check_lengths(columns)
        for name, column in zip(COLUMNS, columns, strict=True):
            check_range(column, name, *LIMITS[name], events.get("title", ""))
        part_pitch = part_pitches(owner, columns[2])
        onset, length, part_pitch, loudness = cut_columns(*columns[:2], part_pitch, columns[3])
        columns = (onset, length, part_pitch & 127, loudness, part_pitch >> 7)
        notes: Any = {
            name: column.astype(dtype, copy=False)
            for column, (name, dtype) in zip(columns, COLUMNS.items(), strict=True)
        }
        return cls(ticks_per_beat, parts=tuple(parts), **notes, **events, is_checked=True)

    def __len__(self) -> int:
        return len(self.onset_ticks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Score {self.title!r}: {len(self)} notes, {len(self.parts)} parts, {self.duration_s:.1f} s>"

    @property
    def of_drums(self) -> npt.NDArray[np.bool_]:
        """For each note (N,), whether its part is drums."""
        return np.array([part.is_drum for part in self.parts], dtype=bool).take(self.part)

    @property
    def estimated_key(self) -> tuple[int, bool] | None:
        """The key (sharps, is_minor) that `estimate_key` returns; None for a song of drums alone."""
        pitched = ~self.of_drums
        if not pitched.any():
            return None
        onset, duration, pitch = self.onset_ticks[pitched], self.duration_ticks[pitched], self.pitch[pitched]
        weights = np.bincount(pitch % 12, duration, 12)
        lowest = int(pitch[onset + duration.astype(np.int64) > onset.max()].min(initial=127))
        sharps = {key.sharps for key in self.keys}
        signature = sharps.pop() if len(sharps) == 1 else 0
        return estimate_key(weights.astype(np.float64), lowest % 12, signature)

    @property
    def end_ticks(self) -> int:
        """The tick at which the last note ends; 0 without notes."""
        return int((self.onset_ticks.astype(np.int64) + self.duration_ticks).max(initial=0))

    @property
    def duration_s(self) -> float:
        """The time at which the last note ends, in seconds."""
        return float(self.seconds(np.array([self.end_ticks]))[0])

    def seconds(self, ticks: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the time in seconds (N,) of each of `ticks` (N,), according to the tempi."""
        tempi = self.tempi if self.tempi and self.tempi[0].onset_ticks == 0 else (DEFAULT_TEMPO, *self.tempi)
        starts = np.array([t.onset_ticks for t in tempi], dtype=np.float64)
        pace = np.array([t.us_per_beat for t in tempi], dtype=np.float64) / (1e6 * self.ticks_per_beat)
        elapsed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * pace[:-1])])
        at = np.searchsorted(starts, ticks, side="right") - 1
        return np.asarray(elapsed[at] + (ticks - starts[at]) * pace[at])

    def select(self, notes: npt.NDArray[Any], **changes: Any) -> Score:
        """Return the song with only some notes, a mask (N,) or ascending indices (n,), and other changes."""
        return replace(self, **{name: getattr(self, name)[notes] for name in COLUMNS} | changes)

    def transposed(self, semitones: int) -> Score:
        """Return the song with all notes but drums moved by `semitones`.

        Raises ScoreError if a pitch leaves 0-127.
        """
        pitch = np.where(self.of_drums, self.pitch, self.pitch.astype(np.int64) + semitones)
        chords = tuple(chord.transposed(semitones) for chord in self.chords)
        if semitones % 12 == 0:  # whole octaves: keep the spelling of the key
            return replace(self, pitch=pitch)
        keys = tuple(k._replace(sharps=(k.sharps + 7 * semitones + 5) % 12 - 5) for k in self.keys)
        return replace(self, pitch=pitch, chords=chords, keys=keys)

    def rescaled(self, ticks_per_beat: int) -> Score:
        """Return the song at another resolution. Onsets and ends are rounded to the nearest tick."""
        if ticks_per_beat == self.ticks_per_beat:
            return self
        scale = partial(
            rescale_ticks, from_ticks_per_beat=self.ticks_per_beat, to_ticks_per_beat=ticks_per_beat
        )
        onset = self.onset_ticks.astype(np.int64)
        start, end = scale(onset), scale(onset + self.duration_ticks)
        moved = {
            name: tuple(event._replace(onset_ticks=scale(event.onset_ticks)) for event in getattr(self, name))
            for name in EVENTS
        }
        rest = {k: drop_redundant(v) if k != "markers" else v for k, v in moved.items()}
        notes = (start, end - start, self.pitch, self.velocity, self.part, self.parts)
        return Score.of(ticks_per_beat, *notes, title=self.title, details=self.details.moved(scale), **rest)


def rescale_ticks(ticks: Any, from_ticks_per_beat: int, to_ticks_per_beat: int) -> Any:
    """Convert ticks (an int or an array of ints) to another resolution, rounded; halves are rounded up."""
    ratio = Fraction(to_ticks_per_beat, from_ticks_per_beat)
    return (ticks * (2 * ratio.numerator) + ratio.denominator) // (2 * ratio.denominator)


def drop_redundant(events: Sequence[Any]) -> tuple[Any, ...]:
    """Sort events, and drop those without effect: all but the last at one tick, and repetitions."""
    if len(events) < 2:
        return tuple(events)
    last = {event.onset_ticks: event for event in sorted(events, key=lambda e: e.onset_ticks)}
    effective: list[Any] = []
    for event in last.values():
        if not effective or event[1:] != effective[-1][1:]:
            effective.append(event)
    return tuple(effective)


def _ints(values: npt.ArrayLike, *unchanged_types: str) -> npt.NDArray[Any]:
    """Return a column (N,) of 64-bit integers; a column of one of `unchanged_types` keeps its type."""
    column = np.atleast_1d(np.asarray(values))
    return column if column.dtype in unchanged_types else column.astype(np.int64)


def _check_notes(score: Score, is_checked: bool) -> None:
    """Raise ScoreError unless the columns are of equal length and in range."""
    if not 1 <= score.ticks_per_beat <= 32767:
        raise ScoreError(f"{score.ticks_per_beat} ticks a beat: must be 1-32767")
    if len(score.parts) > MAX_PARTS:
        raise ScoreError(f"{len(score.parts)} parts: must be at most {MAX_PARTS}")
    check_lengths([getattr(score, name) for name in COLUMNS])
    if len(score) and not score.parts:
        raise ScoreError(f"{len(score)} notes, but no part that plays them")
    limits = {} if is_checked else LIMITS  # `Score.of` has checked all of them but the number of parts
    for name, (low, high) in (limits | {"part": (0, len(score.parts) - 1)}).items():
        check_range(getattr(score, name), name, low, high, score.title)
    if score.end_ticks > MAX_TICKS:
        raise ScoreError(f"a note ends at tick {score.end_ticks}: must be at most {MAX_TICKS}")


def _check_order(score: Score) -> None:
    """Raise ScoreError unless the notes are sorted and do not overlap."""
    onset = score.onset_ticks.astype(np.int64)
    if (np.diff((onset << 16) + (score.part.astype(np.int64) << 7) + score.pitch) <= 0).any():
        raise ScoreError("notes must be sorted by onset, part, pitch, each once; Score.of does this")
    order, last_of_group = group_by_part_pitch(part_pitches(score.part, score.pitch))
    overlaps = (onset + score.duration_ticks)[order[:-1]] > onset[order[1:]]
    overlaps[last_of_group] = False
    if overlaps.any():
        note = int(order[int(np.argmax(overlaps))])
        raise ScoreError(f"note {note} still sounds when its pitch is struck again; Score.of cuts such notes")
