"""`lstm` and `transformer` one row at a time are the networks in torch, whatever is asked of them."""

from __future__ import annotations

import subprocess
import sys
from copy import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ModelError
from ritornello.models.chain import network as chain
from ritornello.models.chain import step as chained
from ritornello.representations.chorale import Chorale
from ritornello.representations.notes import Notes
from ritornello.system.threads import _openblas_functions, one_thread
from tests.models.chains import TABLE, network, rows
from tests.models.trained_chains import PAIRS, apart, by_step, by_torch, weights

TABLES = {"small": TABLE, "notes": Notes.fields, "chorale": Chorale.fields}
both = pytest.mark.parametrize("kind", PAIRS)


def pair(kind: str, table: Any = TABLE, scale: float = 1.0, **settings: Any) -> tuple[Any, Any]:
    """A network and its step, with weights that differ by `scale` from those at first."""
    net = network(PAIRS[kind][0], table, **settings)
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(scale).add_(0.02 * torch.randn_like(weight))  # no bias is zero
    return net, PAIRS[kind][1](weights(net), net.settings())


@both
@given(
    table=st.sampled_from(sorted(TABLES)),
    agreement=st.booleans(),
    songs=st.integers(1, 9),  # up to `FEW` and more
    length=st.integers(1, 14),
    window=st.sampled_from([1, 2, 5, 64]),
    plan_size=st.sampled_from([0, 3]),
    layers=st.integers(0, 3),
    scale=st.sampled_from([0.5, 1.0, 2.0]),
    seed=st.integers(0, 1000),
)
def test_equal_to_torch(
    kind: str, table: str, songs: int, length: int, plan_size: int, scale: float, seed: int, **settings: Any
) -> None:
    fields = TABLES[table]
    net, step = pair(kind, fields, scale, plan_size=plan_size, seed=seed, **settings)
    for again in range(2):  # a second batch, of another size, is not touched by the first
        values = rows(songs + again, length, fields, seed + again).numpy()
        plans = np.random.default_rng(seed).random((songs + again, plan_size))
        step.start(plans)
        assert apart(by_step(step, values, fields), by_torch(net, values, fields, plans)) <= 1e-5


@both
def test_long_songs_stay_equal_to_torch(kind: str) -> None:
    net, step = pair(kind, window=150)  # the transformer's room grows twice, and its ring goes round twice
    values, plans = rows(2, 400).numpy(), np.zeros((2, 0))
    step.start(plans)
    assert apart(by_step(step, values, TABLE), by_torch(net, values, TABLE, plans)) <= 1e-5


@both
def test_what_is_not_asked_changes_nothing(kind: str) -> None:
    _, step = pair(kind, plan_size=2)
    values, plans = rows(3, 20).numpy(), np.eye(3, 2)
    step.start(plans)
    asked = by_step(step, values, TABLE)
    step.start(plans)
    some = by_step(step, values, TABLE, lambda t, field: t % 4 == 0 and field == "c")
    assert np.array_equal(some["c"], asked["c"][:, ::4]) and some.keys() == {"c"}


@both
def test_a_song_in_a_small_batch_is_that_song_alone_to_the_last_bit(kind: str) -> None:
    _, step = pair(kind, plan_size=2)
    values, plans = (
        rows(chained.MAX_SONGS_ONE_BY_ONE, 9).numpy(),
        np.random.default_rng(0).random((chained.MAX_SONGS_ONE_BY_ONE, 2)),
    )
    step.start(plans)
    together = by_step(step, values, TABLE)
    for song in range(chained.MAX_SONGS_ONE_BY_ONE):
        step.start(plans[song : song + 1])
        alone = by_step(step, values[song : song + 1], TABLE)
        assert all(np.array_equal(alone[name][0], together[name][song]) for name in alone)


@both
def test_copies_share_weights_and_nothing_that_is_read(kind: str) -> None:
    """What another copy composes in between, of another size, changes nothing."""
    _, step = pair(kind, plan_size=2)
    one, two = rows(2, 8).numpy(), rows(3, 5, seed=1).numpy()
    plans = np.random.default_rng(0).random((3, 2))
    step.start(plans[:2])
    expected = by_step(step, one, TABLE)
    first, second = copy(step), copy(step)
    first.start(plans[:2])
    begun = by_step(first, one[:, :3], TABLE)
    second.start(plans)
    by_step(second, two, TABLE)
    rest = by_step(first, one[:, 3:], TABLE)
    for name, logits in expected.items():
        assert np.array_equal(np.concatenate([begun[name], rest[name]], axis=1), logits)


@both
def test_half_precision_weights_are_read(kind: str) -> None:
    net, _ = pair(kind)
    halves = weights(net, halves=True)
    net.load_state_dict({name: torch.from_numpy(array).float() for name, array in halves.items()})
    values, plans = rows(2, 6).numpy(), np.zeros((2, 0))
    step = PAIRS[kind][1](halves, net.settings())
    step.start(plans)
    found = by_step(step, values, TABLE)
    assert found["a"].dtype == np.float32
    assert apart(found, by_torch(net, values, TABLE, plans)) <= 1e-5


@both
def test_weights_are_not_changed(kind: str) -> None:
    net, _ = pair(kind)
    given_, before = weights(net), weights(net)
    step = PAIRS[kind][1](given_, net.settings())
    by_step(step, rows(1, 5).numpy(), TABLE)
    assert all(np.array_equal(given_[name], array) for name, array in before.items())


def test_the_transformer_remembers_as_much_as_it_looks_at() -> None:
    _, step = pair("transformer", window=5, layers=1)
    by_step(step, rows(1, 30).numpy(), TABLE)
    assert step._layers[0]._ring.shape[3] == 5


@both
def test_a_class_that_a_field_does_not_have_is_refused(kind: str) -> None:
    _, step = pair(kind)
    for value in (-1, 6):
        step.start(np.zeros((2, 0)))
        step.begin({"hint": [1, 2]})
        step.put("a", [5, value])  # 5 is void
        with pytest.raises(ModelError, match=rf"^a {value}: must be 0-5$"):
            step.advance()


@both
def test_plans_of_another_size_are_refused(kind: str) -> None:
    _, step = pair(kind, plan_size=3)
    with pytest.raises(ModelError, match=r"plans of shape \(2, 4\): must be \(songs, 3\)"):
        step.start(np.zeros((2, 4)))


def test_small_numbers_are_those_of_torch() -> None:
    assert float(chained.EPSILON) == pytest.approx(chain.EPSILON)


@pytest.mark.parametrize("file", ["lstm", "transformer"])
def test_it_needs_nothing_but_numpy(file: str) -> None:
    code = (
        f"import sys, ritornello.models.{file}.step; "
        "print(sorted({'torch', 'scipy', 'safetensors', 'symusic', 'mido'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.skipif(_openblas_functions()[0].__name__ == "<lambda>", reason="numpy has another library")
def test_within_one_thread_there_is_one_and_then_as_many_as_before() -> None:
    threads, set_threads = _openblas_functions()
    before = threads()
    try:
        set_threads(3)
        with pytest.raises(ZeroDivisionError), one_thread():
            assert threads() == 1
            raise ZeroDivisionError
        assert threads() == 3
    finally:
        set_threads(before)


@both
@pytest.mark.parametrize("songs", [1, 3, 20])
def test_threads_change_nothing(kind: str, songs: int) -> None:
    get, set_threads = _openblas_functions()
    size = {"width": 384, "layers": 1, "embedding": 32}  # products large enough to be shared out
    _, step = pair(kind, **size)
    values, before, found = rows(songs, 6).numpy(), get(), []
    try:
        for threads in (1, 8):
            set_threads(threads)
            step.start(np.zeros((songs, 0)))
            with one_thread():
                found.append(by_step(step, values, TABLE))
    finally:
        set_threads(before)
    assert all(np.array_equal(logits, found[1][name]) for name, logits in found[0].items())
