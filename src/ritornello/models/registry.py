"""Finds representations, networks, numpy steps and losses by name: built in, of other packages, or in a file.

    lstm              built in: an entry of BUILT_IN
    tonnetz           of another package: an entry point of the group `ritornello.networks`
    my_net.py:MyNet   a class in a file of the user's

A package adds entries by the entry point groups `ritornello.representations`, `ritornello.networks`,
`ritornello.steps` and `ritornello.losses`, each `name = "module:Class"`. Code is only run because the user
named it or installed it, never because a model folder names it.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from ritornello.errors import InputError
from ritornello.system.files import sha256_file

BUILT_IN: dict[str, dict[str, str]] = {
    "representations": {
        "chorale": "ritornello.representations.chorale:Chorale",
        "messages": "ritornello.legacy2018.messages:Messages",
        "notes": "ritornello.representations.notes:Notes",
    },
    "networks": {
        "lstm": "ritornello.models.lstm.network:Lstm",
        "original": "ritornello.legacy2018.network:Original",
        "transformer": "ritornello.models.transformer.network:Transformer",
    },
    "steps": {
        "lstm": "ritornello.models.lstm.step:LstmStep",
        "original": "ritornello.legacy2018.step:Original",
        "transformer": "ritornello.models.transformer.step:TransformerStep",
    },
    "losses": {
        "interval": "ritornello.models.losses.interval:IntervalLoss",
        "original": "ritornello.legacy2018.loss:Original",
    },
}


def names(kind: str) -> list[str]:
    """All names of a kind, such as "networks": those built in and those of installed packages, sorted."""
    return sorted({*BUILT_IN[kind], *_of_packages(kind)})


def find(kind: str, name: str) -> Any:
    """The class called `name` of a kind: built in, of an installed package, or `FILE.py:CLASS`.

    Raises InputError that names the known ones and suggests the nearest.
    """
    if ".py" in name:
        return _from_file(kind, name)
    if name in BUILT_IN[kind]:
        module, _, attribute = BUILT_IN[kind][name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    packages = _of_packages(kind)
    if name in packages:
        try:
            return packages[name].load()
        except Exception as error:  # anything may go wrong in another package
            raise InputError(
                f"{kind[:-1]} {name!r} of the package {packages[name].value!r} cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error
    known = names(kind)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    kind_name = "loss" if kind == "losses" else kind[:-1]
    raise InputError(f"no {kind_name} is named {name!r}, must be one of {', '.join(known)}{hint}")


def identity(name: str) -> dict[str, str]:
    """What a model records of an entry: its name, and the hash of the file if it is the user's own."""
    if ".py" not in name:
        return {"name": name}
    return {"name": name, "sha256": sha256_file(Path(name.rpartition(":")[0]))}


def _of_packages(kind: str) -> dict[str, EntryPoint]:
    """The entry points of other installed packages by name."""
    return {entry.name: entry for entry in entry_points(group=f"ritornello.{kind}")}


def _from_file(kind: str, name: str) -> Any:
    """The class of `FILE.py:CLASS`. Raises InputError."""
    path, _, attribute = name.rpartition(":")
    if not path or not Path(path).is_file():
        raise InputError(f"{name!r} names no {kind[:-1]}: must be FILE.py:CLASS, with a file that exists")
    spec = importlib.util.spec_from_file_location(f"ritornello_user_{Path(path).stem}", path)
    assert spec and spec.loader
    module: ModuleType = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # anything may go wrong in a stranger's file
        raise InputError(f"{path!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        raise InputError(f"{path!r} holds no {attribute!r}")
    return getattr(module, attribute)
