"""The plan of a request bar by bar, for the sampling rules: parts, notes, pitches and closing notes."""

from __future__ import annotations

from typing import NamedTuple

from ritornello.composing.request import Request
from ritornello.music.sketch import UNKNOWN
from ritornello.representations.grid.texture import textures_by_part
from ritornello.representations.grid.vocabulary import DRUM_PART, part_classes


class ClosingNote(NamedTuple):
    """The note with which a phrase closes: its onset in ticks, its pitch class, and the class of its part."""

    onset_ticks: int
    pitch_class: int
    part: int


class PlannedParts:
    """What is planned for the requested parts of a song in each of its bars. Parts are classes."""

    def __init__(self, request: Request, bars: int) -> None:
        self.open = request.open_parts or (request.parts or (),) * bars
        """For each bar the parts in which notes may be sampled."""
        self.notes = _planned_notes(request, bars)
        """For each bar, by part: how many notes the sketch plans, if it does; 0: the part rests."""
        any_part = () if request.open_parts else (-1,)  # of a request that names no parts
        self.playing = [
            tuple(part for part in parts or any_part if notes.get(part, UNKNOWN))
            for notes, parts in zip(self.notes, self.open, strict=False)
        ]
        """For each bar the open parts that do not rest."""
        self.is_silent = [
            bool(request.parts) and request.given is None and not playing and bool(parts)
            for playing, parts in zip(self.playing, self.open, strict=False)
        ]
        """Whether no note may begin in each bar, because all parts rest in it. False with given music."""
        self.resting = frozenset(
            part for part in request.parts or () if all(notes.get(part) == 0 for notes in self.notes)
        )
        """The parts that rest in all bars."""
        classes = part_classes(request.plan.parts).tolist()
        self.held_parts = frozenset(classes[number] for number in request.plan.held_notes)
        """The parts whose density the user set."""
        self.held_registers = frozenset(classes[number] for number in request.plan.held_pitches)
        """The parts whose register the user set."""
        self.pitches = _planned_pitches(request)
        """By part: the planned mean pitch of each bar, if the sketch has one; -1: the part rests."""


def _planned_notes(request: Request, bars: int) -> list[dict[int, int]]:
    """Return for each bar the planned number of notes of each open part for which the sketch has one."""
    planned: list[dict[int, int]] = [{} for _ in range(bars)]
    if (sketch := request.plan.sketch) is not None:
        open_parts = request.open_parts or (request.parts or (),) * bars
        for part, textures in zip(part_classes(sketch.parts).tolist(), sketch.textures, strict=True):
            for notes_of_bar, (notes, _), parts in zip(planned, textures, open_parts, strict=False):
                if notes != UNKNOWN and part in parts:
                    notes_of_bar[part] = notes
    return planned


def _planned_pitches(request: Request) -> dict[int, list[int]]:
    """Return by pitched part the mean pitch that the sketch plans for each bar."""
    textures = {} if request.plan.sketch is None else textures_by_part(request.plan.sketch)
    return {part: [pitch for _, pitch in bars] for part, bars in textures.items() if part != DRUM_PART}


def closing_notes(request: Request) -> dict[int, ClosingNote]:
    """Return by bar the planned closing notes of phrases.

    They are played by the leading part: of the pitched parts that play in at least half as many bars as any
    other, the one with the highest planned mean pitch (-1 if there is none).
    """
    sketch = request.plan.sketch
    if sketch is None or not sketch.closings:
        return {}
    pitches = {  # by part: of the bars in which it plays
        part: [pitch for notes, pitch in bars if notes > 0 and pitch >= 0]
        for part, bars in textures_by_part(sketch).items()
        if part != DRUM_PART
    }
    most_bars = max(map(len, pitches.values()), default=0)
    frequent = [part for part, of_bars in pitches.items() if of_bars and 2 * len(of_bars) >= most_bars]
    leading = max(frequent, key=lambda part: sum(pitches[part]) / len(pitches[part]), default=-1)
    starts = request.timeline.start_ticks.tolist()
    return {
        bar: ClosingNote(start + ticks, pitch, leading)
        for bar, (start, (ticks, pitch)) in enumerate(zip(starts, sketch.closings, strict=False))
        if UNKNOWN not in (ticks, pitch)
    }
