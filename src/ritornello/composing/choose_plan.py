"""From what is asked to a plan: what is left open comes, all together, from one training song that fits.

Of the stored plans those are kept that fit each wish in turn, the most important first; a wish that none of
the rest fits is passed over, and holds all the same: the plan is bent to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ritornello.composing.options import Asked, Instrument
from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.music.score import Chord, Part
from ritornello.music.timeline import Timeline

BARS = 16  # unless anything else is asked
MOST = 2  # how closely a form goes on that is longer than the song it comes from
Meters = tuple[tuple[int, int, int], ...]


def resolve(
    asked: Asked,
    plans: Sequence[Plan],
    draw: np.random.Generator,
    *,
    source: Plan | None = None,
    tune: bool = False,
) -> Plan:
    """The plan of a song: nothing in it is open. Raises PlanError for parts that its label never has.

    `source` is the plan of what is there already: its meters, tempo and key hold. It is the song's beginning,
    or a `tune` that all of it goes along with; its parts are the plan's first.
    """
    drawn = _pick(asked, plans, draw, source)
    parts = _parts(asked, drawn, plans, source, tune)
    meters = _meters(asked, drawn, source, tune)
    us_per_beat = source.us_per_beat if source else asked.us_per_beat or drawn.us_per_beat
    bars = _bars(asked, meters, us_per_beat, source, tune)
    plan = Plan(
        bars,
        tuple(change for change in meters if change[0] < bars),
        us_per_beat,
        _key(asked, drawn, source),
        parts,
        asked.genres or drawn.genres,
        chords=source.chords if source else (),
        returns=_returns(asked, drawn, source, bars),
    )
    plan = replace(plan, returns=_possible(plan))
    return replace(plan, chords=_chords(asked.chords, plan.timeline(GRID))) if asked.chords else plan


def _pick(asked: Asked, plans: Sequence[Plan], draw: np.random.Generator, source: Plan | None) -> Plan:
    """A stored plan that fits as much of what is asked as any; a plain one where there are none."""
    if not plans:
        return Plan()
    label = None
    if asked.genres:
        names, weights = zip(*asked.genres, strict=True)
        label = names[int(draw.choice(len(names), p=np.array(weights) / sum(weights)))]
    meter = asked.meter or (source.only_main_meter().meters[0][1:] if source else None)
    key = asked.key or (source.key if source else None)
    wishes: list[Callable[[Plan], bool]] = [
        lambda plan: label is None or label in dict(plan.genres),
        lambda plan: meter is None or plan.only_main_meter().meters[0][1:] == meter,
        lambda plan: not asked.parts or all(_has(plan, part) for part in asked.parts),
        lambda plan: key is None or (plan.key is not None and plan.key[1] == key[1]),
        lambda plan: (plan.bars or 0) >= _bars(asked, plan.meters, asked.us_per_beat or plan.us_per_beat),
        lambda plan: bool(plan.returns) or asked.returns is not None,
    ]
    fitting = list(plans)
    for wish in wishes:
        fitting = [plan for plan in fitting if wish(plan)] or fitting
    return fitting[int(draw.integers(len(fitting)))]


def _has(plan: Plan, part: Instrument) -> bool:
    """Whether a plan has a part."""
    return any(
        p.is_drum if not part.programs else not p.is_drum and p.program in part.programs for p in plan.parts
    )


def _bars(
    asked: Asked, meters: Meters, us_per_beat: int, source: Plan | None = None, tune: bool = False
) -> int:
    """How many bars: as asked, or as many as last the seconds asked for, or a tune has. Raises PlanError."""
    there = (source.bars or 0) if source else 0
    bars = asked.bars or (there if tune else there + BARS)
    if asked.seconds is not None:
        beats = Fraction(4 * meters[0][1], meters[0][2])
        bars = min(MAX_BARS, max(1, round(asked.seconds * 1e6 / float(us_per_beat * beats))))
    if there and (bars < there or (bars == there and not tune)):
        what = f"the tune has {there}" if tune else f"the prompt has {there} of them, which must be fewer"
        raise PlanError(f"{bars} bars, but {what}")
    return bars


def _meters(asked: Asked, drawn: Plan, source: Plan | None, tune: bool) -> Meters:
    """The meter asked for, or that of what is there, or the drawn one. Raises PlanError where two differ."""
    if source is None:
        return ((0, *asked.meter),) if asked.meter else drawn.meters
    main = source.only_main_meter().meters[0][1:]
    if asked.meter and asked.meter != main:
        what = "the tune" if tune else "the prompt"
        raise PlanError(f"meter {asked.meter[0]}/{asked.meter[1]}, but {what} is in {main[0]}/{main[1]}")
    goes_on = tune or source.meters[-1][1:] == main  # a last bar that was cut short is no meter
    return source.meters if goes_on else (*source.meters, (source.bars or 0, *main))


def _key(asked: Asked, drawn: Plan, source: Plan | None) -> tuple[int, bool] | None:
    """The key asked for, or that of what is there, or the drawn one."""
    return asked.key or (source.key if source else drawn.key)


def _parts(
    asked: Asked, drawn: Plan, plans: Sequence[Plan], source: Plan | None, tune: bool
) -> tuple[Part, ...]:
    """The parts: first those that are there, then those asked for, or else the drawn plan's.

    A prompt is joined only by what is asked for; a tune is always, and what plays it is not drawn again.
    """
    own = source.parts if source else ()
    if asked.parts is not None:
        return (*own, *_instruments(asked, plans))
    if not source:
        return drawn.parts
    if not tune:
        return own
    more = list(drawn.parts)
    for part in own:
        same = [p for p in more if (p.program, p.is_drum) == (part.program, part.is_drum)]
        if same and len(more) > 1:
            more.remove(same[0])
    return (*own, *more)


def _instruments(asked: Asked, plans: Sequence[Plan]) -> tuple[Part, ...]:
    """The parts asked for: of what a name may mean, the program that songs of the labels use most.

    Raises PlanError for a part that none of them has, unless it is forced.
    """
    labels = {label for label, _ in asked.genres or ()}
    seen = [plan for plan in plans if not labels or labels & set(dict(plan.genres))] or list(plans)
    counted = Counter(-1 if p.is_drum else p.program for plan in seen for p in plan.parts)
    found = []
    for part in asked.parts or ():
        usual = max(part.programs or (-1,), key=lambda program: (counted[program], -program))
        if plans and not counted[usual] and not asked.force:
            known = sorted({"drums" if p < 0 else theory.INSTRUMENTS[p] for p in counted})
            some = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
            whose = f"songs of {'+'.join(sorted(labels))} have" if labels else "the model's songs have"
            raise PlanError(f"no part {part.name!r}: {whose} {some}; --force has it all the same")
        found.append(Part("", max(usual, 0), usual < 0))
    drums = [part for part in found if part.is_drum]
    return tuple(part for part in found if not part.is_drum) + tuple(drums[:1])


def _returns(asked: Asked, drawn: Plan, source: Plan | None, bars: int) -> tuple[tuple[int, int], ...] | None:
    """The form asked for, or the drawn song's, cut at the length; where it is too short, it starts over.

    The bars that are there already have their own.
    """
    if asked.returns is not None or not drawn.returns:
        return asked.returns
    own = source.returns or () if source else ()
    form = [*own, *drawn.returns[len(own) :]][:bars]
    while len(form) < bars:
        form.append((len(form) - len(drawn.returns), MOST))
    return tuple(form)


def _possible(plan: Plan) -> tuple[tuple[int, int], ...] | None:
    """The returns without those to a bar of another length, which changes of meter may bring about."""
    if plan.returns is None:
        return None
    length = replace(plan, returns=None).timeline(GRID).length_ticks.tolist()
    return tuple(
        (model, close) if model < bar and length[max(model, 0)] == length[bar] else (-1, 0)
        for bar, (model, close) in enumerate(plan.returns[: len(length)])
    )


def _chords(chords: Sequence[tuple[int, str]], timeline: Timeline) -> tuple[Chord, ...]:
    """One chord a bar, from the first again after the last."""
    places = timeline.start_ticks.tolist()
    return tuple(Chord(tick, *chords[bar % len(chords)]) for bar, tick in enumerate(places))
