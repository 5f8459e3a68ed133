"""What all commands share: --json and --quiet, and progress with a time to finish."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
CLICK_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "Music": click.Path()}
LINE_EVERY_S = 10.0


def options_of(options: type) -> Callable[[Command], Command]:
    """Add a click option for each field of one of the classes in `composing.options`."""

    def add(command: Command) -> Command:
        for option in reversed(fields(options)):
            kind = str(option.type).split(" | ")[0]
            flag = option.metadata["flag"] or "--" + option.name.replace("_", "-")
            is_required = option.default is MISSING
            command = click.option(
                flag,
                option.name,
                type=CLICK_TYPES[kind],
                is_flag=kind == "bool",
                required=is_required,
                default=None if is_required else option.default,
                show_default=not is_required and option.default not in (None, False),
                help=option.metadata["help"],
            )(command)
        return command

    return add


def output_options(command: Command) -> Command:
    """Add --json and --quiet."""
    command = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)
    return click.option("as_json", "--json", is_flag=True, help="Print the result as JSON.")(command)


def show(result: dict[str, Any], *lines: Any, as_json: bool, quiet: bool) -> None:
    """Print a result: as JSON, in words (texts, and what rich can draw), or not at all."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
        return
    for line in () if quiet else lines:
        if isinstance(line, str):
            click.echo(line)
        else:
            from rich.console import Console

            Console().print(line)


def free_name(name: str) -> str:
    """The name itself, or with the first number after it that no file has: song.mid, song-2.mid ..."""
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(name).with_stem(f"{Path(name).stem}-{number}")
    return str(path)


@contextmanager
def stages(shown: bool) -> Iterator[tuple[Callable[[str, str], None], Callable[[int, int, str], None]]]:
    """Two functions: say(stage, words) prints a line at once; update(...) is that of `progress`.

    The bars go when a line is printed: it says what came of them.
    """
    with ExitStack() as bars:
        drawn: list[Callable[[int, int, str], None]] = []

        def update(done: int, total: int, what: str) -> None:
            if not drawn:
                drawn.append(bars.enter_context(progress(shown, leave=False)))
            drawn[0](done, total, what)

        def say(stage: str, words: str) -> None:
            bars.close()
            drawn.clear()
            if shown:
                click.echo(f"  {stage:<10}  {words}")

        yield say, update


@contextmanager
def progress(shown: bool, leave: bool = True) -> Iterator[Callable[[int, int, str], None]]:
    """A function update(done, total, what) that draws a bar with the time to finish on standard error.

    A total of 0 is not known yet. With `leave`, the bars stay when all is done. Where standard error is no
    terminal, a line every ten seconds.
    """
    if not shown:
        yield lambda done, total, what: None
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=not leave) as bars:
        tasks: dict[str, Any] = {}

        def update(done: int, total: int, what: str) -> None:
            kind = what.split("  ")[0]  # "learning  held-out 0.31": the first words name the task
            if kind not in tasks:
                tasks[kind] = bars.add_task(what, total=total or None)
            bars.update(tasks[kind], completed=done, total=total or None, description=what)

        yield update


def _lines() -> Callable[[int, int, str], None]:
    """Progress as lines of text, one every ten seconds and one at the end of each task."""
    began: dict[str, float] = {}
    said: dict[str, float] = {}

    def update(done: int, total: int, what: str) -> None:
        kind, now = what.split("  ")[0], time.monotonic()
        start = began.setdefault(kind, now)
        if not done == total > 0 and now - said.get(kind, start) < LINE_EVERY_S:
            return
        said[kind] = now
        left_s = (now - start) / max(done, 1) * (total - done)
        finish = f", {left_s:.0f} s to go" if done < total else ""
        click.echo(f"  {what}: {done:,}/{total or '?'}{finish}", err=True)

    return update
