"""Draw the sketch of a song: what the user gives is kept, the sketch network fills what is open."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import numpy as np

from ritornello.composing.asked_textures import parse_textures, parts_asked, with_textures
from ritornello.composing.choose_plan import choose_plan
from ritornello.composing.given_music import GivenMusic
from ritornello.composing.given_sketch import filled_around
from ritornello.composing.options import ComposeOptions, SketchSource
from ritornello.composing.parse_options import parse_options
from ritornello.composing.song_shape import check_shape, extended, framed_by, only_loop, with_shape
from ritornello.errors import InputError, PlanError
from ritornello.models.model import Model
from ritornello.music.chord_symbols import without_open_chords
from ritornello.music.plan import Plan
from ritornello.notation import sketch_file
from ritornello.notation.sketch_bar import OPEN_RETURN
from ritornello.notation.sketch_file import SketchFile
from ritornello.notation.sketch_writing import to_json
from ritornello.rendering.lead_sheet import lead_sheet
from ritornello.sketching.sketcher import Sketcher
from ritornello.system.files import write_bytes

# The options that the header of a file states, and the fields of the parsed options
PARSED = {"bars": "bars", "genre": "genres", "key": "key", "tempo": "us_per_beat", "meter": "meter"}
PARSED |= {"parts": "parts"}


TRIES = 4  # to draw a sketch in which the requested parts play in enough bars,
LEAST_SHARE_OF_BARS = (
    0.3  # so that they do in a quarter of them though the notes do not follow it to the letter
)
FEWEST_NOTES = 12  # of a part that nobody asked for, in as many bars or more; 97% of human parts have six


@dataclass(frozen=True)
class DrawnSketch:
    """A sketch that was drawn: the plan that has it, and the seed. `str` gives the lead sheet."""

    plan: Plan
    seed: int

    def __str__(self) -> str:
        return lead_sheet(self.plan)

    def to_json(self) -> str:
        """Return the sketch as JSON that a musician can edit."""
        return to_json(self.plan)

    def write(self, path: str | Path) -> None:
        """Write the sketch: .json to edit and compose from, .txt as a lead sheet. Raises InputError."""
        ending = Path(path).suffix.lower()
        if ending not in (".json", ".txt"):
            raise InputError(f"{str(path)!r} must end in .json or .txt")
        write_bytes(Path(path), (self.to_json() if ending == ".json" else f"{self}\n").encode())

    def _repr_html_(self) -> str:
        """The lead sheet, for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"


def read_sketch(source: SketchSource | None) -> SketchFile | None:
    """Return the sketch of a file, or one that was drawn. Raises PlanError."""
    if isinstance(source, DrawnSketch):
        return sketch_file.from_dict(json.loads(source.to_json()))
    return None if source is None else sketch_file.read(source)


def with_options_of(file: SketchFile, options: ComposeOptions, labels: Sequence[str]) -> ComposeOptions:
    """Return the options with those that a sketch states.

    Raises PlanError where the options state something else, or what the sketch states already.
    """
    for name in ("seconds", "prompt", "melody"):
        if getattr(options, name) is not None:
            raise PlanError(f"{name} and a sketch are given: leave one of the two out")
    if options.form is not None and any(item != OPEN_RETURN for item in file.returns):
        raise PlanError(f"form {options.form!r}: leave it out, the sketch says what returns")
    if options.chords is not None and any(text is not None for text in file.chords):
        raise PlanError(f"chords {options.chords!r}: leave them out, the sketch has chords")
    stated = parse_options(ComposeOptions(**file.options), labels)
    wanted = parse_options(options, labels)
    for name in file.options:
        ours, theirs = getattr(wanted, PARSED[name]), getattr(stated, PARSED[name])
        if ours is not None and ours != theirs:
            value, other = getattr(options, name), file.options[name]
            raise PlanError(f"{name} {value!r}: the sketch has {other!r}; leave it out or change the sketch")
    return replace(options, **file.options)


def _without_small_parts(plan: Plan) -> Plan:
    """The plan without parts that have next to no notes in its sketch; one part is kept in any case."""
    assert plan.sketch is not None
    notes = [sum(max(0, planned) for planned, _ in bars) for bars in plan.sketch.textures]
    fewest = min(FEWEST_NOTES, len(plan.sketch.cadences), max(notes, default=0))
    kept = [number for number, count in enumerate(notes) if count >= fewest]
    parts = tuple(plan.sketch.parts[number] for number in kept)
    textures = tuple(plan.sketch.textures[number] for number in kept)
    return replace(plan, parts=parts, sketch=replace(plan.sketch, parts=parts, textures=textures))


def _planned_share(plan: Plan, part: int) -> float:
    """The share of the bars in which a part plays by the sketch."""
    assert plan.sketch is not None
    bars = plan.sketch.textures[part]
    return sum(notes > 0 for notes, _ in bars) / len(bars)


class PlanDrawer:
    """Draws plans of songs by the options, each with a sketch as far as the model or a file has one."""

    def __init__(self, model: Model, options: ComposeOptions, given: GivenMusic | None = None) -> None:
        """Read the sketch of the options. Raises PlanError for options that contradict it or the model."""
        self._file = read_sketch(options.sketch)
        is_asked = given is not None or options.parts is not None
        if self._file is not None:
            options = with_options_of(self._file, options, model.labels)
        elif options.genre is None and given is None:
            options = replace(options, genre=model.info.get("defaults", {}).get("genre"))
        self._parsed, self._plans, self._options = parse_options(options, model.labels), model.plans, options
        self._given, self._is_melody = given, options.melody is not None
        self._is_blend = len(self._parsed.genres or ()) > 1
        self.parts_are_optional = not is_asked and not self._is_blend
        self.sketcher = Sketcher.of(model)
        check_shape(options)
        self._asked = parse_textures(options)
        preferred = tuple(each.part for each in self._asked if each.part)
        parsed = replace(self._parsed, preferred_parts=preferred)
        self._form = parsed.returns
        self._parsed = with_shape(parsed, options.intro, options.outro)
        if options.loop:
            self._plans = tuple(stored.only_main_meter() for stored in model.plans)  # without pickups

    def plan(self, generator: np.random.Generator, must_play: Collection[int] = ()) -> Plan:
        """Return the plan of a song, with nothing open if there is a sketch network. Raises PlanError.

        Parts that join given music and `must_play`, by their numbers in the plan, play in its new bars.
        """
        plan = self._drawn_plan(generator, must_play)
        if not self._asked:
            return plan
        is_prompt = self._given is not None and not self._is_melody
        first_bar = len(self._given.timeline) if self._given and is_prompt else 0
        first_part = len(self._given.plan.parts) if self._given and self._is_melody else 0
        return with_textures(plan, self._asked, first_bar, first_part)

    def _drawn_plan(self, generator: np.random.Generator, must_play: Collection[int]) -> Plan:
        """The plan, with the textures that the network draws."""
        given, options = self._given, self._parsed
        given_plan = given.plan if given else None
        plan = choose_plan(options, self._plans, generator, given=given_plan, is_melody=self._is_melody)
        if self.sketcher is not None and given is not None:
            asked = {"has_form": options.returns is not None, "has_chords": bool(options.chords)}
            creativity = self._options.creativity
            return filled_around(
                plan, given, self.sketcher, generator, creativity, required=must_play, **asked
            )
        if self.sketcher is not None and options.returns is None:
            plan = replace(plan, returns=None)  # that of a training song, cut or extended
        if self._options.intro or self._options.outro:
            frame = self._options.intro or 0, self._options.outro or 0
            plan = framed_by(plan, self._form, *frame, self.sketcher, generator, self._options.creativity)
        if self._file is not None:
            plan = self._file.applied_to(plan)
        if self._options.loop:
            return self._drawn_loop(plan, generator)
        return self._filled(plan, generator)

    def _drawn_loop(self, plan: Plan, generator: np.random.Generator) -> Plan:
        """The plan of a loop, drawn with the bars that follow its last one."""
        if plan.pickup_bars:
            raise PlanError("loop: the sketch has a pickup, bar 0: must begin with bar 1")
        if self.sketcher is None:
            return replace(self._filled(plan, generator), is_loop=True)
        filled = self._filled(extended(plan), generator)
        return replace(only_loop(filled, plan.bars or 0), is_loop=True)

    def _filled(self, plan: Plan, generator: np.random.Generator) -> Plan:
        """The plan with what is open of its sketch, if there is a sketch network."""
        options = self._parsed
        plan, open_bars = without_open_chords(plan)
        if self.sketcher is not None:
            required: Collection[int] = parts_asked(self._asked, plan)
            if options.parts or self._is_blend:
                required = range(len(plan.parts))
            for _ in range(TRIES):
                fill, creativity = self.sketcher.fill, self._options.creativity
                filled = fill(plan, generator, creativity, open_bars=open_bars, required=required)
                if all(_planned_share(filled, part) >= LEAST_SHARE_OF_BARS for part in required):
                    break
            return _without_small_parts(filled) if self.parts_are_optional and self._file is None else filled
        if open_bars is not None:
            number = int(np.argmax(open_bars)) + 1 - plan.pickup_bars
            raise PlanError(
                f"bar {number}: its chords are open, and the model has no sketch network: must have chords "
                "in all bars, or in none"
            )
        return plan
