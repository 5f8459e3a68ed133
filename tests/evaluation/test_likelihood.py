from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.evaluation import likelihood
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN
from ritornello.evaluation.reference import LOST_NOTE_NATS
from ritornello.evaluation.summary import SongNats
from ritornello.models.chain.network import ChainNetwork
from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.key_frame import frame_shift
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part, Score
from ritornello.representations.chorale import Chorale
from ritornello.representations.grid import vocabulary
from ritornello.representations.notes import Notes
from ritornello.representations.table import Field, Rows, hide, start_row
from tests.evaluation.predictors import Fixed, song
from tests.models.chains import NETWORKS, as_dicts

NOTES = Notes()


def account(
    network: Any, songs: list[LabelledScore], representation: Any = NOTES, **settings: Any
) -> list[SongNats]:
    """Return the nats of each song with everything given, in the order of `songs`."""
    found = list(likelihood.likelihood(network, representation, songs, given={"plan": ()}, **settings))
    by_name = {each["plan"].song: each["plan"] for each in found}
    return [by_name[each.name] for each in songs]


def small(kind: type[ChainNetwork], plan_size: int = 0) -> ChainNetwork:
    torch.manual_seed(1)
    sizes = {"width": 32, "layers": 2, "embedding": 8, "window": 48, "plan_size": plan_size}
    return kind({"fields": as_dicts(NOTES.fields), **sizes}).eval()


def test_a_uniform_predictor_has_the_logs_of_the_sizes() -> None:
    """Ten notes, no wait, and the END: eleven shifts of 194 classes, ten of each other choice."""
    one = song(0, 10)
    (nats,) = account(Fixed(NOTES.fields), [one])
    sizes = {"part": 513, "pitch": 128, "duration": 64, "velocity": 32}
    expected = {"shift": 11 * log(194)} | {name: 10 * log(size) for name, size in sizes.items()}
    assert nats.fields == pytest.approx(expected, rel=1e-6)
    assert nats.end == pytest.approx(log(194), rel=1e-6)
    assert nats.total == pytest.approx(sum(expected.values()), rel=1e-6)
    assert (nats.notes, nats.kept) == (10, 10)
    # durations are of one tick, a bin of their own; velocities lie in bins of four
    assert nats.reference == pytest.approx(nats.total + 10 * log(4), rel=1e-6)


def test_the_grammar_of_composing_counts_in_measuring_too() -> None:
    """A uniform predictor pays the logarithm of how many classes the cursor allows in each cell."""
    one = song(0, 30)
    (plain,), (narrow,) = (account(Fixed(NOTES.fields), [one], grammar=each) for each in (False, True))
    values, learn = NOTES.encode(one.score)
    rows = likelihood.SongRows(one.name, 30, values, learn, Plan.of(one.score), NOTES.timeline(one.score))
    choices = [column for column, field in enumerate(NOTES.fields) if field.kind == "choice"]
    expected: dict[str, float] = {}
    for column, allowed in zip(choices, likelihood.allowed_classes(NOTES, rows), strict=True):
        counts = learn[:, column] & (values[:, column] < NOTES.fields[column].size)
        assert allowed[counts, values[counts, column]].all()  # what is in a song is never forbidden
        expected[NOTES.fields[column].name] = float(np.log(allowed[counts].sum(axis=1)).sum())
    assert narrow.fields == pytest.approx(expected, rel=1e-5)
    assert narrow.total < plain.total


def test_pieces_and_batches_have_their_own_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    songs = [song(seed, notes) for seed, notes in enumerate((30, 37, 26))]
    together = account(Fixed(NOTES.fields, sure=1.0), songs, grammar=True)
    monkeypatch.setattr(likelihood, "PIECE_ROWS", 7)
    monkeypatch.setattr(likelihood, "BATCH_SONGS", 1)
    alone = account(Fixed(NOTES.fields, sure=1.0), songs, grammar=True)
    assert [each.total for each in alone] == pytest.approx([each.total for each in together], rel=1e-5)


def test_a_perfect_predictor_has_no_nats() -> None:
    (nats,) = account(Fixed(NOTES.fields, sure=1000.0), [song(0, 300)])
    assert (nats.total, nats.end) == (0.0, 0.0)
    assert nats.reference == pytest.approx(300 * log(4))


def test_a_wait_has_nats() -> None:
    """Two notes 8 bars apart in 4/4: WAIT seven times (to the line of each bar), a shift, and the END."""
    score = Score.of(24, [0, 8 * 96], [1, 1], [60, 62], [64, 64], parts=(Part(),))
    rows = NOTES.encode(score).values[:, vocabulary.COLUMN["shift"]].tolist()
    assert rows.count(vocabulary.WAIT) > 0
    (nats,) = account(Fixed(NOTES.fields), [LabelledScore("far", score)])
    assert nats.fields["shift"] == pytest.approx(len(rows) * log(194), rel=1e-6)
    assert nats.kept == 2


class EightBins(Notes):
    """`notes` with 8 bins of velocity in the place of 32."""

    fields = tuple(
        field._replace(size=field.size // 4 + (field.kind == "known")) if "velocity" in field.name else field
        for field in NOTES.fields
    )

    def encode(self, score: Score, timeline: Any = None, given: Any = None) -> Rows:
        values, learn = super().encode(score, timeline, given)
        for column, field in enumerate(self.fields):
            if "velocity" in field.name:
                values[:, column] //= 4
        return Rows(values, learn)

    def bin_widths(self) -> dict[str, Any]:
        return super().bin_widths() | {"velocity": np.full(8, 16)}


def test_coarser_velocities_lower_the_nats_and_leave_the_reference() -> None:
    coarse = EightBins()
    songs = [song(0, 40)]
    (fine,) = account(Fixed(NOTES.fields), songs)
    (few,) = account(Fixed(coarse.fields), songs, coarse)
    assert few.total == pytest.approx(fine.total - 40 * log(4), rel=1e-6)
    assert few.reference == pytest.approx(fine.reference, rel=1e-6)


def test_a_lost_note_has_reference_nats() -> None:
    """Two flutes that strike one pitch together are one instance each: kept. Two drum parts are one: lost."""
    one = song(0, 20)
    drums = replace(one.score, parts=(Part("a", 0, True), Part("b", 0, True)))
    onset = drums.onset_ticks - (np.arange(20) % 2) * np.diff(drums.onset_ticks, prepend=0)  # in pairs
    doubled = Score.of(24, onset, [1] * 20, [36] * 20, [64] * 20, np.arange(20) % 2, drums.parts)
    (nats,) = account(Fixed(NOTES.fields, sure=1000.0), [LabelledScore("drums", doubled)])
    assert (nats.notes, nats.kept) == (20, 10)
    assert nats.reference == pytest.approx(10 * log(4) + 10 * LOST_NOTE_NATS)


@pytest.mark.parametrize("kind", NETWORKS)
def test_pieces_and_batches_change_nothing(kind: type[ChainNetwork], monkeypatch: pytest.MonkeyPatch) -> None:
    """Songs of 90 to 260 rows in pieces of 32, padded together, against each alone in one piece."""
    network = small(kind)
    songs = [song(seed, notes) for seed, notes in enumerate((90, 260, 200, 61, 199, 130))]
    monkeypatch.setattr(likelihood, "PIECE_ROWS", 1000)
    monkeypatch.setattr(likelihood, "BATCH_SONGS", 1)
    alone = account(network, songs)
    monkeypatch.setattr(likelihood, "PIECE_ROWS", 32)
    monkeypatch.setattr(likelihood, "BATCH_SONGS", 4)
    monkeypatch.setattr(likelihood, "LEAST_LENGTH_RATIO", 0.2)
    monkeypatch.setattr(likelihood, "SORTED_ROWS", 400)  # more than two songs, and then the others
    together = account(network, songs)
    for one, other in zip(alone, together, strict=True):
        assert other.fields == pytest.approx(one.fields, rel=1e-5)
        assert (other.end, other.reference) == pytest.approx((one.end, one.reference), rel=1e-5)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_nats_are_those_of_the_networks_own_loss(kind: type[ChainNetwork]) -> None:
    network = small(kind)
    one = song(3, 100)
    values, learn = NOTES.encode(one.score)
    start = torch.tensor([start_row(NOTES.fields)])
    rows = torch.cat([start, torch.from_numpy(values).long()])[None]
    counts = torch.cat([torch.zeros_like(start, dtype=torch.bool), torch.from_numpy(learn)])[None]
    with torch.no_grad():
        losses = network.loss(network(rows), rows, counts)
    (nats,) = account(network, [one])
    for name, total in nats.fields.items():
        assert total / len(values) == pytest.approx(float(losses[name]), rel=1e-5)


def test_hidden_fields_have_no_effect() -> None:
    """A song with other chords and another plan has the same nats only if nothing is given."""
    plan_encoder = PlanEncoder(("folk", "game"))
    network = small(NETWORKS[0], plan_encoder.size)
    one = song(5, 120)
    other = one._replace(
        name="other", score=replace(one.score, chords=(Chord(0, 3, "min"),)), labels=("game",)
    )
    found = list(likelihood.likelihood(network, NOTES, [one, other], plan_encoder=plan_encoder))
    with_plan, without = ([each[given].total for each in found] for given in ("plan", "none"))
    assert without[0] == pytest.approx(without[1], rel=1e-6)
    assert abs(with_plan[0] - with_plan[1]) > 0.01


def test_nothing_given_hides_all_that_is_beyond_the_notes() -> None:
    hidden = hide(NOTES.fields, np.full(len(NOTES.fields), -1), HIDDEN_BY_GIVEN["none"])
    for value, field in zip(hidden.tolist(), NOTES.fields, strict=True):
        beyond = field.name.partition(".")[0] in ("form", "bars_left", "chord", "cadence", "texture")
        assert value == (field.unknown if beyond else -1)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_of_an_older_table_reads_its_own_fields(kind: type[ChainNetwork]) -> None:
    new = ("cadence", "texture", "chord.next", "chord.until")
    older = [f for f in NOTES.fields if f.name not in new and f.name.partition(".")[0] not in new]
    network = small(kind)
    assert len(older) == len(NOTES.fields) - 10
    old = kind({**network.settings(), "fields": as_dicts(older)}).eval()
    network.load_matching_weights(old)
    songs = [song(0, 30), song(1, 40)]
    for found, expected in zip(account(old, songs), account(network, songs), strict=True):
        assert found.total == pytest.approx(expected.total, rel=1e-5)


def test_batches_hold_songs_of_similar_length() -> None:
    assert likelihood.batches([10, 100, 99, 71, 69, 9]) == [[1, 2, 3], [4], [0, 5]]
    assert [len(batch) for batch in likelihood.batches([5] * 70)] == [32, 32, 6]
    assert likelihood.batches([]) == []


def test_songs_that_cannot_be_encoded_are_named() -> None:
    """A chorale is four voices; a table that does not say how wide its bins are has no reference."""
    tune = (np.arange(16) * 24, [24] * 16, 60 + np.arange(16) % 5, [80] * 16)
    onset, duration, pitch, velocity = (np.tile(column, 4) for column in tune)
    voices = np.repeat(np.arange(4), 16)
    parts = tuple(Part(name) for name in ("soprano", "alto", "tenor", "bass"))
    choir = Score.of(24, onset, duration, pitch - 4 * voices, velocity, voices, parts)
    refused: dict[str, str] = {}
    songs = [song(0, 20), LabelledScore("choir", choir)]
    fixed = Fixed(Chorale.fields)
    found = list(likelihood.likelihood(fixed, Chorale(), songs, skipped=refused.__setitem__))
    assert list(refused) == ["song 0"]
    assert "must be four voices" in refused["song 0"]
    assert len(found) == 1
    nats = found[0]["none"]
    assert nats.fields["alto"] == pytest.approx(64 * log(62), rel=1e-6)
    assert (nats.end, nats.reference) == (0.0, None)


def test_the_former_precision_is_restored() -> None:
    before = torch.get_float32_matmul_precision(), torch.get_num_threads()
    torch.set_float32_matmul_precision("medium")
    try:
        with likelihood.full_float32(1):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before[0])
    assert torch.get_num_threads() == before[1]


def test_fields_of_one_table_only() -> None:
    """A table of one choice, by hand: of 3 cells one is not learnt, the others cost log 5 each."""
    table = (Field("a", 5, "choice"),)
    values = torch.tensor([[[5], [1], [4], [0]]])
    learn = torch.tensor([[[False], [True], [False], [True]]])
    found = likelihood.field_nats(Fixed(table), table, values, learn, None)
    assert found[0, :, 0].tolist() == pytest.approx([log(5), 0, log(5)])


def test_in_a_key_frame_transposed_songs_cost_the_same_and_an_unknown_key_log_12_more() -> None:
    network = small(NETWORKS[0])
    first = song(0, 40)
    other = LabelledScore("other", first.score.transposed(3), ())
    given = {"plan": ("key",), "none": ("plan",)}  # the key of the plan vector differs
    found = list(likelihood.likelihood(network, NOTES, [first, other], given=given, has_key_frame=True))
    by_name = {each["plan"].song: each for each in found}
    pitch = by_name[first.name]["none"].fields["pitch"]
    assert by_name["other"]["none"].fields["pitch"] == pytest.approx(pitch, rel=1e-5)
    plain = account(network, [LabelledScore("in C", first.score, ())])
    moved = frame_shift(first.score.estimated_key)
    assert moved == 0 or plain[0].fields["pitch"] != pytest.approx(pitch)
    known = list(likelihood.likelihood(network, NOTES, [first], given={"plan": ()}, has_key_frame=True))
    assert pitch - known[0]["plan"].fields["pitch"] == pytest.approx(log(12), rel=1e-4)
