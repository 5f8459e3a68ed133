"""Choose the plan of a song: values that the options leave open come from the plan of a training song.

The plans that the model stores are filtered by one criterion after another, the most important first; a
criterion that none of the remaining plans meets is skipped. One of the remaining plans is drawn, and changed
to fit the options.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ritornello.composing.parse_options import DEFAULT_BARS, Instrument, ParsedOptions
from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.chart import chart_chords
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.score import Part

EXTENSION_SIMILARITY = 2  # of the bars that are added to a form that is shorter than the song
MAX_NAMED_PARTS, MAX_NAMED_LABELS = 20, 3  # in an error message
Meters = tuple[tuple[int, int, int], ...]


def choose_plan(
    options: ParsedOptions,
    plans: Sequence[Plan],
    generator: np.random.Generator,
    *,
    given: Plan | None = None,
    is_melody: bool = False,
) -> Plan:
    """Return the plan of a song; only its chords, form and sketch may be open.

    `given` is the plan of the prompt, or (`is_melody`) of the melody. The song has its meters, tempo and key,
    and its parts come first. Raises PlanError for options that contradict it or need --force.
    """
    return _Choice(options, plans, given, is_melody).plan(generator)


@dataclass(frozen=True)
class _Choice:
    """The arguments of `choose_plan`; each method decides one field of the plan."""

    options: ParsedOptions
    plans: Sequence[Plan]
    given: Plan | None
    is_melody: bool

    def plan(self, generator: np.random.Generator) -> Plan:
        """Draw a stored plan and change it to fit the options and the given music."""
        options, given, label = self.options, self.given, self.label(generator)
        drawn = self.draw(generator, label)
        parts = self.parts(self.parts_of_labels(drawn, label, generator))
        meters = self.meters(drawn)
        us_per_beat = given.us_per_beat if given else options.us_per_beat or drawn.us_per_beat
        bars = self.bars(meters, us_per_beat)
        plan = Plan(
            bars,
            tuple(change for change in meters if change[0] < bars),
            us_per_beat,
            options.key or (given.key if given else drawn.key),
            parts,
            options.genres or drawn.genres,
            chords=given.chords if given else (),
            returns=self.returns(drawn, meters, bars),
            mode=options.mode if options.key else given.mode if given else "",
            section_names=self.section_names(meters),
            mean_velocity=None if given else drawn.mean_velocity,
        )
        plan = replace(plan, returns=_possible_returns(plan))
        if not options.chords:
            return plan
        return replace(plan, chords=chart_chords(options.chords, plan))

    def section_names(self, meters: Meters) -> tuple[tuple[int, str], ...]:
        """The first bar and the name of each section of the requested form; a pickup is in none of them."""
        names, start = [], _pickup_bars(meters)
        for name, bars in self.options.sections:
            names.append((start, name))
            start += bars
        return tuple(names)

    def label(self, generator: np.random.Generator) -> str | None:
        """Draw one of the requested labels by their weights; None if none is requested."""
        if not self.options.genres or not self.plans:
            return None
        names, weights = zip(*self.options.genres, strict=True)
        return str(names[int(generator.choice(len(names), p=np.array(weights) / sum(weights)))])

    def draw(self, generator: np.random.Generator, label: str | None) -> Plan:
        """Draw one of the stored plans that fit best; a default plan where none are stored."""
        options, given = self.options, self.given
        if not self.plans:
            return Plan()
        meter = options.meter or (given.only_main_meter().meters[0][1:] if given else None)
        key = options.key or (given.key if given else None)

        def is_long_enough(plan: Plan) -> bool:
            us_per_beat = options.us_per_beat or plan.us_per_beat
            return plan.full_bars >= self.requested_bars(plan.meters, us_per_beat, self.options.default_bars)

        prompt = None if given is None or self.is_melody or label else _programs(given)
        criteria: list[Callable[[Plan], bool]] = [
            lambda plan: label is None or label in dict(plan.genres),
            lambda plan: prompt is None or _programs(plan) >= prompt,
            lambda plan: prompt is None or _programs(plan) == prompt,
            lambda plan: meter is None or plan.only_main_meter().meters[0][1:] == meter,
            lambda plan: all(_has(plan, part) for part in (*(options.parts or ()), *options.preferred_parts)),
            lambda plan: key is None or (plan.key is not None and plan.key[1] == key[1]),
            is_long_enough,
            lambda plan: bool(plan.returns) or options.returns is not None,
        ]
        remaining = list(self.plans)
        for criterion in criteria:
            remaining = [plan for plan in remaining if criterion(plan)] or remaining
        return remaining[int(generator.integers(len(remaining)))]

    def requested_bars(self, meters: Meters, us_per_beat: int, default: int) -> int:
        """The length in bars by the options, without a pickup."""
        if self.options.seconds is None:
            return self.options.bars or default
        _, numerator, denominator = meters[_pickup_bars(meters)]
        beats = Fraction(4 * numerator, denominator)
        return min(MAX_BARS, max(1, round(self.options.seconds * 1e6 / float(us_per_beat * beats))))

    def bars(self, meters: Meters, us_per_beat: int) -> int:
        """The length in bars, with the pickup; by default that of the melody, or 16 bars after the prompt."""
        given = self.given.full_bars if self.given else 0
        default = given if self.is_melody else given + (DEFAULT_BARS if given else self.options.default_bars)
        bars = self.requested_bars(meters, us_per_beat, default)
        if given and (bars < given or (bars == given and not self.is_melody)):
            what = (
                f"the melody has {given}" if self.is_melody else f"the prompt has {given}: it must have fewer"
            )
            raise PlanError(f"{bars} bars, but {what}")
        return bars + _pickup_bars(meters)

    def meters(self, drawn: Plan) -> Meters:
        """The meters of the given music, or the requested one, or the main one of the drawn plan.

        A song in the meter of the drawn plan also has its pickup.
        """
        given, requested = self.given, self.options.meter
        if given is None:
            main = drawn.only_main_meter().meters[0][1:]
            meter = requested or main
            has_pickup = drawn.pickup_bars and main == meter
            return (drawn.meters[0], (1, *meter)) if has_pickup else ((0, *meter),)
        main = given.only_main_meter().meters[0][1:]
        if requested and requested != main:
            what = "melody" if self.is_melody else "prompt"
            raise PlanError(f"meter {requested[0]}/{requested[1]}, but the {what} is in {main[0]}/{main[1]}")
        if self.is_melody or given.meters[-1][1:] == main:
            return given.meters
        return (*given.meters, (given.bars or 0, *main))  # the last bar of a prompt may have been cut short

    def parts_of_labels(
        self, drawn: Plan, label: str | None, generator: np.random.Generator
    ) -> tuple[Part, ...]:
        """The parts of the drawn plan; for a blend, parts of one plan for each label, in proportion."""
        genres = self.options.genres or ()
        if len(genres) < 2 or self.options.parts is not None:
            return drawn.parts
        parts: list[Part] = []
        for name, weight in genres:
            plan = drawn if name == label else self.draw(generator, name)
            if name not in dict(plan.genres):
                continue
            count = max(1, round(weight * len(plan.parts)))
            chosen = np.sort(generator.choice(len(plan.parts), count, replace=False)).tolist()
            before = set(parts)
            parts += [plan.parts[number] for number in chosen if plan.parts[number] not in before]
        return _drums_last(parts) or drawn.parts

    def parts(self, drawn: tuple[Part, ...]) -> tuple[Part, ...]:
        """The given parts, then the requested ones, or else those drawn.

        Nothing is added to a prompt unless requested. To a melody parts are always added, but not the drawn
        part that plays the melody itself.
        """
        given = self.given.parts if self.given else ()
        if self.options.parts is not None:
            return (*given, *self._requested_parts(self._joining()))
        if not self.given:
            return drawn
        if not self.is_melody:
            return given
        added = list(drawn)
        for part in given:
            same = [p for p in added if (p.program, p.is_drum) == (part.program, part.is_drum)]
            if same and len(added) > 1:
                added.remove(same[0])
        return (*given, *added)

    def _joining(self) -> list[Instrument]:
        """The requested instruments that join the song; those that a prompt has already only continue."""
        requested = list(self.options.parts or ())
        if self.given is None or self.is_melody:
            return requested
        for part in self.given.parts:
            kind = (part.is_drum, 0 if part.is_drum else part.program)
            if own := [instrument for instrument in requested if kind in _kinds(instrument)]:
                requested.remove(own[0])
        return requested

    def _requested_parts(self, requested: Iterable[Instrument]) -> tuple[Part, ...]:
        """Each requested part with the program that songs of the labels use most; drums come last."""
        labels = {label for label, _ in self.options.genres or ()}
        plans = [plan for plan in self.plans if not labels or labels & set(dict(plan.genres))] or self.plans
        counts = Counter(-1 if p.is_drum else p.program for plan in plans for p in plan.parts)
        parts = []
        for part in requested:
            program = max(part.programs or (-1,), key=lambda number: (counts[number], -number))
            if plans and not counts[program] and not self.options.force:
                known = sorted({"drums" if p < 0 else theory.INSTRUMENTS[p] for p in counts})
                more = f" and {len(known) - MAX_NAMED_PARTS} more" if len(known) > MAX_NAMED_PARTS else ""
                whose = f"songs of {'+'.join(sorted(labels))} have" if labels else "the model's songs have"
                some = ", ".join(known[:MAX_NAMED_PARTS]) + more
                hint = self.labels_hint(labels)
                raise PlanError(f"no part {part.name!r}: {whose} {some}; {hint}")
            parts.append(Part("", max(program, 0), program < 0))
        return _drums_last(parts)

    def labels_hint(self, requested: Collection[str]) -> str:
        """Return how to get the requested parts: by another label, or by force."""
        songs = Counter[str]()
        for plan in self.plans:
            if all(_has(plan, part) for part in self.options.parts or ()):
                songs.update(dict(plan.genres).keys() - requested)
        labels = [label for label, _ in songs.most_common(MAX_NAMED_LABELS)]
        if not labels:
            return "--force (in Python force=True) allows it"
        example = f"--genre {labels[0]}, or --force (in Python genre={labels[0]!r}, force=True)"
        return f"songs of {', '.join(labels)} have all requested parts; {example} allows it"

    def returns(self, drawn: Plan, meters: Meters, bars: int) -> tuple[tuple[int, int], ...] | None:
        """The requested form, or those of the given bars and the drawn plan, cut or extended to `bars`."""
        pickup_bars = _pickup_bars(meters)
        if self.options.returns is not None:
            return _moved_form(self.options.returns, pickup_bars)
        if not drawn.returns:
            return None
        given = self.given.returns or () if self.given else ()
        model = _moved_form(drawn.returns, pickup_bars - drawn.pickup_bars)
        form = [*given, *model[len(given) :]][:bars]
        while len(form) < bars:  # repeat the form from its first full bar
            form.append((len(form) - len(model) + pickup_bars, EXTENSION_SIMILARITY))
        return tuple(form)


def _has(plan: Plan, part: Instrument) -> bool:
    """Whether a plan has a requested part."""
    return any(
        p.is_drum if not part.programs else not p.is_drum and p.program in part.programs for p in plan.parts
    )


def _drums_last(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The pitched parts, then the first of the drums, since all drums are one part."""
    drums = [part for part in parts if part.is_drum]
    return (*(part for part in parts if not part.is_drum), *drums[:1])


def _pickup_bars(meters: Meters) -> int:
    """1 if the meters of a song begin with a pickup, else 0."""
    return Plan(None, meters).pickup_bars


def _moved_form(returns: tuple[tuple[int, int], ...], bars: int) -> tuple[tuple[int, int], ...]:
    """Return a form with another bar before the first (`bars` 1), or without its first bar (-1)."""
    moved = (
        (earlier + bars, similarity) if earlier >= max(0, -bars) else (-1, min(similarity, 0))
        for earlier, similarity in returns[max(0, -bars) :]
    )
    return ((-1, 0),) * max(0, bars) + tuple(moved)


def _possible_returns(plan: Plan) -> tuple[tuple[int, int], ...] | None:
    """Return the `returns` of a plan without those to a bar of another length, which meters may cause."""
    if plan.returns is None:
        return None
    length = replace(plan, returns=None).timeline(GRID).length_ticks.tolist()
    return tuple(
        (earlier, similarity) if earlier < bar and length[max(earlier, 0)] == length[bar] else (-1, 0)
        for bar, (earlier, similarity) in enumerate(plan.returns[: len(length)])
    )


def _programs(plan: Plan) -> set[int]:
    """The programs of the parts of a plan; -1 stands for drums."""
    return {-1 if part.is_drum else part.program for part in plan.parts}


def _kinds(instrument: Instrument) -> set[tuple[bool, int]]:
    """Whether it is drums, and its program (0 for drums), of each part that an instrument can stand for."""
    return {(False, program) for program in instrument.programs} or {(True, 0)}
