"""Against real Keras: layers and counts, forward pass, twenty steps of training, .keras there and back."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from ritornello.errors import InputError, ModelError, OutputError
from ritornello.legacy2018 import keras_file
from ritornello.legacy2018.network import OriginalNetwork
from ritornello.legacy2018.step import OriginalStep as Step
from ritornello.legacy2018.step import shapes
from tests.legacy2018.test_network import predict_next

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Keras over torch, its own configuration file in a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        return keras_file.import_keras()


def arrays(network: torch.nn.Module) -> Arrays:
    return {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}


def keras_arrays(model: Any) -> Arrays:
    with keras_file.keras_warnings():
        found = [array for layer in model.layers for array in layer.get_weights()]
    return dict(zip(shapes(1, 1), found, strict=True))


def some_weights(units: int = 48, hidden: int = 24) -> Arrays:
    draw = np.random.default_rng(0)
    return {n: (0.3 * draw.standard_normal(s)).astype(np.float32) for n, s in shapes(units, hidden).items()}


def into_torch(weights: Arrays) -> OriginalNetwork:
    units, hidden = weights["dense.kernel"].shape
    network = OriginalNetwork({"units": units, "hidden": hidden})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network


def test_the_parameters_of_each_layer_are_those_of_2018(keras: ModuleType) -> None:
    model = keras_file.build()
    found = [(layer.name, type(layer).__name__, layer.count_params()) for layer in model.layers]
    assert found == [("lstm", "LSTM", 9984), ("dense", "Dense", 1176), ("dense_1", "Dense", 75)]
    assert model.count_params() == 11235
    assert model.input_shape == (None, 50, 3)
    assert {name: array.shape for name, array in keras_arrays(model).items()} == shapes(48, 24)


def test_first_weights_are_drawn_alike(keras: ModuleType) -> None:
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    ours, theirs = arrays(OriginalNetwork()), keras_arrays(keras_file.build())
    for name in ("lstm.kernel", "dense.kernel", "dense_1.kernel"):
        for kernel in (ours[name], theirs[name]):
            assert np.abs(kernel).max() == pytest.approx((6 / sum(kernel.shape)) ** 0.5, rel=0.1)
            assert kernel.std() == pytest.approx((2 / sum(kernel.shape)) ** 0.5, rel=0.15)  # uniform
    for rows in (ours["lstm.recurrent_kernel"], theirs["lstm.recurrent_kernel"]):
        assert np.allclose(rows @ rows.T, np.eye(48), atol=1e-5)
    for name in ("lstm.bias", "dense.bias", "dense_1.bias"):
        assert np.array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_forward_pass_is_keras_s(keras: ModuleType, scale: float) -> None:
    keras.utils.set_random_seed(1)
    model = keras_file.build()
    weights = keras_arrays(model)
    window = (scale * np.random.default_rng(0).random((32, 50, 3))).astype(np.float32)
    with torch.no_grad():
        theirs = model(torch.from_numpy(window)).numpy()
        ours = predict_next(into_torch(weights), torch.from_numpy(window)).numpy()
    assert np.abs(ours - theirs).max() < 1e-6
    step = Step(weights, {"window": 50})
    step.start([None] * 32)
    for t in range(50):
        for index, field in enumerate(("note", "velocity", "delta")):
            step.put(field, window[:, t, index])
        step.advance()
    assert np.abs(step.logits("note") - theirs[:, 0]).max() < 1e-6


def test_twenty_steps_of_training_agree_with_keras_s_adam(keras: ModuleType) -> None:
    keras.utils.set_random_seed(2)
    model = keras_file.build(window=12)
    first = keras_arrays(model)
    network, plain = into_torch(first), into_torch(first)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    trained = {
        plain: torch.optim.Adam(plain.parameters(), lr=1e-3, eps=1e-7),
        network: network.optimizer(lr=1e-3),
    }
    draw = np.random.default_rng(3)
    for _ in range(20):
        window = draw.random((16, 12, 3)).astype(np.float32)
        target = draw.random((16, 3)).astype(np.float32)
        with keras_file.keras_warnings():
            model.reset_metrics()  # Keras 3.12 gives the mean over all batches, 3.15 that of this one
            theirs = float(model.train_on_batch(window, target))
        for net, adam in trained.items():
            predicted = predict_next(net, torch.from_numpy(window))
            loss = torch.nn.functional.mse_loss(predicted, torch.from_numpy(target))
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
        assert loss.item() == pytest.approx(theirs, abs=5e-6)  # Keras's is a running mean in float32
    after, ours, torchs = keras_arrays(model), arrays(network), arrays(plain)
    for name in after:
        assert np.abs(ours[name] - after[name]).max() < 2e-6, name  # measured: 5e-7 at most
        assert np.abs(first[name] - after[name]).max() > 5e-3, name  # and they have moved
    # with torch's own Adam it becomes another network: up to 5e-3 measured
    assert max(np.abs(torchs[name] - after[name]).max() for name in after) > 1e-4


def test_there_and_back(keras: ModuleType, tmp_path: Path) -> None:
    weights = some_weights()
    keras_file.to_keras(weights, tmp_path / "model.keras", window=20)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    again, config = keras_file.from_keras(tmp_path / "model.keras")
    assert config == {"window": 20, "units": 48, "hidden": 24}
    assert again.keys() == weights.keys()
    assert all(np.array_equal(again[name], weights[name]) for name in weights)


def test_keras_reads_what_is_written(keras: ModuleType, tmp_path: Path) -> None:
    weights = some_weights(units=7, hidden=5)
    keras_file.to_keras(
        {n: a.astype(np.float16) for n, a in weights.items()}, tmp_path / "model.keras", window=9
    )
    with keras_file.keras_warnings():
        model = keras.saving.load_model(tmp_path / "model.keras")
    window = torch.rand(4, 9, 3)
    halves = {name: array.astype(np.float16).astype(np.float32) for name, array in weights.items()}
    with torch.no_grad():
        assert torch.allclose(model(window), predict_next(into_torch(halves), window), atol=1e-6)


def test_a_model_built_by_hand_with_a_loss_of_its_own_is_read(keras: ModuleType, tmp_path: Path) -> None:
    entry = keras.Input((None, 3), name="messages")
    hidden = keras.layers.LSTM(6, kernel_regularizer="l2", dropout=0.1, name="memory")(entry)
    model = keras.Model(entry, keras.layers.Dense(3)(keras.layers.Dense(4)(hidden)))

    def of_my_own(true: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        return (true - predicted) ** 2

    model.compile(optimizer="adam", loss=of_my_own)
    with keras_file.keras_warnings():
        model.save(tmp_path / "mine.keras")
        found, config = keras_file.from_keras(tmp_path / "mine.keras")
    assert config == {"window": 50, "units": 6, "hidden": 4}
    window = torch.rand(2, 8, 3)
    with torch.no_grad():
        expected = model(window, training=False)
        assert torch.allclose(predict_next(into_torch(found), window), expected, atol=1e-6)


def other_models(keras: ModuleType) -> dict[str, list[Any]]:
    layers = keras.layers
    return {
        "has keras.layers.GRU: must have only LSTM > Dense > Dense": [layers.GRU(4), layers.Dense(3)],
        "has layers LSTM > Dense: must be LSTM > Dense > Dense": [layers.LSTM(4), layers.Dense(3)],
        "has activation 'relu': must be 'linear'": [
            layers.LSTM(4),
            layers.Dense(4, activation="relu"),
            layers.Dense(3),
        ],
        "has use_bias False: must be True": [
            layers.LSTM(4),
            layers.Dense(4),
            layers.Dense(3, use_bias=False),
        ],
        "has recurrent_activation 'hard_sigmoid': must be 'sigmoid'": [
            layers.LSTM(4, recurrent_activation="hard_sigmoid"),
            layers.Dense(4),
            layers.Dense(3),
        ],
        r"dense_1.kernel has shape \(4, 5\): must be \(4, 3\)": [
            layers.LSTM(4),
            layers.Dense(4),
            layers.Dense(5),
        ],
    }


@pytest.mark.parametrize("which", range(6))
def test_another_network_is_refused(keras: ModuleType, tmp_path: Path, which: int) -> None:
    says, layers = list(other_models(keras).items())[which]
    with keras_file.keras_warnings():
        keras.Sequential([keras.Input((8, 3)), *layers]).save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=says) as caught:
        keras_file.from_keras(tmp_path / "other.keras")
    assert "other.keras" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "stranger", [("os", "system"), ("keras.layers", "Lambda"), (None, "Mine"), ("builtins", "eval")]
)
def test_code_in_a_file_is_not_run(
    keras: ModuleType, tmp_path: Path, stranger: tuple[str | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keras_file.to_keras(some_weights(), tmp_path / "good.keras")
    module, name = stranger
    with (
        zipfile.ZipFile(tmp_path / "good.keras") as good,
        zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad,
    ):
        for entry in good.namelist():
            data = good.read(entry)
            if entry == "config.json":
                config = json.loads(data)
                config["config"]["layers"][1]["config"]["kernel_initializer"] = {
                    "module": module,
                    "class_name": name,
                    "config": {},
                }
                data = json.dumps(config).encode()
            bad.writestr(entry, data)
    monkeypatch.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("the file was loaded"))
    with pytest.raises(ModelError, match=rf"has {module}\.{name}: must have only"):
        keras_file.from_keras(tmp_path / "bad.keras")


def test_files_that_are_no_models(keras: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read '.*none\.keras': No such file"):
        keras_file.from_keras(tmp_path / "none.keras")
    with pytest.raises(InputError, match=r"'model\.h5': a Keras 3 model must end in \.keras"):
        keras_file.from_keras("model.h5")
    (tmp_path / "text.keras").write_text("no zip")
    with pytest.raises(ModelError, match=r"text\.keras' is not a Keras 3 model: File is not a zip file"):
        keras_file.from_keras(tmp_path / "text.keras")
    for content in ("[]", "{", None):
        with zipfile.ZipFile(tmp_path / "half.keras", "w") as archive:
            if content:
                archive.writestr("config.json", content)
        with pytest.raises(ModelError, match=r"half\.keras' is not a Keras 3 model"):
            keras_file.from_keras(tmp_path / "half.keras")


def test_a_truncated_and_a_huge_file(
    keras: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.keras"
    keras_file.to_keras(some_weights(), path)
    with monkeypatch.context() as patch:
        patch.setattr(keras_file, "MAX_BYTES", 1000)
        with pytest.raises(ModelError, match=r"has \d+ bytes: must be at most 1000"):
            keras_file.from_keras(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model\.keras' is not a Keras 3 model"):
        keras_file.from_keras(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelError, match=r"model\.keras' cannot be read by Keras"):
        keras_file.from_keras(path)


def test_a_target_that_cannot_be_written_is_left_as_it_was(keras: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OutputError, match="cannot write"):
        keras_file.to_keras(some_weights(), tmp_path / "file" / "model.keras")
    with pytest.raises(ModelError, match=r"lacks lstm\.bias"):
        keras_file.to_keras(
            {n: a for n, a in some_weights().items() if n != "lstm.bias"}, tmp_path / "a.keras"
        )
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_the_backend_is_the_user_s_if_there_is_one(
    keras: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    keras_file.import_keras()
    assert os.environ["KERAS_BACKEND"] == "torch"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras_file.import_keras()
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_without_keras_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(InputError, match=r"pip install 'ritornello\[keras\]'"):
        keras_file.to_keras(some_weights(), tmp_path / "model.keras")
