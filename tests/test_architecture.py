"""The house as docs/architecture.md draws it: who may import whom, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "ritornello"
STAGES = {"preparing", "training", "composing", "rendering", "judging"}
ABOVE = {"workflow", "composer", "song", "judged", "judgement", "checkup"}  # they join the stages for people
ABOVE |= {"learner", "cli", "convert", "__main__"}
MAY_ALSO = {"training": {"composing", "judging"}}
# each noun may import those before it, so that no two import each other
NOUNS = [
    "errors",
    "files",
    "history",
    "lock",
    "theory",
    "overlaps",
    "ranges",
    "score",
    "timeline",
    "plan",
    "conditions",
    "midi",
    "corpus",
    "melodies",
    "registry",
]
NOUNS += ["model", "representations", "steps", "losses", "networks"]
READERS = {"mido", "symusic"}
FILES = sorted(SOURCE.rglob("*.py"))


def room(module: str) -> str:
    """The part of the house that a module `ritornello.x.y` belongs to: x."""
    return module.split(".")[1] if "." in module else ""


def imports(file: Path) -> set[str]:
    """The rooms that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ritornello"):
            if node.module == "ritornello":
                found |= {alias.name for alias in node.names}
            found.add(room(node.module or ""))
        elif isinstance(node, ast.Import):
            found |= {room(alias.name) for alias in node.names if alias.name.startswith("ritornello.")}
    return found - {""}


def own_room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_go_one_way(file: Path) -> None:
    own, used = own_room(file), imports(file)
    if own in ABOVE or own == "__init__":
        return
    if own in STAGES:
        allowed = {own} | MAY_ALSO.get(own, set())
        assert not (used & STAGES) - allowed, f"a stage imports another stage: {used & STAGES}"
    else:
        assert not used & STAGES, f"a noun imports a stage: {used & STAGES}"
    assert not used & ABOVE, f"{own} imports what stands above it: {used & ABOVE}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_nouns_stand_in_one_order(file: Path) -> None:
    own, used = own_room(file), imports(file)
    if own in NOUNS:
        later = set(NOUNS[NOUNS.index(own) + 1 :])
        assert not used & later, f"{own} imports what stands after it: {used & later}"
    else:
        assert own in STAGES | ABOVE | {"__init__"}, (
            f"{own} is neither a noun nor a stage: say where it stands"
        )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_midi_alone_knows_the_format(file: Path) -> None:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert own_room(file) == "midi" or not {name.split(".")[0] for name in names} & READERS


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_file_can_be_held_in_the_head(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= 320
    if file.name != "__main__.py":
        assert ast.get_docstring(ast.parse(text)), "a file opens with its purpose"


def test_the_drawing_names_every_room() -> None:
    drawing = (SOURCE.parent.parent / "docs" / "architecture.md").read_text()
    rooms = {own_room(file) for file in FILES} - {"__init__", "__main__"}
    assert {name for name in rooms if f"  {name}" not in drawing} == set()


HEAVY = ("torch", "scipy", "sklearn", "pyarrow", "keras", "music21")


@pytest.mark.parametrize(
    "code",
    [
        "import ritornello",
        "from ritornello.cli import main; import contextlib\n"
        "with contextlib.suppress(SystemExit): main(['--help'])",
        "import ritornello; ritornello.compose; ritornello.read; ritornello.doctor; ritornello.judge",
        "import ritornello.composing.sampler, ritornello.steps.original, ritornello.model",
    ],
)
def test_light_things_import_nothing_heavy(code: str) -> None:
    check = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
