"""The network one row at a time: equal to torch, for any weights, rows and batch; bad weights are refused."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ModelError
from ritornello.legacy2018.network import OriginalNetwork as Network
from ritornello.legacy2018.step import FIELDS, OriginalStep, shapes, sizes
from tests.legacy2018.test_network import predict_next

Arrays = dict[str, np.ndarray]


def arrays(seed: int, units: int = 48, hidden: int = 24, scale: float = 0.3) -> Arrays:
    draw = np.random.default_rng(seed)
    return {n: (scale * draw.standard_normal(s)).astype(np.float32) for n, s in shapes(units, hidden).items()}


def feed(step: OriginalStep, row: np.ndarray) -> None:
    step.begin({})
    for index, field in enumerate(FIELDS):
        step.put(field, row[:, index])
    step.advance()


def answer(step: OriginalStep) -> np.ndarray:
    return np.stack([step.logits(field) for field in FIELDS], axis=1)


@given(
    seed=st.integers(0, 2**32),
    units=st.integers(1, 12),
    hidden=st.integers(1, 8),
    window=st.integers(1, 9),
    songs=st.integers(1, 4),
    rows=st.integers(1, 22),
    scale=st.sampled_from([0.1, 0.5, 2.0]),
)
def test_equal_to_torch(
    seed: int, units: int, hidden: int, window: int, songs: int, rows: int, scale: float
) -> None:
    weights = arrays(seed, units, hidden, scale)
    network = Network({"window": window, "units": units, "hidden": hidden})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    values = np.random.default_rng(seed + 1).random((rows, songs, 3)).astype(np.float32)
    step = OriginalStep(weights, network.settings())
    step.start([None] * songs)
    for t, row in enumerate(values):
        feed(step, row)
        last = torch.from_numpy(values[max(0, t + 1 - window) : t + 1].copy()).transpose(0, 1)  # (B, T, 3)
        with torch.no_grad():
            expected = predict_next(network, last).numpy()
        # relative to the largest value: Dense layers of scale 2 make values of 100
        assert np.abs(answer(step) - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def test_before_the_first_row_it_predicts_from_the_zero_state() -> None:
    weights = arrays(0)
    step = OriginalStep(weights, {"window": 50})
    step.start([None, None])
    expected = weights["dense.bias"] @ weights["dense_1.kernel"] + weights["dense_1.bias"]
    assert np.allclose(answer(step), np.tile(expected, (2, 1)), atol=1e-6)


def test_start_forgets_and_putting_alone_changes_nothing() -> None:
    step = OriginalStep(arrays(1), {"window": 4})
    rows = np.random.default_rng(2).random((7, 3, 3)).astype(np.float32)
    step.start([None] * 3)
    for row in rows:
        feed(step, row)
    first = answer(step).copy()
    step.put("note", np.full(3, 0.9))
    assert np.array_equal(answer(step), first)
    step.start(np.zeros((3, 0)))
    for row in rows:
        feed(step, row)
    assert np.array_equal(answer(step), first)


def test_songs_do_not_touch_each_other() -> None:
    rows = np.random.default_rng(3).random((9, 4, 3)).astype(np.float32)
    together, alone = (OriginalStep(arrays(4), {"window": 5}) for _ in range(2))
    together.start([None] * 4)
    alone.start([None])
    for row in rows:
        feed(together, row)
        feed(alone, row[2:3])
    assert np.allclose(answer(together)[2], answer(alone)[0], atol=1e-6)


def test_half_precision_weights_are_read() -> None:
    halves = {name: array.astype(np.float16) for name, array in arrays(5).items()}
    step = OriginalStep(halves, {"window": 3})
    assert answer(step).dtype == np.float32


def test_fast_enough() -> None:
    step = OriginalStep(arrays(6), {"window": 50})
    row = np.full((1, 3), 0.5, np.float32)
    for _ in range(60):
        feed(step, row)
    best = float("inf")
    for _ in range(5):  # the best of a few: other processes share this machine
        began = time.perf_counter()
        for _ in range(100):
            answer(step)
            feed(step, row)
        best = min(best, time.perf_counter() - began)
    assert 100 / best > 1000  # messages a second; about 20,000 measured on one core


def test_it_needs_nothing_but_numpy() -> None:
    code = (
        "import sys, ritornello.legacy2018.step; "
        "print(sorted({'torch', 'scipy', 'safetensors', 'symusic', 'mido'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_sizes_are_read_off_the_weights() -> None:
    assert sizes(arrays(0, units=7, hidden=5)) == (7, 5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lstm.bias": None}, "lacks lstm.bias"),
        ({"lstm.bias_hh": np.zeros(192, np.float32)}, "has 'lstm.bias_hh'"),
        (
            {"dense.kernel": np.zeros((47, 24), np.float32)},
            r"dense.kernel has shape \(47, 24\): must be \(48, 24\)",
        ),
        ({"lstm.recurrent_kernel": np.zeros(9, np.float32)}, r"shape \(9,\): must have two dimensions"),
        ({"dense.kernel": np.zeros((48, 0), np.float32)}, "must have two dimensions"),
        ({"dense_1.bias": np.zeros(3, np.int64)}, "dense_1.bias has type int64: must be floating-point"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Arrays, says: str) -> None:
    weights = {name: array for name, array in {**arrays(0), **change}.items() if array is not None}
    with pytest.raises(ModelError, match=says):
        OriginalStep(weights, {"window": 50})


@pytest.mark.parametrize("window", [None, 0, 1025, "50", 2.0])
def test_a_window_out_of_range_is_refused(window: object) -> None:
    with pytest.raises(ModelError, match=r"window .*must be 1-1024"):
        OriginalStep(arrays(0), {"window": window})
