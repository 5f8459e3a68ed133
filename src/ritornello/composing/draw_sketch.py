"""Draw the plan of a song with its sketch: the sketch network draws the values that the user leaves open."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path

import numpy as np

from ritornello.composing.choose_plan import choose_plan
from ritornello.composing.given_music import GivenMusic
from ritornello.composing.given_sketch import filled_around
from ritornello.composing.options import ComposeOptions, SketchSource
from ritornello.composing.parse_options import parse_options
from ritornello.composing.requested_textures import parse_textures, parts_with_requests, with_textures
from ritornello.composing.song_shape import check_shape, extended, framed_by, only_loop, with_shape
from ritornello.errors import InputError, PlanError
from ritornello.models.model import Model
from ritornello.music.chord_symbols import without_open_chords
from ritornello.music.plan import Plan
from ritornello.music.sketch import UNKNOWN
from ritornello.notation import sketch_file
from ritornello.notation.sketch_bar import OPEN_RETURN
from ritornello.notation.sketch_file import SketchFile
from ritornello.notation.sketch_writing import to_json
from ritornello.rendering.lead_sheet import lead_sheet
from ritornello.sketching.sketcher import Sketcher
from ritornello.system.files import file_path, write_bytes

# For each option that the header of a sketch file may have, the field of ParsedOptions
PARSED = {"bars": "bars", "genre": "genres", "key": "key", "tempo": "us_per_beat", "meter": "meter"}
PARSED |= {"parts": "parts"}

MAX_TRIES = 4  # to draw a sketch in which the requested parts play in enough bars
# The share of bars in which each requested part plays by the sketch: more than generate.LEAST_SHARE_OF_BARS,
# because the notes do not always follow the sketch
LEAST_PLANNED_SHARE = 0.3
# An optional part with fewer planned notes is left out (in a song of fewer bars: with fewer notes than bars);
# 97% of the parts of people's songs have at least six
FEWEST_NOTES = 12


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
        ending = file_path(path).suffix.lower()
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

    Raises PlanError if an option contradicts the sketch, or if the sketch already states its values.
    """
    for name in ("seconds", "prompt", "melody"):
        if getattr(options, name) is not None:
            raise PlanError(f"{name} and a sketch are given: leave one of the two out")
    if options.form is not None and any(item != OPEN_RETURN for item in file.returns):
        raise PlanError(f"form {options.form!r}: leave it out, the sketch has a form")
    if options.chords is not None and any(text is not None for text in file.chords):
        raise PlanError(f"chords {options.chords!r}: leave them out, the sketch has chords")
    in_file = parse_options(ComposeOptions(**file.options), labels)
    parsed = parse_options(options, labels)
    for name in file.options:
        value, file_value = getattr(parsed, PARSED[name]), getattr(in_file, PARSED[name])
        if value is not None and value != file_value:
            raise PlanError(
                f"{name} {getattr(options, name)!r}: the sketch has {file.options[name]!r}; leave it out or "
                "change the sketch"
            )
    return replace(options, **file.options)


def drawn_plan(plan: Plan, sketcher: Sketcher, generator: np.random.Generator, creativity: float) -> Plan:
    """Return the plan of a song with a complete sketch, without parts that have next to no notes in it."""
    return _without_small_parts(sketcher.fill(plan, generator, creativity))


def _without_small_parts(plan: Plan) -> Plan:
    """Return the plan without parts for which its sketch plans hardly any notes; at least one part stays."""
    assert plan.sketch is not None
    notes = [sum(max(0, planned) for planned, _ in bars) for bars in plan.sketch.textures]
    fewest = min(FEWEST_NOTES, len(plan.sketch.cadences), max(notes, default=0))
    large = [number for number, count in enumerate(notes) if count >= fewest]
    parts = tuple(plan.sketch.parts[number] for number in large)
    textures = tuple(plan.sketch.textures[number] for number in large)
    return replace(plan, parts=parts, sketch=replace(plan.sketch, parts=parts, textures=textures))


def _is_silent(plan: Plan) -> bool:
    """Whether all parts rest in all bars by the sketch."""
    assert plan.sketch is not None
    return not any(notes for bars in plan.sketch.textures for notes, _ in bars)


def _is_open(plan: Plan, part: int) -> bool:
    """Whether the texture of a part is open in some bar."""
    if plan.sketch is None or not plan.sketch.textures:
        return True
    return any(notes == UNKNOWN for notes, _ in plan.sketch.textures[part])


def _with_required_parts(fill: Callable[..., Plan], required: Collection[int], first_bar: int = 0) -> Plan:
    """Fill a plan until its required parts play in enough bars from a bar on, at most MAX_TRIES times.

    At the last time, the parts that did not do so the time before play in all bars.
    """
    lacking: list[int] = []
    for tries in range(MAX_TRIES):
        plan = fill(without_rests=lacking if tries == MAX_TRIES - 1 else ())
        lacking = [part for part in required if _planned_share(plan, part, first_bar) < LEAST_PLANNED_SHARE]
        if not lacking:
            break
    return plan


def _planned_share(plan: Plan, part: int, first_bar: int) -> float:
    """Return the share of the bars from a bar on in which a part plays by the sketch."""
    assert plan.sketch is not None
    bars = plan.sketch.textures[part][first_bar:]
    return sum(notes > 0 for notes, _ in bars) / len(bars)


class PlanDrawer:
    """Draws plans of songs by the options, with a sketch if a file or the model has one."""

    def __init__(self, model: Model, options: ComposeOptions, given: GivenMusic | None = None) -> None:
        """Read the sketch of the options. Raises PlanError for options that contradict it or the model."""
        self._file = read_sketch(options.sketch)
        if self._file is not None:
            options = with_options_of(self._file, options, model.all_labels)
        is_open = options.genre is None and given is None and (self._file is None or options.parts is None)
        if is_open:
            options = replace(options, genre=model.info.get("defaults", {}).get("genre"))
        has_requested_parts = given is not None or options.parts is not None
        if self._file is not None and self._file.has_all_textures:
            # This is a drawn sketch: it must give the song that `compose` gives at once
            has_requested_parts = False
        parsed = parse_options(options, model.all_labels)
        self._options, self._given, self._is_melody = options, given, options.melody is not None
        self._is_blend = len(parsed.genres or ()) > 1
        self.parts_are_optional = not has_requested_parts and not self._is_blend
        self.sketcher = Sketcher.of(model)
        check_shape(options)
        self._textures = parse_textures(options)
        preferred = tuple(request.part for request in self._textures if request.part)
        self._form = parsed.returns
        self._parsed = with_shape(replace(parsed, preferred_parts=preferred), options.intro, options.outro)
        # a loop has no pickup
        self._plans = tuple(p.only_main_meter() for p in model.plans) if options.loop else model.plans

    def plan(self, generator: np.random.Generator, must_play: Collection[int] = ()) -> Plan:
        """Return the plan of a song; if there is a sketch network, it is complete. Raises PlanError.

        Of the parts that join given music, those with the numbers `must_play` play in its new bars.
        """
        plan = self._drawn_plan(generator, must_play)
        first_bar = first_part = 0
        if self._given and self._is_melody:
            first_part = len(self._given.plan.parts)
        elif self._given:
            first_bar = len(self._given.timeline)
        return with_textures(plan, self._textures, first_bar, first_part)

    def _drawn_plan(self, generator: np.random.Generator, must_play: Collection[int]) -> Plan:
        """Return the plan, with the textures that the network draws."""
        given, options = self._given, self._parsed
        given_plan = given.plan if given else None
        plan = choose_plan(options, self._plans, generator, given=given_plan, is_melody=self._is_melody)
        if self.sketcher is not None and given is not None:
            added = range(len(given.plan.parts), len(plan.parts)) if options.parts else ()
            fill = partial(
                filled_around,
                plan,
                given,
                self.sketcher,
                generator,
                self._options.creativity,
                has_form=options.returns is not None,
                has_chords=bool(options.chords),
                required={*must_play, *added},
            )
            return _with_required_parts(fill, added, 0 if self._is_melody else len(given.timeline))
        if self.sketcher is not None and options.returns is None:
            plan = replace(plan, returns=None)  # the form of a training song, cut or extended
        if self._options.intro or self._options.outro:
            frame = self._options.intro or 0, self._options.outro or 0
            plan = framed_by(plan, self._form, *frame, self.sketcher, generator, self._options.creativity)
        if self._file is not None:
            plan = self._file.applied_to(plan)
        if self._options.loop:
            return self._drawn_loop(plan, generator)
        return self._filled(plan, generator)

    def _drawn_loop(self, plan: Plan, generator: np.random.Generator) -> Plan:
        """Return the plan of a loop; its sketch is drawn with additional bars that repeat its first ones."""
        if plan.pickup_bars:
            raise PlanError("loop: the sketch has a pickup, bar 0: must begin with bar 1")
        if self.sketcher is None:
            return replace(self._filled(plan, generator), is_loop=True)
        filled = self._filled(extended(plan), generator)
        return replace(only_loop(filled, plan.bars or 0), is_loop=True)

    def _filled(self, plan: Plan, generator: np.random.Generator) -> Plan:
        """Return the plan with a complete sketch if there is a sketch network. Raises PlanError."""
        plan, open_bars = without_open_chords(plan)
        if self.sketcher is None:
            if open_bars is not None:
                number = int(np.argmax(open_bars)) + 1 - plan.pickup_bars
                raise PlanError(
                    f"bar {number}: its chords are open, and the model has no sketch network: must have "
                    "chords in all bars, or in none"
                )
            return plan
        required = parts_with_requests(self._textures, plan)
        if self._parsed.parts or self._is_blend:
            required = list(range(len(plan.parts)))
        required = [part for part in required if _is_open(plan, part)]
        fill = partial(self.sketcher.fill, plan, generator, self._options.creativity, open_bars=open_bars)
        filled = _with_required_parts(partial(fill, required=required), required)
        if _is_silent(filled):
            filled = fill(without_rests=range(len(plan.parts)))
        if plan.parts and _is_silent(filled):
            raise PlanError("the sketch lets all parts rest in all bars: at least one must play in one bar")
        return _without_small_parts(filled) if self.parts_are_optional and self._file is None else filled
