"""Finds what is one file each: the representations, networks and losses in their folders, and other people's.

The file's name is its name on the command line: `networks/original.py` is `--network original`. Anybody
else's is given as `my_net.py:MyNet`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from ritornello.errors import InputError
from ritornello.files import sha256_file

# files of those folders that are shared parts and no entries
HELPERS = {"table", "chain", "sums", "sizes", "curve", "as_keras", "chained", "checks", "threads", "torch"}


def names(kind: str) -> list[str]:
    """The built-in entries of a folder such as "networks", by listing its files; folders are shared parts."""
    package = importlib.import_module(f"ritornello.{kind}")
    files = [m.name for m in pkgutil.iter_modules(package.__path__) if not m.ispkg]
    return sorted(name for name in files if name not in HELPERS)


def find(kind: str, name: str) -> Any:
    """The class called `name` in the folder `kind`, or in a file of the user's (`FILE.py:CLASS`).

    A built-in file holds one class of the same name in CamelCase. Raises InputError that names the known
    ones and suggests the nearest.
    """
    if ".py" in name:
        return _from_file(kind, name)
    if name not in names(kind):
        known = names(kind)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no {kind[:-1]} is named {name!r}, must be one of {', '.join(known)}{hint}")
    module = importlib.import_module(f"ritornello.{kind}.{name}")
    return getattr(module, "".join(word.capitalize() for word in name.split("_")))


def identity(name: str) -> dict[str, str]:
    """What a model records of an entry: its name, and the hash of the file if it is the user's own."""
    if ".py" not in name:
        return {"name": name}
    return {"name": name, "sha256": sha256_file(Path(name.rpartition(":")[0]))}


def _from_file(kind: str, name: str) -> Any:
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
