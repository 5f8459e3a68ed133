"""Dead ends: no class is drawn that leaves nothing for the next choice; hard rules are never given up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ritornello.composing.request import request_for
from ritornello.composing.sampler import MAX_ATTEMPTS, sample
from ritornello.composing.sampling import FORBIDDEN, SamplingParams
from ritornello.composing.sampling_rules import RULES, Rule
from ritornello.composing.sampling_rules.dead_ends import leads_nowhere
from ritornello.composing.sampling_rules.parts import MAX_SOUNDING_NOTES
from ritornello.composing.sampling_state import Bias, SamplingState
from ritornello.models.model import Model
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part, Score
from ritornello.representations.grid.vocabulary import END, SHIFTS, WAIT
from tests.composing.models import write_model
from tests.composing.test_rules import BASS, FOUR, Song, song

FLUTE = 73 * 4


def beside_flute(*onset_ticks: int) -> Song:
    """A song of a piano and a bass around a flute that plays C5 at these ticks, 24 a beat."""
    count = len(onset_ticks)
    flute = Score.of(GRID, onset_ticks, [12] * count, [72] * count, [64] * count, parts=[Part("", 73)])
    return song(given=flute)


def test_nothing_joins_a_given_note_above_all_requested_parts() -> None:
    begun = beside_flute(0).note(0, FLUTE, 72)
    assert leads_nowhere(begun.state, "shift", 0, RULES)
    assert not any(leads_nowhere(begun.state, "shift", shift, RULES) for shift in (1, 95, WAIT, END))
    before = beside_flute(0)
    assert not leads_nowhere(before.state, "shift", 0, RULES)
    assert not leads_nowhere(before.note(0, BASS, 40).state, "shift", 0, RULES)  # the flute comes next


def test_no_pitch_is_left_above_the_highest() -> None:
    begun = song().note(0, BASS, 78).put(shift=0)
    assert not leads_nowhere(begun.state, "part", BASS, RULES)
    begun = song().note(0, BASS, 79)
    assert leads_nowhere(begun.state, "shift", 0, RULES)
    assert leads_nowhere(begun.put(shift=0).state, "part", BASS, RULES)
    assert begun.state.song.row == replaced_nothing(begun)


def replaced_nothing(begun: Song) -> list[int]:
    """The row of a song in the making, after another look at what it leads to."""
    row = begun.state.song.row.copy()
    leads_nowhere(begun.state, "part", 0, RULES)
    return row


def test_a_given_note_at_the_end_of_a_silent_bar_comes_after_a_requested_one() -> None:
    begun = beside_flute(95, 96).put(shift=95)
    assert leads_nowhere(begun.state, "part", FLUTE, RULES)
    assert not leads_nowhere(begun.state, "part", BASS, RULES)
    for earlier in (beside_flute(94, 96).put(shift=94), beside_flute(95, 96).note(0).put(shift=95)):
        assert not leads_nowhere(earlier.state, "part", FLUTE, RULES)


def test_no_onset_is_drawn_while_all_parts_have_as_many_notes_as_they_can_play() -> None:
    plan = replace(FOUR, parts=(Part(),))
    begun = song(plan, parts=(0,))
    for pitch in range(40, 40 + MAX_SOUNDING_NOTES):
        begun.note(0, 0, pitch, 30)  # class 30 is 31 ticks
    assert leads_nowhere(begun.state, "shift", 30, RULES)
    assert not leads_nowhere(begun.state, "shift", 31, RULES)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model"))


def forbid_all_after_low_start(state: SamplingState) -> Bias | None:
    """Nothing follows a first note below C5, in bar 2."""
    notes = state.song.notes
    nothing = np.full(SHIFTS, FORBIDDEN, np.float32)
    return nothing if state.song.bar > 0 and notes[0][2] < 72 else None


def forbid_all_in_bar_2(state: SamplingState) -> Bias | None:
    """Nothing follows in bar 2."""
    return np.full(SHIFTS, FORBIDDEN, np.float32) if state.song.bar == 1 else None


def test_a_song_at_a_dead_end_is_composed_anew(model: Model) -> None:
    plan = Plan(4, parts=(Part(),))
    params = SamplingParams.from_creativity(0.5, [field.name for field in model.representation.fields])
    rules = (*RULES, Rule("shift", forbid_all_after_low_start, True))
    requests = [request_for(plan, seed=1, song=number) for number in range(12)]
    with_rule, without = (sample(model, requests, params, rules=each) for each in (rules, RULES))
    pitches = [model.representation.decode(song.rows, plan).pitch[0] for song in without]
    assert {bool(pitch < 72) for pitch in pitches} == {False, True}
    for number, pitch in enumerate(pitches):
        if pitch >= 72:  # the rule has no effect: the song is the same
            assert np.array_equal(with_rule[number].rows, without[number].rows)
        assert with_rule[number].dead_end == ""
        assert model.representation.decode(with_rule[number].rows, plan).pitch[0] >= 72
        alone = sample(model, [requests[number]], params, rules=rules)[0]
        assert np.array_equal(alone.rows, with_rule[number].rows)


def test_a_song_that_always_comes_to_a_dead_end_ends_there(
    model: Model, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    params = SamplingParams.from_creativity(0.5, [field.name for field in model.representation.fields])
    rules = (*RULES, Rule("shift", forbid_all_in_bar_2, True))
    found = sample(model, [request_for(Plan(4, parts=(Part(),)), seed=1)], params, rules=rules)[0]
    assert found.dead_end == "the rules leave no shift in bar 2"
    assert len(found.rows)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"song 1 ends early: the rules leave no shift in bar 2 in each of {MAX_ATTEMPTS} attempts"
    ]
