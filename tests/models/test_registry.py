"""The registry finds what is one file each, and other people's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ritornello.errors import InputError
from ritornello.legacy2018.messages import Messages
from ritornello.models import registry


def test_what_is_built_in_is_listed() -> None:
    known = registry.names("representations")
    assert {"messages", "notes"} <= set(known)
    assert registry.find("representations", "messages") is Messages
    assert "original" in registry.names("networks")


@pytest.mark.parametrize("kind", ["representations", "networks", "losses"])
def test_every_name_that_is_listed_is_found(kind: str) -> None:
    for name in registry.names(kind):
        found = registry.find(kind, name)
        assert f"{found.__module__}:{found.__name__}" == registry.BUILT_IN[kind][name]


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(InputError, match=r"network 'orignal': must be one of .*original.*'original'\?"):
        registry.find("networks", "orignal")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "my_net.py"
    file.write_text("class MyNet:\n    window = 3\n")
    found = registry.find("networks", f"{file}:MyNet")
    assert found.window == 3
    assert len(registry.identity(f"{file}:MyNet")["sha256"]) == 64


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("class MyNet: pass", "missing.py:MyNet", "must be FILE.py:CLASS, with a file that exists"),
        ("class MyNet: pass", "{file}:Other", "has no class 'Other'"),
        ("1 / 0", "{file}:MyNet", "cannot be loaded: ZeroDivisionError"),
    ],
)
def test_a_file_that_does_not_do(tmp_path: Path, text: str, name: str, says: str) -> None:
    file = tmp_path / "my_net.py"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        registry.find("networks", name.format(file=file))
