"""A hash of a representation's code, which is the version of the songs that it encodes in the cache."""

import ast
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
# what the rows, the drawn given notes and the plans of songs depend on
CODE = ("representations", "music", "models/plan_vector.py", "training/songs.py", "training/pack.py")


def version_name(representation: Any) -> str:
    """The name of a representation, with a hash of the code and the settings on which its rows depend.

    Comments and docstrings do not count, nor do files that a user's file imports. Raises TypeError if the
    code or the settings cannot be read, as for a class without a file.
    """
    kind = type(representation)
    files = {path for name in CODE for path in (PACKAGE / name).rglob("*.py")} | {
        PACKAGE / name for name in CODE
    }
    for base in kind.__mro__:
        if base.__module__.split(".")[0] not in sys.stdlib_module_names:
            files.add(Path(str(getattr(sys.modules.get(base.__module__), "__file__", None))))
    digest = hashlib.sha256(
        f"{kind.__qualname__} {json.dumps(vars(representation), sort_keys=True)}".encode()
    )
    try:
        for path in sorted(file for file in files if not file.is_dir()):
            digest.update(_code(path.read_bytes()).encode())
    except OSError as error:
        raise TypeError(f"the code of {kind.__name__} cannot be read: {error}") from error
    name = "".join(letter if letter.isalnum() else "_" for letter in representation.name)
    return f"{name}-{digest.hexdigest()[:16]}"


def _code(source: bytes) -> str:
    """Python code without its comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del node.body[0]  # type: ignore[attr-defined]
    return ast.dump(tree)
