"""The house as docs/architecture.md draws it: who may import whom, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "ritornello"
# a folder may import those before it in this list, and itself; docs/architecture.md has the same order
ORDER = ["errors", "system", "music", "midi", "notation", "rendering", "corpus", "representations", "models"]
ORDER += ["sketching", "performing", "legacy2018", "composing", "playing", "evaluation", "training"]
ORDER += ["learning", "studio", "cli", "__main__"]
FRONT = {"__init__", "__main__", "errors"}
READERS = {"mido", "symusic"}
MAX_LINES = 320
FILES = sorted(SOURCE.rglob("*.py"))


@cache
def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text())


def imports(file: Path) -> set[str]:
    """The folders of the package that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ImportFrom) and node.module == "ritornello":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ritornello."):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("ritornello.")
            }
    return found


def folder(file: Path) -> str:
    """The folder of the package that a file lies in; of a module beside the folders, its name."""
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_no_module_lies_beside_the_folders() -> None:
    assert {file.stem for file in FILES if file.parent == SOURCE} == FRONT


# one test for all files, not one for each: a hundredth of the time, and what fails is listed by name


def test_imports_go_one_way() -> None:
    wrong = {}
    for file in FILES:
        own = folder(file)
        if own == "__init__":  # the front imports from all folders, and no folder imports the front
            continue
        if later := imports(file) - set(ORDER[: ORDER.index(own) + 1]):
            wrong[str(file.relative_to(SOURCE))] = later
    assert not wrong, "these import folders that stand after their own"


def test_midi_alone_knows_the_format() -> None:
    wrong = {}
    for file in FILES:
        nodes = list(ast.walk(parsed(file)))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        readers = {name.split(".")[0] for name in names} & READERS
        if readers and folder(file) not in {"midi", "notation"}:
            wrong[str(file.relative_to(SOURCE))] = readers
    assert not wrong


def test_a_file_can_be_held_in_the_head() -> None:
    lines = {str(file.relative_to(SOURCE)): len(file.read_text().splitlines()) for file in FILES}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}
    silent = [file for file in FILES if file.name != "__main__.py" and not ast.get_docstring(parsed(file))]
    assert not silent, "a file opens with its purpose"


def test_the_architecture_names_every_folder_in_order() -> None:
    text = (SOURCE.parent.parent / "docs" / "architecture.md").read_text()
    table = [line.split("`")[1].rstrip("/") for line in text.splitlines() if line.startswith("| `")]
    folders = [name for name in ORDER if name not in FRONT]
    assert [name for name in table if name in folders] == folders


HEAVY = ("torch", "scipy", "sklearn", "pyarrow", "keras", "music21", "sounddevice", "rtmidi")
HEAVY += ("starlette", "uvicorn")


@pytest.mark.parametrize(
    "code",
    [
        "import ritornello",
        "from ritornello.cli import main; import contextlib\n"
        "with contextlib.suppress(SystemExit): main(['--help'])",
        "import ritornello; ritornello.compose; ritornello.read; ritornello.doctor; ritornello.judge",
        "import ritornello.composing.sampler, ritornello.legacy2018.step, ritornello.models.model",
    ],
)
def test_light_things_import_nothing_heavy(code: str) -> None:
    check = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
