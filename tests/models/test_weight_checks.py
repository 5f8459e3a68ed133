"""A strange model is data: whatever it holds, one line says what is wrong, and nothing is allocated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ModelError
from ritornello.models.chain.weight_checks import MAX_WEIGHT, read_layout, weight_shapes
from ritornello.representations.table import Field
from tests.models.chains import NETWORKS, TABLE, as_dicts, network
from tests.models.trained_chains import PAIRS, weights

Weights = dict[str, np.ndarray]
NETS = {kind: network(PAIRS[kind][0], plan_size=2) for kind in PAIRS}


def made(change: dict[str, Any], settings: dict[str, Any] | None = None, kind: str = "lstm") -> None:
    """The step of a network some of whose weights (None: left out) and settings are others."""
    arrays = {name: a for name, a in {**weights(NETS[kind]), **change}.items() if a is not None}
    config = {name: s for name, s in {**NETS[kind].settings(), **(settings or {})}.items() if s != "left out"}
    PAIRS[kind][1](arrays, config)


def floats(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("settings", [{}, {"plan_size": 0}, {"agreement": False}, {"layers": 0}])
def test_the_shapes_are_those_of_the_network(kind: str, settings: dict[str, Any]) -> None:
    net, step = network(PAIRS[kind][0], **{"plan_size": 2, **settings}), PAIRS[kind][1]
    sizes = step(weights(net), net.settings()).sizes
    found = weight_shapes(read_layout(net.settings()), sizes, step.layer_shapes(sizes))
    assert found == {name: tuple(array.shape) for name, array in net.state_dict().items()}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"layers.1.bias": None}, "^the network's weights lack 'layers.1.bias'$"),
        (dict.fromkeys(["plan.weight", "tables.a", "tables.b", "tables.c"]), "lack .* and 1 more$"),
        ({"os.system": floats(1)}, "^the network's weights must not have 'os.system'$"),
        ({"tables.a": floats(6, 9)}, r"^tables.a has shape \(6, 9\): must be \(6, 8\)$"),
        ({"layers.0.bias": floats(1)}, r"^layers.0.bias has shape \(1,\): must be \(128,\)$"),
        ({"reads.weight": floats()}, r"^reads.weight has shape \(\): must be \(16, 8, 32\)$"),
        ({"layers.0.bias": np.zeros(128, np.int64)}, "has type int64: must be floating-point$"),
        ({"layers.0.bias": np.full(128, "x")}, "has type <U1: must be floating-point$"),
        ({"layers.0.bias": np.zeros(128, complex)}, "has type complex128: must be floating-point$"),
        ({"layers.0.bias": np.full(128, np.nan)}, "has a number that is not within -1000 and 1000$"),
        ({"layers.0.bias": np.full(128, -np.inf)}, "has a number that is not within -1000 and 1000$"),
        ({"layers.0.bias": np.full(128, 1e30)}, "has a number that is not within -1000 and 1000$"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Weights, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        made(change)


FIRST, *REST = as_dicts(TABLE)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"width": "left out"}, "^network.config.width None: must be 1-8192$"),
        ({"width": 0}, "width 0: must be 1-8192$"),
        ({"width": 10**12}, "width 1000000000000: must be"),
        ({"width": 64}, r"^reads.weight has shape \(16, 8, 32\): must be \(16, 8, 64\)$"),
        ({"layers": True}, "layers True: must be 0-64$"),
        ({"layers": 10**9}, "layers 1000000000: must be 0-64$"),
        ({"layers": 1}, "must not have 'layers.1.bias'"),
        ({"window": 0}, "window 0: must be 1-16384$"),
        ({"window": 2.0}, "window 2.0: must be 1-16384$"),
        ({"embedding": "8" * 99}, "embedding '8+: must be 1-1024$"),
        ({"plan_size": -1}, "plan_size -1: must be 0-65536$"),
        ({"agreement": 1}, "agreement 1: must be true or false$"),
        ({"fields": "left out"}, "^network.config.fields must be a list of 1-256 fields$"),
        ({"fields": [FIRST] * 257}, "a list of 1-256 fields$"),
        (
            {"fields": [FIRST, 3]},
            r"^network.config.fields\[1\] is not a field; a field has name, size, kind, ",
        ),
        ({"fields": [{"name": "a", "colour": 1}]}, r"fields\[0\] is not a field"),
        ({"fields": [{**FIRST, "size": "4"}]}, "has size '4' and unknown None: must be whole$"),
        ({"fields": [{**FIRST, "unknown": 4}]}, "has unknown 4: must be 0-3$"),
        ({"fields": [{**FIRST, "name": None}]}, "has name None, guesses None: must be texts$"),
        ({"fields": [{**FIRST, "guesses": {}}]}, "must be texts$"),
        (
            {"fields": [{**FIRST, "kind": ["choice"]}]},
            r"has kind \['choice'\]: must be choice, known or real$",
        ),
        (
            {"fields": [FIRST, FIRST, REST[-1]]},
            "^network.config.fields: a table must have fields of different",
        ),
        ({"fields": [{**FIRST, "size": 1 << 40}, REST[-1]]}, "must have 1-65536 classes$"),
        ({"fields": [Field("x.y", 2, "known"), Field("x_y", 3, "known"), REST[-1]]}, "two of the name 'x_y'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        made({}, settings)


def test_heads_must_fill_the_width() -> None:
    with pytest.raises(ModelError, match=r"^network.config.width 40: must be a multiple of 32$"):
        made({}, {"width": 40}, "transformer")


@pytest.mark.parametrize("kind", PAIRS)
def test_the_largest_weights_make_no_infinity(kind: str) -> None:
    step = PAIRS[kind][1](
        {n: np.full_like(a, MAX_WEIGHT) for n, a in weights(NETS[kind]).items()}, NETS[kind].settings()
    )
    step.start(np.ones((1, 2)))
    for _ in range(3):
        step.begin({})
        assert np.isfinite(step.logits("c")).all()
        step.advance()


json: Callable[..., Any] = lambda: st.recursive(  # noqa: E731
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=st.sampled_from(["fields", "plan_size", "width", "layers", "embedding", "window", "agreement"]),
    value=json(),
    field=st.none() | st.tuples(st.integers(0, len(TABLE) - 1), st.sampled_from(Field._fields)),
)
def test_any_json_makes_a_step_or_one_line(name: str, value: Any, field: tuple[int, str] | None) -> None:
    settings: dict[str, Any] = {name: value}
    if field:
        table = as_dicts(TABLE)
        table[field[0]][field[1]] = value
        settings = {"fields": table}
    try:
        made({}, settings)
    except ModelError as error:
        assert "\n" not in str(error) and len(str(error)) < 300


def test_networks_have_their_steps() -> None:
    assert {kind for kind, _ in PAIRS.values()} == set(NETWORKS)
