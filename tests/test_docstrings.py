"""Docstrings: everything public has one, and it names shapes of arrays, units of quantities, and errors.

The types of parameters and results say where an array is; the names say where a quantity is. What is checked:

- Every module, and every public class, function and method, has a docstring.
- Where a parameter, the result or a field of a class is an array or a tensor, a shape such as `(N, F)` is
  named in the docstring of the function, of its class, or of the alias of the type.
- Where the name of a parameter, a field or a function is a quantity without its unit (`tempo`, `duration`),
  its docstring names the unit. Names such as `duration_ticks` have it.
- Where a public function raises an error itself, its docstring names the error.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "ritornello"
FILES = sorted(SOURCE.rglob("*.py"))

ARRAY = re.compile(r"\b(ndarray|NDArray|Tensor)\b")
NAME = r"[A-Za-z_0-9][\w.+*/-]*(?: [+*/-] [\w.]+)*"
TUPLE = rf"\({NAME},(?: {NAME})?(?:, (?:{NAME}|\.\.\.))*\)"
SHAPE = re.compile(rf"{TUPLE}|\(\.\.\.,|\bscalar\b|\bany shape\b|\b0-d\b")
LENGTH = r"\b(ticks?|beats?|bars?|rows?|seconds?|s|ms|milliseconds?|minutes?|quarters?|frames?|samples?)\b"
UNITS = {
    "tempo": r"\b(bpm|beats (?:per|a) minute|quarters? (?:notes )?(?:per|a) minute)\b",
    "velocity": r"\b(\d+-\d+|\d+ to \d+|MIDI)\b",
    "duration": LENGTH,
    "onset": LENGTH,
    "deadline": LENGTH,
    "timeout": LENGTH,
    "rate": r"\b(Hz|per second|a second|learning rate|dtype|per step)\b",
}
PLAIN = {"seconds", "minutes", "learning_rate"}  # units themselves, or without one


class Documented(NamedTuple):
    """A public class or function, its qualified name, and the docstrings of what it lies in."""

    name: str
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    outer: str

    @property
    def text(self) -> str:
        return ast.get_docstring(self.node) or ""


def public(body: list[ast.stmt], prefix: str = "", outer: str = "") -> Iterator[Documented]:
    """The public classes, functions and methods of a module or a class, in order."""
    for node in body:
        if isinstance(node, ast.If):
            yield from public(node.body, prefix, outer)
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") and node.name not in ("__init__", "__post_init__", "__call__"):
            continue
        yield Documented(prefix + node.name, node, outer)
        if isinstance(node, ast.ClassDef):
            yield from public(node.body, f"{prefix}{node.name}.", ast.get_docstring(node) or "")


def annotated(item: Documented) -> Iterator[tuple[str, str]]:
    """Name and type of each parameter, of the result (named as the function) or of each field."""
    if isinstance(item.node, ast.ClassDef):
        for field in item.node.body:
            if isinstance(field, ast.AnnAssign) and not (name := ast.unparse(field.target)).startswith("_"):
                yield name, ast.unparse(field.annotation)
        return
    arguments = item.node.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        if argument.annotation:
            yield argument.arg, ast.unparse(argument.annotation)
    if item.node.returns:
        yield item.node.name, ast.unparse(item.node.returns)


def field_texts(item: Documented, lines: list[str]) -> str:
    """What stands beside and below the fields of a class: comments and strings."""
    if not isinstance(item.node, ast.ClassDef):
        return ""
    own = [node for node in item.node.body if isinstance(node, ast.AnnAssign | ast.Expr)]
    return "\n".join(line for node in own for line in lines[node.lineno - 1 : node.end_lineno])


def aliases() -> dict[str, str]:
    """Names of types of arrays that the package gives a name, with the line and the string below it."""
    found = {}
    for file in FILES:
        lines = file.read_text(encoding="utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            value = getattr(node, "value", None)
            if isinstance(node, ast.Assign | ast.AnnAssign) and value and ARRAY.search(ast.unparse(value)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name) and target.id[:1].isupper():
                    assert node.end_lineno
                    found[target.id] = "\n".join(lines[node.lineno - 1 : node.end_lineno + 2])
    return found


ALIASES = aliases()


def is_array(kind: str) -> bool:
    """Whether a type has an array in it whose shape its alias does not name."""
    named = {name: text for name, text in ALIASES.items() if re.search(rf"\b{name}\b", kind)}
    return bool(ARRAY.search(kind)) or any(not SHAPE.search(text) for text in named.values())


def raised(node: ast.AST) -> Iterator[str]:
    """The names of the errors that a function raises itself and does not catch, without inner functions."""
    if isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
        inside = ast.Module(node.body, [])
        yield from (name for name in raised(inside) if not re.search(rf"\b{name}\b", caught))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Try) and child in node.body:
            continue
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
            name = ast.unparse(child.exc.func).split(".")[-1]
            if name.endswith("Error") and name != "NotImplementedError":
                yield name
        yield from raised(child)


def unit(name: str) -> str | None:
    """The pattern of the units that a name asks for; None where it has one or needs none."""
    return UNITS.get(name.rsplit("_", 1)[-1]) if name not in PLAIN else None


def is_command(node: ast.AST) -> bool:
    """Whether a function is a command, whose docstring is its help."""
    return any("command" in ast.unparse(each) for each in getattr(node, "decorator_list", ()))


def has_help_of_options(node: ast.AST) -> bool:
    """Whether the help of options, with their units, is added to the docstring."""
    return any("with_help_of" in ast.unparse(each) for each in getattr(node, "decorator_list", ()))


def faults(file: Path) -> Iterator[str]:
    """What the docstrings of a file lack, one line each."""
    text = file.read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    if file.name != "__main__.py" and not ast.get_docstring(tree):
        yield "the module has no docstring"
    for item in public(tree.body):
        is_dunder = item.node.name.startswith("__")
        if not item.text and not is_dunder:
            yield f"{item.name} has no docstring"
            continue
        known = "\n".join([item.text, item.outer, field_texts(item, lines)])
        arrays = [name for name, kind in annotated(item) if is_array(kind)]
        if arrays and not SHAPE.search(known):
            yield f"{item.name} names no shape of {', '.join(arrays)}"
        for name, kind in annotated(item):
            pattern = unit(name)
            if (
                pattern
                and not has_help_of_options(item.node)
                and not re.search(pattern, known, re.I)
                and kind not in ("bool", "str")
            ):
                yield f"{item.name} names no unit of {name}"
        if not isinstance(item.node, ast.ClassDef) and not is_command(item.node):
            for error in sorted(set(raised(item.node))):
                if error not in known:
                    yield f"{item.name} does not name {error}"


def test_a_shape_and_a_unit_are_recognised() -> None:
    for shape in ("(N, F)", "(N,)", "(B, T+1, F)", "(size, 2 * size)", "(batch, steps, 4)", "a scalar"):
        assert SHAPE.search(f"Rows {shape} int16."), shape
    for prose in ("Some (all of them)", "(of 3 notes)", "no shape"):
        assert not SHAPE.search(prose), prose
    assert unit("tempo") and unit("note_duration") and not unit("duration_ticks") and not unit("minutes")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_docstrings_name_shapes_units_and_errors(file: Path) -> None:
    found = list(faults(file))
    assert not found, "\n".join(found)


if __name__ == "__main__":  # python tests/test_docstrings.py: all that is lacking, by file
    for path in FILES:
        for line in faults(path):
            print(f"{path.relative_to(SOURCE).as_posix()}: {line}")
