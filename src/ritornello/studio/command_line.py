"""The command line that makes the same song as a job of the studio."""

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
"""The options of each kind of work that makes a song, and of sketches."""


def command_line(
    kind: str,
    options: Mapping[str, Any],
    *,
    song: str | None = None,
    model: str | None = None,
    out: str | None = None,
) -> str:
    """The command with the options that are not the default ones; `song` is the file that is worked on."""
    words = ["ritornello", kind]
    if song is not None:
        words.append(song)
    if model is not None:
        words += [model] if kind in ("compose", "sketch") else ["--model", model]
    for field in fields(OPTIONS[kind]):
        value = options.get(field.name)
        if value is None or (value == field.default and field.name != "seed"):
            continue
        flag = field.metadata["flag"] or "--" + field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag)
        elif isinstance(value, Mapping):
            words += [word for part, item in value.items() for word in (flag, f"{part}={item}")]
        elif isinstance(value, (list, tuple)) and str(field.type).startswith("list["):
            words += [word for item in value for word in (flag, str(item))]
        elif isinstance(value, (list, tuple)):
            words += [flag, ",".join(map(str, value))]
        else:
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    if out is not None:
        words += ["-o", out]
    return shlex.join(words)


def described_options(kind: str) -> list[dict[str, Any]]:
    """The options of a kind of work as JSON: name, kind, default, low, high, choices, help."""
    found = []
    for field in fields(OPTIONS[kind]):
        kind_name = str(field.type).split(" | ")[0].split("[")[0]
        names = {"int": "int", "float": "float", "bool": "bool", "list": "list"}
        own = "choice" if field.metadata["choices"] else names.get(kind_name, "text")
        limits = {name: field.metadata[name] for name in ("low", "high", "choices", "help")}
        found.append({"name": field.name, "kind": own, "default": field.default, **limits})
    return found
