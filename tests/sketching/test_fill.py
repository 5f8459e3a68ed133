"""Sketches filled by networks with random weights: what holds whatever the network predicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Part
from ritornello.music.sketch import CLOSED, END, NO_MOTIF, UNKNOWN, Sketch
from ritornello.music.theory import PITCH_CLASS_NAMES
from ritornello.sketching.draw import probabilities_at
from ritornello.sketching.fill import Filling
from ritornello.sketching.inputs import variable_inputs
from ritornello.sketching.stages import LAST_BAR_TEMPERATURE, Stage
from ritornello.sketching.variables import KINDS, NO_CHORD, OPEN, SLOTS, Ints, key_of_chords
from tests.sketching.sketchers import BASS, DRUMS, LABELS, OPEN_PLAN, PIANO, WHOLE_PLAN, random_sketcher


def fill(plan: Plan, seed: int = 0, **options: object) -> Plan:
    return random_sketcher(seed).fill(plan, np.random.default_rng(seed), **options)  # type: ignore[arg-type]


def check_is_whole(plan: Plan) -> None:
    assert plan.bars is not None
    assert plan.returns is not None
    assert plan.sketch is not None
    assert len(plan.returns) == len(plan.sketch.cadences) == len(plan.sketch.motifs) == plan.bars
    assert plan.sketch.parts == plan.parts
    assert UNKNOWN not in plan.sketch.cadences + plan.sketch.motifs
    for texture in plan.sketch.textures:
        assert len(texture) == plan.bars
        assert all((notes > 0) == (pitch >= 0) for notes, pitch in texture)
    for bar, (origin, similarity) in enumerate(plan.returns):
        assert (origin < 0 and similarity == 0) or (0 <= origin < bar and similarity in (1, 2, 3))
    for motif in plan.sketch.motifs:
        assert motif == NO_MOTIF or plan.sketch.motifs[motif] == NO_MOTIF
    assert plan.sketch.cadences[-1] == END
    assert END not in plan.sketch.cadences[:-1]
    plan.timeline(GRID)  # origins are earlier bars of equal length


@pytest.mark.parametrize("seed", range(4))
def test_an_open_plan_is_filled(seed: int) -> None:
    filled = fill(OPEN_PLAN, seed)
    check_is_whole(filled)
    assert filled.chords
    assert replace(filled, chords=(), returns=None, sketch=None) == OPEN_PLAN


@pytest.mark.parametrize("seed", range(4))
def test_each_phrase_gets_a_closing_note_in_its_bar(seed: int) -> None:
    sketch = fill(OPEN_PLAN, seed).sketch
    assert sketch is not None and len(sketch.closings) == 16
    for cadence, (ticks, pitch) in zip(sketch.cadences, sketch.closings, strict=True):
        if cadence:
            assert ticks in range(0, 96, 12) and pitch in range(12)
        else:
            assert (ticks, pitch) == (UNKNOWN, UNKNOWN)


def test_a_given_closing_note_stays() -> None:
    sketch = Sketch((0, 0, 0, CLOSED), closings=(*((UNKNOWN, UNKNOWN),) * 3, (31, 10)))
    filled = fill(replace(OPEN_PLAN, sketch=sketch)).sketch
    assert filled is not None and filled.closings[3] == (31, 10)


def test_the_generator_decides() -> None:
    assert fill(OPEN_PLAN) == fill(OPEN_PLAN)
    sketcher = random_sketcher()
    assert sketcher.fill(OPEN_PLAN, np.random.default_rng(1)) != sketcher.fill(
        OPEN_PLAN, np.random.default_rng(2)
    )


@pytest.mark.parametrize("seed", range(3))
def test_what_is_whole_stays(seed: int) -> None:
    assert fill(WHOLE_PLAN, seed) == WHOLE_PLAN


def test_what_is_given_stays() -> None:
    assert WHOLE_PLAN.sketch is not None
    texture = ((0, UNKNOWN), (UNKNOWN, 50), (5, UNKNOWN), (3, 41))
    sketch = Sketch((UNKNOWN, CLOSED), (UNKNOWN, 0, UNKNOWN), (DRUMS, BASS), ((), texture))
    given = replace(OPEN_PLAN, returns=parse_form("A4 B4 A4~"), sketch=sketch)
    for seed in range(4):
        filled = fill(given, seed)
        check_is_whole(filled)
        assert filled.returns is not None
        assert given.returns is not None
        assert filled.returns[:12] == given.returns
        assert filled.sketch is not None
        assert filled.sketch.cadences[1] == CLOSED
        assert filled.sketch.motifs[1] == 0
        bass = filled.sketch.textures[1]
        assert bass[0] == (0, UNKNOWN)
        assert bass[1] in ((0, UNKNOWN), (bass[1][0], 50))
        assert bass[2][0] == 5
        assert bass[3] == (3, 41)


def test_given_chords_stay_beside_open_bars() -> None:
    chords = (Chord(0, 5, "maj"), Chord(12, 5, "min"), Chord(1 * 96, 0, "7"))
    plan = replace(OPEN_PLAN, chords=chords)
    assert fill(plan).chords == chords  # all bars are given
    is_open = np.arange(16) >= 2
    filled = fill(plan, open_bars=is_open)
    assert filled.chords[:3] == chords
    assert len(filled.chords) > 3


def test_a_single_return_can_be_open() -> None:
    plan = replace(WHOLE_PLAN, returns=((-1, 0), *[(-1, -1)] * 3, *(WHOLE_PLAN.returns or ())[4:]))
    filled = fill(plan)
    check_is_whole(filled)
    assert filled.returns is not None
    assert WHOLE_PLAN.returns is not None
    assert filled.returns[4:] == WHOLE_PLAN.returns[4:]


def test_bars_that_return_have_the_chords_of_their_origin() -> None:
    form = parse_form("A4 A4")
    cadences = (0, 0, 0, 1, 0, 0, 0, 3)
    plan = replace(OPEN_PLAN, bars=8, returns=form, sketch=Sketch(cadences))
    for seed in range(4):
        filled = fill(plan, seed)
        times, names = [c.onset_ticks for c in filled.chords], [c[1:] for c in filled.chords]

        def sounding(tick: int, times: list[int] = times, names: list[tuple[int, str]] = names) -> object:
            at = int(np.searchsorted(times, tick, side="right")) - 1
            return names[at] if at >= 0 else None

        for beat in range(12):  # the fourth bars end phrases in different ways, so they may differ
            first = sounding(24 * beat)
            assert first is None or sounding(4 * 96 + 24 * beat) == first
        assert filled.sketch is not None
        for texture in filled.sketch.textures:
            assert [p for _, p in texture[:4]] == [p for _, p in texture[4:]]


def test_known_chords_of_a_later_bar_hold_for_the_bar_that_it_repeats() -> None:
    plan = replace(OPEN_PLAN, bars=8, returns=parse_form("A4 A4"), sketch=Sketch((0,) * 7 + (3,)))
    plan = replace(plan, chords=(Chord(4 * 96, 3, "maj"), Chord(5 * 96, 8, "maj")))
    filled = fill(plan, open_bars=np.arange(8) < 4)
    assert Chord(0, 3, "maj") in filled.chords
    assert Chord(96, 8, "maj") in filled.chords


def test_drums_alone_get_no_chords() -> None:
    filled = fill(Plan(bars=4, parts=(DRUMS,)))
    check_is_whole(filled)
    assert filled.chords == ()


@pytest.mark.parametrize(
    "plan",
    [
        Plan(bars=1, key=(0, False)),
        Plan(bars=9, meters=((0, 1, 4), (1, 3, 4), (5, 7, 8)), key=(0, True), parts=(PIANO, PIANO)),
        Plan(bars=200, key=(0, False), parts=(PIANO,)),
        Plan(bars=3, key=(0, False), parts=(), genres=(("unheard of", 1.0),)),
        Plan(bars=3, key=(0, False), parts=tuple(Part("", n) for n in range(20))),
    ],
    ids=["one bar", "pickup and changes of meter", "long", "no parts", "many parts"],
)
def test_unusual_plans(plan: Plan) -> None:
    check_is_whole(fill(plan))


def test_creativity_zero_is_nearly_fixed() -> None:
    sketcher = random_sketcher(scale=1.0)
    songs = [sketcher.fill(OPEN_PLAN, np.random.default_rng(seed), 0.0) for seed in range(3)]
    free = [sketcher.fill(OPEN_PLAN, np.random.default_rng(seed), 1.0) for seed in range(3)]

    def apart(plans: list[Plan]) -> int:
        return sum(a != b for a, b in zip(plans[0].returns or (), plans[1].returns or (), strict=True))

    assert apart(songs) <= apart(free)


def test_what_is_drawn_at_random_is_as_frequent_as_in_the_network() -> None:
    """Each bar is a motif's with a probability of 0.2; drawn by entropies or with a cut, few would be."""
    filling = Filling(random_sketcher().network, LABELS, OPEN_PLAN, None, np.random.default_rng(0), 0.5)
    logits = np.log(np.tile(np.array([0.8, *[0.02] * 10], np.float32), (5, 1)))
    temperatures = filling._temperatures("motif", (np.arange(5),))
    assert probabilities_at(logits, temperatures) == pytest.approx(np.exp(logits), rel=1e-5)
    cooler = probabilities_at(logits, 0.75 * temperatures, filling._cut)
    assert cooler[:, 1:].sum(axis=1).max() < 0.13


def test_what_is_kept_between_passes_is_what_would_be_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    read = Filling._read

    def compare(filling: Filling) -> Any:
        inputs, states = read(filling)
        x = filling._context | variable_inputs(filling._variables)
        x |= filling._network.biases(x)
        assert x.keys() == inputs.keys()
        for name, array in x.items():
            np.testing.assert_array_equal(inputs[name], array, name)
        for state, expected in zip(states, filling._network.read_parts(x), strict=True):
            np.testing.assert_array_equal(state, expected)
        compared.append(True)
        return inputs, states

    monkeypatch.setattr(Filling, "_read", compare)
    fill(replace(OPEN_PLAN, key=(0, False)))
    assert len(compared) > 40


def test_chords_that_close_are_drawn_at_a_lower_temperature() -> None:
    plan = replace(OPEN_PLAN, bars=4, sketch=Sketch((0, CLOSED, 0, END)))
    filling = Filling(random_sketcher().network, LABELS, plan, None, np.random.default_rng(0), 0.5)
    temperatures = filling._temperatures("chord", (np.arange(4), np.zeros(4, np.int64)))
    assert temperatures.tolist() == pytest.approx([0.95, 0.75, 0.95, LAST_BAR_TEMPERATURE])
    temperatures = filling._temperatures("notes", (np.zeros(4, np.int64), np.arange(4)))
    assert temperatures.tolist() == pytest.approx([0.9] * 4)


def chords(*names: str) -> Ints:
    """The classes (bars, SLOTS) of major chords on C, G and so on, one in each bar."""
    classes = [PITCH_CLASS_NAMES.index(name) * KINDS for name in names]
    return np.tile(np.array(classes)[:, None], (1, SLOTS))


def test_the_key_that_is_heard_in_chords() -> None:
    assert key_of_chords(chords("C", "F", "G", "C")) == (0, False)
    assert key_of_chords(chords("D", "G", "A", "D")) == (2, False)
    assert key_of_chords(np.full((2, SLOTS), NO_CHORD)) == (0, False)  # nothing is heard


def test_chords_in_which_another_key_is_heard_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [chords("D", "G", "A", "D"), chords("C", "F", "G", "C"), chords("E", "B", "E", "B")]
    taken: list[Ints] = []

    def sample(filling: Filling, stage: Stage) -> None:
        assert (filling._variables.chord == OPEN).all()
        taken.append(drawn[len(taken)])
        filling._variables.chord[:] = taken[-1]

    monkeypatch.setattr(Filling, "_sample", sample)
    plan = replace(OPEN_PLAN, bars=4, meters=((0, 8, 4),), key=(0, False))
    filling = Filling(random_sketcher().network, LABELS, plan, None, np.random.default_rng(0), 0.5)
    filling._sample_chords(Stage(("chord",), 1))
    assert len(taken) == 2 and filling._variables.chord.tolist() == drawn[1].tolist()


def rests(plan: Plan) -> int:
    """How many bars of parts are planned to be rests."""
    assert plan.sketch is not None
    return sum(notes == 0 for texture in plan.sketch.textures for notes, _ in texture)


def test_labels_without_rests_have_notes_in_all_bars() -> None:
    free_plan, free_rests = replace(OPEN_PLAN, genres=(("hymn", 1.0),)), 0
    for seed in range(3):
        sketcher = replace(random_sketcher(seed), labels_without_rests=frozenset({"reel"}))
        assert rests(sketcher.fill(OPEN_PLAN, np.random.default_rng(seed))) == 0
        free_rests += rests(sketcher.fill(free_plan, np.random.default_rng(seed)))
    assert free_rests > 0


@pytest.mark.parametrize("seed", range(6))
def test_the_last_bar_is_no_whole_copy(seed: int) -> None:
    """A bar within a song leads on; the form that a user asks for stays."""
    filled = fill(replace(OPEN_PLAN, bars=3, returns=((-1, 0), (0, 3), (0, -1))), seed)
    assert filled.returns is not None
    assert filled.returns[1] == (0, 3) and filled.returns[2][1] < 3
    assert fill(replace(OPEN_PLAN, bars=2, returns=((-1, 0), (0, 3))), seed).returns == ((-1, 0), (0, 3))


@pytest.mark.parametrize(("creativity", "expected"), [(0.0, 0.1), (0.25, 0.55), (0.5, 1.0), (1.0, 1.3)])
def test_creativity_is_a_temperature(creativity: float, expected: float) -> None:
    filling = Filling(
        random_sketcher().network, LABELS, OPEN_PLAN, None, np.random.default_rng(0), creativity
    )
    assert filling._temperatures("motif", (np.arange(1),)).tolist() == pytest.approx([expected])
