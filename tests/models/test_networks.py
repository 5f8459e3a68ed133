"""The chain's networks: what a prediction may see, what is learnt, the head by hand, state, settings."""

from __future__ import annotations

import importlib
import json
import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.errors import InputError
from ritornello.models.chain.network import ChainNetwork
from ritornello.models.lstm.network import Lstm
from ritornello.models.transformer.network import Transformer
from ritornello.music.score import Part, Score
from ritornello.representations.chorale import Chorale
from ritornello.representations.notes import Notes
from ritornello.representations.table import Field
from tests.models.chains import COLUMN, NETWORKS, TABLE, as_dicts, learnt, network, rows

both = pytest.mark.parametrize("kind", NETWORKS)
TABLES = {"small": TABLE, "notes": Notes.fields, "chorale": Chorale.fields}


@both
@pytest.mark.parametrize("name", TABLES)
def test_a_prediction_sees_earlier_rows_and_fields_only(kind: type[ChainNetwork], name: str) -> None:
    table, last = TABLES[name], 2
    net, values = network(kind, table).eval(), rows(2, last + 2, table)
    other = (values + 1) % torch.tensor([f.size + (f.kind == "choice") for f in table])
    before = net(values)
    chosen = [(column, f.name) for column, f in enumerate(table) if f.kind == "choice"]
    for t in range(1, last + 1):
        for column in range(len(table)):
            changed = values.clone()
            changed[:, t + 1 :] = other[:, t + 1 :]
            changed[:, t, column:] = other[:, t, column:]  # all cells from here on
            one = values.clone()
            one[:, t, column] = other[:, t, column]  # this cell alone
            after, nudged = net(changed), net(one)
            for own, field in chosen:
                assert torch.equal(before[field][:, :t], after[field][:, :t])
                if own <= column:
                    assert torch.equal(before[field][:, t], after[field][:, t])
                else:  # what precedes does arrive
                    assert not torch.equal(before[field][:, t], nudged[field][:, t])
                assert not torch.equal(before[field][:, t + 1], nudged[field][:, t + 1])


@both
def test_void_is_read_and_never_predicted(kind: type[ChainNetwork]) -> None:
    net, values = network(kind), rows(2, 4)
    predictions = net(values)
    assert {n: tuple(p.shape) for n, p in predictions.items()} == {
        "a": (2, 4, 5),
        "b": (2, 4, 4),
        "c": (2, 4, 3),
    }
    values[:, 1, COLUMN["b"]] = 1
    void = values.clone()
    void[:, 1, COLUMN["b"]] = 4
    assert not torch.equal(net(values)["c"][:, 1], net(void)["c"][:, 1])
    assert not torch.equal(net(values)["a"][:, 2], net(void)["a"][:, 2])
    everything = torch.ones(void.shape, dtype=torch.bool)  # even if told to learn it
    assert math.isfinite(float(net.loss(net(void), void, everything)["loss"].detach()))


def test_the_loss_is_nats_a_row() -> None:
    net, values = network(Lstm), rows(3, 5)
    values[..., [COLUMN[n] for n in "abc"]] = 0
    flat = {n: torch.zeros(3, 5, size) for n, size in zip("abc", (5, 4, 3), strict=True)}
    learn = learnt(values)
    found = {n: float(v) for n, v in net.loss(flat, values, learn).items()}
    logs = {"a": math.log(5), "b": math.log(4), "c": math.log(3)}  # all classes are equally likely
    assert found == pytest.approx({"loss": math.log(60), **logs})
    learn[:, 1] = False  # a row of which nothing is learnt is none
    learn[:, 2:4, COLUMN["c"]] = False  # of the three rows left, one has a c
    found = {n: float(v) for n, v in net.loss(flat, values, learn).items()}
    assert found["c"] == pytest.approx(math.log(3) / 3)
    assert found["loss"] == pytest.approx(math.log(20) + math.log(3) / 3)
    learn[:] = False
    learn[:, 0] = True  # the predecessor is never learnt
    assert float(net.loss(flat, values, learn)["loss"]) == 0


@both
def test_only_what_is_to_be_learnt_has_a_gradient(kind: type[ChainNetwork]) -> None:
    net, values = network(kind), rows(3, 6)
    learn = learnt(values) & (torch.rand(values.shape) < 0.5)
    predictions = {n: p.detach().requires_grad_() for n, p in net(values).items()}
    torch.autograd.backward(net.loss(predictions, values, learn)["loss"])
    for name, prediction in predictions.items():
        assert prediction.grad is not None
        assert torch.equal(prediction.grad.abs().sum(-1) > 0, learn[..., COLUMN[name]])


@both
def test_gradients_reach_every_weight(kind: type[ChainNetwork]) -> None:
    net, values = network(kind, plan_size=3), rows(8, 40)
    torch.autograd.backward(net.loss(net(values, torch.rand(8, 3)), values, learnt(values))["loss"])
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        # of a sum, every column's matrix (a contested guess has two); of a table, every class
        parts = weight.grad.flatten(1).abs().sum(1) if weight.ndim > 1 else weight.grad.abs().sum()[None]
        assert (parts > 0).all(), name


def test_agreement_is_of_all_earlier_choices() -> None:
    values = rows(1, 4)
    row = {"echo.a": 1, "echo.b": 2, "echo.c": 0, "form.a": 3, "form.c": 0, "a": 1, "b": 2, "c": 0}
    for name, value in row.items():
        values[0, :, COLUMN[name]] = value
    values[0, 1, COLUMN["b"]] = 0  # echo is wrong there
    values[0, 2, COLUMN["a"]] = 3  # echo is wrong, form is right
    values[0, 3, [COLUMN["a"], COLUMN["echo.a"]]] = 5  # void agrees with void
    agreed = network(Lstm).layout.agreed(values)
    assert {TABLE[column].name: found[0].tolist() for column, found in agreed.items()} == {
        "echo.b": [True, True, False, True],  # from a
        "echo.c": [True, False, False, True],  # from a and b
        "form.c": [False, False, True, False],  # from a: form has nothing to say of b
    }


@both
def test_the_input_and_the_head_by_hand(kind: type[ChainNetwork]) -> None:
    net, values = network(kind, plan_size=2), rows(1, 3, seed=3)
    weights = {name: w.detach().double().numpy() for name, w in net.named_parameters()}
    plan = np.array([0.25, 0.75])

    def vector(weight: str, use: int, column: int, row: Any) -> Any:
        table = (TABLE[column].guesses or TABLE[column].name).replace(".", "_")
        return weights[f"tables.{table}"][row[column]] @ weights[weight][use]

    before, now = values[0, 1].tolist(), values[0, 2].tolist()
    reads = [(c, before) for c in range(len(TABLE))] + [(c, now) for c in range(COLUMN["a"])]
    expected = sum(vector("reads.weight", use, c, row) for use, (c, row) in enumerate(reads))
    found = net.inputs(values.int(), torch.from_numpy(plan[None]).float())[0, 1]
    assert np.allclose(found.detach(), expected + weights["plan.weight"] @ plan, atol=1e-5)

    context = torch.randn(1, 3, 32)
    state, predictions = context[0, 2].double().numpy(), net.chain(context, values.int())
    echo, form = now[COLUMN["a"]] == now[COLUMN["echo.a"]], now[COLUMN["a"]] == now[COLUMN["form.a"]]
    echo_b = echo and now[COLUMN["b"]] == now[COLUMN["echo.b"]]
    chain = {  # the uses of each sum: first what is put, then each guess, of contested ones two
        "a": [(0, "echo.a"), (1, "form.a")],
        "b": [(0, "a"), (1, "place"), (2 + echo, "echo.b")],
        "c": [(0, "b"), (1 + echo_b, "echo.c"), (3 + form, "form.c")],
    }
    for name, added in chain.items():
        for use, column in added:
            state = state + vector(f"head.{name}.adds.weight", use, COLUMN[column], now)
        hidden = weights[f"head.{name}.hidden.weight"] @ state + weights[f"head.{name}.hidden.bias"]
        hidden = hidden / (1 + np.exp(-hidden))
        logits = weights[f"head.{name}.logits.weight"] @ hidden + weights[f"head.{name}.logits.bias"]
        assert np.allclose(predictions[name][0, 2].detach(), logits, atol=1e-5)


def test_without_agreement_a_guess_has_one_vector() -> None:
    with_it, without = network(Lstm), network(Lstm, agreement=False)
    sizes = [sum(p.numel() for p in net.parameters()) for net in (with_it, without)]
    assert sizes[0] - sizes[1] == 3 * 8 * 32  # echo.b, echo.c and form.c are contested


@both
def test_the_size_dial(kind: type[ChainNetwork]) -> None:
    with torch.device("meta"):  # shapes alone
        nets = {s: kind({"fields": as_dicts(Notes.fields), "size": s}) for s in kind.sizes}
    millions = {s: sum(p.numel() for p in net.parameters()) / 1e6 for s, net in nets.items()}
    assert millions == pytest.approx({"tiny": 1, "small": 5, "medium": 15, "large": 60}, rel=0.2)
    module = importlib.import_module(kind.__module__)
    told = re.findall(r"^ +(\w+) +(\d+) +(\d+) +(\d+) +([\d.]+) million$", module.__doc__ or "", re.M)
    said = {s: ((int(w), int(n), int(e)), float(m)) for s, w, n, e, m in told}
    assert said == {s: (tuple(kind.sizes[s]), round(m, 1)) for s, m in millions.items()}


@both
def test_the_same_seed_gives_the_same_network(kind: type[ChainNetwork]) -> None:
    values = rows(2, 6)
    for dropout in (0.0, 0.5):
        one, other, third = (network(kind, seed=s, dropout=dropout).eval() for s in (1, 1, 2))
        assert all(torch.equal(p, other(values)[n]) for n, p in one(values).items())
        assert not torch.equal(one(values)["a"], third(values)["a"])
    one.train()
    assert not torch.equal(one(values)["a"], one(values)["a"])  # now half is left out


@both
@pytest.mark.parametrize("cuts", [list(range(1, 12)), [5], [2, 9]])
def test_going_on_from_a_state_is_reading_all_at_once(kind: type[ChainNetwork], cuts: list[int]) -> None:
    net, values, plan = network(kind, window=4, plan_size=2).eval(), rows(3, 12), torch.rand(3, 2)
    whole, pieces, state = net(values, plan), [], None
    for start, stop in zip([0, *cuts], [*cuts, 12], strict=True):
        if stop - start > 1 or start:
            piece, state = net.predict(values[:, max(0, start - 1) : stop], plan, state)
            pieces.append({n: p[:, 1:] for n, p in piece.items()})
    for name, expected in whole.items():
        assert torch.allclose(torch.cat([p[name] for p in pieces], 1), expected[:, 1:], atol=1e-5)


@both
def test_the_plan_moves_predictions_and_none_asks_for_nothing(kind: type[ChainNetwork]) -> None:
    net, values = network(kind, plan_size=3), rows(2, 4)
    assert torch.equal(net(values)["a"], net(values, torch.zeros(2, 3))["a"])
    assert not torch.equal(net(values)["a"][:, 1:], net(values, torch.ones(2, 3))["a"][:, 1:])


@both
def test_it_overfits_eight_notes(kind: type[ChainNetwork]) -> None:
    tune = [60, 62, 64, 60, 67, 65, 60]  # and the END
    score = Score.of(24, [24 * i for i in range(7)], [24] * 7, tune, [80] * 7, [0] * 7)
    encoded = Notes().encode(score)
    assert len(encoded.values) == 8
    values = torch.from_numpy(np.pad(encoded.values, ((1, 0), (0, 0))))[None]  # (1, 9, F)
    learn = torch.from_numpy(np.pad(encoded.learn, ((1, 0), (0, 0))))[None]
    net = network(kind, Notes.fields)
    optimizer = net.optimizer(lr=0.01)
    for _ in range(90):
        losses = net.loss(net(values), values, learn)
        optimizer.zero_grad()
        torch.autograd.backward(losses["loss"])
        optimizer.step()
    assert float(losses["loss"].detach()) < 0.1  # from 24, the sum of the logs of the sizes


@both
def test_settings_give_the_same_network_again(kind: type[ChainNetwork]) -> None:
    table = tuple(field for field in TABLE[:-1] if field.guesses != "c")
    table += (Field("pitch", 128, "choice"),)
    net = network(kind, table, interval=0.1, size="tiny", layers=1, dropout=0.25, agreement=False)
    settings = json.loads(json.dumps(net.settings()))
    again = kind(settings)
    again.load_state_dict(net.state_dict())
    values = rows(2, 5, table)
    assert again.settings() == net.settings()
    learn = learnt(values, table)
    losses = [n.loss(n.eval()(values), values, learn) for n in (again, net)]
    found, expected = ({name: float(v.detach()) for name, v in each.items()} for each in losses)
    assert found == expected
    nats = sum(expected[name] for name in ("a", "b", "pitch"))
    assert expected["loss"] == pytest.approx(nats + 0.1 * expected["interval"])


@both
def test_only_matrices_decay(kind: type[ChainNetwork]) -> None:
    net = network(kind, weight_decay=0.3)
    groups = net.optimizer(lr=1e-3).param_groups
    decay = {id(w): group["weight_decay"] for group in groups for w in group["params"]}
    assert {name: decay[id(w)] for name, w in net.named_parameters()} == {
        name: 0.3 if w.ndim > 1 else 0.0 for name, w in net.named_parameters()
    }


@both
def test_half_precision_is_close(kind: type[ChainNetwork]) -> None:
    net, values = network(kind), rows(4, 8)
    expected = float(net.loss(net(values), values, learnt(values))["loss"].detach())
    with torch.autocast("cpu", torch.bfloat16):
        losses = net.loss(net(values), values, learnt(values))
    torch.autograd.backward(losses["loss"])
    assert float(losses["loss"].detach()) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": "huge"}, "size 'huge': must be one of tiny, small, medium, large"),
        ({"dropout": 1.5}, "dropout 1.5: must be 0.0-0.9"),
        ({"layers": 2.0}, "layers 2.0: must be 0-64"),
        ({"heads": 3}, "setting 'heads' of the network: must be one of fields, plan_size"),
        ({"fields": 3}, "'fields' must be a list of fields"),
        ({"fields": []}, "a table must have fields of different names, and a choice among them"),
        ({"fields": as_dicts((TABLE[0], TABLE[0], TABLE[-1]))}, "fields of different names"),
        ({"fields": as_dicts((Field("x", 1, "real"), TABLE[-1]))}, "field 'x' is real of size 1: must have"),
        ({"fields": as_dicts((TABLE[6], TABLE[1]))}, "field 'echo.a' guesses 'a': must guess a later choice"),
        (
            {"fields": as_dicts((TABLE[1]._replace(size=5), TABLE[6]))},
            "must guess a later choice of 4 classes",
        ),
        ({"interval": 0.1}, "the interval loss needs a choice 'pitch', there are a, b, c"),
    ],
)
def test_wrong_settings_are_refused_in_words(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        network(Lstm, **settings)


def test_heads_must_fill_the_width() -> None:
    with pytest.raises(InputError, match="width 40: must be a multiple of 32"):
        network(Transformer, width=40)


def test_the_transformer_looks_back_over_its_window_alone() -> None:
    net, values = network(Transformer, layers=1, window=3).eval(), rows(1, 12)
    changed = values.clone()
    changed[:, 4, COLUMN["c"]] = (changed[:, 4, COLUMN["c"]] + 1) % 4
    same = (net(values)["a"] == net(changed)["a"]).all(-1)[0]
    # row 4 is read with rows 5 on; three inputs, those of rows t - 2 to t, are looked at for row t
    assert (~same).nonzero().flatten().tolist() == [5, 6, 7]
    far = network(Transformer, layers=2, window=3).eval()
    same = (far(values)["a"] == far(changed)["a"]).all(-1)[0]
    assert (~same).nonzero().flatten().tolist() == [5, 6, 7, 8, 9]


@both
def test_a_network_of_a_shorter_table_is_taken_over(kind: type[ChainNetwork]) -> None:
    # the older table lacks what is known of given notes: until that is learnt, it predicts as it did
    older = tuple(field for field in Notes.fields if not field.name.startswith("given."))
    columns = [index for index, field in enumerate(Notes.fields) if field in older]
    old, new = network(kind, older), network(kind, Notes.fields, seed=1)
    new.load_matching_weights(old)
    song = Score.of(
        24, [0, 24, 24, 48], [24] * 4, [60, 64, 72, 67], [80] * 4, [0, 0, 1, 0], [Part(), Part("", 73)]
    )
    values = torch.from_numpy(Notes().encode(song, given=np.arange(4) == 2).values.astype(np.int64))[None]
    assert (values[0, :, [i for i in range(len(Notes.fields)) if i not in columns]] != 0).any()
    before, after = old.eval()(values[..., columns]), new.eval()(values)
    for name, logits in before.items():
        assert torch.allclose(after[name], logits, atol=1e-5), name
    with pytest.raises(InputError, match=r"has the field 'given.shift', which this version"):
        old.load_matching_weights(new)


@both
def test_the_weights_of_some_fields_alone_are_learnt(kind: type[ChainNetwork]) -> None:
    net = network(kind, Notes.fields, weight_decay=0.0)
    net.freeze_except(["given"])
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    song = Score.of(
        24, [0, 24, 24, 48], [24] * 4, [60, 64, 72, 67], [80] * 4, [0, 0, 1, 0], [Part(), Part("", 73)]
    )
    rows = Notes().encode(song, given=np.arange(4) == 2)
    values, learn = (torch.from_numpy(np.pad(part, ((1, 0), (0, 0))))[None] for part in rows)
    optimizer = net.optimizer(lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        torch.autograd.backward(net.loss(net(values), values, learn)["loss"])
        optimizer.step()
    changed = {name for name, weight in net.state_dict().items() if not torch.equal(weight, before[name])}
    tables = {"tables.given", "tables.given_low", "tables.given_next"}
    assert changed == {
        "reads.weight",
        *(f"head.{name}.adds.weight" for name in ("shift", "part", "pitch")),
        *tables,
    }
    moved = (net.reads.weight != before["reads.weight"]).flatten(1).any(dim=1).tolist()
    assert {name for name, has in zip(net.reads.names, moved, strict=True) if has} <= {
        field.name for field in Notes.fields if field.name.partition(".")[0] == "given"
    }
    with pytest.raises(InputError, match="only 'echoes': must be a field or a group of fields"):
        net.freeze_except(["echoes"])
    with pytest.raises(InputError, match=r"weight_decay 0\.05: must be 0"):
        network(kind, Notes.fields).freeze_except(["given"])
