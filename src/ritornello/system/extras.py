"""Check of the optional dependencies, the extras of pyproject.toml such as `ritornello[train]`."""

from importlib.util import find_spec

from ritornello.errors import InputError


def require_extra(extra: str, *modules: str) -> None:
    """Raise InputError with the command that installs `extra` unless all `modules` can be imported."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InputError(f'this needs {", ".join(missing)}: pip install "ritornello[{extra}]"')
