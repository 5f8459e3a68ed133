"""Model: a trained network as a folder, opened without torch.

    model.json            representation, network and its sizes, data, versions, hashes, what was measured
    weights.safetensors   the network's weights
    tables.safetensors    what composing needs beside them
    plans.json            plans of training songs, to draw from what a user leaves open
    card.md               the same for people
    log.jsonl checkpoint/ while training

A strange folder is data: names, sizes and shapes are checked, and nothing in it is run. So a network in a
file of your own (`my_net.py:MyNet`) is trained by its name, and never loaded because model.json names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError, PlanError
from ritornello.models import registry
from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.plan import Plan
from ritornello.system.files import replacing, sha256, sha256_file, write_json

FORMAT = 1
MAX_JSON_BYTES = 4 << 20
PLANS = "plans.json"
MAX_WEIGHTS_BYTES = 4 << 30
MAX_PLANS_BYTES = 64 << 20
Arrays = dict[str, npt.NDArray[Any]]
NEEDED: dict[tuple[str, str], type] = {
    ("representation", "name"): str,
    ("network", "name"): str,
    ("network", "config"): dict,
    ("files", "weights"): dict,
    ("files", "tables"): dict,
}
USUAL = {"repeats": 1.0, "plays": 1.0, "voices": 128.0}  # at most; see composing/usual.py
MAY_HAVE: dict[str, type] = {"labels": list, "defaults": dict, "data": dict, "learn": dict, "usual": dict}


@dataclass(frozen=True)
class Model:
    """A model folder, read and checked. `info` is model.json, `plans` are those of training songs."""

    path: Path
    info: dict[str, Any]
    weights: Arrays
    tables: Arrays
    plans: tuple[Plan, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> Model:
        """Read a model folder. Raises ModelError that names the file and what is wrong with it."""
        path = Path(path)
        info = _read_info(path)
        weights, tables = (_read_arrays(path, info, name) for name in ("weights", "tables"))
        return cls(path, info, weights, tables, _read_plans(path, info))

    @property
    def hash(self) -> str:
        """SHA-256 of model.json, which holds the hashes of the arrays: it stands for the whole model."""
        return sha256(json.dumps(self.info, sort_keys=True).encode())

    @property
    def network(self) -> str:
        """The network's name."""
        return str(self.info["network"]["name"])

    @property
    def representation(self) -> Any:
        """The representation that the model was trained on."""
        return self._built_in("representations", self.info["representation"]["name"])()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the network was told, in the order of its vector."""
        return tuple(self.info.get("labels", ()))

    @property
    def plan_encoder(self) -> PlanEncoder:
        """What the network is told of a plan."""
        return PlanEncoder(self.labels)

    def network_in_torch(self) -> Any:
        """The network with its weights, ready to measure. Raises ModelError if they do not fit it."""
        import torch

        network = self._built_in("networks", self.network)(self.info["network"]["config"])
        weights = {name: torch.from_numpy(array.astype(np.float32)) for name, array in self.weights.items()}
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            problem = str(error).splitlines()[-1].strip()
            raise ModelError(f"{str(self.path)!r}: the weights do not fit the network: {problem}") from error
        return network.eval()

    def step(self) -> Any:
        """The network one row at a time, in numpy, to be started; a model's steps share the weights.

        Raises ModelError if the weights do not fit it, or if it reads other rows than the representation has.
        """
        return copy(self._step)

    @cached_property
    def _step(self) -> Any:
        step = self._built_in("steps", self.network)(self.weights, self.info["network"]["config"])
        if hasattr(step, "fields"):  # a network of reals has none
            _check_fields(step.fields, self.representation.fields)
        return step

    def _built_in(self, kind: str, name: str) -> Any:
        """What model.json names, if it is part of Ritornello: a file is never run. Raises ModelError."""
        known = registry.names(kind)
        if name not in known:
            raise ModelError(
                f"{str(self.path)!r}: no {kind[:-1]} {name!r} is built in, must be one of {known}"
            )
        return registry.find(kind, name)


def write(
    path: Path,
    info: Mapping[str, Any],
    weights: Arrays,
    tables: Arrays,
    card: str,
    plans: Sequence[Plan] = (),
) -> None:
    """Write a model folder whole or not at all; model.json names the hashes of the other files.

    Raises OutputError.
    """
    from safetensors.numpy import save

    contents = {
        f"{name}.safetensors": save({key: np.ascontiguousarray(array) for key, array in arrays.items()})
        for name, arrays in (("weights", weights), ("tables", tables))
    }
    contents[PLANS] = json.dumps([plan.to_dict() for plan in plans], separators=(",", ":")).encode()
    files = {
        name.removesuffix(".safetensors").removesuffix(".json"): {"sha256": sha256(data), "bytes": len(data)}
        for name, data in contents.items()
    }
    with ExitStack() as stack:  # all is on disk before the first name changes; the last entered goes first
        head = stack.enter_context(replacing(path / "model.json"))
        write_json(head, {"format": FORMAT, **info, "files": files})
        stack.enter_context(replacing(path / "card.md")).write_text(card, encoding="utf-8")
        for name, data in contents.items():
            stack.enter_context(replacing(path / name)).write_bytes(data)


def _check_fields(read: Sequence[Any], must: Sequence[Any]) -> None:
    """Raise ModelError unless a network reads the fields that its representation has; units are but words."""
    for number, pair in enumerate(zip_longest(read, must)):
        found, right = (
            "missing" if f is None else f"{f.name!r:.40} ({f.kind} of {f.size}, guesses {f.guesses})"
            for f in pair
        )
        if found != right:
            raise ModelError(f"network.config.fields[{number}] is {found}, must be {right}")


def _read_info(path: Path) -> dict[str, Any]:
    """model.json, checked for what every model has."""
    file = path / "model.json"
    if not file.is_file():
        raise ModelError(f"{str(path)!r} is no model: it holds no model.json")
    if file.stat().st_size > MAX_JSON_BYTES:
        raise ModelError(f"{str(file)!r} has {file.stat().st_size} bytes, must be at most {MAX_JSON_BYTES}")
    try:
        info = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{str(file)!r} cannot be read: {error}") from error
    if not isinstance(info, dict) or not isinstance(info.get("format"), int):
        raise ModelError(f"{str(file)!r} is not a model's: it has no number 'format'")
    if info["format"] > FORMAT:
        raise ModelError(
            f"{str(file)!r} has format {info['format']}, this version reads up to {FORMAT}: update Ritornello"
        )
    for (key, part), kind in NEEDED.items():
        if not isinstance(info.get(key), dict) or part not in info[key]:
            raise ModelError(f"{str(file)!r} lacks {key}.{part}")
        if not isinstance(info[key][part], kind):
            must = "a text" if kind is str else "an object"
            raise ModelError(f"{str(file)!r} has {key}.{part} {info[key][part]!r:.40}, must be {must}")
    _check_more(file, info)
    return info


def _check_more(file: Path, info: dict[str, Any]) -> None:
    """Raise ModelError for a strange thing among those that a model.json may have and need not."""
    for key, kind in MAY_HAVE.items():
        if not isinstance(info.get(key, kind()), kind):
            must = "a list" if kind is list else "an object"
            raise ModelError(f"{str(file)!r} has {key} {info[key]!r:.40}, must be {must}")
    labels, genre = info.get("labels", []), info.get("defaults", {}).get("genre")
    if strange := [label for label in labels if not isinstance(label, str)]:
        raise ModelError(f"{str(file)!r} has the label {strange[0]!r:.40}, must be a text")
    if genre is not None and genre not in labels:
        raise ModelError(f"{str(file)!r} has defaults.genre {genre!r:.40}, must be one of its labels")
    for label, usual in info.get("usual", {}).items():
        if not (isinstance(usual, dict) and all(_is_usual(*said) for said in usual.items())):
            must = ", ".join(f"{name} 0-{most:g}" for name, most in USUAL.items())
            raise ModelError(f"{str(file)!r} has usual.{label:.40} {usual!r:.40}, must be of {must}")


def _is_usual(name: str, value: Any) -> bool:
    """Whether a figure of "usual" can be what it is said to be."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and name in USUAL and bool(0 <= value <= USUAL[name])


def _read_plans(path: Path, info: dict[str, Any]) -> tuple[Plan, ...]:
    """The plans of training songs; older models and those of reals have none."""
    if "plans" not in info["files"]:
        return ()
    file = _checked(path, info, "plans", PLANS, MAX_PLANS_BYTES)
    try:
        return tuple(Plan.from_dict(said) for said in json.loads(file.read_bytes()))
    except (PlanError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{str(file)!r} is damaged: {error}") from error


def _checked(path: Path, info: dict[str, Any], name: str, file_name: str, most_bytes: int) -> Path:
    """A file of the model whose size and hash are those that model.json names."""
    file = path / file_name
    if not file.is_file():
        raise ModelError(f"{str(path)!r} is damaged: it holds no {file.name}")
    expected = info["files"][name]
    if not isinstance(expected, dict):
        raise ModelError(f"{str(path / 'model.json')!r} has files.{name} {expected!r:.40}, must be an object")
    size = file.stat().st_size
    if size != expected.get("bytes"):
        raise ModelError(f"{str(file)!r} is damaged: {size} bytes, must be {expected.get('bytes')}")
    if size > most_bytes:
        raise ModelError(f"{str(file)!r} has {size} bytes, must be at most {most_bytes}")
    if sha256_file(file) != expected.get("sha256"):
        raise ModelError(f"{str(file)!r} is damaged: its SHA-256 is not the one that model.json names")
    return file


def _read_arrays(path: Path, info: dict[str, Any], name: str) -> Arrays:
    """The arrays of a safetensors file, whose hash model.json names."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    file = _checked(path, info, name, f"{name}.safetensors", MAX_WEIGHTS_BYTES)
    try:
        arrays: Arrays = load_file(file)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{str(file)!r} is damaged: {error}") from error
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"{str(file)!r}: {key} holds a value that is not finite")
    return arrays
