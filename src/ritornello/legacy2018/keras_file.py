"""Write the weights of the network of 2018 as a Keras 3 model (.keras), and read them from one.

The arrays are copied as they are, because `network.py` has Keras's names, shapes and order of gates. The
model in the file is the one of 2018: LSTM(48) > Dense(24) > Dense(3) over windows of T messages.
"""

import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError, ModelError
from ritornello.legacy2018.step import FIELDS, MAX_WINDOW, sizes
from ritornello.system.files import write_bytes

Weights = dict[str, npt.NDArray[np.float32]]


LAYERS = {"lstm": "LSTM", "dense": "Dense", "dense_1": "Dense"}  # name in `network.py`: class of Keras
NETWORK = " > ".join(LAYERS.values())
ARRAYS = {"LSTM": ("kernel", "recurrent_kernel", "bias"), "Dense": ("kernel", "bias")}
# The settings that `network.py` can represent; a layer with other settings is refused
SETTINGS: dict[str, dict[str, Any]] = {
    "LSTM": {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "go_backwards": False,
        "return_sequences": False,
    },
    "Dense": {"activation": "linear", "use_bias": True},
}
# The classes that a config may name, by module (empty: all), so that Keras runs no other code
KNOWN: dict[str, set[str]] = {
    "keras": {"Sequential", "Functional", "Model", "DTypePolicy"},
    "keras.src.models.functional": {"Functional"},
    "keras.layers": {"InputLayer", "LSTM", "Dense"},
    "keras.initializers": set(),
    "keras.regularizers": set(),
    "keras.constraints": set(),
}
TENSOR = "__keras_tensor__"  # the class name of a link between layers; it is no code
MAX_BYTES = 256 << 20  # the largest file inside a .keras file


def to_keras(weights: Mapping[str, npt.NDArray[Any]], path: str | Path, *, window: int = 50) -> None:
    """Write weights, with the names and shapes of `step.shapes`, such as (3, 192), as a Keras 3 model.

    `window` is T, the length of its input. Raises ModelError for weights of another network, InputError if
    `path` does not end in .keras or Keras is missing, OutputError.
    """
    path = _keras_path(path)
    model = build(*sizes(weights), window=window)
    with keras_warnings(), tempfile.TemporaryDirectory() as folder:
        for name, layer in zip(LAYERS, model.layers, strict=True):
            layer.set_weights([weights[f"{name}.{array}"] for array in ARRAYS[LAYERS[name]]])
        whole = Path(folder) / "model.keras"  # Keras does not write atomically
        model.save(whole)
        write_bytes(path, whole.read_bytes())


def from_keras(path: str | Path) -> tuple[Weights, dict[str, int]]:
    """Read the weights, of `step.shapes` such as (3, 192), and the config of the network in a Keras 3 model.

    A model for windows of any length gets the window of 2018, 50. Raises ModelError if the file is not a
    .keras model or has another network, InputError if it does not exist or Keras is missing.
    """
    path = _keras_path(path)
    _refuse_strange_code(path)
    keras = import_keras()
    try:
        with keras_warnings():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many classes of errors
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(f"{str(path)!r} cannot be read by Keras {keras.__version__}: {reason}") from error
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    layer_names = [type(layer).__name__ for layer in layers]
    if layer_names != list(LAYERS.values()):
        raise ModelError(f"{str(path)!r} has layers {' > '.join(layer_names)}: must be {NETWORK}")
    weights: Weights = {}
    for name, layer in zip(LAYERS, layers, strict=True):
        _check_settings(path, layer)
        with keras_warnings():
            arrays = [np.asarray(array, np.float32) for array in layer.get_weights()]
        weights |= {f"{name}.{a}": array for a, array in zip(ARRAYS[LAYERS[name]], arrays, strict=True)}
    window = model.input_shape[1] or 50
    if not 1 <= window <= MAX_WINDOW:
        raise ModelError(f"{str(path)!r} reads windows of {window} messages: must be 1-{MAX_WINDOW}")
    try:
        units, hidden = sizes(weights)
    except ModelError as error:
        raise ModelError(f"{str(path)!r}: {error}") from error
    return weights, {"window": window, "units": units, "hidden": hidden}


def build(units: int = 48, hidden: int = 24, *, window: int = 50) -> Any:
    """Build the network in Keras, with Keras's own initial weights."""
    keras = import_keras()
    return keras.Sequential(
        [
            keras.Input((window, len(FIELDS))),
            keras.layers.LSTM(units, name="lstm"),
            keras.layers.Dense(hidden, name="dense"),
            keras.layers.Dense(len(FIELDS), name="dense_1"),
        ],
        name="original",
    )


def import_keras() -> ModuleType:
    """Import Keras 3, with torch unless KERAS_BACKEND is set. Raises InputError if it is not installed."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except ImportError as error:
        raise InputError(f"Keras cannot be imported ({error}): pip install 'ritornello[keras]'") from error
    if not keras.__version__.startswith("3."):
        raise InputError(f"Keras is {keras.__version__}: must be 3 (pip install 'ritornello[keras]')")
    module: ModuleType = keras
    return module


@contextmanager
def keras_warnings() -> Iterator[None]:
    """Ignore, in a `with` block, a warning that Keras's torch backend causes with numpy 2."""
    with warnings.catch_warnings():
        message = "__array__ implementation doesn't accept a copy keyword"
        warnings.filterwarnings("ignore", message, DeprecationWarning, module=r"keras\.")
        yield


def _keras_path(path: str | Path) -> Path:
    if Path(path).suffix != ".keras":
        raise InputError(f"{str(path)!r}: a Keras 3 model must end in .keras")
    return Path(path)


def _refuse_strange_code(path: Path) -> None:
    """Raise ModelError for a file that is damaged, too large, or names classes or functions not in KNOWN."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if (size := entry.file_size) > MAX_BYTES:
                    problem = f"{entry.filename} of {str(path)!r} has {size} bytes"
                    raise ModelError(f"{problem}: must be at most {MAX_BYTES}")
            config = json.loads(archive.read("config.json"))
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"{str(path)!r} is not a Keras 3 model: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{str(path)!r} is not a Keras 3 model: config.json must be an object")
    config.pop("compile_config", None)  # may name a loss of the user; it is not loaded
    for stranger in _strangers(config):
        raise ModelError(f"{str(path)!r} has {stranger}: must have only {NETWORK}")


def _strangers(config: Any) -> Iterator[str]:
    """The classes and functions, at any depth of a config, that are not in KNOWN."""
    if isinstance(config, dict):
        name = str(config.get("class_name", TENSOR))
        if name != TENSOR:
            module = str(config.get("module"))
            if module not in KNOWN or (KNOWN[module] and name not in KNOWN[module]):
                yield f"{module}.{name}"
    for value in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _strangers(value)


def _check_settings(path: Path, layer: Any) -> None:
    """Raise ModelError for a layer with settings that `network.py` does not have."""
    config = layer.get_config()
    for name, value in SETTINGS[type(layer).__name__].items():
        if config[name] != value:
            raise ModelError(
                f"{str(path)!r}: layer {layer.name!r} has {name} {config[name]!r}: must be {value!r}"
            )
