"""The class Sketch: the details of a plan, bar by bar, which are decided before the first note.

A plan has the chords of the song (`Plan.chords`) and its form (`Plan.returns`). The sketch adds where and how
phrases end, the texture (how many notes each part plays in each bar, and how high), and the motifs (bars
whose leading lines have the same rhythm and contour). Each value may be unknown: a user may fix only some of
them, and the sketch network fills the others (`ritornello.sketching`). `representations.sketch` computes the
sketch of a song from its notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ritornello.errors import PlanError
from ritornello.music.score import Part
from ritornello.music.theory import INSTRUMENTS

UNKNOWN = -1
# Cadences: the bar ends no phrase, or ends one that sounds unfinished, one that sounds finished, or the last
NO_CADENCE, OPEN, CLOSED, END = 0, 1, 2, 3
CADENCE_NAMES = ("", "open", "closed", "end")
NO_MOTIF = -2  # the motif of a bar that shares it with no earlier bar
MAX_NOTES_OF_A_BAR = 1000  # of one part

Closing = tuple[int, int]  # the last long note of a phrase: ticks in the bar at 24 a beat, pitch class 0-11
Texture = tuple[int, int]  # a part in a bar: number of notes (0: it rests), mean pitch; each may be UNKNOWN


@dataclass(frozen=True)
class Sketch:
    """Phrases, motifs and texture of a song.

    A tuple has one item for each bar; an empty one means that all are unknown. Raises PlanError if a value is
    out of range.
    """

    cadences: tuple[int, ...] = ()
    """For each bar how it ends a phrase: NO_CADENCE, OPEN, CLOSED, END or UNKNOWN."""
    motifs: tuple[int, ...] = ()
    """For each bar the first earlier bar (from 0) with the same motif, NO_MOTIF or UNKNOWN."""
    parts: tuple[Part, ...] = ()
    """The parts of `textures`, in that order."""
    textures: tuple[tuple[Texture, ...], ...] = ()
    """For each part the texture of each bar."""
    closings: tuple[Closing, ...] = ()
    """For each bar the note of the leading line with which its phrase closes; each value may be UNKNOWN."""

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.textures):
            raise PlanError(f"{len(self.textures)} textures: must be one for each of {len(self.parts)} parts")
        for bar, cadence in enumerate(self.cadences):
            if not UNKNOWN <= cadence <= END:
                raise PlanError(f"cadence {cadence} of bar {bar + 1}: must be {UNKNOWN}-{END}")
        for bar, motif in enumerate(self.motifs):
            if not NO_MOTIF <= motif < bar:
                raise PlanError(f"motif {motif} of bar {bar + 1}: must be an earlier bar, or -2 or -1")
        for bar, (ticks, pitch) in enumerate(self.closings):
            if ticks < UNKNOWN or not UNKNOWN <= pitch <= 11:
                raise PlanError(
                    f"closing {ticks}, {pitch} of bar {bar + 1}: must be ticks and a pitch class 0-11"
                )
        for bars in self.textures:
            for notes, pitch in bars:
                if not UNKNOWN <= notes <= MAX_NOTES_OF_A_BAR or not UNKNOWN <= pitch <= 127:
                    raise PlanError(
                        f"texture {notes}, {pitch}: must be {UNKNOWN}-{MAX_NOTES_OF_A_BAR} notes "
                        "of mean pitch -1 to 127"
                    )

    def to_dict(self) -> dict[str, Any]:
        """Return the sketch as JSON can hold it, without closings if none is known."""
        values = asdict(self)
        return values if self.closings else {key: values[key] for key in values if key != "closings"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Sketch:
        """Return the sketch that `to_dict` wrote. Raises PlanError if a field is unknown or wrong."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise PlanError(
                f"unknown key {unknown[0]!r} of a sketch: must be one of {', '.join(sorted(known))}"
            )
        try:
            return cls(
                tuple(int(value) for value in values.get("cadences", ())),
                tuple(int(value) for value in values.get("motifs", ())),
                tuple(
                    Part(*part) if not isinstance(part, Mapping) else Part(**part)
                    for part in values.get("parts", ())
                ),
                tuple(
                    tuple((int(notes), int(pitch)) for notes, pitch in bars)
                    for bars in values.get("textures", ())
                ),
                tuple((int(ticks), int(pitch)) for ticks, pitch in values.get("closings", ())),
            )
        except (TypeError, ValueError) as error:
            raise PlanError(f"this is not a sketch: {error}") from error


def part_names(parts: Sequence[Part]) -> list[str]:
    """Return a name for each part: its instrument, numbered where several are alike."""
    names: list[str] = []
    counts: Counter[str] = Counter()
    for part in parts:
        instrument = name = part.instrument
        counts[instrument] += 1
        while name in names or (name != instrument and name in INSTRUMENTS):
            name = f"{instrument} {counts[instrument]}"
            counts[instrument] += name in names or name in INSTRUMENTS
        names.append(name)
    return names
