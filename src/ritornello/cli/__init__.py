"""The command line: each module is a command, imported only when it is needed; it contains no logic."""

import io
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click

from ritornello.errors import RitornelloError
from ritornello.system.version import __version__

HELPERS = {"common"}  # modules that are no commands


class Commands(click.Group):
    """A group whose commands are the modules of this folder."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The names of the commands, sorted."""
        return sorted(m.name for m in iter_modules(__path__) if m.name not in HELPERS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the module of a command; None if there is none."""
        if name not in self.list_commands(context):
            return None
        command: click.Command = import_module(f"ritornello.cli.{name}").command
        return command

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        """Find the command; raise UsageError that suggests the nearest name if it is misspelt."""
        from ritornello.system.suggest import did_you_mean

        names = self.list_commands(context)
        if args and args[0] not in names and not args[0].startswith("-"):
            hint = did_you_mean(args[0], names)
            raise click.UsageError(f"command {args[0]!r}: must be one of {', '.join(names)}{hint}", context)
        return super().resolve_command(context, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="ritornello %(version)s")
def root() -> None:
    """Learn from a folder of MIDI files and compose new songs.

    \b
    ritornello compose --genre fiddle
    ritornello learn ~/Music/midi
    ritornello compose ~/Music/midi-model --bars 16 -o song.mid
    ritornello studio
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with code 0 (success), 1 (failed), 2 (wrong input) or 130 (interrupted)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # characters that the encoding lacks become ?
    try:
        root.main(arguments, prog_name="ritornello", standalone_mode=False)
    except RitornelloError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.Abort as stop:  # click raises it for a KeyboardInterrupt
        _fail(str(stop.__cause__ or "") or "interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # such as a full disk to which standard output goes
        _fail(f"{error.filename or 'output'}: {error.strerror or error}", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"ritornello: {message}", err=True)
    sys.exit(code)
