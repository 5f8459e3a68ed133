"""Write the command line that makes the same song as a job of the studio, and describe its options."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ritornello.composing.options import (
    ChangeOptions,
    ComposeOptions,
    PerformOptions,
    RedoOptions,
    SketchOptions,
    VaryOptions,
)

OPTIONS = {
    "sketch": SketchOptions, "compose": ComposeOptions, "redo": RedoOptions, "vary": VaryOptions,
    "change": ChangeOptions, "perform": PerformOptions,
}  # fmt: skip
"""The class of the options of each kind of job."""


def command_line(
    kind: str,
    options: Mapping[str, Any],
    *,
    song: str | None = None,
    model: str | None = None,
    out: str | None = None,
) -> str:
    """The command with all options that differ from the defaults; `song` is the file that it changes."""
    arguments = ["ritornello", kind]
    if song is not None:
        arguments.append(song)
    if model is not None:
        arguments += [model] if kind in ("compose", "sketch") else ["--model", model]
    for field in fields(OPTIONS[kind]):
        value = options.get(field.name)
        if value is None or (value == field.default and field.name != "seed"):
            continue
        flag = field.metadata["flag"] or "--" + field.name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(flag)
        elif isinstance(value, Mapping):
            arguments += [word for part, item in value.items() for word in (flag, f"{part}={item}")]
        elif isinstance(value, (list, tuple)) and str(field.type).startswith("list["):
            arguments += [word for item in value for word in (flag, str(item))]
        elif isinstance(value, (list, tuple)):
            arguments += [flag, ",".join(map(str, value))]
        else:
            arguments += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    if out is not None:
        arguments += ["-o", out]
    return shlex.join(arguments)


def described_options(kind: str) -> list[dict[str, Any]]:
    """The options of a kind of job as JSON: name, kind, default, low, high, choices, help."""
    described = []
    for field in fields(OPTIONS[kind]):
        kind_name = str(field.type).split(" | ")[0].split("[")[0]
        kinds = {"int": "int", "float": "float", "bool": "bool", "list": "list"}
        option_kind = "choice" if field.metadata["choices"] else kinds.get(kind_name, "text")
        limits = {name: field.metadata[name] for name in ("low", "high", "choices", "help")}
        described.append({"name": field.name, "kind": option_kind, "default": field.default, **limits})
    return described
