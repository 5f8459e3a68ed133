"""All errors that Ritornello raises on purpose.

    RitornelloError
    ├── InputError            what the user gave cannot be used        exit code 2
    │   ├── MidiError         a .mid file cannot be read
    │   ├── ScoreError        notes or events are out of range
    │   ├── CorpusError       a corpus folder is missing, damaged or newer than this version
    │   ├── ModelError        a model folder is missing, damaged or does not fit
    │   └── PlanError         the plan of a song is impossible
    └── FailedError           the input was fine, the work failed      exit code 1
        └── OutputError       a result cannot be written

Every message is one line that names the thing, its value and the allowed range.
"""

from numbers import Real
from typing import Any


class RitornelloError(Exception):
    """Base class of all errors raised on purpose; `exit_code` is the exit code of the command line."""

    exit_code = 1


class InputError(RitornelloError):
    """The user's input cannot be used."""

    exit_code = 2


class MidiError(InputError):
    """A .mid file cannot be read. The message names the file, the byte or track, and the reason."""


class ScoreError(InputError):
    """Notes or events of a Score are out of range. The message names the value and the range."""


class CorpusError(InputError):
    """A corpus folder is missing, damaged, or was made by a newer version."""


class ModelError(InputError):
    """A model folder is missing, damaged, or does not fit its use."""


class PlanError(InputError):
    """The plan of a song is impossible. The message names the value and the allowed range."""


class FailedError(RitornelloError):
    """The input was fine, but the work could not be finished."""


class OutputError(FailedError):
    """A result cannot be written, such as to a full disk. The message names the path."""


def check_between(
    name: str, value: Any, least: float, most: float, error: type[InputError] = InputError
) -> None:
    """Raise `error` unless `value` is None or a number between `least` and `most`, both included."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if value is not None and not (is_number and least <= value <= most):
        raise error(f"{name} {value if is_number else repr(value)}: must be {least}-{most}")
