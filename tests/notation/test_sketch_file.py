"""Sketches as JSON that people edit: what is written is read again, and errors name the bar."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import PlanError
from ritornello.music.chord_names import parse_chord
from ritornello.music.chord_symbols import OPEN
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Part, drop_redundant
from ritornello.music.sections import plan_sections, sections
from ritornello.music.sketch import END, NO_MOTIF, UNKNOWN, Sketch, part_names
from ritornello.music.theory import CHORD_KINDS
from ritornello.notation import sketch_file
from ritornello.notation.sketch_writing import to_json

METERS = st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8), (2, 2), (5, 4)])
PARTS = st.one_of(st.builds(Part, st.just(""), st.sampled_from([0, 36, 37, 40])), st.just(Part("", 0, True)))
CHORDS = st.one_of(st.just(OPEN), st.tuples(st.integers(0, 11), st.sampled_from(CHORD_KINDS)))
NAMES = st.sampled_from(["N.C.", "G7/B", "am", "V7/ii", "bVII", "Cm(maj7)", "6-", "viiø7", "Db13#11"])
TEXTURES = st.tuples(st.integers(UNKNOWN, 40), st.integers(UNKNOWN, 127))


@st.composite
def plans(draw: Callable[..., Any]) -> Plan:
    """Plans of 1-12 bars, of which anything may be open."""
    bars = draw(st.integers(1, 12))
    changes = draw(st.dictionaries(st.integers(1, max(1, bars - 1)), METERS, max_size=2))
    meters = [(0, *draw(METERS)), *sorted((bar, *m) for bar, m in changes.items() if bar < bars)]
    parts = tuple(draw(st.lists(PARTS, min_size=1, max_size=4)))
    key = draw(st.none() | st.tuples(st.integers(-7, 7), st.booleans()))
    plan = Plan(bars, tuple(meters), draw(st.integers(150_000, 6_000_000)), key, parts)
    timeline = plan.timeline(GRID)
    ticks = sorted(draw(st.sets(st.integers(0, timeline.end_ticks - 1), max_size=6)))
    drawn = [Chord(tick, *draw(CHORDS)) for tick in ticks]
    named = [parse_chord(draw(NAMES), key)._replace(onset_ticks=tick) for tick in ticks]
    chords = list(drop_redundant(draw(st.sampled_from([drawn, named]))))
    chords = chords[1:] if chords and chords[0][1:3] == OPEN else chords
    lengths, returns, motifs = timeline.length_ticks.tolist(), [], []
    for bar in range(bars):
        same = [earlier for earlier in range(bar) if lengths[earlier] == lengths[bar]]
        targets = [(earlier, close) for earlier in same[-3:] for close in (UNKNOWN, 1, 2, 3)]
        returns.append(draw(st.sampled_from([(-1, UNKNOWN), (-1, 0), *targets])))
        motifs.append(draw(st.sampled_from([UNKNOWN, NO_MOTIF, *range(bar)])))
    cadences = [draw(st.integers(UNKNOWN, END)) for _ in range(bars)]
    textures = tuple(tuple(draw(TEXTURES) for _ in range(bars)) for _ in parts)
    beats = [draw(st.none() | st.integers(0, min(length, 400) - 1)) for length in lengths]
    closings = tuple((-1, -1) if tick is None else (tick, draw(st.integers(0, 11))) for tick in beats)
    closings = closings if any(tick is not None for tick in beats) else ()
    sketch = Sketch(tuple(cadences), tuple(motifs), parts, textures, closings)
    is_open = all(item == (-1, UNKNOWN) for item in returns)
    return replace(plan, chords=tuple(chords), returns=None if is_open else tuple(returns), sketch=sketch)


@given(plans())
def test_what_is_written_is_read_again(plan: Plan) -> None:
    read = sketch_file.from_dict(json.loads(to_json(plan)))
    empty = replace(
        plan, chords=(), returns=None, sketch=None, meters=((0, *plan.meters[plan.pickup_bars][1:]),)
    )
    again = read.applied_to(empty)
    assert replace(again, section_names=()) == plan
    if again.section_names:  # the letters that were found in the plan
        assert [(s.start, s.name) for s in plan_sections(again)] == [
            (s.start, s.name) for s in sections(plan.timeline(GRID))
        ]
    assert read.options["bars"] == plan.full_bars
    assert round(60e6 / read.options["tempo"]) == plan.us_per_beat


def plan_of(*bars: dict[str, Any], **header: Any) -> Plan:
    """Return the plan of a sketch whose header says what parts play."""
    parts = tuple(Part("", {"violin": 40, "cello": 42}[name]) for name in header.get("parts", ["violin"]))
    return sketch_file.from_dict({**header, "bars": list(bars)}).applied_to(Plan(parts=parts))


def test_a_section_of_the_same_name_repeats_the_latest_one() -> None:
    bars: list[dict[str, Any]] = [{} for _ in range(8)]
    for bar, name in ((0, "A"), (2, "B"), (4, "A~"), (6, "A")):
        bars[bar]["section"] = name
    assert plan_of(*bars).returns == parse_form("A2 B2 A2~ A2")
    bars[7]["repeats"] = "most of bar 4"
    bars[6]["repeats"] = None
    assert plan_of(*bars).returns[6:] == ((-1, UNKNOWN), (3, 2))  # type: ignore[index]


def test_what_is_left_out_is_open_and_keeps_what_the_plan_has() -> None:
    plan = plan_of({}, {"chords": None, "cadence": None, "texture": {"violin": None}})
    assert (plan.bars, plan.chords, plan.returns) == (2, (), None)
    assert plan.sketch == Sketch((-1, -1), (-1, -1), (Part("", 40),), (((-1, -1), (-1, -1)),))
    chords = plan_of({}, {"chords": "Am / ? ?"}, {}, {"chords": "%"}, {"chords": "/ G"}).chords
    assert chords == (Chord(96, 9, "min"), Chord(144, *OPEN), Chord(432, 7, "maj"))
    assert plan_of({"chords": "C G"}, {"chords": "%"}).chords[2:] == (
        Chord(96, 0, "maj"),
        Chord(144, 7, "maj"),
    )


def test_a_closing_note_is_counted_in_beats_of_its_meter() -> None:
    plan = plan_of({"closing": "Bb on beat 2.5"}, {"meter": "6/8", "closing": "C# on beat 4"})
    assert plan.sketch is not None and plan.sketch.closings == ((36, 10), (36, 1))


def test_parts_that_are_alike_are_numbered_and_no_name_is_another_instrument() -> None:
    parts = [Part("", 36), Part("", 36), Part("", 37), Part("", 40), Part("", 40), Part("", 0, True)]
    names = ["slap bass", "slap bass 3", "slap bass 2", "violin", "violin 2", "drums"]
    assert part_names(parts) == names


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ([{"tune": 1}], "bar 1 has the unknown key 'tune': must be one of bar, meter, section"),
        ([{"bar": 2}], "bar 2 is in the place of bar 1"),
        ([{"closing": "G"}], "bar 1: closing 'G': must be a note and a beat, such as 'D on beat 3'"),
        ([{"closing": "G on beat 5"}], "bar 1: closing on beat 5: must be at least 1, less than 5"),
        ([{}, {"cadence": "full"}], "bar 2: cadence 'full': must be one of none, open, closed, end"),
        ([{"chords": "H7"}], "bar 1: chord 'H7': must be a root A-G"),
        ([{"chords": "G7/H"}], "bar 1: chord 'G7/H': bass 'H': must be a note A-G"),
        (
            [{"chords": "C D E F G"}],
            "5 chords 'C D E F G' in bar 1: must be one, one a beat, or a number that divides its 96",
        ),
        ([{"chords": 7}], "bar 1: chords 7: must be a text"),
        ([{"section": "A 1"}], "bar 1: section 'A 1': must be letters"),
        ([{"repeats": "bar 1"}], "bar 1: repeats 'bar 1': must be 'nothing'"),
        ([{}, {"repeats": "all of bar 2"}], "bar 2: repeats .* some of an earlier bar"),
        ([{}, {"meter": "3/4", "repeats": "bar 1"}], "bar 2 .* cannot repeat bar 1"),
        ([{"motif": "a"}], "bar 1: motif 'a': must be 'new' or an earlier bar"),
        ([{"texture": "rests"}], "bar 1: texture 'rests': must be an object of parts"),
        ([{"texture": {"violin": 8}}], 'bar 1: violin 8: must be "rests" or such as'),
        ([{"texture": {"violin": {"notes": -1}}}], "bar 1: violin: notes -1: must be 0-1000"),
        (
            [{"texture": {"violin": {"pitch": "H4"}}}],
            "bar 1: violin: pitch 'H4': must be a note and its octave",
        ),
        ([{"texture": {"flute": "rests"}}], "bar 1: part 'flute': must be one of violin"),
        ([{}, {"meter": "3/5"}], "bar 2: meter '3/5': must be a time signature"),
        ([{"bar": 0}, {}], "bar 0: must have a meter"),
        ([{"bar": 0, "meter": "5/4"}, {}], "bar 0: meter 5/4: must be shorter"),
        ([{"bar": 0, "meter": "1/4"}, {"motif": "bar 1"}], "bar 1: motif 'bar 1'"),
        ([], "must be a list of 1-1000 objects"),
    ],
)
def test_errors_name_the_bar_the_value_and_what_is_allowed(bars: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan_of(*bars)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"tempo": "fast"}, "tempo 'fast' of a sketch: must be a number"),
        ({"parts": "violin"}, "parts 'violin' of a sketch: must be a list"),
        ({"name": "x"}, "a sketch has the unknown key 'name'"),
    ],
)
def test_errors_of_the_header(header: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        sketch_file.from_dict({**header, "bars": [{}]})


def test_errors_of_a_file_name_it(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    for text, message in (
        ("{", "s.json' is not a sketch: it is not JSON"),
        ("[]", r"s.json'?: a sketch is \[\]"),
    ):
        path.write_text(text)
        with pytest.raises(PlanError, match=message):
            sketch_file.read(path)
    with pytest.raises(PlanError, match=r"none\.json"):
        sketch_file.read(tmp_path / "none.json")
