"""The notes on which the phrases of a song close, as its sketch plans them, for the sampling rules."""

from typing import NamedTuple

from ritornello.composing.request import Request
from ritornello.music.sketch import UNKNOWN
from ritornello.representations.grid.vocabulary import DRUM_PART, part_classes


class ClosingNote(NamedTuple):
    """The note on which a phrase closes: its onset in ticks, its pitch class, and the class of its part."""

    onset_ticks: int
    pitch_class: int
    part: int


def closing_notes(request: Request) -> dict[int, ClosingNote]:
    """Return the closing notes of phrases by bar, as the sketch plans them for its leading part."""
    sketch, pitches = request.plan.sketch, dict[int, list[int]]()  # by part, of the bars in which it plays
    if sketch is None or not sketch.closings:
        return {}
    for part, bars in zip(part_classes(sketch.parts).tolist(), sketch.textures, strict=True):
        if part != DRUM_PART:
            pitches[part] = [pitch for notes, pitch in bars if notes > 0 and pitch >= 0]
    most = max(map(len, pitches.values()), default=0)
    leads = [part for part, found in pitches.items() if found and 2 * len(found) >= most]
    leading = max(leads, key=lambda part: sum(pitches[part]) / len(pitches[part]), default=-1)
    starts = request.timeline.start_ticks.tolist()
    return {
        bar: ClosingNote(start + ticks, pitch, leading)
        for bar, (start, (ticks, pitch)) in enumerate(zip(starts, sketch.closings, strict=False))
        if UNKNOWN not in (ticks, pitch)
    }
