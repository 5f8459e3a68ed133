"""Find representations, networks, numpy steps and losses by name.

    lstm              built in: an entry of BUILT_IN
    tonnetz           of another installed package: an entry point of the group `ritornello.networks`
    my_net.py:MyNet   a class in a file of the user's

A package adds entries with the entry point groups `ritornello.representations`, `ritornello.networks`,
`ritornello.steps` and `ritornello.losses`, each `name = "module:Class"`. Code runs only because the user
installed its package or named its file in a command; a name in a model folder never makes a file run.
"""

import importlib
import importlib.util
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.system.files import sha256_file
from ritornello.system.suggest import did_you_mean

BUILT_IN: dict[str, dict[str, str]] = {
    "representations": {
        "chorale": "ritornello.representations.chorale:Chorale",
        "messages": "ritornello.legacy2018.messages:Messages",
        "notes": "ritornello.representations.notes:Notes",
    },
    "networks": {
        "lstm": "ritornello.models.lstm.network:Lstm",
        "original": "ritornello.legacy2018.network:OriginalNetwork",
        "transformer": "ritornello.models.transformer.network:Transformer",
    },
    "steps": {
        "lstm": "ritornello.models.lstm.step:LstmStep",
        "original": "ritornello.legacy2018.step:OriginalStep",
        "transformer": "ritornello.models.transformer.step:TransformerStep",
    },
    "losses": {
        "cross_entropy": "ritornello.models.losses.cross_entropy:CrossEntropyLoss",
        "interval": "ritornello.models.losses.interval:IntervalLoss",
    },
}
SINGULAR = {"representations": "representation", "networks": "network", "steps": "step", "losses": "loss"}


def names(kind: str) -> list[str]:
    """All names of a kind, such as "networks": built in and of installed packages, sorted."""
    return sorted({*BUILT_IN[kind], *_entry_points(kind)})


def is_file(name: str) -> bool:
    """Whether a name is `FILE.py:CLASS`."""
    return ".py" in name


def find(kind: str, name: str) -> Any:
    """Return the class called `name` of a kind: built in, of an installed package, or `FILE.py:CLASS`.

    Raises InputError that lists the known names and suggests the nearest, or if the code cannot be loaded.
    """
    if is_file(name):
        return _load_file(kind, name)
    if name in BUILT_IN[kind]:
        module, _, attribute = BUILT_IN[kind][name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    packages = _entry_points(kind)
    if name in packages:
        try:
            return packages[name].load()
        except Exception as error:  # the code of another package may raise anything
            raise InputError(
                f"{SINGULAR[kind]} {name!r} of the package {packages[name].value!r} cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error
    known = names(kind)
    hint = did_you_mean(name, known, 0.5)
    raise InputError(f"{SINGULAR[kind]} {name!r}: must be one of {', '.join(known)}{hint}")


def find_step(network: str) -> Any | None:
    """Return the class of a network's numpy step; None if the network has none.

    In a user's file it is the attribute `step` of the network's class, or the class named CLASSStep.
    Raises InputError if the network's file cannot be loaded.
    """
    if not is_file(network):
        return find("steps", network) if network in names("steps") else None
    network_class = find("networks", network)
    module = sys.modules[network_class.__module__]
    return getattr(network_class, "step", None) or getattr(module, f"{network_class.__name__}Step", None)


def identity(name: str) -> dict[str, str]:
    """Return what a model records of an entry: its name, and the SHA-256 of the file if it is a user's.

    Of a path only the last part is recorded. Raises InputError if the file does not exist.
    """
    if not is_file(name):
        return {"name": name}
    path, _, attribute = name.rpartition(":")
    if not Path(path).is_file():
        raise InputError(f"{name!r}: must be FILE.py:CLASS, with a file that exists")
    return {"name": f"{Path(path).name}:{attribute}", "sha256": sha256_file(Path(path))}


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    """The entry points of other installed packages by name."""
    return {entry.name: entry for entry in entry_points(group=f"ritornello.{kind}")}


def _load_file(kind: str, name: str) -> Any:
    """The class of `FILE.py:CLASS`. A file runs once as long as it does not change. Raises InputError."""
    path, _, attribute = name.rpartition(":")
    if not path or not Path(path).is_file():
        raise InputError(f"{SINGULAR[kind]} {name!r}: must be FILE.py:CLASS, with a file that exists")
    module_name = f"ritornello_user_{Path(path).stem}_{sha256_file(Path(path))[:12]}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec and spec.loader
        module = sys.modules[module_name] = importlib.util.module_from_spec(spec)  # dataclasses look here
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # a user's file may raise anything
            del sys.modules[module_name]
            raise InputError(f"{path!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not hasattr(sys.modules[module_name], attribute):
        raise InputError(f"{path!r} has no class {attribute!r}")
    return getattr(sys.modules[module_name], attribute)
