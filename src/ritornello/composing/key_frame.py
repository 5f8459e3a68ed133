"""Transpose a request to the key frame of a model (`music.key_frame`), and its sampled rows back.

The plan vector has the song's own key, so that the network can tell how high the instruments will play.
"""

from dataclasses import replace
from typing import NamedTuple

from ritornello.composing.request import Request
from ritornello.models.model import Model
from ritornello.music.key_frame import frame_shift, shift_within
from ritornello.music.plan import Plan
from ritornello.music.sketch import Sketch
from ritornello.music.theory import transposed_key
from ritornello.representations.grid.augmentation import transposed, transposition_range
from ritornello.representations.grid.vocabulary import DRUM_PART

HIGHEST_MIDI_PITCH = 127


class FramedRequest(NamedTuple):
    """A request in the frame, and the semitones by which it was transposed from its own key."""

    request: Request
    semitones: int


def framed(model: Model, request: Request) -> FramedRequest:
    """Return the request in the frame of the model; unchanged if the model has none, or the plan no key."""
    if not model.has_key_frame:
        return FramedRequest(request, 0)
    low, high = _range_of_given(request)
    semitones = shift_within(frame_shift(request.plan.key), low, high)
    if not semitones:
        return FramedRequest(request, 0)
    moved = replace(
        request,
        plan=moved_plan(request.plan, semitones),
        given=request.given and request.given.transposed(semitones),
        prompt=None if request.prompt is None else transposed(request.prompt, semitones),
        avoided=frozenset(_moved_note(note, semitones) for note in request.avoided),
        transposed_by=semitones,
    )
    return FramedRequest(moved, semitones)


def _moved_note(note: tuple[int, int, int], semitones: int) -> tuple[int, int, int]:
    """A note (tick, part class, pitch) moved by semitones, unless it is of drums."""
    tick, part, pitch = note
    return tick, part, pitch if part == DRUM_PART else pitch + semitones


def moved_plan(plan: Plan, semitones: int) -> Plan:
    """The plan with key, chords and registers moved by semitones."""
    chords = tuple(chord.transposed(semitones) for chord in plan.chords)
    key = plan.key and transposed_key(plan.key, semitones)
    return replace(plan, key=key, chords=chords, sketch=plan.sketch and _moved_sketch(plan.sketch, semitones))


def _moved_sketch(sketch: Sketch, semitones: int) -> Sketch:
    """The sketch with closing notes and the mean pitches of pitched parts moved by semitones."""

    def moved(pitch: int) -> int:
        return pitch if pitch < 0 else min(max(pitch + semitones, 0), HIGHEST_MIDI_PITCH)

    textures = tuple(
        bars if part.is_drum else tuple((notes, moved(pitch)) for notes, pitch in bars)
        for part, bars in zip(sketch.parts, sketch.textures, strict=True)
    )
    closings = tuple(
        (ticks, pitch if pitch < 0 else (pitch + semitones) % 12) for ticks, pitch in sketch.closings
    )
    return replace(sketch, textures=textures, closings=closings)


def _range_of_given(request: Request) -> tuple[int, int]:
    """By how many semitones the given notes of a request can go down (at most 0) and up (at least 0)."""
    low, high = -HIGHEST_MIDI_PITCH, HIGHEST_MIDI_PITCH
    if request.prompt is not None and len(request.prompt):
        low, high = transposition_range(request.prompt)
    if request.given is not None and not (drums := request.given.of_drums).all():
        pitch = request.given.pitch[~drums]
        low, high = max(low, -int(pitch.min())), min(high, HIGHEST_MIDI_PITCH - int(pitch.max()))
    return low, high
