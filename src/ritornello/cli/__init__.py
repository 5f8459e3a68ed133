"""The command line: one file a command, each imported only when it is needed; no logic."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click

from ritornello.errors import RitornelloError
from ritornello.system.version import __version__

HELPERS = {"common"}


class Commands(click.Group):
    """The commands are the files of this folder."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The names, by listing the folder."""
        return sorted(m.name for m in iter_modules(__path__) if m.name not in HELPERS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of a name; imports its file."""
        if name not in self.list_commands(context):
            return None
        command: click.Command = import_module(f"ritornello.cli.{name}").command
        return command

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        """Name the nearest command when one is misspelt."""
        import difflib

        known = self.list_commands(context)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(
                f"no command {args[0]!r}, must be one of {', '.join(known)}{hint}", context
            )
        return super().resolve_command(context, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="ritornello %(version)s")
def root() -> None:
    """Learn from a folder of MIDI files and compose new songs.

    \b
    ritornello prepare ~/Music/midi --out corpus
    ritornello train corpus --out model --minutes 10
    ritornello compose model --bars 16 -o song.mid
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 well, 1 failed, 2 wrong input, 130 interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a bar that the encoding lacks becomes a question mark
    try:
        root.main(arguments, prog_name="ritornello", standalone_mode=False)
    except RitornelloError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.Abort as stop:  # click's own form of a KeyboardInterrupt
        _fail(str(stop.__cause__ or "") or "interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, such as `head`, has enough
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # such as a full disk behind standard output
        _fail(f"{error.filename or 'output'}: {error.strerror or error}", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"ritornello: {message}", err=True)
    sys.exit(code)
