"""Shared by the commands: options, printing of results, progress bars."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from ritornello.errors import InputError
from ritornello.system.progress import Progress, no_progress

Command = TypeVar("Command", bound=Callable[..., Any])


class _Path(click.Path):
    """A path that is not empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("the path is empty: must name a file or a folder", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path()
CLICK_TYPES = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "Music": PATH,
    "SketchSource": PATH,
    "Folder": PATH,
}
STANDARD_OUTPUT = "-"
CODE_OPTIONS = ("network", "representation", "loss")
SECONDS_PER_LINE = 10.0  # between two lines of progress if there is no terminal


def option(
    flags: str, help_text: str, kind: Any = None, *, default: Any = None, **more: Any
) -> Callable[[Command], Command]:
    """A click.option that shows its default; if `kind` is a list, it has the allowed values."""
    kind = click.Choice(kind) if isinstance(kind, list) else kind
    if default is not None:  # click makes None the value of a flag whose default is None
        more |= {"default": default, "show_default": True}
    return click.option(*flags.split(), type=kind, help=help_text, **more)


def _none_if_empty(_context: click.Context, _option: click.Parameter, values: Any) -> list[Any] | None:
    """The values of an option that may be repeated; None if it was not used, as in Python."""
    return list(values) or None


def options_of(options: type) -> Callable[[Command], Command]:
    """Add a click option for each field of a class in `composing.options` or `training.config`.

    The metadata of a field has its `help`, and may have its `flag`, its allowed values (`choices`), and
    `python_only` if it gets no option.
    """

    def add(command: Command) -> Command:
        for field in reversed(fields(options)):
            if field.metadata.get("python_only"):
                continue
            kind = str(field.type).split(" | ")[0]
            is_list, is_required = kind.startswith("list["), field.default is MISSING
            kind = kind.removeprefix("list[").removesuffix("]")
            command = click.option(
                field.metadata["flag"] or "--" + field.name.replace("_", "-"),
                field.name,
                type=click.Choice(choices)
                if (choices := field.metadata.get("choices"))
                else CLICK_TYPES[kind],
                is_flag=kind == "bool",
                multiple=is_list,
                callback=_none_if_empty if is_list else None,
                required=is_required,
                default=None if is_required else field.default,
                show_default=not is_required and field.default not in (None, False),
                help=field.metadata["help"],
            )(command)
        return command

    return add


def code_options(command: Command) -> Command:
    """Add the options that name the user's code with which a model was trained; see `open_model`."""
    for kind in reversed(CODE_OPTIONS):
        use = "; it is not run, only its hash is compared" if kind == "loss" else ""
        help_text = f"FILE.py:CLASS, if the model was trained with a {kind} in a file{use}."
        command = click.option(f"--{kind}", help=help_text)(command)
    return command


def open_model(model: str | None, options: dict[str, Any]) -> Any:
    """Remove the `code_options` from `options`; if they name any code, open the model with it.

    Without such options, return `model` unchanged. Raises InputError, ModelError.
    """
    code = {kind: name for kind in CODE_OPTIONS if (name := options.pop(kind)) is not None}
    if not code:
        return model
    from ritornello.composing.compose import BUNDLED
    from ritornello.models.model import Model

    return Model.open(BUNDLED if model is None else model, **code)


def output_options(command: Command) -> Command:
    """Add --json and --quiet."""
    command = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)
    return click.option("as_json", "--json", is_flag=True, help="Print the result as JSON.")(command)


def overwrite_option(command: Command) -> Command:
    """Add --overwrite."""
    help_text = "Also replace files that Ritornello did not write, or that were changed since."
    return option("--overwrite", help_text, is_flag=True)(command)


def midi_target(song: str, out: str | None, suffix: str) -> str:
    """The path to write: `out`, or by default SONG-suffix.mid in the current folder."""
    return out or f"{'song' if song == STANDARD_OUTPUT else Path(song).stem}-{suffix}.mid"


def is_stdout(target: str, as_json: bool) -> bool:
    """Whether a MIDI file is written to standard output. Raises InputError if JSON would be as well."""
    if target == STANDARD_OUTPUT and as_json:
        raise InputError("-o -: standard output holds one MIDI file, so no --json")
    return target == STANDARD_OUTPUT


def check_midi_ending(target: str) -> None:
    """Raise InputError unless a path ends in .mid or .midi."""
    if Path(target).suffix.lower() not in (".mid", ".midi"):
        raise InputError(f"-o {target!r} must end in .mid or .midi")


def write_to_stdout(data: bytes) -> None:
    """Write bytes, such as a MIDI file, to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def reader_option(command: Command) -> Command:
    """Add --reader."""
    help_text = "The library that reads MIDI files; mido is slower."
    return option("--reader", help_text, ["symusic", "mido"], default="symusic")(command)


def label_options(command: Command) -> Command:
    """Add the options that say where labels come from: --labels and --label-depth."""
    depth = "Only folders at this depth below FOLDER are labels (1: directly in FOLDER); by default all."
    command = option("--label-depth", depth, int)(command)
    table = "A .csv or .jsonl file with paths (of songs or folders) and labels; then folders are no labels."
    return option("--labels", table, PATH)(command)


def reading_options(command: Command) -> Command:
    """Add the options of reading many MIDI files: --workers, --reader, --retry, and of labels."""
    retry = "Read files again that timed out, crashed or ran out of memory in an earlier run."
    command = label_options(option("--retry", retry, is_flag=True)(command))
    workers = "Processes that read files; by default one per core."
    return option("--workers", workers, int)(reader_option(command))


def left_out(dropped: dict[str, int]) -> list[str]:
    """A line that lists the kinds and numbers of events that a file lacks; no line if it lacks none."""
    kinds = ", ".join(f"{kind} ({count})" for kind, count in dropped.items())
    return [f"left out: {kinds}"] if kinds else []


def print_result(result: dict[str, Any], *lines: Any, as_json: bool, quiet: bool) -> None:
    """Print a result as JSON, or its lines (texts, or objects that rich can print), or nothing if quiet."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
        return
    for line in () if quiet else lines:
        if isinstance(line, str):
            click.echo(line)
        else:
            from rich.console import Console

            Console().print(line)


def unused_name(name: str) -> str:
    """The name, or if such a file exists, the first unused of song-2.mid, song-3.mid ..."""
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(name).with_stem(f"{Path(name).stem}-{number}")
    return str(path)


@contextmanager
def stage_output(shown: bool) -> Iterator[tuple[Callable[[str, str], None], Progress]]:
    """Yield two functions: print_stage(stage, result) prints a line, the other draws progress bars.

    A printed line replaces the bars.
    """
    with ExitStack() as bars:
        drawing: list[Progress] = []

        def update(done: int, total: int, description: str) -> None:
            if not drawing:
                drawing.append(bars.enter_context(progress_bars(shown, leave=False)))
            drawing[0](done, total, description)

        def print_stage(stage: str, result: str) -> None:
            bars.close()
            drawing.clear()
            if shown:
                click.echo(f"  {stage:<10}  {result}")

        yield print_stage, update


@contextmanager
def progress_bars(shown: bool, leave: bool = True) -> Iterator[Progress]:
    """A progress function that draws bars with the remaining time on standard error.

    The bars stay at the end if `leave`. If standard error is not a terminal, it prints a line now and then.
    """
    if not shown:
        yield no_progress
        return
    if not sys.stderr.isatty():
        yield _progress_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=not leave) as bars:
        tasks: dict[str, Any] = {}

        def update(done: int, total: int, description: str) -> None:
            name = _task_name(description)
            if name not in tasks:
                tasks[name] = bars.add_task(description, total=total or None)
            elif done < bars.tasks[tasks[name]].completed:  # the task begins again: so does its time
                bars.reset(tasks[name])
            bars.update(tasks[name], completed=done, total=total or None, description=description)

        yield update


def _progress_lines() -> Progress:
    """A progress function that prints a line every ten seconds and at the end of each task."""
    start_s: dict[str, float] = {}
    printed_s: dict[str, float] = {}
    last_done: dict[str, int] = {}

    def update(done: int, total: int, description: str) -> None:
        name, now = _task_name(description), time.monotonic()
        if done < last_done.get(name, 0):  # the task begins again
            del start_s[name]
            printed_s.pop(name, None)
        start, last_done[name] = start_s.setdefault(name, now), done
        if not done == total > 0 and now - printed_s.get(name, start) < SECONDS_PER_LINE:
            return
        printed_s[name] = now
        left_s = (now - start) / max(done, 1) * (total - done)
        finish = f", {left_s:.0f} s to go" if done < total else ""
        click.echo(f"  {description}: {done:,}/{total or '?'}{finish}", err=True)

    return update


def _task_name(description: str) -> str:
    """The name of the task in a description such as "learning  held-out 0.31": the text before two spaces."""
    return description.split("  ")[0]
